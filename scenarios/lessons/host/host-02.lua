-- HOST-02  Interrupt per packet versus NAPI.
-- An interrupt is dear: the processor drops what it was doing. In the old way every frame raises one. With NAPI (Linux since
-- 2.6) the first frame raises one, which is then switched off; the kernel polls the ring, at most 64 frames a poll (the
-- weight) and 300 frames or 2 ms a round (the budget), and switches interrupts on again when a poll finds the ring empty.
local hs = require "hopscope"
hs.title { en = "HOST-02 Interrupt per packet versus NAPI", zh = "HOST-02 每个分组一次中断与 NAPI" }

local N = 200
local client, server = hs.host "client", hs.host "server"
hs.link(client, server, { rate = "1Gbps" })
client:arp_set("server", server:dev().mac)

local got = 0
server:udp { port = 4242, on_datagram = function() got = got + 1 end }
local sock = client:udp():connect("server", 4242)
local polls = {}
hs.on("nic.poll", function(e) polls[#polls + 1] = e.frames end)

-- 59 bytes of data make a frame of 101, which takes 125 byte times: one frame every microsecond.
local function burst(mode)
  server:dev():ring { mode = mode, irq_cost = "2us", packet_cost = "1us" }
  got, polls = 0, {}
  for _ = 1, N do sock:send(hs.payload(59)) end
  hs.run "5ms"
  local s = server:dev():ring_stats()
  local name = { en = mode, zh = mode == "napi" and "NAPI" or "每帧中断" }
  hs.log({ en = "%s frames %d hard interrupts %d polls %d", zh = "%s：帧 %d，硬中断 %d，轮询 %d" }, name, got, s.interrupts, #polls)
  return s
end

hs.note {
  en = "A burst of 200 frames, one every microsecond, to a card that interrupts for each of them.",
  zh = "200 个帧的突发，每微秒一个，到达一块每帧都中断的网卡。",
}
local old = burst "interrupt"
hs.expect_equal("interrupt mode: N frames, N interrupts", old.interrupts, N)
hs.expect_equal("all of them delivered", got, N)
hs.expect("so many interrupts leave no time for the work: frames pile up", old.ring_peak > 100, old.ring_peak)

hs.note {
  en = "The same burst with NAPI. The kernel keeps up with one frame a microsecond, so the ring never gets long; one interrupt is enough for all.",
  zh = "同样的突发，使用 NAPI。内核跟得上每微秒一个帧，所以环从不会变长；一次中断就够全部使用。",
}
local napi = burst "napi"
hs.expect_equal("NAPI: N frames, 1 interrupt", napi.interrupts, 1)
hs.expect_equal("the same frames are delivered", got, N)
hs.expect_equal("polls of at most 64 frames: 64 + 64 + 64 + 8 = 200", polls, { 64, 64, 64, 8 })
hs.expect_equal("200 frames are within the budget of 300: one round", napi.softirqs, 1)
hs.expect("the ring holds what came during the interrupt, and hardly more", napi.ring_peak <= 4, napi.ring_peak)

hs.note {
  en = "Frames that come one by one, with pauses, cost one interrupt each in both modes: NAPI helps when there is much to do.",
  zh = "一个个到来、中间有间歇的帧，在两种模式下都是每帧一次中断：要做的事多的时候，NAPI 才有帮助。",
}
server:dev():ring { mode = "napi" }
for _ = 1, 5 do
  sock:send(hs.payload(59))
  hs.run "1ms"
end
hs.expect_equal("five lonely frames, five interrupts", server:dev():ring_stats().interrupts, 5)

hs.translate("zh", {
  ["interrupt mode: N frames, N interrupts"] = "中断模式：N 个帧，N 次中断",
  ["all of them delivered"] = "全部交付",
  ["so many interrupts leave no time for the work: frames pile up"] = "这么多中断没有给工作留下时间：帧堆积起来",
  ["NAPI: N frames, 1 interrupt"] = "NAPI：N 个帧，1 次中断",
  ["the same frames are delivered"] = "交付了同样的帧",
  ["polls of at most 64 frames: 64 + 64 + 64 + 8 = 200"] = "每次轮询最多 64 个帧：64 + 64 + 64 + 8 = 200",
  ["200 frames are within the budget of 300: one round"] = "200 个帧在预算 300 之内：一轮",
  ["the ring holds what came during the interrupt, and hardly more"] = "环里只有中断期间到来的，几乎没有更多",
  ["five lonely frames, five interrupts"] = "五个孤立的帧，五次中断",
})
