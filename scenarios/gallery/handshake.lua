-- The three-way handshake, a request and its answer.
--
--   client ───── server     100 Mbit/s, 10 ms one way
local hs = require "hopscope"
hs.title { en = "Three-way handshake, request and answer", zh = "三次握手、请求与应答" }

local client, server = hs.host "client", hs.host "server"
hs.link(client, server, { rate = "100Mbps", delay = "10ms" })
client:arp_set("server", server:dev().mac)
server:arp_set("client", client:dev().mac)
server:spawn(function(os)
  local conn = os.tcp():bind(80):listen(8):accept()
  conn:read()
  conn:write(("x"):rep(4000))
  os.sleep "10s"
end)
client:spawn(function(os)
  local conn = os.tcp():connect(server, 80)
  conn:write "GET / HTTP/1.1\r\nHost: server\r\n\r\n"
  conn:read()
  os.sleep "10s"
end)
hs.ladder { between = { client, server }, file = "handshake.svg" }
hs.run "1s"

hs.expect_equal("a connection each", client:counter "TcpActiveOpens" + server:counter "TcpPassiveOpens", 2)
hs.expect_equal("nothing was sent again", server:counter "TcpRetransSegs", 0)

hs.translate("zh", {
  ["a connection each"] = "各有一条连接",
  ["nothing was sent again"] = "没有任何重传",
})
