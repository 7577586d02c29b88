-- HEX-01  ARP request frame.
-- A frame that was really captured, byte for byte out of our own stack: 192.168.0.55 asks everybody for the MAC address of
-- 192.168.0.2 (RFC 826). An ARP message has 28 bytes, but a frame needs 46 bytes of payload: 18 bytes of padding follow. They
-- should be zero; this card filled them with what was left in its memory from an earlier frame, and so does ours here.
local hs = require "hopscope"
hs.title { en = "HEX-01 ARP request frame", zh = "HEX-01 ARP 请求帧" }

local a, b = hs.host "a", hs.host "b"
hs.link(a, b, { address = { a = "192.168.0.55/24", b = "192.168.0.2/24" },
                mac = { a = "00:05:5d:61:58:a8", b = "00:05:5d:a1:b8:40" } })

local function bytes(hex) return (hex:gsub("%s+", ""):gsub("%x%x", function(x) return string.char(tonumber(x, 16)) end)) end

-- What an earlier frame left in the card's memory: from 0x2a on in the dump below.
local stale = bytes "00 77 31 d2 50 10 fd 78 41 d3 00 00 00 00 00 00 00 00"
a:dev():pad_pattern(stale)

hs.note {
  en = "Host a wants to reach 192.168.0.2. It has no MAC address for it yet, so the first thing to leave is the question.",
  zh = "主机 a 想到达 192.168.0.2。它还没有对方的 MAC 地址，所以最先发出的是询问。",
}
local seen = hs.frames { filter = function(p) return p.arp and p.arp.op == 1 end }
a:ping("192.168.0.2", { count = 1 })

local request = seen[1].packet
for at = 1, request.len, 16 do
  local line = request:bytes():sub(at, at + 15)
  print(string.format("    %04x  %s", at - 1, (line:gsub(".", function(c) return string.format("%02x ", c:byte()) end))))
end

hs.expect_equal("one request", #seen, 1)
hs.expect_equal("the frame, byte for byte", request:bytes(), bytes [[
  ff ff ff ff ff ff 00 05 5d 61 58 a8 08 06 00 01
  08 00 06 04 00 01 00 05 5d 61 58 a8 c0 a8 00 37
  00 00 00 00 00 00 c0 a8 00 02 00 77 31 d2 50 10
  fd 78 41 d3 00 00 00 00 00 00 00 00]])
hs.expect_equal("60 bytes: 14 of header, 28 of ARP, 18 of padding", request.len, 14 + 28 + 18)
hs.expect_equal("the FCS that follows it", request:fcs(), bytes "9c 1c 70 03")

hs.note {
  en = "Now let the decoder name every field. All bytes are accounted for, the padding too.",
  zh = "现在让解码器说出每个字段的名字。所有字节都有了着落，填充也在内。",
}
local names = {}
for _, f in ipairs(request:fields()) do
  print(string.format("    %-8s %-24s %-40s %s", f.layer, f.label, f.text, f.note or ""))
  names[#names + 1] = f.layer .. "." .. f.name
end
hs.expect_equal("the layers", request:layers(), { "eth", "arp", "padding" })
hs.expect_equal("every field has a name", names, { "eth.dst", "eth.src", "eth.type", "arp.htype", "arp.ptype", "arp.hlen",
  "arp.plen", "arp.op", "arp.sha", "arp.spa", "arp.tha", "arp.tpa", "padding.len", "padding.bytes" })
local eth, arp = request.eth, request.arp
hs.expect_equal("Ethernet: to everybody, from a, ARP follows", { eth.dst, eth.src, eth.type },
  { "ff:ff:ff:ff:ff:ff", "00:05:5d:61:58:a8", 0x0806 })
hs.expect_equal("hardware 1, protocol 0800, lengths 6 and 4, operation 1", { arp.htype, arp.ptype, arp.hlen, arp.plen, arp.op },
  { 1, 0x0800, 6, 4, 1 })
hs.expect_equal("the sender", { arp.sha, arp.spa }, { "00:05:5d:61:58:a8", "192.168.0.55" })
hs.expect_equal("the target: a MAC address of zeros is the question", { arp.tha, arp.tpa }, { "00:00:00:00:00:00", "192.168.0.2" })
hs.note {
  en = "The receiver was not disturbed by the padding: it answered (HEX-02 shows how). But it could have read what it leaks.",
  zh = "接收方没有受到填充的影响：它应答了（见 HEX-02）。但它本来可以读到泄露出来的内容。",
}
hs.expect("host b understood", a:arp "192.168.0.2" ~= nil and a:arp("192.168.0.2").mac == "00:05:5d:a1:b8:40")

hs.translate("zh", {
  ["one request"] = "一个请求",
  ["the frame, byte for byte"] = "逐字节的帧",
  ["60 bytes: 14 of header, 28 of ARP, 18 of padding"] = "60 字节：首部 14，ARP 28，填充 18",
  ["the FCS that follows it"] = "后面的 FCS",
  ["the layers"] = "各层",
  ["every field has a name"] = "每个字段都有名字",
  ["Ethernet: to everybody, from a, ARP follows"] = "以太网：发给所有人，来自 a，后面是 ARP",
  ["hardware 1, protocol 0800, lengths 6 and 4, operation 1"] = "硬件 1，协议 0800，长度 6 和 4，操作 1",
  ["the sender"] = "发送方",
  ["the target: a MAC address of zeros is the question"] = "目标：全零的 MAC 地址就是所问的",
  ["host b understood"] = "主机 b 读懂了",
})
