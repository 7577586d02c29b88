-- SW-05  Broadcast flooding.
-- A frame to FF:FF:FF:FF:FF:FF goes out of all other ports, always. The switch looks at the MAC address only: it is the HOST
-- that turns the IP broadcast 255.255.255.255 into the broadcast MAC address (RFC 1122 section 3.2.1.3). The same IP packet
-- in a frame to one MAC address goes to that one.
local hs = require "hopscope"
hs.title { en = "SW-05 Broadcast flooding", zh = "SW-05 广播泛洪" }

local switch = hs.switch "switch"
local hosts, got = {}, {}
for i, name in ipairs { "a", "b", "c", "d", "e" } do
  local h = hs.host(name)
  hosts[i], got[name] = h, 0
  hs.link(h, switch, { rate = "100Mbps", delay = "1us" })
  if name ~= "a" then h:udp { port = 4242, on_datagram = function() got[name] = got[name] + 1 end } end
end
local a, b, c = hosts[1], hosts[2], hosts[3]
local copies = hs.frames { node = switch, on = "tx" }
local sent = hs.frames { node = a, on = "tx" }

hs.note {
  en = "a sends one datagram to 255.255.255.255. Its IP layer chooses the broadcast MAC address; there is nobody to ask by ARP.",
  zh = "a 向 255.255.255.255 发送一个数据报。它的 IP 层选用广播 MAC 地址；没有人可以用 ARP 去问。",
}
-- Without a default route IP does not know which card "here" means: the socket has to say it (as DHCP clients do).
local shout = a:udp { broadcast = true }:setopt("SO_BINDTODEVICE", "eth0")
shout:sendto("everybody", "255.255.255.255", 4242)
hs.run "1ms"
hs.expect_equal("a sends one frame", #sent, 1)
hs.expect_equal("to the broadcast MAC address, for the broadcast IP address",
  { sent[1].packet.eth.dst, sent[1].packet.ip.dst }, { "ff:ff:ff:ff:ff:ff", "255.255.255.255" })
hs.expect_equal("the switch makes four copies of it", #copies, 4)
hs.expect_equal("every host but the sender receives one", got, { a = 0, b = 1, c = 1, d = 1, e = 1 })
hs.expect_equal("nothing comes back to a", a:dev():stats().rx_packets, 0)

local function mac_bytes(text) return (text:gsub("(%x%x):?", function(x) return string.char(tonumber(x, 16)) end)) end
local everybody = mac_bytes "ff:ff:ff:ff:ff:ff"

hs.note {
  en = "The address of the frame decides, not what is in it. First: broadcast MAC address, but not IP at all.",
  zh = "起决定作用的是帧的地址，而不是里面的内容。第一个：广播 MAC 地址，但根本不是 IP。",
}
a:raw():send(everybody .. mac_bytes(a:dev().mac) .. "\x88\xb5" .. ("x"):rep(46))
hs.run "1ms"
hs.expect_equal("the switch floods it as well", #copies, 8)

hs.note {
  en = "Second: the very datagram to 255.255.255.255, but in a frame to c's MAC address. c has spoken, so one port is enough.",
  zh = "第二个：正是发往 255.255.255.255 的数据报，但放在发往 c 的 MAC 地址的帧里。c 说过话，所以一个端口就够了。",
}
c:raw():send(mac_bytes(a:dev().mac) .. mac_bytes(c:dev().mac) .. "\x88\xb5" .. ("x"):rep(46))
hs.run "1ms"
local before = #copies
a:raw():send(mac_bytes(c:dev().mac) .. sent[1].packet:bytes():sub(7))
hs.run "1ms"
hs.expect_equal("one copy, to c", { #copies - before, copies[#copies].to }, { 1, "c" })
hs.expect_equal("c takes it, nobody else has seen it", got, { a = 0, b = 1, c = 2, d = 1, e = 1 })

hs.note {
  en = "A broadcast address is never learnt: no frame comes FROM everybody. So the third broadcast is flooded like the first.",
  zh = "广播地址从来学不到：没有一个帧来自所有人。所以第三个广播像第一个一样泛洪。",
}
shout:sendto("again", "255.255.255.255", 4242)
hs.run "1ms"
hs.expect_equal("the switch knows a and c, and no broadcast address", #switch:macs(), 2)
hs.expect_equal("four more datagrams", got, { a = 0, b = 2, c = 3, d = 2, e = 2 })

hs.translate("zh", {
  ["a sends one frame"] = "a 发送一个帧",
  ["to the broadcast MAC address, for the broadcast IP address"] = "发往广播 MAC 地址，为的是广播 IP 地址",
  ["the switch makes four copies of it"] = "交换机为它做四份副本",
  ["every host but the sender receives one"] = "除发送方外，每台主机收到一份",
  ["nothing comes back to a"] = "没有什么回到 a",
  ["the switch floods it as well"] = "交换机同样把它泛洪",
  ["one copy, to c"] = "一份副本，给 c",
  ["c takes it, nobody else has seen it"] = "c 收下它，别人都没有看到",
  ["the switch knows a and c, and no broadcast address"] = "交换机认识 a 和 c，不认识广播地址",
  ["four more datagrams"] = "又是四个数据报",
})
