-- TCP-Q-04  Accept overflow, drop.
-- The third segment of a handshake arrives while the accept queue is full. With tcp_abort_on_overflow 0 (the default) the server
-- discards it and keeps the half-open entry: the client believes that it is connected, the server does not (Linux
-- tcp_v4_syn_recv_sock, tcp_check_req). A client never resends a bare ACK. What brings the two together again is the server's
-- next SYN-ACK, which the client acknowledges once more, or the client's data, which is resent like all data.
local hs = require "hopscope"
hs.title { en = "TCP-Q-04 Accept overflow, drop", zh = "TCP-Q-04 接受队列溢出，丢弃" }

local client, server = hs.host "client", hs.host "server"
hs.link(client, server, { delay = "10ms" })
client:ping("server", { count = 1 })
local t0 = hs.now()

-- When which kind of segment was sent, in milliseconds, by the client's port.
local sent = {}
hs.on("frame.tx", function(e)
  local tcp = e.packet.tcp
  if not tcp then return end
  if e.packet.from == "server" and not tcp.syn then return end
  local kind = tcp.syn and (tcp.ack and "synack" or "syn") or tcp.data_len > 0 and "data" or "ack"
  local port = e.packet.from == "client" and tcp.sport or tcp.dport
  sent[port] = sent[port] or { syn = {}, synack = {}, ack = {}, data = {} }
  table.insert(sent[port][kind], math.floor((e.time - t0) * 1000 + 0.5))
end)

local function state(host, port)
  for _, s in ipairs(host:sockets()) do
    if s.peer_port == port or s.port == port then return s.state end
  end
  return "none"
end

local read
server:spawn(function(os)
  local listener = os.tcp():bind(5000):listen(2)  -- limit 2: three connections may wait
  os.sleep "500ms"
  hs.note { en = "500 ms: the application accepts. There is room again.", zh = "500 ms：应用程序接受连接。又有了空位。" }
  while true do listener:accept() end
end)
local function connect(port, to, data)
  client:spawn(function(os)
    local conn = os.tcp():bind(port):connect("server", to)
    if data then
      os.sleep "100ms"
      conn:write(data)
    end
    os.sleep "1h"
  end)
end

hs.note {
  en = "Backlog 2: three connections may wait. Two do already when ports 6001 and 6002 connect at the same time. Both SYNs are answered; one third segment too many comes back.",
  zh = "backlog 为 2：可以有三条连接等待。端口 6001 和 6002 同时来连接时，已有两条。两个 SYN 都得到应答；回来的第三个报文段多了一个。",
}
connect(6101, 5000)
connect(6102, 5000)
hs.run "100ms"
t0 = hs.now()
connect(6001, 5000)
connect(6002, 5000)
hs.run "200ms"
hs.note({
  en = "200 ms: the client's port 6002 is %s, the server's entry for it %s.",
  zh = "200 ms：客户端的端口 6002 处于 %s，服务器上它的连接项处于 %s。",
}, state(client, 6002), state(server, 6002))
hs.expect_equal("the client is ESTABLISHED, the server SYN-RECEIVED", { state(client, 6002), state(server, 6002) }, { "ESTABLISHED", "SYN-RECEIVED" })
hs.expect_equal("the overflow is counted", server:counter "TcpExtListenOverflows", 1)
hs.run_until(t0 + 3)
hs.note {
  en = "1010 ms: the server repeats its SYN-ACK, one second after the first. The client acknowledges it again, and is let in.",
  zh = "1010 ms：服务器重传 SYN-ACK，在第一个之后一秒。客户端再次确认它，这次被放了进来。",
}
hs.expect_equal("the SYN-ACK at 10 ms, and again a second later", sent[6002].synack, { 10, 1010 })
hs.expect_equal("the client's ACKs only answer SYN-ACKs, 10 ms after them", sent[6002].ack, { 20, 1020 })
hs.expect_equal("now both are ESTABLISHED", { state(client, 6002), state(server, 6002) }, { "ESTABLISHED", "ESTABLISHED" })

hs.note {
  en = "Again on port 5001, with ports 6003 and 6004. This time the client sends data after 100 ms; accept is called after 400 ms.",
  zh = "在端口 5001 上再来一次，用端口 6003 和 6004。这次客户端在 100 ms 之后发送数据；accept 在 400 ms 之后被调用。",
}
server:spawn(function(os)
  local listener = os.tcp():bind(5001):listen(2)
  os.sleep "500ms"
  local first = { listener:accept(), listener:accept(), listener:accept() }
  read = listener:accept():read()
  os.sleep "1h"
end)
connect(6103, 5001)
connect(6104, 5001)
hs.run "100ms"
t0 = hs.now()
connect(6003, 5001)
connect(6004, 5001, "a request")
hs.run "2s"
local d = sent[6004].data
hs.note({
  en = "The data was sent at %s ms; the last one came when there was room, and counts as the third segment.",
  zh = "数据在 %s ms 发送；最后一次来到时有了空位，便算作第三个报文段。",
}, table.concat(d, ", "))
hs.expect_equal("one SYN-ACK is enough this time", sent[6004].synack, { 10 })
hs.expect_equal("the client sent its bare ACK once", sent[6004].ack, { 20 })
hs.expect("the data was resent until there was room at 400 ms", #d >= 2 and d[#d] + 10 > 400 and d[#d - 1] + 10 < 400, d)
hs.expect_equal("it has arrived", read, "a request")
-- 6002's third segment; 6004's third segment, and its data until there was room
hs.expect_equal("every discarded segment was counted", server:counter "TcpExtListenOverflows", 1 + 1 + #d - 1)
hs.expect_equal("nothing was reset", server:counter "TcpOutRsts", 0)

hs.translate("zh", {
  ["the client is ESTABLISHED, the server SYN-RECEIVED"] = "客户端是 ESTABLISHED，服务器是 SYN-RECEIVED",
  ["the overflow is counted"] = "溢出被计数",
  ["the SYN-ACK at 10 ms, and again a second later"] = "SYN-ACK 在 10 ms，一秒之后又一次",
  ["the client's ACKs only answer SYN-ACKs, 10 ms after them"] = "客户端的 ACK 只是对 SYN-ACK 的应答，在其后 10 ms",
  ["now both are ESTABLISHED"] = "现在双方都是 ESTABLISHED",
  ["one SYN-ACK is enough this time"] = "这一次一个 SYN-ACK 就够了",
  ["the client sent its bare ACK once"] = "客户端的单独的 ACK 只发送一次",
  ["the data was resent until there was room at 400 ms"] = "数据一再重传，直到 400 ms 时有了空位",
  ["it has arrived"] = "它到达了",
  ["every discarded segment was counted"] = "每个被丢弃的报文段都被计数",
  ["nothing was reset"] = "没有任何复位",
})
