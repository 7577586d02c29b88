-- TCP-TW-14  Cause: request limit.
-- Servers limit how many requests one connection may carry (nginx: keepalive_requests), and close after the last: one TIME-WAIT for so many
-- requests. The limit is per connection; it says nothing about how many connections there are.
local hs = require "hopscope"
hs.title { en = "TCP-TW-14 Cause: request limit", zh = "TCP-TW-14 起因：请求数上限" }

local REQUESTS = 120
local function waits(limit)
  local client, server = hs.host("client" .. limit), hs.host("server" .. limit)
  hs.link(client, server, { delay = "5ms" })
  local most = 0
  server:spawn(function(os)
    local listener = os.tcp():bind(80):listen(64)
    while true do
      local conn = listener:accept()
      os.spawn(function()
        for n = 1, limit do
          if not conn:read() then break end
          conn:write("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n" .. (n == limit and "Connection: close\r\n" or "") .. "\r\nhi\n")
        end
        conn:close()
      end)
    end
  end)
  -- Three clients at the same time, with a third of the requests each.
  for _ = 1, 3 do
    client:spawn(function(os)
      local conn
      for _ = 1, REQUESTS / 3 do
        conn = conn or os.tcp():connect(server, 80)
        conn:write "GET / HTTP/1.1\r\nHost: server\r\n\r\n"
        local answer = conn:read()
        most = math.max(most, #server:sockets "ESTABLISHED")
        if answer:find("Connection: close", 1, true) then
          conn:read()
          conn:close()
          conn = nil
        end
        os.sleep "10ms"
      end
      os.sleep "30s" -- what is left open stays open
    end)
  end
  hs.run "10s"
  local n = server:sockstat().tw
  hs.note({
    en = "limit %d: %d waits after %d requests; up to %d connections at a time",
    zh = "上限 %d：%d 条等待，在 %d 个请求之后；同时最多 %d 条连接",
  }, limit, n, REQUESTS, most)
  return n, most
end
for _, limit in ipairs { 1, 4, 10, 40 } do
  local n, most = waits(limit)
  hs.expect_equal("limit " .. limit .. ": a wait for every " .. limit .. " requests", n, REQUESTS // limit)
  hs.expect("it does not limit concurrent connections: there are three", most == 3 or limit == 1, most)
end
hs.expect_equal("a limit that is not reached: no wait", (waits(1000)), 0)

hs.translate("zh", {
  ["limit {}: a wait for every {} requests"] = "上限 {}：每 {} 个请求一个等待",
  ["it does not limit concurrent connections: there are three"] = "它不限制同时的连接数：有三条",
  ["a limit that is not reached: no wait"] = "没有达到的上限：没有等待",
})
