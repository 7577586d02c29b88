-- IP4-21  Listening on 0.0.0.0.
-- 0.0.0.0 as the address of a listening socket means "any address of this host" (INADDR_ANY): loopback and all cards. A socket
-- bound to one address hears only what is sent to that address: a server on 127.0.0.1 cannot be reached from outside,
-- and not even by its own host's other address.
-- tshark-allow: Connection reset (refused)
local hs = require "hopscope"
hs.title { en = "IP4-21 Listening on 0.0.0.0", zh = "IP4-21 在 0.0.0.0 上监听" }

local server, client = hs.host "server", hs.host "client"
hs.link(server, client, { address = { server = "192.168.31.6/24", client = "192.168.31.7/24" } })
local got = {}
local function listen(address, port)
  got[port] = {}
  return server:udp { address = address, port = port, on_datagram = function(data, _, _, info)
    table.insert(got[port], data .. " to " .. info.to)
  end }
end
local any, loop = listen("0.0.0.0", 8080), listen("127.0.0.1", 9090)
hs.note {
  en = "Port 8080 is bound to 0.0.0.0, port 9090 to 127.0.0.1. Both are asked at both addresses, by the host itself.",
  zh = "端口 8080 绑定到 0.0.0.0，端口 9090 绑定到 127.0.0.1。主机自己在两个地址上对两者提问。",
}
hs.expect_equal("local address of the first", { any:local_addr() }, { "0.0.0.0", 8080 })
hs.expect_equal("local address of the second", { loop:local_addr() }, { "127.0.0.1", 9090 })

local errors = {}
local function ask(host, address, port)
  host:spawn(function(os)
    local sock = os.udp():connect(address, port)
    sock:send(host.name)
    os.sleep "1s"
    errors[#errors + 1] = host.name .. " " .. address .. " " .. port .. ": " .. (sock:error() or "ok")
  end)
  hs.run "2s"
end
ask(server, "127.0.0.1", 8080)
ask(server, "192.168.31.6", 8080)
ask(server, "127.0.0.1", 9090)
ask(server, "192.168.31.6", 9090)

hs.note {
  en = "And from outside, where only 192.168.31.6 can be reached: 127.0.0.1 would be the client itself.",
  zh = "再从外面问，那里只能到达 192.168.31.6：127.0.0.1 会是客户端自己。",
}
ask(client, "192.168.31.6", 8080)
ask(client, "192.168.31.6", 9090)
hs.expect_equal("the 0.0.0.0 listener is reached at both addresses, from inside and outside", got[8080],
  { "server to 127.0.0.1", "server to 192.168.31.6", "client to 192.168.31.6" })
hs.expect_equal("the 127.0.0.1 listener is reached at one", got[9090], { "server to 127.0.0.1" })
hs.expect_equal("elsewhere nobody listens: connection refused", errors, {
  "server 127.0.0.1 8080: ok", "server 192.168.31.6 8080: ok", "server 127.0.0.1 9090: ok",
  "server 192.168.31.6 9090: ECONNREFUSED", "client 192.168.31.6 8080: ok", "client 192.168.31.6 9090: ECONNREFUSED" })

hs.note { en = "The same with TCP listeners, at ports 8081 and 9091.", zh = "同样的事用 TCP 监听者，端口 8081 和 9091。" }
local results = {}
for port, address in pairs { [8081] = "0.0.0.0", [9091] = "127.0.0.1" } do
  server:tcp():bind(address, port):listen(8):on_accept(function(_, conn) conn:write((conn:local_addr())) conn:close() end)
end
local function call(host, address, port)
  host:spawn(function(os)
    local sock, why = os.tcp():connect(address, port)
    results[#results + 1] = host.name .. " " .. address .. " " .. port .. ": " .. (sock and sock:read() or why)
  end)
  hs.run "1s"
end
for _, port in ipairs { 8081, 9091 } do
  call(server, "127.0.0.1", port)
  call(server, "192.168.31.6", port)
  call(client, "192.168.31.6", port)
end
hs.expect_equal("a 0.0.0.0 listener accepts at both addresses, a 127.0.0.1 listener at one; elsewhere a reset", results, {
  "server 127.0.0.1 8081: 127.0.0.1", "server 192.168.31.6 8081: 192.168.31.6", "client 192.168.31.6 8081: 192.168.31.6",
  "server 127.0.0.1 9091: 127.0.0.1", "server 192.168.31.6 9091: ECONNREFUSED", "client 192.168.31.6 9091: ECONNREFUSED" })

hs.translate("zh", {
  ["local address of the first"] = "第一个的本地地址",
  ["local address of the second"] = "第二个的本地地址",
  ["the 0.0.0.0 listener is reached at both addresses, from inside and outside"] = "0.0.0.0 的监听者在两个地址上、从内部和外部都能到达",
  ["the 127.0.0.1 listener is reached at one"] = "127.0.0.1 的监听者只在一个地址上",
  ["elsewhere nobody listens: connection refused"] = "别处没有人监听：连接被拒绝",
  ["a 0.0.0.0 listener accepts at both addresses, a 127.0.0.1 listener at one; elsewhere a reset"] = "0.0.0.0 的监听者在两个地址上接受，127.0.0.1 的在一个地址上；别处是复位",
})
