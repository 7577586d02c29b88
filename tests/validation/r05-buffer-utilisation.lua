-- R5, R17  Reno flows at a drop-tail bottleneck with a buffer of b bandwidth-delay products. The saw-tooth goes from half of the full
-- pipe's window to all of it, so one flow uses U = [(1-b)(3+b)/8 + b + b^2/2] / [(1-b)/2 + b + b^2/2] of the link if b < 1, all of it
-- otherwise. Period and amplitude of the saw-tooth: W = BDP + B; half a window of round trips, each of its own length.
local hs = require "hopscope"
local ref = require "reference"

local function utilisation(o)
  local rate, rtt = o.rate, o.rtt
  local wire = 1500 + 14 + 24 -- what a packet takes on the link
  local bdp = rate * rtt / 8 / wire
  local queue = math.max(o.least or 1, math.floor(o.b * bdp + 0.5))
  local a, b, link = ref.path { rate = rate, rtt = rtt, queue = queue, style = o.style }
  local sink = b:tcp_sink(5001)
  a:tcp_source { to = b, port = 5001, congestion = o.congestion or "reno" }
  local peaks, floors, times, top = {}, {}, {}, 0
  local measuring = false
  hs.on("tcp.recovery", function(e)
    if e.what == "open" then top = 0 end
    if not measuring then return end
    if e.what == "recovery" and top > 0 then peaks[#peaks + 1], times[#times + 1] = top, e.time end
    if e.what == "open" then floors[#floors + 1] = e.cwnd end
  end, { node = a })
  hs.on("tcp.cwnd", function(e) top = math.max(top, e.cwnd) end, { node = a })
  -- a cycle is W/2 round trips
  local cycle = (1 + o.b) * bdp / 2 * rtt * math.max(1, (1 + o.b) * 0.75)
  hs.run(30 + 3 * cycle)
  local bytes, t = sink:stats().bytes, hs.now()
  measuring = true
  hs.run((o.cycles or 10) * cycle)
  local goodput = (sink:stats().bytes - bytes) * 8 / (hs.now() - t)
  ref.over(a, b)
  return goodput / (rate * ref.MSS / wire), { peaks = peaks, floors = floors, times = times, bdp = bdp, queue = queue }
end

local function formula(b)
  if b >= 1 then return 1 end
  return ((1 - b) * (3 + b) / 8 + b + b * b / 2) / ((1 - b) / 2 + b + b * b / 2)
end

for _, b in ipairs { 0.25, 0.5, 0.75, 1, 2 } do
  local u = utilisation { rate = 10e6, rtt = 0.1, b = b }
  ref.row { "R5", "Reno, 10 Mbit/s, 100 ms, buffer " .. b .. " BDP: utilisation", says = 100 * formula(b), within = 2, got = 100 * u, unit = "%" }
end
for _, style in ipairs { "newreno", "sack" } do
  local u = utilisation { rate = 10e6, rtt = 0.1, b = 0.5, style = style }
  ref.row { "R5", "Reno, " .. style .. " recovery, buffer 0.5 BDP: utilisation", says = 100 * formula(0.5), within = 2, got = 100 * u, unit = "%" }
end
local u = utilisation { rate = 40e6, rtt = 0.05, b = 0.5 }
ref.row { "R5", "Reno, 40 Mbit/s, 50 ms, buffer 0.5 BDP: utilisation", says = 100 * formula(0.5), within = 2, got = 100 * u, unit = "%" }
-- Hardly any buffer: just enough for the pairs that segmentation offload sends.
for _, n in ipairs { 2, 4, 8 } do
  local u, seen = utilisation { rate = 10e6, rtt = 0.1, b = 0, least = n }
  ref.row { "R5", "Reno, 10 Mbit/s, 100 ms, buffer of " .. n .. " packets: utilisation", says = 100 * formula(n / seen.bdp), within = 3, got = 100 * u, unit = "%" }
end

local _, s = utilisation { rate = 10e6, rtt = 0.1, b = 1, cycles = 6 }
local function mean(list)
  local sum = 0
  for _, x in ipairs(list) do sum = sum + x end
  return sum / #list
end
local w = s.bdp + s.queue
ref.row { "R5", "Reno, buffer 1 BDP: window before a reduction (BDP + buffer)", says = w, within = "3%", got = mean(s.peaks), unit = "packets" }
ref.row { "R5", "Reno, buffer 1 BDP: window after it (half)", says = w / 2, within = "3%", got = mean(s.floors), unit = "packets" }
-- From W/2 to W at one packet a round trip, the mean round trip being 0.75 W packets at the link's rate; and two round trips of the
-- full pipe in which the loss is found and repaired.
ref.row { "R5", "Reno, buffer 1 BDP: period of the saw-tooth", says = (w / 2 * 0.75 + 2) * w * 1538 * 8 / 10e6, within = "4%",
  got = (s.times[#s.times] - s.times[1]) / (#s.times - 1), unit = "s" }
