-- TCP-TW-15  Let clients close.
-- Who closes first has the wait. If the protocol lets the clients close, the waits are spread over all of them, one each, and the server
-- has none.
local hs = require "hopscope"
hs.title { en = "TCP-TW-15 Let clients close", zh = "TCP-TW-15 让客户端关闭" }

local CLIENTS = 20
local function run(first)
  local server, sw = hs.host("server-" .. first), hs.switch("sw-" .. first)
  hs.link(server, sw, { subnet = first == "server" and "10.1.0.0/24" or "10.2.0.0/24" })
  server:spawn(function(os)
    local listener = os.tcp():bind(5700):listen(64)
    while true do
      local conn = listener:accept()
      conn:on_data(function(c, data)
        if data then
          c:write "answer"
          if first == "server" then c:close() end
        else
          c:close()
        end
      end)
    end
  end)
  local clients = {}
  for i = 1, CLIENTS do
    clients[i] = hs.host(first .. "-first" .. i)
    hs.link(clients[i], sw, { delay = "1ms", subnet = first == "server" and "10.1.0.0/24" or "10.2.0.0/24" })
    clients[i]:spawn(function(os)
      local conn = os.tcp():connect(server, 5700)
      conn:write "question"
      conn:read()
      if first == "server" then conn:read() end -- the end of the stream
      conn:close()
    end)
  end
  hs.run "5s"
  local at_clients = {}
  for i, client in ipairs(clients) do at_clients[i] = client:sockstat().tw end
  local sum, most = 0, 0
  for _, n in ipairs(at_clients) do sum, most = sum + n, math.max(most, n) end
  hs.note({
    en = "The %s closes first: %d waits at the server, %d at %d clients together.",
    zh = "%s 先关闭：服务器上 %d 条等待，客户端共 %d 条，客户端有 %d 个。",
  }, first, server:sockstat().tw, sum, CLIENTS)
  return server:sockstat().tw, sum, most
end
hs.expect_equal("the server closes first: it has all waits", { run "server" }, { CLIENTS, 0, 0 })
hs.expect_equal("clients close first: server 0, each client 1", { run "client" }, { 0, CLIENTS, 1 })

hs.translate("zh", {
  ["the server closes first: it has all waits"] = "服务器先关闭：所有等待都在它那里",
  ["clients close first: server 0, each client 1"] = "客户端先关闭：服务器 0，每个客户端 1",
})
