-- LINK-04  Minimum payload and padding.
-- A frame must carry at least 46 bytes of payload, so that even the shortest one is still being sent when a collision at the far
-- end of the cable comes back (IEEE 802.3 4.2.3.3). Who has less to say fills up, with zeros (RFC 894). Ethernet II does not say
-- how many bytes are padding: the receiver finds out by the length that the inner header gives.
local hs = require "hopscope"
hs.title { en = "LINK-04 Minimum payload and padding", zh = "LINK-04 最小有效载荷与填充" }

local a, b = hs.host "a", hs.host "b"
hs.link(a, b, { rate = "100Mbps", delay = "1ms" })
local seen = hs.frames()
local got = {}
b:udp { port = 9, on_datagram = function(data, _, _, info) got[#got + 1] = { data = data, len = info.len } end }
local sock = a:udp():connect("b", 9)

hs.note {
  en = "Host a sends a datagram of one byte. First comes an ARP exchange, of 28 bytes each, then IP with 20 + 8 + 1 = 29 bytes.",
  zh = "主机 a 发送一个一字节的数据报。首先是一次 ARP 交换，各 28 字节，然后是 IP，20 + 8 + 1 = 29 字节。",
}
sock:send "!"
hs.run "1s"
seen:print()
local arp, datagram = seen[1].packet, seen[3].packet
hs.expect_equal("the ARP message of 28 bytes leaves as a frame of 14 + 28 + 18 = 60", { arp:layers()[2], arp.len }, { "arp", 60 })
hs.expect_equal("64 with the FCS", arp.len + #arp:fcs(), 64)
hs.expect_equal("18 bytes of padding, all zero", arp:bytes():sub(14 + 28 + 1), ("\0"):rep(18))
hs.expect_equal("the datagram's frame has 60 bytes too", { datagram.udp ~= nil, datagram.len }, { true, 60 })
hs.expect_equal("IP says 29 bytes: the remaining 17 are padding, all zero", { datagram.ip.len, datagram:bytes():sub(14 + 29 + 1) },
  { 29, ("\0"):rep(17) })
hs.expect_equal("the program gets one byte, not eighteen", got[1], { data = "!", len = 1 })

hs.note {
  en = "With 18 bytes of data nothing has to be filled up any more: 20 + 8 + 18 = 46.",
  zh = "有 18 字节的数据时就不必再填充：20 + 8 + 18 = 46。",
}
for _, n in ipairs { 17, 18, 19 } do sock:send(("x"):rep(n)) end
hs.run "1s"
local lengths, padded = {}, {}
for i = 1, 3 do lengths[i], padded[i] = seen[3 + i].len, seen[3 + i].packet.padding ~= nil end
hs.expect_equal("frames of 17, 18 and 19 bytes of data", lengths, { 60, 60, 61 })
hs.expect_equal("only the first of them is padded", padded, { true, false, false })
hs.expect_equal("each is delivered with its own length", { got[2].len, got[3].len, got[4].len }, { 17, 18, 19 })

hs.note {
  en = "Some old cards filled up with whatever was in their memory, and leaked it to everybody who listened. The receiver cannot tell.",
  zh = "有些旧网卡用内存里随便什么内容来填充，把它泄露给每个听者。接收方分辨不出来。",
}
a:dev():pad_pattern "secret password"
sock:send "?"
hs.run "1s"
hs.expect_equal("the padding of such a card", seen[7].packet:bytes():sub(14 + 29 + 1), "secret password\0\0")
hs.expect_equal("the datagram is delivered as before: one byte", got[5], { data = "?", len = 1 })

hs.translate("zh", {
  ["the ARP message of 28 bytes leaves as a frame of 14 + 28 + 18 = 60"] = "28 字节的 ARP 报文成为 14 + 28 + 18 = 60 的帧",
  ["64 with the FCS"] = "加上 FCS 是 64",
  ["18 bytes of padding, all zero"] = "18 字节的填充，全为零",
  ["the datagram's frame has 60 bytes too"] = "数据报的帧也是 60 字节",
  ["IP says 29 bytes: the remaining 17 are padding, all zero"] = "IP 说 29 字节：余下的 17 是填充，全为零",
  ["the program gets one byte, not eighteen"] = "程序得到一个字节，而不是十八个",
  ["frames of 17, 18 and 19 bytes of data"] = "数据为 17、18 和 19 字节的帧",
  ["only the first of them is padded"] = "只有第一个被填充",
  ["each is delivered with its own length"] = "每个都以自己的长度交付",
  ["the padding of such a card"] = "这样一块网卡的填充",
  ["the datagram is delivered as before: one byte"] = "数据报照旧交付：一个字节",
})
