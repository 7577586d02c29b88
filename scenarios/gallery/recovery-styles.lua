-- Tahoe, Reno and NewReno: what the loss recoveries of 1988, 1990 and 1999 make of the same bottleneck.
--
--   client ───── router ───── server
--     10 Mbit/s     2 Mbit/s, 30 ms, queue of 20 packets
--
-- hopscope plot scenarios/gallery/recovery-styles.lua --vary style=tahoe,reno,newreno
local hs = require "hopscope"

local style = hs.param("style", "newreno", "loss recovery: tahoe, reno, newreno")
local number = assert(({ tahoe = 1, reno = 2, newreno = 3 })[style], "style is tahoe, reno or newreno")

local client = hs.host("client", { sysctl = { ["hopscope.tcp_recovery_style"] = number, ["net.ipv4.tcp_sack"] = 0 } })
local router, server = hs.router "router", hs.host "server"
hs.link(client, router, { rate = "10Mbps", delay = "1ms" })
hs.link(router, server, { rate = "2Mbps", delay = "30ms", queue = { "droptail", packets = 20 } })
client:dev():tso(false)
server:tcp_sink(5001)
client:tcp_source { to = server, port = 5001, congestion = "reno" }

-- Recoveries that began before the first slow start's losses were repaired say most.
local lowest = math.huge
hs.on("tcp.cwnd", function(e) if e.time > 6 then lowest = math.min(lowest, e.cwnd) end end, { node = client })
hs.run "20s"

hs.expect("only Tahoe begins again with one segment", (lowest == 1) == (style == "tahoe"), lowest)
