-- SOCK-01  Call sequence.
-- A server calls socket, bind, listen, accept, read, write, close; a client socket, connect, write, read, close. The kernel keeps the
-- state of each socket and refuses a call that comes too early or too late with the errno that says why (Linux
-- net/ipv4/af_inet.c and tcp.c). Done in order, the calls make an echo.
local hs = require "hopscope"
hs.title { en = "SOCK-01 Call sequence", zh = "SOCK-01 调用的次序" }

local client, server = hs.host "client", hs.host "server"
hs.link(client, server, { delay = "5ms" })

local function errno(...) -- of a call that must fail: its errno's name
  local value, why = ...
  return value == nil and why or "no error"
end

hs.note {
  en = "First everything in the wrong order. A fresh socket has no peer, does not listen, and has no queue to accept from.",
  zh = "首先全都按错误的次序来。新的套接字没有对端，没有监听，也没有可供 accept 的队列。",
}
local fresh = server:tcp()
hs.expect_equal("accept before listen: EINVAL", errno(fresh:accept(0)), "EINVAL")
hs.expect_equal("read before connect: ENOTCONN", errno(fresh:read(10, 0)), "ENOTCONN")
hs.expect_equal("write before connect: EPIPE", errno(fresh:write "x"), "EPIPE")
hs.expect_equal("shutdown before connect: ENOTCONN", errno(fresh:shutdown "write"), "ENOTCONN")
hs.expect_equal("no peer to ask for: ENOTCONN", errno(fresh:peer_addr()), "ENOTCONN")

hs.note { en = "A socket is bound once, and a listening one is good for accept only.", zh = "一个套接字只能绑定一次，而正在监听的只能用于 accept。" }
local listener = server:tcp():bind(20000)
hs.expect_equal("bind twice: EINVAL", errno(listener:bind(20001)), "EINVAL")
listener:listen(128)
hs.expect_equal("read from a listener: ENOTCONN", errno(listener:read(10, 0)), "ENOTCONN")
hs.expect_equal("write to a listener: EPIPE", errno(listener:write "x"), "EPIPE")
hs.expect_equal("connect a listener: EISCONN", errno(listener:connect("client", 9)), "EISCONN")
hs.expect_equal("nobody has called yet: accept would block", errno(listener:accept(0)), "EAGAIN")

hs.note {
  en = "Now in order: the server waits in accept, the client connects, and what it writes comes back.",
  zh = "现在按正确的次序：服务器在 accept 中等待，客户端连接，它写入的内容又传了回来。",
}
local said, heard, late
server:spawn(function(os)
  local conn = listener:accept()
  hs.expect_equal("a connected socket accepts nothing: EINVAL", errno(conn:accept(0)), "EINVAL")
  hs.expect_equal("a connected socket cannot listen: EINVAL", errno(conn:listen(5)), "EINVAL")
  said = conn:read()
  conn:write(said)
  conn:close()
  hs.expect_equal("after close there is no such descriptor: EBADF", errno(conn:read(10, 0)), "EBADF")
end)
client:spawn(function(os)
  local conn = os.tcp():connect("server", 20000)
  hs.expect_equal("connect twice: EISCONN", errno(conn:connect("server", 20000)), "EISCONN")
  conn:write "hello"
  heard = conn:read()
  late = conn:read() -- the server has closed: end of file, which is no error
  conn:close()
end)
hs.run "1s"
hs.expect_equal("the server read what was written, and the client read it back", { said, heard }, { "hello", "hello" })
hs.expect_equal("after the server's close the client reads end of file", late, nil)

hs.translate("zh", {
  ["accept before listen: EINVAL"] = "listen 之前 accept：EINVAL",
  ["read before connect: ENOTCONN"] = "connect 之前 read：ENOTCONN",
  ["write before connect: EPIPE"] = "connect 之前 write：EPIPE",
  ["shutdown before connect: ENOTCONN"] = "connect 之前 shutdown：ENOTCONN",
  ["no peer to ask for: ENOTCONN"] = "没有对端可问：ENOTCONN",
  ["bind twice: EINVAL"] = "bind 两次：EINVAL",
  ["read from a listener: ENOTCONN"] = "从监听者读取：ENOTCONN",
  ["write to a listener: EPIPE"] = "向监听者写入：EPIPE",
  ["connect a listener: EISCONN"] = "让监听者连接：EISCONN",
  ["nobody has called yet: accept would block"] = "还没有人来连接：accept 会阻塞",
  ["connect twice: EISCONN"] = "connect 两次：EISCONN",
  ["a connected socket accepts nothing: EINVAL"] = "已连接的套接字不能接受连接：EINVAL",
  ["a connected socket cannot listen: EINVAL"] = "已连接的套接字不能监听：EINVAL",
  ["after close there is no such descriptor: EBADF"] = "close 之后没有这个描述符：EBADF",
  ["the server read what was written, and the client read it back"] = "服务器读到所写入的，客户端又读了回来",
  ["after the server's close the client reads end of file"] = "服务器关闭之后，客户端读到文件结束",
})
