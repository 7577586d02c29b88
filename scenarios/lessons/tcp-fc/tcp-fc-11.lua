-- TCP-FC-11  Receiver-side cure of silly windows.
-- The receiver does not announce small pieces of free buffer: its right edge moves by at least min(MSS, half the buffer) or not at all
-- (Clark; RFC 9293 3.8.6.2.2). What was announced before stays: the window shrinks to 0 only as data fill it. Linux in its own words:
-- 0 while less than a segment, or 1/16 of the buffer, is free (__tcp_select_window).
-- tshark-allow: TCP window specified by the receiver is now completely full (a full window is what is shown)
-- tshark-allow: D-SACK Sequence (a window probe repeats a number, and is answered with D-SACK)
-- tshark-allow: TCP Zero Window segment (a closed window is what is shown)
local hs = require "hopscope"
hs.title { en = "TCP-FC-11 Receiver-side cure", zh = "TCP-FC-11 接收方的补救" }

local options = { sysctl = { ["net.ipv4.tcp_timestamps"] = 0, ["net.ipv4.tcp_window_scaling"] = 0 } }
local client, server = hs.host("client", options), hs.host("server", options)
local mss = 1460
hs.link(client, server, { delay = "1ms" })

local port = 7100
-- A reader that takes 2 bytes a millisecond. Returns the windows that were announced and the steps of the right edge, once the buffer was full
-- for the first time; and how much of the buffer was free when it was announced as 0.
local function run(rcvbuf)
  port = port + 1
  local here, r = port, { windows = {}, steps = {}, zeros = 0, free_at_zero = 0 }
  local peer, edge, full
  local watch = hs.on("frame.tx", function(e)
    local tcp = e.packet.tcp
    if not tcp or tcp.sport ~= here then return end
    if tcp.syn then r.buffer = tcp.window end
    if tcp.window == 0 then
      full = full or peer:info().recv_q
      r.zeros = r.zeros + 1
      r.free_at_zero = math.max(r.free_at_zero, full - peer:info().recv_q)
    end
    if full then
      r.windows[#r.windows + 1] = tcp.window
      local step = tcp.ackno + tcp.window - edge
      if step ~= 0 then r.steps[#r.steps + 1] = step end
    end
    edge = tcp.ackno + tcp.window
  end, { node = server })
  server:spawn(function(os)
    peer = os.tcp({ rcvbuf = rcvbuf }):bind(here):listen(1):accept()
    os.sleep "100ms"
    while peer:read(2) do os.sleep "1ms" end
  end)
  client:spawn(function(os)
    os.sleep "1ms"
    local conn = os.tcp():connect(server, here)
    conn:write(hs.payload(100000))
    conn:close()
  end)
  hs.run "10s"
  watch:cancel()
  r.smallest = math.huge
  for _, w in ipairs(r.windows) do
    if w > 0 then r.smallest = math.min(r.smallest, w) end
  end
  r.smallest_step = math.min(table.unpack(r.steps))
  return r
end
local large, small = run(16384), run(2304)
local function show(r, least)
  hs.note({
    en = "A buffer for %d bytes, MSS %d: min(MSS, buffer/2) is %d. The right edge moved %d times, by %d bytes or more; the smallest window but 0 was %d; 0 was announced %d times, with up to %d bytes read since the buffer was full.",
    zh = "缓冲区 %d 字节，MSS %d：min(MSS, buffer/2) 是 %d。右边界移动了 %d 次，每次至少 %d 字节；除 0 以外最小的窗口是 %d；0 通告了 %d 次，那时从缓冲区满以来最多已读取 %d 字节。",
  }, r.buffer, mss, least, #r.steps, r.smallest_step, r.smallest, r.zeros, r.free_at_zero)
end
local function check(name, r, least)
  hs.expect_equal(name .. ": min(MSS, buffer/2)", math.min(mss, r.buffer // 2), least)
  show(r, least)
  hs.expect(name .. ": the windows seen are 0 or at least that", r.smallest >= least, r.smallest)
  hs.expect(name .. ": the right edge never moves by less, and never back", r.smallest_step >= least, r.smallest_step)
  hs.expect(name .. ": it did move", #r.steps > 10, #r.steps)
  -- A probe comes 0.2 s after the window has closed, when 400 bytes are free already.
  hs.expect(name .. ": 0 is announced though hundreds of bytes were read", r.free_at_zero >= 300, r.free_at_zero)
end
hs.note { en = "The server reads 2 bytes a millisecond, from a full buffer.", zh = "服务器每毫秒从满的缓冲区读取 2 字节。" }
check("large buffer, the MSS counts", large, 1460)
check("small buffer, half of it counts", small, 730)

hs.translate("zh", {
  ["large buffer, the MSS counts: min(MSS, buffer/2)"] = "大缓冲区，由 MSS 决定：min(MSS, buffer/2)",
  ["large buffer, the MSS counts: the windows seen are 0 or at least that"] = "大缓冲区，由 MSS 决定：见到的窗口是 0，或至少这么大",
  ["large buffer, the MSS counts: the right edge never moves by less, and never back"] = "大缓冲区，由 MSS 决定：右边界从不少移，也从不后退",
  ["large buffer, the MSS counts: it did move"] = "大缓冲区，由 MSS 决定：它确实移动过",
  ["large buffer, the MSS counts: 0 is announced though hundreds of bytes were read"] = "大缓冲区，由 MSS 决定：尽管已读取几百字节，仍通告 0",
  ["small buffer, half of it counts: min(MSS, buffer/2)"] = "小缓冲区，由它的一半决定：min(MSS, buffer/2)",
  ["small buffer, half of it counts: the windows seen are 0 or at least that"] = "小缓冲区，由它的一半决定：见到的窗口是 0，或至少这么大",
  ["small buffer, half of it counts: the right edge never moves by less, and never back"] = "小缓冲区，由它的一半决定：右边界从不少移，也从不后退",
  ["small buffer, half of it counts: it did move"] = "小缓冲区，由它的一半决定：它确实移动过",
  ["small buffer, half of it counts: 0 is announced though hundreds of bytes were read"] = "小缓冲区，由它的一半决定：尽管已读取几百字节，仍通告 0",
})
