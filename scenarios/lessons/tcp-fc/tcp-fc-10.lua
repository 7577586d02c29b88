-- TCP-FC-10  Silly window syndrome.
-- The buffer is full, and a slow reader frees a few bytes at a time. If the receiver announces each few bytes at once, and the sender sends
-- just those, then the connection degenerates: each segment has 40 bytes of header for a few bytes of data (RFC 813, RFC 9293 3.8.6.2).
-- Both cures are switched off here: the window is exact (hopscope.tcp_quirks 0x100), and the sender fills the smallest window (0x400).
-- tshark-allow: TCP window specified by the receiver is now completely full (a full window is what is shown)
-- tshark-allow: D-SACK Sequence (a window probe repeats a number, and is answered with D-SACK)
-- tshark-allow: TCP Zero Window segment (a closed window is what is shown)
local hs = require "hopscope"
hs.title { en = "TCP-FC-10 Silly window syndrome", zh = "TCP-FC-10 糊涂窗口综合征" }

local plain = { ["net.ipv4.tcp_timestamps"] = 0 }  -- 20 bytes of IP header and 20 of TCP header
local buffer, piece, pause = 5840, 4, 0.010

-- The mean payload while the reader reads `piece` bytes at a time.
local function run(client, server)
  hs.link(client, server, { delay = "1ms" })
  local segments = hs.frames { node = client, filter = function(p) return p.tcp and p.tcp.len > 0 and p.from == client.name end }
  local filled
  server:spawn(function(os)
    local listener = os.tcp()
    listener:setopt("TCP_WINDOW_CLAMP", buffer)
    local peer = listener:bind(7100):listen(1):accept()
    os.sleep "1s"  -- until the buffer is full
    filled = #segments
    while peer:read(piece) do os.sleep(pause) end
  end)
  client:spawn(function(os)
    os.sleep "1ms"
    os.tcp({ nodelay = true }):connect(server, 7100):write(hs.payload(100000))
  end)
  hs.run "40s"
  local bytes, largest = 0, 0
  for i = filled + 1, #segments do
    bytes, largest = bytes + segments[i].packet.tcp.len, math.max(largest, segments[i].packet.tcp.len)
  end
  local n = #segments - filled
  return { segments = n, bytes = bytes, mean = bytes / n, overhead = 40 * n / (40 * n + bytes), largest = largest }
end
local silly = run(hs.host("silly-client", { sysctl = { ["net.ipv4.tcp_timestamps"] = 0, ["hopscope.tcp_quirks"] = 0x400 } }),
  hs.host("silly-server", { sysctl = { ["net.ipv4.tcp_timestamps"] = 0, ["hopscope.tcp_quirks"] = 0x100 } }))
local cured = run(hs.host("client", { sysctl = plain }), hs.host("server", { sysctl = plain }))
local function show(what, r)
  hs.note({
    en = "%s: %d segments for %d bytes, %.1f bytes of data in each on average; %.1f %% of what is sent are headers.",
    zh = "%s：%d 个报文段传送 %d 字节，平均每个 %.1f 字节数据；所发送的 %.1f %% 是首部。",
  }, what, r.segments, r.bytes, r.mean, 100 * r.overhead)
end
hs.note({
  en = "The server reads %d bytes every %d ms from a buffer that is always full.",
  zh = "服务器从总是满的缓冲区中每次读取 %d 字节，每 %d ms 一次。",
}, piece, pause * 1000)
show({ en = "Both cures off", zh = "两种补救都关闭" }, silly)
show({ en = "As Linux is", zh = "Linux 的做法" }, cured)

hs.expect_between("both cures off: a few bytes in a segment", silly.mean, 1, 8)
-- 40 / (40 + 4) = 91 %
hs.expect("more than 80 % of what is sent are headers", silly.overhead > 0.80, silly.overhead)
hs.expect("it does not recover by itself: no larger segment in 39 s", silly.largest <= 2 * piece, silly.largest)
hs.expect("with the cures: full segments", cured.mean > 1000, cured.mean)
hs.expect("and few headers", cured.overhead < 0.05, cured.overhead)

hs.translate("zh", {
  ["both cures off: a few bytes in a segment"] = "两种补救都关闭：一个报文段只有几个字节",
  ["more than 80 % of what is sent are headers"] = "所发送的 80 % 以上是首部",
  ["it does not recover by itself: no larger segment in 39 s"] = "它不会自己恢复：39 s 之内没有更大的报文段",
  ["with the cures: full segments"] = "有补救：满的报文段",
  ["and few headers"] = "首部也少",
})
