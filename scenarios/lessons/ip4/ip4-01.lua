-- IP4-01  Header format.
-- Every IPv4 packet begins with this header (RFC 791 section 3.1): version 4, the header's own length in words of 4 bytes
-- (IHL), type of service, total length of header and payload, identification, flags and fragment offset, TTL, protocol, a
-- checksum, two addresses; then options. The IHL has four bits: without options it is 5 (20 bytes), at most 15 (60 bytes).
-- Only the header is padded to 4 bytes; the payload has any length: the example below is 83 bytes long.
local hs = require "hopscope"
hs.title { en = "IP4-01 Header format", zh = "IP4-01 首部格式" }

-- The header of a TFTP request from 192.168.0.55 to 192.168.0.1, byte by byte.
local plain = "\x45\x00\x00\x53\x93\x25\x00\x00\x80\x11\x25\xec\xc0\xa8\x00\x37\xc0\xa8\x00\x01"
hs.note {
  en = "Twenty bytes read field by field: 45 is version 4 and a header of 5 words, 0053 a total length of 83, 11 UDP.",
  zh = "逐个字段读二十个字节：45 是版本 4 和 5 个字的首部，0053 是总长度 83，11 是 UDP。",
}
hs.expect_equal("a header without options is decoded", hs.ip4.decode(plain), {
  version = 4, hdr_len = 20, tos = 0, len = 83, id = 0x9325, df = false, mf = false, frag_offset = 0,
  ttl = 128, proto = 17, proto_name = "UDP", checksum = 0x25ec, checksum_ok = true, src = "192.168.0.55", dst = "192.168.0.1", options = "",
})

local function again(bytes)
  local h = hs.ip4.decode(bytes)
  return hs.ip4.encode { tos = h.tos, len = h.len, id = h.id, df = h.df, mf = h.mf, frag_offset = h.frag_offset,
                         ttl = h.ttl, proto = h.proto, src = h.src, dst = h.dst, options = h.options }
end
hs.expect("and encoded to the same bytes, checksum included", again(plain) == plain)

hs.note {
  en = "With options the header grows in words of four bytes, from 20 to 60 bytes: eleven lengths, IHL 5 to 15.",
  zh = "有选项时首部按四字节的字增长，从 20 到 60 字节：十一种长度，IHL 从 5 到 15。",
}
local same, lengths = 0, {}
for words = 0, 10 do
  local bytes = hs.ip4.encode { src = "192.168.0.55", dst = "192.168.0.1", options = string.rep("\x01", words * 4) }
  lengths[#lengths + 1] = string.byte(bytes) & 15 -- the IHL: the lower half of the first byte
  if again(bytes) == bytes and #bytes == 20 + words * 4 then same = same + 1 end
end
hs.expect_equal("the header length field runs from 5 to 15", lengths, { 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 })
hs.expect_equal("headers with options decode and encode identically, too", same, 11)
hs.expect_equal("the header is padded: 3 bytes of options take a whole word",
  #hs.ip4.encode { src = "10.0.0.1", dst = "10.0.0.2", options = "\x01\x01\x01" }, 24)
hs.expect_equal("an IHL of 4 is no header", (hs.ip4.decode("\x44" .. plain:sub(2))), nil)
hs.expect_equal("nor is version 6", (hs.ip4.decode("\x65" .. plain:sub(2))), nil)

-- On the wire: 55 bytes of payload and 8 of UDP make 63; with 20 of IP 83, which is no multiple of 4.
hs.note {
  en = "Now on the wire. A datagram of 55 bytes, as in the example; and one whose options record its way (RFC 791).",
  zh = "现在来看线路。一个 55 字节的数据报，与例子相同；还有一个，它的选项记录所走的路（RFC 791）。",
}
local a, router, b = hs.host "a", hs.router "router", hs.host "b"
local first = hs.link(a, router, { address = { a = "192.168.0.55/24", router = "192.168.0.1/24" } })
hs.link(router, b, { address = { router = "192.168.1.1/24", b = "192.168.1.2/24" } })
local sent = hs.frames { link = first, filter = function(p) return p.udp end }
local heard = {}
b:udp { port = 69, on_datagram = function(data) heard[#heard + 1] = #data end }
local at_b = {}
hs.on("ip.local_deliver", function(e) at_b[#at_b + 1] = e.packet:keep() end, { node = b })

a:spawn(function(os)
  os.udp():sendto(string.rep("x", 55), "192.168.1.2", 69)
  os.sleep "1s"
  -- Record route: type 7, 39 bytes, pointer 4, room for nine addresses; one byte of padding. UDP without checksum (0).
  local options = "\x07\x27\x04" .. string.rep("\0", 37)
  local udp = string.pack(">I2I2I2I2", 1492, 69, 8 + 4, 0) .. "ways"
  local ip = hs.ip4.encode { src = "192.168.0.55", dst = "192.168.1.2", len = 60 + #udp, options = options }
  local eth = "\x02" .. string.rep("\0", 5)
  local mac = string.gsub(router:dev().mac, "(%x%x):?", function(h) return string.char(tonumber(h, 16)) end)
  os.raw():send(mac .. eth .. "\x08\x00" .. ip .. udp)
end)
hs.run "3s"

hs.expect_equal("both datagrams arrive with their 55 and 4 bytes", heard, { 55, 4 })
local p = sent[1].packet.ip
hs.expect_equal("version, header and total length of the first", { p.version, p.hdr_len, p.len }, { 4, 20, 20 + 8 + 55 })
local q = sent[2].packet.ip
hs.expect_equal("the second has the longest header, and its total length covers it", { q.hdr_len, q.len }, { 60, 60 + 8 + 4 })
-- The router notes the address of the card by which the packet leaves, the destination its own (RFC 791, record route).
hs.expect_equal("on its way the options were filled in", hs.ip4.decode(at_b[2]:bytes()).options:sub(1, 11),
  "\x07\x27\x0c" .. "\xc0\xa8\x01\x01" .. "\xc0\xa8\x01\x02")
hs.expect("and the checksum was made right again", hs.ip4.decode(at_b[2]:bytes()).checksum_ok)

hs.translate("zh", {
  ["a header without options is decoded"] = "解码一个没有选项的首部",
  ["and encoded to the same bytes, checksum included"] = "再编码得到同样的字节，包括校验和",
  ["the header length field runs from 5 to 15"] = "首部长度字段从 5 到 15",
  ["headers with options decode and encode identically, too"] = "带选项的首部解码和编码也完全一致",
  ["the header is padded: 3 bytes of options take a whole word"] = "首部有填充：3 字节的选项占一整个字",
  ["an IHL of 4 is no header"] = "IHL 为 4 不是首部",
  ["nor is version 6"] = "版本 6 也不是",
  ["both datagrams arrive with their 55 and 4 bytes"] = "两个数据报带着 55 和 4 字节到达",
  ["version, header and total length of the first"] = "第一个的版本、首部长度和总长度",
  ["the second has the longest header, and its total length covers it"] = "第二个有最长的首部，总长度涵盖它",
  ["on its way the options were filled in"] = "途中选项被填上",
  ["and the checksum was made right again"] = "校验和重新改正",
})
