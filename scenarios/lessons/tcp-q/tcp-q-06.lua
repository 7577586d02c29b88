-- TCP-Q-06  Half-open overflow.
-- Half-open connections take memory, so there is a limit. Without SYN cookies a SYN that finds the queue full is dropped without a
-- word; the client repeats it after 1 s, then 2 s, then 4 s, and gets in as soon as an old entry has been given up (RFC 4987 2;
-- Linux tcp_conn_request; RFC 6298: the wait doubles).
local hs = require "hopscope"
hs.title { en = "TCP-Q-06 Half-open overflow", zh = "TCP-Q-06 半开队列溢出" }

local client, r, server, attacker = hs.host "client", hs.router "r", hs.host "server", hs.host "attacker"
hs.link(client, r, { delay = "5ms" })
hs.link(attacker, r, { delay = "5ms" })
hs.link(r, server, { delay = "5ms" })
r:route { to = "10.66.0.0/16", type = "blackhole" }  -- nobody lives there
server:sysctl("net.ipv4.tcp_syncookies", 0)
server:sysctl("net.ipv4.tcp_synack_retries", 2)      -- an entry lives 1 + 2 + 4 = 7 s
client:sysctl("net.ipv4.tcp_syn_linear_timeouts", 0) -- doubling at once, as Linux did before 6.5
client:ping("server", { count = 1 })
attacker:ping("server", { count = 1 })

local t0 = hs.now()
local tries, connected = {}, nil
hs.on("frame.tx", function(e)
  local tcp = e.packet.tcp
  if tcp and tcp.syn and not tcp.ack then tries[#tries + 1] = math.floor((e.time - t0) * 1000 + 0.5) end
end, { node = client })
server:spawn(function(os)
  os.tcp():bind(5000):listen(3)
  os.sleep "1h"
end)

hs.note {
  en = "Four SYNs with forged sources fill the half-open queue (backlog 3, and one more: see TCP-Q-07). Their SYN-ACKs go nowhere.",
  zh = "四个伪造源地址的 SYN 填满了半开队列（backlog 3，再加一个：见 TCP-Q-07）。它们的 SYN-ACK 无处可去。",
}
for i = 1, 4 do attacker:forge { to = server, dport = 5000, src = "10.66.0." .. i, sport = 2000 + i, seq = i * 1000 } end
hs.run "90ms"
hs.expect_equal("four half-open entries", #server:sockets "SYN-RECEIVED", 4)

hs.note { en = "100 ms later an honest client comes.", zh = "100 ms 之后，来了一个诚实的客户端。" }
client:spawn(function(os)
  os.sleep "10ms"
  os.tcp():connect("server", 5000)
  connected = hs.now() - t0
  os.sleep "1h"
end)
hs.run_until(t0 + 7)
hs.expect_equal("three SYNs were dropped, and counted as such", server:counter "TcpExtTCPReqQFullDrop", 3)
hs.expect_equal("also as drops of the listener", server:counter "TcpExtListenDrops", 3)
hs.expect_equal("it is not connected yet", connected, nil)
hs.run "30s"
hs.note({
  en = "The client sent its SYN at %s ms. The entries were given up 7 s after they came.",
  zh = "客户端在 %s ms 发送 SYN。连接项在到来 7 s 之后被放弃。",
}, table.concat(tries, ", "))
hs.expect_equal("retries 1, 3 and 7 s after the first SYN", tries, { 100, 1100, 3100, 7100 })
hs.expect_near("the last one is answered: 20 ms for the round trip", connected, 7.12, 1e-9)

hs.translate("zh", {
  ["four half-open entries"] = "四个半开连接项",
  ["three SYNs were dropped, and counted as such"] = "三个 SYN 被丢弃，并如实计数",
  ["also as drops of the listener"] = "也计作监听者的丢弃",
  ["it is not connected yet"] = "它还没有连接",
  ["retries 1, 3 and 7 s after the first SYN"] = "在第一个 SYN 之后 1、3 和 7 s 重试",
  ["the last one is answered: 20 ms for the round trip"] = "最后一个得到应答：往返 20 ms",
})
