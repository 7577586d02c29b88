-- UDP-10  TFTP read request.
-- TFTP moves files over UDP (RFC 1350): a read request to port 69 with the file's name, the mode ("netascii": text) and options
-- in pairs of name and value (RFC 2347), each text ended by a zero byte. The server answers from a fresh port, and the transfer
-- goes on there. Not everything is text: operation codes and block numbers are binary.
local hs = require "hopscope"
hs.title { en = "UDP-10 TFTP read request", zh = "UDP-10 TFTP 读请求" }

-- The sender of that packet began with a TTL of 128 and did not set DF.
local client, server = hs.host("client", { sysctl = { ["net.ipv4.ip_default_ttl"] = 128, ["net.ipv4.ip_no_pmtu_disc"] = 1 } }),
  hs.host "server"
local link = hs.link(client, server, {
  delay = "1ms",
  address = { client = "192.168.0.55/24", server = "192.168.0.1/24" },
  mac = { client = "00:05:5d:61:58:a8", server = "00:05:5d:67:d0:b1" },
})
-- The identification of the famous packet was 0x9325: an accident of that day's traffic, put in here so that all bytes agree.
link:dir(client):rule(function(p)
  if p.udp and p.udp.dport == 69 then p.ip.id = 0x9325 end
end)

local text = ("A line of text, 32 bytes long.\r\n"):rep(40) -- 1280 bytes
-- The client asks for the netascii form, in which a line ends with CR LF. On the server it ends with LF.
server:tftp_server { files = { ["c:\\qwerq.qwe"] = (text:gsub("\r", "")) } }

hs.note {
  en = "The client asks 192.168.0.1 for a file, from port 1492, with three options: blksize 512, timeout 10, tsize 0.",
  zh = "客户端向 192.168.0.1 请求一个文件，从端口 1492，带三个选项：blksize 512、timeout 10、tsize 0。",
}
local seen = hs.frames { on = "rx", filter = function(p) return p.udp end }
local result = client:tftp_get("server", "c:\\qwerq.qwe",
  { mode = "netascii", local_port = 1492, blksize = 512, timeout = 10, tsize = true })
hs.run "1s"

local want = ([[
  00 05 5d 67 d0 b1 00 05 5d 61 58 a8 08 00 45 00 00 53 93 25 00 00 80 11 25 ec c0 a8 00 37 c0 a8
  00 01 05 d4 00 45 00 3f ac 40 00 01 63 3a 5c 71 77 65 72 71 2e 71 77 65 00 6e 65 74 61 73 63 69
  69 00 62 6c 6b 73 69 7a 65 00 35 31 32 00 74 69 6d 65 6f 75 74 00 31 30 00 74 73 69 7a 65 00 30
  00]]):gsub("%s*(%x%x)%s*", function(two) return string.char(tonumber(two, 16)) end)
for _, f in ipairs(seen[1].packet:fields()) do
  if f.layer == "tftp" then print(string.format("    %-13s %s", f.label, f.text)) end
end
hs.expect("the request is these 97 bytes, byte for byte", seen[1].packet:bytes() == want)
hs.expect_equal("opcode 1, then name, mode and three pairs, each ended by a zero", want:sub(43),
  "\0\1c:\\qwerq.qwe\0netascii\0blksize\0" .. "512\0timeout\0" .. "10\0tsize\0" .. "0\0")
hs.expect_equal("to port 69", { seen[1].packet.udp.sport, seen[1].packet.udp.dport }, { 1492, 69 })

hs.note {
  en = "The answer, an acknowledgment of the options, does not come from port 69. From here on both sides use the new port.",
  zh = "应答是对选项的确认，它不是从端口 69 来的。从这里起双方都使用新的端口。",
}
seen:print()
local fresh = seen[2].packet.udp.sport
hs.expect("the server answers from a fresh port", fresh ~= 69 and fresh > 1023, fresh)
local elsewhere = seen:count(function(p, f)
  return f ~= seen[1] and not (p.udp.sport == fresh and p.udp.dport == 1492 or p.udp.sport == 1492 and p.udp.dport == fresh)
end)
hs.expect_equal("the transfer continues between these two ports", { elsewhere, result.port }, { 0, fresh })

-- What the UDP carries: OACK is operation 6, DATA 3, ACK 4, followed by a binary block number.
local function head(f) return { string.unpack(">I2I2", f.packet:bytes(), 14 + 20 + 8 + 1) } end
hs.expect_equal("the answer to the options is operation 6 and repeats them, with the size filled in",
  seen[2].packet:bytes():sub(43, 42 + seen[2].packet.udp.len - 8), "\0\6blksize\0" .. "512\0timeout\0" .. "10\0tsize\0" .. "1280\0")
local steps = {}
for i = 3, #seen do
  local h = head(seen[i])
  steps[#steps + 1] = (h[1] == 3 and "data " or "ack ") .. h[2]
end
-- 1280 = 512 + 512 + 256: the short block is the last.
hs.expect_equal("then block by block, one acknowledgment each", steps, { "ack 0", "data 1", "ack 1", "data 2", "ack 2", "data 3", "ack 3" })
hs.expect_equal("the file has arrived, with the line ends of netascii",
  { result.ok, result.tsize, result.bytes, result.data == text },
  { true, 1280, 1280, true })

hs.translate("zh", {
  ["the request is these 97 bytes, byte for byte"] = "请求就是这 97 字节，一个字节也不差",
  ["opcode 1, then name, mode and three pairs, each ended by a zero"] = "操作码 1，然后是名称、模式和三对，各以零结尾",
  ["to port 69"] = "发往端口 69",
  ["the server answers from a fresh port"] = "服务器从一个新的端口应答",
  ["the transfer continues between these two ports"] = "传送在这两个端口之间继续",
  ["the answer to the options is operation 6 and repeats them, with the size filled in"] = "对选项的应答是操作 6，重复各选项，并填上大小",
  ["then block by block, one acknowledgment each"] = "然后一块一块，每块一个确认",
  ["the file has arrived, with the line ends of netascii"] = "文件到达了，行尾按 netascii",
})
