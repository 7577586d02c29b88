-- Time and sequence numbers while three lost segments are repaired with selective acknowledgments.
--
--   client ───── router ───── server
--     100 Mbit/s    10 Mbit/s, 20 ms
-- tshark-allow: This frame is a (suspected) out-of-order segment (repetitions of what was lost come late)
-- tshark-allow: Previous segment(s) not captured (what is lost never arrives)
local hs = require "hopscope"

local client, router, server = hs.host "client", hs.router "router", hs.host "server"
local link = hs.link(client, router, { rate = "100Mbps", delay = "1ms" })
hs.link(router, server, { rate = "10Mbps", delay = "20ms" })
hs.prepare()
client:route_replace { to = "10.0.1.0/24", via = "10.0.0.1", dev = "eth0", ssthresh = 16, lock = "ssthresh" }
client:dev():tso(false)
server:tcp_sink(5001)
client:tcp_source { to = server, port = 5001, congestion = "reno", bytes = 110 * 1448 }

local lost = { [48] = true, [50] = true, [53] = true }
link:dir(client):rule(function(p)
  if p.tcp and lost[p.tcp.data_nth] and not p.tcp.retransmission then return "drop" end
end)
hs.plot.sequence { file = "sack-recovery.svg", from = "150ms", title = "Three losses repaired with SACK" }
hs.run "2s"

hs.expect_equal("as many are sent again as were lost", client:counter "TcpRetransSegs", 3)
hs.expect_equal("in one recovery", client:counter "TcpExtTCPSackRecovery", 1)
hs.expect_equal("without a timeout", client:counter "TcpExtTCPTimeouts", 0)

hs.translate("zh", {
  ["as many are sent again as were lost"] = "重传的与丢失的一样多",
  ["in one recovery"] = "在一次恢复中",
  ["without a timeout"] = "没有超时",
})
