-- ICMP-09  3/4 fragmentation needed.
-- A packet of 1500 bytes comes to a router whose next link carries 1400 at most. Normally the router cuts it into fragments. With
-- the flag "don't fragment" (DF) it must not: it drops the packet and says "fragmentation needed", type 3 code 4, and since
-- RFC 1191 also how large a packet may be.
local hs = require "hopscope"
hs.title { en = "ICMP-09 3/4 fragmentation needed", zh = "ICMP-09 3/4 需要分片" }

local a, r, b = hs.host "a", hs.router "r", hs.host "b"
hs.link(a, r, { mtu = 1500 })
local narrow = hs.link(r, b, { mtu = 1400 })
local dropped = hs.frames { node = r, on = "drop" }
local errors = hs.frames { node = a, on = "rx", filter = function(p) return p.icmp and p.icmp.type == 3 end }
local passed = hs.frames { link = narrow, filter = function(p, e) return p.ip and e.node == "r" end }
local ping

hs.note {
  en = "a pings b with 1472 bytes of data: with 8 of ICMP and 20 of IP a packet of 1500 bytes, and with DF set.",
  zh = "a 用 1472 字节的数据 ping b：加上 ICMP 的 8 和 IP 的 20，是一个 1500 字节的分组，并且 DF 置位。",
}
a:spawn(function(os) ping = os.ping("b", { count = 1, size = 1472, df = true, timeout = "1s", print = true }) end)
hs.run "2s"
hs.expect_equal("r drops it", { #dropped, dropped[1].packet.ip.len, dropped[1].packet.ip.df }, { 1, 1500, true })
hs.expect_equal("nothing has passed to the narrow link", #passed, 0)
local e = errors[1].packet
hs.expect_equal("the sender gets type 3, code 4, from r", { e.icmp.type, e.icmp.code, e.ip.src }, { 3, 4, r:addr() })
hs.expect_equal("the message carries 1400", e.icmp.mtu, 1400)
hs.expect_equal("and the packet's header", { e.quoted.ip.len, e.quoted.ip.dst }, { 1500, b:addr() })
hs.expect_equal("ping reports it", { ping.received, ping.errors, ping.replies[1].mtu }, { 0, 1, 1400 })

hs.note { en = "The same with 1372 bytes of data: a packet of 1400 bytes just fits.", zh = "同样的事，数据为 1372 字节：1400 字节的分组正好放得下。" }
a:spawn(function(os) ping = os.ping("b", { count = 1, size = 1372, df = true, timeout = "1s" }) end)
hs.run "2s"
hs.expect_equal("1400 bytes with DF pass whole", { #passed, passed[1].packet.ip.len, passed[1].packet.ip.df, ping.received }, { 1, 1400, true, 1 })

hs.note {
  en = "Without DF: another host, which has not heard of the 1400 yet, sends 1500 bytes. r cuts them in two.",
  zh = "没有 DF：另一台还没有听说过 1400 的主机发送 1500 字节。r 把它切成两片。",
}
local c = hs.host "c"
hs.link(c, r, { mtu = 1500 })
c:spawn(function(os) ping = os.ping("b", { count = 1, size = 1472, timeout = "1s" }) end)
hs.run "2s"
hs.expect_equal("without DF r cuts it in two", { r:counter "IpFragOKs", r:counter "IpFragCreates" }, { 1, 2 })
hs.expect_equal("both pass, and no further error is sent", { #passed, #errors, ping.received }, { 3, 1, 1 })

hs.translate("zh", {
  ["r drops it"] = "r 丢弃它",
  ["nothing has passed to the narrow link"] = "没有什么通过到窄的链路",
  ["the sender gets type 3, code 4, from r"] = "发送方得到类型 3、代码 4，来自 r",
  ["the message carries 1400"] = "报文带有 1400",
  ["and the packet's header"] = "以及分组的首部",
  ["ping reports it"] = "ping 报告它",
  ["1400 bytes with DF pass whole"] = "1400 字节带 DF 完整通过",
  ["without DF r cuts it in two"] = "没有 DF，r 把它切成两片",
  ["both pass, and no further error is sent"] = "两片都通过，没有再发送差错报文",
})
