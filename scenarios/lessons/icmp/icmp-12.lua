-- ICMP-12  11 time exceeded.
-- Every router takes one from the TTL of a packet. The router that would have to pass on a TTL of zero drops the packet and tells
-- its source: time exceeded, type 11 code 0 (RFC 792, RFC 1812 5.3.1). So a packet in a routing loop dies, and somebody hears of
-- it. Of a packet in fragments only the first draws the message (RFC 1122 3.2.2): one datagram, one complaint.
local hs = require "hopscope"
hs.title { en = "ICMP-12 11 time exceeded", zh = "ICMP-12 11 超时" }

local a, b = hs.host "a", hs.host "b"
local r = { hs.router "r1", hs.router "r2", hs.router "r3" }
local first = hs.link(a, r[1])
hs.link(r[1], r[2])
hs.link(r[2], r[3])
hs.link(r[3], b)
local errors = hs.frames { node = a, on = "rx", filter = function(p) return p.icmp and p.icmp.type == 11 end }
local dropped = hs.frames { on = "drop" }
local ping

for ttl = 1, 3 do
  hs.note({ en = "a pings b over three routers with a TTL of %s.", zh = "a 隔着三台路由器 ping b，TTL 为 %s。" }, ttl)
  a:spawn(function(os) ping = os.ping("b", { count = 1, ttl = ttl, timeout = "1s" }) end)
  hs.run "2s"
  print("    " .. ping.lines[2])
  local drop, e = dropped[ttl], errors[ttl].packet
  hs.expect_equal("TTL " .. ttl .. ": router " .. ttl .. " drops it", { #dropped, drop.node, drop.reason }, { ttl, "r" .. ttl, "TTL exceeded" })
  hs.expect_equal("TTL " .. ttl .. ": time exceeded, code 0, from that router", { #errors, e.icmp.code, e.ip.src },
    { ttl, 0, r[ttl]:addr "eth0" })
  hs.expect_equal("TTL " .. ttl .. ": the message quotes the header, with the TTL used up",
    { e.quoted.ip.src, e.quoted.ip.dst, e.quoted.ip.ttl, e.quoted.icmp.type }, { a:addr(), b:addr(), 1, 8 })
end

hs.note { en = "A TTL of 4 is enough for three routers.", zh = "TTL 为 4 对三台路由器就够了。" }
a:spawn(function(os) ping = os.ping("b", { count = 1, ttl = 4 }) end)
hs.run "2s"
hs.expect_equal("the ping with TTL 4 is answered", { ping.received, #errors }, { 1, 3 })

hs.note {
  en = "A datagram of 4000 bytes leaves a in three fragments, each with a TTL of 1. All three die at r1.",
  zh = "一个 4000 字节的数据报分成三片离开 a，各片的 TTL 都是 1。三片都死在 r1。",
}
local fragments = hs.frames { link = first, filter = function(p, e) return e.node == "a" and p.ip and p.ip.proto == 17 end }
a:udp():sendto(hs.payload(4000), "b", 9, { ttl = 1 })
hs.run "2s"
hs.expect_equal("three fragments", #fragments, 3)
hs.expect_equal("all three are dropped by r1", { #dropped, dropped[4].node, dropped[5].node, dropped[6].node }, { 6, "r1", "r1", "r1" })
hs.expect_equal("one message comes back, about the first fragment", { #errors, errors[4].packet.quoted.ip.frag_offset }, { 4, 0 })

hs.translate("zh", {
  ["TTL {}: router {} drops it"] = "TTL {}：路由器 {} 丢弃它",
  ["TTL {}: time exceeded, code {}, from that router"] = "TTL {}：超时，代码 {}，来自那台路由器",
  ["TTL {}: the message quotes the header, with the TTL used up"] = "TTL {}：报文引用了首部，TTL 已用尽",
  ["the ping with TTL 4 is answered"] = "TTL 为 4 的 ping 得到应答",
  ["three fragments"] = "三个分片",
  ["all three are dropped by r1"] = "三个都被 r1 丢弃",
  ["one message comes back, about the first fragment"] = "回来一个报文，关于第一个分片",
})
