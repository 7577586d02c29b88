-- CUBIC's curve: after a loss the window returns to where it was on a cubic curve that is flat there, K seconds
-- later, and then probes beyond it, faster and faster (RFC 9438 4.2).
--
--   client ───── server     200 Mbit/s, 50 ms one way; one segment is lost in slow start
-- tshark-allow: Previous segment(s) not captured (what is lost never arrives)
local hs = require "hopscope"

local client, server = hs.host "client", hs.host "server"
local link = hs.link(client, server, { rate = "200Mbps", delay = "50ms", queue = 10000 })
server:tcp_sink(5001)
client:tcp_source { to = server, port = 5001, congestion = "cubic", sndbuf = "32MB" }
hs.plot.cwnd { file = "cubic.svg", title = "CUBIC after one loss" }

link:dir(client):rule(function(p)
  if p.tcp and p.tcp.data_nth == 500 and not p.tcp.retransmission then return "drop" end
end)

-- W_max is the window at the loss. It shrinks to 0.7 of that, and is back after K = cbrt(0.3 W_max / 0.4) seconds.
local w_max, at, K, seen = nil, nil, nil, nil
hs.on("tcp.cwnd", function(e)
  if not at and e.ca_state == "open" then w_max = e.cwnd end
  if not at and e.ca_state == "recovery" then at, K = e.time, (0.3 * w_max / 0.4) ^ (1 / 3) end
  if not seen and at and e.time >= at + K then seen = e.cwnd end
end, { node = client })
hs.run "13s"

hs.plot.level("cwnd", w_max, string.format("W_max = %d", w_max))
hs.plot.note(at, "loss")
hs.plot.note(at + K, string.format("K = %.1f s later", K))
hs.expect_near("K seconds after the loss the window is where it was", seen, w_max, 0.03 * w_max)

hs.translate("zh", {
  ["K seconds after the loss the window is where it was"] = "丢失之后 K 秒，窗口回到原来的大小",
})
