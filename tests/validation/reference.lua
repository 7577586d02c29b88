-- What the scenarios of this folder share: a path with one bottleneck, flows over it, the controllers of the textbooks, and
-- rows "the reference says, we measure" that tests/validation/run collects (docs/validation.md).
local hs = require "hopscope"
local M = {}

M.MSS = 1448 -- 1500 less 20 for IPv4, 20 for TCP, 12 for timestamps

local function short(x)
  if type(x) ~= "number" then return tostring(x) end
  if x == math.floor(x) and math.abs(x) < 1e9 then return string.format("%d", x) end
  return string.format(math.abs(x) >= 100 and "%.1f" or math.abs(x) >= 10 and "%.2f" or "%.4g", x)
end

-- A row: M.row { "R1", "what", says = 38, within = "5%" (of says) or within = 0.5 (same unit), got = x, unit = "packets" },
-- or low = , high = instead of says and within. Without within: exactly.
function M.row(r)
  local id, what, unit = r[1], r[2], r.unit and " " .. r.unit or ""
  local says, low, high
  if r.low then
    low, high = r.low, r.high
    says = short(low) .. " to " .. short(high) .. unit
  elseif type(r.says) == "number" then
    local tolerance = r.within or 0
    if type(tolerance) == "string" then tolerance = math.abs(r.says) * tonumber((tolerance:gsub("%%", ""))) / 100 end
    low, high = r.says - tolerance, r.says + tolerance
    says = short(r.says) .. unit
    if r.within then says = says .. " ± " .. (type(r.within) == "string" and r.within:gsub("%%", " %%") or short(r.within) .. unit) end
  else
    says = hs.show(r.says):gsub("[{}\"]", ""):gsub("^ ", ""):gsub(" $", "")
  end
  local got = type(r.got) == "table" and hs.show(r.got):gsub("[{}\"]", ""):gsub("^ ", ""):gsub(" $", "") or short(r.got) .. unit
  print(table.concat({ "ROW", id, what, says, got }, "\t"))
  local name = id .. " " .. what
  if low then
    hs.expect_between(name, r.got, low, high)
  else
    hs.expect_equal(name, r.got, r.says)
  end
end

-- sender a and receiver b. Options: rate, rtt, queue (packets), mtu, every (each so many-th frame is lost, so often: losses; the
-- first one is frame number `first`, which ends slow start),
-- loss (a ratio, independent), style (recovery), delack (true: the receiver delays ACKs), sender and receiver (more sysctls).
local nodes = 0
function M.path(o)
  nodes = nodes + 1
  local a, b = hs.host("a" .. nodes), hs.host("b" .. nodes)
  for _, h in ipairs { a, b } do
    -- Windows of the receiver and buffers never bind; nothing is remembered from one connection to the next. The receive buffer
    -- has its final size at once: an ACK that opens the window is no duplicate ACK (RFC 5681 2), which NewReno counts.
    h:sysctl("net.ipv4.tcp_rmem", "4096 20000000 20000000")
    h:sysctl("net.ipv4.tcp_wmem", "4096 4000000 400000000")
    h:sysctl("net.ipv4.tcp_no_metrics_save", 1)
  end
  a:sysctl("hopscope.tcp_recovery_style", ({ linux = 0, tahoe = 1, reno = 2, newreno = 3, sack = 4 })[o.style or "linux"])
  for name, value in pairs(o.sender or {}) do a:sysctl(name, value) end
  for name, value in pairs(o.receiver or {}) do b:sysctl(name, value) end
  local ab = { loss = o.loss }
  if o.every then
    ab.loss = {}
    for i = 1, o.losses do ab.loss[i] = (o.first or o.every) + (i - 1) * o.every end
  end
  local link = hs.link(a, b, { rate = o.rate, delay = o.rtt / 2, mtu = o.mtu, queue = o.queue or 1000000, ab = ab })
  hs.prepare()
  a:ping(b, { count = 1 }) -- so that ARP is over
  if not o.delack then M.route(b, { quickack = 1 }) end
  return a, b, link
end

-- Ends what runs there, so that later parts of a scenario have the machine for themselves.
function M.over(a, b)
  a:power(false)
  b:power(false)
end

-- Metrics of a host's only route.
function M.route(host, metrics)
  for _, r in ipairs(host:routes()) do
    if r.type == "unicast" and r.to:find "/" then
      metrics.to, metrics.dev = r.to, r.dev
      host:route_change(metrics)
      return
    end
  end
  error "no route"
end

-- The average window of a flow: packets sent in so many round trips. Counts from the loss number `from` to number `to`,
-- whole cycles, so that neither the start nor a broken cycle counts.
function M.average_window(a, source, rtt, from, to)
  local function wait(losses)
    local most = hs.now() + 20000 * rtt
    while a:counter "TcpRetransSegs" < losses do
      hs.run(rtt)
      if hs.now() > most then error("no loss any more: cwnd " .. source:info().snd_cwnd) end
    end
    return source:info().data_segs_out, hs.now()
  end
  local segs, t = wait(from)
  local more, till = wait(to)
  return (more - segs) * rtt / (till - t), (till - t) / rtt / (to - from)
end

-- (1 + r)^2 / ..., for any number of rates (R. Jain, 1984)
function M.jain(rates)
  local sum, squares = 0, 0
  for _, r in ipairs(rates) do sum, squares = sum + r, squares + r * r end
  return sum * sum / (#rates * squares)
end

-- CUBIC as RFC 9438 writes it, in floating point and without Linux's rounding: fractions of packets are kept. Without fast
-- convergence, which the response function does not know.
function M.cubic_rfc9438(name)
  local C, beta = 0.4, 0.7
  hs.cc {
    name = name,
    init = function(v, s) s.w, s.w_max = s.cwnd, 0 end,
    on_ack = function(v, sample, s)
      if s.cwnd < s.ssthresh then
        s.cwnd = math.min(s.cwnd + sample.acked, s.ssthresh)
        s.w = s.cwnd
        return
      end
      if not s.epoch then
        s.epoch, s.w_est = v.now, s.w
        s.origin = math.max(s.w_max, s.w)
        s.k = ((s.origin - s.w) / C) ^ (1 / 3)
      end
      local function w_cubic(t) return C * (t - s.k) ^ 3 + s.origin end
      local t = v.now - s.epoch
      s.w_est = s.w_est + 3 * (1 - beta) / (1 + beta) * sample.acked / s.w
      if w_cubic(t) < s.w_est then
        s.w = math.max(s.w, s.w_est)
      else
        local target = math.max(s.w, math.min(w_cubic(t + v.srtt), 1.5 * s.w))
        s.w = s.w + (target - s.w) / s.w * sample.acked
      end
      s.cwnd = math.floor(s.w)
    end,
    ssthresh = function(v, s)
      s.w = s.w or s.cwnd
      s.w_max = s.w
      s.w, s.epoch = math.max(s.w * beta, 2), nil
      return math.floor(s.w)
    end,
  }
end

return M
