-- TCP-FC-12  Sender-side cure of small segments (Nagle).
-- Small data wait until a full segment is together or everything sent is acknowledged (RFC 896, RFC 9293 3.7.4): never more than one small
-- segment per round trip. TCP_NODELAY turns it off. Linux waits for an unacknowledged *small* segment only (Minshall's variant).
-- Where it hurts: write, write, read. The second small write waits for the ACK of the first, and the peer delays that ACK.
local hs = require "hopscope"
hs.title { en = "TCP-FC-12 Sender-side cure (Nagle)", zh = "TCP-FC-12 发送方的补救（Nagle）" }

local client, server = hs.host "client", hs.host "server"
hs.link(client, server, { delay = "50ms", subnet = "10.0.0.0/24" })
client:ping("server", { count = 1 })

local port = 7100
-- Lengths and times of the segments that carry data, while work(conn, os) runs at the client and serve(peer) at the server.
local function run(nodelay, quickack, work, serve)
  port = port + 1
  local here, lengths, times = port, {}, {}
  server:route_replace { to = "10.0.0.0/24", dev = "eth0", quickack = quickack }
  local watch = hs.on("frame.tx", function(e)
    local tcp = e.packet.tcp
    if tcp and tcp.dport == here and tcp.len > 0 then
      lengths[#lengths + 1], times[#times + 1] = tcp.len, e.time
    end
  end, { node = client })
  server:spawn(function(os)
    serve(os.tcp():bind(here):listen(1):accept())
  end)
  client:spawn(function(os)
    os.sleep "1ms"
    local conn = os.tcp({ nodelay = nodelay }):connect("server", here)
    work(conn, os)
    os.sleep "1s"
  end)
  hs.run "5s"
  watch:cancel()
  return lengths, times
end
local function read_all(peer)
  for _ in function() return peer:read() end do end
end

-- 1-byte writes each 10 ms for a second; the round trip is 100 ms, and nothing is delayed.
local function type_on(conn, os)
  for _ = 1, 101 do
    conn:write "x"
    os.sleep "10ms"
  end
end
hs.note { en = "A byte is written every 10 ms, the round trip takes 100 ms.", zh = "每 10 ms 写入一个字节，往返时间是 100 ms。" }
local nagle, off = run(false, 1, type_on, read_all), run(true, 1, type_on, read_all)
hs.note({ en = "Bytes in each segment: %s", zh = "每个报文段的字节数：%s" }, table.concat(nagle, ", "))
hs.note({ en = "With TCP_NODELAY: %d segments of one byte.", zh = "使用 TCP_NODELAY：%d 个一字节的报文段。" }, #off)
hs.expect_equal("the first byte goes at once, alone", nagle[1], 1)
-- Written at 0, 10, 20, … ms; the first ACK comes at 100 ms, when 10 more bytes have been written (or 9, if it comes just before the tenth).
hs.expect_between("then about 10 bytes per segment: never less", math.min(table.unpack(nagle, 2, #nagle - 1)), 9, 11)
hs.expect_between("and never more", math.max(table.unpack(nagle, 2)), 9, 11)
hs.expect_between("one segment per round trip", #nagle, 10, 12)
local ones = 0
for _, n in ipairs(off) do ones = ones + (n == 1 and 1 or 0) end
hs.expect_equal("off: 101 segments of one byte each", { #off, ones }, { 101, 101 })

-- A full segment and a bit, in one write.
local minshall, when = run(false, 1, function(conn) conn:write(hs.payload(1448 + 100)) end, read_all)
hs.note {
  en = "A write of 1448 + 100 bytes: only a full segment is on the way, so Linux sends the rest too. Nagle's original would wait.",
  zh = "写入 1448 + 100 字节：途中只有一个满的报文段，所以 Linux 把剩余的也发出。Nagle 原来的算法会等待。",
}
hs.expect_equal("Minshall: a full segment does not hold a small one back", minshall, { 1448, 100 })
hs.expect_equal("both go at once", when[2], when[1])

-- Write, write, read: a request in two pieces, answered when both have come.
local answered
local function ask(conn, os)
  conn:write "GET "
  conn:read()  -- one exchange, so that the server takes turns
  os.sleep "1s"
  local asked = os.now()
  conn:write "header"
  conn:write "body"
  conn:read()
  answered = os.now() - asked
end
local function serve(peer)
  peer:read()
  peer:write "ok"
  local got = ""
  while #got < #"headerbody" do got = got .. peer:read() end
  peer:write "done"
  peer:read()
end
run(false, 0, ask, serve)
local stalled = answered
run(true, 0, ask, serve)
local prompt = answered
hs.note({
  en = "Request in two writes: %.0f ms with Nagle and delayed ACKs, %.0f ms with TCP_NODELAY.",
  zh = "分两次写入的请求：有 Nagle 和推迟确认时 %.0f ms，有 TCP_NODELAY 时 %.0f ms。",
}, stalled * 1000, prompt * 1000)
hs.expect_near("TCP_NODELAY: one round trip", prompt, "100ms", "1us")
-- 50 ms there, 40 ms until the delayed ACK, 50 ms back, then the body: a whole round trip.
hs.expect_near("Nagle and delayed ACK: two round trips and 40 ms", stalled, "240ms", "1ms")

hs.translate("zh", {
  ["the first byte goes at once, alone"] = "第一个字节立刻单独发出",
  ["then about 10 bytes per segment: never less"] = "然后每个报文段约 10 字节：从不更少",
  ["and never more"] = "也从不更多",
  ["one segment per round trip"] = "每个往返一个报文段",
  ["off: 101 segments of one byte each"] = "关闭：101 个报文段，各一个字节",
  ["Minshall: a full segment does not hold a small one back"] = "Minshall：满的报文段不会拦住小的",
  ["both go at once"] = "两者立刻发出",
  ["TCP_NODELAY: one round trip"] = "TCP_NODELAY：一个往返",
  ["Nagle and delayed ACK: two round trips and 40 ms"] = "Nagle 和推迟确认：两个往返加 40 ms",
})
