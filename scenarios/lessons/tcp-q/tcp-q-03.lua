-- TCP-Q-03  Accept queue length.
-- listen(backlog) is cut down to net.core.somaxconn (128 for a long time, 4096 since Linux 5.4). The test "is it full?" is
-- "greater than", so that a limit of n lets n+1 connections wait (Linux __sys_listen, sk_acceptq_is_full).
local hs = require "hopscope"
hs.title { en = "TCP-Q-03 Accept queue length", zh = "TCP-Q-03 接受队列的长度" }

-- { backlog, somaxconn, limit }
local cases = { { 5, 128, 5 }, { 511, 128, 128 }, { 511, 1024, 511 } }
hs.note {
  en = "A server listens and never calls accept. 600 clients connect; how many connections wait in the accept queue?",
  zh = "服务器监听，却从不调用 accept。600 个客户端来连接；有多少条连接在接受队列里等待？",
}

for i, case in ipairs(cases) do
  local backlog, somaxconn, limit = case[1], case[2], case[3]
  local client, server = hs.host("client" .. i), hs.host("server" .. i)
  hs.link(client, server, { delay = "1ms" })
  -- a room for half-open entries that does not matter here
  server:sysctl("net.core.somaxconn", somaxconn)
  server:sysctl("net.ipv4.tcp_synack_retries", 1)
  hs.run "1ms"
  server:spawn(function(os)
    os.tcp():bind(5000):listen(backlog)
    os.sleep "1h"
  end)
  for k = 1, 600 do
    client:spawn(function(os)
      os.sleep(k * 0.001)
      os.tcp():connect("server" .. i, 5000)
      os.sleep "1h"
    end)
  end
  hs.run "1s"
  local listener = server:sockets("LISTEN")[1]
  hs.note({
    en = "backlog %d, somaxconn %d: limit %d (Send-Q of ss), waiting %d (Recv-Q)",
    zh = "backlog %d，somaxconn %d：上限 %d（ss 的 Send-Q），在等待的 %d（Recv-Q）",
  }, backlog, somaxconn, listener.send_q, listener.recv_q)
  hs.expect_equal("backlog " .. backlog .. ", somaxconn " .. somaxconn .. ": the limit is the smaller one", listener.send_q, math.min(backlog, somaxconn))
  hs.expect_equal("that is " .. limit, listener.send_q, limit)
  hs.expect_equal("one more than the limit may wait", listener.recv_q, limit + 1)
  hs.expect("the others are counted: listen queue overflowed", server:counter "TcpExtListenOverflows" > 0)
end
hs.expect_equal("somaxconn of a host where nobody has touched it", hs.host("fresh"):sysctl "net.core.somaxconn", 4096)

hs.translate("zh", {
  ["backlog {}, somaxconn {}: the limit is the smaller one"] = "backlog {}，somaxconn {}：上限是较小的那个",
  ["that is {}"] = "也就是 {}",
  ["one more than the limit may wait"] = "可以比上限多等待一条",
  ["the others are counted: listen queue overflowed"] = "其他的被计数：监听队列溢出",
  ["somaxconn of a host where nobody has touched it"] = "没有人改动过的主机的 somaxconn",
})
