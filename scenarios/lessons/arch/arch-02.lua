-- ARCH-02  Encapsulation and stripping.
-- On the way down each layer puts its header in front of what it got: the message of the application becomes a datagram (with TCP:
-- a segment), the datagram a packet, the packet a frame; the link also appends a trailer, the FCS. On the way up they come off in
-- reverse order, and the message is what it was. Ethernet 14, IP 20, UDP 8 bytes, FCS 4 (IEEE 802.3, RFC 791, RFC 768).
local hs = require "hopscope"
hs.title { en = "ARCH-02 Encapsulation and stripping", zh = "ARCH-02 封装与解封装" }

local a, b = hs.host "a", hs.host "b"
hs.link(a, b, { rate = "100Mbps", delay = "1ms" })
local seen = hs.frames { filter = function(p) return p.udp end }
local got = {}
b:udp { port = 9, on_datagram = function(data) got[#got + 1] = data end }
local sock = a:udp():connect("b", 9)

-- A message with every byte value, so that any change would show.
local all = {}
for i = 0, 255 do all[#all + 1] = string.char(i) end
local message = table.concat(all)

hs.note {
  en = "Host a sends a message of 256 bytes. Look at how it is wrapped: each header names what is inside.",
  zh = "主机 a 发送一个 256 字节的报文。请看它是怎样被包装的：每个首部都说明里面是什么。",
}
sock:send(message)
hs.run "1s"
local p = seen[1].packet
local unit = { eth = "frame", ip = "packet", udp = "datagram", data = "message" }
local at, left = 0, p.len
for _, layer in ipairs(p:layers()) do
  local size = ({ eth = 14, ip = 20, udp = 8, data = 256 })[layer]
  print(string.format("    %-9s %4d bytes, of which %3d are the layer's own, from byte %d on", unit[layer], left, size, at))
  at, left = at + size, left - size
end
hs.expect_equal("the headers: 14 + 20 + 8 bytes", { 14, p.ip.hdr_len, p.udp.len - 256 }, { 14, 20, 8 })
hs.expect_equal("each length contains what is inside: IP", p.ip.len, 20 + 8 + 256)
hs.expect_equal("UDP", p.udp.len, 8 + 256)
hs.expect_equal("the trailer has 4 bytes", #p:fcs(), 4)
hs.expect_equal("frame length = payload + 14 + 20 + 8 + 4", p.len + #p:fcs(), #message + 46)
hs.expect_equal("in the frame the message stands behind 42 bytes of headers", p:bytes():sub(43), message)

hs.note {
  en = "At b the layers take off their headers in reverse; what the program gets is the message, byte for byte.",
  zh = "在 b 上，各层按相反的顺序去掉自己的首部；程序得到的就是那个报文，一个字节也不差。",
}
hs.expect_equal("the delivered payload is identical", got[1], message)

-- The sum holds as long as nothing has to be filled up: IP's part of a frame has at least 46 bytes = 28 + 18.
hs.note {
  en = "Now all lengths from 0 to 40 bytes: below 18 bytes the frame does not get any shorter, it is padded to 60 bytes.",
  zh = "现在试遍 0 到 40 字节的所有长度：不到 18 字节时，帧不会再变短，而是填充到 60 字节。",
}
for n = 0, 40 do sock:send(message:sub(1, n)) end
hs.run "1s"
local lengths, want, same = {}, {}, true
for n = 0, 40 do
  lengths[n + 1] = seen[n + 2].packet.len + 4
  want[n + 1] = n >= 18 and n + 46 or 64
  same = same and got[n + 2] == message:sub(1, n)
end
hs.expect_equal("payload + 46 from 18 bytes on, 64 below", lengths, want)
hs.expect("the padding never reaches the program: every payload is identical", same)

hs.note {
  en = "With TCP the unit is called segment. Its header has 20 bytes when there are no options: 14 + 20 + 20 + 4 = 58 bytes around the data.",
  zh = "在 TCP 中，这个单位叫做报文段。没有选项时它的首部是 20 字节：数据周围共有 14 + 20 + 20 + 4 = 58 字节。",
}
a:sysctl("net.ipv4.tcp_timestamps", 0) -- the only option of segments behind the handshake
local segments, stream = hs.frames { filter = function(q) return q.tcp and q.tcp.len > 0 end }, {}
b:spawn(function(os)
  local conn = os.tcp():bind(5678):listen(1):accept()
  while true do
    local data = conn:read()
    if not data then break end
    stream[#stream + 1] = data
  end
  conn:close()
end)
a:spawn(function(os)
  local conn = os.tcp({ nodelay = true }):connect("b", 5678)
  for _, n in ipairs { 256, 6, 5, 1 } do
    conn:write(message:sub(1, n))
    os.sleep "10ms"
  end
  conn:close()
end)
hs.run "1s"
local sizes = {}
for i, f in ipairs(segments) do sizes[i] = f.packet.len + #f.packet:fcs() end
hs.expect_equal("frame length = payload + 58 for 6 bytes or more; below the frame is padded to 64", sizes, { 256 + 58, 6 + 58, 64, 64 })
hs.expect_equal("the delivered payload is identical", stream, { message:sub(1, 256), message:sub(1, 6), message:sub(1, 5), message:sub(1, 1) })

hs.translate("zh", {
  ["the headers: 14 + 20 + 8 bytes"] = "首部：14 + 20 + 8 字节",
  ["each length contains what is inside: IP"] = "每个长度都包含里面的内容：IP",
  ["the trailer has 4 bytes"] = "尾部有 4 字节",
  ["frame length = payload + 14 + 20 + 8 + 4"] = "帧长度 = 有效载荷 + 14 + 20 + 8 + 4",
  ["in the frame the message stands behind 42 bytes of headers"] = "在帧中，报文在 42 字节的首部之后",
  ["the delivered payload is identical"] = "交付的有效载荷完全相同",
  ["payload + 46 from 18 bytes on, 64 below"] = "从 18 字节起为有效载荷 + 46，以下为 64",
  ["the padding never reaches the program: every payload is identical"] = "填充从不到达程序：每个有效载荷都完全相同",
  ["frame length = payload + 58 for 6 bytes or more; below the frame is padded to 64"] = "6 字节或更多时，帧长度 = 有效载荷 + 58；以下则填充到 64",
})
