-- TCP-CL-02  All eleven states.
-- The life of every TCP connection is a path through the same eleven states (RFC 9293 3.3.2, figure 5). An ordinary connection visits nine
-- of them, counting both ends; CLOSING needs both to close at the same time. FIN-WAIT-2 is the half-closed state.
local hs = require "hopscope"
hs.title { en = "TCP-CL-02 All eleven states", zh = "TCP-CL-02 全部十一个状态" }

local client, server = hs.host "client", hs.host "server"
hs.link(client, server, { delay = "10ms" })
local visited, moves = {}, {}
hs.on("tcp.state", function(e)
  visited[e.old], visited[e.new] = true, true
  moves[#moves + 1] = { e.node, e.old, e.new }
end)

hs.note {
  en = "An ordinary connection: the client opens, the client closes, the server follows 100 ms later.",
  zh = "一条普通的连接：客户端打开，客户端关闭，服务器在 100 ms 之后跟着关闭。",
}
server:spawn(function(os)
  local conn = os.tcp():bind(5000):listen(8):accept()
  conn:read()
  os.sleep "100ms"
  conn:close()
end)
client:spawn(function(os)
  local conn = os.tcp():connect("server", 5000)
  os.sleep "100ms"
  conn:close()
end)
hs.run "90s"
for _, m in ipairs(moves) do hs.note({ en = "%s: %s to %s", zh = "%s：从 %s 到 %s" }, m[1], m[2], m[3]) end
local ordinary = 0
for _ in pairs(visited) do ordinary = ordinary + 1 end
hs.expect_equal("an ordinary connection visits all but CLOSING", { ordinary, visited["CLOSING"] }, { 10, nil })

hs.note { en = "Both ends close at the same instant.", zh = "两端在同一时刻关闭。" }
server:spawn(function(os)
  local conn = os.tcp():bind(5001):listen(8):accept()
  os.sleep(hs.seconds "100ms" - hs.seconds "10ms")
  conn:close()
end)
client:spawn(function(os)
  local conn = os.tcp():connect("server", 5001)
  os.sleep "100ms"
  conn:close()
end)
hs.run "90s"
local names = {}
for name in pairs(visited) do names[#names + 1] = name end
table.sort(names)
hs.expect_equal("eleven states", #names, 11)
hs.expect_equal("namely", names, { "CLOSE-WAIT", "CLOSED", "CLOSING", "ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2", "LAST-ACK", "LISTEN",
  "SYN-RECEIVED", "SYN-SENT", "TIME-WAIT" })

hs.translate("zh", {
  ["an ordinary connection visits all but CLOSING"] = "一条普通的连接经过除 CLOSING 之外的所有状态",
  ["eleven states"] = "十一个状态",
  ["namely"] = "即",
})
