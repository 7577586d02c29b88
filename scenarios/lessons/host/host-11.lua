-- HOST-11  Queue discipline overflow.
-- In front of every card is a queue of packets, by default of 1000 (Linux: ip link set eth0 txqueuelen 1000). A sender that
-- is faster than the card fills it in a burst, and what comes then is dropped on the sending host itself, before any wire.
local hs = require "hopscope"
hs.title { en = "HOST-11 Queue discipline overflow", zh = "HOST-11 队列规则溢出" }

local BURST = 1400
local sender, receiver = hs.host "sender", hs.host "receiver"
local cable = hs.link(sender, receiver, { rate = "1Gbps" })
sender:arp_set("receiver", receiver:dev().mac)
local got = 0
receiver:udp { port = 4242, on_datagram = function() got = got + 1 end }
local sock = sender:udp():connect("receiver", 4242)
local out = cable:dir(sender)

-- A burst of 1400 packets to a stopped card; then the card goes on.
local function burst(options)
  if options.queue then out:set { queue = options.queue } end
  sender:dev():ring { size = 0, tx = options.ring or 0 }
  local before = out:stats().queue_drops
  got = 0
  out:pause(true)
  for _ = 1, BURST do sock:send "x" end
  local waiting = out:stats().queue_packets
  out:pause(false)
  hs.run "20ms"
  return { lost = out:stats().queue_drops - before, waiting = waiting, delivered = got }
end

hs.note {
  en = "The card is stopped (its neighbour asked for a pause), and a process sends 1400 packets. The queue holds 1000, the ring nothing.",
  zh = "网卡停了下来（它的邻居请求暂停），而一个进程发送 1400 个分组。队列容纳 1000 个，环一个也不容纳。",
}
hs.expect_equal("a queue of 1000 loses 400 of 1400", burst {}, { lost = 400, waiting = 1000, delivered = 1000 })
-- A queue that is full makes the send call fail inside; UDP tells its process only if it asked for errors.
hs.expect_equal("UDP reported no error to the process", sock:error(), nil)

hs.note {
  en = "txqueuelen 1500: the whole burst finds a place, and arrives when the card goes on.",
  zh = "txqueuelen 为 1500：整个突发都放得下，网卡恢复时全部到达。",
}
hs.expect_equal("a queue of 1500 loses none", burst { queue = 1500 }, { lost = 0, waiting = 1400, delivered = 1400 })

hs.note {
  en = "A real card has a ring as well, and its slots hold packets, too. With 1000 in the queue and 256 in the ring, 144 are lost.",
  zh = "真正的网卡还有一个环，它的槽也能放分组。队列里 1000 个，环里 256 个，于是丢失 144 个。",
}
hs.expect_equal("queue 1000 and ring 256: 1400 - 1256", burst { queue = 1000, ring = 256 },
  { lost = 144, waiting = 1000, delivered = 1256 })

hs.note {
  en = "A longer queue is not always better: whatever waits in it delays everything behind it. 1500 frames of 84 bytes on the wire are 1 ms at 1 Gbit/s, but 100 ms at 10 Mbit/s.",
  zh = "队列并不总是越长越好：在里面等待的都会耽搁后面的。线路上 1500 个 84 字节的帧，在 1 Gbit/s 时是 1 ms，在 10 Mbit/s 时却是 100 ms。",
}
local frame_bits, queue = 84 * 8, 1500
hs.expect_near("a full queue of 1500 small frames at 10 Mbit/s", queue * frame_bits / 10e6, "100.8ms", "1us")

hs.translate("zh", {
  ["a queue of 1000 loses 400 of 1400"] = "1000 的队列丢失 1400 个中的 400 个",
  ["UDP reported no error to the process"] = "UDP 没有向进程报告错误",
  ["a queue of 1500 loses none"] = "1500 的队列一个也不丢失",
  ["queue 1000 and ring 256: 1400 - 1256"] = "队列 1000，环 256：1400 - 1256",
  ["a full queue of 1500 small frames at 10 Mbit/s"] = "10 Mbit/s 时装满 1500 个小帧的队列",
})
