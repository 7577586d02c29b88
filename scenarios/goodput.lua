-- run-args: --set time=2s --set rate=5Mbps
-- tshark-allow: Previous segment (the link loses some)
-- tshark-allow: out-of-order segment (they are sent again)
--
-- How much does one TCP connection get through a link that loses packets? A scenario for sweeps:
--
--   hopscope sweep scenarios/goodput.lua --grid loss=0.001,0.003,0.01,0.03 --grid rtt=10ms,100ms --seeds 1..10 --table
--
-- Mathis, Semke, Mahdavi and Ott ("The macroscopic behavior of the TCP congestion avoidance algorithm", 1997) compute
-- for Reno's sawtooth MSS / RTT * sqrt(3/2) / sqrt(loss): the result "law". It counts no timeouts, so that it is too
-- high where many packets are lost, and knows no limit, so that the link's rate is above all.
local hs = require "hopscope"

local loss = hs.param("loss", 0.01, "share of packets that are lost on the way to the server")
local rtt = hs.param("rtt", "20ms", "round-trip time")
local rate = hs.param("rate", "100Mbps", "rate of the link")
local congestion = hs.param("congestion", "reno", "congestion control")
local time = hs.param("time", "60s", "how long is measured, after 5 s to start")

local client, server = hs.host "client", hs.host "server"
local link = hs.link(client, server, { rate = rate, delay = hs.seconds(rtt) / 2, queue = 1000 })
link:dir(client):set { loss = loss }
local sink = server:tcp_sink(5001)
client:tcp_source { to = "server", port = 5001, congestion = congestion }

-- Goodput of each second: samples, of which a sweep can make batch means.
local samples, before = {}, 0
hs.run "5s"
before = sink:stats().bytes
hs.every("1s", function()
  local now = sink:stats().bytes
  samples[#samples + 1] = (now - before) * 8
  before = now
end)
hs.run(time)

local mss = 1448
hs.result("goodput", samples, { unit = "bit/s", help = "goodput" })
hs.result("law", loss > 0 and mss * 8 / hs.seconds(rtt) * math.sqrt(3 / 2 / loss) or nil,
  { unit = "bit/s", help = "square-root law" })
hs.result("retransmitted", client:counter "TcpRetransSegs", { help = "segments sent again" })
hs.result("timeouts", client:counter "TcpExtTCPTimeouts", { help = "timeouts" })
