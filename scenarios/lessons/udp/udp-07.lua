-- UDP-07  No congestion control.
-- UDP sends at the rate its application likes, through loss and all; TCP gives way (RFC 8085 3.1, RFC 5681). A UDP stream that takes 90 % of
-- a bottleneck leaves TCP the last tenth.
-- tshark-allow: Previous segment(s) not captured (a full queue drops)
-- tshark-allow: This frame is a (suspected) out-of-order segment (repetitions)
local hs = require "hopscope"
hs.title { en = "UDP-07 No congestion control", zh = "UDP-07 没有拥塞控制" }

local tcp, udp, r, server = hs.host "tcp", hs.host "udp", hs.router "r", hs.host "server"
hs.link(tcp, r, { rate = "1Gbps", delay = "1ms" })
hs.link(udp, r, { rate = "1Gbps", delay = "1ms" })
local bottleneck = hs.link(r, server, { rate = "10Mbps", delay = "5ms", queue = { "droptail", packets = 50 } })

local sink, counter = server:tcp_sink(5678), server:udp_sink(9)
tcp:tcp_source { to = "server", port = 5678 }

hs.note { en = "TCP is alone on a bottleneck of 10 Mbit/s.", zh = "TCP 独占 10 Mbit/s 的瓶颈。" }
hs.run "5s"
local before = sink:stats().bytes
hs.run "5s"
local alone = (sink:stats().bytes - before) * 8 / 5

-- 1000 bytes of payload are 1066 on the wire (headers 8 + 20 + 14, FCS, preamble and gap 24): 90 % of 10 Mbit/s is 8.443 Mbit/s of payload.
hs.note { en = "Now a UDP stream joins, at 90 % of the bottleneck.", zh = "现在加入一个 UDP 流，占瓶颈的 90 %。" }
local source = udp:udp_source { to = "server", port = 9, size = 1000, rate = 10e6 * 0.9 * 1000 / 1066 // 1 }
local sent = {}
for i = 1, 20 do
  local at = source:stats().sent
  hs.run "1s"
  sent[i] = source:stats().sent - at
  if i == 5 then before = sink:stats().bytes end
end
local beside = (sink:stats().bytes - before) * 8 / 15
hs.log({
  en = "TCP alone %.2f Mbit/s, beside UDP %.2f Mbit/s; UDP lost %d of %d",
  zh = "TCP 单独时 %.2f Mbit/s，与 UDP 并存时 %.2f Mbit/s；UDP 丢失 %d 个数据报（共 %d 个）",
}, alone / 1e6, beside / 1e6, counter:stats().lost, source:stats().sent)

-- TCP's payload is 1448 of 1538 bytes on the wire, 94 %.
hs.expect_between("TCP alone fills the bottleneck: 9.4 Mbit/s of data at best", alone, 9e6, 9.42e6)
hs.expect_between("beside UDP it has about 10 %: at most 0.94 Mbit/s and what UDP loses", beside, 0.5e6, 1.3e6)
hs.expect("datagrams are lost", counter:stats().lost > 0, counter:stats().lost)
local low, high = math.min(table.unpack(sent)), math.max(table.unpack(sent))
hs.expect_between("the UDP rate does not react: 1055 datagrams in every second, with or without loss", low, 1055, 1056)
hs.expect_between("none more either", high, 1055, 1056)

hs.translate("zh", {
  ["TCP alone fills the bottleneck: 9.4 Mbit/s of data at best"] = "TCP 独自填满瓶颈：数据最多 9.4 Mbit/s",
  ["beside UDP it has about 10 %: at most 0.94 Mbit/s and what UDP loses"] = "与 UDP 并存时约有 10 %：最多 0.94 Mbit/s，外加 UDP 丢失的",
  ["datagrams are lost"] = "有数据报丢失",
  ["the UDP rate does not react: 1055 datagrams in every second, with or without loss"] = "UDP 的速率没有反应：每秒 1055 个数据报，不论有没有丢失",
  ["none more either"] = "也没有更多",
})
