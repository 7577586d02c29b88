-- FRAG-05  Fragmentation by a router.
-- A PC on Ethernet fills its packets to 1500 bytes. The router's other line is a dial-up link with an MTU of 576: the packet
-- must be cut there, unless the sender forbids it with DF (RFC 791 3.2, RFC 1812 4.2.2.7).
local hs = require "hopscope"
hs.title { en = "FRAG-05 Fragmentation by a router", zh = "FRAG-05 由路由器分片" }

local pc, router, server = hs.host "pc", hs.router "router", hs.host "server"
hs.link(pc, router, { rate = "10Mbps" })
local dialup = hs.link(router, server, { kind = "ppp", rate = "56kbps", delay = "50ms", mtu = 576 })

local got
server:udp { port = 9, on_datagram = function(data) got = data end }
local frames = hs.frames { link = dialup, filter = function(p) return p.ip end }
local data = ("0123456789abcdef"):rep(92) -- 1472 bytes: with 8 and 20 of headers 1500

hs.note { en = "The PC sends 1500 bytes and leaves DF off.", zh = "PC 发送 1500 字节，不设 DF。" }
local sock = pc:udp():connect("server", 9):setopt("IP_MTU_DISCOVER", 0)
sock:send(data)
hs.run "2s"
local pieces = {}
for i, f in ipairs(frames) do
  local ip = f.packet.ip
  pieces[i] = { len = ip.len, offset = ip.frag_offset, mf = ip.mf, ttl = ip.ttl }
  print(string.format("    %d bytes, offset %4d, %s", ip.len, ip.frag_offset, ip.mf and "more follow" or "the last"))
end
-- Behind the headers 1480 bytes are to be carried; (576 - 20) rounded down to eights is 552: 552 + 552 + 376.
hs.expect_equal("the router emits three fragments of at most 576 bytes", pieces, {
  { len = 572, offset = 0, mf = true, ttl = 63 },
  { len = 572, offset = 552, mf = true, ttl = 63 },
  { len = 396, offset = 1104, mf = false, ttl = 63 },
})
hs.expect_equal("it was the router who cut", { pc:counter "IpFragCreates", router:counter "IpFragCreates" }, { 0, 3 })
hs.expect("the destination rebuilds the datagram", got == data)

hs.note {
  en = "Two more headers of 20 bytes are the price of cutting: 1540 bytes on the line instead of 1500.",
  zh = "切开的代价是多出两个 20 字节的首部：线路上是 1540 字节，而不是 1500。",
}
hs.expect_equal("1540 bytes of IP on the dial-up line", pieces[1].len + pieces[2].len + pieces[3].len, 1540)

hs.note {
  en = "With DF the router may not cut. It drops the packet, and tells the sender how much would fit: ICMP 3/4, MTU 576.",
  zh = "有 DF 时路由器不能切开。它丢弃分组，并告诉发送方多大才放得下：ICMP 3/4，MTU 576。",
}
local answers = hs.frames { node = router, filter = function(p) return p.icmp end }
sock:setopt("IP_MTU_DISCOVER", 2)
sock:send(data)
hs.run "2s"
hs.expect_equal("with DF: dropped, ICMP 3/4 with the MTU of the next link",
  { #frames, #answers, answers[1].packet.icmp.type, answers[1].packet.icmp.code, answers[1].packet.icmp.mtu }, { 3, 1, 3, 4, 576 })

hs.translate("zh", {
  ["the router emits three fragments of at most 576 bytes"] = "路由器发出三个分片，每个最多 576 字节",
  ["it was the router who cut"] = "切开的是路由器",
  ["the destination rebuilds the datagram"] = "目的地重新组成数据报",
  ["1540 bytes of IP on the dial-up line"] = "拨号线路上有 1540 字节的 IP",
  ["with DF: dropped, ICMP 3/4 with the MTU of the next link"] = "有 DF：丢弃，ICMP 3/4 带有下一条链路的 MTU",
})
