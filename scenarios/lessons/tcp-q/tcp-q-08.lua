-- TCP-Q-08  SYN dropped because the accept queue is full.
-- As long as the accept queue is full there is no point in answering a SYN: the connection could not be handed over. Linux drops it
-- without a word, with SYN cookies or without (tcp_conn_request: sk_acceptq_is_full). So an application that does not accept makes its
-- host look dead to new clients.
local hs = require "hopscope"
hs.title { en = "TCP-Q-08 SYN dropped because the accept queue is full", zh = "TCP-Q-08 因接受队列已满而丢弃 SYN" }

local client, server = hs.host "client", hs.host "server"
hs.link(client, server, { delay = "10ms" })
client:ping("server", { count = 1 })
local answers = {}
hs.on("frame.tx", function(e)
  local tcp = e.packet.tcp
  if tcp then answers[tcp.dport] = (answers[tcp.dport] or 0) + 1 end
end, { node = server })

local resume = false
server:spawn(function(os)
  local listener = os.tcp():bind(5000):listen(1)  -- a limit of 1: two may wait
  while not resume do os.sleep "10ms" end
  while true do listener:accept() end
end)
local connected = {}
hs.note {
  en = "Two connections fill the accept queue, and the application does not call accept.",
  zh = "两条连接填满了接受队列，而应用程序不调用 accept。",
}
for i = 1, 4 do
  hs.after(i * 0.1, function()
    client:spawn(function(os)
      os.tcp():bind(6000 + i):connect("server", 5000)
      connected[i] = hs.now()
      os.sleep "1h"
    end)
  end)
end
hs.run "3s"
hs.note({
  en = "After three seconds the SYNs of the third and the fourth client have had %s answers.",
  zh = "三秒之后，第三和第四个客户端的 SYN 得到了 %s 个应答。",
}, (answers[6003] or 0) + (answers[6004] or 0))
hs.expect_equal("the accept queue is full", server:sockets("LISTEN")[1].recv_q, 2)
hs.expect_equal("the first two are connected, the others not", { connected[1] ~= nil, connected[2] ~= nil, connected[3], connected[4] }, { true, true, nil, nil })
hs.expect_equal("later SYNs get no answer at all: no SYN-ACK, no RST", { answers[6003], answers[6004] }, { nil, nil })
hs.expect_equal("nor is there a half-open entry", #server:sockets "SYN-RECEIVED", 0)
-- each client sent its SYN at 0, 1 and 2 s
hs.expect_equal("each of the six SYNs is counted as an overflow and a drop",
  { server:counter "TcpExtListenOverflows", server:counter "TcpExtListenDrops" }, { 6, 6 })
hs.expect_equal("SYN cookies are on, and do not help", { server:sysctl "net.ipv4.tcp_syncookies", server:counter "TcpExtSyncookiesSent" }, { 1, 0 })

hs.note {
  en = "Now the application accepts again: the next repetition of each SYN gets through.",
  zh = "现在应用程序又接受连接了：每个 SYN 的下一次重传都能通过。",
}
resume = true
hs.run "2s"
hs.expect("all four are connected", connected[3] and connected[4], connected)

hs.translate("zh", {
  ["the accept queue is full"] = "接受队列已满",
  ["the first two are connected, the others not"] = "前两个已连接，其他的没有",
  ["later SYNs get no answer at all: no SYN-ACK, no RST"] = "后来的 SYN 根本得不到应答：没有 SYN-ACK，没有 RST",
  ["nor is there a half-open entry"] = "也没有半开连接项",
  ["each of the six SYNs is counted as an overflow and a drop"] = "六个 SYN 每个都计作一次溢出和一次丢弃",
  ["SYN cookies are on, and do not help"] = "SYN cookie 是开启的，却没有帮助",
  ["all four are connected"] = "四个都已连接",
})
