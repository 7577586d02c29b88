-- ICMP-01  Message carriage and classes.
-- ICMP messages travel inside IP packets, protocol number 1. Type and code say what they are. Some ask (echo request, type 8) and
-- are answered (echo reply, type 0); others report an error (types 3, 11, ...). An error quotes the packet it is about: its IP
-- header and at least 8 bytes behind it (RFC 792), today as much as fits into 576 bytes (RFC 1812 4.3.2.3): enough to find the
-- program that sent it. To prevent avalanches there is no error about an error, nor about a broadcast (RFC 1122 3.2.2).
local hs = require "hopscope"
hs.title { en = "ICMP-01 Message carriage and classes", zh = "ICMP-01 报文的承载与类别" }

local a, r, b = hs.host "a", hs.router "r", hs.host "b"
hs.link(a, r, { subnet = "10.0.1.0/24" })
local far = hs.link(r, b, { subnet = "10.0.2.0/24" })
local icmp = hs.frames { node = a, on = "rx", filter = function(p) return p.icmp end }
local sent = hs.frames { node = a, filter = function(p) return p.ip end }
local function icmp_out(host) return host:counter "IcmpOutMsgs" end

hs.note { en = "A query and its answer: a pings b.", zh = "一个查询和它的应答：a ping b。" }
a:spawn(function(os) os.ping("b", { count = 1 }) end)
hs.run "1s"
local ask, answer = sent[1].packet, icmp[1].packet
hs.expect_equal("IP carries ICMP as protocol 1", { ask.ip.proto, answer.ip.proto }, { 1, 1 })
hs.expect_equal("echo request: type 8, code 0", { ask.icmp.type, ask.icmp.code }, { 8, 0 })
hs.expect_equal("echo reply: type 0, code 0", { answer.icmp.type, answer.icmp.code }, { 0, 0 })

hs.note {
  en = "An error: a sends a datagram to a UDP port on which b runs nothing. b answers with type 3, code 3.",
  zh = "一个差错：a 向 b 上没有程序使用的一个 UDP 端口发送数据报。b 以类型 3、代码 3 应答。",
}
local sock = a:udp { port = 4000 }
sock:sendto("Is this port open?", "b", 9)
hs.run "1s"
local datagram, error = sent[2].packet, icmp[2].packet
hs.expect_equal("destination unreachable, port unreachable", { error.ip.proto, error.icmp.type, error.icmp.code }, { 1, 3, 3 })
hs.expect_equal("it quotes the offending IP header",
  { error.quoted.ip.src, error.quoted.ip.dst, error.quoted.ip.proto, error.quoted.ip.id },
  { a:addr(), b:addr(), 17, datagram.ip.id })
hs.expect_equal("and the 8 bytes behind it: here the UDP header with its ports",
  { error.quoted.udp.sport, error.quoted.udp.dport }, { 4000, 9 })
-- A router has lowered the TTL by one and changed the checksum with it; all else is quoted as it was sent.
local quote, original = error:bytes():sub(14 + 20 + 8 + 1), datagram:bytes():sub(14 + 1)
hs.expect_equal("the quoted bytes after the IP header are those that were sent", quote:sub(21, 28), original:sub(21, 28))
hs.expect_equal("the quoted TTL is one less: it is the packet as b saw it", error.quoted.ip.ttl, datagram.ip.ttl - 1)

hs.note {
  en = "No error about an error: b's next error dies at r, because its TTL is made 1 on the way. r says nothing.",
  zh = "不对差错报告差错：b 的下一个差错报文死在 r 那里，因为它的 TTL 在途中被改为 1。r 什么也不说。",
}
far:dir(b):rule(function(p) if p.icmp then p.ip.ttl = 1 end end)
local before = icmp_out(r)
sock:sendto("another one", "b", 9)
hs.run "1s"
far:dir(b):rule(nil)
hs.expect_equal("b has sent its second error", b:counter "IcmpOutDestUnreachs", 2)
hs.expect_equal("r has thrown it away, its TTL being used up", r:counter "IpInHdrErrors", 1)
hs.expect_equal("and has sent no message about it", icmp_out(r) - before, 0)
local ping
a:spawn(function(os) ping = os.ping("b", { count = 1, ttl = 1 }) end)
hs.run "1s"
hs.expect_equal("about a query it does: a ping with TTL 1 draws time exceeded from r", ping.replies[1].icmp_type, 11)

hs.note {
  en = "No error about a broadcast: otherwise one datagram could draw a storm of answers.",
  zh = "不对广播报告差错：否则一个数据报就会引来一场应答的风暴。",
}
before = icmp_out(r)
a:udp { broadcast = true }:sendto("who is there?", "10.0.1.255", 9)
hs.run "1s"
hs.expect_equal("r received the broadcast, and has nothing on that port", r:counter "IpExtInBcastPkts", 1)
hs.expect_equal("but sends no port unreachable", icmp_out(r) - before, 0)

hs.translate("zh", {
  ["IP carries ICMP as protocol 1"] = "IP 以协议 1 承载 ICMP",
  ["echo request: type 8, code 0"] = "回送请求：类型 8，代码 0",
  ["echo reply: type 0, code 0"] = "回送应答：类型 0，代码 0",
  ["destination unreachable, port unreachable"] = "目的不可达，端口不可达",
  ["it quotes the offending IP header"] = "它引用了引起差错的 IP 首部",
  ["and the 8 bytes behind it: here the UDP header with its ports"] = "以及其后的 8 字节：这里是带有端口的 UDP 首部",
  ["the quoted bytes after the IP header are those that were sent"] = "IP 首部之后引用的字节就是所发送的",
  ["the quoted TTL is one less: it is the packet as b saw it"] = "引用的 TTL 少一：是 b 所看到的分组",
  ["b has sent its second error"] = "b 发送了第二个差错报文",
  ["r has thrown it away, its TTL being used up"] = "r 因 TTL 用尽而丢弃了它",
  ["and has sent no message about it"] = "没有为它发送报文",
  ["about a query it does: a ping with TTL 1 draws time exceeded from r"] = "对查询则会：TTL 为 1 的 ping 引来 r 的超时",
  ["r received the broadcast, and has nothing on that port"] = "r 收到广播，那个端口上什么也没有",
  ["but sends no port unreachable"] = "但不发送端口不可达",
})
