-- FRAG-01  Fragmenting a large datagram.
-- A link carries packets up to its MTU, 1500 bytes on Ethernet. IP cuts a larger datagram into fragments (RFC 791 3.2): each
-- gets an IP header of its own, and each but the last carries as many bytes as fit in multiples of eight, because the offset
-- field counts eights: 1500 - 20 = 1480 = 185 * 8.
local hs = require "hopscope"
hs.title { en = "FRAG-01 Fragmenting a large datagram", zh = "FRAG-01 大数据报的分片" }

local a, b = hs.host "a", hs.host "b"
hs.link(a, b, { mtu = 1500, delay = "1ms" })

local lengths_read = {}
b:udp { port = 9, on_datagram = function(data) lengths_read[#lengths_read + 1] = #data end }
local sock = a:udp()
local frames = hs.frames { filter = function(p) return p.ip end }

local function fragments_of(payload)
  local first = #frames + 1
  sock:sendto(("x"):rep(payload), "b", 9)
  hs.run "1s"
  local seen = {}
  print "    total length   offset (eights)   offset (bytes)   more fragments"
  for i = first, #frames do
    local ip = frames[i].packet.ip
    seen[#seen + 1] = { len = ip.len, offset = ip.frag_offset // 8, mf = ip.mf }
    print(string.format("    %8d %15d %17d          %s", ip.len, ip.frag_offset // 8, ip.frag_offset, ip.mf and "1" or "0"))
  end
  return seen
end

hs.note {
  en = "A datagram of 4000 bytes in all: 20 of IP header, 8 of UDP header, 3972 of data. To be cut: 3980 bytes.",
  zh = "一个总长 4000 字节的数据报：20 是 IP 首部，8 是 UDP 首部，3972 是数据。要切开的是 3980 字节。",
}
-- 1480 + 1480 + 1020 = 3980; with a header each 1500, 1500, 1040. Offsets 0, 1480 / 8 = 185, 2960 / 8 = 370.
hs.expect_equal("4000 bytes over an MTU of 1500: three fragments of 1500, 1500 and 1040 at 0, 185 and 370, MF 1, 1, 0",
  fragments_of(4000 - 20 - 8), {
    { len = 1500, offset = 0, mf = true },
    { len = 1500, offset = 185, mf = true },
    { len = 1040, offset = 370, mf = false },
  })

hs.note {
  en = "If the 4000 bytes are only what IP carries, the datagram is 20 bytes longer, and so is the last fragment.",
  zh = "如果 4000 字节只是 IP 所携带的内容，数据报就长 20 字节，最后一个分片也一样。",
}
hs.expect_equal("a payload of 4000 bytes: the last fragment is 1060 long",
  fragments_of(4000 - 8), {
    { len = 1500, offset = 0, mf = true },
    { len = 1500, offset = 185, mf = true },
    { len = 1060, offset = 370, mf = false },
  })

hs.note {
  en = "The fragments of one datagram share its identification, so b can tell them from those of another and put them together.",
  zh = "同一个数据报的分片具有相同的标识，所以 b 能把它们同别的数据报的分片区分开，并重新拼起来。",
}
local ids = {}
for i = 1, 6 do ids[i] = frames[i].packet.ip.id - frames[1].packet.ip.id end
hs.expect_equal("one identification for the three of each datagram", ids, { 0, 0, 0, 1, 1, 1 })
hs.expect_equal("b reads two whole datagrams", lengths_read, { 3972, 3992 })
hs.expect_equal("counted at a: two datagrams cut, six fragments made", { a:counter "IpFragOKs", a:counter "IpFragCreates" }, { 2, 6 })
hs.expect_equal("counted at b: six fragments, two datagrams", { b:counter "IpReasmReqds", b:counter "IpReasmOKs" }, { 6, 2 })

hs.translate("zh", {
  ["4000 bytes over an MTU of 1500: three fragments of 1500, 1500 and 1040 at 0, 185 and 370, MF 1, 1, 0"] = "4000 字节，MTU 为 1500：三个分片，1500、1500 和 1040，位于 0、185 和 370，MF 为 1、1、0",
  ["a payload of 4000 bytes: the last fragment is 1060 long"] = "有效载荷 4000 字节：最后一片长 1060",
  ["one identification for the three of each datagram"] = "每个数据报的三片共用一个标识",
  ["b reads two whole datagrams"] = "b 读到两个完整的数据报",
  ["counted at a: two datagrams cut, six fragments made"] = "在 a 计数：切开两个数据报，产生六个分片",
  ["counted at b: six fragments, two datagrams"] = "在 b 计数：六个分片，两个数据报",
})
