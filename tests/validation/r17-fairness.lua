-- R17  Fairness. Jain's index of two flows with rates 1 : r is (1+r)^2 / (2 (1+r^2)). Flows with the same RTT at one drop-tail bottleneck
-- share it: index at least 0.99 for CUBIC, 0.98 for Reno, over 300 s (of 8 flows: 100 s) after slow start. (The published testbed: 400 Mbit/s and 2 MB; here
-- a tenth of both.) And the whole is well used, however many flows there are.
local hs = require "hopscope"
local ref = require "reference"

for r, index in pairs { [1.5] = 0.962, [2] = 0.900, [3] = 0.800, [4] = 0.735, [9] = 0.610 } do
  ref.row { "R17", "index of rates 1 and " .. r, says = index, within = 0.0005, got = ref.jain { 1, r } }
end

local function share(o)
  local r = hs.router("r" .. o.name)
  local b = hs.host("b" .. o.name)
  local hosts, sinks = {}, {}
  b:sysctl("net.ipv4.tcp_rmem", "4096 20000000 20000000")
  hs.link(r, b, { rate = o.rate, delay = o.rtt / 2 - 0.001, queue = o.queue })
  for i = 1, o.flows do
    local a = hs.host("a" .. o.name .. i)
    a:sysctl("net.ipv4.tcp_wmem", "4096 4000000 20000000")
    hs.link(a, r, { rate = "1Gbps", delay = "1ms", queue = 100000 })
    hosts[i], sinks[i] = a, b:tcp_sink(5000 + i)
    a:tcp_source { to = b, port = 5000 + i, congestion = o.congestion, start = i == 1 and 0 or 0.37 * i }
  end
  hs.run(o.warm or 60)
  local from = {}
  for i, s in ipairs(sinks) do from[i] = s:stats().bytes end
  local time = o.flows > 2 and 100 or 300
  hs.run(time)
  local rates, sum = {}, 0
  for i, s in ipairs(sinks) do
    rates[i] = s:stats().bytes - from[i]
    sum = sum + rates[i]
  end
  for _, a in ipairs(hosts) do a:power(false) end
  b:power(false)
  return ref.jain(rates), sum * 8 / time / (o.rate * 1448 / 1538)
end

for _, c in ipairs {
  { "cubic", 2, 0.032, 0.99 }, { "cubic", 2, 0.084, 0.99 }, { "reno", 2, 0.032, 0.98 }, { "reno", 2, 0.084, 0.98 },
  { "cubic", 8, 0.05, 0.98 }, { "reno", 8, 0.05, 0.98 },
} do
  local congestion, flows, rtt, least = c[1], c[2], c[3], c[4]
  local jain, used = share { name = congestion .. flows .. rtt * 1000, congestion = congestion, flows = flows, rtt = rtt, rate = 40e6, queue = 133 }
  local what = string.format("%d flows of %s, 40 Mbit/s, %g ms, 200 kB: ", flows, congestion, rtt * 1000)
  ref.row { "R17", what .. "index", low = least, high = 1, got = jain }
  ref.row { "R17", what .. "utilisation", low = 0.9, high = 1.001, got = used }
end
