-- SW-07  Switch is invisible to IP.
-- Switches hand frames on as they are: no TTL is lowered, no address of a switch appears anywhere, because its ports have
-- none that a host could speak to. Traceroute finds what lowers the TTL, so it finds routers and no switches, however many
-- there are on the way. (The management address that a real switch may have is a host inside it, and takes no part.)
local hs = require "hopscope"
hs.title { en = "SW-07 Switch is invisible to IP", zh = "SW-07 IP 看不见交换机" }

--   a ── s1 ── s2 ── router ── s3 ── b
--              └── n
local a, n, b = hs.host "a", hs.host "n", hs.host "b"
local router = hs.router "router"
local switches = { hs.switch "s1", hs.switch "s2", hs.switch "s3" }
local s1, s2, s3 = table.unpack(switches)
for _, ends in ipairs { { a, s1 }, { s1, s2 }, { s2, n }, { s2, router }, { router, s3 }, { s3, b } } do
  hs.link(ends[1], ends[2], { rate = "100Mbps", delay = "10us" })
end

local spoke = {}
hs.on("frame.tx", function(e)
  spoke[e.packet.eth.src], spoke[e.packet.eth.dst] = true, true
end)
-- An observer must be there before the first frame; TTLs are noted where b and n receive.
local ttl = {}
hs.on("frame.rx", function(e)
  if e.packet.icmp and e.packet.icmp.type == 8 then ttl[e.node] = e.packet.ip.ttl end
end)

hs.note {
  en = "a pings its neighbour n. Two switches stand between them, and the TTL arrives as it left: 64.",
  zh = "a ping 它的邻居 n。两台交换机在它们之间，而 TTL 到达时与离开时一样：64。",
}
a:ping("n", { count = 1 })
hs.expect_equal("the TTL at n is still 64", ttl.n, 64)

hs.note {
  en = "a pings b, behind three switches and one router. Only the router has lowered the TTL.",
  zh = "a ping b，中间有三台交换机和一台路由器。只有路由器减小了 TTL。",
}
a:ping("b", { count = 1 })
hs.expect_equal("before the router 64", ttl.router, 64)
hs.expect_equal("at b 63: one router, whatever the switches", ttl.b, 63)
hs.expect_equal("the subnet of a contains n and the router: for IP they are next to each other", a:route_get("n").via, nil)

hs.note {
  en = "Traceroute lists the router and the destination. It has no way to see a switch.",
  zh = "traceroute 列出路由器和目的地。它没有办法看见交换机。",
}
local trace = a:traceroute "b"
for _, line in ipairs(trace.lines) do hs.log(line) end
hs.expect("b is reached", trace.reached)
hs.expect_equal("one hop before b itself", #trace.hops, 2)
hs.expect_equal("which is the router", trace.hops[1].address, router:addr "eth0")

hs.note {
  en = "All the MAC addresses that were seen in any frame belong to hosts and router.",
  zh = "在任何帧里见到的所有 MAC 地址都属于主机和路由器。",
}
local known = { ["ff:ff:ff:ff:ff:ff"] = true }
for _, host in ipairs { a, n, b, router } do
  for _, dev in ipairs(host:devs()) do known[dev.mac] = true end
end
local strangers = {}
for mac in pairs(spoke) do
  if not known[mac] then table.insert(strangers, mac) end
end
hs.expect_equal("no frame came from or went to a switch", strangers, {})
for _, s in ipairs(switches) do
  hs.expect("the address of " .. s.name .. " was never used", not spoke[s.mac])
end

hs.translate("zh", {
  ["the TTL at n is still 64"] = "在 n 处 TTL 仍是 64",
  ["before the router 64"] = "在路由器之前是 64",
  ["at b 63: one router, whatever the switches"] = "在 b 处是 63：一台路由器，不论有多少交换机",
  ["the subnet of a contains n and the router: for IP they are next to each other"] = "a 的子网包含 n 和路由器：对 IP 来说它们彼此相邻",
  ["b is reached"] = "到达 b",
  ["one hop before b itself"] = "在 b 之前有一跳",
  ["which is the router"] = "那就是路由器",
  ["no frame came from or went to a switch"] = "没有帧来自或发往交换机",
  ["the address of s1 was never used"] = "s1 的地址从未使用",
  ["the address of s2 was never used"] = "s2 的地址从未使用",
  ["the address of s3 was never used"] = "s3 的地址从未使用",
})
