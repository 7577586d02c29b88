-- TCP-HDR-03  Checksum.
-- The checksum covers a pseudo header of both addresses, the protocol and the length, then the TCP header, then the data (RFC 9293 3.1).
-- A receiver drops what does not fit without a word: no ACK, so that the sender's timer repeats it.
-- tshark-allow: Bad checksum (a bit is flipped on purpose)
local hs = require "hopscope"
hs.title { en = "TCP-HDR-03 Checksum", zh = "TCP-HDR-03 校验和" }

local client, server = hs.host "client", hs.host "server"
local link = hs.link(client, server, { delay = "10ms" })
client:arp_set("server", server:dev().mac)
server:arp_set("client", client:dev().mac)

-- RFC 1071 over the pseudo header and the segment, by hand
local function checksum(p)
  local raw = p:bytes():sub(15)
  local ip_len = (raw:byte(1) & 15) * 4
  local total = raw:byte(3) * 256 + raw:byte(4)
  local segment = raw:sub(ip_len + 1, total)
  local bytes = raw:sub(13, 20) .. "\0\6" .. string.char(#segment >> 8, #segment & 255) .. segment
  if #bytes % 2 == 1 then bytes = bytes .. "\0" end
  local sum = 0
  for i = 1, #bytes, 2 do sum = sum + bytes:byte(i) * 256 + bytes:byte(i + 1) end
  while sum > 0xffff do sum = (sum & 0xffff) + (sum >> 16) end
  return ~sum & 0xffff
end

local frames = hs.frames { filter = function(p) return p.tcp end }
-- The link flips one bit of the first data segment; the Ethernet FCS is right, as if a router's memory had done it.
local flipped = false
link:dir(client):rule(function(p)
  if p.tcp and p.tcp.data_nth == 1 and not flipped then
    flipped = true
    return { "corrupt", bit = 8 * (14 + 20 + 32 + 2), fcs = false } -- in the third byte of the data
  end
end)
local got
server:spawn(function(os)
  local conn = os.tcp():bind(5010):listen(8):accept()
  got = conn:read()
  os.sleep "10s"
end)
local wrote
client:spawn(function(os)
  local conn = os.tcp():connect("server", 5010)
  os.sleep "80ms"
  wrote = hs.now()
  conn:write "precious"
  os.sleep "10s"
end)
hs.note {
  en = "The client writes 'precious' at 100 ms. One bit of it is flipped on the way.",
  zh = "客户端在 100 ms 时写入“precious”。其中一个比特在途中翻转。",
}
hs.run "200ms"
local bad = frames:select(function(p) return p.tcp.len > 0 end)[1]
hs.expect("the bit was flipped", flipped)
hs.expect_equal("the server counts a segment with a wrong checksum", server:counter "TcpInCsumErrors", 1)
hs.expect_equal("nothing is delivered", got, nil)
hs.expect_equal("and nothing acknowledged: the server is silent", frames:count(function(p, f) return f.from == "server" and f.time > wrote end), 0)
hs.note {
  en = "No ACK comes. The sender's timer repeats the segment, and this time it is whole.",
  zh = "没有 ACK 到来。发送方的计时器重传报文段，这一次它是完好的。",
}
hs.run "1s"
hs.expect_equal("delivered", got, "precious")
hs.expect("it was repeated", client:counter "TcpRetransSegs" >= 1, client:counter "TcpRetransSegs")
for i, f in ipairs(frames) do
  hs.expect_equal("segment " .. i .. ": the sum over pseudo header, header and data is zero", checksum(f.packet), 0)
end

hs.translate("zh", {
  ["the bit was flipped"] = "比特翻转了",
  ["the server counts a segment with a wrong checksum"] = "服务器计入一个校验和错误的报文段",
  ["nothing is delivered"] = "什么也没有交付",
  ["and nothing acknowledged: the server is silent"] = "什么也没有确认：服务器沉默",
  ["delivered"] = "已交付",
  ["it was repeated"] = "它被重传了",
  ["segment {}: the sum over pseudo header, header and data is zero"] = "报文段 {}：伪首部、首部和数据之和为零",
})
