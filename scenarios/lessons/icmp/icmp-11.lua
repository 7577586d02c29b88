-- ICMP-11  5 redirect.
-- A host knows one gateway, R1. Some destinations lie behind R2, on the same link. R1 has to send such a packet back out of the
-- port by which it came: it forwards the packet, and tells the host "for this destination R2 is better", type 5 (RFC 792, RFC 1812
-- 5.2.7.2). The host notes it, and the next packet goes straight to R2. It works only when host, R1 and R2 share a link.
local hs = require "hopscope"
hs.title { en = "ICMP-11 5 redirect", zh = "ICMP-11 5 重定向" }

hs.auto_routes(false)
local lan = hs.switch "lan"
local h, r1, r2, far = hs.host "h", hs.router "r1", hs.router "r2", hs.host "far"
local h_link = hs.link(h, lan, { delay = "10us", subnet = "192.168.1.0/24", address = { h = "192.168.1.10/24" } })
hs.link(r1, lan, { delay = "10us", address = { r1 = "192.168.1.1/24" } })
hs.link(r2, lan, { delay = "10us", address = { r2 = "192.168.1.2/24" } })
hs.link(r2, far, { delay = "1ms", subnet = "10.9.0.0/24", address = { r2 = "10.9.0.1/24", far = "10.9.0.2/24" } })
h:route { to = "default", via = "192.168.1.1" }
r1:route { to = "10.9.0.0/24", via = "192.168.1.2" }
far:route { to = "default", via = "10.9.0.1" }

local sent = hs.frames { node = h, filter = function(p) return p.ip and p.ip.proto == 17 end }
local redirects = hs.frames { link = h_link, on = "rx", filter = function(p, e) return e.node == "h" and p.icmp end }
local got = {}
far:udp { port = 9, on_datagram = function(data) got[#got + 1] = data end }
local sock = h:udp():connect("10.9.0.2", 9)

hs.note {
  en = "h sends a datagram to 10.9.0.2. All it knows is \"default via 192.168.1.1\", so the frame goes to r1.",
  zh = "h 向 10.9.0.2 发送一个数据报。它只知道“default via 192.168.1.1”，所以帧发给 r1。",
}
sock:send "first"
hs.run "1s"
hs.expect_equal("the first frame goes to r1", sent[1].packet.eth.dst, r1:dev().mac)
hs.expect_equal("r1 sends a redirect", { #redirects, redirects[1].packet.ip.src, redirects[1].packet.icmp.type },
  { 1, "192.168.1.1", 5 })
hs.expect_equal("for this host (code 1): better go to 192.168.1.2",
  { redirects[1].packet.icmp.code, redirects[1].packet.icmp.gateway }, { 1, "192.168.1.2" })
hs.expect_equal("it quotes the packet", redirects[1].packet.quoted.ip.dst, "10.9.0.2")
hs.expect_equal("which r1 has forwarded as well: it has arrived", got, { "first" })
hs.note({ en = "r1 says: %s", zh = "r1 说：%s" }, redirects[1].summary)

hs.note { en = "The second datagram goes straight to r2, one hop less.", zh = "第二个数据报直接去往 r2，少了一跳。" }
sock:send "second"
hs.run "1s"
hs.expect_equal("h has noted the better way", h:route_get("10.9.0.2").via, "192.168.1.2")
hs.expect_equal("the second frame goes to r2", sent[2].packet.eth.dst, r2:dev().mac)
hs.expect_equal("it arrives", got, { "first", "second" })
hs.expect_equal("r1 had one packet to forward, and no more to say", { r1:counter "IpForwDatagrams", #redirects }, { 1, 1 })
hs.expect_equal("other destinations still go by r1", h:route_get("10.9.0.3").via, "192.168.1.1")

hs.note {
  en = "Not so when the better router is on another link: then the sender could not reach it, and r1 stays silent.",
  zh = "如果更好的路由器在另一条链路上，就不会这样：发送方到不了它，r1 便保持沉默。",
}
local other = hs.host "other"
hs.link(other, r1, { subnet = "192.168.2.0/24", address = { other = "192.168.2.10/24", r1 = "192.168.2.1/24" } })
other:route { to = "default", via = "192.168.2.1" }
other:udp():sendto("from elsewhere", "10.9.0.2", 9)
hs.run "1s"
hs.expect_equal("its datagram arrives by r1 and r2", got[3], "from elsewhere")
hs.expect_equal("without a redirect", r1:counter "IcmpOutRedirects", 1)

hs.translate("zh", {
  ["the first frame goes to r1"] = "第一个帧去往 r1",
  ["r1 sends a redirect"] = "r1 发送重定向",
  ["for this host (code 1): better go to 192.168.1.2"] = "针对这台主机（代码 1）：最好去 192.168.1.2",
  ["it quotes the packet"] = "它引用了分组",
  ["which r1 has forwarded as well: it has arrived"] = "r1 也转发了它：它到达了",
  ["h has noted the better way"] = "h 记下了更好的路",
  ["the second frame goes to r2"] = "第二个帧去往 r2",
  ["it arrives"] = "它到达了",
  ["r1 had one packet to forward, and no more to say"] = "r1 只有一个分组要转发，没有更多要说",
  ["other destinations still go by r1"] = "其他目的地仍走 r1",
  ["its datagram arrives by r1 and r2"] = "它的数据报经 r1 和 r2 到达",
  ["without a redirect"] = "没有重定向",
})
