-- LINK-11  Mixed link technologies.
-- Links differ in framing, speed and MTU: Ethernet, token ring, dial-up and serial lines. IP is what they have in common: a router
-- takes the packet out of one frame and puts it into another, and cuts it if it does not fit (RFC 791 1.4, RFC 1812 3.1). A serial
-- line of 115200 baud with 8 data bits, no parity and one stop bit needs 10 bit times for a byte: 11520 byte/s. PPP (RFC 1661,
-- RFC 1662) frames a packet with 4 bytes in front, and 2 of check sequence and a flag behind it.
local hs = require "hopscope"
hs.title { en = "LINK-11 Mixed link technologies", zh = "LINK-11 混合的链路技术" }

local a, r1, r2, b = hs.host "a", hs.router "r1", hs.router "r2", hs.host "b"
local near = hs.link(a, r1, { rate = "100Mbps", delay = "1us" })
local line = hs.link(r1, r2, { kind = "ppp", rate = 115200 * 8 / 10, delay = "1ms", mtu = 576 })
local far = hs.link(r2, b, { rate = "100Mbps", delay = "1us" })
a:ping("b", { count = 1 })
local is_udp = function(p) return p.ip and p.ip.proto == 17 end
local on_near, on_line, on_far = hs.frames { link = near, filter = is_udp }, hs.frames { link = line, filter = is_udp },
  hs.frames { link = far, filter = is_udp }
local got = {}
b:udp { port = 9, on_datagram = function(data) got[#got + 1] = data end }
local sock = a:udp():connect("b", 9):setopt("IP_MTU_DISCOVER", 0)

hs.note {
  en = "A packet of 100 bytes travels over Ethernet, a serial line, and Ethernet again. Look at the link headers.",
  zh = "一个 100 字节的分组经过以太网、串行线路，再经过以太网。请看链路首部。",
}
local message = ("0123456789"):rep(8):sub(1, 72) -- 20 + 8 + 72 = 100
sock:send(message)
hs.run "1s"
for i, f in ipairs { on_near[1], on_line[1], on_far[1] } do
  print(string.format("    wire %d: %-17s %3d bytes, %s", i, table.concat(f.packet:layers(), " "), f.len, f.summary))
end
hs.expect_equal("Ethernet, PPP, Ethernet", { on_near[1].packet:layers()[1], on_line[1].packet:layers()[1],
  on_far[1].packet:layers()[1] }, { "eth", "ppp", "eth" })
hs.expect_equal("14, 4 and 14 bytes in front of the same 100", { on_near[1].len, on_line[1].len, on_far[1].len }, { 114, 104, 114 })
-- Of the IP header only the TTL and with it the checksum change: bytes 8 and 10 to 11 of 20.
local function constant(frame, header)
  local ip = frame.packet:bytes():sub(header + 1)
  return ip:sub(1, 8) .. ip:sub(10, 10) .. ip:sub(13)
end
hs.expect_equal("the IP packet is the same on the serial line", constant(on_line[1], 4), constant(on_near[1], 14))
hs.expect_equal("and on the second Ethernet", constant(on_far[1], 14), constant(on_near[1], 14))
hs.expect_equal("except that each router took one from its TTL", { on_near[1].packet.ip.ttl, on_line[1].packet.ip.ttl,
  on_far[1].packet.ip.ttl }, { 64, 63, 62 })
-- 104 bytes of frame, 2 of check sequence, 1 flag: 107 bytes at 11520 byte/s, and 1 ms on the way; then it leaves r2 at once.
hs.expect_near("the serial line needs 107 / 11520 s for it", on_far[1].time - on_line[1].time, 107 / 11520 + 1e-3, 1e-9)

hs.note {
  en = "A packet of 1500 bytes does not fit into the 576 of the serial line: r1 cuts it.",
  zh = "1500 字节的分组放不进串行线路的 576：r1 把它切开。",
}
local big = ("x"):rep(1472)
sock:send(big)
hs.run "1s"
on_line:print()
local sizes, offsets = {}, {}
for i = 2, #on_line do sizes[#sizes + 1], offsets[#offsets + 1] = on_line[i].packet.ip.len, on_line[i].packet.ip.frag_offset end
-- 576 - 20 = 556, of which 552 is a multiple of 8: 1480 = 552 + 552 + 376.
hs.expect_equal("whole on Ethernet", on_near[2].packet.ip.len, 1500)
hs.expect_equal("three fragments on the serial line", { sizes, offsets }, { { 572, 572, 396 }, { 0, 552, 1104 } })
hs.expect_near("a fragment of 572 bytes takes (4 + 572 + 3) / 11520 s", on_line[3].time - on_line[2].time, 579 / 11520, 1e-9)
hs.expect_equal("they stay fragments on the second Ethernet; only b puts them together", #on_far, 1 + 3)
hs.expect_equal("both datagrams arrive as they were sent", got, { message, big })

hs.translate("zh", {
  ["Ethernet, PPP, Ethernet"] = "以太网、PPP、以太网",
  ["14, 4 and 14 bytes in front of the same 100"] = "同样的 100 字节前面分别是 14、4 和 14 字节",
  ["the IP packet is the same on the serial line"] = "IP 分组在串行线路上是同样的",
  ["and on the second Ethernet"] = "在第二个以太网上也是",
  ["except that each router took one from its TTL"] = "只是每台路由器把 TTL 减一",
  ["the serial line needs 107 / 11520 s for it"] = "串行线路传送它需要 107 / 11520 s",
  ["whole on Ethernet"] = "在以太网上是完整的",
  ["three fragments on the serial line"] = "在串行线路上是三个分片",
  ["a fragment of 572 bytes takes (4 + 572 + 3) / 11520 s"] = "572 字节的分片需要 (4 + 572 + 3) / 11520 s",
  ["they stay fragments on the second Ethernet; only b puts them together"] = "在第二个以太网上仍是分片；只有 b 把它们拼起来",
  ["both datagrams arrive as they were sent"] = "两个数据报到达时与发送时相同",
})
