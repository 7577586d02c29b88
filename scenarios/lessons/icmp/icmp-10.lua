-- ICMP-10  4 source quench.
-- A router whose output queue is full must throw packets away. In the early Internet it asked the source of a lost packet to slow
-- down: source quench, type 4 (RFC 792). The source then sends more slowly and recovers little by little (RFC 1016). It never
-- worked well: unfair, easily forged, and more traffic in a jam. RFC 6633 forbids sending it and tells hosts to ignore it; so it
-- is off here, too, unless the historic profile is switched on (sysctl hopscope.source_quench).
local hs = require "hopscope"
hs.title { en = "ICMP-10 4 source quench", zh = "ICMP-10 4 源点抑制" }

-- 1000 bytes of data every 4 ms are 2 Mbit/s, into a link of 1 Mbit/s with room for 10 packets.
local function network(name, historic)
  local n = { a = hs.host("a" .. name), r = hs.router("r" .. name), b = hs.host("b" .. name) }
  hs.link(n.a, n.r, { rate = "10Mbps", delay = "1ms" })
  n.slow = hs.link(n.r, n.b, { rate = "1Mbps", delay = "1ms", queue = { "droptail", packets = 10 } })
  for _, host in ipairs { n.a, n.r } do host:sysctl("hopscope.source_quench", historic) end
  n.b:udp_sink(9)
  n.source = n.a:udp_source { to = n.b, port = 9, size = 1000, gap = "4ms", start = "1s" }
  n.messages = hs.frames { node = n.a, on = "rx", filter = function(p) return p.icmp end }
  return n
end
local modern, historic = network("1", false), network("2", true)
local gaps = {} -- of the historic source, whenever it changes
hs.every("1ms", function()
  local gap = historic.source:stats().gap
  if #gaps == 0 or gaps[#gaps].gap ~= gap then gaps[#gaps + 1] = { time = hs.now(), gap = gap } end
end)

hs.note {
  en = "Both sources send twice as fast as the second link can carry. After some packets the queue of the router is full.",
  zh = "两个源都以第二条链路所能承受的两倍速度发送。几个分组之后，路由器的队列就满了。",
}
hs.run "1.5s"
local first = historic.messages[1]
hs.note({
  en = "%.3f s: the historic router has thrown the first packet away, and asked its source to slow down.",
  zh = "%.3f s：老式的路由器丢弃了第一个分组，并请它的源放慢速度。",
}, first.time)
hs.expect_equal("the historic router sends type 4, code 0", { first.packet.icmp.type, first.packet.icmp.code }, { 4, 0 })
hs.expect_equal("from its own address", first.packet.ip.src, historic.r:addr())
hs.expect_equal("quoting the packet it threw away", { first.packet.quoted.ip.dst, first.packet.quoted.udp.dport }, { historic.b:addr(), 9 })
hs.expect_equal("the source doubles its gap: 4 ms become 8 ms", { gaps[1].gap, gaps[2].gap }, { 0.004, 0.008 })
hs.expect_between("as soon as the message is there", gaps[2].time - first.time, 0, "1ms")

hs.run "8.5s"
local doublings, steps = 0, 0
for i = 2, #gaps do
  if gaps[i].gap == 2 * gaps[i - 1].gap then doublings = doublings + 1 end
  -- Otherwise a sixteenth of what is above 4 ms is taken back, once a second.
  local back = (gaps[i - 1].gap - 0.004) / 16
  if math.abs(gaps[i - 1].gap - gaps[i].gap - back) < 1e-8 then steps = steps + 1 end
end
for i = 1, #gaps do print(string.format("    %7.3f s  gap %.3f ms", gaps[i].time, gaps[i].gap * 1e3)) end
hs.note {
  en = "Look at the gap: it doubles at once, and comes back in small steps, one each second.",
  zh = "请看间隔：它立刻加倍，再一小步一小步地恢复，每秒一步。",
}
hs.expect_equal("it recovers slowly: every change is a doubling or a sixteenth of the way back", doublings + steps, #gaps - 1)
hs.expect("there were several steps back", steps >= 4, steps)

local lost, lost_before = historic.slow:stats().ab.queue_drops, modern.slow:stats().ab.queue_drops
hs.note({
  en = "In 9 s the modern router threw %d packets away, the historic one %d.",
  zh = "9 s 之内，现代的路由器丢弃了 %d 个分组，老式的丢弃了 %d 个。",
}, lost_before, lost)
hs.expect_equal("off by default: a modern router sends no source quench", modern.r:counter "IcmpOutSrcQuenchs", 0)
hs.expect_equal("and its source keeps its gap", modern.source:stats().gap, 0.004)
hs.expect("the quenched source lost far less", lost * 10 < lost_before, { historic = lost, modern = lost_before })

hs.note {
  en = "RFC 6633 for hosts: a source of today that gets such a message ignores it.",
  zh = "RFC 6633 对主机的规定：如今的源收到这样的报文，不予理会。",
}
local ignored = hs.host "ignored"
hs.link(ignored, historic.r, { rate = "10Mbps" })
local source = ignored:udp_source { to = historic.b, port = 9, size = 1000, gap = "4ms" }
hs.run "2s"
hs.expect("it was asked to slow down", ignored:counter "IcmpInSrcQuenchs" > 0)
hs.expect_equal("and did not", { source:stats().gap, source:stats().quenched }, { 0.004, 0 })

hs.translate("zh", {
  ["the historic router sends type 4, code 0"] = "老式的路由器发送类型 4、代码 0",
  ["from its own address"] = "从它自己的地址",
  ["quoting the packet it threw away"] = "引用它丢弃的分组",
  ["the source doubles its gap: 4 ms become 8 ms"] = "源把间隔加倍：4 ms 变成 8 ms",
  ["as soon as the message is there"] = "报文一到就这样做",
  ["it recovers slowly: every change is a doubling or a sixteenth of the way back"] = "它恢复得很慢：每次变化都是加倍，或退回十六分之一",
  ["there were several steps back"] = "退回了好几步",
  ["off by default: a modern router sends no source quench"] = "默认关闭：现代的路由器不发送源点抑制",
  ["and its source keeps its gap"] = "它的源保持间隔",
  ["the quenched source lost far less"] = "受抑制的源丢失少得多",
  ["it was asked to slow down"] = "它被请求放慢速度",
  ["and did not"] = "却没有",
})
