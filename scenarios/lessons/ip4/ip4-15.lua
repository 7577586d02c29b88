-- IP4-15  Local broadcast.
-- The address whose host part is all ones reaches every host of that network; 255.255.255.255 means everybody on this link,
-- for hosts that do not know their network yet (RFC 919, RFC 1122 section 3.2.1.3). Both go out in a frame to
-- ff:ff:ff:ff:ff:ff, which switches pass on to all ports. Routers receive it like any host, but do not pass it on.
local hs = require "hopscope"
hs.title { en = "IP4-15 Local broadcast", zh = "IP4-15 本地广播" }

local switch, router = hs.switch "switch", hs.router "router"
local a, b, c, far = hs.host "a", hs.host "b", hs.host "c", hs.host "far"
local cable = hs.link(a, switch, { address = { a = "192.168.0.2/24" } })
hs.link(router, switch, { address = { router = "192.168.0.1/24" } })
hs.link(b, switch, { address = { b = "192.168.0.3/24" } })
hs.link(c, switch, { address = { c = "192.168.0.4/24" } })
local other = hs.link(router, far, { address = { router = "192.168.1.1/24", far = "192.168.1.2/24" } })
local sent = hs.frames { link = cable, filter = function(p) return p.from == "a" end }
local beyond = hs.frames { link = other }

local got = { b = {}, c = {}, router = {}, far = {} }
for _, host in ipairs { b, c, router, far } do
  host:udp { port = 9, on_datagram = function(data) table.insert(got[host.name], data) end }
end

hs.note {
  en = "192.168.0.255 is all ones in 192.168.0.0/24. A program must say that it means it (SO_BROADCAST), or gets EACCES.",
  zh = "192.168.0.255 在 192.168.0.0/24 中是全一。程序必须说明它确实想这样做（SO_BROADCAST），否则得到 EACCES。",
}
hs.expect_equal("the broadcast address of 192.168.0.0/24", hs.ip4.prefix "192.168.0.0/24".broadcast, "192.168.0.255")
local refused
a:spawn(function(os)
  local _, why = os.udp():sendto("by accident", "192.168.0.255", 9)
  refused = why
  local sock = os.udp { broadcast = true }
  sock:sendto("to this network", "192.168.0.255", 9)
  os.sleep "10ms"
  sock:sendto("to this link", "255.255.255.255", 9)
end)
hs.run "1s"
hs.expect_equal("without SO_BROADCAST: EACCES", refused, "EACCES")
hs.expect_equal("two frames leave a, no question for a MAC address before them", #sent, 2)
for i, frame in ipairs(sent) do
  hs.expect_equal("frame " .. i .. " goes to everybody", frame.packet.eth.dst, "ff:ff:ff:ff:ff:ff")
end

hs.note {
  en = "Everybody on the link has heard both, the router as well. Beyond the router it is quiet.",
  zh = "链路上人人都听到了两者，路由器也不例外。路由器的另一边则一片安静。",
}
for _, name in ipairs { "b", "c", "router" } do
  hs.expect_equal(name .. " receives both", got[name], { "to this network", "to this link" })
end
hs.expect_equal("far, behind the router, receives neither", got.far, {})
hs.expect_equal("no frame has crossed the other link", #beyond, 0)
hs.expect_equal("the router has forwarded nothing", router:counter "IpForwDatagrams", 0)
hs.expect_equal("it counts two broadcasts for itself", router:counter "IpExtInBcastPkts", 2)

hs.note {
  en = "A host with a narrower mask does not take 192.168.0.255 for its own broadcast: the mask decides what all ones are.",
  zh = "掩码更窄的主机不把 192.168.0.255 当作自己的广播：什么是全一，由掩码决定。",
}
hs.expect_equal("in 192.168.0.0/25 it is .127", hs.ip4.prefix "192.168.0.0/25".broadcast, "192.168.0.127")

hs.translate("zh", {
  ["the broadcast address of 192.168.0.0/24"] = "192.168.0.0/24 的广播地址",
  ["without SO_BROADCAST: EACCES"] = "没有 SO_BROADCAST：EACCES",
  ["two frames leave a, no question for a MAC address before them"] = "两个帧离开 a，之前没有询问 MAC 地址",
  ["frame {} goes to everybody"] = "帧 {} 发给所有人",
  ["b receives both"] = "b 收到两者",
  ["c receives both"] = "c 收到两者",
  ["router receives both"] = "router 收到两者",
  ["far, behind the router, receives neither"] = "路由器后面的 far 两者都没有收到",
  ["no frame has crossed the other link"] = "没有帧经过另一条链路",
  ["the router has forwarded nothing"] = "路由器什么也没有转发",
  ["it counts two broadcasts for itself"] = "它计入两个给自己的广播",
  ["in 192.168.0.0/25 it is .127"] = "在 192.168.0.0/25 中是 .127",
})
