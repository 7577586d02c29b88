-- ARP-08  Routers resolve too.
-- Every router on the way has the same problem as the sender: it knows the IP address of the next hop and needs its MAC address.
-- It has an ARP cache for each of its ports and asks on a miss. So the first packet over k routers waits for k + 1 exchanges,
-- one on every link; the second finds all caches filled.
local hs = require "hopscope"
hs.title { en = "ARP-08 Routers resolve too", zh = "ARP-08 路由器也要解析" }

local k = 3
local a, b = hs.host "a", hs.host "b"
local left, routers = a, {}
for i = 1, k do
  routers[i] = hs.router("r" .. i)
  hs.link(left, routers[i], { rate = "100Mbps", delay = "1ms" })
  left = routers[i]
end
hs.link(left, b, { rate = "100Mbps", delay = "1ms" })

local arps = hs.frames { filter = function(p) return p.arp end }
local arrived = {}
b:udp { port = 9, on_datagram = function() arrived[#arrived + 1] = hs.now() end }
local sock = a:udp():connect("b", 9)

hs.note {
  en = "Host a sends a datagram over three routers to b; all caches are empty.",
  zh = "主机 a 经过三台路由器向 b 发送一个数据报；所有的缓存都是空的。",
}
sock:send "first"
hs.run "1s"
arps:print()
hs.expect_equal("the first packet over k = 3 routers causes k + 1 = 4 requests", arps:count(function(p) return p.arp.op == 1 end), 4)
hs.expect_equal("and 4 replies", arps:count(function(p) return p.arp.op == 2 end), 4)
local askers = {}
for _, f in ipairs(arps:select(function(p) return p.arp.op == 1 end)) do askers[#askers + 1] = f.from .. " > " .. f.to end
hs.expect_equal("each hop asks for the next one", askers, { "a > r1", "r1 > r2", "r2 > r3", "r3 > b" })

hs.note {
  en = "The second datagram finds every cache filled: no more questions, and it is faster by four round trips.",
  zh = "第二个数据报发现所有的缓存都已填好：不再有询问，快了四个往返。",
}
local start = hs.now()
sock:send "second"
hs.run "1s"
hs.expect_equal("the second packet causes none", #arps, 8)
-- An ARP exchange takes 2 * (1 ms + 72 * 8 / 100 Mbit/s) = 2.01152 ms; there are 4 of them.
hs.expect_near("it is faster by 4 * 2 * (1 ms + 5.76 us)", arrived[1] - (arrived[2] - start), "8.04608ms", "1ns")

hs.note {
  en = "The cache of a router belongs to a port: r2 knows r1 on eth0 and r3 on eth1.",
  zh = "路由器的缓存属于端口：r2 在 eth0 上认识 r1，在 eth1 上认识 r3。",
}
local cache = {}
for _, entry in ipairs(routers[2]:arp()) do cache[entry.dev] = entry.mac end
hs.expect_equal("r2 has one neighbour in the cache of each port", cache, { eth0 = routers[1]:dev("eth1").mac,
                                                                           eth1 = routers[3]:dev("eth0").mac })

hs.translate("zh", {
  ["the first packet over k = 3 routers causes k + 1 = 4 requests"] = "第一个分组经过 k = 3 台路由器，引发 k + 1 = 4 个请求",
  ["and 4 replies"] = "以及 4 个应答",
  ["each hop asks for the next one"] = "每一跳询问下一跳",
  ["the second packet causes none"] = "第二个分组不引发任何请求",
  ["it is faster by 4 * 2 * (1 ms + 5.76 us)"] = "它快了 4 * 2 * (1 ms + 5.76 us)",
  ["r2 has one neighbour in the cache of each port"] = "r2 在每个端口的缓存中有一个邻居",
})
