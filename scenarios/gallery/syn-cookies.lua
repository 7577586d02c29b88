-- A SYN flood. The server remembers as many requests as fit into its queue; then it sends SYN cookies: it remembers nothing, and whoever
-- brings back the number of its SYN-ACK, plus one, has proved where it is.
--
--   attacker ───┐
--               r ─── server     1 ms each
--   client ─────┘
local hs = require "hopscope"
hs.title { en = "SYN flood and SYN cookies", zh = "SYN 泛洪与 SYN cookie" }

local r, server = hs.router "r", hs.host "server"
local attacker, client = hs.host "attacker", hs.host "client"
for _, h in ipairs { attacker, client, server } do hs.link(h, r, { delay = "1ms" }) end
r:route { to = "10.66.0.0/16", type = "blackhole" } -- the addresses that the attacker writes into its SYNs
server:spawn(function(os)
  local listener = os.tcp():bind(80):listen(2)
  while true do
    local conn = listener:accept()
    conn:write("welcome, " .. conn:read())
    conn:close()
  end
end)
for _, h in ipairs { attacker, client } do h:ping(server, { count = 1 }) end -- ARP is done
hs.run "100ms"
for i = 1, 5 do
  hs.after(i * 0.001, function()
    attacker:forge { to = server, dport = 80, src = "10.66.0." .. i, sport = 1000 + i, seq = 1000 * i }
  end)
end
local answer
hs.after("10ms", function()
  client:spawn(function(os)
    local conn = os.tcp():connect(server, 80)
    conn:write "client"
    answer = conn:read()
    conn:close()
  end)
end)
hs.run "200ms"

hs.expect_equal("the client is served", answer, "welcome, client")
hs.expect("the server has sent cookies", server:counter "TcpExtSyncookiesSent" >= 2, server:counter "TcpExtSyncookiesSent")
hs.expect_equal("one came back", server:counter "TcpExtSyncookiesRecv", 1)

hs.translate("zh", {
  ["the client is served"] = "客户端得到服务",
  ["the server has sent cookies"] = "服务器发送了 cookie",
  ["one came back"] = "有一个返回",
})
