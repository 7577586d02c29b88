-- SOCK-04  No accept needed to connect.
-- The kernel finishes handshakes by itself and queues the connections; it also takes their data into the receive buffer and
-- acknowledges it. accept() only takes a finished connection from the queue (listen(2)).
local hs = require "hopscope"
hs.title { en = "SOCK-04 No accept needed to connect", zh = "SOCK-04 连接不需要 accept" }

local client, server = hs.host "client", hs.host "server"
hs.link(client, server, { delay = "10ms" })
client:arp_set("server", server:dev().mac)
server:arp_set("client", client:dev().mac)

local connected, sock
server:spawn(function(os)
  local listener = os.tcp():bind(5678):listen(128)
  os.sleep "10s"
  hs.note { en = "Ten seconds later the server calls accept at last.", zh = "十秒之后，服务器终于调用 accept。" }
  local conn = listener:accept()
  hs.expect_equal("accept takes no time", hs.now(), "10s")
  local got = 0
  for data in function() return conn:read() end do got = got + #data end
  hs.expect_equal("all the data is still there", got, 5000)
end)
client:spawn(function(os)
  sock = os.tcp()
  sock:connect("server", 5678)
  connected = hs.now()
  sock:write(hs.payload(5000))
  sock:shutdown "write"
  os.sleep "20s"
end)

hs.note {
  en = "The client connects and writes 5000 bytes. Nobody at the server has called accept.",
  zh = "客户端连接并写入 5000 字节。服务器上没有人调用过 accept。",
}
hs.run "1s"
hs.expect_equal("the client is connected after one round trip", connected, "20ms")
local info = sock:info()
hs.expect_equal("SYN, data and FIN are acknowledged: 1 + 5000 + 1", info.bytes_acked, 5002)
hs.expect_equal("nothing waits in the send buffer", info.send_q, 0)
local waiting = server:sockets()
hs.expect_equal("one connection waits in the queue of 128", { waiting[1].state, waiting[1].recv_q, waiting[1].send_q }, { "LISTEN", 1, 128 })
hs.expect_equal("its 5000 bytes wait in its own receive buffer", server:sockets("CLOSE-WAIT")[1].recv_q, 5000)
hs.run "10s"

hs.translate("zh", {
  ["the client is connected after one round trip"] = "客户端在一个往返之后已连接",
  ["SYN, data and FIN are acknowledged: 1 + 5000 + 1"] = "SYN、数据和 FIN 都得到确认：1 + 5000 + 1",
  ["nothing waits in the send buffer"] = "发送缓冲区里没有什么在等待",
  ["one connection waits in the queue of 128"] = "128 的队列里有一条连接在等待",
  ["its 5000 bytes wait in its own receive buffer"] = "它的 5000 字节在它自己的接收缓冲区里等待",
  ["accept takes no time"] = "accept 不花时间",
  ["all the data is still there"] = "全部数据还在",
})
