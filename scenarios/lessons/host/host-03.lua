-- HOST-03  Interrupt masking and soft interrupts.
-- The hard handler does next to nothing: it masks the card's interrupt, raises a soft interrupt, and ends. The soft interrupt
-- takes frames from the ring. The card's interrupt stays masked until a poll has EMPTIED the ring (Linux
-- napi_complete_done) - not, as some books have it, until the hard handler ends. If there is more work than the budget
-- allows (300 frames or 2 ms), it goes on in a thread, ksoftirqd, so that processes get their turn. Only then: ksoftirqd is
-- for overload.
local hs = require "hopscope"
hs.title { en = "HOST-03 Interrupt masking and soft interrupts", zh = "HOST-03 中断屏蔽与软中断" }

local client, server = hs.host "client", hs.host "server"
hs.link(client, server, { rate = "1Gbps" })
client:arp_set("server", server:dev().mac)
local card = server:dev()
local got = 0
server:udp { port = 4242, on_datagram = function() got = got + 1 end }
local sock = client:udp():connect("server", 4242)

-- A frame of 101 bytes (59 of data) is there 904 ns after its first bit, the next one 1 us later.
local function send(n)
  for _ = 1, n do sock:send(hs.payload(59)) end
end
local story = {}
hs.on("nic.interrupt", function() table.insert(story, "interrupt") end)
hs.on("nic.softirq", function(e) table.insert(story, e.thread and "ksoftirqd" or "softirq") end)
hs.on("nic.poll", function(e) table.insert(story, e.frames .. (e.unmasked and " frames, unmasked" or " frames")) end)

card:ring { irq_cost = "2us", packet_cost = "5us" }
hs.note {
  en = "Three frames, each 1 us after the other. The first interrupts; the others come while the interrupt is masked.",
  zh = "三个帧，前后相隔 1 us。第一个引发中断；其他的在中断被屏蔽时到来。",
}
send(3)
hs.at("4us", function()
  hs.expect("4 us: the soft interrupt is at work, the card's interrupt is masked", card:ring_stats().is_masked)
  hs.expect_equal("the handler has ended long ago: one frame in work, two in the ring", card:ring_stats().waiting, 2)
end)
hs.run "1ms"
hs.expect_equal("frames during a poll raise no interrupt", story, { "interrupt", "softirq", "3 frames, unmasked" })
hs.expect("the ring is empty: unmasked", not card:ring_stats().is_masked)

hs.note { en = "The next frame finds the interrupt unmasked and raises one.", zh = "下一个帧发现中断已经解除屏蔽，于是引发一次。" }
story = {}
send(1)
hs.run "1ms"
hs.expect_equal("the first frame after an empty poll raises an interrupt", story, { "interrupt", "softirq", "1 frames, unmasked" })

hs.note {
  en = "700 frames at the speed at which the kernel can work. After each 5 polls (320 frames: the budget of 300 is used up) the rest is left to ksoftirqd.",
  zh = "700 个帧，速度正是内核所能处理的速度。每 5 次轮询之后（320 个帧：预算 300 已经用完），其余的留给 ksoftirqd。",
}
card:ring { irq_cost = "2us", packet_cost = "1us" }
story, got = {}, 0
send(700)
hs.run "5ms"
hs.expect_equal("past the budget work moves to the thread", story, {
  "interrupt", "softirq", "64 frames", "64 frames", "64 frames", "64 frames", "64 frames",
  "ksoftirqd", "64 frames", "64 frames", "64 frames", "64 frames", "64 frames",
  "ksoftirqd", "60 frames, unmasked",
})
hs.expect_equal("nothing was lost, and one interrupt was enough", { got, card:ring_stats().interrupts }, { 700, 1 })
hs.expect_equal("two rounds ended for lack of budget (softnet_stat: time_squeeze)", card:ring_stats().squeezes, 2)

-- 64 frames of 20 us take 1.28 ms: after the second poll 2.56 ms are over, more than 2 ms.
hs.note {
  en = "The budget has a second limit, 2 ms. With 20 us of work per frame it is reached after two polls.",
  zh = "预算还有第二个限制，2 ms。每帧需要 20 us 时，两次轮询之后就达到了。",
}
card:ring { size = 1000, irq_cost = "2us", packet_cost = "20us" }
story, got = {}, 0
send(150)
hs.run "10ms"
hs.expect_equal("the time is over after 128 frames", story,
  { "interrupt", "softirq", "64 frames", "64 frames", "ksoftirqd", "22 frames, unmasked" })
hs.expect_equal("all are delivered", got, 150)

hs.translate("zh", {
  ["4 us: the soft interrupt is at work, the card's interrupt is masked"] = "4 us：软中断正在工作，网卡的中断被屏蔽",
  ["the handler has ended long ago: one frame in work, two in the ring"] = "处理程序早已结束：一个帧在处理，两个在环里",
  ["frames during a poll raise no interrupt"] = "轮询期间的帧不引发中断",
  ["the ring is empty: unmasked"] = "环是空的：解除屏蔽",
  ["the first frame after an empty poll raises an interrupt"] = "空轮询之后的第一个帧引发中断",
  ["past the budget work moves to the thread"] = "超过预算，工作转到线程",
  ["nothing was lost, and one interrupt was enough"] = "没有任何丢失，一次中断就够了",
  ["two rounds ended for lack of budget (softnet_stat: time_squeeze)"] = "有两轮因预算不足而结束（softnet_stat：time_squeeze）",
  ["the time is over after 128 frames"] = "128 个帧之后时间用完",
  ["all are delivered"] = "全部交付",
})
