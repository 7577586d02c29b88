-- RT-08  A router port is a host-like endpoint.
-- A switch port has no address; a router's port has a MAC and an IP address like a host's card, and can be pinged. Most small
-- routers have a switch built in: the sockets labelled LAN are ports of that switch, and one invisible port of the router
-- is plugged into it. What two of the LAN sockets exchange never reaches the router proper: no TTL is lowered.
local hs = require "hopscope"
hs.title { en = "RT-08 A router port is a host-like endpoint", zh = "RT-08 路由器的端口如同一台主机" }

local pc, tv, outside = hs.host "pc", hs.host "tv", hs.host "outside"
-- The box at home: a router and a switch in one case.
local router, lan = hs.router "router", hs.switch "lan"
hs.link(router, lan, { dev = { router = "lan0" }, address = { router = "192.168.0.1/24" } })
hs.link(router, outside, { dev = { router = "wan0" }, address = { router = "203.0.113.7/24", outside = "203.0.113.1/24" } })
hs.link(pc, lan, { address = { pc = "192.168.0.10/24" } })
hs.link(tv, lan, { address = { tv = "192.168.0.20/24" } })

hs.note { en = "Each port of the router has both addresses:", zh = "路由器的每个端口都有两种地址：" }
for _, a in ipairs(router:addresses()) do
  print(string.format("    %s  %s  %s", a.dev, router:dev(a.dev).mac, a.address))
end
hs.expect_equal("the router has two IP addresses, one on each port", router:addresses(),
  { { dev = "lan0", address = "192.168.0.1/24" }, { dev = "wan0", address = "203.0.113.7/24" } })
hs.expect("and two MAC addresses", router:dev("lan0").mac ~= router:dev("wan0").mac)

hs.note {
  en = "The PC pings the port on its own side, then the one on the far side. Both answer, as any host would.",
  zh = "PC 先 ping 自己这一侧的端口，再 ping 远的那一侧。两者都应答，就像任何主机一样。",
}
for _, address in ipairs { "192.168.0.1", "203.0.113.7" } do
  local ping = pc:ping(address, { count = 1 })
  hs.expect_equal("ping to the port address " .. address .. " is answered by it", { ping.received, ping.replies[1].from }, { 1, address })
  hs.expect_equal("the answer of " .. address .. " has passed no router: TTL 64", ping.replies[1].ttl, 64)
end
local from_outside = outside:ping("203.0.113.7", { count = 1 })
hs.expect_equal("the outer port answers to the other side too", from_outside.received, 1)

hs.note {
  en = "Now PC and TV, both on LAN sockets. The switch passes their frames on; the router's port does not get them.",
  zh = "现在是 PC 和 TV，都插在 LAN 插口上。交换机把它们的帧传过去；路由器的端口收不到。",
}
local seen = hs.frames { filter = function(p) return p.icmp end }
local received, forwarded = router:counter "IpInReceives", router:counter "IpForwDatagrams"
local ping = pc:ping("tv", { count = 1 })
seen:print()
hs.expect_equal("the TV answers", ping.received, 1)
hs.expect_equal("with a TTL of 64: nothing has changed it", ping.replies[1].ttl, 64)
hs.expect_equal("all four frames carry TTL 64, and the MAC addresses of PC and TV",
  seen:count(function(p)
    local ends = p.eth.src == pc:dev().mac and p.eth.dst == tv:dev().mac or p.eth.src == tv:dev().mac and p.eth.dst == pc:dev().mac
    return p.ip.ttl == 64 and ends
  end), 4)
hs.expect_equal("the router has received and forwarded nothing of it",
  { router:counter "IpInReceives", router:counter "IpForwDatagrams" }, { received, forwarded })

hs.note {
  en = "Compare a packet that leaves the house: this one the router forwards, and takes one off its TTL.",
  zh = "比较一个离开房子的分组：这一个由路由器转发，并把它的 TTL 减一。",
}
hs.expect_equal("from outside the answer arrives with TTL 63", pc:ping("outside", { count = 1 }).replies[1].ttl, 63)

hs.translate("zh", {
  ["the router has two IP addresses, one on each port"] = "路由器有两个 IP 地址，每个端口一个",
  ["and two MAC addresses"] = "还有两个 MAC 地址",
  ["ping to the port address {}.{} is answered by it"] = "对端口地址 {}.{} 的 ping 由它应答",
  ["the answer of {}.{} has passed no router: TTL {}"] = "{}.{} 的应答没有经过路由器：TTL {}",
  ["the outer port answers to the other side too"] = "外侧的端口也应答另一侧",
  ["the TV answers"] = "TV 应答",
  ["with a TTL of 64: nothing has changed it"] = "TTL 为 64：没有什么改变过它",
  ["all four frames carry TTL 64, and the MAC addresses of PC and TV"] = "四个帧的 TTL 都是 64，并带有 PC 和 TV 的 MAC 地址",
  ["the router has received and forwarded nothing of it"] = "路由器没有收到也没有转发它们",
  ["from outside the answer arrives with TTL 63"] = "从外面来的应答到达时 TTL 为 63",
})
