-- TCP-RST-01  RST ends everything.
-- Closing with SO_LINGER set to 0 is no close but an abort: one RST, and the connection is gone at both ends. There is nothing to
-- acknowledge and nobody waits (RFC 9293 3.5.3, 3.10.5). What was still in a send buffer is lost; the peer's calls say ECONNRESET.
-- tshark-allow: Connection reset (RST) (that is what the lesson is about)
-- tshark-allow: TCP Zero Window segment (the client does not read)
-- tshark-allow: TCP window specified by the receiver is now completely full (the client does not read)
local hs = require "hopscope"
hs.title { en = "TCP-RST-01 RST ends everything", zh = "TCP-RST-01 RST 结束一切" }

local client, server = hs.host "client", hs.host "server"
hs.link(client, server, { rate = "100Mbps", delay = "10ms" })
local frames = hs.frames { filter = function(p) return p.tcp end }
local closed = {}
hs.on("tcp.state", function(e) if e.new == "CLOSED" then closed[e.node] = e.time end end)

local server_conn, server_error, server_again, aborted
server:spawn(function(os)
  local listener = os.tcp():bind(5000):listen(8)
  server_conn = listener:accept()
  server_conn:setopt("SO_SNDBUF", 100000)
  os.spawn(function() server_conn:write(("x"):rep(100000)) end)
  local data, err = server_conn:read() -- nothing will ever come
  server_error = { data, err, hs.now() - aborted }
  server_again = { server_conn:write "more" }
end)
client:spawn(function(os)
  local conn = os.tcp({ rcvbuf = 10000 }):connect("server", 5000)
  hs.note {
    en = "The client does not read: its small receive buffer fills, the rest of the server's 100 kB waits in the server's send buffer.",
    zh = "客户端不读取：它的小接收缓冲区满了，服务器的 100 kB 中其余的部分在服务器的发送缓冲区里等待。",
  }
  os.sleep "1950ms"
  local here, there = conn:info(), server_conn:info()
  hs.note({
    en = "%d bytes are unread at the client, %d unsent at the server, nothing is on the way.",
    zh = "客户端有 %d 字节未读，服务器有 %d 字节未发，途中什么也没有。",
  }, here.recv_q, there.notsent_bytes)
  hs.expect_equal("every byte is in one of the two buffers", here.recv_q + there.notsent_bytes, 100000)
  hs.expect("data is pending at both ends", here.recv_q > 0 and there.notsent_bytes > 0, { here.recv_q, there.notsent_bytes })
  hs.note { en = "The client aborts.", zh = "客户端中止连接。" }
  frames = hs.frames { filter = function(p) return p.tcp end }
  aborted = hs.now()
  conn:setopt("SO_LINGER", 0)
  conn:close()
end)
hs.run "60s"
hs.expect_equal("one segment ends it", #frames, 1)
hs.expect_equal("it is a RST, from the client", { frames[1].packet.tcp.rst, frames[1].from }, { true, "client" })
hs.expect_equal("the client is CLOSED at once", closed.client, aborted)
-- 54 + 12 bytes of timestamps are not in a RST: 60 bytes with padding; 10 ms is the cable
hs.expect_near("the server one trip later", closed.server - aborted, "10ms", "10us")
hs.expect_equal("read gives ECONNRESET", { server_error[1], server_error[2] }, { nil, "ECONNRESET" })
hs.expect_near("at that instant", server_error[3], "10ms", "10us")
hs.expect_equal("the error is told once; then the stream is broken", server_again, { nil, "EPIPE" })
hs.expect_equal("no trace of the connection is left but the listener's socket", { #client:sockets(), #server:sockets "ESTABLISHED" }, { 0, 0 })
hs.expect_equal("the pending data is lost: nothing was sent after the RST", server:counter "TcpRetransSegs", 0)

hs.translate("zh", {
  ["every byte is in one of the two buffers"] = "每个字节都在两个缓冲区之一",
  ["data is pending at both ends"] = "两端都有数据待处理",
  ["one segment ends it"] = "一个报文段结束了它",
  ["it is a RST, from the client"] = "它是来自客户端的 RST",
  ["the client is CLOSED at once"] = "客户端立刻成为 CLOSED",
  ["the server one trip later"] = "服务器晚一个单程",
  ["read gives ECONNRESET"] = "read 得到 ECONNRESET",
  ["at that instant"] = "就在那一刻",
  ["the error is told once; then the stream is broken"] = "错误只告知一次；此后流是断的",
  ["no trace of the connection is left but the listener's socket"] = "连接没有留下痕迹，只有监听者的套接字",
  ["the pending data is lost: nothing was sent after the RST"] = "待处理的数据丢失：RST 之后什么也没有发送",
})
