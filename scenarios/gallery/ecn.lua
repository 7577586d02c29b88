-- Reno's sawtooth without a loss: the queue marks packets when more than 20 wait (ECN, RFC 3168), and the sender
-- takes a mark like a loss, but has nothing to send again.
--
--   client ───── router ───── server
--     100 Mbit/s    10 Mbit/s, 20 ms, queue of 100 packets, marks from 20 on
local hs = require "hopscope"

local client, router, server = hs.host("client", { sysctl = { ["net.ipv4.tcp_ecn"] = 1 } }), hs.router "router", hs.host "server"
hs.link(client, router, { rate = "100Mbps", delay = "1ms" })
hs.link(router, server, { rate = "10Mbps", delay = "20ms", queue = { "droptail", packets = 100, ecn = 20 } })
server:tcp_sink(5001)
client:tcp_source { to = server, port = 5001, congestion = "reno" }
hs.plot.figure { "cwnd", "ssthresh", "mark", "queue", file = "ecn.svg", title = "Marks in the place of losses" }
hs.plot.level("queue", 20, "marks from here on")
hs.run "12s"

hs.expect_equal("nothing is sent again", client:counter "TcpRetransSegs", 0)

hs.translate("zh", {
  ["nothing is sent again"] = "没有任何重传",
})
