-- R2  CUBIC's response function (RFC 9438 section 5): the average window is the larger of Reno's and 1.054 (RTT/p)^0.75, with
-- C = 0.4, beta = 0.7.
--
-- The formula is that of a curve without rounding. So the rule itself is validated with CUBIC in floating point (reference.lua),
-- over hopscope's TCP. What Linux makes of it, in whole packets, lies above: within one packet of the plateau the curve is on it
-- (target = origin - floor(...)), so that a flow which loses there goes on from there; there are many fixed points, and where a
-- flow settles depends on where it came from. So for "cubic" a real Linux is the reference (6.18; a TUN device, 100 ms, every
-- 1/p-th packet lost): p = 1e-2: 10.8; p = 1e-3: eight flows settle at 42.8 to 45.9; p = 1e-4: four flows settle at 159, 194, 195
-- and 200. Both are within the formula's 30 %.
local hs = require "hopscope"
local ref = require "reference"

ref.cubic_rfc9438 "rfc9438"

local function window(o)
  local from, rtt = o.warm, o.rtt or 0.1
  local a, b = ref.path { rate = "1Gbps", rtt = rtt, every = o.every, first = o.first, losses = from + o.cycles + 2 }
  for _, name in ipairs(o.off or {}) do a:cc_param("cubic", name, 0) end
  b:tcp_sink(5001)
  local source = a:tcp_source { to = b, port = 5001, congestion = o.cc }
  local w = ref.average_window(a, source, rtt, from, from + o.cycles)
  ref.over(a, b)
  return w
end

ref.row { "R2", "CUBIC in floating point, p = 1e-3, RTT 100 ms: average window", says = 38, within = "6%", unit = "packets",
  got = window { cc = "rfc9438", every = 1000, first = 60, warm = 20, cycles = 60 } }
ref.row { "R2", "CUBIC in floating point, p = 1e-4, RTT 100 ms: average window", says = 187, within = "8%", unit = "packets",
  got = window { cc = "rfc9438", every = 10000, first = 205, warm = 8, cycles = 25 } }
-- R2's exponent, at another RTT: 1.054 (0.2 / 3e-4)^0.75 = 138; Reno's would be 69
ref.row { "R2", "CUBIC in floating point, p = 3e-4, RTT 200 ms: average window", says = 1.054 * (0.2 * 3333) ^ 0.75, within = "8%", unit = "packets",
  got = window { cc = "rfc9438", every = 3333, first = 150, rtt = 0.2, warm = 15, cycles = 40 } }

ref.row { "R2", "cubic, p = 1e-2, as Linux 6.18 has it", says = 10.8, within = "3%", unit = "packets",
  got = window { cc = "cubic", every = 100, first = 20, warm = 20, cycles = 200 } }
ref.row { "R2", "cubic, p = 1e-3, as Linux 6.18 has it", low = 42.8 * 0.97, high = 45.9 * 1.03, unit = "packets",
  got = window { cc = "cubic", every = 1000, first = 60, warm = 30, cycles = 100 } }
for _, first in ipairs { 150, 205, 400 } do
  ref.row { "R2", "cubic, p = 1e-4, first loss at packet " .. first .. ", as Linux 6.18 has it", low = 159 * 0.95, high = 200 * 1.05, unit = "packets",
    got = window { cc = "cubic", every = 10000, first = first, warm = 20, cycles = 20 } }
end
ref.row { "R2", "cubic, p = 1e-4, W_max 205 at first: average window", says = 187, within = "30%", unit = "packets",
  got = window { cc = "cubic", every = 10000, first = 205, warm = 0, cycles = 20 } }
-- Short round trips: the Reno-friendly region, 38 by the formula. Linux looks at a window that stands still only every 31 ms, three
-- round trips, and grows more slowly than the formula: TCP_INFO's cwnd of four flows over a real one was 36 on average.
ref.row { "R2", "cubic, p = 1e-3, RTT 10 ms, as Linux 6.18 has it", says = 36, within = "6%", unit = "packets",
  got = window { cc = "cubic", every = 1000, first = 60, rtt = 0.01, warm = 20, cycles = 100 } }
