-- SOCK-03  When connect and accept return.
-- connect() returns when the SYN-ACK has come: one round trip after the SYN left. accept() returns when the third segment has come:
-- half a round trip later. The handshake itself is the kernels' work (RFC 9293 3.5): accept takes no part in it.
local hs = require "hopscope"
hs.title { en = "SOCK-03 When connect and accept return", zh = "SOCK-03 connect 和 accept 何时返回" }

local client, server = hs.host "client", hs.host "server"
hs.link(client, server, { delay = "10ms" }) -- infinitely fast: the round trip is 20 ms exactly
client:arp_set("server", server:dev().mac)
server:arp_set("client", client:dev().mac)

local connected, accepted, reply_seen
local frames = hs.frames { filter = function(p) return p.tcp end }

server:spawn(function(os)
  local listener = os.tcp():bind(5678):listen(128)
  local conn
  -- Half a round trip after the SYN has come, the connection is still half open: there is nothing to write to.
  os.sleep "25ms"
  hs.expect_equal("at 1.25 round trips the server still has no connection", { listener:accept(0) }, { nil, "EAGAIN" })
  hs.expect_equal("only a request for one", #server:sockets "SYN-RECEIVED", 1)
  conn = listener:accept()
  accepted = hs.now()
  conn:write "welcome"
end)

hs.note {
  en = "The client connects at 0. SYN there, SYN-ACK back: connect returns after 20 ms. Its ACK needs 10 ms more: accept returns after 30 ms.",
  zh = "客户端在 0 时连接。SYN 过去，SYN-ACK 回来：connect 在 20 ms 之后返回。它的 ACK 还需要 10 ms：accept 在 30 ms 之后返回。",
}
client:spawn(function(os)
  local conn = os.tcp():connect("server", 5678)
  connected = hs.now()
  conn:read()
  reply_seen = hs.now()
end)
hs.run "1s"

hs.expect_equal("connect returns one round trip after the SYN", connected, "20ms")
hs.expect_equal("accept returns one and a half", accepted, "30ms")
hs.expect_equal("the first byte a server can write arrives after two", reply_seen, "40ms")
hs.expect_equal("the SYN-ACK left when the SYN came, although nobody had called accept", frames[2].time, "10ms")
hs.expect("it is one", frames[2].packet.tcp.syn and frames[2].packet.tcp.ack, frames[2].summary)

hs.translate("zh", {
  ["at 1.25 round trips the server still has no connection"] = "在 1.25 个往返时服务器还没有连接",
  ["only a request for one"] = "只有一个连接请求",
  ["connect returns one round trip after the SYN"] = "connect 在 SYN 之后一个往返返回",
  ["accept returns one and a half"] = "accept 在一个半之后返回",
  ["the first byte a server can write arrives after two"] = "服务器能写的第一个字节在两个之后到达",
  ["the SYN-ACK left when the SYN came, although nobody had called accept"] = "SYN 一到 SYN-ACK 就离开，尽管没有人调用过 accept",
  ["it is one"] = "就是一个",
})
