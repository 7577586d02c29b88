-- Two flows share a bottleneck: the second one begins after 20 s, and both end up with a half.
--
--   a ───┐
--        router ───── server     20 Mbit/s, 50 ms, queue of 80 packets
--   b ───┘
local hs = require "hopscope"

local cc = hs.param("cc", "reno", "congestion control: reno, cubic")

local a, b, router, server = hs.host "a", hs.host "b", hs.router "router", hs.host "server"
for _, host in ipairs { a, b } do hs.link(host, router, { rate = "100Mbps", delay = "1ms" }) end
hs.link(router, server, { rate = "20Mbps", delay = "50ms", queue = { "droptail", packets = 80 } })
local sink = server:tcp_sink(5001)
a:tcp_source { to = server, port = 5001, congestion = cc }
b:tcp_source { to = server, port = 5001, congestion = cc, start = "20s" }
hs.plot.figure { "throughput", "fairness", file = "two-flows.svg", interval = "2s", title = "Two flows share 20 Mbit/s" }
hs.run "120s"

hs.expect("the bottleneck is kept busy", sink:stats().bytes * 8 / 120 > 17e6, sink:stats().bytes)
