-- TCP-FC-14  Delayed acknowledgment.
-- An ACK need not go at once. It rides on data if the application answers soon; it goes at once when a second full segment has arrived;
-- otherwise it waits a little, by RFC 9293 3.8.6.3 less than 500 ms. Linux waits 40 ms at least, and 200 ms at most (TCP_DELACK_MIN, _MAX).
-- tshark-allow: Connection reset (RST) (a socket that is closed in the middle of a transfer resets it)
local hs = require "hopscope"
hs.title { en = "TCP-FC-14 Delayed ACK", zh = "TCP-FC-14 推迟确认" }

local client, server = hs.host "client", hs.host "server"
local link = hs.link(client, server, { delay = "10ms" })
client:ping("server", { count = 1 })

local port = 7100
-- Connects; the server answers requests by serve(peer, os); the client runs work(conn, os). Returns for each segment with data that reached
-- the server: its time, and when and by what it was acknowledged.
local function run(work, serve)
  port = port + 1
  local here, arrived, watches = port, {}, {}
  watches[1] = hs.on("frame.rx", function(e)
    local tcp = e.packet.tcp
    if tcp and tcp.dport == here and tcp.len > 0 then
      arrived[#arrived + 1] = { time = e.time, last = tcp.seq + tcp.len, len = tcp.len }
    end
  end, { node = server })
  watches[2] = hs.on("frame.tx", function(e)
    local tcp = e.packet.tcp
    if not tcp or tcp.sport ~= here then return end
    for _, a in ipairs(arrived) do
      if not a.delay and (tcp.ackno - a.last) & 0xffffffff < 0x80000000 then
        a.delay, a.by = e.time - a.time, tcp.len > 0 and "data" or "pure ACK"
      end
    end
  end, { node = server })
  server:spawn(function(os)
    local peer = os.tcp():bind(here):listen(1):accept()
    -- Linux begins with some quick ACKs, since a sender in slow start needs them. Here it does not.
    peer:setopt("TCP_QUICKACK", 0)
    serve(peer, os)
  end)
  client:spawn(function(os)
    os.sleep "1ms"
    local conn = os.tcp({ nodelay = true }):connect("server", here)
    os.sleep "50ms"
    work(conn, os)
    os.sleep "1s"
  end)
  hs.run "20s"
  for _, w in ipairs(watches) do w:cancel() end
  return arrived
end
local function read_all(peer)
  for _ in function() return peer:read() end do end
end
local function show(en, zh, a)
  local by = { en = a.by, zh = a.by == "data" and "数据" or "纯 ACK" }
  hs.note({ en = "%s: acknowledged by %s after %.0f ms.", zh = "%s：由%s确认，在 %.0f ms 之后。" }, { en = en, zh = zh }, by, a.delay * 1000)
end

-- 1. The application answers 20 ms later: no ACK of its own is needed.
local rides = run(function(conn) conn:write "question" conn:read() end, function(peer, os)
  peer:read()
  os.sleep "20ms"
  peer:write "answer"
  peer:read()
end)
show("A question that is answered after 20 ms", "20 ms 之后得到应答的询问", rides[1])
hs.expect_equal("the ACK rides on the answer", { rides[1].by, #rides }, { "data", 1 })
hs.expect_near("when the application writes it", rides[1].delay, "20ms", "1us")

-- 2. No answer: the timer.
local waits = run(function(conn) conn:write "question" end, read_all)
show("A question that is not answered", "没有得到应答的询问", waits[1])
hs.expect_equal("no answer: a pure ACK", waits[1].by, "pure ACK")
hs.expect_near("after Linux's 40 ms", waits[1].delay, "40ms", "1ms")

-- 3. Two full segments.
local second = run(function(conn, os)
  conn:write(hs.payload(1448))
  os.sleep "5ms"
  conn:write(hs.payload(1448))
end, read_all)
show("A full segment, and another 5 ms later: the first is", "一个满的报文段，5 ms 之后又一个：第一个", second[1])
show("the second", "第二个", second[2])
hs.expect_near("two full segments: the second is acknowledged at once", second[2].delay, 0, "1us")
hs.expect_near("and the first with it, 5 ms after it came", second[1].delay, "5ms", "1us")
hs.expect_equal("by one pure ACK", { second[1].by, second[2].by }, { "pure ACK", "pure ACK" })

-- 4. How long at most? If an ACK waited in vain, the next waits twice as long, but not longer than a round trip, nor than 200 ms. The way takes
-- 200 ms now; a small segment comes every half second, and nobody reads.
link:set { delay = "200ms" }
local slow = run(function(conn, os)
  for _ = 1, 26 do
    conn:write "x"
    os.sleep "500ms"
  end
end, function(_, os) os.sleep "19s" end)
local delays = {}
for i, a in ipairs(slow) do delays[i] = math.floor(a.delay * 1000 + 0.5) end
hs.note({
  en = "A byte every half second from far away, after some quick ACKs: the ACKs are delayed by %s ms.",
  zh = "从远处每半秒来一个字节，在几个快速 ACK 之后：ACK 推迟了 %s ms。",
}, table.concat(delays, ", ", 17))
-- 200 ms is also the shortest RTO, and Linux stays a tick below it, so that no peer repeats what is only not acknowledged yet (tcp_delack_max).
hs.expect_equal("from 40 ms it doubles, up to just below Linux's 200 ms: less than the RFC's 500 ms", { table.unpack(delays, 17, 22) },
  { 40, 80, 160, 199, 199, 199 })

hs.translate("zh", {
  ["the ACK rides on the answer"] = "ACK 随应答捎带",
  ["when the application writes it"] = "在应用程序写入它时",
  ["no answer: a pure ACK"] = "没有应答：一个纯 ACK",
  ["after Linux's 40 ms"] = "在 Linux 的 40 ms 之后",
  ["two full segments: the second is acknowledged at once"] = "两个满的报文段：第二个立刻得到确认",
  ["and the first with it, 5 ms after it came"] = "第一个也随之得到，在它到来 5 ms 之后",
  ["by one pure ACK"] = "由一个纯 ACK",
  ["from 40 ms it doubles, up to just below Linux's 200 ms: less than the RFC's 500 ms"] = "从 40 ms 开始加倍，直到略低于 Linux 的 200 ms：比 RFC 的 500 ms 短",
})
