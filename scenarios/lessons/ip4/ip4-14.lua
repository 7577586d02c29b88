-- IP4-14  Same broadcast domain or not.
-- Before a host sends, it compares network numbers: its own address AND mask with the destination AND the same mask. Equal means
-- that the destination is on the link: ask for its MAC address and send to it directly. Different means: send to the router,
-- so ask for the router's MAC address (RFC 1122 section 3.3.1.1). The IP destination is the same in both cases.
local hs = require "hopscope"
hs.title { en = "IP4-14 Same broadcast domain or not", zh = "IP4-14 是否在同一个广播域" }

local switch, router = hs.switch "switch", hs.router "router"
local a, peer, far = hs.host "a", hs.host "peer", hs.host "far"
hs.link(router, switch, { address = { router = "192.168.0.1/24" } })
local cable = hs.link(a, switch, { address = { a = "192.168.0.2/24" } })
hs.link(peer, switch, { address = { peer = "192.168.0.3/24" } })
hs.link(router, far, { address = { router = "192.168.1.1/24", far = "192.168.1.3/24" } })
local questions = hs.frames { link = cable, filter = function(p) return p.arp and p.arp.op == 1 and p.from == "a" end }
local pings = hs.frames { link = cable, filter = function(p) return p.icmp and p.icmp.type == 8 end }
local result
local function ping(address)
  a:spawn(function(os) result = os.ping(address, { count = 1 }) end)
  hs.run "5s"
end
local own = hs.ip4.prefix "192.168.0.2/24".network

hs.note {
  en = "192.168.0.3 AND 255.255.255.0 is 192.168.0.0, as for a itself: same network, a asks who has 192.168.0.3.",
  zh = "192.168.0.3 AND 255.255.255.0 是 192.168.0.0，与 a 自己的相同：同一个网络，a 询问谁有 192.168.0.3。",
}
hs.expect_equal("network number of the peer", hs.ip4.prefix("192.168.0.3", 24).network, own)
ping "192.168.0.3"
hs.expect_equal("the ARP target is the peer", questions[1].packet.arp.tpa, "192.168.0.3")
hs.expect_equal("the frame goes to the peer's MAC address", pings[1].packet.eth.dst, peer:dev().mac)
hs.expect_equal("and the answer has crossed no router", result.replies[1].ttl, 64)

hs.note {
  en = "192.168.1.3 AND 255.255.255.0 is 192.168.1.0: another network. a asks for its gateway, 192.168.0.1.",
  zh = "192.168.1.3 AND 255.255.255.0 是 192.168.1.0：另一个网络。a 询问它的网关 192.168.0.1。",
}
hs.expect_equal("network number of far", hs.ip4.prefix("192.168.1.3", 24).network, "192.168.1.0")
ping "192.168.1.3"
hs.expect_equal("the ARP target is the gateway", questions[2].packet.arp.tpa, "192.168.0.1")
hs.expect_equal("the frame goes to the gateway's MAC address", pings[2].packet.eth.dst, router:dev("eth0").mac)
hs.expect_equal("the packet in it still goes to far", pings[2].packet.ip.dst, "192.168.1.3")
hs.expect_equal("the answer has crossed one router", result.replies[1].ttl, 63)
hs.expect_equal("a knows two neighbours, and far is not one of them", { #a:arp(), a:arp "192.168.1.3" }, { 2 })

-- With /16 both addresses AND 255.255.0.0 are 192.168.0.0. Linux asks three times, a second apart (RFC 1122 2.3.2.1).
hs.note {
  en = "A wrong mask breaks the rule: with /16 a takes far for a neighbour and asks the link for it, in vain.",
  zh = "错误的掩码打破了规则：用 /16 时，a 把 far 当作邻居，在链路上询问它，毫无结果。",
}
a:remove_address("eth0", "192.168.0.2/24")
a:address("eth0", "192.168.0.2/16")
local before = #questions
ping "192.168.1.3"
local asked = {}
for i = before + 1, #questions do asked[#asked + 1] = questions[i].packet.arp.tpa end
hs.expect_equal("it asks for far itself, three times", asked, { "192.168.1.3", "192.168.1.3", "192.168.1.3" })
hs.expect_equal("and nobody answers: the router does not lend its address", result.received, 0)

hs.translate("zh", {
  ["network number of the peer"] = "对方的网络号",
  ["the ARP target is the peer"] = "ARP 的目标是对方",
  ["the frame goes to the peer's MAC address"] = "帧发往对方的 MAC 地址",
  ["and the answer has crossed no router"] = "应答没有经过路由器",
  ["network number of far"] = "far 的网络号",
  ["the ARP target is the gateway"] = "ARP 的目标是网关",
  ["the frame goes to the gateway's MAC address"] = "帧发往网关的 MAC 地址",
  ["the packet in it still goes to far"] = "其中的分组仍发往 far",
  ["the answer has crossed one router"] = "应答经过了一台路由器",
  ["a knows two neighbours, and far is not one of them"] = "a 认识两个邻居，far 不在其中",
  ["it asks for far itself, three times"] = "它直接询问 far，三次",
  ["and nobody answers: the router does not lend its address"] = "没有人应答：路由器不出借自己的地址",
})
