-- HEX-05  Sliding-window session.
-- The textbook's picture of a sliding window, number by number (RFC 9293 3.8.6): six segments of 1024 bytes fill the receiver's window
-- of 6144, the sender stops, goes on when the reader has made room, and closes. A is our TCP with initial number 0. B is a script: a
-- real receiver would acknowledge on the way, close its window, and send no window updates after the FIN. Segments 12 and 13 carry 1K
-- each: the seed's 2K fits neither its own numbers nor the MSS. PSH is not compared.
-- tshark-allow: TCP window specified by the receiver is now completely full (that is the point)
local hs = require "hopscope"
hs.title { en = "HEX-05 Sliding-window session", zh = "HEX-05 滑动窗口的会话" }

local a = hs.host("a", { sysctl = { ["hopscope.tcp_isn"] = 2, ["hopscope.tcp_isn_fixed"] = 0, ["net.ipv4.tcp_timestamps"] = 0,
  ["net.ipv4.tcp_sack"] = 0, ["net.ipv4.tcp_window_scaling"] = 0,
  ["hopscope.tcp_quirks"] = 0x100 } }) -- windows to the byte: Linux would advertise 2920, a multiple of the MSS, where the book has 4096
local b = hs.host "b"
hs.link(a, b, { address = { a = "10.0.0.1/24", b = "10.0.0.2/24" }, delay = "10ms" })
local SCRIPT = "10.0.0.77" -- B's address: its host does not know it, so only the script answers
a:arp_set(SCRIPT, b:dev().mac)

local seen = hs.frames { filter = function(p) return p.tcp end }

local function say(flags, seq, ack, window, options)
  b:forge { to = "10.0.0.1", src = SCRIPT, sport = 5678, dport = 40000, flags = flags, seq = seq, ack = ack, window = window, options = options }
end
hs.note {
  en = "A connects to B, which has a buffer of 6144 bytes and an MSS of 1024, and writes 8192 bytes.",
  zh = "A 连接到 B，B 的缓冲区有 6144 字节，MSS 为 1024；A 写入 8192 字节。",
}
a:spawn(function(os)
  local sock = os.tcp()
  sock:setopt("TCP_WINDOW_CLAMP", 4096)
  sock:bind(40000)
  sock:connect(SCRIPT, 5678)
  os.sleep "1ms"
  sock:write(hs.payload(8192))
  sock:close()
end)
hs.at("50ms", function() say("SA", 8000, 1, 6144, "\2\4\4\0") end) -- MSS 1024 = 0x0400
hs.at("200ms", function()
  hs.note {
    en = "Six segments have filled B's window: A has stopped, 2048 bytes wait. B's reader takes 2K, and 2K more: two window updates.",
    zh = "六个报文段填满了 B 的窗口：A 停了下来，还有 2048 字节在等待。B 的读者取走 2K，再取走 2K：两次窗口更新。",
  }
  hs.expect_equal("A has sent nine segments: its SYN, an ACK and six of data, beside B's one", #seen, 9)
  say("A", 8001, 6145, 2048)
end)
hs.at("201ms", function() say("A", 8001, 6145, 4096) end)
hs.at("300ms", function()
  hs.note {
    en = "A's last two segments have come, the second with FIN. B acknowledges all, and tells how its buffer empties.",
    zh = "A 的最后两个报文段已经到来，第二个带 FIN。B 确认全部数据，并说明自己的缓冲区怎样变空。",
  }
  say("A", 8001, 8194, 2048)
end)
hs.at("310ms", function() say("A", 8001, 8194, 4096) end)
hs.at("320ms", function() say("A", 8001, 8194, 6144) end)
hs.at("330ms", function() say("FA", 8001, 8194, 6144) end)
hs.run "1s"

local rows, want = {}, {
  { "A>B", "SYN", 0, 0, 0, 4096 }, { "B>A", "SYN ACK", 8000, 0, 1, 6144 }, { "A>B", "ACK", 1, 0, 8001, 4096 },
  { "A>B", "ACK", 1, 1024, 8001, 4096 }, { "A>B", "ACK", 1025, 1024, 8001, 4096 }, { "A>B", "ACK", 2049, 1024, 8001, 4096 },
  { "A>B", "ACK", 3073, 1024, 8001, 4096 }, { "A>B", "ACK", 4097, 1024, 8001, 4096 }, { "A>B", "ACK", 5121, 1024, 8001, 4096 },
  { "B>A", "ACK", 8001, 0, 6145, 2048 }, { "B>A", "ACK", 8001, 0, 6145, 4096 },
  { "A>B", "ACK", 6145, 1024, 8001, 4096 }, { "A>B", "FIN ACK", 7169, 1024, 8001, 4096 },
  { "B>A", "ACK", 8001, 0, 8194, 2048 }, { "B>A", "ACK", 8001, 0, 8194, 4096 }, { "B>A", "ACK", 8001, 0, 8194, 6144 },
  { "B>A", "FIN ACK", 8001, 0, 8194, 6144 }, { "A>B", "ACK", 8194, 0, 8002, 4096 },
}
for i, frame in ipairs(seen) do
  local t = frame.packet.tcp
  local flags = (t.syn and "SYN " or "") .. (t.fin and "FIN " or "") .. (t.ack and "ACK" or "")
  rows[i] = { frame.from == "a" and "A>B" or "B>A", (flags:gsub(" $", "")), t.seq, t.len, t.ack and t.ackno or 0, t.window }
  print(string.format("    %2d  %s  %-7s  seq %4d (%4d)  ack %4d  win %d", i, table.unpack(rows[i])))
end
hs.expect_equal("eighteen segments", #rows, 18)
hs.expect_equal("the MSS options", { seen[1].packet.tcp.mss, seen[2].packet.tcp.mss }, { 1460, 1024 })
for i, expected in ipairs(want) do hs.expect_equal("segment " .. i .. ": " .. expected[1] .. " " .. expected[2], rows[i], expected) end

hs.translate("zh", {
  ["A has sent nine segments: its SYN, an ACK and six of data, beside B's one"] = "A 发送了九个报文段：SYN、一个 ACK 和六个数据，外加 B 的一个",
  ["eighteen segments"] = "十八个报文段",
  ["the MSS options"] = "MSS 选项",
  ["segment 1: A>B SYN"] = "报文段 1：A>B SYN",
  ["segment 2: B>A SYN ACK"] = "报文段 2：B>A SYN ACK",
  ["segment {}: A>B ACK"] = "报文段 {}：A>B ACK",
  ["segment {}: B>A ACK"] = "报文段 {}：B>A ACK",
  ["segment 13: A>B FIN ACK"] = "报文段 13：A>B FIN ACK",
  ["segment 17: B>A FIN ACK"] = "报文段 17：B>A FIN ACK",
})
