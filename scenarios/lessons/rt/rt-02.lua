-- RT-02  Longest prefix match.
-- A destination can match several entries of a routing table: 10.1.2.10 is in 10.1.0.0/16, in 10.1.2.0/24 and in 0.0.0.0/0.
-- The entry with the longest prefix, the most precise one, wins (RFC 1812 5.2.4.3). Where it stands in the table does not
-- matter: two hosts get the same entries in opposite order here, and choose the same.
local hs = require "hopscope"
hs.title { en = "RT-02 Longest prefix match", zh = "RT-02 最长前缀匹配" }
hs.auto_routes(false)

local one, two = hs.host "one", hs.host "two"
local switch = hs.switch "switch"
local wide, narrow = hs.router "wide", hs.router "narrow"
local target, other = hs.host "target", hs.host "other"
hs.link(one, switch, { address = { one = "192.168.0.11/24" } })
hs.link(two, switch, { address = { two = "192.168.0.12/24" } })
hs.link(wide, switch, { address = { wide = "192.168.0.1/24" } })
hs.link(narrow, switch, { address = { narrow = "192.168.0.2/24" } })
hs.link(narrow, target, { address = { narrow = "10.1.2.1/24", target = "10.1.2.10/24" } })
hs.link(wide, other, { address = { wide = "10.1.3.1/24", other = "10.1.3.10/24" } })
for _, h in ipairs { target, other } do
  h:route { to = "default", via = h == target and "10.1.2.1" or "10.1.3.1" }
end

local routes = {
  { to = "default", via = "192.168.0.1" },
  { to = "10.1.0.0/16", via = "192.168.0.1" },
  { to = "10.1.2.0/24", via = "192.168.0.2" },
}
for i = 1, 3 do
  one:route(routes[i])
  two:route(routes[4 - i])
end
hs.note {
  en = "Hosts one and two have the same three routes; one got them from the widest to the narrowest, two the other way round.",
  zh = "主机 one 和 two 有同样的三条路由；one 是从最宽到最窄得到的，two 则相反。",
}

for _, h in ipairs { one, two } do
  hs.expect_equal(h.name .. ": 10.1.2.10 matches all three; the /24 wins", h:route_get("10.1.2.10").via, "192.168.0.2")
  hs.expect_equal(h.name .. ": 10.1.3.10 matches the /16 and the default; the /16 wins", h:route_get("10.1.3.10").via, "192.168.0.1")
  hs.expect_equal(h.name .. ": one bit outside of the /16 only the default is left", h:route_get("10.2.0.1").via, "192.168.0.1")
end

hs.note {
  en = "Both ping 10.1.2.10. Look at the MAC address to which the requests go: it is that of the router called narrow.",
  zh = "两者都 ping 10.1.2.10。请看请求发往的 MAC 地址：是名为 narrow 的路由器的。",
}
local requests = hs.frames { on = "rx", filter = function(p, e) return p.icmp and p.icmp.type == 8 and e.node ~= "switch" end }
for _, h in ipairs { one, two } do
  hs.expect_equal(h.name .. " reaches 10.1.2.10", h:ping("10.1.2.10", { count = 1 }).received, 1)
end
requests:print()
local via = {}
for _, f in ipairs(requests) do via[#via + 1] = f.node end
hs.expect_equal("both requests go by the router of the /24", via, { "narrow", "target", "narrow", "target" })

hs.note {
  en = "Without the /24 the next longest prefix takes its place, and 10.1.2.10 goes to the wrong router.",
  zh = "没有 /24 时，次长的前缀取代它的位置，10.1.2.10 就去了错误的路由器。",
}
two:route_del(routes[3])
hs.expect_equal("without the /24 the /16 is used", two:route_get("10.1.2.10").via, "192.168.0.1")

hs.translate("zh", {
  ["one: 10.1.2.10 matches all three; the /24 wins"] = "one：10.1.2.10 匹配全部三条；/24 胜出",
  ["one: 10.1.3.10 matches the /16 and the default; the /16 wins"] = "one：10.1.3.10 匹配 /16 和默认路由；/16 胜出",
  ["one: one bit outside of the /16 only the default is left"] = "one：/16 之外差一个比特，就只剩默认路由",
  ["two: 10.1.2.10 matches all three; the /24 wins"] = "two：10.1.2.10 匹配全部三条；/24 胜出",
  ["two: 10.1.3.10 matches the /16 and the default; the /16 wins"] = "two：10.1.3.10 匹配 /16 和默认路由；/16 胜出",
  ["two: one bit outside of the /16 only the default is left"] = "two：/16 之外差一个比特，就只剩默认路由",
  ["one reaches 10.1.2.10"] = "one 到达 10.1.2.10",
  ["two reaches 10.1.2.10"] = "two 到达 10.1.2.10",
  ["both requests go by the router of the /24"] = "两个请求都走 /24 的路由器",
  ["without the /24 the /16 is used"] = "没有 /24 就用 /16",
})
