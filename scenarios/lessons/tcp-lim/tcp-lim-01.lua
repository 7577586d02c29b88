-- TCP-LIM-01  Head-of-line blocking in the byte stream.
-- TCP delivers bytes in order (RFC 9293 3.8): what arrives behind a gap waits, although it has arrived, until the gap is filled. Bytes 33
-- to 40 are there, byte 32 is missing: the reader gets nothing, and nine bytes at once when 32 comes. QUIC's streams do not wait for
-- each other (RFC 9000 2).
-- tshark-allow: Previous segment(s) not captured (the lost one)
local hs = require "hopscope"
hs.title { en = "TCP-LIM-01 Head-of-line blocking in the byte stream", zh = "TCP-LIM-01 字节流中的队头阻塞" }

local client, server = hs.host "client", hs.host "server"
local link = hs.link(client, server, { delay = "10ms" })
client:arp_set("server", server:dev().mac)
server:arp_set("client", client:dev().mac)

-- Byte 32 goes alone in the second data segment, which is lost once.
local lost, arrived = nil, {}
link:dir(client):rule(function(p)
  if p.tcp and p.tcp.data_nth == 2 and not p.tcp.retransmission then
    lost = p.time
    return "drop"
  end
end)
hs.on("frame.rx", function(e)
  local t = e.packet.tcp
  if t and t.len > 0 then arrived[#arrived + 1] = { time = e.time, len = t.len, again = t.data_nth } end
end, { node = server })

local reads, waiting = {}, nil
server:spawn(function(os)
  local conn = os.tcp():bind(5678):listen(8):accept()
  reads[1] = { conn:read(), hs.now() }
  hs.at("60ms", function() waiting = conn:info() end)
  reads[2] = { conn:read(), hs.now() }
end)
client:spawn(function(os)
  local sock = os.tcp({ nodelay = true }):connect("server", 5678)
  sock:write(("."):rep(31)) -- bytes 1 to 31
  os.sleep "10ms"
  sock:write "2" -- byte 32
  os.sleep "1ms"
  sock:write "34567890" -- bytes 33 to 40
  os.sleep "2s"
end)
hs.note {
  en = "The client writes bytes 1 to 31, then byte 32 alone, then 33 to 40. The segment with byte 32 is lost.",
  zh = "客户端写入第 1 到第 31 个字节，然后单独写入第 32 个，再写入第 33 到第 40 个。带有第 32 个字节的报文段丢失。",
}
hs.run "1s"

hs.expect_equal("bytes 33 to 40 arrived 10 ms after they were sent, at 41 ms", { arrived[2].time, arrived[2].len }, { hs.seconds "41ms", 8 })
hs.expect_equal("at 60 ms the reader has nothing, and nothing to read: byte 32 is missing", { waiting.recv_q, waiting.bytes_received }, { 0, 31 })
local repaired = arrived[3].time
hs.expect_equal("the repetition is of one byte", arrived[3].len, 1)
hs.expect("and came later", repaired > 0.06, repaired)
hs.expect_equal("the reader got nine bytes at once, at that moment", reads[2], { "234567890", repaired })
hs.expect_equal("before that it had got the first 31", { #reads[1][1], reads[1][2] }, { 31, hs.seconds "30ms" })

hs.translate("zh", {
  ["bytes 33 to 40 arrived 10 ms after they were sent, at 41 ms"] = "第 33 到 40 个字节在发送 10 ms 之后到达，在 41 ms",
  ["at 60 ms the reader has nothing, and nothing to read: byte 32 is missing"] = "60 ms 时读者什么也没有，也没有什么可读：缺少第 32 个字节",
  ["the repetition is of one byte"] = "重传的是一个字节",
  ["and came later"] = "并且来得更晚",
  ["the reader got nine bytes at once, at that moment"] = "就在那一刻，读者一次得到九个字节",
  ["before that it had got the first 31"] = "在那之前它得到了前 31 个",
})
