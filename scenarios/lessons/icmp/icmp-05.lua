-- ICMP-05  3/0 network unreachable.
-- A router looks up the destination of every packet. If no entry matches and there is no default route, it does not know where to
-- send it: it drops the packet and tells the source "network unreachable", type 3 code 0 (RFC 792, RFC 1812 4.3.3.1). A default
-- route matches everything, so a router that has one never says this.
local hs = require "hopscope"
hs.title { en = "ICMP-05 3/0 network unreachable", zh = "ICMP-05 3/0 网络不可达" }

hs.auto_routes(false)
local a, r, up, far = hs.host "a", hs.router "r", hs.router "up", hs.host "far"
hs.link(a, r, { subnet = "10.0.1.0/24" })
hs.link(r, up, { subnet = "10.0.2.0/24" })
hs.link(up, far, { subnet = "172.16.0.0/24", address = { far = "172.16.0.2/24" } })
a:route { to = "default", via = r:addr "eth0" }
up:route { to = "10.0.1.0/24", via = r:addr "eth1" }
far:route { to = "default", via = up:addr "eth1" }

local dropped = hs.frames { node = r, on = "drop" }
local errors = hs.frames { node = a, on = "rx", filter = function(p) return p.icmp and p.icmp.type == 3 end }
local ping
local function try()
  a:spawn(function(os) ping = os.ping("172.16.0.2", { count = 1, timeout = "1s", print = true }) end)
  hs.run "2s"
end

hs.note { en = "The router r knows its own two links only. a pings 172.16.0.2.", zh = "路由器 r 只知道自己的两条链路。a ping 172.16.0.2。" }
try()
hs.expect_equal("the packet is dropped by r", { #dropped, dropped[1].reason, dropped[1].packet.ip.dst }, { 1, "no route", "172.16.0.2" })
hs.expect_equal("r counts it", r:counter "IpExtInNoRoutes", 1)
hs.expect_equal("the sender gets network unreachable", { errors[1].packet.icmp.type, errors[1].packet.icmp.code }, { 3, 0 })
hs.expect_equal("from r", errors[1].packet.ip.src, r:addr "eth0")
hs.expect_equal("about its own packet", { errors[1].packet.quoted.ip.dst, errors[1].packet.quoted.icmp.type }, { "172.16.0.2", 8 })
hs.expect_equal("and no answer", { ping.received, ping.errors }, { 0, 1 })

hs.note {
  en = "Now r gets a default route, to the router \"up\", which knows 172.16.0.0/24.",
  zh = "现在 r 得到一条默认路由，指向路由器“up”，后者知道 172.16.0.0/24。",
}
r:route { to = "default", via = up:addr "eth0" }
try()
hs.expect_equal("with a default route the ping is answered", { ping.received, ping.errors }, { 1, 0 })

hs.note {
  en = "The default route also takes what exists nowhere: r passes it on, and \"up\", which has no default, complains.",
  zh = "默认路由也接收哪里都不存在的目的地：r 把它转发出去，没有默认路由的“up”则报告差错。",
}
a:spawn(function(os) ping = os.ping("198.51.100.1", { count = 1, timeout = "1s" }) end)
hs.run "2s"
hs.expect_equal("r sent no second error", r:counter "IcmpOutDestUnreachs", 1)
hs.expect_equal("the error comes from up", { #errors, errors[2].packet.icmp.code, errors[2].packet.ip.src }, { 2, 0, up:addr "eth0" })

hs.translate("zh", {
  ["the packet is dropped by r"] = "分组被 r 丢弃",
  ["r counts it"] = "r 计了数",
  ["the sender gets network unreachable"] = "发送方得到网络不可达",
  ["from r"] = "来自 r",
  ["about its own packet"] = "说的是它自己的分组",
  ["and no answer"] = "没有应答",
  ["with a default route the ping is answered"] = "有默认路由时 ping 得到应答",
  ["r sent no second error"] = "r 没有发送第二个差错报文",
  ["the error comes from up"] = "差错报文来自 up",
})
