-- HOST-07  Transmit path.
-- The way down (Linux): the system call copies the data into an skb; IP finds the route, writes its header and cuts what is
-- too long; the neighbour entry gives the MAC address, or the packet waits for ARP; the frame joins the device's queue and,
-- as soon as there is a slot, the card's transmit ring; the card reads it by DMA and sends it. When it has left, a completion
-- interrupt frees the skb and the slot: not earlier, because until then the card may still be reading. (The first frame
-- into an empty queue is moved to the ring by the sending process itself; the others by interrupts, when slots become free.)
local hs = require "hopscope"
hs.title { en = "HOST-07 Transmit path", zh = "HOST-07 发送路径" }

local a, b = hs.host "a", hs.host "b"
hs.link(a, b, { rate = "100Mbps", delay = "1ms" })
-- Two slots; the completion interrupt comes 50 us after a frame has left.
a:dev():ring { size = 0, tx = 2, tx_irq_delay = "50us" }
local got = {}
b:udp { port = 4242, on_datagram = function(data) table.insert(got, #data) end }
local sock = a:udp():connect("b", 4242)

local stages, ring_log, waiting = {}, {}, 0
local names = {
  ["udp.send"] = { en = "socket: data copied into an skb", zh = "套接字：数据复制到 skb 中" },
  ["ip.output"] = { en = "IP: header and route", zh = "IP：首部和路由" },
  ["ip.fragment"] = { en = "IP: a fragment", zh = "IP：一个分片" },
  ["nic.tx_ring"] = { en = "ring: takes a slot", zh = "环：占用槽" },
  ["frame.tx"] = { en = "card: first bit on the wire", zh = "网卡：第一个比特送上线路" },
  ["nic.tx_complete"] = { en = "completion interrupt: slot free", zh = "发送完成中断：释放槽" },
}
hs.on("*", function(e)
  local name = names[e.probe]
  if e.probe == "neigh.state" then name = { en = string.format("neighbour: %s", e.new), zh = string.format("邻居：%s", e.new) } end
  if e.probe == "queue.length" then
    if e.packets > waiting then name = { en = "queue: frame joins", zh = "队列：帧进入" } end
    waiting = e.packets
  end
  if e.packet and e.packet.arp then return end -- of ARP only what the packet sees of it
  if e.probe == "nic.tx_ring" or e.probe == "nic.tx_complete" then
    table.insert(ring_log, { probe = e.probe, slot = e.slot, time = e.time })
  end
  if name then
    hs.log({ en = "%s%s", zh = "%s%s" }, name, e.slot and " " .. e.slot or "")
    table.insert(stages, name.en)
  end
end, { node = a })

hs.note { en = "The neighbour is known, and one small datagram goes down.", zh = "邻居是已知的，一个小数据报往下走。" }
a:arp_set("b", b:dev().mac)
stages, ring_log = {}, {}
hs.at("1ms", function() sock:send "hello" end)
hs.run "10ms"
hs.expect_equal("the stages of one datagram, in order", stages, {
  "socket: data copied into an skb", "IP: header and route", "queue: frame joins", "ring: takes a slot",
  "card: first bit on the wire", "completion interrupt: slot free",
})
-- (60 + 24 bytes on the wire) * 8 / 100 Mbit/s = 6.72 us, and 50 us to the interrupt.
hs.expect_near("the slot is free 56.72 us after the frame began", ring_log[2].time - ring_log[1].time, "56.72us", "1ns")

hs.note {
  en = "The same without a MAC address: the packet waits at the neighbour, and goes on when the answer is there.",
  zh = "同样的事，但没有 MAC 地址：分组在邻居表项里等待，应答来了再继续走。",
}
a:arp_del("b")
stages = {}
sock:send "hello"
hs.run "10ms"
local order = {}
for i, name in ipairs(stages) do order[name] = order[name] or i end
hs.expect("IP, then the neighbour, then the answer, then the wire",
  order["IP: header and route"] < order["neighbour: INCOMPLETE"] and order["neighbour: INCOMPLETE"] < order["neighbour: REACHABLE"]
    and order["neighbour: REACHABLE"] < order["card: first bit on the wire"], stages)

hs.note {
  en = "6000 bytes are more than a frame holds: IP cuts them into 5 fragments. There are 2 slots, so 3 fragments stay in the queue until completion interrupts free slots for them.",
  zh = "6000 字节超过一个帧的容量：IP 把它切成 5 个分片。槽有 2 个，所以 3 个分片留在队列里，直到发送完成中断为它们腾出槽。",
}
sock:setopt("IP_MTU_DISCOVER", 0)
stages, ring_log, got = {}, {}, {}
sock:send(hs.payload(6000))
hs.run "10ms"
local fragments, started = 0, 0
for _, name in ipairs(stages) do
  fragments = fragments + (name == "IP: a fragment" and 1 or 0)
  started = started + (name == "card: first bit on the wire" and 1 or 0)
end
-- 8 bytes of UDP and 6000 of data, 1480 in each fragment: 5 fragments.
hs.expect_equal("five fragments were cut and sent", { fragments, started }, { 5, 5 })
hs.expect_equal("b has the whole datagram", got, { 6000 })

local busy, peak, reuse = {}, 0, 0
local in_use, early = 0, 0
for _, e in ipairs(ring_log) do
  if e.probe == "nic.tx_ring" then
    if busy[e.slot] == "busy" then early = early + 1 end
    if busy[e.slot] == "free" then reuse = reuse + 1 end
    busy[e.slot], in_use = "busy", in_use + 1
    peak = math.max(peak, in_use)
  else
    busy[e.slot], in_use = "free", in_use - 1
  end
end
hs.expect_equal("never were more than two slots in use", peak, 2)
hs.expect_equal("no slot was used again before its completion", early, 0)
hs.expect_equal("three fragments have used a slot a second time", reuse, 3)
hs.expect_equal("at the end the ring is empty", a:dev():ring_stats().tx_used, 0)

hs.note {
  en = "TCP works on a clone: when the completion interrupt frees the clone and its slot, the original is still in the send buffer, until its ACK.",
  zh = "TCP 使用的是克隆：发送完成中断释放克隆和它的槽时，原件还在发送缓冲区里，直到它的 ACK 到来。",
}
local conn
b:tcp_sink(5678)
a:spawn(function(os)
  conn = os.tcp():connect("b", 5678)
  os.sleep "1s"
end)
hs.run "20ms"
stages, ring_log = {}, {}
local left, freed
local watch = hs.on("nic.tx_complete", function() freed = freed or conn:info().send_q end, { node = a })
conn:write "hello over TCP"
left = conn:info().send_q
hs.run "500us"
hs.expect("the frame has left, its slot is free", ring_log[2] and ring_log[2].probe == "nic.tx_complete", ring_log)
hs.expect_equal("all 14 bytes are still in the send buffer", { left, freed, conn:info().send_q }, { 14, 14, 14 })
watch:cancel()
hs.run "10ms"
hs.expect_equal("the ACK frees the original", conn:info().send_q, 0)

hs.translate("zh", {
  ["the stages of one datagram, in order"] = "一个数据报依次经过的各级",
  ["the slot is free 56.72 us after the frame began"] = "帧开始之后 56.72 us 槽空出来",
  ["IP, then the neighbour, then the answer, then the wire"] = "IP，然后邻居，然后应答，然后线路",
  ["five fragments were cut and sent"] = "切出并发送了五个分片",
  ["b has the whole datagram"] = "b 得到整个数据报",
  ["never were more than two slots in use"] = "使用中的槽从不超过两个",
  ["no slot was used again before its completion"] = "没有一个槽在完成之前被再次使用",
  ["three fragments have used a slot a second time"] = "三个分片是第二次使用槽",
  ["at the end the ring is empty"] = "最后环是空的",
  ["the frame has left, its slot is free"] = "帧已离开，它的槽空闲",
  ["all 14 bytes are still in the send buffer"] = "全部 14 字节仍在发送缓冲区里",
  ["the ACK frees the original"] = "ACK 释放原件",
})
