-- RT-03  Default route.
-- Nobody can list all networks of the world. One entry stands for all that nothing else matches: network 0.0.0.0 with mask
-- 0.0.0.0. Any address AND 0.0.0.0 is 0.0.0.0, so it matches everything; as the shortest prefix it is the last resort
-- (RFC 1122 3.3.1.1). Its gateway is the router to whom the host sends what it does not know.
local hs = require "hopscope"
hs.title { en = "RT-03 Default route", zh = "RT-03 默认路由" }
hs.auto_routes(false)

local host, neighbour = hs.host "host", hs.host "neighbour"
local switch = hs.switch "switch"
local router = hs.router "router"
local far = hs.host "far"
hs.link(host, switch, { address = { host = "192.168.0.10/24" } })
hs.link(neighbour, switch, { address = { neighbour = "192.168.0.20/24" } })
hs.link(router, switch, { address = { router = "192.168.0.1/24" }, dev = { router = "lan" } })
hs.link(router, far, { address = { router = "203.0.113.1/24", far = "203.0.113.9/24" } })
far:route { to = "default", via = "203.0.113.1" }

hs.note {
  en = "The host knows its own subnet and nothing else. 203.0.113.9 is not in it: the packet is not even sent.",
  zh = "主机只知道自己的子网，别无其他。203.0.113.9 不在其中：分组根本没有发出。",
}
local before, why = host:ping("203.0.113.9", { count = 1 })
hs.expect_equal("without a default route the network is unreachable", { before, why }, { nil, "ENETUNREACH" })

host:route { to = "0.0.0.0/0", via = "192.168.0.1" }
hs.note { en = "Now with the default route. The table, as the host prints it:", zh = "现在有了默认路由。这是主机打印的路由表：" }
for _, r in ipairs(host:routes()) do
  if r.type == "unicast" then
    print(string.format("    %-16s dev %s  %s", r.to, r.dev, r.via and "via " .. r.via or "on this link"))
  end
end
local default
for _, r in ipairs(host:routes()) do
  if r.to == "default" then default = r end
end
hs.expect_equal("0.0.0.0 with mask 0.0.0.0 is called the default route", default and default.via, "192.168.0.1")

local pings = hs.frames { node = host, filter = function(p) return p.icmp and p.icmp.type == 8 end }
hs.expect_equal("the unknown destination answers", host:ping("203.0.113.9", { count = 1 }).received, 1)
hs.expect_equal("the neighbour answers", host:ping("192.168.0.20", { count = 1 }).received, 1)

hs.note {
  en = "Two pings: look at the MAC addresses. The unknown destination goes to the gateway, the neighbour is reached directly.",
  zh = "两次 ping：请看 MAC 地址。未知的目的地交给网关，邻居则直接到达。",
}
pings:print()
hs.expect_equal("the unknown destination leaves to the default gateway",
  { pings[1].packet.ip.dst, pings[1].packet.eth.dst }, { "203.0.113.9", router:dev("lan").mac })
hs.expect_equal("what the table knows better does not",
  { pings[2].packet.ip.dst, pings[2].packet.eth.dst }, { "192.168.0.20", neighbour:dev().mac })
for _, address in ipairs { "1.2.3.4", "8.8.8.8", "223.255.255.254" } do
  hs.expect_equal(address .. " goes the same way", host:route_get(address).via, "192.168.0.1")
end

hs.translate("zh", {
  ["without a default route the network is unreachable"] = "没有默认路由，网络就不可达",
  ["0.0.0.0 with mask 0.0.0.0 is called the default route"] = "掩码为 0.0.0.0 的 0.0.0.0 称为默认路由",
  ["the unknown destination answers"] = "未知的目的地应答",
  ["the neighbour answers"] = "邻居应答",
  ["the unknown destination leaves to the default gateway"] = "去往未知目的地的分组交给默认网关",
  ["what the table knows better does not"] = "路由表更清楚的则不",
  ["{}.{} goes the same way"] = "{}.{} 也走同一条路",
})
