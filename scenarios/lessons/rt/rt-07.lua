-- RT-07  Worked three-step example.
-- Three lookups bring a packet from 10.1.1.30 to 10.1.2.10, and each looks one step ahead only:
--   1. the host has nothing better than its default route: to router 1 (10.1.1.1);
--   2. router 1 finds 10.1.2.0/24 in its table: to router 2, at 10.1.0.2;
--   3. router 2 has a port of its own in that network, 10.1.2.1: the destination is on that link.
local hs = require "hopscope"
hs.title { en = "RT-07 Worked three-step example", zh = "RT-07 三步推演的例子" }
hs.auto_routes(false)

local host, r1, r2, target = hs.host "host", hs.router "r1", hs.router "r2", hs.host "target"
hs.link(host, r1, { delay = "1ms", address = { host = "10.1.1.30/24", r1 = "10.1.1.1/24" } })
hs.link(r1, r2, { delay = "1ms", address = { r1 = "10.1.0.1/24", r2 = "10.1.0.2/24" } })
hs.link(r2, target, { delay = "1ms", address = { r2 = "10.1.2.1/24", target = "10.1.2.10/24" } })
host:route { to = "default", via = "10.1.1.1" }
r1:route { to = "10.1.2.0/24", via = "10.1.0.2" }
r2:route { to = "10.1.1.0/24", via = "10.1.0.1" }
target:route { to = "default", via = "10.1.2.1" }

hs.note { en = "Each station is asked where it would send a packet for 10.1.2.10.", zh = "逐个问各个站点：它会把给 10.1.2.10 的分组发往哪里。" }
for _, h in ipairs { host, r1, r2 } do
  local way = h:route_get "10.1.2.10"
  print(string.format("    %-4s  %s", h.name, way.via and "to the router " .. way.via or "it is on the link of my port " .. way.src))
end
hs.expect_equal("step 1: by the default route to router 1", host:route_get("10.1.2.10").via, "10.1.1.1")
hs.expect_equal("step 2: by a match to 10.1.0.2", r1:route_get("10.1.2.10").via, "10.1.0.2")
hs.expect_equal("step 3: by the connected port 10.1.2.1, without a gateway",
  { r2:route_get("10.1.2.10").via, r2:route_get("10.1.2.10").src }, { nil, "10.1.2.1" })

hs.note { en = "traceroute shows the same from outside: who answers on the way.", zh = "traceroute 从外面看到同样的结果：途中有谁应答。" }
local trace = host:traceroute("10.1.2.10", { print = true })
local hops = {}
for i, hop in ipairs(trace.hops) do hops[i] = hop.address end
hs.expect_equal("the hop list: router 1, router 2, the destination", hops, { "10.1.1.1", "10.1.0.2", "10.1.2.10" })

hs.note {
  en = "A ping: the reply takes the reverse path, because each station on it knows the way back.",
  zh = "一次 ping：应答走相反的路径，因为路上的每个站点都知道回去的路。",
}
local seen = hs.frames { filter = function(p) return p.icmp end }
hs.expect_equal("the ping is answered", host:ping("10.1.2.10", { count = 1 }).received, 1)
local path = {}
for i, f in ipairs(seen) do path[i] = f.from .. ">" .. f.to end
hs.expect_equal("there and back over the same links", path,
  { "host>r1", "r1>r2", "r2>target", "target>r2", "r2>r1", "r1>host" })

hs.note {
  en = "Take one entry away, router 2's way back, and the ping still arrives, but its answer does not.",
  zh = "拿走一个表项，即路由器 2 回去的路，ping 仍能到达，它的应答却不能。",
}
r2:route_del { to = "10.1.1.0/24", via = "10.1.0.1" }
local arrived = target:counter "IcmpInEchos"
hs.expect_equal("no answer", host:ping("10.1.2.10", { count = 1, timeout = "1s" }).received, 0)
hs.expect_equal("though the request has arrived", target:counter "IcmpInEchos", arrived + 1)

hs.translate("zh", {
  ["step 1: by the default route to router 1"] = "第 1 步：按默认路由到路由器 1",
  ["step 2: by a match to 10.1.0.2"] = "第 2 步：按匹配到 10.1.0.2",
  ["step 3: by the connected port 10.1.2.1, without a gateway"] = "第 3 步：经相连的端口 10.1.2.1，没有网关",
  ["the hop list: router 1, router 2, the destination"] = "各跳的列表：路由器 1、路由器 2、目的地",
  ["the ping is answered"] = "ping 得到应答",
  ["there and back over the same links"] = "去程和回程经过同样的链路",
  ["no answer"] = "没有应答",
  ["though the request has arrived"] = "尽管请求到达了",
})
