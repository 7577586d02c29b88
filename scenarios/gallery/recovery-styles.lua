-- Tahoe, Reno and NewReno: what the loss recoveries of 1988, 1990 and 1999 make of the same losses, one segment
-- after 4 s, and three segments of one window after 10 s.
--
--   client ───── server     10 Mbit/s, 30 ms one way
--
-- hopscope plot scenarios/gallery/recovery-styles.lua --vary style=tahoe,reno,newreno
-- tshark-allow: This frame is a (suspected) out-of-order segment (repetitions of what was lost come late)
-- tshark-allow: Previous segment(s) not captured (what is lost never arrives)
local hs = require "hopscope"

local style = hs.param("style", "newreno", "loss recovery: tahoe, reno, newreno")
local number = assert(({ tahoe = 1, reno = 2, newreno = 3 })[style], "style is tahoe, reno or newreno")

-- As in BSD then, the window grows with the number of ACKs, whatever they acknowledge (hopscope.tcp_quirks 0x800).
local client = hs.host("client", {
  sysctl = { ["hopscope.tcp_recovery_style"] = number, ["net.ipv4.tcp_sack"] = 0, ["hopscope.tcp_quirks"] = 0x800 },
})
local server = hs.host "server"
local link = hs.link(client, server, { rate = "10Mbps", delay = "30ms", queue = 1000 })
client:dev():tso(false)
server:tcp_sink(5001)
client:tcp_source { to = server, port = 5001, congestion = "reno" }

-- How many of the next segments are lost; of several every other one.
local lose, skip = 0, false
link:dir(client):rule(function(p)
  if not p.tcp or p.tcp.len == 0 or p.tcp.retransmission then return end
  if p.tcp.data_nth == 60 then return "drop" end
  if lose == 0 then return end
  skip = not skip
  if skip then return end
  lose = lose - 1
  return "drop"
end)
for at, n in pairs { ["4s"] = 1, ["10s"] = 3 } do hs.at(at, function() lose, skip = n, true end) end
hs.run "16s"

local timeouts = client:counter "TcpExtTCPTimeouts"
hs.expect_equal("of three losses in a window only Reno is left to its timer", timeouts, style == "reno" and 1 or 0)

hs.translate("zh", {
  ["of three losses in a window only Reno is left to its timer"] = "一个窗口内丢失三个时，只有 Reno 要靠计时器",
})
