-- ICMP-02  Echo.
-- Whoever receives an echo request (type 8) sends it back as an echo reply (type 0), everything else unchanged (RFC 792, RFC 1122
-- 3.2.2.6): the identifier tells one ping program from another, the sequence number one request from the next, and ping writes the
-- time of sending into the data. So ping needs no memory: the round trip is now minus the time that came back, a gap in the
-- numbers is a loss. The first number is a choice: Linux ping begins at 1, this one is told to begin at 0.
local hs = require "hopscope"
hs.title { en = "ICMP-02 Echo", zh = "ICMP-02 回送" }

local a, b = hs.host "a", hs.host "b"
local link = hs.link(a, b, { rate = "100Mbps", delay = "10ms" })
local out = hs.frames { node = a, filter = function(p) return p.icmp end }
local back = hs.frames { node = a, on = "rx", filter = function(p) return p.icmp end }

hs.note {
  en = "a sends five echo requests, numbered 0 to 4. The cable swallows number 2 on its way to b.",
  zh = "a 发送五个回送请求，编号从 0 到 4。第 2 号在去往 b 的途中被线路吞没。",
}
link:dir(a):rule(function(p) if p.icmp and p.icmp.seq == 2 then return "drop" end end)
local ping
a:spawn(function(os) ping = os.ping("b", { count = 5, first_seq = 0, id = 77, print = true }) end)
hs.run "6s"

local function column(frames, field)
  local list = {}
  for i, f in ipairs(frames) do list[i] = f.packet.icmp[field] end
  return list
end
hs.expect_equal("requests have type 8", column(out, "type"), { 8, 8, 8, 8, 8 })
hs.expect_equal("their sequence starts at 0 and grows by 1", column(out, "seq"), { 0, 1, 2, 3, 4 })
hs.expect_equal("replies have type 0", column(back, "type"), { 0, 0, 0, 0 })
hs.expect_equal("the reply echoes the identifier", column(back, "id"), { 77, 77, 77, 77 })
hs.expect_equal("the gap in the replies is the loss", column(back, "seq"), { 0, 1, 3, 4 })
hs.expect_equal("ping counts 5 sent, 4 received, 20 % lost", { ping.sent, ping.received, ping.loss }, { 5, 4, 0.2 })

hs.note {
  en = "Every reply carries the very bytes of its request. The first 16 are the time of sending: seconds, microseconds.",
  zh = "每个应答都带着请求的原样字节。前 16 个是发送的时间：秒和微秒。",
}
local requests = {}
for _, f in ipairs(out) do requests[f.packet.icmp.seq] = f.packet.data.bytes end
for i, f in ipairs(back) do
  local p = f.packet
  hs.expect("reply " .. p.icmp.seq .. " echoes the 56 bytes of data", #p.data.bytes == 56 and p.data.bytes == requests[p.icmp.seq])
  local s, us = string.unpack("<i8i8", p.data.bytes)
  local rtt = f.time - (s + us / 1e6)
  hs.expect_near("its round trip is now minus the stored time", ping.replies[i].rtt, rtt, "1us")
end
-- 98-byte frames, with preamble and FCS 110 * 8 / 100 Mbit/s = 8.8 us, and 10 ms each way.
hs.expect_equal("the last one took 2 * (10 ms + 8.8 us)", ping.replies[4].rtt, "20.0176ms")

hs.translate("zh", {
  ["requests have type 8"] = "请求的类型是 8",
  ["their sequence starts at 0 and grows by 1"] = "序号从 0 开始，每次加 1",
  ["replies have type 0"] = "应答的类型是 0",
  ["the reply echoes the identifier"] = "应答带回标识符",
  ["the gap in the replies is the loss"] = "应答中的空缺就是丢失",
  ["ping counts 5 sent, 4 received, 20 % lost"] = "ping 计入发送 5 个，收到 4 个，丢失 20 %",
  ["reply {} echoes the {} bytes of data"] = "应答 {} 带回 {} 字节的数据",
  ["its round trip is now minus the stored time"] = "它的往返时间是现在减去所存的时间",
  ["the last one took 2 * (10 ms + 8.8 us)"] = "最后一个用了 2 * (10 ms + 8.8 us)",
})
