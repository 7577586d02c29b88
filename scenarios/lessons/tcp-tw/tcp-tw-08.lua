-- TCP-TW-08  Client port exhaustion.
-- A client that closes first leaves each connection in TIME-WAIT, with its local port. Toward one server address and port every local port can be
-- used once in 60 s: with ports 32768 to 61000 that is 28233 connections. Then connect fails with EADDRNOTAVAIL, but only there: toward
-- another server, or another port, the same local ports are free (RFC 9293 3.4.1; Linux __inet_hash_connect).
local hs = require "hopscope"
hs.title { en = "TCP-TW-08 Client port exhaustion", zh = "TCP-TW-08 客户端口耗尽" }

local first, last = 32768, 61000
local client, server, other, sw = hs.host "client", hs.host "server", hs.host "other", hs.switch "sw"
for _, h in ipairs { client, server, other } do hs.link(h, sw, { delay = "10us", subnet = "10.0.0.0/24" }) end
client:sysctl("net.ipv4.ip_local_port_range", first .. " " .. last)

local function serve(host, port)
  host:spawn(function(os)
    local listener = os.tcp():bind(port):listen(4096)
    while true do
      listener:accept():on_data(function(conn, data) if not data then conn:close() end end)
    end
  end)
end
serve(server, 5000)
serve(server, 5001)
serve(other, 5000)

local done, err, at, result = 0, nil, nil, {}
client:spawn(function(os)
  hs.note {
    en = "The client opens and closes connections to one server port, as fast as it can.",
    zh = "客户端对服务器的一个端口打开又关闭连接，越快越好。",
  }
  while true do
    local conn, why = os.tcp():connect(server, 5000)
    if not conn then
      err, at = why, hs.now()
      break
    end
    conn:close()
    done = done + 1
  end
  os.sleep "100ms"
  result.waits = client:sockstat().tw
  local function works(host, port)
    local conn, why = os.tcp():connect(host, port)
    if conn then conn:close() end
    return conn and "works" or why
  end
  result.same, result.port, result.host = works(server, 5000), works(server, 5001), works(other, 5000)
  os.sleep(61 - (hs.now() - at))
  result.later = works(server, 5000)
end)
hs.run "65s"
hs.note({
  en = "%d connections in %.1f s; then connect says %s. %d sockets are in TIME-WAIT.",
  zh = "%d 条连接用了 %.1f s；然后 connect 说 %s。%d 个套接字处于 TIME-WAIT。",
}, done, at, err, result.waits)
-- Linux looks at pairs of ports, and leaves the last of an odd number of them alone.
hs.expect_equal("every port of the range was used once", done, (last - first + 1) // 2 * 2)
hs.expect_equal("then connect fails toward that server and port", { err, result.same }, { "EADDRNOTAVAIL", "EADDRNOTAVAIL" })
hs.expect_equal("it works toward another port of the server", result.port, "works")
hs.expect_equal("and toward another server", result.host, "works")
hs.expect_equal("each is a socket in TIME-WAIT at the client", result.waits, done)
hs.expect_equal("none at the server", server:sockstat().tw, 0)
hs.expect_equal("a minute later it works again", result.later, "works")

hs.translate("zh", {
  ["every port of the range was used once"] = "范围内的每个端口都用过一次",
  ["then connect fails toward that server and port"] = "然后到那台服务器那个端口的 connect 失败",
  ["it works toward another port of the server"] = "到服务器的另一个端口则可以",
  ["and toward another server"] = "到另一台服务器也可以",
  ["each is a socket in TIME-WAIT at the client"] = "每个都是客户端处于 TIME-WAIT 的套接字",
  ["none at the server"] = "服务器一个也没有",
  ["a minute later it works again"] = "一分钟之后又可以了",
})
