-- TCP-Q-02  Hash and list.
-- A third segment may arrive in any order, so the half-open entry must be found by its addresses and ports: a hash table, O(1)
-- however many there are (since Linux 4.4 the one table of all connections). Accepted connections are a plain list: the one whose
-- handshake ended first is accepted first, whichever SYN came first (Linux inet_csk_reqsk_queue_add, reqsk_queue_remove).
local hs = require "hopscope"
hs.title { en = "TCP-Q-02 Hash and list", zh = "TCP-Q-02 散列表与链表" }

local N = 8
local client, server = hs.host "client", hs.host "server"
local link = hs.link(client, server, { delay = "10ms" })
client:ping("server", { count = 1 })

hs.note {
  en = "Eight clients, ports 6001 to 6008, send their SYNs in this order. The third segment of port 600x is held back by a time of its own, so that they end their handshakes in another order.",
  zh = "八个客户端，端口 6001 到 6008，按此次序发送 SYN。端口 600x 的第三个报文段各被扣留一段时间，使它们完成握手的次序不同。",
}
-- the order in which third segments shall arrive
local order = { 5, 2, 8, 1, 7, 3, 6, 4 }
local wait = {}
for place, i in ipairs(order) do wait[6000 + i] = place * 0.01 end
link:dir(client):rule(function(p)
  if p.tcp and not p.tcp.syn then return { "delay", wait[p.tcp.sport], overtake = true } end
end)

local syns, thirds, accepted = {}, {}, {}
hs.on("frame.rx", function(e)
  local tcp = e.packet.tcp
  if not tcp then return end
  local list = tcp.syn and syns or thirds
  list[#list + 1] = tcp.sport - 6000
end, { node = server })
server:spawn(function(os)
  local listener = os.tcp():bind(5000):listen(64)
  os.sleep "500ms"
  for _ = 1, N do
    local _, _, port = listener:accept()
    accepted[#accepted + 1] = port - 6000
  end
  os.sleep "10s"
end)
for i = 1, N do
  client:spawn(function(os)
    os.sleep(i * 0.0001)
    os.tcp():bind(6000 + i):connect("server", 5000)
    os.sleep "10s"
  end)
end
local half_open, queued
hs.after(0.025, function() half_open = #server:sockets "SYN-RECEIVED" end)
hs.after(0.4, function() queued = server:sockets("LISTEN")[1].recv_q end)
hs.run "1s"

hs.note({
  en = "SYNs came in the order %s, third segments %s, accept gave %s.",
  zh = "SYN 到达的次序是 %s，第三个报文段是 %s，accept 给出的是 %s。",
}, table.concat(syns, " "), table.concat(thirds, " "), table.concat(accepted, " "))
hs.expect_equal("eight half-open entries", half_open, N)
hs.expect_equal("SYNs in order", syns, { 1, 2, 3, 4, 5, 6, 7, 8 })
hs.expect_equal("third segments in quite another order", thirds, order)
hs.expect_equal("each has found its entry", queued, N)
hs.expect_equal("accept order is the order in which handshakes ended", accepted, order)
hs.expect_equal("no RST: no third segment was without an entry", server:counter "TcpOutRsts", 0)

hs.translate("zh", {
  ["eight half-open entries"] = "八个半开连接项",
  ["SYNs in order"] = "SYN 按序",
  ["third segments in quite another order"] = "第三个报文段的次序则完全不同",
  ["each has found its entry"] = "每个都找到了自己的连接项",
  ["accept order is the order in which handshakes ended"] = "accept 的次序就是完成握手的次序",
  ["no RST: no third segment was without an entry"] = "没有 RST：没有一个第三报文段找不到连接项",
})
