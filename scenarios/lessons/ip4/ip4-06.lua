-- IP4-06  Identification counter.
-- Fragments of one datagram are put together again by the identification, a number of 16 bits (RFC 791 section 3.2). The
-- simplest way to make it unique is a counter that grows by one with every datagram of the host, whoever it is for. That
-- is one policy of several: uniqueness matters only where a packet may be fragmented (RFC 6864), and Linux counts for each
-- destination and sends 0 with "don't fragment". The sysctl hopscope.ip_id_global chooses.
local hs = require "hopscope"
hs.title { en = "IP4-06 Identification counter", zh = "IP4-06 标识计数器" }

local a, b, c = hs.host "a", hs.host "b", hs.host "c"
local switch = hs.switch "switch"
local cable = hs.link(a, switch)
hs.link(b, switch)
hs.link(c, switch)
local seen = hs.frames { link = cable, filter = function(p) return p.ip and p.from == "a" end }
local got = {}
for _, host in ipairs { b, c } do
  host:udp { port = 7, on_datagram = function(data) got[#got + 1] = #data end }
end
local function ids(from, to)
  local list = {}
  for i = from, to do list[#list + 1] = seen[i].packet.ip.id end
  return list
end

hs.note {
  en = "Four datagrams, to two hosts and by two sockets: each has the identification of the one before plus 1.",
  zh = "四个数据报，发给两台主机，由两个套接字发出：每个的标识都是前一个加 1。",
}
a:spawn(function(os)
  local one, other = os.udp(), os.udp()
  one:sendto("1", "b", 7)
  os.sleep "1s"
  other:sendto("2", "c", 7)
  os.sleep "1s"
  one:sendto("3", "b", 7)
  other:sendto("4", "c", 7)
end)
hs.run "3s"
local first = seen[1].packet.ip.id
hs.expect_equal("consecutive datagrams differ by 1 (mod 2^16)", ids(1, 4),
  { first, first + 1 & 0xffff, first + 2 & 0xffff, first + 3 & 0xffff })

-- 3000 bytes and 8 of UDP: 1480 + 1480 + 48 in packets of at most 1500 bytes.
hs.note {
  en = "A datagram of 3000 bytes is too long for one frame. Its three fragments share one identification; the next has a new one.",
  zh = "3000 字节的数据报对一个帧来说太长。它的三个分片共用一个标识；下一个数据报用新的。",
}
a:spawn(function(os)
  local sock = os.udp()
  sock:setopt("IP_MTU_DISCOVER", 0)
  sock:sendto(string.rep("x", 3000), "b", 7)
  sock:sendto("5", "b", 7)
end)
hs.run "2s"
local own = first + 4 & 0xffff
hs.expect_equal("three fragments with one identification, then the next number", ids(5, 8), { own, own, own, own + 1 & 0xffff })
hs.expect_equal("the fragments begin at 0, 1480 and 2960",
  { seen[5].packet.ip.frag_offset, seen[6].packet.ip.frag_offset, seen[7].packet.ip.frag_offset }, { 0, 1480, 2960 })
hs.expect_equal("b puts them together: the 3000 bytes arrive", got, { 1, 1, 1, 1, 3000, 1 })

hs.note {
  en = "The policy of Linux: with \"don't fragment\" the field is 0, without it there is a counter for each destination.",
  zh = "Linux 的策略：有“不允许分片”时该字段为 0，没有时每个目的地各有一个计数器。",
}
a:sysctl("hopscope.ip_id_global", false)
a:spawn(function(os)
  local whole, may_break = os.udp(), os.udp()
  may_break:setopt("IP_MTU_DISCOVER", 0)
  whole:sendto("df", "b", 7)
  for _ = 1, 2 do
    may_break:sendto("b", "b", 7)
    may_break:sendto("c", "c", 7)
  end
end)
hs.run "2s"
local df, b1, c1, b2, c2 = table.unpack(ids(9, 13))
hs.expect_equal("with DF: 0", { seen[9].packet.ip.df, df }, { true, 0 })
hs.expect_equal("to b they differ by 1", b2 - b1 & 0xffff, 1)
hs.expect_equal("to c they differ by 1", c2 - c1 & 0xffff, 1)
hs.expect("the two counters began at different numbers", b1 ~= c1, { b1, c1 })

hs.translate("zh", {
  ["consecutive datagrams differ by 1 (mod 2^16)"] = "相继的数据报相差 1（模 2^16）",
  ["three fragments with one identification, then the next number"] = "三个分片共用一个标识，然后是下一个号码",
  ["the fragments begin at 0, 1480 and 2960"] = "分片从 0、1480 和 2960 开始",
  ["b puts them together: the 3000 bytes arrive"] = "b 把它们拼起来：3000 字节到达",
  ["with DF: 0"] = "有 DF：0",
  ["to b they differ by 1"] = "发往 b 的相差 1",
  ["to c they differ by 1"] = "发往 c 的相差 1",
  ["the two counters began at different numbers"] = "两个计数器从不同的数开始",
})
