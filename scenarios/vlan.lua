-- Two VLANs on one switch, and a router on a stick between them.
--
--   alice 10.0.10.2 ── p1 (VLAN 10) ──┐
--   bob   10.0.10.3 ── p2 (VLAN 10) ──┤ switch p4 ═══ trunk ═══ router eth0.10 10.0.10.1
--   carol 10.0.20.2 ── p3 (VLAN 20) ──┘                                eth0.20 10.0.20.1
--
-- An access port belongs to one VLAN, and the hosts behind it know nothing of it. The trunk carries both, each frame
-- with an 802.1Q tag. Who wants to speak to another VLAN needs a router, even if both are on the same switch: the frame
-- then crosses the trunk twice, with another tag on the way back.
local hs = require "hopscope"

local alice, bob, carol = hs.host "alice", hs.host "bob", hs.host "carol"
local switch, router = hs.switch "switch", hs.router "router"

local function plug(host, address)
  return hs.link(host, switch, { rate = "100Mbps", delay = "1us", address = { [host.name] = address } })
end
plug(alice, "10.0.10.2/24")
plug(bob, "10.0.10.3/24")
plug(carol, "10.0.20.2/24")
local stick = plug(router, false)
hs.auto_routes(false)

switch:port(alice):access(10)
switch:port(bob):access(10)
switch:port(carol):access(20)
switch:port(router):trunk { vlans = { 10, 20 }, native = 0 }
local card = router:dev "eth0"
card:vlan(10)
card:vlan(20)
router:address("eth0.10", "10.0.10.1/24")
router:address("eth0.20", "10.0.20.1/24")
for _, host in ipairs { alice, bob } do host:route { to = "default", via = "10.0.10.1" } end
carol:route { to = "default", via = "10.0.20.1" }

hs.title { en = "Two VLANs on one switch", zh = "一台交换机上的两个 VLAN" }

local trunk = hs.frames { link = stick }

hs.note {
  en = "alice asks bob: the same VLAN. Of their talk the router hears only the broadcast that asks for bob's MAC address.",
  zh = "alice 问 bob：同一个 VLAN。他们的谈话，路由器只听得到询问 bob 的 MAC 地址的那个广播。",
}
hs.expect_equal("alice reaches bob", alice:ping("bob", { count = 1 }).received, 1)
trunk:print()
hs.expect_equal("only broadcasts of VLAN 10 come over the trunk", #trunk, 1)

hs.note {
  en = "alice asks carol: another VLAN. The router takes the tag 10 off, decides, and puts the tag 20 on.",
  zh = "alice 问 carol：另一个 VLAN。路由器取下标签 10，作出决定，再加上标签 20。",
}
local ping = alice:ping("carol", { count = 1 })
trunk:print()
hs.expect_equal("carol is reached through the router", { ping.received, ping.replies[1].ttl }, { 1, 63 })
hs.expect_equal("the router forwarded there and back", router:counter "IpForwDatagrams", 2)

local vlans = {}
for _, frame in ipairs(trunk) do
  local tag = frame.packet.vlan
  if frame.packet.icmp then vlans[#vlans + 1] = tag and tag.vid end
end
hs.expect_equal("the request crosses the trunk in VLAN 10 and 20, the reply in 20 and 10", vlans, { 10, 20, 20, 10 })

hs.note {
  en = "Without the router's second interface there is no way across, although carol's cable ends in the same switch.",
  zh = "没有路由器的第二个接口就没有通路，尽管 carol 的电缆也插在同一台交换机上。",
}
router:dev("eth0.20"):down()
hs.expect_equal("carol is out of reach", alice:ping("carol", { count = 1, timeout = "1s" }).received, 0)

hs.translate("zh", {
  ["alice reaches bob"] = "alice 能到达 bob",
  ["only broadcasts of VLAN 10 come over the trunk"] = "只有 VLAN 10 的广播经过干线",
  ["carol is reached through the router"] = "经路由器到达 carol",
  ["the router forwarded there and back"] = "路由器往返都做了转发",
  ["the request crosses the trunk in VLAN 10 and 20, the reply in 20 and 10"] = "请求在 VLAN 10 和 20 中经过干线，应答在 20 和 10 中",
  ["carol is out of reach"] = "carol 无法到达",
})
