-- LINK-01  Ethernet II header.
-- A frame begins with 14 bytes: whose card it is for, whose card sent it, and what is inside (IEEE 802.3 3.2, RFC 894). An address
-- has 48 bits; the maker of the card has burned it into a ROM: the first 24 bits are the maker's number. The driver reads it from
-- there and puts it into every frame; software may set another one.
-- tshark-allow: Duplicate IP address configured (one host with three cards, one after the other)
local hs = require "hopscope"
hs.title { en = "LINK-01 Ethernet II header", zh = "LINK-01 以太网 II 首部" }

local a, b = hs.host "a", hs.host "b"
hs.link(a, b, { rate = "100Mbps", delay = "1ms", mac = { a = "00:15:F2:14:9E:3F", b = "00:0c:29:01:02:03" } })
local seen = hs.frames { filter = function(p, e) return p.udp and e.node == "a" end }
local got = {}
b:udp { port = 9, on_datagram = function(data) got[#got + 1] = data end }
local sock = a:udp():connect("b", 9)

hs.note {
  en = "Host a sends a datagram. Look at the first 14 bytes of the frame: 6 + 6 + 2.",
  zh = "主机 a 发送一个数据报。请看帧的前 14 个字节：6 + 6 + 2。",
}
sock:send "hello"
hs.run "1s"
local p = seen[1].packet
for _, f in ipairs(p:fields()) do
  if f.layer == "eth" then print(string.format("    %-12s %-20s %s", f.label, f.text, f.note)) end
end
hs.expect_equal("the card has the address it was made with", a:dev().mac, "00:15:f2:14:9e:3f")
hs.expect_equal("the decoded fields are what the sender set", { p.eth.dst, p.eth.src, p.eth.type },
  { "00:0c:29:01:02:03", "00:15:f2:14:9e:3f", 0x0800 })
hs.expect_equal("on the wire: destination, source, type, then IP version 4", p:bytes():sub(1, 15),
  "\x00\x0c\x29\x01\x02\x03" .. "\x00\x15\xf2\x14\x9e\x3f" .. "\x08\x00" .. "\x45")
hs.expect_equal("6 + 6 + 2 = 14 bytes; then comes what IP wrote", #p:bytes(), 6 + 6 + 2 + math.max(46, p.ip.len))

hs.note {
  en = "Now a gets another card. Its IP address stays, but the frames come from another source.",
  zh = "现在 a 换了另一块网卡。它的 IP 地址不变，但帧来自另一个源地址。",
}
a:dev():set_mac "00:15:f2:00:00:01"
sock:send "hello again"
hs.run "1s"
local q = seen[2].packet
hs.expect_equal("the swapped card changes the source MAC address", q.eth.src, "00:15:f2:00:00:01")
hs.expect_equal("the destination and the IP addresses stay", { q.eth.dst, q.ip.src, q.ip.dst }, { p.eth.dst, p.ip.src, p.ip.dst })

hs.note {
  en = "An address set by software looks the same on the wire. The second lowest bit of the first byte should say so: 02:…",
  zh = "由软件设置的地址在线路上看起来没有两样。第一个字节的次低位应当表明这一点：02:…",
}
a:dev():set_mac "02:00:00:00:00:01"
sock:send "and again"
hs.run "1s"
hs.expect_equal("the burned-in address can be overridden", seen[3].packet.eth.src, "02:00:00:00:00:01")
hs.expect_equal("all three datagrams were accepted by b", got, { "hello", "hello again", "and again" })

hs.translate("zh", {
  ["the card has the address it was made with"] = "网卡使用出厂时的地址",
  ["the decoded fields are what the sender set"] = "解码出的字段就是发送方设置的",
  ["on the wire: destination, source, type, then IP version 4"] = "线路上：目的、源、类型，然后是 IP 版本 4",
  ["6 + 6 + 2 = 14 bytes; then comes what IP wrote"] = "6 + 6 + 2 = 14 字节；然后是 IP 写的内容",
  ["the swapped card changes the source MAC address"] = "换了网卡，源 MAC 地址随之改变",
  ["the destination and the IP addresses stay"] = "目的地址和 IP 地址不变",
  ["the burned-in address can be overridden"] = "烧录的地址可以被覆盖",
  ["all three datagrams were accepted by b"] = "三个数据报都被 b 接受",
})
