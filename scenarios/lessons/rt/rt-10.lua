-- RT-10  Routing loop and late duplicates.
-- When a link fails or comes back, routers learn of it one after another. Until all agree, each may point to the next in a
-- circle, and a packet goes round and round. The TTL ends that: one off at each router, and at zero the packet is dropped with
-- ICMP 11/0 (RFC 1812 5.3.1, RFC 792). If the loop is healed before, the packet escapes and arrives late, perhaps after a copy
-- of itself that the sender has sent meanwhile because it heard nothing.
-- tshark-allow: D-SACK (the receiver tells of what came twice)
local hs = require "hopscope"
hs.title { en = "RT-10 Routing loop and late duplicates", zh = "RT-10 路由环路与迟到的副本" }

local a, b = hs.host "a", hs.host "b"
local r1, r2, r3 = hs.router "r1", hs.router "r2", hs.router "r3"
hs.link(a, r1, { delay = "1ms", subnet = "10.0.1.0/24" })
hs.link(r1, b, { delay = "1ms", subnet = "10.0.2.0/24" })
-- Serial lines between the routers: no MAC addresses, so no ARP. 10 ms each, once round is 30 ms.
hs.link(r1, r2, { kind = "ppp", delay = "10ms", address = { r1 = "10.0.12.1/24", r2 = "10.0.12.2/24" } })
hs.link(r2, r3, { kind = "ppp", delay = "10ms", address = { r2 = "10.0.23.2/24", r3 = "10.0.23.3/24" } })
hs.link(r3, r1, { kind = "ppp", delay = "10ms", address = { r3 = "10.0.31.3/24", r1 = "10.0.31.1/24" } })
a:ping("b", { count = 1 }) -- fills the ARP caches of a, r1 and b
hs.run_until "1s"

hs.note {
  en = "1 s: for b the routers point to each other in a circle: r1 to r2, r2 to r3, r3 to r1. Host a sends one datagram to b.",
  zh = "1 s：对于 b，路由器们指向一个圈：r1 到 r2，r2 到 r3，r3 到 r1。主机 a 向 b 发送一个数据报。",
}
local wrong = { to = b:addr() .. "/32", via = "10.0.12.2" }
r1:route(wrong)
r2:route { to = b:addr() .. "/32", via = "10.0.23.3" }
r3:route { to = b:addr() .. "/32", via = "10.0.31.1" }

local got = {}
b:udp { port = 9, on_datagram = function(data) got[#got + 1] = { data = data, time = hs.now() } end }
local copies = hs.frames { filter = function(p) return p.udp end }
local drops = hs.frames { on = "drop", filter = function(p) return p.udp end }
local errors = hs.frames { node = r1, filter = function(p) return p.icmp and p.icmp.type == 11 end }
local sock = a:udp()
sock:sendto("lost in the circle", b, 9)
hs.run_until "3s"

hs.note({
  en = "It crossed %d links, with TTLs from %d to %d, and %s dropped it after %.0f ms.",
  zh = "它经过了 %d 条链路，TTL 从 %d 到 %d，%s 在 %.0f ms 之后丢弃了它。",
}, #copies, copies[1].packet.ip.ttl, copies[#copies].packet.ip.ttl, drops[1].node, (drops[1].time - 1) * 1e3)
-- a sends it with 64. It dies at the router to which it comes with 1: the 64th. 63 lines of 10 ms lie behind the first router;
-- 63 is 21 rounds of 3, so the 64th router is r1 again.
hs.expect_equal("the packet is sent 64 times, once for each of its TTL", #copies, 64)
local ttls, want = {}, {}
for i, f in ipairs(copies) do ttls[i], want[i] = f.packet.ip.ttl, 65 - i end
hs.expect_equal("the TTL falls by one on each link, from 64 to 1", ttls, want)
hs.expect_equal("it is dropped by r1, the 64th router", { #drops, drops[1].node, drops[1].reason }, { 1, "r1", "TTL exceeded" })
hs.expect_near("after 1 ms and 21 rounds of 30 ms", drops[1].time, 1 + 0.001 + 0.630, "1ns")
hs.expect_equal("a is told: ICMP 11/0 from r1 about its datagram",
  { #errors, errors[1].packet.icmp.type, errors[1].packet.icmp.code, errors[1].packet.ip.dst, errors[1].packet.quoted.ip.dst },
  { 1, 11, 0, a:addr(), b:addr() })
hs.expect_equal("b has got nothing", #got, 0)

hs.note {
  en = "3 s: once more, but now the loop is healed in time. Host a sends datagram 1. It goes round, and round again …",
  zh = "3 s：再来一次，但这次环路及时修好。主机 a 发送数据报 1。它转了一圈，又转一圈……",
}
sock:sendto("1 first copy", b, 9)
hs.at("3.095s", function()
  hs.note {
    en = "3.095 s: r1 has learnt the right way. At the same moment a loses patience and sends datagram 1 again.",
    zh = "3.095 s：r1 学到了正确的路。同一时刻 a 失去耐心，又发送了一次数据报 1。",
  }
  r1:route_del(wrong)
  sock:sendto("1 second copy", b, 9)
end)
hs.run_until "5s"

for _, g in ipairs(got) do print(string.format("    %.3f s  b receives: %s", g.time, g.data)) end
-- The second copy: 3.095 s + 1 ms + 1 ms. The first was at r1 at 3.001, 3.031, 3.061 and 3.091 s, and comes by again at 3.121 s.
hs.expect_equal("both copies arrive, the second one first", { got[1].data, got[2].data }, { "1 second copy", "1 first copy" })
hs.expect_near("the second copy needs 2 ms", got[1].time, 3.097, "1ns")
hs.expect_near("the first escapes at r1 at 3.121 s and is 1 ms later at b", got[2].time, 3.122, "1ns")

local seen, taken = {}, 0
for _, g in ipairs(got) do
  local number = g.data:match "^%d+"
  if not seen[number] then taken = taken + 1 end
  seen[number] = true
end
hs.note {
  en = "IP and UDP do not mind duplicates: the receiver itself must know a late copy by its number, as TCP does by the sequence number.",
  zh = "IP 和 UDP 不在乎重复：接收方自己必须从编号认出迟到的副本，就像 TCP 凭序号所做的那样。",
}
hs.expect_equal("by its number the receiver knows the late copy and takes only one", taken, 1)

hs.note {
  en = "The same with TCP: a segment circles, TCP sends it again, the loop is healed, and the late copy arrives behind its repetition.",
  zh = "换成 TCP：一个报文段在兜圈子，TCP 再发送一次，环路修好，迟到的副本在重传的后面到达。",
}
local text
b:spawn(function(os)
  local conn = os.tcp():bind(5678):listen(1):accept()
  text = conn:read()
  os.sleep "1s"
  text = text .. (conn:read(100, "10ms") or "")
end)
local copies_at_b = hs.frames { node = b, on = "rx", filter = function(p) return p.tcp and p.tcp.len > 0 end }
local sock_info
a:spawn(function(os)
  local conn = os.tcp():connect("b", 5678)
  r1:route(wrong) -- the loop is there again, as the data leaves
  conn:write "exactly once"
  hs.after("220ms", function() r1:route_del(wrong) end)
  os.sleep "1s"
  sock_info = conn:info()
end)
local old = b:counter "TcpExtDelayedACKLost"
hs.run "3s"
-- TCP repeats after some 200 ms; both copies then circle until r1 knows the way.
hs.expect_equal("two copies of the segment reached b", #copies_at_b, 2)
hs.expect_equal("with the same sequence number", copies_at_b[1].packet.tcp.seq, copies_at_b[2].packet.tcp.seq)
hs.expect_equal("TCP counted the late one as old data, and threw it away", b:counter "TcpExtDelayedACKLost" - old, 1)
hs.expect_equal("the application has read the bytes once", text, "exactly once")

hs.translate("zh", {
  ["the packet is sent 64 times, once for each of its TTL"] = "分组发送 64 次，每个 TTL 值一次",
  ["the TTL falls by one on each link, from 64 to 1"] = "TTL 在每条链路上减一，从 64 到 1",
  ["it is dropped by r1, the 64th router"] = "它被 r1 丢弃，即第 64 台路由器",
  ["after 1 ms and 21 rounds of 30 ms"] = "在 1 ms 和 21 圈 30 ms 之后",
  ["a is told: ICMP 11/0 from r1 about its datagram"] = "a 得知：来自 r1 的 ICMP 11/0，关于它的数据报",
  ["b has got nothing"] = "b 什么也没有得到",
  ["both copies arrive, the second one first"] = "两份副本都到达，第二份在先",
  ["the second copy needs 2 ms"] = "第二份需要 2 ms",
  ["the first escapes at r1 at 3.121 s and is 1 ms later at b"] = "第一份在 3.121 s 从 r1 脱身，1 ms 之后到达 b",
  ["by its number the receiver knows the late copy and takes only one"] = "接收方凭编号认出迟到的副本，只收一份",
  ["two copies of the segment reached b"] = "报文段的两份副本到达 b",
  ["with the same sequence number"] = "序号相同",
  ["TCP counted the late one as old data, and threw it away"] = "TCP 把迟到的计作旧数据，丢弃了它",
  ["the application has read the bytes once"] = "应用程序只读到这些字节一次",
})
