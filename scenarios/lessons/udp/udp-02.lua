-- UDP-02  Checksum.
-- The UDP checksum covers header and data, and a pseudo-header that is not sent: source and destination address, protocol 17
-- and the length (RFC 768). So a datagram that went to the wrong host is noticed too. What does not add up is thrown away
-- without a word, and counted. The checksum is optional in IPv4: 0 means that the sender did not bother.
-- tshark-allow: Bad checksum (damaged on purpose, with a right FCS)
local hs = require "hopscope"
hs.title { en = "UDP-02 Checksum", zh = "UDP-02 校验和" }

local a, b = hs.host "a", hs.host "b"
local link = hs.link(a, b, { subnet = "192.168.0.0/24" })
local got = {}
b:udp { port = 9, on_datagram = function(data) got[#got + 1] = data end }
local seen = hs.frames { filter = function(p) return p.ip end }
local sock = a:udp():connect("b", 9)

-- The sum of all 16-bit words, the carry added in again, all bits turned over (RFC 1071).
local function checksum(bytes)
  local sum = 0
  if #bytes % 2 == 1 then bytes = bytes .. "\0" end
  for at = 1, #bytes, 2 do sum = sum + string.unpack(">I2", bytes, at) end
  while sum > 0xffff do sum = (sum & 0xffff) + (sum >> 16) end
  return ~sum & 0xffff
end

hs.note {
  en = "One good datagram. Its checksum, computed again from the bytes: without the pseudo-header it is another number.",
  zh = "一个完好的数据报。从字节重新计算它的校验和：没有伪首部就是另一个数。",
}
sock:send "hello"
hs.run "1s"
local p = seen[1].packet
local packet = p:bytes():sub(15) -- from the IP header on
local udp = packet:sub(21, 26) .. "\0\0" .. packet:sub(29, p.ip.len)
local pseudo = packet:sub(13, 20) .. string.pack(">I2I2", 17, p.udp.len)
print(string.format("    in the packet 0x%04x, with pseudo-header 0x%04x, without 0x%04x",
  p.udp.checksum, checksum(pseudo .. udp), checksum(udp)))
hs.expect_equal("the checksum covers pseudo-header, header and data", p.udp.checksum, checksum(pseudo .. udp))
hs.expect("without the pseudo-header it would be another", p.udp.checksum ~= checksum(udp))
hs.expect_equal("it arrives", got, { "hello" })

hs.note {
  en = "Now one bit of the data flips somewhere where the frame's own checksum does not see it: in a bad router, say.",
  zh = "现在数据的一个比特翻转了，翻转的地方帧自己的校验和看不到：比如在一台有毛病的路由器里。",
}
local function flip_first_data_bit() -- 14 + 20 + 8 = 42 bytes come before the data
  link:dir(a):rule(function(q) if q.udp then return { "corrupt", bit = 42 * 8 + 7, fcs = false } end end)
end
flip_first_data_bit()
local sent = sock:send "hello"
hs.run "1s"
hs.expect_equal("the corrupted datagram is dropped", #got, 1)
hs.expect_equal("silently: b sends nothing back, and a has no error", { #seen, sent, sock:error() }, { 2, 5, nil })
hs.expect_equal("but counted", { b:counter "UdpInCsumErrors", b:counter "UdpInErrors" }, { 1, 1 })

hs.note {
  en = "Once more, by a sender that does without (SO_NO_CHECK). Checksum 0 says so, and the damage goes unnoticed.",
  zh = "再来一次，发送方不使用校验和（SO_NO_CHECK）。校验和为 0 说明了这一点，损坏也就没有被察觉。",
}
sock:setopt("SO_NO_CHECK", true)
sock:send "hello"
hs.run "1s"
hs.expect_equal("the checksum in the packet is 0", seen[3].packet.udp.checksum, 0)
-- The lowest bit of "h" (0x68) turned over is "i" (0x69).
hs.expect_equal("b reads what the sender never wrote", got[2], "iello")
hs.expect_equal("no error is counted", b:counter "UdpInCsumErrors", 1)

hs.translate("zh", {
  ["the checksum covers pseudo-header, header and data"] = "校验和覆盖伪首部、首部和数据",
  ["without the pseudo-header it would be another"] = "没有伪首部就会是另一个数",
  ["it arrives"] = "它到达了",
  ["the corrupted datagram is dropped"] = "损坏的数据报被丢弃",
  ["silently: b sends nothing back, and a has no error"] = "悄无声息：b 什么也不发回，a 也没有错误",
  ["but counted"] = "但被计数",
  ["the checksum in the packet is 0"] = "分组中的校验和是 0",
  ["b reads what the sender never wrote"] = "b 读到了发送方从未写过的内容",
  ["no error is counted"] = "没有计入差错",
})
