-- Two flows share a bottleneck: the second one begins after ten seconds, and both end up with a half.
--
--   a ───┐
--        router ───── server     10 Mbit/s, 20 ms, queue of 60 packets
--   b ───┘
local hs = require "hopscope"

local cc = hs.param("cc", "reno", "congestion control: reno, cubic")

local a, b, router, server = hs.host "a", hs.host "b", hs.router "router", hs.host "server"
for _, host in ipairs { a, b } do hs.link(host, router, { rate = "100Mbps", delay = "1ms" }) end
hs.link(router, server, { rate = "10Mbps", delay = "20ms", queue = { "droptail", packets = 60 } })
local sink = server:tcp_sink(5001)
a:tcp_source { to = server, port = 5001, congestion = cc }
b:tcp_source { to = server, port = 5001, congestion = cc, start = "10s" }
hs.plot.figure { "throughput", "fairness", file = "two-flows.svg", interval = "1s", title = "Two flows share 10 Mbit/s" }
hs.run "60s"

hs.expect("the bottleneck is kept busy", sink:stats().bytes * 8 / 60 > 9e6, sink:stats().bytes)
