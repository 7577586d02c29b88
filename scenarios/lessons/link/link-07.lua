-- LINK-07  MAC filtering at the card.
-- A card compares the destination of each frame with its own address. It accepts its own, the broadcast address FF:FF:FF:FF:FF:FF
-- and the multicast groups that were joined (IEEE 802.3 3.2.3, RFC 1112 6.4); everything else it drops before the host hears of it.
-- Here a switch that does not know where B is sends the frame to everybody: C's card gets it, C does not.
local hs = require "hopscope"
hs.title { en = "LINK-07 MAC filtering at the card", zh = "LINK-07 网卡上的 MAC 过滤" }

local a, b, c, sw = hs.host "a", hs.host "b", hs.host "c", hs.switch "sw"
for _, h in ipairs { a, b, c } do hs.link(h, sw, { rate = "100Mbps", delay = "1us" }) end
local got = { b = {}, c = {} }
local socks = {}
for _, h in ipairs { b, c } do
  socks[h.name] = h:udp { port = 9, on_datagram = function(data) table.insert(got[h.name], data) end }
end
local drops = hs.frames { on = "drop", node = c }
local sock = a:udp { broadcast = true }

sock:sendto("hello B", "b", 9)
hs.run "1s"
sw:flush()
hs.expect_equal("the switch has forgotten where B is", sw:lookup(b:dev().mac), nil)
local before, ip_before = c:dev():stats(), c:counter "IpInReceives"

hs.note {
  en = "A sends a datagram to B. The switch does not know B's port and floods: the frame also goes to C's card.",
  zh = "A 向 B 发送一个数据报。交换机不知道 B 的端口，于是泛洪：帧也到了 C 的网卡。",
}
local n_drops = #drops
sock:sendto("only for B", "b", 9)
hs.run "1s"
local after = c:dev():stats()
hs.expect_equal("B got both datagrams", got.b, { "hello B", "only for B" })
hs.expect_equal("C's card says: one frame, not for me", after.rx_not_for_me - before.rx_not_for_me, 1)
hs.expect_equal("and drops it with that reason", { #drops - n_drops, drops[#drops].reason, drops[#drops].packet.eth.dst },
  { 1, "not for this card", b:dev().mac })
hs.expect_equal("IP on C has heard nothing", c:counter "IpInReceives" - ip_before, 0)
hs.expect_equal("it reached no socket of C", got.c, {})

hs.note { en = "A broadcast, to FF:FF:FF:FF:FF:FF, is for every card.", zh = "发往 FF:FF:FF:FF:FF:FF 的广播，每块网卡都要。" }
local broadcasts = hs.frames { node = a, filter = function(p) return p.udp end }
sock:sendto("for all", "10.0.0.255", 9) -- the last address of the subnet: everybody in it
hs.run "1s"
hs.expect_equal("the broadcast address on Ethernet", broadcasts[1].packet.eth.dst, "ff:ff:ff:ff:ff:ff")
hs.expect_equal("B and C get it", { got.b[3], got.c[1] }, { "for all", "for all" })

hs.note {
  en = "A group: 239.1.2.3 travels to 01:00:5e:01:02:03 (RFC 1112 6.4). B joins it, C does not: only B's card takes the frame.",
  zh = "一个组：发往 239.1.2.3 的去往 01:00:5e:01:02:03（RFC 1112 6.4）。B 加入它，C 不加入：只有 B 的网卡收下这个帧。",
}
socks.b:join("239.1.2.3", "eth0")
a:route { to = "224.0.0.0/4", dev = "eth0" }
local seen = hs.frames { node = a, filter = function(p) return p.udp end }
local refused = c:dev():stats().rx_not_for_me
sock:sendto("for members", "239.1.2.3", 9)
hs.run "1s"
hs.expect_equal("the group's address on Ethernet", seen[1].packet.eth.dst, "01:00:5e:01:02:03")
hs.expect_equal("the member got it, the other did not", { got.b[4], got.c[2] }, { "for members", nil })
hs.expect_equal("C's card refused it", c:dev():stats().rx_not_for_me - refused, 1)

hs.note {
  en = "In promiscuous mode the filter is off: Wireshark on C sees what is for B. IP still does not accept it.",
  zh = "在混杂模式下过滤关闭：C 上的 Wireshark 看得见给 B 的帧。IP 仍然不接受它。",
}
c:dev():promisc(true)
local listener = c:raw()
sw:flush()
local refused_by_card, ip_delivers = c:dev():stats().rx_not_for_me, c:counter "IpInDelivers"
sock:sendto("secret for B", "b", 9)
hs.run "1s"
local frame = listener:recv "0s"
hs.expect("C's listener has the frame", frame ~= nil and frame:find("secret for B", 1, true) ~= nil)
hs.expect_equal("the card let it pass", c:dev():stats().rx_not_for_me - refused_by_card, 0)
hs.expect_equal("no socket of C got it", { c:counter "IpInDelivers" - ip_delivers, #got.c }, { 0, 1 })

hs.translate("zh", {
  ["the switch has forgotten where B is"] = "交换机忘了 B 在哪里",
  ["B got both datagrams"] = "B 得到两个数据报",
  ["C's card says: one frame, not for me"] = "C 的网卡说：一个帧，不是给我的",
  ["and drops it with that reason"] = "并以此为由丢弃它",
  ["IP on C has heard nothing"] = "C 上的 IP 什么也没有听到",
  ["it reached no socket of C"] = "它没有到达 C 的任何套接字",
  ["the broadcast address on Ethernet"] = "以太网上的广播地址",
  ["B and C get it"] = "B 和 C 都得到它",
  ["the group's address on Ethernet"] = "以太网上的组地址",
  ["the member got it, the other did not"] = "成员得到它，另一个没有",
  ["C's card refused it"] = "C 的网卡拒绝了它",
  ["C's listener has the frame"] = "C 的监听程序有这个帧",
  ["the card let it pass"] = "网卡让它通过",
  ["no socket of C got it"] = "C 的套接字都没有得到它",
})
