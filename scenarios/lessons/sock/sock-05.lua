-- SOCK-05  Never accepted.
-- A connection that the application never accepts belongs to nobody: nobody reads it, nobody closes it. Its receive buffer fills up
-- to a zero window (RFC 9293 3.8.6), the client's FIN leaves it in CLOSE_WAIT, and its place in the accept queue stays taken.
-- tshark-allow: D-SACK (a repetition of what waits behind the full window)
-- tshark-allow: TCP Zero Window (the buffer of a connection that nobody reads is full)
-- tshark-allow: TCP window specified by the receiver is now completely full (likewise)
local hs = require "hopscope"
hs.title { en = "SOCK-05 Never accepted", zh = "SOCK-05 从不接受" }

local writer, closer, third, server = hs.host "writer", hs.host "closer", hs.host "third", hs.host "server"
local sw = hs.switch "sw"
for _, h in ipairs { writer, closer, third, server } do hs.link(h, sw, { delay = "1ms" }) end

local listener = server:tcp({ rcvbuf = 10000 }):bind(5678):listen(1) -- Linux takes one more than that: 2
local sock, written
writer:spawn(function(os)
  sock = os.tcp()
  sock:connect("server", 5678)
  written = 0
  while true do written = written + sock:write(hs.payload(1000, written)) end
end)
closer:spawn(function(os)
  os.tcp():connect("server", 5678):close()
end)
hs.note {
  en = "One client writes without end, another connects and closes. The server has a listener, and never calls accept.",
  zh = "一个客户端没完没了地写入，另一个连接之后又关闭。服务器有监听者，却从不调用 accept。",
}
hs.run "10s"

hs.expect_equal("the client that writes stands before a zero window", sock:info().snd_wnd, 0)
local full = server:sockets("ESTABLISHED")[1]
hs.expect_between("the receive buffer is full: some thousand bytes of the 20000 that SO_RCVBUF 10000 gives", full.recv_q, 8000, 20000)
hs.expect_equal("what the client closed is in CLOSE-WAIT at the server", #server:sockets "CLOSE-WAIT", 1)
hs.expect_equal("and waits at the client for a FIN that nobody will send", closer:sockets()[1].state, "FIN-WAIT-2")
hs.expect_equal("both keep their places in the queue", server:sockets("LISTEN")[1].recv_q, 2)

hs.note {
  en = "A third client calls. The queue is full with connections that nobody will ever take out: its SYN is dropped.",
  zh = "第三个客户端来连接。队列里满是永远不会有人取走的连接：它的 SYN 被丢弃。",
}
local third_sock
third:spawn(function(os)
  third_sock = os.tcp()
  third_sock:connect("server", 5678)
end)
hs.run "60s"
hs.expect_equal("a minute later it is still trying", third_sock:state(), "SYN-SENT")
hs.expect("its SYNs found the queue full", server:counter "TcpExtListenOverflows" >= 1, server:counter "TcpExtListenOverflows")
hs.expect_equal("CLOSE-WAIT has no timer: it stays", #server:sockets "CLOSE-WAIT", 1)
hs.expect_equal("the places are never freed", server:sockets("LISTEN")[1].recv_q, 2)

hs.translate("zh", {
  ["the client that writes stands before a zero window"] = "写入的客户端面对零窗口",
  ["the receive buffer is full: some thousand bytes of the 20000 that SO_RCVBUF 10000 gives"] = "接收缓冲区已满：SO_RCVBUF 10000 给出的 20000 中的几千字节",
  ["what the client closed is in CLOSE-WAIT at the server"] = "客户端关闭的那条在服务器上处于 CLOSE-WAIT",
  ["and waits at the client for a FIN that nobody will send"] = "在客户端等待一个没有人会发送的 FIN",
  ["both keep their places in the queue"] = "两条都占着队列中的位置",
  ["a minute later it is still trying"] = "一分钟之后它仍在尝试",
  ["its SYNs found the queue full"] = "它的 SYN 遇到队列已满",
  ["CLOSE-WAIT has no timer: it stays"] = "CLOSE-WAIT 没有计时器：它一直停留",
  ["the places are never freed"] = "位置永远不会空出来",
})
