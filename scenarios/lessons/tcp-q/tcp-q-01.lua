-- TCP-Q-01  Two queues per listener.
-- A listening socket has two waiting rooms. A SYN is remembered as a half-open entry in state SYN-RECEIVED (the SYN queue). The third
-- segment of the handshake turns the entry into a connection, which is ESTABLISHED and waits in the accept queue until the
-- application calls accept (RFC 9293 3.10.7.2, 3.10.7.4; Linux tcp_conn_request, inet_csk_reqsk_queue_add, inet_csk_accept).
local hs = require "hopscope"
hs.title { en = "TCP-Q-01 Two queues per listener", zh = "TCP-Q-01 每个监听者有两个队列" }

local client, server = hs.host "client", hs.host "server"
hs.link(client, server, { delay = "10ms" })
client:ping("server", { count = 1 })  -- so that ARP is over
local t0 = hs.now()

server:spawn(function(os)
  local listener = os.tcp():bind(5000):listen(8)
  os.sleep "100ms"
  hs.note { en = "The application calls accept: the connection leaves the accept queue.", zh = "应用程序调用 accept：连接离开接受队列。" }
  local conn = listener:accept()
  os.sleep "1s"
  conn:close()
end)
for i = 1, 3 do
  client:spawn(function(os)
    os.sleep(0.002 * (i - 1))
    os.tcp():connect("server", 5000)
    os.sleep "1s"
  end)
end

-- What ss shows: { half-open, waiting for accept, established in all }
local function lengths()
  return { #server:sockets "SYN-RECEIVED", server:sockets("LISTEN")[1].recv_q, #server:sockets "ESTABLISHED" }
end
local seen = {}
local function look(ms, what, zh)
  hs.at(t0 + ms / 1000, function()
    seen[ms] = lengths()
    hs.note({ en = "%d ms, %s: half-open %d, accept queue %d", zh = "%d ms，%s：半开 %d，接受队列 %d" }, ms, { en = what, zh = zh }, seen[ms][1], seen[ms][2])
  end)
end
hs.note {
  en = "Three clients connect at 0, 2 and 4 ms. The way takes 10 ms: SYNs arrive at 10, 12 and 14 ms, third segments at 30, 32 and 34 ms.",
  zh = "三个客户端在 0、2 和 4 ms 连接。单程 10 ms：SYN 在 10、12 和 14 ms 到达，第三个报文段在 30、32 和 34 ms 到达。",
}
look(5, "nothing has arrived", "什么也没有到达")
look(11, "one SYN", "一个 SYN")
look(13, "two SYNs", "两个 SYN")
look(15, "three SYNs", "三个 SYN")
look(31, "one third segment", "一个第三报文段")
look(33, "two third segments", "两个第三报文段")
look(35, "three third segments", "三个第三报文段")
look(101, "one accept", "一次 accept")
local half_open, at_client
hs.at(t0 + 0.016, function() half_open, at_client = server:sockets "SYN-RECEIVED", client:sockets() end)
hs.run "500ms"

hs.expect_equal("before the first SYN both queues are empty", seen[5], { 0, 0, 0 })
hs.expect_equal("each SYN adds a half-open entry", { seen[11], seen[13], seen[15] }, { { 1, 0, 0 }, { 2, 0, 0 }, { 3, 0, 0 } })
hs.expect_equal("each third segment moves one from the half-open queue to the accept queue",
  { seen[31], seen[33], seen[35] }, { { 2, 1, 1 }, { 1, 2, 2 }, { 0, 3, 3 } })
hs.expect_equal("accept takes one out; it stays ESTABLISHED", seen[101], { 0, 2, 3 })
hs.expect_equal("the half-open entries are those of the three clients", #half_open, 3)
for _, entry in ipairs(half_open) do hs.expect_equal("a half-open entry is in SYN-RECEIVED", entry.state, "SYN-RECEIVED") end
for _, entry in ipairs(at_client) do
  hs.expect_equal("a client's socket is no listener: it is in SYN-SENT and has neither queue", { entry.state, entry.recv_q }, { "SYN-SENT", 0 })
end
hs.expect_equal("three client sockets", #at_client, 3)

hs.translate("zh", {
  ["before the first SYN both queues are empty"] = "第一个 SYN 之前两个队列都是空的",
  ["each SYN adds a half-open entry"] = "每个 SYN 增加一个半开连接项",
  ["each third segment moves one from the half-open queue to the accept queue"] = "每个第三报文段使一个从半开队列移到接受队列",
  ["accept takes one out; it stays ESTABLISHED"] = "accept 取出一个；它仍是 ESTABLISHED",
  ["the half-open entries are those of the three clients"] = "半开连接项就是三个客户端的",
  ["a half-open entry is in SYN-RECEIVED"] = "半开连接项处于 SYN-RECEIVED",
  ["a client's socket is no listener: it is in SYN-SENT and has neither queue"] = "客户端的套接字不是监听者：它处于 SYN-SENT，两种队列都没有",
  ["three client sockets"] = "三个客户端套接字",
})
