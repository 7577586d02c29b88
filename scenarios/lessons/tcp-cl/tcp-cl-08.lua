-- TCP-CL-08  Second segment (ACK) lost.
-- A bare ACK takes no sequence number, so it is never repeated by itself. Whose FIN was not acknowledged repeats the FIN; the peer has seen it
-- already and acknowledges once more (RFC 9293 3.10.7.4, first check).
-- tshark-allow: D-SACK Sequence (the repeated FIN is reported as a duplicate)
local hs = require "hopscope"
hs.title { en = "TCP-CL-08 Second segment (ACK) lost", zh = "TCP-CL-08 第二个报文段（ACK）丢失" }

local client, server = hs.host "client", hs.host "server"
local link = hs.link(client, server, { delay = "10ms" })
local fins, acks, lost, states = {}, {}, 0, {}
hs.on("frame.tx", function(e)
  local tcp = e.packet.tcp
  if not tcp or tcp.syn then return end
  if tcp.fin and e.packet.from == "client" then fins[#fins + 1] = e.time end
  if #fins > 0 and e.packet.from == "server" then acks[#acks + 1] = e.time end
end)
link:dir(server):rule(function(p)
  if p.tcp and #fins > 0 and lost == 0 then
    lost = 1
    return "drop"
  end
end)
hs.on("tcp.state", function(e) if e.remote_port ~= 0 then states[#states + 1] = e.node .. " " .. e.new end end)
local conn
server:spawn(function(os)
  conn = os.tcp():bind(5000):listen(8):accept()
  os.sleep "24h"
end)
client:spawn(function(os)
  local c = os.tcp():connect("server", 5000)
  os.sleep "100ms"
  hs.note {
    en = "The client closes. The server's ACK of its FIN is lost; the server's application does not close.",
    zh = "客户端关闭。服务器对其 FIN 的 ACK 丢失；服务器的应用程序不关闭。",
  }
  c:shutdown "write"
  os.sleep "24h"
end)
hs.run "10s"
hs.note({
  en = "FINs at %.3f and %.3f s, ACKs at %.3f and %.3f s. The server is in %s.",
  zh = "FIN 在 %.3f 和 %.3f s，ACK 在 %.3f 和 %.3f s。服务器处于 %s。",
}, fins[1], fins[2], acks[1], acks[2], conn:state())
hs.expect_equal("one extra FIN", #fins, 2)
hs.expect_equal("one extra ACK", #acks, 2)
hs.expect_near("the second ACK answers the second FIN", acks[2] - fins[2], "10ms", "1us")
hs.expect_equal("the peer stays in CLOSE-WAIT", conn:state(), "CLOSE-WAIT")
hs.expect_equal("the closer has reached FIN-WAIT-2", client:sockets()[1].state, "FIN-WAIT-2")

hs.translate("zh", {
  ["one extra FIN"] = "多一个 FIN",
  ["one extra ACK"] = "多一个 ACK",
  ["the second ACK answers the second FIN"] = "第二个 ACK 应答第二个 FIN",
  ["the peer stays in CLOSE-WAIT"] = "对方停在 CLOSE-WAIT",
  ["the closer has reached FIN-WAIT-2"] = "关闭的一方到达了 FIN-WAIT-2",
})
