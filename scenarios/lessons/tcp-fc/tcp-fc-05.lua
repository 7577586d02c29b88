-- TCP-FC-05  Receiver's regions.
-- RCV.NXT and RCV.WND divide the stream as the receiver sees it (RFC 9293 3.4, 3.10.7.4): before RCV.NXT all has been received; from there
-- to RCV.NXT + RCV.WND it accepts; what begins beyond is refused. Whatever it does, it answers with an ACK that says RCV.NXT and RCV.WND.
-- A segment across the right edge should be cut there; Linux drops it whole, or takes it whole if nothing waits to be read.
-- tshark-allow: Previous segment(s) not captured (bytes are left out on purpose)
-- tshark-allow: D-SACK Sequence (repeated bytes are what is shown)
-- tshark-allow: ACKed segment that wasn't captured (the client's segments are forged, and their answers kept away from it)
-- tshark-allow: TCP Zero Window segment (a closed window is what is shown)
local hs = require "hopscope"
hs.title { en = "TCP-FC-05 Receiver's regions", zh = "TCP-FC-05 接收方的区域" }

-- Data begin with number 1 in both directions; the window is 1000 bytes less what is unread, to the byte.
local first = { ["hopscope.tcp_isn"] = 2, ["hopscope.tcp_isn_fixed"] = 0, ["hopscope.tcp_quirks"] = 0x100 }
local client, server = hs.host("client", { sysctl = first }), hs.host("server", { sysctl = first })
local link = hs.link(client, server, { delay = "10ms", subnet = "10.0.0.0/24" })
server:route_replace { to = "10.0.0.0/24", dev = "eth0", quickack = 1 }  -- no ACK is delayed
client:ping("server", { count = 1 })

local listener = server:tcp()
listener:setopt("TCP_WINDOW_CLAMP", 1000)
listener:bind(7100):listen(1)
local conn = client:tcp():connect("server", 7100)
local peer = listener:accept()
local _, port = conn:local_addr()

local acks = hs.frames { node = server, filter = function(p) return p.tcp and p.from == "server" end }
link:dir(server):rule(function(p) if p.tcp then return "drop" end end)  -- the client's TCP shall not see answers to what it has not sent
local refused = {}
hs.on("tcp.drop", function(e) refused[#refused + 1] = e.reason end, { node = server })
-- Sends bytes from .. to by hand, as if the client's TCP had done so. Returns what the answers say (number of ACKs, ACK, window), how many
-- bytes can be read, and why the segment was refused, if it was.
local zh = {
  ["In order"] = "按序",
  ["Left of the window"] = "窗口左边",
  ["Across the left edge"] = "跨过左边界",
  ["Inside"] = "窗口之内",
  ["Inside, with a gap before it"] = "窗口之内，前面有空缺",
  ["Right of the window"] = "窗口右边",
  ["Across the right edge"] = "跨过右边界",
  ["In the gap"] = "在空缺中",
  ["Everything is read. Across the right edge again"] = "全部读完。再次跨过右边界",
}
local function segment(what, from, to)
  local before, dropped = #acks, #refused
  client:forge { to = server, sport = port, dport = 7100, seq = from, ack = 1, flags = "A", data = ("x"):rep(to - from + 1) }
  hs.run "25ms"
  local answer = acks[#acks].packet.tcp
  hs.note({ en = "%s, %d-%d: %s; ACK %d, window %d", zh = "%s，%d-%d：%s；ACK %d，窗口 %d" }, { en = what, zh = zh[what] }, from, to,
    refused[dropped + 1] and { en = "refused", zh = "拒绝" } or { en = "accepted", zh = "接受" }, answer.ackno, answer.window)
  return { #acks - before, answer.ackno, answer.window, peer:info().recv_q, refused[dropped + 1] or "accepted" }, answer
end

hs.expect_equal("first data 1-100: accepted, ACK 101, window 900: up to 1000",
  segment("In order", 1, 100), { 1, 101, 900, 100, "accepted" })
local seen, dup = segment("Left of the window", 1, 100)
hs.expect_equal("left of the window: a duplicate, dropped, ACK 101 again", seen, { 1, 101, 900, 100, "TCP_OLD_DATA" })
hs.expect_equal("its ACK says which bytes came twice (D-SACK, RFC 2883)", { dup.sack_left, dup.sack_right }, { 1, 101 })
hs.expect_equal("across the left edge: the old half is trimmed, the new half counts",
  segment("Across the left edge", 51, 150), { 1, 151, 850, 150, "accepted" })
hs.expect_equal("inside: accepted", segment("Inside", 151, 250), { 1, 251, 750, 250, "accepted" })
local gap
seen, gap = segment("Inside, with a gap before it", 301, 400)
hs.expect_equal("inside with a gap: kept, but cannot be read yet; RCV.NXT stays", seen, { 1, 251, 750, 250, "accepted" })
hs.expect_equal("and SACK names it", { gap.sack_left, gap.sack_right }, { 301, 401 })
hs.expect_equal("right of the window: dropped, ACK 251 again",
  segment("Right of the window", 1101, 1200), { 1, 251, 750, 250, "TCP_INVALID_SEQUENCE" })
hs.expect_equal("across the right edge, with data unread: Linux drops it, ACK 251 again (RFC 9293 would keep 951-1000)",
  segment("Across the right edge", 951, 1100), { 1, 251, 750, 250, "TCP_INVALID_END_SEQUENCE" })
hs.expect_equal("the gap is filled: both count", segment("In the gap", 251, 300), { 1, 401, 600, 400, "accepted" })
peer:read()
hs.expect_equal("across the right edge, nothing unread: Linux takes it whole, since its buffer has room (RFC 9293 would keep 401-1000, the window announced)",
  segment("Everything is read. Across the right edge again", 401, 1500), { 1, 1501, 0, 1100, "accepted" })

hs.translate("zh", {
  ["first data 1-100: accepted, ACK 101, window 900: up to 1000"] = "第一批数据 1-100：接受，ACK 101，窗口 900：到 1000 为止",
  ["left of the window: a duplicate, dropped, ACK 101 again"] = "窗口左边：重复的，丢弃，再次 ACK 101",
  ["its ACK says which bytes came twice (D-SACK, RFC 2883)"] = "它的 ACK 说明哪些字节来了两次（D-SACK，RFC 2883）",
  ["across the left edge: the old half is trimmed, the new half counts"] = "跨过左边界：旧的一半被裁掉，新的一半有效",
  ["inside: accepted"] = "窗口之内：接受",
  ["inside with a gap: kept, but cannot be read yet; RCV.NXT stays"] = "窗口之内有空缺：保留，但还不能读取；RCV.NXT 不动",
  ["and SACK names it"] = "SACK 说出了它",
  ["right of the window: dropped, ACK 251 again"] = "窗口右边：丢弃，再次 ACK 251",
  ["across the right edge, with data unread: Linux drops it, ACK 251 again (RFC 9293 would keep 951-1000)"] = "跨过右边界，有未读数据：Linux 丢弃它，再次 ACK 251（RFC 9293 会保留 951-1000）",
  ["the gap is filled: both count"] = "空缺补上：两者都有效",
  ["across the right edge, nothing unread: Linux takes it whole, since its buffer has room (RFC 9293 would keep 401-1000, the window announced)"] = "跨过右边界，没有未读数据：Linux 全部收下，因为缓冲区有地方（RFC 9293 会保留 401-1000，即所通告的窗口）",
})
