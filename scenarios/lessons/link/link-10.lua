-- LINK-10  Link speed as a ceiling.
-- A card puts one bit behind the other on the wire: a frame takes its size / the rate, and no frame can leave sooner. What comes
-- faster waits in the queue; when that is full, it is dropped. A frame with 1500 bytes of payload takes 8 + 14 + 1500 + 4 + 12 =
-- 1538 byte times, at 10000 Mbit/s 1.2304 us: 812744 frames a second, not one more.
local hs = require "hopscope"
hs.title { en = "LINK-10 Link speed as a ceiling", zh = "LINK-10 链路速度是上限" }

local a, b = hs.host "a", hs.host "b"
local link = hs.link(a, b, { rate = "10Gbps", delay = "10us", queue = { "droptail", packets = 100 } })
a:ping("b", { count = 1 })
local sent = hs.frames { link = link, filter = function(p) return p.udp end }
local drops = hs.frames { on = "drop", node = a }
local sink = b:udp_sink(9)

hs.note {
  en = "A burst of 150 datagrams, all at once: one is being sent, 100 wait in the queue, and for 49 there is no room.",
  zh = "150 个数据报的突发，一起到来：一个正在发送，100 个在队列里等待，另外 49 个没有地方。",
}
a:udp_source { to = "b", port = 9, size = 1472, gap = "1ns", count = 150 }
hs.run "1ms"
local frame = 1538 * 8 / 10e9
hs.expect_near("a full frame takes 1538 byte times = 1.2304 us", frame, 1.2304e-6, 1e-15)
hs.expect_equal("1514 bytes in each frame, 1538 byte times on the wire", sent[1].len + 8 + 4 + 12, 1538)
hs.expect_equal("one on the wire and 100 in the queue: 101 were sent", #sent, 101)
hs.expect_equal("49 were dropped, because the queue was full", { #drops, drops[1].reason }, { 49, "queue full" })
hs.expect_equal("and counted", link:dir(a):stats().queue_drops, 49)
hs.expect_equal("the sink misses as many", sink:stats().received, 101)

hs.note {
  en = "They leave at equal distances. The clock counts whole nanoseconds, but what is left of one is not forgotten.",
  zh = "它们等距离地发出。时钟按整纳秒计数，但余下的零头不会被忘记。",
}
local worst = 0
for i, f in ipairs(sent) do worst = math.max(worst, math.abs(f.time - sent[1].time - (i - 1) * frame)) end
print(string.format("    first three: %.1f, %.1f, %.1f ns; after 100 frames %.1f ns", 0, (sent[2].time - sent[1].time) * 1e9,
  (sent[3].time - sent[1].time) * 1e9, (sent[101].time - sent[1].time) * 1e9))
hs.expect("each frame leaves i * 1230.4 ns after the first, to the nanosecond", worst < 1.001e-9, worst)
hs.expect_near("the 101st after 100 * 1.2304 us = 123.04 us", sent[101].time - sent[1].time, "123.04us", 1e-12)

hs.note {
  en = "Now twice what the card can carry: a datagram every 615.2 ns (gap 615 ns) for 3000 datagrams.",
  zh = "现在是网卡承受能力的两倍：每 615.2 ns 一个数据报（间隔 615 ns），共 3000 个数据报。",
}
local before, lost_before = #sent, link:dir(a):stats().queue_drops
a:udp_source { to = "b", port = 9, size = 1472, gap = "615ns", count = 3000 }
hs.run "10ms"
local carried, lost = #sent - before, link:dir(a):stats().queue_drops - lost_before
-- The last comes 2999 * 615 ns = 1844.385 us after the first. Until then 1844.385 / 1.2304 + 1 = 1500.01 -> 1500 frames have started,
-- and the queue holds 100 more when it is full: 1600 get through, give or take the one at the edge.
hs.expect_near("what gets through is the line rate and one queue", carried, 1600, 1)
hs.expect_equal("the excess is dropped and counted", lost, 3000 - carried)
hs.expect_near("the rate is that of the card, not of the source",
  (carried - 1) * 1538 * 8 / (sent[#sent].time - sent[before + 1].time), 10e9, 1e4)

hs.translate("zh", {
  ["a full frame takes 1538 byte times = 1.2304 us"] = "一个满帧需要 1538 个字节时间 = 1.2304 us",
  ["1514 bytes in each frame, 1538 byte times on the wire"] = "每个帧 1514 字节，线路上 1538 个字节时间",
  ["one on the wire and 100 in the queue: 101 were sent"] = "线路上一个，队列里 100 个：发送了 101 个",
  ["49 were dropped, because the queue was full"] = "丢弃了 49 个，因为队列已满",
  ["and counted"] = "并被计数",
  ["the sink misses as many"] = "接收端缺少同样多",
  ["each frame leaves i * 1230.4 ns after the first, to the nanosecond"] = "每个帧在第一个之后 i * 1230.4 ns 离开，精确到纳秒",
  ["the 101st after 100 * 1.2304 us = 123.04 us"] = "第 101 个在 100 * 1.2304 us = 123.04 us 之后",
  ["what gets through is the line rate and one queue"] = "通过的是线路速率加一个队列",
  ["the excess is dropped and counted"] = "多余的被丢弃并计数",
  ["the rate is that of the card, not of the source"] = "速率是网卡的，不是源的",
})
