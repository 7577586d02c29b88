-- HOST-06  Deliver or forward.
-- When a packet has come in, IP asks its routing table: is the destination one of my own addresses? Then it goes up, whichever
-- interface it came by. If not, a router sends it on, with a TTL lower by one (RFC 1812 section 5.2.1); a host drops it (RFC
-- 1122 section 3.3.4.2). In Linux the difference is one setting, net.ipv4.ip_forward.
local hs = require "hopscope"
hs.title { en = "HOST-06 Deliver or forward", zh = "HOST-06 交付还是转发" }

local a, middle, b = hs.host "a", hs.host "middle", hs.host "b"
hs.link(a, middle, { rate = "100Mbps", delay = "1ms", subnet = "10.1.0.0/24" })
hs.link(middle, b, { rate = "100Mbps", delay = "1ms", subnet = "10.2.0.0/24" })
hs.prepare()
a:route { to = "default", via = middle:addr "eth0" }
b:route { to = "default", via = middle:addr "eth1" }

local got = {}
b:udp { port = 4242, on_datagram = function(data, _, _, info) table.insert(got, { data = data, ttl = info.ttl }) end }
local at_middle = 0
middle:udp { port = 4242, on_datagram = function() at_middle = at_middle + 1 end }
local decisions = {}
hs.on("ip.*", function(e) if e.probe ~= "ip.rcv" then table.insert(decisions, e.probe) end end, { node = middle })
local drops = hs.frames { node = middle, on = "drop" }
local sock = a:udp()

hs.note {
  en = "a sends a datagram to an address of middle: IP delivers it to UDP. It does not matter that it is the address of the far interface.",
  zh = "a 向 middle 的一个地址发送数据报：IP 把它交给 UDP。它是远端接口的地址，这没有关系。",
}
sock:sendto("for you", middle:addr "eth1", 4242)
hs.run "20ms"
hs.expect_equal("the packet for middle was delivered", { at_middle, decisions }, { 1, { "ip.local_deliver" } })

hs.note {
  en = "Now a sends one to b, by way of middle. But middle is a host: ip_forward is 0. It drops what is not for it.",
  zh = "现在 a 经过 middle 向 b 发送一个。但 middle 是主机：ip_forward 为 0。不是给它的，它就丢弃。",
}
decisions = {}
hs.expect_equal("forwarding is off", middle:sysctl "net.ipv4.ip_forward", 0)
sock:sendto("lost", b:addr(), 4242)
hs.run "20ms"
hs.expect_equal("b gets nothing", #got, 0)
hs.expect_equal("middle has dropped one packet", { #drops, drops[1].reason }, { 1, "not for this host" })
hs.expect_equal("and counted it as one with a wrong address", middle:counter "IpInAddrErrors", 1)
hs.expect_equal("it was neither delivered nor forwarded", decisions, {})

hs.note { en = "One setting makes a router of it.", zh = "一项设置就让它成为路由器。" }
middle:sysctl("net.ipv4.ip_forward", 1)
sock:sendto("passed on", b:addr(), 4242)
hs.run "20ms"
hs.expect_equal("with forwarding on it is sent on: 64 - 1 = 63", got, { { data = "passed on", ttl = 63 } })
hs.expect_equal("the decision was to forward", decisions, { "ip.forward" })
hs.expect_equal("one datagram forwarded", middle:counter "IpForwDatagrams", 1)
sock:sendto("for you", middle:addr "eth1", 4242)
hs.run "20ms"
hs.expect_equal("what is for middle is delivered as before", at_middle, 2)

hs.translate("zh", {
  ["the packet for middle was delivered"] = "给 middle 的分组被交付",
  ["forwarding is off"] = "转发是关闭的",
  ["b gets nothing"] = "b 什么也没有得到",
  ["middle has dropped one packet"] = "middle 丢弃了一个分组",
  ["and counted it as one with a wrong address"] = "并计作地址错误",
  ["it was neither delivered nor forwarded"] = "它既没有交付也没有转发",
  ["with forwarding on it is sent on: 64 - 1 = 63"] = "开启转发就送出去：64 - 1 = 63",
  ["the decision was to forward"] = "决定是转发",
  ["one datagram forwarded"] = "转发了一个数据报",
  ["what is for middle is delivered as before"] = "给 middle 的照旧交付",
})
