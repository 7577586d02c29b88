-- IP4-17  Unicast, multicast, broadcast.
-- One address, three kinds of audience: one host, the members of a group (224.0.0.0/4, RFC 1112), or all hosts of the network.
-- The sender sends once in each case. Ethernet has the same three: a card's own address, 01:00:5e and the lower 23
-- bits of the group, ff:ff:ff:ff:ff:ff. A card that has not been told of a group ignores its frames.
local hs = require "hopscope"
hs.title { en = "IP4-17 Unicast, multicast, broadcast", zh = "IP4-17 单播、多播、广播" }

local switch, sender = hs.switch "switch", hs.host "sender"
local cable = hs.link(sender, switch, { address = { sender = "192.168.0.1/24" } })
sender:route { to = "224.0.0.0/4", dev = "eth0" }
local sent = hs.frames { link = cable, filter = function(p) return p.udp end }
local heard, hosts = {}, {}
for i = 1, 4 do
  local host = hs.host("h" .. i)
  hosts[i] = host
  hs.link(host, switch, { address = { [host.name] = "192.168.0.1" .. i .. "/24" } })
  local sock = host:udp { port = 9, on_datagram = function() heard[#heard + 1] = host.name end }
  if i <= 2 then
    hs.expect("h" .. i .. " becomes a member of 224.1.1.1", sock:join("224.1.1.1", "eth0"))
  end
end
local function send(address)
  heard = {}
  sender:spawn(function(os) os.udp { broadcast = true }:sendto("hello", address, 9) end)
  hs.run "2s"
  table.sort(heard)
  return heard
end

hs.note { en = "Once to 192.168.0.13: one delivery.", zh = "发给 192.168.0.13 一次：交付一次。" }
hs.expect_equal("unicast: h3 alone", send "192.168.0.13", { "h3" })

hs.note {
  en = "Once to the group 224.1.1.1, of which h1 and h2 are members: two deliveries. The others' cards ignore the frame.",
  zh = "发给组 224.1.1.1 一次，h1 和 h2 是它的成员：交付两次。其他主机的网卡不理会这个帧。",
}
local before = { hosts[1]:dev():stats().rx_not_for_me, hosts[3]:dev():stats().rx_not_for_me }
hs.expect_equal("multicast: the members h1 and h2 only", send "224.1.1.1", { "h1", "h2" })
hs.expect_equal("the frame came to h3 as well, but its card did not take it",
  { hosts[1]:dev():stats().rx_not_for_me - before[1], hosts[3]:dev():stats().rx_not_for_me - before[2] }, { 0, 1 })

hs.note { en = "Once to 192.168.0.255: everybody.", zh = "发给 192.168.0.255 一次：人人都收到。" }
hs.expect_equal("broadcast: all four", send "192.168.0.255", { "h1", "h2", "h3", "h4" })

hs.note {
  en = "Three sends, three frames: the copies are made by the switch, not by the sender.",
  zh = "三次发送，三个帧：副本是交换机做的，不是发送方。",
}
hs.expect_equal("three frames left the sender", #sent, 3)
-- 224.1.1.1: the lower 23 bits are 01 01 01 (RFC 1112 section 6.4).
hs.expect_equal("to one card, to a group, to all",
  { sent[1].packet.eth.dst, sent[2].packet.eth.dst, sent[3].packet.eth.dst },
  { hosts[3]:dev().mac, "01:00:5e:01:01:01", "ff:ff:ff:ff:ff:ff" })
hs.expect_equal("multicast stays on the link if nothing else is said: its TTL is 1", sent[2].packet.ip.ttl, 1)

hs.translate("zh", {
  ["h1 becomes a member of 224.1.1.1"] = "h1 成为 224.1.1.1 的成员",
  ["h2 becomes a member of 224.1.1.1"] = "h2 成为 224.1.1.1 的成员",
  ["unicast: h3 alone"] = "单播：只有 h3",
  ["multicast: the members h1 and h2 only"] = "多播：只有成员 h1 和 h2",
  ["the frame came to h3 as well, but its card did not take it"] = "帧也到了 h3，但它的网卡没有收下",
  ["broadcast: all four"] = "广播：全部四台",
  ["three frames left the sender"] = "三个帧离开发送方",
  ["to one card, to a group, to all"] = "发给一块网卡、一个组、所有人",
  ["multicast stays on the link if nothing else is said: its TTL is 1"] = "没有另外说明时，多播留在链路上：它的 TTL 是 1",
})
