-- LINK-08  Collision detection and retry.
-- On a shared cable only one may send at a time. Who has a frame waits for silence; if two begin at the same moment, both hear that
-- something is wrong, jam the cable and stop. Each waits a random number of slots (512 bit times: there and back on the longest
-- cable), 0 to 2^n - 1 after the nth collision (n up to 10), and tries again by itself: 16 times (IEEE 802.3 4.2.3.2).
-- A switched full-duplex link has two ways, and so no collisions at all.
local hs = require "hopscope"
hs.title { en = "LINK-08 Collision detection and retry", zh = "LINK-08 碰撞检测与重试" }

local function mac(text) return (text:gsub("(%x%x):?", function(x) return string.char(tonumber(x, 16)) end)) end
local function frame(from, to, size) -- a frame of a protocol of our own, size bytes without FCS
  return mac(to) .. mac(from:dev().mac) .. "\x88\xb5" .. ("x"):rep(size - 14)
end
local nobody = "02:ff:ff:ff:ff:ff" -- a card that does not exist: every card but the sender's drops it

-- Two stations, 40 duels one second apart: both have a frame at the same moment.
local hub = hs.hub("hub", { rate = "10Mbps", delay = "1us" })
local a, b = hs.host "a", hs.host "b"
hs.link(a, hub)
hs.link(b, hub)
local heard = { a = b:raw(), b = a:raw() }
local rounds, collisions, late = 40, {}, true
local sent = hs.frames { filter = function(p, e) return e.node == "a" or e.node == "b" end }
hs.note {
  en = "a and b send at the same moment, to each other; forty times. They collide, wait a random time, and try again.",
  zh = "a 和 b 在同一时刻互相发送；共四十次。它们碰撞，等待随机的时间，再试一次。",
}
local raw_a, raw_b = a:raw(), b:raw()
local second_try = 0
for i = 1, rounds do
  local before, n, start = hub:stats().collisions, #sent, hs.now()
  raw_a:send(frame(a, b:dev().mac, 200))
  raw_b:send(frame(b, a:dev().mac, 200))
  hs.run "1s"
  collisions[i] = hub:stats().collisions - before
  local first = sent[n + 1].time - start
  -- All goes by the rules: the jam ends at 6.4 us (preamble) + 3.2 us = 9.6 us and is over everywhere 1 us later. Whoever drew 0 slots
  -- starts when the gap of 9.6 us is over, at 20.2 us, and has the cable for sure 1 us + a third of a gap later, at 24.4 us.
  if collisions[i] == 1 then
    second_try = second_try + 1
    late = late and math.abs(first - 24.4e-6) < 1e-9
  end
  late = late and first > 4.2e-6 -- which a frame without a collision would have needed
end
local total = 0
for _, n in ipairs(collisions) do total = total + n end
print("    collisions in each duel: " .. table.concat(collisions, " "))
hs.expect_equal("every duel begins with a collision", math.min(table.unpack(collisions)) >= 1, true)
hs.expect_equal("both frames of every duel arrive", { #sent, hub:stats().delivered_frames }, { 2 * rounds, 2 * rounds })
local n_heard = 0
for _, raw in pairs(heard) do while raw:recv "0s" do n_heard = n_heard + 1 end end
hs.expect_equal("at the other station, once each (a tap at the sender sees it go as well)", n_heard, 2 * rounds)
hs.expect("later than without a collision, by the rules to the nanosecond", late)
hs.expect_equal("the counters of the cable and of both stations agree", { hub:stats(a).collisions, hub:stats(b).collisions },
  { total, total })
hs.expect_equal("no frame was given up", { hub:stats(a).excessive_collisions, hub:stats(b).excessive_collisions }, { 0, 0 })
-- After the first collision each draws 0 or 1: they differ, and one gets through, in half of the duels: 20 of 40, ± 3 sigma = 9.5.
hs.expect_between("about half of the duels are decided by the second attempt", second_try, 11, 29)

-- A card that has just sent begins anew, with 0 or 1 slots after the first collision; one that has failed n times draws from 2^n. So
-- with much to send a keeps the cable: whenever b is back, a has its next frame ready, they collide, and b waits longer still.
hs.note {
  en = "Now a has 350 long frames to send and b a single one. Look who wins: a begins anew with each frame, b gets ever more patient.",
  zh = "现在 a 有 350 个长帧要发，b 只有一个。看谁占上风：a 每发一个帧都重新开始，b 却越来越要耐心等待。",
}
local given_up = hs.frames { on = "drop", node = b, filter = function(_, e) return e.reason == "excessive collisions" end }
local tries, contests = nil, 0
repeat
  contests = contests + 1
  local before = hub:stats(b)
  for _ = 1, 350 do raw_a:send(frame(a, nobody, 1514)) end
  raw_b:send(frame(b, nobody, 200))
  hs.run "2s"
  local after = hub:stats(b)
  tries = after.collisions - before.collisions
  local has_sent = after.tx_frames - before.tx_frames
  print(string.format("    contest %d: b's frame %s after %d collisions", contests, has_sent == 1 and "got through" or "was given up", tries))
  hs.expect("as long as it fails less than 16 times it gets through in the end", (has_sent == 1) == (tries < 16), tries)
until has_sent == 0 or contests == 50
hs.expect_equal("after exactly 16 failures b's card gives up", tries, 16)
hs.expect_equal("it counts that", hub:stats(b).excessive_collisions, 1)
hs.expect_equal("and the frame is dropped, with that reason", #given_up, 1)

hs.note {
  en = "On a full-duplex link nobody collides: each direction has its own pair of wires.",
  zh = "在全双工链路上没有碰撞：每个方向都有自己的一对导线。",
}
local x, y = hs.host "x", hs.host "y"
hs.link(x, y, { rate = "10Mbps", delay = "1us" })
local drops = hs.frames { on = "drop", node = x }
local received = hs.frames { on = "rx", filter = function(_, e) return e.node == "x" or e.node == "y" end }
local start = hs.now()
x:raw():send(frame(x, y:dev().mac, 200))
y:raw():send(frame(y, x:dev().mac, 200))
hs.run "1s"
-- 8 + 200 + 4 = 212 bytes at 10 Mbit/s are 169.6 us, and 1 us on the way.
hs.expect_near("both frames arrive at the same moment", received[1].time - start, "170.6us", 1e-9)
hs.expect_equal("really", { #received, received[2].time }, { 2, received[1].time })

hs.translate("zh", {
  ["every duel begins with a collision"] = "每次对决都以碰撞开始",
  ["both frames of every duel arrive"] = "每次对决的两个帧都到达",
  ["at the other station, once each (a tap at the sender sees it go as well)"] = "到达对方站点，各一次（发送方处的监听也看到它离开）",
  ["later than without a collision, by the rules to the nanosecond"] = "比没有碰撞时晚，按规则精确到纳秒",
  ["the counters of the cable and of both stations agree"] = "电缆和两个站点的计数相符",
  ["no frame was given up"] = "没有放弃任何帧",
  ["about half of the duels are decided by the second attempt"] = "约一半的对决在第二次尝试时决出",
  ["as long as it fails less than 16 times it gets through in the end"] = "只要失败少于 16 次，最后就能通过",
  ["after exactly 16 failures b's card gives up"] = "正好失败 16 次之后，b 的网卡放弃",
  ["it counts that"] = "它计了数",
  ["and the frame is dropped, with that reason"] = "帧以此为由被丢弃",
  ["both frames arrive at the same moment"] = "两个帧在同一时刻到达",
  ["really"] = "真的",
})
