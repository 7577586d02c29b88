-- SW-08  Ports of different speed.
-- A port of 100 Mbit/s can bring ten times of what a port of 10 Mbit/s takes away. A switch has a buffer for the difference:
-- it saves a short burst. If the sender does not stop, the buffer only delays the loss: nine frames of ten are dropped, and
-- those that pass have waited behind a full buffer.
local hs = require "hopscope"
hs.title { en = "SW-08 Ports of different speed", zh = "SW-08 速度不同的端口" }

local BUFFER = hs.param("buffer", 100, "frames that the slow port can hold")
local switch = hs.switch "switch"
local fast, slow = hs.host "fast", hs.host "slow"
hs.link(fast, switch, { rate = "100Mbps" })
local to_slow = hs.link(switch, slow, { rate = "10Mbps", queue = { "droptail", packets = BUFFER } })
fast:arp_set("slow", slow:dev().mac)

local received, last = 0, 0
slow:udp { port = 4242, on_datagram = function() received, last = received + 1, hs.now() end }

-- 1184 bytes of payload are 1250 on the wire (8 UDP, 20 IP, 14 + 4 Ethernet, 8 preamble, 12 gap): 100 us at 100 Mbit/s and
-- 1 ms at 10 Mbit/s.
local function blast(n) return fast:udp_source { to = "slow", port = 4242, size = 1184, gap = "100us", count = n } end
local function drops() return to_slow:dir(switch):stats().queue_drops end

hs.note {
  en = "A burst of as many frames as the buffer holds, at full speed. They wait, but all of them arrive.",
  zh = "缓冲区容纳多少个帧，就来多少个帧的突发，全速。它们要等待，但全部到达。",
}
blast(BUFFER)
hs.run "1s"
hs.expect_equal("a burst within the buffer loses nothing", { received, drops() }, { BUFFER, 0 })
-- The last bit of frame k leaves k ms after the first frame began, less the gap of 9.6 us; the first began when its last
-- bit had come in, 99.04 us after it was sent.
hs.expect_near("but its last frame has taken ten times as long as it was sent", last, BUFFER / 1000 + 99.04e-6 - 9.6e-6, "1ns")

hs.note {
  en = "Now two seconds without a pause: 20000 frames, ten for each that can leave.",
  zh = "现在两秒钟不停歇：20000 个帧，每能离开一个就来十个。",
}
received = 0
local start = hs.now()
blast(20000)
hs.run_until(start + 2)
local early = drops()
hs.run "1s"
local lost = drops()
hs.log({ en = "received %d dropped %d %.1f %%", zh = "收到 %d，丢弃 %d，即 %.1f %%" }, received, lost, 100 * lost / 20000)

-- In 2 s the slow port begins 2000 frames; when the burst ends, a full buffer is left, which arrives later. (One frame more
-- or less: at the last instant a frame comes and a place becomes free.)
hs.expect_equal("every frame was received or dropped", received + lost, 20000)
hs.expect_between("what arrives is what 10 Mbit/s carries in 2 s, and a buffer full", received, 2000 + BUFFER - 1, 2000 + BUFFER + 1)
hs.expect_between("about 90 % are lost: 9 of 10 as soon as the buffer is full", lost / 20000, 0.89, 0.90)
hs.expect_equal("the buffer was never fuller than it can be", to_slow:dir(switch):stats().queue_peak_packets, BUFFER)
hs.expect("the drops happened while it lasted, none afterwards", early == lost, { early, lost })

hs.translate("zh", {
  ["a burst within the buffer loses nothing"] = "在缓冲区之内的突发不丢失任何东西",
  ["but its last frame has taken ten times as long as it was sent"] = "但它最后一个帧所用的时间是发送时间的十倍",
  ["every frame was received or dropped"] = "每个帧或被收到，或被丢弃",
  ["what arrives is what 10 Mbit/s carries in 2 s, and a buffer full"] = "到达的是 10 Mbit/s 在 2 s 内所能传送的，加上一个满的缓冲区",
  ["about 90 % are lost: 9 of 10 as soon as the buffer is full"] = "约 90 % 丢失：缓冲区一满，10 个中丢 9 个",
  ["the buffer was never fuller than it can be"] = "缓冲区从不超过它的容量",
  ["the drops happened while it lasted, none afterwards"] = "丢弃发生在过载期间，之后没有",
})
