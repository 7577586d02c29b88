-- Slow start: ten segments at first (RFC 6928), twice as many in each round trip.
--
--   client ───── server     50 Mbit/s, 50 ms one way
local hs = require "hopscope"

local client, server = hs.host "client", hs.host "server"
hs.link(client, server, { rate = "50Mbps", delay = "50ms" })
hs.prepare()
server:route_replace { to = "10.0.0.0/24", dev = "eth0", quickack = 1 }
server:tcp_sink(5001)
client:tcp_source { to = server, port = 5001, congestion = "reno", bytes = 150 * 1448 }
hs.plot.figure { "cwnd", "inflight", "sequence", file = "slow-start.svg", from = "200ms", title = "Slow start: 10, 20, 40, 80 segments" }

local rounds, first = {}, nil
hs.on("frame.tx", function(e)
  local tcp = e.packet.tcp
  if not tcp or tcp.len == 0 then return end
  first = first or e.time
  local round = math.floor((e.time - first) / 0.1) + 1
  rounds[round] = (rounds[round] or 0) + 1
end, { node = client })
hs.run "1s"

hs.expect_equal("segments in each round trip", rounds, { 10, 20, 40, 80 })

hs.translate("zh", {
  ["segments in each round trip"] = "每个往返中的报文段",
})
