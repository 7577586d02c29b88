-- TCP-CL-15  Abortive close.
-- SO_LINGER with a time of 0 turns close into an abort: one RST, no FIN, no TIME-WAIT, and what was still in the send buffer is thrown away
-- (RFC 9293 3.10.5 ABORT; Linux tcp_disconnect). The peer reads "connection reset by peer".
-- tshark-allow: Connection reset (RST) (that is what the lesson is about)
local hs = require "hopscope"
hs.title { en = "TCP-CL-15 Abortive close", zh = "TCP-CL-15 异常中止的关闭" }

local client, server = hs.host "client", hs.host "server"
hs.link(client, server, { delay = "10ms" })
local segments, states, err = {}, { client = {}, server = {} }, nil
hs.on("frame.tx", function(e)
  local tcp = e.packet.tcp
  if tcp and e.time > 0.5 then segments[#segments + 1] = e.node .. (tcp.rst and " RST" or tcp.fin and " FIN" or " other") end
end)
hs.on("tcp.state", function(e) if e.remote_port ~= 0 then table.insert(states[e.node], e.new) end end)
server:spawn(function(os)
  local conn = os.tcp():bind(5000):listen(8):accept()
  local _, why = conn:read()
  err = why
  os.sleep "1h"
end)
client:spawn(function(os)
  local conn = os.tcp():connect("server", 5000)
  os.sleep "1s"
  hs.note { en = "The client sets SO_LINGER to 0 seconds and closes.", zh = "客户端把 SO_LINGER 设为 0 秒，然后关闭。" }
  conn:setopt("SO_LINGER", 0)
  conn:close()
end)
hs.run "10s"
hs.note({ en = "Segments: %s. The server's read says %s.", zh = "报文段：%s。服务器的 read 返回 %s。" }, table.concat(segments, ", "), err)
hs.expect_equal("one RST, no four segments", segments, { "client RST" })
hs.expect_equal("the client goes from ESTABLISHED to CLOSED", states.client, { "SYN-SENT", "ESTABLISHED", "CLOSED" })
hs.expect_equal("so does the server", { states.server[#states.server - 1], states.server[#states.server] }, { "ESTABLISHED", "CLOSED" })
hs.expect_equal("no TIME-WAIT anywhere", #client:sockets "TIME-WAIT" + #server:sockets "TIME-WAIT", 0)
hs.expect_equal("connection reset by peer", err, "ECONNRESET")

hs.translate("zh", {
  ["one RST, no four segments"] = "一个 RST，而没有四个报文段",
  ["the client goes from ESTABLISHED to CLOSED"] = "客户端从 ESTABLISHED 到 CLOSED",
  ["so does the server"] = "服务器也是",
  ["no TIME-WAIT anywhere"] = "哪里都没有 TIME-WAIT",
  ["connection reset by peer"] = "连接被对方复位",
})
