-- FRAG-02  Fields used.
-- Three fields of the IP header are for fragmentation (RFC 791 3.1): the identification, 16 bits, which all fragments of a
-- datagram share; three flags, of which the first is reserved, DF forbids fragmenting and MF says "more fragments follow";
-- and the offset, 13 bits, counted in units of eight bytes: 2^13 * 8 = 65536 bytes, the longest datagram.
local hs = require "hopscope"
hs.title { en = "FRAG-02 Fields used", zh = "FRAG-02 用到的字段" }

local a, b = hs.host "a", hs.host "b"
hs.link(a, b, { mtu = 1000 })
local whole
b:udp { port = 9, on_datagram = function(data) whole = data end }
local frames = hs.frames { filter = function(p) return p.ip end }

-- The second word of the header: identification; the third: flags and offset. Decoded by hand from the bytes.
local function decode(frame)
  local id, word = string.unpack(">I2I2", frame.packet:bytes(), 14 + 4 + 1)
  return { id = id, reserved = word >> 15 & 1, df = word >> 14 & 1, mf = word >> 13 & 1, offset = word & 0x1fff }
end

local data = {}
for i = 1, 500 do data[i] = string.format("%05d ", i) end
data = table.concat(data) -- 3000 bytes, each six different
hs.note {
  en = "3000 bytes of data and 8 of UDP header over an MTU of 1000: (1000 - 20) / 8 = 122.5, so 122 eights = 976 bytes a piece.",
  zh = "3000 字节的数据和 8 字节的 UDP 首部，MTU 为 1000：(1000 - 20) / 8 = 122.5，所以每片 122 个八字节 = 976 字节。",
}
a:udp():sendto(data, "b", 9)
hs.run "1s"

print "    id      reserved  DF  MF  offset            data bytes"
local covered, same_id, all_but_last = 0, true, true
for i, f in ipairs(frames) do
  local d, ip = decode(f), f.packet.ip
  local n = ip.len - ip.hdr_len
  print(string.format("    0x%04x  %d         %d   %d   %4d * 8 = %4d   %4d to %4d", d.id, d.reserved, d.df, d.mf, d.offset, d.offset * 8,
    d.offset * 8, d.offset * 8 + n - 1))
  hs.expect_equal("fragment " .. i .. " begins where the one before ended: offset x 8 = " .. covered, d.offset * 8, covered)
  hs.expect_equal("fragment " .. i .. ": the decoder says the same", { ip.id, ip.df, ip.mf, ip.frag_offset },
    { d.id, d.df == 1, d.mf == 1, d.offset * 8 })
  covered = covered + n
  same_id = same_id and d.id == decode(frames[1]).id
  all_but_last = all_but_last and (d.mf == 1) == (i < #frames) and d.reserved == 0 and d.df == 0
end
-- 3008 = 3 * 976 + 80
hs.expect_equal("four fragments", #frames, 4)
hs.expect_equal("the last covers up to the end, without gap: 3008 bytes", covered, 3008)
hs.expect("all have the same identification", same_id)
hs.expect("MF is set in all but the last; DF and the reserved bit are not", all_but_last)
hs.expect("the datagram was put together right", whole == data)

hs.note {
  en = "The third flag bit: with DF a packet must not be cut. IP_PMTUDISC_DO sets it, and a datagram too long is refused at once.",
  zh = "第三个标志位：有 DF 时分组不允许切开。IP_PMTUDISC_DO 设置它，太长的数据报立刻被拒绝。",
}
local careful = a:udp():connect("b", 9):setopt("IP_MTU_DISCOVER", 2)
local sent, why = careful:send(data)
hs.expect_equal("too long, and must not be cut", { sent, why }, { nil, "EMSGSIZE" })
careful:send "short"
hs.run "1s"
local d = decode(frames[5])
hs.expect_equal("a packet that fits goes out with DF: flags 0, 1, 0, offset 0", { d.reserved, d.df, d.mf, d.offset }, { 0, 1, 0, 0 })

hs.note {
  en = "The offset field at its limit: a datagram of 65535 bytes, the longest there is, comes in 68 pieces.",
  zh = "偏移字段到了极限：65535 字节的数据报，最长的数据报，分成 68 片到来。",
}
a:udp():sendto(hs.payload(65507), "b", 9)
hs.run "1s"
-- 65515 bytes behind the header = 67 * 976 + 123; the last offset is 67 * 122 = 8174 of at most 8191.
local last = decode(frames[#frames])
hs.expect_equal("68 fragments, the last at 8174 x 8", { #frames - 5, last.offset, last.mf }, { 68, 8174, 0 })
hs.expect_equal("and b has read 65507 bytes of data", #whole, 65507)

hs.translate("zh", {
  ["fragment {} begins where the one before ended: offset x {} = {}"] = "分片 {} 从前一片结束处开始：偏移 x {} = {}",
  ["fragment {}: the decoder says the same"] = "分片 {}：解码器的说法相同",
  ["four fragments"] = "四个分片",
  ["the last covers up to the end, without gap: 3008 bytes"] = "最后一片到末尾为止，没有空缺：3008 字节",
  ["all have the same identification"] = "全部具有相同的标识",
  ["MF is set in all but the last; DF and the reserved bit are not"] = "除最后一片外都设置 MF；DF 和保留位没有设置",
  ["the datagram was put together right"] = "数据报被正确地拼起来",
  ["too long, and must not be cut"] = "太长，又不允许切开",
  ["a packet that fits goes out with DF: flags 0, 1, 0, offset 0"] = "放得下的分组带 DF 发出：标志 0、1、0，偏移 0",
  ["68 fragments, the last at 8174 x 8"] = "68 个分片，最后一个在 8174 x 8",
  ["and b has read 65507 bytes of data"] = "b 读到 65507 字节的数据",
})
