-- ARP-01  Request and reply.
-- A host knows the IP address of its neighbour, but an Ethernet frame needs a MAC address. It asks everybody on the link
-- ("who has 192.168.0.1?"); only the owner of that address answers, and only to the one who asked (RFC 826). The packet
-- that made the question necessary waits in the cache entry and leaves when the answer is there.
local hs = require "hopscope"
hs.title { en = "ARP-01 Request and reply", zh = "ARP-01 请求与应答" }

local a = hs.host "a"
local b = hs.host "b"
hs.link(a, b, { rate = "100Mbps", delay = "1ms", subnet = "192.168.0.0/24",
                address = { a = "192.168.0.2/24", b = "192.168.0.1/24" } })

local seen = hs.frames()
local ping

hs.note {
  en = "Host a wants to ping 192.168.0.1. It knows the IP address, but no MAC address: its ARP cache is empty.",
  zh = "主机 a 想 ping 192.168.0.1。它知道 IP 地址，却不知道 MAC 地址：它的 ARP 缓存是空的。",
}
hs.expect_equal("the cache of a is empty at first", a:arp(), {})
a:spawn(function(os) ping = os.ping("192.168.0.1", { count = 1 }) end)

hs.at("1ms", function()
  hs.note {
    en = "1 ms: the question is on its way. The entry is INCOMPLETE, and the echo request waits in it.",
    zh = "1 ms：询问正在路上。表项处于 INCOMPLETE，回送请求在其中等待。",
  }
  hs.expect_equal("while the question is under way the entry is INCOMPLETE", a:arp("192.168.0.1").state, "INCOMPLETE")
  hs.expect_equal("and nothing but the question has left a", #seen, 1)
end)
hs.run "3s"

hs.note {
  en = "What was on the wire: the question to everybody, the answer to a alone, and only then the ping.",
  zh = "线路上出现过的：向所有人的询问，只给 a 的应答，然后才是 ping。",
}
seen:print()
local request, reply, echo, echo_reply = seen[1], seen[2], seen[3], seen[4]
hs.expect_equal("four frames: request, reply, echo request, echo reply", #seen, 4)
hs.expect_equal("the request goes to everybody", request.packet.eth.dst, "ff:ff:ff:ff:ff:ff")
hs.expect_equal("the request asks for 192.168.0.1", { request.packet.arp.op, request.packet.arp.tpa }, { 1, "192.168.0.1" })
hs.expect_equal("the reply goes to the asker alone", reply.packet.eth.dst, a:dev().mac)
hs.expect_equal("the reply tells the MAC address of b", { reply.packet.arp.op, reply.packet.arp.sha }, { 2, b:dev().mac })
hs.expect_equal("the frame that waited goes to that MAC address", echo.packet.eth.dst, b:dev().mac)

-- A frame of 60 bytes with preamble (8) and FCS (4) takes 72 * 8 / 100 Mbit/s = 5.76 us, and 1 ms on the way.
hs.expect_equal("the waiting packet leaves when the reply arrives: after 2 * (1 ms + 5.76 us)", echo.time, "2.01152ms")
hs.expect("the ping is answered", ping.received == 1 and echo_reply.packet.icmp.type == 0, ping)
hs.expect_equal("a now remembers b", a:arp("192.168.0.1").mac, b:dev().mac)

hs.translate("zh", {
  ["the cache of a is empty at first"] = "a 的缓存起初是空的",
  ["while the question is under way the entry is INCOMPLETE"] = "询问在途中时表项是 INCOMPLETE",
  ["and nothing but the question has left a"] = "除了询问，没有什么离开过 a",
  ["four frames: request, reply, echo request, echo reply"] = "四个帧：请求、应答、回送请求、回送应答",
  ["the request goes to everybody"] = "请求发给所有人",
  ["the request asks for 192.168.0.1"] = "请求询问的是 192.168.0.1",
  ["the reply goes to the asker alone"] = "应答只发给询问者",
  ["the reply tells the MAC address of b"] = "应答告知 b 的 MAC 地址",
  ["the frame that waited goes to that MAC address"] = "等待的帧发往那个 MAC 地址",
  ["the waiting packet leaves when the reply arrives: after 2 * (1 ms + 5.76 us)"] = "等待的分组在应答到达时离开：2 * (1 ms + 5.76 us) 之后",
  ["the ping is answered"] = "ping 得到应答",
  ["a now remembers b"] = "a 现在记住了 b",
})
