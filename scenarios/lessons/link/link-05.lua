-- LINK-05  Maximum payload (MTU).
-- A link carries at most its MTU of payload in one frame: 1500 bytes on Ethernet (RFC 894). The frame's own header and trailer do
-- not count: 14 + 1500 + 4 = 1518. An IP packet of 1500 bytes passes whole; one byte more, and IP cuts it into fragments,
-- or, if it must not (DF), refuses to send it: EMSGSIZE, "message too long" (RFC 791 2.3).
local hs = require "hopscope"
hs.title { en = "LINK-05 Maximum payload (MTU)", zh = "LINK-05 最大有效载荷（MTU）" }

local a, b = hs.host "a", hs.host "b"
hs.link(a, b, { rate = "100Mbps", delay = "1ms" })
a:ping("b", { count = 1 })
local seen = hs.frames { filter = function(p, e) return p.ip and e.node == "a" end }
local got = {}
b:udp { port = 9, on_datagram = function(data) got[#got + 1] = #data end }
local sock = a:udp():connect("b", 9)

hs.note {
  en = "A datagram of 1472 bytes: with 8 bytes of UDP and 20 of IP exactly 1500. It passes whole.",
  zh = "一个 1472 字节的数据报：加上 UDP 的 8 字节和 IP 的 20 字节正好是 1500。它完整地通过。",
}
sock:send(("x"):rep(1472))
hs.run "1s"
hs.expect_equal("the MTU of the card", a:dev().mtu, 1500)
hs.expect_equal("one IP packet of 1500 bytes, not a fragment", { #seen, seen[1].packet.ip.len, seen[1].packet.ip.mf,
  seen[1].packet.ip.frag_offset }, { 1, 1500, false, 0 })
hs.expect_equal("in a frame of 1514 bytes, 1518 with the FCS", { seen[1].len, seen[1].len + #seen[1].packet:fcs() }, { 1514, 1518 })
hs.expect_equal("it is delivered", got, { 1472 })

hs.note {
  en = "One byte more: 1501 do not fit. IP cuts; the second fragment carries the one byte that was too much.",
  zh = "再多一个字节：1501 放不下。IP 切开它；第二片带着那个多出来的字节。",
}
sock:setopt("IP_MTU_DISCOVER", 0) -- DF is not set
sock:send(("x"):rep(1473))
hs.run "1s"
seen:print()
local first, second = seen[2].packet, seen[3].packet
-- 1500 - 20 = 1480 bytes fit behind the header, a multiple of 8 as fragments need; of 1481 one is left.
hs.expect_equal("two fragments of 20 + 1480 and 20 + 1 bytes", { #seen, first.ip.len, second.ip.len }, { 3, 1500, 21 })
hs.expect_equal("the first says that more follows, the second where it belongs", { first.ip.mf, second.ip.mf, second.ip.frag_offset },
  { true, false, 1480 })
hs.expect_equal("the receiver puts them together: 1473 bytes", got, { 1472, 1473 })

hs.note {
  en = "With \"don't fragment\" there is no way: the system call fails at once, and nothing is sent.",
  zh = "有“不允许分片”时无路可走：系统调用立刻失败，什么也不发送。",
}
sock:setopt("IP_MTU_DISCOVER", 2) -- DF is set
local sent, err = sock:send(("x"):rep(1473))
hs.run "1s"
hs.expect_equal("refused", { sent, err }, { nil, "EMSGSIZE" })
hs.expect_equal("no frame left", #seen, 3)
hs.expect_equal("1500 bytes may pass with DF as well", { sock:send(("x"):rep(1472)) }, { 1472 })
hs.run "1s"
hs.expect_equal("and do, whole", { seen[4].packet.ip.len, seen[4].packet.ip.df, got[3] }, { 1500, true, 1472 })

hs.translate("zh", {
  ["the MTU of the card"] = "网卡的 MTU",
  ["one IP packet of 1500 bytes, not a fragment"] = "一个 1500 字节的 IP 分组，不是分片",
  ["in a frame of 1514 bytes, 1518 with the FCS"] = "在 1514 字节的帧里，含 FCS 为 1518",
  ["it is delivered"] = "它被交付",
  ["two fragments of 20 + 1480 and 20 + 1 bytes"] = "两个分片，20 + 1480 和 20 + 1 字节",
  ["the first says that more follows, the second where it belongs"] = "第一个说后面还有，第二个说它属于哪里",
  ["the receiver puts them together: 1473 bytes"] = "接收方把它们拼起来：1473 字节",
  ["refused"] = "被拒绝",
  ["no frame left"] = "没有帧离开",
  ["1500 bytes may pass with DF as well"] = "1500 字节带 DF 也可以通过",
  ["and do, whole"] = "并且完整地通过",
})
