-- RT-09  Long paths.
-- Packets on the Internet often cross more than ten routers. The round trip is the sum of all delays, there and back, and
-- every router takes one off the TTL. Here: 12 routers and so 13 links, of 1 ms, 2 ms, … 13 ms.
local hs = require "hopscope"
hs.title { en = "RT-09 Long paths", zh = "RT-09 漫长的路径" }

local ROUTERS = 12
local a, b = hs.host "a", hs.host "b"
local nodes = { a }
for i = 1, ROUTERS do nodes[i + 1] = hs.router("r" .. i) end
nodes[#nodes + 1] = b
for i = 1, ROUTERS + 1 do
  hs.link(nodes[i], nodes[i + 1], { delay = i .. "ms" }) -- no rate: infinitely fast, delays only
end

hs.note {
  en = "The first ping has to ask for a MAC address at every hop: it takes about twice as long. The second shows the path itself.",
  zh = "第一次 ping 在每一跳都要询问 MAC 地址：所需时间大约是两倍。第二次显示的才是路径本身。",
}
local arrived = hs.frames { link = hs.links()[ROUTERS + 1], on = "rx", filter = function(p) return p.icmp and p.icmp.type == 8 end }
local ping = a:ping("b", { count = 2, print = true })

-- 1 + 2 + … + 13 = 13 * 14 / 2 = 91 ms one way.
hs.expect_equal("the sum of the delays is 91 ms one way", (ROUTERS + 1) * (ROUTERS + 2) // 2, 91)
hs.expect_equal("RTT = 2 x sum of delays = 182 ms", ping.replies[2].rtt, "182ms")
-- The first request waits one ARP round trip of each link on its way; b and the routers learn the way back from the questions.
hs.expect_equal("with an ARP exchange on every link the first one takes 182 ms more", ping.replies[1].rtt, "364ms")
hs.expect_equal("the request arrives with a TTL of 64 - 12 = 52", arrived[2].packet.ip.ttl, 64 - ROUTERS)
hs.expect_equal("and so does the reply", ping.replies[2].ttl, 64 - ROUTERS)

hs.note {
  en = "traceroute meets all twelve. Its times grow as the sums of the delays do: 2 ms, 6 ms, 12 ms, 20 ms …",
  zh = "traceroute 遇见了全部十二台。时间随着时延之和增长：2 ms、6 ms、12 ms、20 ms…",
}
local trace = a:traceroute("b", { probes = 1, print = true })
hs.expect_equal("13 hops: twelve routers and the destination", #trace.hops, ROUTERS + 1)
local sums, seen = {}, {}
for i, hop in ipairs(trace.hops) do
  sums[i] = i * (i + 1) -- twice 1 + … + i, in milliseconds
  seen[i] = math.floor(hop.probes[1].rtt * 1e3 + 0.5)
end
hs.expect_equal("the round trip to hop i is 2 (1 + … + i) = i (i + 1) ms", seen, sums)

hs.note {
  en = "A TTL of 12 is not enough for 12 routers: the last one takes it to zero and says so. 13 is.",
  zh = "TTL 为 12 对 12 台路由器还不够：最后一台把它减到零并告知。13 才够。",
}
hs.expect_equal("TTL 12 dies at the twelfth router", a:ping("b", { count = 1, ttl = ROUTERS, timeout = "1s" }).received, 0)
hs.expect_equal("TTL 13 arrives", a:ping("b", { count = 1, ttl = ROUTERS + 1 }).received, 1)

hs.translate("zh", {
  ["the sum of the delays is 91 ms one way"] = "时延之和单程为 91 ms",
  ["RTT = 2 x sum of delays = 182 ms"] = "RTT = 2 x 时延之和 = 182 ms",
  ["with an ARP exchange on every link the first one takes 182 ms more"] = "每条链路上都有一次 ARP 交换，第一次多用 182 ms",
  ["the request arrives with a TTL of 64 - 12 = 52"] = "请求到达时 TTL 为 64 - 12 = 52",
  ["and so does the reply"] = "应答也是",
  ["13 hops: twelve routers and the destination"] = "13 跳：十二台路由器和目的地",
  ["the round trip to hop i is 2 (1 + … + i) = i (i + 1) ms"] = "到第 i 跳的往返时间是 2 (1 +…+ i) = i (i + 1) ms",
  ["TTL 12 dies at the twelfth router"] = "TTL 12 死在第十二台路由器",
  ["TTL 13 arrives"] = "TTL 13 到达",
})
