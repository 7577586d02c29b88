-- TCP-TW-16  CLOSE_WAIT pile-up.
-- CLOSE-WAIT means: the peer has closed, and our application has not. There is no timer for it; the kernel cannot close in the application's
-- place, which might still want to send. An application that forgets to close leaks one socket, and one descriptor, for each connection.
-- tshark-allow: Connection reset (RST) (what a leaked connection gets in the end)
local hs = require "hopscope"
hs.title { en = "TCP-TW-16 CLOSE_WAIT pile-up", zh = "TCP-TW-16 CLOSE_WAIT 堆积" }

local LEAKS = 25
local client, server = hs.host "client", hs.host "server"
hs.link(client, server, { delay = "10ms" })
local leaked, fins = {}, {}
hs.on("frame.tx", function(e)
  local tcp = e.packet.tcp
  if tcp and tcp.fin then fins[#fins + 1] = e.time end
end, { node = server })
server:spawn(function(os)
  local listener = os.tcp():bind(5000):listen(64)
  for i = 1, LEAKS do
    leaked[i] = listener:accept()
    while leaked[i]:read() do end -- reads to the end, and forgets to close
  end
  os.sleep "3600s"
  hs.note({
    en = "An hour later: %d sockets in CLOSE-WAIT. One of them is closed now.",
    zh = "一小时之后：%d 个套接字处于 CLOSE-WAIT。现在关闭其中一个。",
  }, #server:sockets "CLOSE-WAIT")
  hs.expect_equal("unchanged after an hour", #server:sockets "CLOSE-WAIT", LEAKS)
  hs.expect_equal("no FIN has been sent", #fins, 0)
  local now = hs.now()
  leaked[1]:close()
  hs.expect_equal("closing one sends its FIN at once", { #fins, fins[1] }, { 1, now })
  hs.expect_equal("one less", #server:sockets "CLOSE-WAIT", LEAKS - 1)
  os.sleep "1h"
end)
client:spawn(function(os)
  for _ = 1, LEAKS do
    os.tcp():connect("server", 5000):close()
    os.sleep "100ms"
  end
end)
hs.run "10s"
local list = server:sockets "CLOSE-WAIT"
hs.note({
  en = "%d clients have closed. The server has %d sockets in CLOSE-WAIT.",
  zh = "%d 个客户端已经关闭。服务器有 %d 个套接字处于 CLOSE-WAIT。",
}, LEAKS, #list)
hs.expect_equal("one for each leaked socket", #list, LEAKS)
hs.expect_equal("they belong to a process: no orphans", list[1].orphan, false)
hs.run "7000s"
hs.expect_equal("the clients have forgotten them long ago", #client:sockets(), 0)

hs.translate("zh", {
  ["one for each leaked socket"] = "每个泄漏的套接字一个",
  ["they belong to a process: no orphans"] = "它们属于一个进程：不是孤儿",
  ["unchanged after an hour"] = "一小时之后没有改变",
  ["no FIN has been sent"] = "没有发送 FIN",
  ["closing one sends its FIN at once"] = "关闭一个就立刻发送它的 FIN",
  ["one less"] = "少了一个",
  ["the clients have forgotten them long ago"] = "客户端早已忘记它们",
})
