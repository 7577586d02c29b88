-- Late, not lost: three segments are overtaken by many others, and the sender takes them for lost and sends them again.
-- From the timestamps of the ACKs it learns that it need not have (RFC 3522), and takes its smaller window back; the
-- receiver reports what came twice in D-SACK blocks (RFC 2883).
--
--   client ───── router ───── server
--     100 Mbit/s    20 Mbit/s, 20 ms
-- tshark-allow: This frame is a (suspected) out-of-order segment (three are late)
-- tshark-allow: Previous segment(s) not captured (three are late)
-- tshark-allow: D-SACK Sequence (what is sent again arrives twice)
local hs = require "hopscope"

local client, router, server = hs.host "client", hs.router "router", hs.host "server"
hs.link(client, router, { rate = "100Mbps", delay = "1ms" })
local link = hs.link(router, server, { rate = "20Mbps", delay = "20ms" })
client:dev():tso(false)
server:tcp_sink(5001)
client:tcp_source { to = server, port = 5001, congestion = "reno", bytes = 130 * 1448 }

local late = { [40] = true, [42] = true, [44] = true }
link:dir(router):rule(function(p)
  if p.tcp and late[p.tcp.data_nth] and not p.tcp.retransmission then return { "delay", "12ms", overtake = true } end
end)
hs.plot.figure { "cwnd", "sequence", file = "spurious.svg", from = "100ms", title = "Late, not lost: sent again without need" }
hs.on("tcp.recovery", function(e)
  if e.what == "undo" then hs.plot.note(hs.now(), "not lost") end
end, { node = client })
hs.run "2s"

hs.expect_equal("they are sent again", client:counter "TcpRetransSegs", 3)
hs.expect_equal("the receiver tells that they had come", client:counter "TcpExtTCPDSACKRecv", 3)
hs.expect_equal("the window is restored", client:counter "TcpExtTCPPartialUndo" + client:counter "TcpExtTCPFullUndo", 1)

hs.translate("zh", {
  ["they are sent again"] = "它们被重传",
  ["the receiver tells that they had come"] = "接收方告知它们已经到过",
  ["the window is restored"] = "窗口恢复原来的大小",
})
