-- Reno's sawtooth: one bulk transfer through a bottleneck with a drop-tail queue.
--
--   client ───── router ───── server
--     100 Mbit/s    10 Mbit/s, 20 ms, queue of 50 packets
-- tshark-allow: This frame is a (suspected) out-of-order segment (repetitions of what was lost come late)
-- tshark-allow: Previous segment(s) not captured (what is lost never arrives)
local hs = require "hopscope"

local cc = hs.param("cc", "reno", "congestion control: reno, cubic")
local packets = hs.param("queue", 50, "packets that fit into the queue")

local client, router, server = hs.host "client", hs.router "router", hs.host "server"
hs.link(client, router, { rate = "100Mbps", delay = "1ms" })
hs.link(router, server, { rate = "10Mbps", delay = "20ms", queue = { "droptail", packets = packets } })
local sink = server:tcp_sink(5001)
client:tcp_source { to = server, port = 5001, congestion = cc }
hs.plot.cwnd { file = "reno-sawtooth.svg", title = "Reno's sawtooth" }
-- 10 Mbit/s for 43.4 ms, in frames of 1538 byte times.
hs.plot.level("cwnd", 35, "what the path holds without a queue")
hs.run "30s"

hs.expect("the bottleneck is kept busy", sink:stats().bytes * 8 / 30 > 9e6, sink:stats().bytes)
hs.expect("the window was halved several times", client:counter "TcpExtTCPSackRecovery" >= 3, client:counter "TcpExtTCPSackRecovery")

hs.translate("zh", {
  ["the bottleneck is kept busy"] = "瓶颈一直忙碌",
  ["the window was halved several times"] = "窗口多次减半",
})
