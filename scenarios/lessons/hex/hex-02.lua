-- HEX-02  ARP reply frame.
-- The answer to HEX-01, byte for byte: 192.168.0.2 tells 192.168.0.55 its MAC address (RFC 826). The frame goes to the asker
-- alone; sender and target have changed places, the operation is 2. The padding is again what was in the card's memory.
local hs = require "hopscope"
hs.title { en = "HEX-02 ARP reply frame", zh = "HEX-02 ARP 应答帧" }

local a, b = hs.host "a", hs.host "b"
hs.link(a, b, { address = { a = "192.168.0.55/24", b = "192.168.0.2/24" },
                mac = { a = "00:05:5d:61:58:a8", b = "00:05:5d:a1:b8:40" } })

local function bytes(hex) return (hex:gsub("%s+", ""):gsub("%x%x", function(x) return string.char(tonumber(x, 16)) end)) end

b:dev():pad_pattern(bytes "00 77 31 d2 50 10 fd 78 41 d3 00 00 00 00 00 00 00 00")

hs.note { en = "Host a asks for 192.168.0.2. Only the owner of that address answers.", zh = "主机 a 询问 192.168.0.2。只有这个地址的主人应答。" }
local seen = hs.frames { filter = function(p) return p.arp end }
a:ping("192.168.0.2", { count = 1 })

local request, reply = seen[1].packet, seen[2].packet
hs.expect_equal("one request, one reply", { #seen, request.arp.op, reply.arp.op }, { 2, 1, 2 })
for at = 1, reply.len, 16 do
  local line = reply:bytes():sub(at, at + 15)
  print(string.format("    %04x  %s", at - 1, (line:gsub(".", function(c) return string.format("%02x ", c:byte()) end))))
end

hs.expect_equal("the frame, byte for byte", reply:bytes(), bytes [[
  00 05 5d 61 58 a8 00 05 5d a1 b8 40 08 06 00 01
  08 00 06 04 00 02 00 05 5d a1 b8 40 c0 a8 00 02
  00 05 5d 61 58 a8 c0 a8 00 37 00 77 31 d2 50 10
  fd 78 41 d3 00 00 00 00 00 00 00 00]])
hs.expect_equal("60 bytes: 14 of header, 28 of ARP, 18 of padding", reply.len, 14 + 28 + 18)
hs.expect_equal("the FCS that follows it", reply:fcs(), bytes "c3 04 f1 c6")

hs.note {
  en = "The same fields as in the request, with other values. Sender and target have changed places.",
  zh = "字段与请求中的相同，值不同。发送方和目标互换了位置。",
}
local names = {}
for _, f in ipairs(reply:fields()) do
  print(string.format("    %-8s %-24s %-40s %s", f.layer, f.label, f.text, f.note or ""))
  names[#names + 1] = f.layer .. "." .. f.name
end
hs.expect_equal("every field has a name", names, { "eth.dst", "eth.src", "eth.type", "arp.htype", "arp.ptype", "arp.hlen",
  "arp.plen", "arp.op", "arp.sha", "arp.spa", "arp.tha", "arp.tpa", "padding.len", "padding.bytes" })
local eth, arp = reply.eth, reply.arp
hs.expect_equal("Ethernet: to the asker alone", { eth.dst, eth.src, eth.type },
  { "00:05:5d:61:58:a8", "00:05:5d:a1:b8:40", 0x0806 })
hs.expect_equal("hardware 1, protocol 0800, lengths 6 and 4, operation 2", { arp.htype, arp.ptype, arp.hlen, arp.plen, arp.op },
  { 1, 0x0800, 6, 4, 2 })
hs.expect_equal("the sender: here is the answer", { arp.sha, arp.spa }, { "00:05:5d:a1:b8:40", "192.168.0.2" })
hs.expect_equal("the target: who had asked", { arp.tha, arp.tpa }, { request.arp.sha, request.arp.spa })
hs.expect_equal("which is 192.168.0.55", arp.tpa, "192.168.0.55")
hs.note {
  en = "Host b's card leaks old memory, host a's fills up with zeros, as it should be (RFC 894).",
  zh = "主机 b 的网卡泄露旧的内存内容，主机 a 的则用零填充，这才是应有的做法（RFC 894）。",
}
hs.expect_equal("the padding of a's request is zero", request:bytes():sub(43), ("\0"):rep(18))

hs.translate("zh", {
  ["one request, one reply"] = "一个请求，一个应答",
  ["the frame, byte for byte"] = "逐字节的帧",
  ["60 bytes: 14 of header, 28 of ARP, 18 of padding"] = "60 字节：首部 14，ARP 28，填充 18",
  ["the FCS that follows it"] = "后面的 FCS",
  ["every field has a name"] = "每个字段都有名字",
  ["Ethernet: to the asker alone"] = "以太网：只发给询问者",
  ["hardware 1, protocol 0800, lengths 6 and 4, operation 2"] = "硬件 1，协议 0800，长度 6 和 4，操作 2",
  ["the sender: here is the answer"] = "发送方：这就是答案",
  ["the target: who had asked"] = "目标：询问的那一方",
  ["which is 192.168.0.55"] = "也就是 192.168.0.55",
  ["the padding of a's request is zero"] = "a 的请求的填充为零",
})
