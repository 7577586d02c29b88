-- TCP-HDR-02  Flags.
-- Six bits say what a segment does besides carrying data: URG (the urgent pointer counts), ACK, PSH (hand the data up now), RST (abort),
-- SYN, FIN (RFC 9293 3.1; CWR and ECE came later). SYN with FIN is nonsense and refused. Linux sets PSH on the last segment of a write,
-- and delivers with or without it.
-- tshark-allow: Connection reset (segments of no connection)
-- tshark-allow: TCP (flags without sense are what this is about)
local hs = require "hopscope"
hs.title { en = "TCP-HDR-02 Flags", zh = "TCP-HDR-02 标志" }

local a, b = hs.host "a", hs.host "b"
local link = hs.link(a, b, { delay = "1ms" })
a:arp_set("b", b:dev().mac)
b:arp_set("a", a:dev().mac)
local frames = hs.frames { link = link, filter = function(p) return p.tcp end }

hs.note {
  en = "One segment with each bit alone. The bits are those of byte 13: FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32.",
  zh = "每个比特单独一个报文段。这些比特都在第 13 个字节里：FIN 1、SYN 2、RST 4、PSH 8、ACK 16、URG 32。",
}
local names = { "fin", "syn", "rst", "psh", "ack", "urg" }
for i, letter in ipairs { "F", "S", "R", "P", "A", "U" } do
  a:forge { to = b, dport = 5010, sport = 40000 + i, flags = letter, urgent = letter == "U" and 1 or 0 }
  local p = frames[#frames].packet
  local raw = p:bytes()
  for j, name in ipairs(names) do hs.expect_equal(letter .. " alone: " .. name, p.tcp[name], i == j) end
  hs.expect_equal(letter .. ": bit " .. i - 1, raw:byte(14 + 20 + 14) & 0x3f, 1 << (i - 1))
  hs.run "10ms"
end

hs.note { en = "SYN with FIN, sent to a listener: no answer, no half-open entry.", zh = "SYN 连同 FIN 发给监听者：没有应答，没有半开连接项。" }
b:tcp():bind(5011):listen(8)
local before = #frames
a:forge { to = b, dport = 5011, sport = 41000, flags = "SF", seq = 1000 }
hs.run "100ms"
hs.expect_equal("SYN+FIN is refused silently", { #frames - before, #b:sockets "SYN-RECEIVED" }, { 1, 0 })
a:forge { to = b, dport = 5011, sport = 41000, flags = "S", seq = 1000 }
hs.run "100ms"
hs.expect_equal("SYN alone is answered", frames:count(function(p) return p.tcp.syn and p.tcp.ack and p.tcp.dport == 41000 end), 1)

hs.note {
  en = "A write of 5000 bytes, a pause, and one of 100: the last segment of each carries PSH.",
  zh = "写入 5000 字节，停顿，再写入 100 字节：每次的最后一个报文段带有 PSH。",
}
local first = #frames + 1
local got, reads = 0, {}
b:spawn(function(os)
  local conn = os.tcp():bind(5012):listen(8):accept()
  for data in function() return conn:read() end do
    got = got + #data
    reads[#reads + 1] = got
  end
end)
b:dev():tso(false)
a:dev():tso(false)
link:dir(a):rule(function(p) -- the network takes PSH away from the second write
  if p.tcp and p.tcp.len == 100 then p.tcp.psh = false end
end)
a:spawn(function(os)
  local conn = os.tcp():connect("b", 5012)
  conn:write(hs.payload(5000))
  os.sleep "1s"
  conn:write(hs.payload(100, 5000))
  os.sleep "1s"
end)
hs.run "1900ms"
local psh = {}
for i = first, #frames do
  local t = frames[i].packet.tcp
  if t.len > 0 then psh[#psh + 1] = { t.len, t.psh } end
end
-- MSS 1460 less 12 bytes of timestamps
hs.expect_equal("5000 bytes: three full segments and a rest; the rest carries PSH", { psh[1][1], psh[2][1], psh[3][1], psh[4] }, { 1448, 1448, 1448, { 5000 - 3 * 1448, true } })
hs.expect_equal("the first ones need none", { psh[1][2], psh[3][2] }, { false, false })
hs.expect_equal("without PSH the data is delivered all the same", got, 5100)

hs.note {
  en = "RST aborts. It does not mean 'reconnect': the connection is gone, and read says so.",
  zh = "RST 中止连接。它的意思不是“重新连接”：连接没有了，read 也这样说。",
}
local err
b:spawn(function(os)
  local conn = os.tcp():bind(5013):listen(8):accept()
  conn:setopt("SO_LINGER", 0)
  conn:close() -- lingering for 0 s: RST
end)
a:spawn(function(os)
  local conn = os.tcp():connect("b", 5013)
  err = select(2, conn:read())
end)
hs.run "1s"
hs.expect_equal("reset by peer", err, "ECONNRESET")
hs.expect_equal("and nobody connects again", #b:sockets "ESTABLISHED" + #a:sockets "SYN-SENT", 0)

hs.translate("zh", {
  ["F alone: fin"] = "只有 F：fin",
  ["F alone: syn"] = "只有 F：syn",
  ["F alone: rst"] = "只有 F：rst",
  ["F alone: psh"] = "只有 F：psh",
  ["F alone: ack"] = "只有 F：ack",
  ["F alone: urg"] = "只有 F：urg",
  ["F: bit 0"] = "F：第 0 位",
  ["S alone: fin"] = "只有 S：fin",
  ["S alone: syn"] = "只有 S：syn",
  ["S alone: rst"] = "只有 S：rst",
  ["S alone: psh"] = "只有 S：psh",
  ["S alone: ack"] = "只有 S：ack",
  ["S alone: urg"] = "只有 S：urg",
  ["S: bit 1"] = "S：第 1 位",
  ["R alone: fin"] = "只有 R：fin",
  ["R alone: syn"] = "只有 R：syn",
  ["R alone: rst"] = "只有 R：rst",
  ["R alone: psh"] = "只有 R：psh",
  ["R alone: ack"] = "只有 R：ack",
  ["R alone: urg"] = "只有 R：urg",
  ["R: bit 2"] = "R：第 2 位",
  ["P alone: fin"] = "只有 P：fin",
  ["P alone: syn"] = "只有 P：syn",
  ["P alone: rst"] = "只有 P：rst",
  ["P alone: psh"] = "只有 P：psh",
  ["P alone: ack"] = "只有 P：ack",
  ["P alone: urg"] = "只有 P：urg",
  ["P: bit 3"] = "P：第 3 位",
  ["A alone: fin"] = "只有 A：fin",
  ["A alone: syn"] = "只有 A：syn",
  ["A alone: rst"] = "只有 A：rst",
  ["A alone: psh"] = "只有 A：psh",
  ["A alone: ack"] = "只有 A：ack",
  ["A alone: urg"] = "只有 A：urg",
  ["A: bit 4"] = "A：第 4 位",
  ["U alone: fin"] = "只有 U：fin",
  ["U alone: syn"] = "只有 U：syn",
  ["U alone: rst"] = "只有 U：rst",
  ["U alone: psh"] = "只有 U：psh",
  ["U alone: ack"] = "只有 U：ack",
  ["U alone: urg"] = "只有 U：urg",
  ["U: bit 5"] = "U：第 5 位",
  ["SYN+FIN is refused silently"] = "SYN+FIN 被默默拒绝",
  ["SYN alone is answered"] = "单独的 SYN 得到应答",
  ["5000 bytes: three full segments and a rest; the rest carries PSH"] = "5000 字节：三个满的报文段和余下的；余下的带有 PSH",
  ["the first ones need none"] = "前面的不需要",
  ["without PSH the data is delivered all the same"] = "没有 PSH，数据照样被交付",
  ["reset by peer"] = "被对方复位",
  ["and nobody connects again"] = "没有人再次连接",
})
