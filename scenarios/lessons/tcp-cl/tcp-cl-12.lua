-- TCP-CL-12  FIN_WAIT_2 after shutdown.
-- After shutdown(write) the process still has the socket and may want to read: there is no limit to FIN-WAIT-2 then, whatever
-- tcp_fin_timeout says (RFC 9293 3.10.4; Linux: the limit is for orphans).
local hs = require "hopscope"
hs.title { en = "TCP-CL-12 FIN_WAIT_2 after shutdown", zh = "TCP-CL-12 shutdown 之后的 FIN_WAIT_2" }

local client, server = hs.host "client", hs.host "server"
hs.link(client, server, { delay = "10ms" })
server:spawn(function(os)
  local conn = os.tcp():bind(5000):listen(8):accept()
  conn:read()
  os.sleep "3600s"
  hs.note { en = "An hour later the server sends what it had to say.", zh = "一小时之后，服务器发送它要说的话。" }
  conn:write "after an hour"
  os.sleep "1h"
end)
local read, state
client:spawn(function(os)
  local conn = os.tcp():connect("server", 5000)
  conn:shutdown "write"
  os.sleep "3599s"
  local sock = client:sockets()[1]
  hs.note({ en = "After an hour the client's socket is in %s.", zh = "一小时之后，客户端的套接字处于 %s。" }, sock.state)
  hs.expect_equal("still FIN-WAIT-2 after an hour", { sock.state, conn:state() }, { "FIN-WAIT-2", "FIN-WAIT-2" })
  hs.expect_equal("it is no orphan", sock.orphan, false)
  read = conn:read()
  state = conn:state()
  os.sleep "1h"
end)
hs.run "4000s"
hs.expect_equal("data can still be read", read, "after an hour")
hs.expect_equal("and it is still half-closed", state, "FIN-WAIT-2")

hs.translate("zh", {
  ["still FIN-WAIT-2 after an hour"] = "一小时之后仍是 FIN-WAIT-2",
  ["it is no orphan"] = "它不是孤儿",
  ["data can still be read"] = "数据仍然可以读取",
  ["and it is still half-closed"] = "并且仍是半关闭",
})
