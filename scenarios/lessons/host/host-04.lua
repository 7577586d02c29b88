-- HOST-04  Ring overrun on receive.
-- The card writes frames into the ring whether or not anybody empties it. When the ring is full there is no place for the
-- next one: the card drops it, and counts it as an overrun ("overruns" of ifconfig, rx_missed of ethtool). A larger ring
-- (ethtool -G eth0 rx 512) helps against bursts.
local hs = require "hopscope"
hs.title { en = "HOST-04 Ring overrun on receive", zh = "HOST-04 接收环溢出" }

local RING, MORE = 256, 44
local client, server = hs.host "client", hs.host "server"
hs.link(client, server, { rate = "1Gbps" })
client:arp_set("server", server:dev().mac)
local card = server:dev()
local got = 0
server:udp { port = 4242, on_datagram = function() got = got + 1 end }
local sock = client:udp():connect("server", 4242)
local lost = hs.frames { node = server, on = "drop" }

local function burst(n)
  for _ = 1, n do sock:send(hs.payload(59)) end
  hs.run "5ms"
end

hs.note {
  en = "The kernel is busy elsewhere: nobody polls. A burst of 300 frames comes to a ring of 256.",
  zh = "内核忙于别处：没有人轮询。300 个帧的突发到达一个 256 的环。",
}
card:ring { size = RING }
card:ring_pause(true)
burst(RING + MORE)
hs.expect_equal("the ring is full", card:ring_stats().waiting, RING)
hs.expect_equal("exactly 44 have found no place: overruns", card:stats().rx_overruns, MORE)
hs.expect_equal("each of them is a frame that the card dropped", { #lost, lost[1].reason }, { MORE, "receive ring full" })
hs.expect_equal("no process has seen anything yet", got, 0)

hs.note {
  en = "The kernel comes back and empties the ring: the first 256 are delivered. The others are gone.",
  zh = "内核回来把环取空：前 256 个被交付。其他的都没有了。",
}
card:ring_pause(false)
hs.run "5ms"
hs.expect_equal("what was in the ring is delivered", got, RING)
hs.expect_equal("the counter stays", card:stats().rx_overruns, MORE)

hs.note { en = "The same burst with a ring of 512.", zh = "同样的突发，环为 512。" }
card:ring { size = 512 }
card:ring_pause(true)
got = 0
burst(RING + MORE)
card:ring_pause(false)
hs.run "5ms"
hs.expect_equal("a larger ring removes the loss", { got, card:stats().rx_overruns - MORE }, { RING + MORE, 0 })

hs.translate("zh", {
  ["the ring is full"] = "环已满",
  ["exactly 44 have found no place: overruns"] = "正好 44 个没有地方：溢出",
  ["each of them is a frame that the card dropped"] = "每个都是网卡丢弃的帧",
  ["no process has seen anything yet"] = "还没有进程看到任何东西",
  ["what was in the ring is delivered"] = "环里的被交付",
  ["the counter stays"] = "计数保持不变",
  ["a larger ring removes the loss"] = "更大的环消除了丢失",
})
