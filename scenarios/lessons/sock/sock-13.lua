-- SOCK-13  close and the reference count.
-- After fork() parent and child hold the same socket. close() gives up one reference; TCP's close, the FIN, comes when the last
-- one is gone (close(2)). So a parent can hand a connection to its child and forget it.
local hs = require "hopscope"
hs.title { en = "SOCK-13 close and the reference count", zh = "SOCK-13 close 与引用计数" }

local client, server = hs.host "client", hs.host "server"
hs.link(client, server, { delay = "5ms" })

local fins = hs.frames { node = server, filter = function(p) return p.tcp and p.tcp.fin end }
local parent_closed, child_closed

server:spawn(function(os)
  local listener = os.tcp():bind(5678):listen(8)
  local conn = listener:accept()
  os.fork(function(child)
    child.sleep "1s" -- the parent has closed long ago
    hs.note { en = "The child reads and writes as if nothing had happened.", zh = "子进程照常读写，好像什么也没有发生。" }
    local data = conn:read()
    hs.expect_equal("the child reads", data, "hello")
    conn:write("child: " .. data)
    child.sleep "1s"
    conn:close()
    child_closed = hs.now()
  end)
  conn:close()
  parent_closed = hs.now()
  hs.note { en = "The parent has forked and closed its descriptor.", zh = "父进程 fork 之后关闭了自己的描述符。" }
  hs.expect_equal("the parent cannot read any more", { conn:read(10) }, { nil, "EBADF" })
  os.sleep "10s"
end)
local reply, ended
client:spawn(function(os)
  local sock = os.tcp():connect("server", 5678)
  sock:write "hello"
  reply = sock:read()
  local eof = sock:read()
  ended = hs.now()
  hs.expect_equal("then end of file", eof, nil)
  sock:close()
end)
hs.run "20s"

hs.expect_equal("the child answered", reply, "child: hello")
hs.expect("two seconds lie between the two calls of close", child_closed - parent_closed >= 2, { parent_closed, child_closed })
hs.expect_equal("one FIN left, when the child closed", { #fins, fins[1].time }, { 1, child_closed })
hs.expect_near("half a round trip later the client reads end of file", ended - child_closed, "5ms", "1us")

hs.translate("zh", {
  ["the parent cannot read any more"] = "父进程不能再读",
  ["the child reads"] = "子进程读取",
  ["then end of file"] = "然后是文件结束",
  ["the child answered"] = "子进程作了应答",
  ["two seconds lie between the two calls of close"] = "两次 close 调用之间隔着两秒",
  ["one FIN left, when the child closed"] = "一个 FIN 离开，在子进程关闭时",
  ["half a round trip later the client reads end of file"] = "半个往返之后客户端读到文件结束",
})
