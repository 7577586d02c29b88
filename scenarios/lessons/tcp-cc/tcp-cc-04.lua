-- TCP-CC-04  Threshold.
-- ssthresh says where slow start ends: below it the window doubles each round trip, from it on it grows by one segment (RFC 5681 3.1). Linux
-- takes a first value from the route (option ssthresh, locked), for destinations it has met before, if net.ipv4.tcp_no_ssthresh_metrics_save is 0. CUBIC may leave slow start earlier: HyStart
-- notices that the round trip grows, before anything is lost.
local hs = require "hopscope"
hs.title { en = "TCP-CC-04 Threshold", zh = "TCP-CC-04 慢启动门限" }

local client, server = hs.host("client", { sysctl = { ["net.ipv4.tcp_no_ssthresh_metrics_save"] = 0 } }), hs.host "server"
local rtt, subnet = 0.1, "10.0.0.0/24"
hs.link(client, server, { delay = rtt / 2, subnet = subnet })
server:route_replace { to = subnet, dev = "eth0", quickack = 1 }
client:dev():tso(false)
server:tcp_sink(7100)
-- A first connection, so that the destination is known.
client:tcp_source { to = server, port = 7100, bytes = 3000 }
hs.run "2s"

-- Segments in each round trip, and cwnd at its end.
local function rounds(n, options)
  options.to, options.dev = subnet, "eth0"
  client:route_replace(options)
  local counts, windows, first = {}, {}, nil
  local watches = {
    hs.on("frame.tx", function(e)
      local tcp = e.packet.tcp
      if not tcp or tcp.len == 0 then return end
      first = first or e.time
      local round = math.floor((e.time - first) / rtt + 1e-6) + 1
      counts[round] = (counts[round] or 0) + 1
    end, { node = client }),
    hs.on("tcp.cwnd", function(e)
      if first then windows[math.floor((e.time - first) / rtt + 1e-6) + 1] = e.cwnd end
    end, { node = client }),
  }
  local source = client:tcp_source { to = server, port = 7100, congestion = "reno" }
  hs.run(rtt * n + rtt / 2)
  local ssthresh = source:info().snd_ssthresh
  source:stop()
  for _, w in ipairs(watches) do w:cancel() end
  hs.run "20s"
  return counts, windows, ssthresh
end
local counts, windows, ssthresh = rounds(7, { initcwnd = 1, ssthresh = 8, lock = "ssthresh" })
hs.note({
  en = "initial window 1, ssthresh 8: segments in each round %s",
  zh = "初始窗口 1，ssthresh 8：每轮的报文段数 %s",
}, table.concat(counts, ", "))
hs.expect_equal("ssthresh is 8", ssthresh, 8)
hs.expect_equal("doubled below 8, plus one from there on", counts, { 1, 2, 4, 8, 9, 10, 11 })
hs.expect_equal("cwnd reaches 8 in the fourth round: there it switches", { windows[3], windows[4], windows[5] }, { 4, 8, 9 })
-- Not a power of two: 4 ACKs would make 8 of 4, but the window stops at ssthresh, and what is left counts for congestion avoidance.
counts = rounds(7, { initcwnd = 1, ssthresh = 6, lock = "ssthresh" })
hs.note({ en = "ssthresh 6: %s", zh = "ssthresh 6：%s" }, table.concat(counts, ", "))
hs.expect_equal("it never overshoots the threshold: 1, 2, 4, 6, then plus one", counts, { 1, 2, 4, 6, 7, 8, 9 })

-- HyStart, on a real link: 10 Mbit/s, a large queue.
local here, there = hs.host "cubic-client", hs.host "cubic-server"
local link = hs.link(here, there, { rate = "10Mbps", delay = rtt / 2, queue = 1000 })
here:ping(there, { count = 1 })
there:tcp_sink(7100)
local source = here:tcp_source { to = there, port = 7100, congestion = "cubic" }
local left
hs.on("tcp.cwnd", function(e)
  if not left and e.ssthresh < 1000000 then left = { cwnd = e.cwnd, lost = link:dir(here):stats().queue_drops } end
end, { node = here })
hs.run "3s"
hs.note({
  en = "CUBIC leaves slow start at a window of %d; the path holds %.0f packets, the queue 1000. Nothing was lost.",
  zh = "CUBIC 在窗口为 %d 时离开慢启动；路径可容纳 %.0f 个分组，队列可容纳 1000 个。没有任何丢失。",
}, left.cwnd, 10e6 * rtt / (1538 * 8))
hs.expect("CUBIC left slow start long before the queue was full", left.cwnd < 500, left.cwnd)
hs.expect_equal("because HyStart saw it, not for a loss", { left.lost, here:counter "TcpExtTCPHystartDelayDetect" + here:counter "TcpExtTCPHystartTrainDetect" }, { 0, 1 })

hs.translate("zh", {
  ["ssthresh is 8"] = "ssthresh 是 8",
  ["doubled below 8, plus one from there on"] = "8 以下加倍，从那里起加一",
  ["cwnd reaches 8 in the fourth round: there it switches"] = "cwnd 在第四轮达到 8：在那里切换",
  ["it never overshoots the threshold: 1, 2, 4, 6, then plus one"] = "它从不越过门限：1、2、4、6，然后加一",
  ["CUBIC left slow start long before the queue was full"] = "CUBIC 远在队列满之前就离开了慢启动",
  ["because HyStart saw it, not for a loss"] = "因为 HyStart 看了出来，而不是因为丢失",
})
