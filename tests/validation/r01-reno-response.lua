-- R1  Reno's response function (RFC 3649 table 2): with one loss in 1/p packets the window is 1.2/sqrt(p) on average, and
-- sqrt(1.5)/sqrt(p) = 1.22/sqrt(p) for the ideal saw-tooth. With an ACK for every second packet, each growing the window by
-- 1/cwnd, it is 0.87/sqrt(p). One loss every 2/3 * average round trips; the window swings from 2/3 to 4/3 of its average.
--
-- The saw-tooth forgets the round trip in which the loss is repaired: the window does not grow then. It is one of 9 at
-- p = 1e-2, so there the true average lies lower. A real Linux (6.18, as a judge of tests/interop would ask it: a TUN device,
-- 100 ms, every 100th packet lost, eight flows for a minute) sends 10.72 packets a round trip. TCP_INFO's cwnd is 10.81 on average.
local hs = require "hopscope"
local ref = require "reference"

-- An ACK is one step, however much it acknowledges, as in 1990 (no appropriate byte counting).
hs.cc {
  name = "per-ack",
  init = function(v, s) s.w = s.cwnd end,
  on_ack = function(v, sample, s)
    s.w = s.cwnd < s.ssthresh and s.w + 1 or s.w + 1 / s.w
    s.cwnd = math.floor(s.w)
  end,
  ssthresh = function(v, s)
    s.w = math.max(2, s.cwnd / 2)
    return math.floor(s.w)
  end,
}

local function window(o)
  local from = o.warm or 5
  -- the first loss ends slow start near where the saw-tooth is
  local a, b = ref.path { rate = "1Gbps", rtt = o.rtt, every = o.every, first = math.floor(1.2 * math.sqrt(o.every)), losses = from + o.cycles + 2,
    delack = o.delack, mtu = o.mtu, style = o.style }
  b:tcp_sink(5001)
  local source = a:tcp_source { to = b, port = 5001, congestion = o.congestion or "reno" }
  local w, rtts = ref.average_window(a, source, o.rtt, from, from + o.cycles)
  ref.over(a, b)
  return w, rtts
end

local function name(p) return string.format("%.0e", p):gsub("e%-0", "e-") end
for _, c in ipairs { { 1000, 38, 60 }, { 10000, 120, 30 }, { 100000, 379, 6 } } do
  local w, rtts = window { every = c[1], rtt = 0.1, cycles = c[3] }
  ref.row { "R1", "Reno, p = " .. name(1 / c[1]) .. ": average window", says = c[2], within = "5%", got = w, unit = "packets" }
  ref.row { "R1", "Reno, p = " .. name(1 / c[1]) .. ": round trips between losses, less the one of the repair", says = 2 / 3 * c[2], within = "5%", got = rtts - 1 }
end
local w = window { every = 100, rtt = 0.1, cycles = 200 }
ref.row { "R1", "Reno, p = 1e-2: average window, as Linux 6.18 has it (ideal: 12)", says = 10.72, within = "3%", got = w, unit = "packets" }
-- whatever the round-trip time, the size of packets, and who repairs: one loss in a window is one halving
for _, o in ipairs {
  { "RTT 10 ms", rtt = 0.01 }, { "RTT 300 ms", rtt = 0.3 }, { "MTU 576", rtt = 0.1, mtu = 576 }, { "MTU 9000", rtt = 0.02, mtu = 9000 },
  { "NewReno recovery", rtt = 0.1, style = "newreno" }, { "RFC 6675 recovery", rtt = 0.1, style = "sack" }, { "delayed ACKs (packets are counted)", rtt = 0.1, delack = true },
} do
  o.every, o.cycles = 2000, 40
  ref.row { "R1", "Reno, p = 5e-4, " .. o[1] .. ": average window", says = 1.2 / math.sqrt(1 / 2000), within = "5%", got = (window(o)), unit = "packets" }
end
for _, c in ipairs { { 1000, 27.4, 40 }, { 10000, 87, 10 } } do
  local w = window { every = c[1], rtt = 0.1, cycles = c[3], delack = true, congestion = "per-ack" }
  ref.row { "R1", "ACK for every second packet, 1/cwnd for each ACK, p = " .. name(1 / c[1]) .. ": average window", says = c[2], within = "5%", got = w, unit = "packets" }
end
