-- A broadcast storm: three switches in a ring, and one broadcast frame that never dies.
--
--          s1                 An IP packet in a loop dies when its TTL is used up. An Ethernet frame has no TTL. A
--         /  \                switch sends a broadcast out of all other ports, so one frame runs around the ring both
--       s2 -- s3              ways for ever, and at each turn every host gets another copy. Each further broadcast adds
--       |      |              two more, until nothing else fits on the cables.
--       a      b
--
-- The same ring with a spanning tree (stp = true, RSTP of IEEE 802.1D-2004): the switches agree to close one port, and
-- the loop is none. Try: --set stp=true, or look at both with the two halves below.
local hs = require "hopscope"
local only = hs.param("stp", "both", "true, false, or both")
hs.title { en = "A broadcast storm", zh = "一场广播风暴" }

local function ring(prefix, stp)
  local s = {}
  for i = 1, 3 do s[i] = hs.switch(prefix .. "s" .. i, { stp = stp }) end
  local a, b = hs.host(prefix .. "a"), hs.host(prefix .. "b")
  local cable = { rate = "100Mbps", delay = "5us", queue = 100 }
  hs.link(s[1], s[2], cable)
  hs.link(s[2], s[3], cable)
  hs.link(s[3], s[1], cable)
  hs.link(a, s[2], cable)
  hs.link(b, s[3], cable)
  return { a = a, b = b, switches = s, links = hs.links() }
end

local storm = only ~= "true" and ring("x", false)
local tree = only ~= "false" and ring("t", true)

local function frames_at(host) return host:dev():stats().rx_packets end

if storm then
  hs.note {
    en = "The ring without a spanning tree. Host a sends one broadcast frame of 60 bytes, which nobody even answers.",
    zh = "没有生成树的环。主机 a 发送一个 60 字节的广播帧，甚至没有人应答它。",
  }
  local everybody, me = ("\xff"):rep(6), "\x02\0\0\0\0\x63"
  storm.a:raw():send(everybody .. me .. "\x88\xb5" .. ("x"):rep(46)) -- an EtherType for experiments
  hs.run "10ms"
  local early = frames_at(storm.b)
  hs.run "10ms"
  local late = frames_at(storm.b)
  hs.log({ en = "copies at b after 10 ms: %d after 20 ms: %d", zh = "b 处的副本：10 ms 后 %d，20 ms 后 %d" }, early, late)

  -- One turn around the ring: three cables of (60 + 12) * 8 / 100 Mbit/s = 5.76 us and 5 us each, 32.28 us. Two copies run
  -- around, one each way, and b gets each of them once a turn: 2 * 10 ms / 32.28 us = 619.
  hs.expect_near("one frame has become hundreds: two copies circle, and b sees both at each turn", late - early, 619, 2)

  hs.note {
    en = "It does not end by itself. A minute later it would be the same; every further broadcast adds to it.",
    zh = "它不会自己结束。一分钟之后还会是这样；每个新的广播都使它更大。",
  }
  for _ = 1, 40 do
    storm.a:raw():send(everybody .. me .. "\x88\xb5" .. ("x"):rep(46))
  end
  hs.run "20ms"
  local before = hs.now()
  local busy = storm.links[2]:stats().ab.busy
  hs.run "20ms"
  busy = (storm.links[2]:stats().ab.busy - busy) / (hs.now() - before)
  hs.log({
    en = "the cable between s2 and s3 is busy for %.1f %% of the time",
    zh = "s2 与 s3 之间的电缆有 %.1f %% 的时间在忙",
  }, 100 * busy)
  hs.expect("now the cables of the ring are full", busy > 0.99, busy)
  local ping = storm.a:ping(storm.b, { count = 10, interval = "1ms", timeout = "20ms" })
  hs.log({ en = "of ten pings %d came back", zh = "十次 ping 有 %d 次得到应答" }, ping.received)
  hs.expect("honest traffic suffers", ping.received < 10 or ping.rtt.avg > 0.001, ping.lines)
  -- Addresses are learnt wrongly, too: the frames of one sender come from all sides.
  hs.expect("the tables flap: the sender seems to move at every turn", storm.switches[1]:stats().moved > 100, storm.switches[1]:stats().moved)

  hs.note { en = "Pulling one cable ends it at once: no ring, no storm.", zh = "拔掉一条电缆立刻就能结束它：没有环，就没有风暴。" }
  storm.links[1]:down()
  hs.run "10ms"
  local calm = frames_at(storm.b)
  hs.run "10ms"
  hs.expect_equal("without the loop the frames die out", frames_at(storm.b) - calm, 0)
end

if tree then
  hs.note {
    en = "The same ring with RSTP. Give it some seconds to agree; then the same broadcast.",
    zh = "同样的环，使用 RSTP。给它几秒钟达成一致；然后发送同样的广播。",
  }
  hs.run "5s"
  local discarding = {}
  for _, s in ipairs(tree.switches) do
    for _, port in ipairs(s:ports()) do
      if port.state == "discarding" then table.insert(discarding, s.name .. ":" .. port.name) end
    end
  end
  hs.log({ en = "closed: %s", zh = "关闭的端口：%s" }, table.concat(discarding, ", "))
  hs.expect_equal("exactly one port of the ring is closed", #discarding, 1)
  local arps = hs.frames { node = tree.b, on = "rx", filter = function(p) return p.arp and p.arp.op == 1 end }
  local ping = tree.a:ping(tree.b, { count = 10, interval = "1ms" })
  hs.expect_equal("all pings come back", ping.received, 10)
  hs.run "1s"
  hs.expect_equal("the broadcast arrives once", #arps, 1)
end

hs.translate("zh", {
  ["one frame has become hundreds: two copies circle, and b sees both at each turn"] = "一个帧变成了几百个：两个副本在兜圈，每圈 b 都看到两个",
  ["now the cables of the ring are full"] = "现在环上的电缆满了",
  ["honest traffic suffers"] = "正常的通信受到损害",
  ["the tables flap: the sender seems to move at every turn"] = "地址表来回变动：发送方好像每圈都在移动",
  ["without the loop the frames die out"] = "没有环路，帧就逐渐消失",
  ["exactly one port of the ring is closed"] = "环上恰好有一个端口关闭",
  ["all pings come back"] = "所有 ping 都得到应答",
  ["the broadcast arrives once"] = "广播只到达一次",
})
