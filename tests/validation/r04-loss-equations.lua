-- R4  Throughput and independent random loss. Mathis: rate = MSS/RTT * C/sqrt(p), C = 1.22 (b = 1). Padhye: rate = MSS / (RTT sqrt(2bp/3)
-- + T0 min(1, 3 sqrt(3bp/8)) p (1 + 32 p^2)), b = packets for each ACK. RTT 100 ms, T0 = 1 s, MSS 1460: no timestamps. A NewReno sender,
-- no tail loss probe, no F-RTO. Within 25 %, which is as good as the models are.
local hs = require "hopscope"
local ref = require "reference"

hs.cc {
  name = "per-ack", -- b = 2: an ACK of two packets is one step
  init = function(v, s) s.w = s.cwnd end,
  on_ack = function(v, sample, s)
    if s.cwnd == 1 or s.w < s.cwnd - 1 or s.w > s.cwnd + 1 then s.w = s.cwnd end -- after a timeout
    s.w = s.cwnd < s.ssthresh and s.w + 1 or s.w + 1 / s.w
    s.cwnd = math.max(1, math.floor(s.w))
  end,
  ssthresh = function(v, s)
    s.w = math.max(2, s.cwnd / 2)
    return math.floor(s.w)
  end,
}

local function padhye(p, b)
  return 1460 * 8 / (0.1 * math.sqrt(2 * b * p / 3) + math.min(1, 3 * math.sqrt(3 * b * p / 8)) * p * (1 + 32 * p * p)) / 1e6
end

local NO_LIMITED_TRANSMIT = 0x2000 -- of hopscope.tcp_quirks

local function rate(p, b, style, time, quirks)
  local a, c = ref.path { rtt = 0.1, rate = "1Gbps", loss = p, style = style, delack = b == 2,
    sender = { ["net.ipv4.tcp_timestamps"] = 0, ["net.ipv4.tcp_frto"] = 0, ["net.ipv4.tcp_early_retrans"] = 0,
      ["hopscope.tcp_quirks"] = quirks or 0 } }
  ref.route(a, { rto_min = "900ms" })
  local sink = c:tcp_sink(5001)
  local source = a:tcp_source { to = c, port = 5001, congestion = b == 2 and "per-ack" or "reno" }
  hs.run(30)
  local segs = source:info().data_segs_out
  hs.run(time)
  segs = source:info().data_segs_out - segs
  ref.over(a, c)
  return segs * 1460 * 8 / time / 1e6
end

for _, c in ipairs { { 1e-3, 4.42, 3.13, 1500 }, { 1e-2, 1.17, 0.83, 1500 } } do
  local p = c[1]
  -- the reference's numbers are the formula's
  hs.expect_near("Padhye, b = 1", padhye(p, 1), c[2], 0.01)
  hs.expect_near("Padhye, b = 2", padhye(p, 2), c[3], 0.01)
  ref.row { "R4", string.format("Padhye, b = 1, p = %g, NewReno", p), says = c[2], within = "25%", got = rate(p, 1, "newreno", c[4]), unit = "Mbit/s" }
  ref.row { "R4", string.format("Padhye, b = 2, p = %g, NewReno", p), says = c[3], within = "25%", got = rate(p, 2, "newreno", c[4]), unit = "Mbit/s" }
end
-- At p = 5e-2 the window is about five packets, and limited transmit (RFC 3042), younger than the equation, turns many timeouts into
-- fast retransmissions: without it we are within 25 %, with it at most twice as fast.
for b, says in ipairs { 0.29, 0.20 } do
  hs.expect_near("Padhye, b = " .. b, padhye(5e-2, b), says, 0.01)
  ref.row { "R4", "Padhye, b = " .. b .. ", p = 0.05, Reno without limited transmit", says = says, within = "25%",
    got = rate(5e-2, b, "reno", 4000, NO_LIMITED_TRANSMIT), unit = "Mbit/s" }
  ref.row { "R4", "Padhye, b = " .. b .. ", p = 0.05, Reno with limited transmit: once to twice the equation", low = says, high = 2 * says,
    got = rate(5e-2, b, "reno", 4000), unit = "Mbit/s" }
end
ref.row { "R4", "Mathis, C = 1.22, p = 1e-4, SACK recovery", says = 1.22 / math.sqrt(1e-4) * 1460 * 8 / 0.1 / 1e6, within = "25%", got = rate(1e-4, 1, "sack", 2000), unit = "Mbit/s" }
