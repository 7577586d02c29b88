-- SOCK-14  shutdown ignores the count.
-- shutdown() acts on the connection, not on the descriptor: it is done for all who hold it, at once (shutdown(2)). After
-- shutdown(SHUT_WR) the FIN is out, and a write by any holder fails with EPIPE. Reading still works.
local hs = require "hopscope"
hs.title { en = "SOCK-14 shutdown ignores the count", zh = "SOCK-14 shutdown 不理会计数" }

local client, server = hs.host "client", hs.host "server"
hs.link(client, server, { delay = "5ms" })

local fins = hs.frames { node = server, filter = function(p) return p.tcp and p.tcp.fin end }
local shut, eof_at

server:spawn(function(os)
  local conn = os.tcp():bind(5678):listen(8):accept()
  os.fork(function(child)
    child.sleep "500ms"
    hs.expect_equal("the child can write, as long as nobody has shut down", conn:write "one", 3)
    child.sleep "1s"
    hs.note {
      en = "The child never called shutdown. Its write fails all the same, its read works.",
      zh = "子进程从没调用过 shutdown。它的写入照样失败，读取则成功。",
    }
    hs.expect_equal("the other holder's write fails: EPIPE", { conn:write "two" }, { nil, "EPIPE" })
    hs.expect_equal("its read still works", conn:read(), "late")
    conn:close()
  end)
  os.sleep "1s"
  hs.note {
    en = "The parent calls shutdown for writing. Both still have their descriptors open.",
    zh = "父进程对写方向调用 shutdown。两者的描述符都还打开着。",
  }
  conn:shutdown "write"
  shut = hs.now()
  hs.expect("the parent's descriptor is open", conn.is_open)
  os.sleep "5s"
end)
client:spawn(function(os)
  local sock = os.tcp():connect("server", 5678)
  hs.expect_equal("the client reads what the child wrote", sock:read(), "one")
  hs.expect_equal("then end of file", sock:read(), nil)
  eof_at = hs.now()
  sock:write "late"
  os.sleep "3s"
  sock:close()
end)
hs.run "20s"

hs.expect_equal("the FIN left at the call of shutdown, with two holders", { #fins, fins[1].time }, { 1, shut })
hs.expect_near("the client saw it half a round trip later", eof_at - shut, "5ms", "1us")

hs.translate("zh", {
  ["the child can write, as long as nobody has shut down"] = "只要没有人 shutdown，子进程就能写",
  ["the client reads what the child wrote"] = "客户端读到子进程所写的",
  ["the parent's descriptor is open"] = "父进程的描述符是打开的",
  ["then end of file"] = "然后是文件结束",
  ["the other holder's write fails: EPIPE"] = "另一个持有者的写入失败：EPIPE",
  ["its read still works"] = "它的读取仍然可用",
  ["the FIN left at the call of shutdown, with two holders"] = "FIN 在调用 shutdown 时离开，尽管有两个持有者",
  ["the client saw it half a round trip later"] = "半个往返之后客户端看到它",
})
