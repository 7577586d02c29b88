-- TCP-CL-13  Simultaneous close.
-- Both ends send a FIN before they see the other's. Each gets a FIN where it expected the acknowledgment of its own, goes from FIN-WAIT-1 to
-- CLOSING, and on the ACK to TIME-WAIT (RFC 9293 3.6, figure 13). Both wait, and there are four segments.
local hs = require "hopscope"
hs.title { en = "TCP-CL-13 Simultaneous close", zh = "TCP-CL-13 同时关闭" }

local client, server = hs.host "client", hs.host "server"
hs.link(client, server, { delay = "10ms" })
local states, segments, said = { client = {}, server = {} }, {}, {}
hs.on("tcp.state", function(e)
  if e.remote_port ~= 0 and e.new ~= "SYN-SENT" and e.new ~= "SYN-RECEIVED" then table.insert(states[e.node], e.new) end
end)
local closing_at
hs.on("frame.tx", function(e)
  local tcp = e.packet.tcp
  if tcp and closing_at and e.time >= closing_at then
    local at = (e.time - closing_at) * 1000
    segments[#segments + 1] = string.format("%s %s at %.0f ms", e.node, tcp.fin and "FIN" or "ACK", at)
    said[#said + 1] = { en = segments[#segments], zh = string.format("%s 在 %.0f ms 时发送 %s", e.node, at, tcp.fin and "FIN" or "ACK") }
  end
end)
-- Both know the time.
server:spawn(function(os)
  local conn = os.tcp():bind(5000):listen(8):accept()
  os.sleep(1 - hs.now())
  conn:close()
end)
client:spawn(function(os)
  local conn = os.tcp():connect("server", 5000)
  os.sleep(1 - hs.now())
  conn:close()
end)
hs.run_until "999ms"
closing_at = 1
hs.note { en = "At 1 s both ends close.", zh = "1 s 时两端都关闭。" }
hs.run "70s"
for _, s in ipairs(said) do hs.note(s) end
local both = { "ESTABLISHED", "FIN-WAIT-1", "CLOSING", "TIME-WAIT", "CLOSED" }
hs.expect_equal("the client: FIN-WAIT-1, CLOSING, TIME-WAIT", states.client, both)
hs.expect_equal("the server: the same", states.server, both)
table.sort(segments)
hs.expect_equal("four segments: two FINs, and two ACKs when the other's FIN has come", segments,
  { "client ACK at 10 ms", "client FIN at 0 ms", "server ACK at 10 ms", "server FIN at 0 ms" })

hs.translate("zh", {
  ["the client: FIN-WAIT-1, CLOSING, TIME-WAIT"] = "客户端：FIN-WAIT-1、CLOSING、TIME-WAIT",
  ["the server: the same"] = "服务器：同样",
  ["four segments: two FINs, and two ACKs when the other's FIN has come"] = "四个报文段：两个 FIN，以及对方的 FIN 到来后的两个 ACK",
})
