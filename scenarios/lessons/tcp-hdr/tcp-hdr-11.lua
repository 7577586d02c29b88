-- TCP-HDR-11  Data length is derived.
-- No field of the TCP header says how much data follows. It is what is left: IP total length - IP header - TCP header (RFC 9293 3.1,
-- pseudo header). The frame's length would be wrong: Ethernet fills short frames up to 60 bytes.
local hs = require "hopscope"
hs.title { en = "TCP-HDR-11 Data length is derived", zh = "TCP-HDR-11 数据长度是推算出来的" }

local client, server = hs.host "client", hs.host "server"
hs.link(client, server, { delay = "1ms" })
client:dev():pad_pattern "not data!"
local frames = hs.frames { filter = function(p) return p.tcp end }
local got, sizes = {}, { 1, 2, 5, 100, 1448, 3000 }
server:spawn(function(os)
  local conn = os.tcp():bind(5999):listen(8):accept()
  for data in function() return conn:read() end do got[#got + 1] = #data end
end)
client:sysctl("net.ipv4.tcp_timestamps", 0) -- short headers: short frames
client:spawn(function(os)
  local conn = os.tcp { nodelay = true }:connect("server", 5999)
  for _, n in ipairs(sizes) do
    conn:write(("x"):rep(n))
    os.sleep "100ms"
  end
  conn:close()
end)
hs.note {
  en = "Writes of 1, 2, 5, 100, 1448 and 3000 bytes. The short ones are in frames with padding behind the data.",
  zh = "写入 1、2、5、100、1448 和 3000 字节。短的那些在数据后面有填充的帧里。",
}
hs.run "2s"
local padded, data = 0, {}
for i, f in ipairs(frames) do
  local p = f.packet
  local raw = p:bytes():sub(15)
  local ip_hdr, total = (raw:byte(1) & 15) * 4, raw:byte(3) * 256 + raw:byte(4)
  local tcp_hdr = (raw:byte(ip_hdr + 13) >> 4) * 4
  local len = total - ip_hdr - tcp_hdr
  hs.expect_equal("segment " .. i .. ": total length - IP header - TCP header", p.tcp.len, len)
  hs.expect_equal("segment " .. i .. ": so many bytes of payload", p.data and p.data.len or 0, len)
  if p.padding then
    padded = padded + 1
    hs.expect_equal("segment " .. i .. ": the frame was filled up to 60 bytes", p.len, 60)
    hs.expect("segment " .. i .. ": what the frame's length suggests is more", p.len - 14 - ip_hdr - tcp_hdr > len)
  end
  if len > 0 and f.from == "client" then data[#data + 1] = len end
end
hs.expect("some frames had padding", padded >= 3, padded)
-- 3000 bytes need three segments: 2 x 1460 + 80
hs.expect_equal("the lengths are those of the writes, cut at 1460", data, { 1, 2, 5, 100, 1448, 1460, 1460, 80 })
local sum, want = 0, 0
for _, n in ipairs(got) do sum = sum + n end
for _, n in ipairs(sizes) do want = want + n end
hs.expect_equal("the reader gets no padding", sum, want)

hs.translate("zh", {
  ["segment {}: total length - IP header - TCP header"] = "报文段 {}：总长度 - IP 首部 - TCP 首部",
  ["segment {}: so many bytes of payload"] = "报文段 {}：这么多字节的有效载荷",
  ["segment {}: the frame was filled up to {} bytes"] = "报文段 {}：帧填充到 {} 字节",
  ["segment {}: what the frame's length suggests is more"] = "报文段 {}：帧长度所暗示的更多",
  ["some frames had padding"] = "有些帧带有填充",
  ["the lengths are those of the writes, cut at 1460"] = "长度就是写入的长度，按 1460 切开",
  ["the reader gets no padding"] = "读者得不到填充",
})
