-- TCP-CL-02  All eleven states.
-- The life of every TCP connection is a path through the same eleven states (RFC 9293 3.3.2, figure 5). An ordinary connection visits nine
-- of them, counting both ends; CLOSING needs both to close at the same time. FIN-WAIT-2 is the half-closed state.
local hs = require "hopscope"
hs.title "TCP-CL-02 All eleven states"

local client, server = hs.host "client", hs.host "server"
hs.link(client, server, { delay = "10ms" })
local visited, moves = {}, {}
hs.on("tcp.state", function(e)
  visited[e.old], visited[e.new] = true, true
  moves[#moves + 1] = { e.node, e.old, e.new }
end)

hs.note "An ordinary connection: the client opens, the client closes, the server follows 100 ms later."
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
for _, m in ipairs(moves) do hs.note(string.format("%s: %s to %s", m[1], m[2], m[3])) end
local ordinary = 0
for _ in pairs(visited) do ordinary = ordinary + 1 end
hs.expect_equal("an ordinary connection visits all but CLOSING", { ordinary, visited["CLOSING"] }, { 10, nil })

hs.note "Both ends close at the same instant."
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
