-- HOST-12  Five places a packet can die.
-- Between one process and another a packet can be lost in five places: in the queues of the TCP handshake, in the queue in
-- front of the sending card, in the receiving card's ring, in the socket's buffer, and in the network between. Each place has
-- a counter of its own. Who knows which one grows knows where to look.
local hs = require "hopscope"
hs.title { en = "HOST-12 Five places a packet can die", zh = "HOST-12 分组可能丢失的五个地方" }

local client, server = hs.host "client", hs.host "server"
local cable = hs.link(client, server, { rate = "1Gbps", queue = 100 })
client:arp_set("server", server:dev().mac)
local card = server:dev()
card:ring { size = 64 }
local out = cable:dir(client)
local reader = server:udp { port = 4242, on_datagram = function() end } -- reads at once
local lazy = server:udp { port = 5000 }                                 -- never reads
local sock = client:udp()

local function send(n, port)
  for _ = 1, n do sock:sendto("x", "server", port) end
end
local function counters()
  return {
    queue = out:stats().queue_drops,          -- tc -s qdisc
    ring = card:stats().rx_overruns,          -- ip -s link, ethtool -S
    socket = server:counter "UdpRcvbufErrors", -- netstat -su
    network = out:stats().lost_packets,       -- nobody's: only what is missing tells it
  }
end
local function injected(fn)
  local before = counters()
  fn()
  hs.run "20ms"
  local after, delta = counters(), {}
  for name, value in pairs(after) do delta[name] = value - before[name] end
  return delta
end

hs.note { en = "Nothing special: 50 packets, no loss, and no counter moves.", zh = "没有什么特别：50 个分组，没有丢失，没有一个计数器变动。" }
hs.expect_equal("no loss, no counter", injected(function() send(50, 4242) end), { queue = 0, ring = 0, socket = 0, network = 0 })

hs.note {
  en = "1. The queue discipline: the card is stopped, 100 packets fit into the queue, 107 come.",
  zh = "1. 队列规则：网卡停着，队列放得下 100 个分组，来了 107 个。",
}
hs.expect_equal("the queue has dropped 7", injected(function()
  out:pause(true)
  send(107, 4242)
  -- The receiving ring takes 64 at a time easily: the kernel keeps up with the wire.
  out:pause(false)
end), { queue = 7, ring = 0, socket = 0, network = 0 })

hs.note {
  en = "2. The receiving card: nobody polls its ring of 64, and 75 frames come.",
  zh = "2. 接收网卡：没有人轮询它那 64 个槽的环，来了 75 个帧。",
}
hs.expect_equal("the ring has overrun 11 times", injected(function()
  card:ring_pause(true)
  send(75, 4242)
  hs.run "1ms"
  card:ring_pause(false)
end), { queue = 0, ring = 11, socket = 0, network = 0 })

hs.note {
  en = "3. The socket's buffer: a process that does not read. Its buffer is filled first; then 13 more come.",
  zh = "3. 套接字的缓冲区：一个不读数据的进程。先把它的缓冲区填满；然后又来了 13 个。",
}
local fits = 0
while lazy.drops == 0 do
  send(1, 5000)
  hs.run "1ms"
  fits = fits + 1
end
hs.log({ en = "datagrams that fit: %d bytes as Linux counts them: %d", zh = "能容纳的数据报：%d；按 Linux 的算法计的字节数：%d" }, fits - 1, lazy.rmem)
hs.expect_equal("the socket's buffer was full for 13", injected(function() send(13, 5000) end),
  { queue = 0, ring = 0, socket = 13, network = 0 })

hs.note { en = "4. The network between: a bad cable loses every second of 34 packets.", zh = "4. 中间的网络：一条坏线路，34 个分组里每隔一个丢一个。" }
hs.expect_equal("the network has lost 17", injected(function()
  out:rule(function(p) return p.nth % 2 == 0 and "drop" or nil end)
  send(34, 4242)
  hs.run "10ms"
  out:rule(nil)
end), { queue = 0, ring = 0, socket = 0, network = 17 })
hs.expect("the reader's own buffer never overflowed", reader.drops == 0)

hs.note {
  en = "5. The queues of the TCP handshake: two connections fill the accept queue of a server that never accepts, then 19 SYNs come.",
  zh = "5. TCP 握手的队列：两条连接填满了一个从不 accept 的服务器的接受队列，然后来了 19 个 SYN。",
}
server:tcp():bind(5678):listen(1) -- Linux takes one more than the backlog: 2
client:spawn(function(os)
  for _ = 1, 2 do os.tcp():connect("server", 5678) end
  os.sleep "1s"
end)
hs.run "20ms"
local before = server:counter "TcpExtListenOverflows"
hs.expect_equal("two fit", { server:sockets("LISTEN")[1].recv_q, before }, { 2, 0 })
hs.expect_equal("none of the other counters moves", injected(function()
  for i = 1, 19 do client:forge { to = "server", sport = 1000 + i, dport = 5678, flags = "S", seq = i } end
end), { queue = 0, ring = 0, socket = 0, network = 0 })
hs.expect_equal("the accept queue has overflowed 19 times", server:counter "TcpExtListenOverflows" - before, 19)

hs.translate("zh", {
  ["no loss, no counter"] = "没有丢失，没有计数",
  ["the queue has dropped 7"] = "队列丢弃了 7 个",
  ["the ring has overrun 11 times"] = "环溢出了 11 次",
  ["the socket's buffer was full for 13"] = "套接字的缓冲区对 13 个来说已满",
  ["the network has lost 17"] = "网络丢失了 17 个",
  ["the reader's own buffer never overflowed"] = "读者自己的缓冲区从未溢出",
  ["two fit"] = "两条放得下",
  ["none of the other counters moves"] = "其他计数器都没有变动",
  ["the accept queue has overflowed 19 times"] = "接受队列溢出了 19 次",
})
