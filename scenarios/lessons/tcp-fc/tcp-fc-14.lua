-- TCP-FC-14  Delayed acknowledgment.
-- An ACK need not go at once. It rides on data if the application answers soon; it goes at once when a second full segment has arrived;
-- otherwise it waits a little, by RFC 9293 3.8.6.3 less than 500 ms. Linux waits 40 ms at least, and 200 ms at most (TCP_DELACK_MIN, _MAX).
local hs = require "hopscope"
hs.title "TCP-FC-14 Delayed ACK"

local client, server = hs.host "client", hs.host "server"
hs.link(client, server, { delay = "10ms" })
client:ping("server", { count = 1 })

local port = 5000
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
local function show(what, a) hs.note(string.format("%s: acknowledged by %s after %.0f ms.", what, a.by, a.delay * 1000)) end

-- 1. The application answers 20 ms later: no ACK of its own is needed.
local rides = run(function(conn) conn:write "question" conn:read() end, function(peer, os)
  peer:read()
  os.sleep "20ms"
  peer:write "answer"
  peer:read()
end)
show("A question that is answered after 20 ms", rides[1])
hs.expect_equal("the ACK rides on the answer", { rides[1].by, #rides }, { "data", 1 })
hs.expect_near("when the application writes it", rides[1].delay, "20ms", "1us")

-- 2. No answer: the timer.
local waits = run(function(conn) conn:write "question" end, read_all)
show("A question that is not answered", waits[1])
hs.expect_equal("no answer: a pure ACK", waits[1].by, "pure ACK")
hs.expect_near("after Linux's 40 ms", waits[1].delay, "40ms", "1ms")

-- 3. Two full segments.
local second = run(function(conn, os)
  conn:write(hs.payload(1448))
  os.sleep "5ms"
  conn:write(hs.payload(1448))
end, read_all)
show("A full segment, and another 5 ms later: the first is", second[1])
show("the second", second[2])
hs.expect_near("two full segments: the second is acknowledged at once", second[2].delay, 0, "1us")
hs.expect_near("and the first with it, 5 ms after it came", second[1].delay, "5ms", "1us")
hs.expect_equal("by one pure ACK", { second[1].by, second[2].by }, { "pure ACK", "pure ACK" })

-- 4. How long at most? The delay adapts to the rhythm of arrivals: half a round trip to 200 ms. A peer that is far away, and slow:
local delays, longest, shortest = {}, 0, 1
local slow = run(function(conn, os)
  for _ = 1, 40 do
    conn:write "x"
    os.sleep "150ms"
  end
end, function(peer, os)
  while peer:recv(1) do peer:setopt("TCP_QUICKACK", 0) end
end)
for i, a in ipairs(slow) do
  if i > 1 then longest, shortest = math.max(longest, a.delay), math.min(shortest, a.delay) end
end
hs.note(string.format("A byte every 150 ms: the ACKs are delayed by %.0f to %.0f ms.", shortest * 1000, longest * 1000))
hs.expect_between("never less than 40 ms", shortest, 0.039, 0.2)
hs.expect_between("never more than Linux's 200 ms, and so less than the RFC's 500 ms", longest, 0.04, 0.2)
