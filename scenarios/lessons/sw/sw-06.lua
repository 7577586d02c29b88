-- SW-06  Store and forward with FCS check.
-- A switch receives the whole frame, compares its FCS, and only then sends it on (IEEE 802.1D clause 7.5.1). This costs the
-- time of one reception, and it keeps damaged frames where they were damaged: they never leave the switch.
-- tshark-allow: Bad checksum (the cable damages one datagram on purpose)
local hs = require "hopscope"
hs.title { en = "SW-06 Store and forward with FCS check", zh = "SW-06 存储转发与 FCS 检验" }

local switch = hs.switch "switch"
local a, b = hs.host "a", hs.host "b"
local to_a = hs.link(a, switch, { rate = "10Mbps" })
local to_b = hs.link(b, switch, { rate = "10Mbps" })
a:arp_set("b", b:dev().mac)

local arrived
b:udp { port = 4242, on_datagram = function() arrived = hs.now() end }
local sock = a:udp():connect("b", 4242)
local switch_got, switch_sent = hs.frames { node = switch, on = "rx" }, hs.frames { node = switch, on = "tx" }

-- A frame of 14 + 20 + 8 + 1196 = 1238 bytes; its last bit comes (1238 + 8 preamble + 4 FCS) * 8 / 10 Mbit/s = 1 ms after
-- its first.
hs.note {
  en = "A frame that takes 1 ms to receive, over two cables without length. With a switch that sent the first bit on while the last is still coming it would arrive after hardly more than 1 ms. This one stores first: 2 ms.",
  zh = "一个接收需要 1 ms 的帧，经过两条没有长度的电缆。如果交换机在最后一个比特还没到时就送出第一个比特，它到达所需的时间几乎不超过 1 ms。这台交换机先存储：2 ms。",
}
sock:send(hs.payload(1196))
hs.run "10ms"
hs.expect_equal("the switch has the last bit after 1 ms", switch_got[1].time, "1ms")
hs.expect_equal("and sends the first bit only then", switch_sent[1].time, "1ms")
hs.expect_equal("b has it after two receptions: the latency includes one at the switch", arrived, "2ms")

hs.note {
  en = "A short frame, 64 bytes with its FCS and 8 of preamble, is there after 57.6 us: so long it is stored, not longer.",
  zh = "一个短帧，64 字节（含 FCS）加上 8 字节前同步码，57.6 us 之后到达：存储这么久，不会更久。",
}
local start = hs.now()
sock:send(hs.payload(18))
hs.run "10ms"
hs.expect_equal("a short frame is stored for a short time: 2 * 57.6 us", string.format("%.7f", arrived - start), "0.0001152")

hs.note {
  en = "Now the cable of a turns one bit of a frame. The switch sees by the FCS that it is damaged, and drops it.",
  zh = "现在 a 的电缆翻转了帧的一个比特。交换机从 FCS 看出它已损坏，丢弃了它。",
}
arrived = nil
to_a:dir(a):rule(function(p)
  if p.udp then return "corrupt" end
end)
local before = #switch_sent
sock:send(hs.payload(1196))
hs.run "10ms"
hs.expect_equal("the damaged frame came in", #switch_got, 3)
hs.expect_equal("and never left", #switch_sent - before, 0)
hs.expect("b has not seen it", arrived == nil)
hs.expect_equal("the switch counts it, at that port", { switch:stats().bad_fcs, switch:port(a):stats().rx_bad_fcs }, { 1, 1 })
hs.expect_equal("b's card has nothing to complain about", b:dev():stats().rx_crc_errors, 0)

hs.note { en = "The frame behind it is whole again, and passes.", zh = "后面的帧又是完好的，顺利通过。" }
to_a:dir(a):rule(nil)
sock:send(hs.payload(1196))
hs.run "10ms"
hs.expect("the next one arrives", arrived ~= nil)

hs.translate("zh", {
  ["the switch has the last bit after 1 ms"] = "交换机在 1 ms 之后得到最后一个比特",
  ["and sends the first bit only then"] = "到那时才发送第一个比特",
  ["b has it after two receptions: the latency includes one at the switch"] = "b 在两次接收之后得到它：时延包含在交换机的一次",
  ["a short frame is stored for a short time: 2 * 57.6 us"] = "短帧只存储很短的时间：2 * 57.6 us",
  ["the damaged frame came in"] = "损坏的帧进来了",
  ["and never left"] = "却没有出去",
  ["b has not seen it"] = "b 没有看到它",
  ["the switch counts it, at that port"] = "交换机在那个端口计了数",
  ["b's card has nothing to complain about"] = "b 的网卡没有什么可抱怨的",
  ["the next one arrives"] = "下一个到达",
})
