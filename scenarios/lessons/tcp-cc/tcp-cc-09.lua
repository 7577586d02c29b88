-- TCP-CC-09  Sawtooth.
-- Over a long transfer Reno's window is a saw: it grows by one each round trip until the queue before the bottleneck overflows, is halved,
-- and grows again. On one bottleneck with a fixed buffer everything can be calculated (RFC 5681; Mathis et al. 1997):
--   path P = RTT without queue / time of a frame; the peak is the first window that does not fit into path and buffer: floor(P + B) + 1.
--   From peak/2 on, window w takes w ACKs to become w + 1, so a whole tooth takes the sum of w from peak/2 to peak - 1, and twice the peak:
--   one window until the duplicates tell of the loss, one until the repetition is acknowledged.
-- tshark-allow: Previous segment(s) not captured (what is lost never arrives)
-- tshark-allow: This frame is a (suspected) out-of-order segment (repetitions of what was lost come late)
local hs = require "hopscope"
hs.title { en = "TCP-CC-09 Sawtooth", zh = "TCP-CC-09 锯齿" }

local client, server = hs.host "client", hs.host "server"
local rate, delay, buffer = 2e6, 0.060, 20
hs.link(client, server, { rate = rate, delay = delay / 2, queue = buffer, subnet = "10.0.0.0/24" })
server:route_replace { to = "10.0.0.0/24", dev = "eth0", quickack = 1 }
server:sysctl("net.core.rmem_max", 4000000)
client:dev():tso(false)
hs.series { file = "cwnd.tsv", of = "tcp.cwnd", fields = "cwnd", every = "50ms", client }  -- to plot
client:ping("server", { count = 1 })
server:tcp_sink { port = 7100, rcvbuf = "1MB" }

-- Time of a frame; round trip without queue, with an ACK of 66 bytes (both arrive 12 byte times before their gap ends).
local frame = 1538 * 8 / rate
local rtt = delay + (1538 - 12 + 90 - 12) * 8 / rate
local path = rtt / frame
local peak = math.floor(path + buffer) + 1
local tooth = 2 * peak
for w = peak // 2, peak - 1 do tooth = tooth + w end

-- Peaks, troughs and the times between them.
local drops, peaks, troughs = {}, {}, {}
hs.on("frame.drop", function(e) if e.packet.tcp then drops[#drops + 1] = e.time end end)
local highest, in_recovery = 0, false
hs.on("tcp.cwnd", function(e)
  if e.ca_state == "recovery" then
    if not in_recovery then peaks[#peaks + 1] = { time = e.time, cwnd = highest } end
    in_recovery = true
  else
    if in_recovery then troughs[#troughs + 1], highest = e.cwnd, 0 end
    in_recovery = false
    highest = math.max(highest, e.cwnd)
  end
end, { node = client })
client:tcp_source { to = server, port = 7100, congestion = "reno" }
hs.run "30s"

hs.note({
  en = "The path holds %.1f frames, the buffer %d: the peak must be %d, and a tooth takes %d frame times, %.3f s.",
  zh = "路径可容纳 %.1f 个帧，缓冲区可容纳 %d 个：峰值必定是 %d，一个锯齿历时 %d 个帧时间，即 %.3f s。",
}, path, buffer, peak, tooth, tooth * frame)
local line = { en = "", zh = "" }
for i = 3, #peaks do
  local cwnd, time = peaks[i].cwnd, peaks[i].time - peaks[i - 1].time
  line.en = line.en .. string.format("%s%d after %.3f s", i > 3 and ", " or "", cwnd, time)
  line.zh = line.zh .. string.format("%s%.3f s 之后 %d", i > 3 and "，" or "", time, cwnd)
end
hs.note({ en = "Peaks: %s.", zh = "峰值：%s。" }, line)
hs.expect("there are many teeth", #peaks >= 10, #peaks)
-- The first ends slow start, and the second begins somewhere. From the third on:
local late, worst_peak, worst_period, halved = 0, 0, 0, true
for _, t in ipairs(drops) do late = late + (t > peaks[2].time and 1 or 0) end
for i = 3, #peaks do
  worst_peak = math.max(worst_peak, math.abs(peaks[i].cwnd - peak))
  worst_period = math.max(worst_period, math.abs((peaks[i].time - peaks[i - 1].time) / frame - tooth))
  halved = halved and (not troughs[i] or troughs[i] == peak // 2)
end
hs.expect_equal("one loss for each tooth", late, #peaks - 2)
hs.expect("each peak is the analytic value, within one segment", worst_peak <= 1, worst_peak)
hs.expect("each period is the analytic value, within the time of one segment", worst_period <= 1, worst_period)
hs.expect("each loss halves the window", halved and #troughs >= 10)
hs.expect_equal("Reno decides nothing by timeouts", client:counter "TcpExtTCPTimeouts", 0)

hs.translate("zh", {
  ["there are many teeth"] = "有许多锯齿",
  ["one loss for each tooth"] = "每个锯齿一次丢失",
  ["each peak is the analytic value, within one segment"] = "每个峰值都是解析值，误差一个报文段",
  ["each period is the analytic value, within the time of one segment"] = "每个周期都是解析值，误差一个报文段的时间",
  ["each loss halves the window"] = "每次丢失使窗口减半",
  ["Reno decides nothing by timeouts"] = "Reno 没有靠超时作任何决定",
})
