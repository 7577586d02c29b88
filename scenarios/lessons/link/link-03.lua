-- LINK-03  Preamble, start delimiter, inter-frame gap.
-- Before each frame the card sends 7 bytes of preamble, by which the receiver finds the rhythm of the bits, and one byte that says
-- "here it begins"; after each frame it is silent for 12 byte times (IEEE 802.3 3.2.1, 4.4.2). So a minimum frame of 64 bytes
-- takes the wire for 8 + 64 + 12 = 84 byte times: 67.2 us at 10 Mbit/s, 14880 frames a second at most.
local hs = require "hopscope"
hs.title { en = "LINK-03 Preamble, start delimiter, inter-frame gap", zh = "LINK-03 前同步码、帧开始定界符、帧间间隔" }

local a, b = hs.host "a", hs.host "b"
local link = hs.link(a, b, { rate = "10Mbps" }) -- a cable without length, so that only the bytes take time
a:ping("b", { count = 1 })                      -- the ARP caches are filled
local sent, arrived = hs.frames { link = link, filter = function(p) return p.udp end },
  hs.frames { link = link, on = "rx", filter = function(p) return p.udp end }
b:udp { port = 9 }
local sock = a:udp():connect("b", 9)

hs.note {
  en = "Host a hands ten datagrams of one byte to its card at once: minimum frames, one behind the other.",
  zh = "主机 a 一次把十个一字节的数据报交给网卡：都是最短的帧，一个紧接一个。",
}
local start = hs.now()
for i = 1, 10 do sock:send(tostring(i % 10)) end
hs.run "10ms"

local byte = 8 / 10e6 -- 0.8 us
hs.note({
  en = "The frames leave %.1f us apart: 8 bytes of preamble, 60 of frame, 4 of FCS, and 12 bytes of silence.",
  zh = "帧与帧相隔 %.1f us 发出：8 字节的前同步码，60 字节的帧，4 字节的 FCS，以及 12 字节的沉默。",
}, (sent[2].time - sent[1].time) * 1e6)
hs.expect_equal("minimum frames: 60 bytes and 4 of FCS", { sent[1].len, #sent[1].packet:fcs() }, { 60, 4 })
hs.expect_near("84 byte times at 10 Mbit/s are 67.2 us", 84 * byte, "67.2us", 1e-12)
for i = 2, 10 do
  hs.expect_near(string.format("frame %d leaves 84 byte times after frame %d", i, i - 1), sent[i].time - sent[i - 1].time, "67.2us", 0.5e-9)
end
hs.expect_near("the first arrives with its last bit: after 8 + 60 + 4 = 72 byte times, without the gap", arrived[1].time - start,
  "57.6us", 0.5e-9)
hs.expect_near("ten frames have used the wire for 10 * 67.2 us", arrived[10].time - start + 12 * byte, "672us", 0.5e-9)

-- CRC-32 as IEEE 802.3 3.2.9 has it, bit by bit: over destination, source, type, data and padding, and nothing else.
local function crc32(bytes)
  local crc = 0xffffffff
  for i = 1, #bytes do
    crc = crc ~ bytes:byte(i)
    for _ = 1, 8 do crc = (crc >> 1) ~ (0xedb88320 & -(crc & 1)) end
  end
  return crc ~ 0xffffffff
end
local bytes, fcs = sent[1].packet:bytes(), sent[1].packet:fcs()
hs.note {
  en = "The preamble is no part of the frame: no receiver counts it, and the check sequence does not cover it.",
  zh = "前同步码不是帧的一部分：没有接收方计算它，检验序列也不覆盖它。",
}
hs.expect_equal("the FCS is the CRC of the 60 bytes of the frame alone", fcs, string.pack("<I4", crc32(bytes)))
hs.expect("with the preamble in front it would be another", string.pack("<I4", crc32(("\x55"):rep(7) .. "\xd5" .. bytes)) ~= fcs)

hs.translate("zh", {
  ["minimum frames: 60 bytes and 4 of FCS"] = "最短的帧：60 字节，加 4 字节的 FCS",
  ["84 byte times at 10 Mbit/s are 67.2 us"] = "84 个字节时间，在 10 Mbit/s 时是 67.2 us",
  ["frame {} leaves {} byte times after frame {}"] = "帧 {} 离开，晚 {} 个字节时间，从帧 {} 算起",
  ["the first arrives with its last bit: after 8 + 60 + 4 = 72 byte times, without the gap"] = "第一个随最后一个比特到达：8 + 60 + 4 = 72 个字节时间之后，不含间隔",
  ["ten frames have used the wire for 10 * 67.2 us"] = "十个帧占用线路 10 * 67.2 us",
  ["the FCS is the CRC of the 60 bytes of the frame alone"] = "FCS 只是帧的 60 字节的 CRC",
  ["with the preamble in front it would be another"] = "前面加上前同步码就会是另一个值",
})
