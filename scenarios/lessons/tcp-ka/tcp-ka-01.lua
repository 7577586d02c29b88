-- TCP-KA-01  Silent death goes unnoticed.
-- A connection is nothing but memory at its two ends. If one of them loses its power, no segment says so; and an end that has nothing to
-- send and no keepalive has no timer running. It stays ESTABLISHED for ever (RFC 9293 knows no limit). Only its own process can end it.
local hs = require "hopscope"
hs.title { en = "TCP-KA-01 Silent death goes unnoticed", zh = "TCP-KA-01 无声的死亡不被察觉" }

local client, server, sw = hs.host "client", hs.host "server", hs.switch "sw" -- whose light is on at the server's port, whatever the client does
hs.link(client, sw, { delay = "5ms" })
hs.link(server, sw, { delay = "5ms" })
local function serve(os)
  local conn = os.tcp({ reuseaddr = true }):bind(5000):listen(8):accept()
  while conn:read() do end
end
local program = server:spawn(serve)
client:spawn(function(os)
  os.tcp():connect("server", 5000):write "hello"
  os.sleep "1h"
end)
hs.run "10s"
local frames = hs.frames { filter = function(p) return p.tcp end }
hs.note { en = "The client's power fails. It cannot say goodbye.", zh = "客户端断电。它来不及道别。" }
client:power(false)

for day = 1, 30 do
  hs.run "24h"
  if day == 1 or day == 7 or day == 30 then
    local sockets = server:sockets "ESTABLISHED"
    hs.note({ en = "Day %d: the server has %d connection in ESTABLISHED.", zh = "第 %d 天：服务器有 %d 条连接处于 ESTABLISHED。" }, day, #sockets)
    hs.expect_equal("still ESTABLISHED after " .. day .. " days", #sockets, 1)
  end
end
hs.expect_equal("not a single segment in 30 days", #frames, 0)
hs.expect("the process still waits in read", program.is_running)

hs.note { en = "The server's program is restarted.", zh = "服务器的程序重新启动。" }
program:kill()
program = server:spawn(serve)
hs.run "1s"
hs.expect_equal("the connection is ESTABLISHED no more, and the new process does not have it", { #server:sockets "ESTABLISHED", #server:sockets "LISTEN" }, { 0, 1 })
hs.expect_equal("the kernel closes it, as an orphan", { server:sockets("FIN-WAIT-1")[1].orphan }, { true })
hs.run "600s"
hs.expect_equal("and gives up, since nobody acknowledges the FIN", #server:sockets(), 1)

hs.translate("zh", {
  ["still ESTABLISHED after {} days"] = "{} 天之后仍是 ESTABLISHED",
  ["not a single segment in 30 days"] = "30 天里没有一个报文段",
  ["the process still waits in read"] = "进程仍在 read 中等待",
  ["the connection is ESTABLISHED no more, and the new process does not have it"] = "连接不再是 ESTABLISHED，新的进程也没有它",
  ["the kernel closes it, as an orphan"] = "内核把它作为孤儿关闭",
  ["and gives up, since nobody acknowledges the FIN"] = "然后放弃，因为没有人确认 FIN",
})
