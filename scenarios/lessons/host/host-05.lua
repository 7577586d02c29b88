-- HOST-05  Kernel input backlog.
-- Packets that do not come from a NAPI card wait for the kernel in a queue of net.core.netdev_max_backlog packets (1000): what
-- a host sends to itself over the loopback, and what drivers that interrupt for every frame hand over (in Linux: one queue
-- per processor, also used by RPS). The next packet is dropped. A longer backlog helps against bursts; it is no defence
-- against a SYN flood, whose queue is another one.
local hs = require "hopscope"
hs.title { en = "HOST-05 Kernel input backlog", zh = "HOST-05 内核的输入积压队列" }

local host, client = hs.host "host", hs.host "client"
hs.link(client, host, { rate = "1Gbps", queue = 2000 })
client:arp_set("host", host:dev().mac)
local got = 0
host:udp { port = 4242, on_datagram = function() got = got + 1 end }
local drops = {}
hs.on("frame.drop", function(e) drops[e.reason] = (drops[e.reason] or 0) + 1 end, { node = host })

hs.expect_equal("the limit is 1000", host:sysctl "net.core.netdev_max_backlog", 1000)
local loopback = host:devs()[1]
local function to_myself(n)
  local sock = host:udp():connect("127.0.0.1", 4242)
  got, drops = 0, {}
  for _ = 1, n do sock:send "x" end
  hs.run "1ms"
  return { delivered = got, dropped = drops["input backlog full"] or 0 }
end

hs.note {
  en = "The host sends to itself, in one breath: no soft interrupt comes in between, so all wait in the backlog.",
  zh = "主机一口气发送给自己：其间没有软中断，所以全都在积压队列里等待。",
}
hs.expect_equal("1000 packets find a place", to_myself(1000), { delivered = 1000, dropped = 0 })
hs.expect_equal("the 1001st waiting packet is dropped", to_myself(1001), { delivered = 1000, dropped = 1 })
hs.expect_equal("and counted at the interface", loopback:stats().rx_dropped, 1)

hs.note { en = "Raise the limit, and the drop point moves.", zh = "提高限制，丢弃的位置随之移动。" }
host:sysctl("net.core.netdev_max_backlog", 1500)
hs.expect_equal("1001 pass now", to_myself(1001), { delivered = 1001, dropped = 0 })
hs.expect_equal("1500 pass, the 1501st does not", to_myself(1501), { delivered = 1500, dropped = 1 })
host:sysctl("net.core.netdev_max_backlog", 1000)

-- A frame of 101 bytes every microsecond; an interrupt of 100 ns moves each to the backlog before the next one comes.
local sock = client:udp():connect("host", 4242)
local card = host:dev()
local function from_the_card(n)
  got, drops = 0, {}
  card:ring { mode = "interrupt", irq_cost = "100ns" }
  card:ring_pause(true)
  for _ = 1, n do sock:send(hs.payload(59)) end
  hs.run "5ms"
  local waiting = card:ring_stats().backlog
  card:ring_pause(false)
  hs.run "5ms"
  return { waiting = waiting, delivered = got, dropped = drops["input backlog full"] or 0 }
end

hs.note {
  en = "The same behind a card that interrupts for every frame, while the kernel is too busy for soft interrupts.",
  zh = "同样的事发生在一块每帧都中断的网卡后面，而内核忙得顾不上软中断。",
}
hs.expect_equal("1000 wait", from_the_card(1000), { waiting = 1000, delivered = 1000, dropped = 0 })
hs.expect_equal("the 1001st is dropped", from_the_card(1001), { waiting = 1000, delivered = 1000, dropped = 1 })
hs.expect_equal("the card's statistics tell it", card:ring_stats().backlog_drops, 1)
host:sysctl("net.core.netdev_max_backlog", 1001)
hs.expect_equal("a limit of 1001: it passes", from_the_card(1001), { waiting = 1001, delivered = 1001, dropped = 0 })

hs.translate("zh", {
  ["the limit is 1000"] = "限制是 1000",
  ["1000 packets find a place"] = "1000 个分组有地方",
  ["the 1001st waiting packet is dropped"] = "第 1001 个等待的分组被丢弃",
  ["and counted at the interface"] = "并在接口上计数",
  ["1001 pass now"] = "现在 1001 个通过",
  ["1500 pass, the 1501st does not"] = "1500 个通过，第 1501 个没有",
  ["1000 wait"] = "1000 个在等待",
  ["the 1001st is dropped"] = "第 1001 个被丢弃",
  ["the card's statistics tell it"] = "网卡的统计说明了这一点",
  ["a limit of 1001: it passes"] = "限制为 1001：它通过",
})
