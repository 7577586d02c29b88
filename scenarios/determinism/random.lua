-- Determinism: everything that draws random numbers.
-- Streams by name, with each of the distributions; math.random; and every random impairment on a link of its own. What is drawn
-- is sent, so that each number is in the digest. Streams are independent: what one draws does not change another's numbers.
-- tshark-allow: Bad checksum (a link corrupts on purpose)
-- tshark-allow: Bad length value (corruption hits lengths too)
local hs = require "hopscope"
hs.title "Random numbers"

local n = hs.param("n", 200, "numbers drawn from each distribution")

-- A stream is its name and the seed: another name, other numbers.
local one, two = hs.rng "one", hs.rng "two"
hs.expect("two names, two streams", one:uniform() ~= two:uniform())

local a, b = hs.host "a", hs.host "b"
hs.link(a, b, { rate = "1Gbps", delay = "1ms", queue = 100000 })
local got = 0
b:udp { port = 9, on_datagram = function() got = got + 1 end }:setopt("SO_RCVBUF", 1 << 28)
a:ping("b", { count = 1 }) -- from here on nothing waits for ARP
local sock, sent = a:udp():connect("b", 9), 0
local function say(...)
  sent = sent + 1
  sock:send(string.format(...))
end

local draws = {
  uniform = function(r) return r:uniform() end,
  range = function(r) return r:uniform(-5, 5) end,
  integer = function(r) return r:integer(1, 6) end,
  chance = function(r) return r:chance(0.25) and 1 or 0 end,
  exponential = function(r) return r:exponential(2) end,
  normal = function(r) return r:normal(10, 3) end,
  pareto = function(r) return r:pareto(2.5, 1) end,
  zipf = function(r) return r:zipf(100, 1.2) end,
}
local mean, lowest, highest = {}, {}, {}
for name, draw in pairs(draws) do
  local rng, sum = hs.rng(name), 0
  lowest[name], highest[name] = math.huge, -math.huge
  for _ = 1, n do
    local x = draw(rng)
    sum, lowest[name], highest[name] = sum + x, math.min(lowest[name], x), math.max(highest[name], x)
    say("%s %.17g", name, x)
  end
  mean[name] = sum / n
end
-- Means, with 5 standard errors: sigma / sqrt(n) * 5.
local function near(name, want, sigma) hs.expect_near("mean of " .. name, mean[name], want, 5 * sigma / math.sqrt(n)) end
near("uniform", 0.5, math.sqrt(1 / 12))
near("range", 0, 10 * math.sqrt(1 / 12))
near("integer", 3.5, math.sqrt(35 / 12))
near("chance", 0.25, math.sqrt(0.25 * 0.75))
near("exponential", 2, 2)
near("normal", 10, 3)
hs.expect("a die shows 1 to 6", lowest.integer == 1 and highest.integer == 6)
hs.expect("uniform numbers lie in their range", lowest.range >= -5 and highest.range < 5 and lowest.uniform >= 0 and highest.uniform < 1)
hs.expect("a Pareto number is at least its scale", lowest.pareto >= 1, lowest.pareto)
hs.expect("ranks go from 1 to 100", lowest.zipf >= 1 and highest.zipf <= 100 and math.type(highest.zipf) == "integer")
for i = 1, 20 do say("math.random %d %.17g %d", i, math.random(), math.random(1000)) end

-- Each impairment on a link of its own, all of them on one; a thousand numbered datagrams over each.
local impairments = {
  bernoulli = { loss = "10%" },
  gilbert = { impair = { { "gilbert_elliott", p = 0.02, r = 0.3, loss_good = 0.001, loss_bad = 0.8 } } },
  duplicate = { duplicate = "10%" },
  corrupt = { corrupt = "10%" },
  errors = { impair = { { "corrupt", ber = 1e-5 } } },
  reorder = { reorder = { probability = 0.1, delay = "3ms" } },
  jitter = { jitter = "5ms" },
  wild = { jitter = "5ms", jitter_reorders = true },
  everything = { jitter = "2ms", jitter_reorders = true, loss = "2%", duplicate = "2%", corrupt = "2%",
                 reorder = { probability = 0.05, delay = "4ms" } },
}
local sinks, links, sources = {}, {}, {}
for name, options in pairs(impairments) do
  local from, to = hs.host(name .. "-from"), hs.host(name .. "-to")
  links[name] = hs.link(from, to, { rate = "100Mbps", delay = "1ms", ab = options })
  sinks[name] = to:udp_sink(9)
  sources[name] = from:udp_source { to = to, port = 9, size = 200, gap = "200us", count = 1000, start = "10ms" }
end
local noisy = hs.host "noisy"
hs.link(noisy, b, { rate = "1Gbps" })
noisy:ping(b:addr "eth1", { count = 1 })
noisy:udp_source { to = b:addr "eth1", port = 9, size = 100, rate = "10Mbps", on = "5ms", off = "5ms", exponential = true, count = 500 }
hs.run "5s"

hs.expect_equal("all that was said arrived", got, sent + 500)
local seen = {}
for name, sink in pairs(sinks) do
  local s = sink:stats()
  s.link, s.sent = links[name]:dir(name .. "-from"):stats(), sources[name]:stats().sent
  seen[name] = s
  hs.log(string.format("%-10s sent %d received %d lost %d reordered %d", name, s.sent, s.received, s.lost, s.reordered))
  hs.expect(name .. ": every frame is delivered or lost", s.link.tx_packets + s.link.duplicate_packets
    == s.link.delivered_packets + s.link.lost_packets, s.link)
end
-- 1000 frames with probability 0.1: 100, ± 5 * sqrt(1000 * 0.1 * 0.9) = 47.
hs.expect_between("bernoulli loses one in ten", seen.bernoulli.link.lost_packets, 53, 147)
hs.expect_between("so many are duplicated", seen.duplicate.link.duplicate_packets, 53, 147)
hs.expect_between("and so many corrupted ones are missing", 1000 - seen.corrupt.received, 53, 147)
hs.expect("bursts lose too", seen.gilbert.link.lost_packets > 0)
hs.expect_equal("jitter alone changes no order", seen.jitter.reordered, 0)
hs.expect("unless it may", seen.wild.reordered > 0)
hs.expect("late ones are overtaken", seen.reorder.reordered > 0)
