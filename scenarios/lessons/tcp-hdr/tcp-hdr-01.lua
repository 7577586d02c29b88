-- TCP-HDR-01  Header fields.
-- Ports (16 bits), sequence and acknowledgment number (32 bits), header length in words, flags, window, checksum, urgent pointer, and up
-- to 40 bytes of options: 20 to 60 bytes (RFC 9293 3.1). Every header that leaves here is read again by another host.
-- tshark-allow: Connection reset (segments of no connection)
-- tshark-allow: TCP (odd segments of no connection, made by hand)
local hs = require "hopscope"
hs.title { en = "TCP-HDR-01 Header fields", zh = "TCP-HDR-01 首部字段" }

local a, b = hs.host "a", hs.host "b"
local link = hs.link(a, b, { delay = "1ms" })
a:arp_set("b", b:dev().mac)
b:arp_set("a", a:dev().mac)
local frames = hs.frames { link = link, filter = function(p) return p.tcp and p.tcp.dport == 5010 end }
local NOP = "\1"

hs.note {
  en = "The same segment with 0, 4, 8 … 40 bytes of options: the header grows from 20 to 60 bytes, in words of four.",
  zh = "同一个报文段，选项为 0、4、8…40 字节：首部以四字节的字为单位，从 20 增长到 60 字节。",
}
local function word(bytes, at, len)
  local v = 0
  for i = at, at + len - 1 do v = v * 256 + bytes:byte(i) end
  return v
end
for n = 0, 40, 4 do
  local sent = { sport = 40000, dport = 5010, seq = 0x12345678, ack = 0x9abcdef0, flags = "PA", window = 0x1234, urgent = 0, options = NOP:rep(n), data = "data" }
  sent.to = b
  a:forge(sent)
  hs.run "10ms"
  local p = frames[#frames].packet
  local t, raw = p.tcp, p:bytes():sub(15) -- behind the Ethernet header
  hs.expect_equal(n .. " bytes of options: a header of " .. 20 + n, t.hdr_len, 20 + n)
  hs.expect_equal(n .. ": every field is read back", { t.sport, t.dport, t.seq, t.ackno, t.psh, t.ack, t.window, t.urgent, t.len },
    { 40000, 5010, 0x12345678, 0x9abcdef0, true, true, 0x1234, 0, 4 })
  -- the bytes themselves, where RFC 9293 3.1 puts them
  local at = (raw:byte(1) & 15) * 4 + 1
  hs.expect_equal(n .. ": 16-bit ports, 32-bit numbers", { word(raw, at, 2), word(raw, at + 2, 2), word(raw, at + 4, 4), word(raw, at + 8, 4) },
    { 40000, 5010, 0x12345678, 0x9abcdef0 })
  hs.expect_equal(n .. ": length in words, flags, window, urgent pointer", { raw:byte(at + 12) >> 4, raw:byte(at + 13), word(raw, at + 14, 2), word(raw, at + 18, 2) },
    { (20 + n) // 4, 0x18, 0x1234, 0 })
  hs.expect_equal(n .. ": the data follows", raw:sub(at + 20 + n, at + 20 + n + 3), "data")
end

hs.note { en = "40 bytes are the limit: four bits count at most 15 words.", zh = "40 字节是极限：四个比特最多数到 15 个字。" }
hs.expect_error("more than 40 bytes of options", function() a:forge { to = b, dport = 5010, options = NOP:rep(44) } end, "at most 40")
hs.note { en = "The largest values that fit.", zh = "放得下的最大值。" }
a:forge { to = b, sport = 65535, dport = 5010, seq = 4294967295, ack = 4294967295, flags = "A", window = 65535 }
hs.run "10ms"
local t = frames[#frames].packet.tcp
hs.expect_equal("all ones", { t.sport, t.seq, t.ackno, t.window }, { 65535, 4294967295, 4294967295, 65535 })

hs.translate("zh", {
  ["{} bytes of options: a header of {}"] = "{} 字节的选项：首部为 {}",
  ["{}: every field is read back"] = "{}：每个字段都读回来了",
  ["{}: {}-bit ports, {}-bit numbers"] = "{}：{} 位的端口，{} 位的编号",
  ["{}: length in words, flags, window, urgent pointer"] = "{}：以字计的长度、标志、窗口、紧急指针",
  ["{}: the data follows"] = "{}：后面是数据",
  ["more than 40 bytes of options"] = "选项超过 40 字节",
  ["all ones"] = "全为一",
})
