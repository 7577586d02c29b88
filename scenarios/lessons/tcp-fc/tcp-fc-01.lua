-- TCP-FC-01  Window versus one-at-a-time.
-- A sender that waits for the acknowledgment of each segment moves one segment per round trip, however fast the link is. With a window
-- of n segments on the way it moves n in the same time, until the link is full: rate = min(window / RTT, link) (RFC 9293 3.8.6).
-- Here the sender's window has a fixed size (no congestion control: hopscope.tcp_quirks 0x1000), the link carries 10 Mbit/s, and the round trip takes 101.3 ms.
-- tshark-allow: Connection reset (RST) (a socket that is closed in the middle of a transfer resets it)
-- tshark-allow: TCP window specified by the receiver is now completely full (a full window is what is shown)
local hs = require "hopscope"
hs.title { en = "TCP-FC-01 Window versus one-at-a-time", zh = "TCP-FC-01 窗口与一次一个" }

local client, server = hs.host("client", { sysctl = { ["hopscope.tcp_quirks"] = 0x1000 } }), hs.host "server"
hs.link(client, server, { rate = "10Mbps", delay = "50ms", subnet = "10.0.0.0/24" })
client:dev():tso(false)  -- segment by segment
server:route_replace { to = "10.0.0.0/24", dev = "eth0", quickack = 1 }  -- each segment is acknowledged at once
client:ping("server", { count = 1 })

-- A full frame has 1514 bytes and 24 of preamble, FCS and gap (12 of them after it); an acknowledgment with timestamps 66 and 24.
local payload, frame = 1448, 1538 * 8 / 10e6
local rtt = 0.1 + (1538 - 12) * 8 / 10e6 + (66 + 24 - 12) * 8 / 10e6
local measure, port = 10, 7100

-- Bytes that arrive in ten seconds, once the connection runs evenly.
local function transfer(window)
  port = port + 1
  client:route_replace { to = "10.0.0.0/24", dev = "eth0", initcwnd = window }
  local sink = server:tcp_sink(port)
  local source = client:tcp_source { to = server, port = port, congestion = "reno" }
  hs.run "2s"
  local before = sink:stats().bytes
  hs.run(measure)
  local bytes = sink:stats().bytes - before
  source:stop()
  sink:stop()
  hs.run "10s"
  return bytes
end

hs.note({
  en = "One segment of %d bytes, then wait: with a round trip of %.1f ms that makes %.0f kbit/s, on a link of 10 Mbit/s.",
  zh = "一个 %d 字节的报文段，然后等待：往返时间 %.1f ms，这就是 %.0f kbit/s，而链路是 10 Mbit/s。",
}, payload, rtt * 1000, payload * 8 / rtt / 1000)
local bytes = {}
for _, window in ipairs { 1, 2, 8, 32, 64, 128, 256 } do
  bytes[window] = transfer(window)
  hs.note({ en = "window of %3d segments: %7.1f kbit/s", zh = "%3d 个报文段的窗口：%7.1f kbit/s" }, window, bytes[window] * 8 / measure / 1000)
  local expected = math.min(window * payload / rtt, payload / frame) * measure
  hs.expect_near(string.format("window of %d segments: the rate is %s, within one window", window,
    window * payload / rtt < payload / frame and "window / RTT" or "the link's"), bytes[window], expected, window * payload)
end
hs.note({
  en = "The link is full when %.0f segments are on the way: a round trip holds that many frame times.",
  zh = "途中有 %.0f 个报文段时链路就满了：一个往返恰好容纳这么多个帧时间。",
}, rtt / frame)
hs.expect_between("one-at-a-time: one segment per round trip, 98 or 99 in ten seconds", bytes[1] / payload, measure // rtt, measure // rtt + 1)
hs.expect_near("twice the window, twice the rate, while the link is not full", bytes[64] / bytes[32], 2, 0.02)
hs.expect_near("twice the window changes nothing when it is", bytes[256] / bytes[128], 1, 0.01)

hs.translate("zh", {
  ["window of {} segments: the rate is window / RTT, within one window"] = "窗口为 {} 个报文段：速率是窗口 / RTT，误差一个窗口",
  ["window of {} segments: the rate is the link's, within one window"] = "窗口为 {} 个报文段：速率是链路的速率，误差一个窗口",
  ["one-at-a-time: one segment per round trip, 98 or 99 in ten seconds"] = "一次一个：每个往返一个报文段，十秒之内 98 或 99 个",
  ["twice the window, twice the rate, while the link is not full"] = "链路未满时，窗口加倍，速率加倍",
  ["twice the window changes nothing when it is"] = "链路已满时，窗口加倍毫无影响",
})
