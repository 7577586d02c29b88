-- ARP-03  Cache hit and miss.
-- Asking for every packet would double the traffic, so the answer is kept in the ARP cache. The first packet to a neighbour
-- misses the cache and pays one more round trip; the next ones find the entry and leave at once (RFC 826, RFC 1122 2.3.2).
local hs = require "hopscope"
hs.title { en = "ARP-03 Cache hit and miss", zh = "ARP-03 缓存命中与未命中" }

local a = hs.host "a"
local b = hs.host "b"
hs.link(a, b, { rate = "100Mbps", delay = "5ms" })

local arps = hs.frames { filter = function(p) return p.arp end }
local ping
hs.note { en = "Host a pings its neighbour twice, one second apart.", zh = "主机 a 两次 ping 它的邻居，相隔一秒。" }
a:spawn(function(os) ping = os.ping("b", { count = 2, print = true }) end)
hs.run "3s"

local first, second = ping.replies[1].rtt, ping.replies[2].rtt
hs.note({
  en = "The first ping took %.5f ms, the second %.5f ms: the difference is the question and its answer.",
  zh = "第一次 ping 用了 %.5f ms，第二次 %.5f ms：相差的就是询问和应答。",
}, first * 1e3, second * 1e3)
hs.expect_equal("one ARP exchange for both pings: a request and a reply", #arps, 2)
hs.expect_equal("the request of the first ping", { arps[1].from, arps[1].packet.arp.op }, { "a", 1 })
hs.expect_equal("its reply", { arps[2].from, arps[2].packet.arp.op }, { "b", 2 })

-- 98-byte frames: 14 + 20 + 8 + 56; with preamble and FCS 110 * 8 / 100 Mbit/s = 8.8 us. ARP frames: 72 * 8 / 100 Mbit/s = 5.76 us.
hs.expect_equal("with the entry in the cache: two ways of 5 ms + 8.8 us", second, "10.0176ms")
hs.expect_near("without it: the ARP round trip, 2 * (5 ms + 5.76 us), comes on top", first - second, "10.01152ms", "1ns")

hs.note {
  en = "Host b never asks for a: it has learnt the address of a from a's own question, which it answered.",
  zh = "主机 b 从不询问 a：它从 a 自己的询问中学到了 a 的地址，那个询问正是它应答的。",
}
hs.expect_equal("b sent no request", arps:count(function(p, f) return f.from == "b" and p.arp.op == 1 end), 0)
hs.expect_equal("b knows the MAC address of a", b:arp(a:addr()).mac, a:dev().mac)

hs.translate("zh", {
  ["one ARP exchange for both pings: a request and a reply"] = "两次 ping 只有一次 ARP 交换：一个请求和一个应答",
  ["the request of the first ping"] = "第一次 ping 的请求",
  ["its reply"] = "它的应答",
  ["with the entry in the cache: two ways of 5 ms + 8.8 us"] = "缓存中有表项时：两个 5 ms + 8.8 us 的单程",
  ["without it: the ARP round trip, 2 * (5 ms + 5.76 us), comes on top"] = "没有时：另加 ARP 的往返，2 * (5 ms + 5.76 us)",
  ["b sent no request"] = "b 没有发送请求",
  ["b knows the MAC address of a"] = "b 知道 a 的 MAC 地址",
})
