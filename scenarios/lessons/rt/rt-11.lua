-- RT-11  Congested router drops.
-- A router cannot send faster than its line. When more comes in than can leave, the packets wait in the queue of the output
-- port; when the queue is full, what comes next is thrown away, at the tail (RFC 2309 2). Below the line's rate nothing waits
-- for long and nothing is lost.
local hs = require "hopscope"
hs.title { en = "RT-11 Congested router drops", zh = "RT-11 拥塞的路由器丢弃分组" }

local LIMIT = 10 -- packets that may wait
local one, two = hs.host "one", hs.host "two"
local router, sink_host = hs.router "router", hs.host "sink"
hs.link(one, router, { rate = "100Mbps", delay = "1ms" })
hs.link(two, router, { rate = "100Mbps", delay = "1ms" })
local narrow = hs.link(router, sink_host, { rate = "10Mbps", delay = "1ms", queue = LIMIT })
local out = narrow:dir(router)

-- 1000 bytes of data are 1042 in the frame (14 + 20 + 8 before them), 1066 on the wire (+ 24 for preamble, FCS and gap):
-- 8528 bits, 852.8 us at 10 Mbit/s.
local SERVICE = 852.8

local sink = sink_host:udp_sink(9)
local first_drop, longest = nil, 0
hs.on("frame.drop", function(e)
  first_drop = first_drop or { nth = router:counter "IpForwDatagrams", waiting = out:stats().queue_packets, reason = e.reason }
end, { link = narrow })
hs.on("queue.length", function() longest = math.max(longest, out:stats().queue_packets) end, { link = narrow })

hs.note {
  en = "Both hosts send a packet every 1800 us, so one comes every 900 us. One takes 852.8 us to send: the line keeps up.",
  zh = "两台主机各每 1800 us 发送一个分组，所以每 900 us 来一个。发送一个需要 852.8 us：线路跟得上。",
}
one:udp_source { to = "sink", port = 9, size = 1000, gap = "1800us", count = 100 }
two:udp_source { to = "sink", port = 9, size = 1000, gap = "1800us", count = 100, start = "900us" }
hs.run_until "1s"
hs.expect_equal("below the rate of the line all 200 arrive", sink:stats().received, 200)
hs.expect_equal("no drop below the rate", out:stats().queue_drops, 0)

hs.note {
  en = "Now one packet every 400 us: more than twice what the line can send. The queue grows, and at 10 packets it is full.",
  zh = "现在每 400 us 一个分组：超过线路所能发送的两倍。队列变长，到 10 个分组时就满了。",
}
local before = router:counter "IpForwDatagrams"
local COUNT, GAP = 100, 400
longest = 0
one:udp_source { to = "sink", port = 9, size = 1000, gap = "800us", count = COUNT // 2 }
two:udp_source { to = "sink", port = 9, size = 1000, gap = "800us", count = COUNT // 2, start = "400us" }
hs.run_until "2s"

-- The same with pencil and paper. Packet n (from 0) comes at n * 400 us. The line is never idle, and has then begun to send
-- 1 + floor(n * 400 / 852.8) packets; those accepted and not begun are waiting. A full queue refuses.
local accepted, refused, first = 0, 0, nil
local free_at = 0.0 -- when the last accepted packet will have been sent
for n = 0, COUNT - 1 do
  local begun = math.min(accepted, 1 + n * GAP // SERVICE)
  if n > 0 and accepted - begun >= LIMIT then
    refused, first = refused + 1, first or n + 1
  else
    accepted = accepted + 1
  end
end

hs.note({
  en = "The first drop hits packet %d; %d packets were waiting then. In the end %d of %d were lost.",
  zh = "第一次丢弃落在第 %d 个分组；当时有 %d 个分组在等待。最后 %d 个丢失，共 %d 个。",
}, first_drop.nth - before, first_drop.waiting, out:stats().queue_drops, COUNT)
hs.expect_equal("dropping begins when the queue is at its limit", { first_drop.waiting, first_drop.reason }, { LIMIT, "queue full" })
hs.expect_equal("the first to be dropped is the 20th packet: 19 - 9 sent or being sent = 10 are waiting", first_drop.nth - before, 20)
hs.expect_equal("as the calculation says", first_drop.nth - before, first)
hs.expect_equal("and so many are dropped in all", out:stats().queue_drops, refused)
hs.expect_equal("the rest arrive", sink:stats().received - 200, COUNT - refused)
hs.expect_equal("the queue was never longer than its limit", { longest, out:stats().queue_peak_packets }, { LIMIT, LIMIT })

hs.translate("zh", {
  ["below the rate of the line all 200 arrive"] = "低于线路速率时 200 个全部到达",
  ["no drop below the rate"] = "低于速率时没有丢弃",
  ["dropping begins when the queue is at its limit"] = "队列到达上限时开始丢弃",
  ["the first to be dropped is the 20th packet: 19 - 9 sent or being sent = 10 are waiting"] = "最先被丢弃的是第 20 个分组：19 - 9（已发送或正在发送）= 10 个在等待",
  ["as the calculation says"] = "如计算所示",
  ["and so many are dropped in all"] = "总共丢弃这么多",
  ["the rest arrive"] = "其余的到达",
  ["the queue was never longer than its limit"] = "队列从不超过上限",
})
