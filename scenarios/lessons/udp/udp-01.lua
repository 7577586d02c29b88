-- UDP-01  Header.
-- A UDP header has four fields of two bytes (RFC 768): source port, destination port, length and checksum. The length counts
-- header and data. It says nothing that IP does not know already: total length less header length is the same number. Here
-- a real frame is decoded, a TFTP request of 97 bytes; then one whose UDP length is a lie.
-- tshark-allow: Bad length value (the second frame says more than the packet holds)
-- tshark-allow: Malformed TFTP (so the request behind it cannot be read to its end)
local hs = require "hopscope"
hs.title { en = "UDP-01 Header", zh = "UDP-01 首部" }

local client, server = hs.host "client", hs.host "server"
hs.link(client, server, {
  address = { client = "192.168.0.55/24", server = "192.168.0.1/24" },
  mac = { client = "00:05:5d:61:58:a8", server = "00:05:5d:67:d0:b1" },
})

local frame = ([[
  00 05 5d 67 d0 b1 00 05 5d 61 58 a8 08 00 45 00 00 53 93 25 00 00 80 11 25 ec c0 a8 00 37 c0 a8
  00 01 05 d4 00 45 00 3f ac 40 00 01 63 3a 5c 71 77 65 72 71 2e 71 77 65 00 6e 65 74 61 73 63 69
  69 00 62 6c 6b 73 69 7a 65 00 35 31 32 00 74 69 6d 65 6f 75 74 00 31 30 00 74 73 69 7a 65 00 30
  00]]):gsub("%s*(%x%x)%s*", function(two) return string.char(tonumber(two, 16)) end)
hs.expect_equal("97 bytes, the FCS not counted", #frame, 97)

local got
server:udp { port = 69, on_datagram = function(data, address, port) got = { data = data, address = address, port = port } end }
local seen = hs.frames { filter = function(p) return p.udp end }
local raw = client:raw()
raw:send(frame)
hs.run "1s"

hs.note {
  en = "The frame in words. The eight bytes of UDP begin after 14 of Ethernet and 20 of IP: 05 d4, 00 45, 00 3f, ac 40.",
  zh = "用文字说明这个帧。UDP 的八个字节从以太网的 14 和 IP 的 20 字节之后开始：05 d4、00 45、00 3f、ac 40。",
}
local p = seen[1].packet
for _, f in ipairs(p:fields()) do
  if f.layer == "udp" then print(string.format("    %-18s %-18s %s", f.label, f.text, f.note)) end
end
hs.expect_equal("decoded: ports 1492 and 69, length 63, checksum 0xac40",
  { p.udp.sport, p.udp.dport, p.udp.len, p.udp.checksum }, { 1492, 69, 63, 0xac40 })
local a, b, c, d = string.unpack(">I2I2I2I2", frame, 14 + 20 + 1)
hs.expect_equal("the same, read from the bytes by hand: four numbers of two bytes are all of it",
  { a, b, c, d }, { 1492, 69, 63, 0xac40 })
hs.expect_equal("the length is redundant: IP total 83 - IP header 20 = 63",
  { p.ip.len, p.ip.hdr_len, p.ip.len - p.ip.hdr_len }, { 83, 20, p.udp.len })
hs.expect_equal("length = 8 of header + 55 of data", { p.udp.len - 8, got and #got.data }, { 55, 55 })
hs.expect_equal("the server reads the data and learns where an answer should go", got and { got.address, got.port }, { "192.168.0.55", 1492 })

hs.note {
  en = "Now the same frame with a UDP length of 64: one byte more than IP has brought. (Checksum 0: not used.)",
  zh = "现在是同样的帧，UDP 长度为 64：比 IP 带来的多一个字节。（校验和为 0：未使用。）",
}
got = nil
raw:send(frame:sub(1, 38) .. string.pack(">I2I2", 64, 0) .. frame:sub(43))
hs.run "1s"
hs.expect_equal("a UDP length beyond the IP payload is dropped", { got, server:counter "UdpInDatagrams" }, { nil, 1 })
hs.expect_equal("and counted as an error", server:counter "UdpInErrors", 1)

hs.note {
  en = "A UDP length that is smaller is no lie: what is behind it does not belong to the datagram.",
  zh = "较小的 UDP 长度不算谎言：它后面的内容不属于这个数据报。",
}
raw:send(frame:sub(1, 38) .. string.pack(">I2I2", 62, 0) .. frame:sub(43))
hs.run "1s"
hs.expect_equal("a length of 62: 54 bytes are read", got and #got.data, 54)

hs.translate("zh", {
  ["97 bytes, the FCS not counted"] = "97 字节，不计 FCS",
  ["decoded: ports 1492 and 69, length 63, checksum 0xac40"] = "解码：端口 1492 和 69，长度 63，校验和 0xac40",
  ["the same, read from the bytes by hand: four numbers of two bytes are all of it"] = "同样的内容，用手从字节读出：总共就是四个两字节的数",
  ["the length is redundant: IP total 83 - IP header 20 = 63"] = "长度是多余的：IP 总长度 83 - IP 首部 20 = 63",
  ["length = 8 of header + 55 of data"] = "长度 = 首部 8 + 数据 55",
  ["the server reads the data and learns where an answer should go"] = "服务器读到数据，并得知应答该送往何处",
  ["a UDP length beyond the IP payload is dropped"] = "超出 IP 有效载荷的 UDP 长度被丢弃",
  ["and counted as an error"] = "并计作差错",
  ["a length of 62: 54 bytes are read"] = "长度为 62：读到 54 字节",
})
