-- Four segments close a connection; who closed first waits in TIME-WAIT for a minute, so that an old segment cannot disturb a new
-- connection, and so that the last ACK can be repeated.
--
--   client ───── server     100 Mbit/s, 10 ms one way
local hs = require "hopscope"
hs.title { en = "Four-way close and TIME-WAIT", zh = "四次挥手与 TIME-WAIT" }

local client, server = hs.host "client", hs.host "server"
hs.link(client, server, { rate = "100Mbps", delay = "10ms" })
client:arp_set("server", server:dev().mac)
server:arp_set("client", client:dev().mac)
local closed_at
hs.on("tcp.state", function(e) if e.new == "CLOSED" then closed_at = e.time end end, { node = client })
server:spawn(function(os)
  local conn = os.tcp():bind(80):listen(8):accept()
  conn:read() -- the end of what the client sends
  os.sleep "100ms"
  conn:close()
  os.sleep "100s"
end)
client:spawn(function(os)
  local conn = os.tcp():connect(server, 80)
  os.sleep "100ms"
  conn:shutdown "write"
  conn:read()
  conn:close()
end)
hs.ladder { between = { client, server }, file = "close.svg", from = "100ms" }
hs.run "100s"

hs.expect("the client was a minute in TIME-WAIT", closed_at and closed_at > 60 and closed_at < 61, closed_at)

hs.translate("zh", {
  ["the client was a minute in TIME-WAIT"] = "客户端在 TIME-WAIT 中停留了一分钟",
})
