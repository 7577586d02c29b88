-- HEX-03  TFTP read request frame.
-- A read request for the file c:\qwerq.qwe, byte for byte out of our own stack: TFTP (RFC 1350, options: RFC 2347 to 2349) in
-- UDP in IP in Ethernet. 97 bytes = 14 of Ethernet + 20 of IP + 8 of UDP + 55 of TFTP. The sender counts its datagrams
-- (the identification has reached 0x9325), its TTL begins at 128 as Windows has it, and it searches no path MTU.
local hs = require "hopscope"
hs.title { en = "HEX-03 TFTP read request frame", zh = "HEX-03 TFTP 读请求帧" }

local client = hs.host("client", { sysctl = {
  ["net.ipv4.ip_default_ttl"] = 128, ["net.ipv4.ip_no_pmtu_disc"] = 1, ["hopscope.ip_id_first"] = 0x9325 } })
local server = hs.host "server"
hs.link(client, server, { address = { client = "192.168.0.55/24", server = "192.168.0.1/24" },
                          mac = { client = "00:05:5d:61:58:a8", server = "00:05:5d:67:d0:b1" } })

local function bytes(hex) return (hex:gsub("%s+", ""):gsub("%x%x", function(x) return string.char(tonumber(x, 16)) end)) end

-- The Internet checksum (RFC 1071), computed here once more: words added up, carries added again, complement.
local function sum16(s)
  local sum = 0
  if #s % 2 == 1 then s = s .. "\0" end
  for i = 1, #s, 2 do sum = sum + string.unpack(">I2", s, i) end
  while sum > 0xffff do sum = (sum & 0xffff) + (sum >> 16) end
  return ~sum & 0xffff
end

hs.note {
  en = "The client asks for a file: from its port 1492 to port 69, where TFTP servers wait.",
  zh = "客户端请求一个文件：从它的端口 1492 到端口 69，TFTP 服务器就在那里等待。",
}
local file = ("qwer"):rep(300)
server:tftp_server { files = { ["c:\\qwerq.qwe"] = file } }
local seen = hs.frames { filter = function(p) return p.udp end }
local got = client:tftp_get("192.168.0.1", "c:\\qwerq.qwe",
  { mode = "netascii", local_port = 1492, blksize = 512, timeout = 10, tsize = true })

local rrq = seen[1].packet
local frame = rrq:bytes()
for at = 1, #frame, 16 do
  local line = frame:sub(at, at + 15)
  local hex, text = line:gsub(".", function(c) return string.format("%02x ", c:byte()) end), line:gsub("[^\x20-\x7e]", ".")
  print(string.format("    %04x  %-48s %s", at - 1, hex, text))
end
hs.expect_equal("the frame, byte for byte", frame, bytes [[
  00 05 5d 67 d0 b1 00 05 5d 61 58 a8 08 00 45 00
  00 53 93 25 00 00 80 11 25 ec c0 a8 00 37 c0 a8
  00 01 05 d4 00 45 00 3f ac 40 00 01 63 3a 5c 71
  77 65 72 71 2e 71 77 65 00 6e 65 74 61 73 63 69
  69 00 62 6c 6b 73 69 7a 65 00 35 31 32 00 74 69
  6d 65 6f 75 74 00 31 30 00 74 73 69 7a 65 00 30
  00]])
hs.expect_equal("97 bytes", rrq.len, 97)
hs.expect_equal("the FCS that follows it", rrq:fcs(), bytes "a9 db 08 6f")

hs.note {
  en = "The decoder peels it like an onion: Ethernet, IP, UDP, TFTP. Each header says what comes next.",
  zh = "解码器像剥洋葱一样把它剥开：以太网、IP、UDP、TFTP。每个首部都说明接下来是什么。",
}
for _, f in ipairs(rrq:fields()) do
  print(string.format("    %-8s %-24s %-30s %s", f.layer, f.label, f.text, f.note or ""))
end
local ip, udp, tftp = rrq.ip, rrq.udp, rrq.tftp
hs.expect_equal("four layers", rrq:layers(), { "eth", "ip", "udp", "tftp" })
hs.expect_equal("Ethernet", { rrq.eth.dst, rrq.eth.src, rrq.eth.type }, { "00:05:5d:67:d0:b1", "00:05:5d:61:58:a8", 0x0800 })
hs.expect_equal("IP: 83 bytes, id 0x9325, TTL 128, UDP", { ip.len, ip.id, ip.ttl, ip.proto }, { 83, 0x9325, 0x80, 0x11 })
hs.expect_equal("IP: addresses", { ip.src, ip.dst }, { "192.168.0.55", "192.168.0.1" })
hs.expect_equal("UDP: 1492 to 69, 63 bytes", { udp.sport, udp.dport, udp.len }, { 1492, 69, 63 })
hs.expect_equal("TFTP: a read request", tftp.op, 1)
hs.expect_equal("TFTP: 55 bytes, texts with a zero byte after each", frame:sub(43),
  "\0\1c:\\qwerq.qwe\0netascii\0blksize\000512\0timeout\00010\0tsize\0000\0")

hs.note {
  en = "Both checksums, once more by hand: the IP header's, and UDP's with addresses, protocol and length in front.",
  zh = "两个校验和，再用手算一遍：IP 首部的，以及 UDP 的，前面要加上地址、协议和长度。",
}
hs.expect_equal("IP checksum in the frame", ip.checksum, 0x25ec)
hs.expect_equal("IP checksum recomputed", sum16(frame:sub(15, 24) .. "\0\0" .. frame:sub(27, 34)), 0x25ec)
hs.expect_equal("UDP checksum in the frame", udp.checksum, 0xac40)
hs.expect_equal("UDP checksum recomputed",
  sum16(frame:sub(27, 34) .. string.pack(">BBI2", 0, 17, 63) .. frame:sub(35, 40) .. "\0\0" .. frame:sub(43)), 0xac40)

hs.note {
  en = "And it works: the server answered from a port of its own and sent the file.",
  zh = "果然有效：服务器从自己的一个端口应答，并发送了文件。",
}
hs.expect("the file arrived", got.ok and got.data == file, got)
hs.expect_equal("the size that the client had asked for", got.tsize, 1200)
hs.expect("the transfer went on from another port than 69", got.port ~= 69, got.port)

hs.translate("zh", {
  ["the frame, byte for byte"] = "逐字节的帧",
  ["97 bytes"] = "97 字节",
  ["the FCS that follows it"] = "后面的 FCS",
  ["four layers"] = "四层",
  ["Ethernet"] = "以太网",
  ["IP: 83 bytes, id 0x9325, TTL 128, UDP"] = "IP：83 字节，标识 0x9325，TTL 128，UDP",
  ["IP: addresses"] = "IP：地址",
  ["UDP: 1492 to 69, 63 bytes"] = "UDP：1492 到 69，63 字节",
  ["TFTP: a read request"] = "TFTP：读请求",
  ["TFTP: 55 bytes, texts with a zero byte after each"] = "TFTP：55 字节，每段文本后面有一个零字节",
  ["IP checksum in the frame"] = "帧中的 IP 校验和",
  ["IP checksum recomputed"] = "重新计算的 IP 校验和",
  ["UDP checksum in the frame"] = "帧中的 UDP 校验和",
  ["UDP checksum recomputed"] = "重新计算的 UDP 校验和",
  ["the file arrived"] = "文件到达了",
  ["the size that the client had asked for"] = "客户端所询问的大小",
  ["the transfer went on from another port than 69"] = "传送从 69 以外的端口继续",
})
