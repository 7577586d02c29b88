-- TCP-RTX-01  Acknowledged delivery, both directions, piggyback.
-- What was written stays in the sender's buffer until it is acknowledged; only then can it be forgotten, for it might have to be sent again
-- (RFC 9293 3.4, 3.8.1). Every segment carries an acknowledgment field, so data that goes the other way takes the ACK along: piggyback.
-- Both sides may send at the same time.
local hs = require "hopscope"
hs.title { en = "TCP-RTX-01 Acknowledged delivery, both directions, piggyback", zh = "TCP-RTX-01 有确认的交付，双向，捎带确认" }

local function plain(isn)
  return { sysctl = { ["hopscope.tcp_isn"] = 2, ["hopscope.tcp_isn_fixed"] = isn, ["net.ipv4.tcp_timestamps"] = 0 } }
end
local client, server = hs.host("client", plain(1000)), hs.host("server", plain(8000))
hs.link(client, server, { delay = "10ms" })
client:arp_set(server, server:dev().mac)
server:arp_set(client, client:dev().mac)
local frames = hs.frames { filter = function(p) return p.tcp end }
local here, there, got = nil, nil, {}
server:spawn(function(os)
  there = os.tcp():bind(5678):listen(8):accept()
  there:setopt("TCP_QUICKACK", false) -- an application that answers: the ACK may wait for its data
  got.server = there:read()
  there:write(("s"):rep(10))
  os.sleep "200ms"
  there:write(("S"):rep(300)) -- at 251 ms, as the client
  got.server2 = there:read()
  os.sleep "1h"
end)
client:spawn(function(os)
  here = os.tcp():connect("server", 5678)
  os.sleep "1ms"
  here:write(("c"):rep(20))
  got.client = here:read()
  os.sleep(0.231 - hs.now())
  here:write(("C"):rep(200))
  got.client2 = here:read()
  os.sleep "1h"
end)

-- 20 ms: connected; 21 ms: 20 bytes leave; 31 ms: they arrive and are answered; 41 ms: the answer, with the ACK, arrives
local kept = {}
for _, t in ipairs { 0.03, 0.0405, 0.0415 } do hs.at(t, function() kept[#kept + 1] = here:info().send_q end) end
hs.note { en = "The client writes 20 bytes; the server answers with 10.", zh = "客户端写入 20 字节；服务器应答 10 字节。" }
hs.run "200ms"
local function row(f)
  local t = f.packet.tcp
  return { f.from, t.seq, t.len, t.ackno }
end
for i = 4, #frames do hs.note({ en = "%.3f s: %s seq %d, %d bytes, ack %d", zh = "%.3f s：%s seq %d，%d 字节，ack %d" }, frames[i].time, table.unpack(row(frames[i]))) end
hs.expect_equal("20 bytes at 1001", row(frames[4]), { "client", 1001, 20, 8001 })
hs.expect_equal("10 bytes at 8001 carry the ack 1021", row(frames[5]), { "server", 8001, 10, 1021 })
hs.expect_equal("ack 8011", row(frames[6]), { "client", 1021, 0, 8011 })
hs.expect_equal("three segments for both", #frames, 6)
hs.expect_equal("the client keeps its 20 bytes until their acknowledgment is there, at 41 ms", kept, { 20, 20, 0 })
hs.expect_equal("each has the other's bytes", { got.server, got.client }, { ("c"):rep(20), ("s"):rep(10) })

hs.note { en = "Both write at the same time; the segments cross.", zh = "双方同时写入；报文段交错而过。" }
hs.run "1s"
for i = 7, #frames do hs.note({ en = "%.3f s: %s seq %d, %d bytes, ack %d", zh = "%.3f s：%s seq %d，%d 字节，ack %d" }, frames[i].time, table.unpack(row(frames[i]))) end
hs.expect_equal("the same instant", frames[7].time, frames[8].time)
local a, b = row(frames[7]), row(frames[8])
if a[1] == "server" then a, b = b, a end
hs.expect_equal("200 bytes there, 300 back, neither knows of the other", { a, b }, { { "client", 1021, 200, 8011 }, { "server", 8011, 300, 1021 } })
hs.expect_equal("both arrive", { #got.server2, #got.client2 }, { 200, 300 })
hs.expect_equal("and both buffers are empty in the end", { here:info().send_q, there:info().send_q }, { 0, 0 })

hs.translate("zh", {
  ["20 bytes at 1001"] = "从 1001 起 20 字节",
  ["10 bytes at 8001 carry the ack 1021"] = "从 8001 起 10 字节，携带 ack 1021",
  ["three segments for both"] = "两者共用三个报文段",
  ["the client keeps its 20 bytes until their acknowledgment is there, at 41 ms"] = "客户端保留它的 20 字节，直到确认到来，在 41 ms",
  ["each has the other's bytes"] = "各自得到对方的字节",
  ["the same instant"] = "同一时刻",
  ["200 bytes there, 300 back, neither knows of the other"] = "200 字节过去，300 字节回来，互不知晓",
  ["both arrive"] = "两者都到达",
  ["and both buffers are empty in the end"] = "最后两个缓冲区都是空的",
})
