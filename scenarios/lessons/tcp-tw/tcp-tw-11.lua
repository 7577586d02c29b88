-- TCP-TW-11  Server-side waits cost memory, not ports.
-- A server that closes first has the waits itself. They all have the one local port it listens on, and differ in the client's address and port, so
-- the server can go on accepting. What a wait costs is a few hundred bytes: no descriptor, no thread, not even a socket (Linux
-- struct tcp_timewait_sock).
-- The test suite, which lets tshark read every frame, runs it with a tenth of the connections:
-- run-args: --set waits=10000
local hs = require "hopscope"
hs.title { en = "TCP-TW-11 Server-side waits cost memory, not ports", zh = "TCP-TW-11 服务器端的等待消耗内存，不消耗端口" }

local WAITS = hs.param("waits", 100000, "connections in TIME-WAIT")
local CLIENTS = 4 -- a client has 64 000 ports for one server, and these do not suffice
local server, sw = hs.host "server", hs.switch "sw"
hs.link(server, sw, { subnet = "10.0.0.0/24" })
server:sysctl("net.ipv4.tcp_max_tw_buckets", 2 * WAITS)

local clients = {}
for i = 1, CLIENTS do
  clients[i] = hs.host("client" .. i)
  hs.link(clients[i], sw, { subnet = "10.0.0.0/24" })
  clients[i]:ping("server", { count = 1 })
end
local listener = server:tcp():bind(5000):listen(4096)
listener:on_accept(function(_, conn) conn:close() end) -- closes first
local empty = server:sockstat()
hs.note({
  en = "%d clients connect, %d times in all, to port 5000; the server closes each connection at once.",
  zh = "%d 个客户端连接端口 5000，总共 %d 次；服务器立刻关闭每条连接。",
}, CLIENTS, WAITS)
for _, client in ipairs(clients) do
  client:spawn(function(os)
    for n = 1, WAITS / CLIENTS do
      local conn = os.tcp():bind(1024 + n):connect("server", 5000)
      conn:read() -- until the server's FIN
      conn:close()
      os.sleep "100us"
    end
  end)
end
hs.run "8s"
local full = server:sockstat()
local each = (full.bytes - empty.bytes) / WAITS
hs.note({
  en = "%d sockets in TIME-WAIT at the server, %.0f bytes each; %d open sockets.",
  zh = "服务器有 %d 个套接字处于 TIME-WAIT，每个 %.0f 字节；打开的套接字 %d 个。",
}, full.tw, each, full.alloc)
hs.expect_equal("all wait at the server", full.tw, WAITS)
hs.expect_equal("none at the clients", clients[1]:sockstat().tw, 0)
hs.expect_equal("there is one socket, the listener: no descriptor is held", full.alloc, 1)
hs.expect("memory has grown", full.bytes > empty.bytes, full.bytes)
hs.expect_between("by a few hundred bytes for each", each, 50, 500)

local answer
clients[1]:spawn(function(os)
  local conn, err = os.tcp():connect("server", 5000)
  answer = conn and "accepted" or err
end)
hs.run "1s"
hs.expect_equal("the server still accepts", answer, "accepted")
hs.run "60s"
local after = server:sockstat()
hs.expect_equal("a minute later the waits are gone", after.tw, 0)

hs.translate("zh", {
  ["all wait at the server"] = "全部在服务器上等待",
  ["none at the clients"] = "客户端一个也没有",
  ["there is one socket, the listener: no descriptor is held"] = "只有一个套接字，即监听者：没有占用描述符",
  ["memory has grown"] = "内存增长了",
  ["by a few hundred bytes for each"] = "每个几百字节",
  ["the server still accepts"] = "服务器仍然接受连接",
  ["a minute later the waits are gone"] = "一分钟之后等待都消失了",
})
