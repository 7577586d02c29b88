-- Two flows share a bottleneck: the second one begins after 15 s, and both end up with a half.
--
--   a ───┐
--        router ───── server     10 Mbit/s, 50 ms, queue of 50 packets
--   b ───┘
-- tshark-allow: This frame is a (suspected) out-of-order segment (repetitions of what was lost come late)
-- tshark-allow: Previous segment(s) not captured (what is lost never arrives)
local hs = require "hopscope"

local cc = hs.param("cc", "reno", "congestion control: reno, cubic")

local a, b, router, server = hs.host "a", hs.host "b", hs.router "router", hs.host "server"
for _, host in ipairs { a, b } do hs.link(host, router, { rate = "100Mbps", delay = "1ms" }) end
hs.link(router, server, { rate = "10Mbps", delay = "50ms", queue = { "droptail", packets = 50 } })
local sink = server:tcp_sink(5001)
a:tcp_source { to = server, port = 5001, congestion = cc }
b:tcp_source { to = server, port = 5001, congestion = cc, start = "15s" }
hs.plot.figure { "throughput", "fairness", file = "two-flows.svg", interval = "2s", title = "Two flows share 10 Mbit/s" }
hs.plot.level("throughput", "5Mbps", "half of the link")
hs.run "80s"

hs.expect("the bottleneck is kept busy", sink:stats().bytes * 8 / 80 > 8.5e6, sink:stats().bytes)

hs.translate("zh", {
  ["the bottleneck is kept busy"] = "瓶颈一直忙碌",
})
