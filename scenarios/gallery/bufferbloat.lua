-- Bufferbloat: a queue that is far too long for its link makes everybody wait.
--
--   client ───── router ───── server
--     1 Gbit/s     5 Mbit/s, 10 ms, queue of 500 packets (or --set queue=20)
-- tshark-allow: This frame is a (suspected) out-of-order segment (repetitions of what was lost come late)
-- tshark-allow: Previous segment(s) not captured (what is lost never arrives)
local hs = require "hopscope"

local packets = hs.param("queue", 500, "packets that fit into the queue")

local client, router, server = hs.host "client", hs.router "router", hs.host "server"
hs.link(client, router, { rate = "1Gbps", delay = "1ms" })
hs.link(router, server, { rate = "5Mbps", delay = "10ms", queue = { "droptail", packets = packets } })
server:tcp_sink(5001)
client:tcp_source { to = server, port = 5001, congestion = "cubic", start = "1s" }

hs.plot.figure { "rtt", "queue", file = "bufferbloat.svg", title = "Bufferbloat: a queue of " .. packets .. " packets" }
hs.plot.level("queue", packets, "full")

local slowest = 0
hs.on("tcp.rtt", function(e) slowest = math.max(slowest, e.sample_us / 1e6) end, { node = client })
hs.run "30s"

local full = packets * 1514 * 8 / 5e6
hs.expect("who waits behind a full queue waits as long as it takes to send it", slowest > 0.9 * full, slowest)

hs.translate("zh", {
  ["who waits behind a full queue waits as long as it takes to send it"] = "排在满队列后面的，要等到把整个队列发完",
})
