-- IP4-16  Directed broadcast.
-- A packet from elsewhere to a network's broadcast address crosses the routers as an ordinary one; only the last router sees
-- that it means everybody. It was used to flood networks (one ping, an answer from each host: "smurf"), so since RFC
-- 2644 that router drops it. The Linux switch net.ipv4.conf.all.bc_forwarding lets it through again.
local hs = require "hopscope"
hs.title { en = "IP4-16 Directed broadcast", zh = "IP4-16 定向广播" }

local router, switch, sender = hs.router "router", hs.switch "switch", hs.host "sender"
hs.link(sender, router, { subnet = "192.168.0.0/24" })
local uplink = hs.link(router, switch, { address = { router = "192.168.1.1/24" } })
local hosts, got = {}, {}
for i, number in ipairs { 2, 3, 254 } do
  local host = hs.host("h" .. number)
  hosts[i] = host
  hs.link(host, switch, { address = { [host.name] = "192.168.1." .. number .. "/24" } })
  host:udp { port = 9, on_datagram = function(data) got[#got + 1] = host.name .. " " .. data end }
end
local crossed = hs.frames { link = uplink, filter = function(p) return p.from == "router" end }
local dropped = hs.frames { on = "drop", node = router }
local function send(text)
  sender:spawn(function(os) os.udp():sendto(text, "192.168.1.255", 9) end)
  hs.run "2s"
end

hs.note {
  en = "192.168.1.255 from 192.168.0.0/24: the sender cannot know that this is a broadcast, it sends to its router.",
  zh = "从 192.168.0.0/24 发往 192.168.1.255：发送方无从知道这是广播，便发给它的路由器。",
}
local net = hs.ip4.prefix "192.168.1.0/24"
hs.expect_equal("the hosts of the other network are .1 to .254, and .255 is all of them",
  { net.first, net.last, net.broadcast }, { "192.168.1.1", "192.168.1.254", "192.168.1.255" })
send "first"
hs.expect_equal("by default the last router drops it, with that reason", { #dropped, dropped[1].reason },
  { 1, "directed broadcast" })
hs.expect_equal("nothing goes out to the other network", #crossed, 0)
hs.expect_equal("nobody hears it", got, {})

hs.note {
  en = "Now the router is told to forward directed broadcasts: one packet in, a frame to everybody out.",
  zh = "现在告诉路由器转发定向广播：进来一个分组，出去一个给所有人的帧。",
}
router:sysctl("net.ipv4.conf.all.bc_forwarding", true)
send "second"
hs.expect_equal("the frame goes to everybody", { #crossed, crossed[1].packet.eth.dst }, { 1, "ff:ff:ff:ff:ff:ff" })
hs.expect_equal("the packet in it has one less TTL, like any forwarded packet", crossed[1].packet.ip.ttl, 63)
table.sort(got)
hs.expect_equal("all hosts get it", got, { "h2 second", "h254 second", "h3 second" })

hs.note {
  en = "Why it is off: if hosts answer pings to everybody, one echo request comes back three times.",
  zh = "为什么要关闭它：如果主机应答发给所有人的 ping，一个回送请求就会引来三个应答。",
}
for _, host in ipairs(hosts) do host:sysctl("net.ipv4.icmp_echo_ignore_broadcasts", false) end
sender:spawn(function(os) os.ping("192.168.1.255", { count = 1 }) end)
hs.run "3s"
hs.expect_equal("one request out, three replies in", { sender:counter "IcmpOutEchos", sender:counter "IcmpInEchoReps" }, { 1, 3 })

hs.translate("zh", {
  ["the hosts of the other network are .1 to .254, and .255 is all of them"] = "另一个网络的主机是 .1 到 .254，.255 是它们全体",
  ["by default the last router drops it, with that reason"] = "默认情况下最后的路由器以此为由丢弃它",
  ["nothing goes out to the other network"] = "没有什么出去到另一个网络",
  ["nobody hears it"] = "没有人听到它",
  ["the frame goes to everybody"] = "帧发给所有人",
  ["the packet in it has one less TTL, like any forwarded packet"] = "其中的分组像任何被转发的分组一样，TTL 少一",
  ["all hosts get it"] = "所有主机都得到它",
  ["one request out, three replies in"] = "出去一个请求，进来三个应答",
})
