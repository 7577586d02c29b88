-- R3  CUBIC's curve (RFC 9438 section 4): W(t) = C (t - K)^3 + W_max, K = cbrt((W_max - cwnd_epoch) / C), C = 0.4, beta = 0.7.
-- RTT 10 ms, a link that spreads the packets over it, no Reno-friendly region. The loss happens in the first flight, whose size the route sets, so that W_max is known.
local hs = require "hopscope"
local ref = require "reference"

local function curve(w_max, at)
  local a, b = ref.path { rtt = 0.01, rate = 1.25 * w_max * 1538 * 8 / 0.01, loss = { 5 } } -- ARP, ping, SYN, ACK, and the first packet of data
  a:cc_param("cubic", "tcp_friendliness", 0)
  a:sysctl("net.ipv4.tcp_early_retrans", 0)
  ref.route(a, { initcwnd = w_max })
  b:tcp_sink(5001)
  local source = a:tcp_source { to = b, port = 5001, congestion = "cubic" }
  local seen = {}
  local before, epoch
  local observer = hs.on("tcp.recovery", function(e)
    if e.what == "recovery" then before = e.cwnd end
    if e.what == "open" and before and not epoch then epoch = hs.now() + 0.01 end -- the next ACK begins the epoch
  end, { node = a })
  while not epoch do hs.run(0.01) end
  observer:cancel()
  local k = (0.3 * w_max / 0.4) ^ (1 / 3)
  for i, ks in ipairs(at) do
    hs.run_until(epoch + ks * k)
    seen[i] = source:info().snd_cwnd
  end
  ref.over(a, b)
  return seen, k
end

-- W(t) of the reference for W_max 100, K = 4.217 s
local points = { 0, 0.25, 0.5, 0.75, 1, 1.25, 1.5 }
local printed = { 70.00, 87.34, 96.25, 99.53, 100.00, 100.47, 103.75 }
local got = curve(100, points)
for i, ks in ipairs(points) do
  -- beyond the plateau whole packets lag by one more: the target is rounded down there, and the window follows it
  ref.row { "R3", "W_max 100 (K = 4.217 s): window at " .. ks .. " K", says = printed[i], within = ks > 1 and 2 or 1, got = got[i], unit = "packets" }
end
for _, w_max in ipairs { 250, 400, 1000 } do
  local some = { 0.25, 0.5, 0.75, 1, 1.5 }
  local seen, k = curve(w_max, some)
  for i, ks in ipairs(some) do
    local w = 0.4 * ((ks - 1) * k) ^ 3 + w_max
    ref.row { "R3", string.format("W_max %d (K = %.3f s): window at %g K", w_max, k, ks), says = w, within = math.max(ks > 1 and 2 or 1, w / 200), got = seen[i], unit = "packets" }
  end
end
