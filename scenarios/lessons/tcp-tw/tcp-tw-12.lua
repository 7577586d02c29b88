-- TCP-TW-12  Cause: no HTTP keep-alive.
-- "Connection: close" from either side means that the server closes after its answer: each request leaves one TIME-WAIT at the server. With
-- keep-alive on both sides one connection carries all requests, and there is no wait until the server's idle timeout
-- (RFC 9112 9.3, 9.6).
local hs = require "hopscope"
hs.title { en = "TCP-TW-12 Cause: no HTTP keep-alive", zh = "TCP-TW-12 起因：没有 HTTP keep-alive" }

local REQUESTS, IDLE = 10, 60

-- REQUESTS requests, one a second. Returns the waits at server and client after the last, and after the idle timeout.
local function requests(name, client_keeps, server_keeps)
  local client, server = hs.host("client-" .. name), hs.host("server-" .. name)
  hs.link(client, server, { delay = "5ms" })
  server:spawn(function(os)
    local listener = os.tcp():bind(80):listen(64)
    while true do
      local conn = listener:accept()
      os.spawn(function()
        while true do
          local request = conn:read(65536, IDLE)
          if not request then break end
          local keep = server_keeps and not request:find("Connection: close", 1, true)
          conn:write("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n" .. (keep and "" or "Connection: close\r\n") .. "\r\nhi\n")
          if not keep then break end
        end
        conn:close()
      end)
    end
  end)
  client:spawn(function(os)
    local conn
    for _ = 1, REQUESTS do
      conn = conn or os.tcp():connect(server, 80)
      conn:write("GET / HTTP/1.1\r\nHost: server\r\n" .. (client_keeps and "" or "Connection: close\r\n") .. "\r\n")
      local answer = conn:read()
      if answer:find("Connection: close", 1, true) then
        conn:read() -- the server closes first
        conn:close()
        conn = nil
      end
      os.sleep "1s"
    end
    if conn then
      conn:read()
      conn:close()
    end
    os.sleep "1h"
  end)
  hs.run(REQUESTS + 5)
  local early = { server:sockstat().tw, client:sockstat().tw }
  hs.run(IDLE)
  local late = server:sockstat().tw
  local keeps, closes = { en = "keeps", zh = "保持连接" }, { en = "closes", zh = "关闭连接" }
  hs.note({
    en = "client %s, server %s: %d waits at the server after %d requests, %d after the idle timeout",
    zh = "客户端%s，服务器%s：服务器上 %d 条等待，在 %d 个请求之后；空闲超时之后 %d 条",
  }, client_keeps and keeps or closes, server_keeps and keeps or closes, early[1], REQUESTS, late)
  return early, late
end
hs.expect_equal("the server disables keep-alive: waits on the server = requests", { requests("a", true, false) }, { { REQUESTS, 0 }, 0 })
hs.expect_equal("the client disables it: the same", (requests("b", false, true)), { REQUESTS, 0 })
hs.expect_equal("both: the same", (requests("c", false, false)), { REQUESTS, 0 })
local early, late = requests("d", true, true)
hs.expect_equal("keep-alive on both: none until the idle timeout", early, { 0, 0 })
hs.expect_equal("then one", late, 1)

hs.translate("zh", {
  ["the server disables keep-alive: waits on the server = requests"] = "服务器禁用 keep-alive：服务器上的等待数 = 请求数",
  ["the client disables it: the same"] = "客户端禁用：同样",
  ["both: the same"] = "双方都禁用：同样",
  ["keep-alive on both: none until the idle timeout"] = "双方都用 keep-alive：空闲超时之前一个也没有",
  ["then one"] = "然后有一个",
})
