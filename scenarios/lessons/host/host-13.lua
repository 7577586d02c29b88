-- HOST-13  Observability counters.
-- A running system can be asked what it has lost: netstat -s, ss, ip -s link, ethtool. The numbers are totals since the system
-- started, so one sample says little: take two, and the difference is what happened in between. (They are separate counters:
-- asking for one and reading another is a mistake that some books print.)
local hs = require "hopscope"
hs.title { en = "HOST-13 Observability counters", zh = "HOST-13 可供观察的计数器" }

local client, server = hs.host "client", hs.host "server"
hs.link(client, server, { rate = "1Gbps", queue = 10000 })
client:arp_set("server", server:dev().mac)
local card = server:dev()
card:ring { size = 256, irq_cost = "1us", packet_cost = "500ns" } -- faster than the wire: 672 ns for a frame
local sock = client:udp()
local lazy = server:udp { port = 5000 } -- a process that does not read
local busy = server:udp { port = 4242, on_datagram = function() end }

-- The simulator's own book: every packet that was dropped at the server, and why.
local truth = {}
hs.on("frame.drop", function(e) truth[e.reason] = (truth[e.reason] or 0) + 1 end, { node = server })

local function send(n, port)
  for _ = 1, n do sock:sendto("x", "server", port) end
  hs.run "20ms"
end
local function overrun(n) -- the ring's 256 and n more while nobody polls
  card:ring_pause(true)
  send(256 + n, 4242)
  card:ring_pause(false)
  hs.run "20ms"
end
local function sample()
  return { rcvbuf_errors = server:counter "UdpRcvbufErrors", overruns = card:stats().rx_overruns, socket_drops = lazy.drops }
end

hs.note { en = "The speed of the card, as ethtool tells it.", zh = "网卡的速度，就像 ethtool 所显示的那样。" }
hs.expect_equal("1000 Mbit/s", card.speed, 1000000000)

hs.note {
  en = "A socket whose process does not read fills up (the Recv-Q of ss); after that everything is lost and counted.",
  zh = "进程不读，套接字就填满了（ss 的 Recv-Q）；此后一切都丢失，并且被计数。",
}
hs.expect_equal("at first nothing waits", lazy.rmem, 0)
while lazy.drops == 0 do send(1, 5000) end
hs.expect("the receive queue holds what the socket may hold", lazy.rmem > lazy:getopt "SO_RCVBUF" - 1000, lazy.rmem)
send(4343 - 1, 5000)
overrun(109)
local first = sample()
hs.log({ en = "first sample %s", zh = "第一次采样 %s" }, hs.show(first))
hs.expect_equal("cumulative totals: 4343 datagrams and 109 overruns", first, { rcvbuf_errors = 4343, overruns = 109, socket_drops = 4343 })
hs.expect_equal("the truth is the same", { truth["socket buffer full"], truth["receive ring full"] }, { 4343, 109 })

hs.note {
  en = "Some time later, a second sample. The totals are large; what matters is by how much they have grown.",
  zh = "过了一段时间，再取一次样。总数很大；重要的是它们增长了多少。",
}
send(57, 5000)
overrun(12)
local second = sample()
hs.log({ en = "second sample %s", zh = "第二次采样 %s" }, hs.show(second))
hs.expect_equal("in between 57 datagrams were lost at the socket", second.rcvbuf_errors - first.rcvbuf_errors, 57)
hs.expect_equal("and 12 frames at the ring", second.overruns - first.overruns, 12)
hs.expect_equal("again the counters equal the truth", { truth["socket buffer full"], truth["receive ring full"] },
  { second.rcvbuf_errors, second.overruns })

hs.note {
  en = "Each loss is in one counter only: the ring's losses never reached IP, the socket's did.",
  zh = "每次丢失只计入一个计数器：环里丢失的从未到达 IP，套接字丢失的则到过。",
}
hs.expect_equal("IP has received all frames but those that the ring lost",
  server:counter "IpInReceives", client:counter "IpOutRequests" - second.overruns)
hs.expect_equal("UDP has delivered all of these but what the socket lost",
  server:counter "UdpInDatagrams" + server:counter "UdpInErrors" + lazy.rmem // 832, server:counter "IpInDelivers")
hs.expect_equal("the other socket has lost nothing", busy.drops, 0)

hs.note {
  en = "TCP's numbers: ss shows the state of every connection and the listener's queue, netstat -s the totals of what it refused.",
  zh = "TCP 的数字：ss 显示每条连接的状态和监听者的队列，netstat -s 显示它所拒绝的总数。",
}
server:tcp():bind(5678):listen(3)          -- nobody accepts; Linux takes one more than the backlog: 4
local small = server:tcp():bind(5679)
small:listen(2)
client:spawn(function(os)
  for _ = 1, 4 do os.tcp():connect("server", 5678) end
  os.sleep "20s"
end)
hs.run "20ms"
local function listen_queue(port)
  for _, s in ipairs(server:sockets "LISTEN") do if s.port == port then return { s.recv_q, s.send_q } end end
end
hs.expect_equal("four connections are ESTABLISHED at both ends", { #server:sockets "ESTABLISHED", #client:sockets "ESTABLISHED" }, { 4, 4 })
hs.expect_equal("the listener shows 4 waiting, of a limit of 3", listen_queue(5678), { 4, 3 })

server:sysctl("net.ipv4.tcp_syncookies", 0)
local refused = {} -- the simulator's own book: SYNs that reached the server and were not answered
hs.on("tcp.drop", function(e) refused[e.reason] = (refused[e.reason] or 0) + 1 end, { node = server })
local function flood(port, n, from)
  for i = 1, n do client:forge { to = "server", src = "10.9.9.9", sport = 1024 + (from + i) % 60000, dport = port, flags = "S", seq = i } end
  hs.run "20ms"
end
local function tcp_sample()
  return { overflows = server:counter "TcpExtListenOverflows", drops = server:counter "TcpExtListenDrops" }
end
flood(5678, 4343, 0)
local one = tcp_sample()
hs.log({
  en = "netstat -s: %d times the listen queue of a socket overflowed; %d SYNs to LISTEN sockets dropped",
  zh = "netstat -s：套接字的监听队列溢出 %d 次；丢弃 %d 个发往 LISTEN 套接字的 SYN",
}, one.overflows, one.drops)
hs.expect_equal("4343 SYNs found the accept queue full: each is an overflow, and a dropped SYN", one, { overflows = 4343, drops = 4343 })

hs.note {
  en = "A full SYN queue (half-open connections, cookies off) drops SYNs, too, but is no overflow of the listen queue: two separate counters.",
  zh = "SYN 队列满了（半开连接，cookie 关闭）也丢弃 SYN，但这不是监听队列的溢出：是两个不同的计数器。",
}
local queued = 0 -- half-open connections that fit
while server:counter "TcpExtListenDrops" == one.drops do
  queued = queued + 1
  flood(5679, 1, 10000 + queued)
end
flood(5679, 109 - 1, 30000)
local two = tcp_sample()
hs.expect_equal("109 more SYNs dropped, not one overflow more", { two.drops - one.drops, two.overflows - one.overflows }, { 109, 0 })
hs.expect_equal("those that fitted wait half open", #server:sockets "SYN-RECEIVED", queued - 1)

hs.translate("zh", {
  ["at first nothing waits"] = "起初没有什么在等待",
  ["the receive queue holds what the socket may hold"] = "接收队列装着套接字所能容纳的",
  ["cumulative totals: 4343 datagrams and 109 overruns"] = "累计总数：4343 个数据报和 109 次溢出",
  ["the truth is the same"] = "事实与此相同",
  ["in between 57 datagrams were lost at the socket"] = "其间有 57 个数据报在套接字丢失",
  ["and 12 frames at the ring"] = "有 12 个帧在环丢失",
  ["again the counters equal the truth"] = "计数器又与事实相等",
  ["IP has received all frames but those that the ring lost"] = "除了环丢失的，IP 收到了所有的帧",
  ["UDP has delivered all of these but what the socket lost"] = "除了套接字丢失的，UDP 全部交付",
  ["the other socket has lost nothing"] = "另一个套接字没有丢失任何东西",
  ["four connections are ESTABLISHED at both ends"] = "四条连接在两端都是 ESTABLISHED",
  ["the listener shows 4 waiting, of a limit of 3"] = "监听者显示有 4 个在等待，上限是 3",
  ["4343 SYNs found the accept queue full: each is an overflow, and a dropped SYN"] = "4343 个 SYN 遇到接受队列已满：每个都是一次溢出，和一个被丢弃的 SYN",
  ["109 more SYNs dropped, not one overflow more"] = "又丢弃 109 个 SYN，溢出一次也没有增加",
  ["those that fitted wait half open"] = "放得下的处于半开，在等待",
})
