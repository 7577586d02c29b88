-- ARP-07  Next hop, not destination.
-- Before a host asks for a MAC address it asks its routing table who comes next. For a target on its own link that is the target;
-- for all others it is the gateway (RFC 1122 3.3.1.1). So the frame is addressed to the gateway's card, while the IP packet
-- inside it is addressed to the far host: the MAC address changes with every link, the IP address stays.
local hs = require "hopscope"
hs.title { en = "ARP-07 Next hop, not destination", zh = "ARP-07 下一跳，而不是目的地" }

local a, b, far = hs.host "a", hs.host "b", hs.host "far"
local sw, r = hs.switch "sw", hs.router "r"
local a_link = hs.link(a, sw, { subnet = "192.168.1.0/24", address = { a = "192.168.1.10/24" } })
hs.link(b, sw, { address = { b = "192.168.1.20/24" } })
local r_link = hs.link(r, sw, { address = { r = "192.168.1.1/24" } })
local far_link = hs.link(r, far, { subnet = "10.9.0.0/24", address = { r = "10.9.0.1/24", far = "10.9.0.2/24" } })

local sent = hs.frames { link = a_link, filter = function(_, e) return e.node == "a" end }
local pings = {}
local function is_request(p) return p.arp and p.arp.op == 1 end
local function is_echo(p) return p.icmp and p.icmp.type == 8 end

hs.note {
  en = "First a pings b, 192.168.1.20, on its own link: it asks for that very address.",
  zh = "首先 a 在自己的链路上 ping b，192.168.1.20：它询问的就是这个地址。",
}
a:spawn(function(os) pings.near = os.ping("192.168.1.20", { count = 1 }) end)
hs.run "1s"
hs.expect_equal("on-link: the ARP target is the destination itself", sent:select(is_request)[1].packet.arp.tpa, "192.168.1.20")
hs.expect_equal("and the frame goes to its card", sent:select(is_echo)[1].packet.eth.dst, b:dev().mac)

hs.note {
  en = "Then a pings far, 10.9.0.2: the table says \"default via 192.168.1.1\", so it asks for the gateway.",
  zh = "然后 a ping far，10.9.0.2：路由表写着“default via 192.168.1.1”，所以它询问网关。",
}
hs.expect_equal("the next hop to far is the gateway", a:route_get("10.9.0.2").via, "192.168.1.1")
local on_far_link = hs.frames { link = far_link, filter = function(p, e) return e.node == "r" end }
a:spawn(function(os) pings.far = os.ping("10.9.0.2", { count = 1 }) end)
hs.run "1s"
sent:print()

local echo = sent:select(is_echo)[2].packet
hs.expect_equal("off-link: the ARP target is the gateway", sent:select(is_request)[2].packet.arp.tpa, "192.168.1.1")
hs.expect_equal("two requests in all: none was for 10.9.0.2", sent:count(is_request), 2)
hs.expect_equal("the frame goes to the gateway's card", echo.eth.dst, r_link:dev(r).mac)
hs.expect_equal("while the packet in it goes to the far host", echo.ip.dst, "10.9.0.2")

hs.note {
  en = "On the next link the router does the same: there far is on-link, so r asks for far itself.",
  zh = "在下一条链路上路由器也这样做：在那里 far 就在链路上，所以 r 直接询问 far。",
}
local forwarded = on_far_link:select(is_echo)[1].packet
hs.expect_equal("the router asks for far", on_far_link:select(is_request)[1].packet.arp.tpa, "10.9.0.2")
hs.expect_equal("its frame: from its own card to that of far",
  { forwarded.eth.src, forwarded.eth.dst }, { far_link:dev(r).mac, far:dev().mac })
hs.expect_equal("the addresses of the IP packet are the old ones",
  { forwarded.ip.src, forwarded.ip.dst }, { "192.168.1.10", "10.9.0.2" })
hs.expect("both pings are answered", pings.near.received == 1 and pings.far.received == 1, pings)

hs.translate("zh", {
  ["on-link: the ARP target is the destination itself"] = "在链路上：ARP 的目标就是目的地本身",
  ["and the frame goes to its card"] = "帧发往它的网卡",
  ["the next hop to far is the gateway"] = "去往 far 的下一跳是网关",
  ["off-link: the ARP target is the gateway"] = "不在链路上：ARP 的目标是网关",
  ["two requests in all: none was for 10.9.0.2"] = "总共两个请求：没有一个是问 10.9.0.2 的",
  ["the frame goes to the gateway's card"] = "帧发往网关的网卡",
  ["while the packet in it goes to the far host"] = "而其中的分组发往远处的主机",
  ["the router asks for far"] = "路由器询问 far",
  ["its frame: from its own card to that of far"] = "它的帧：从它自己的网卡到 far 的网卡",
  ["the addresses of the IP packet are the old ones"] = "IP 分组的地址仍是原来的",
  ["both pings are answered"] = "两个 ping 都得到应答",
})
