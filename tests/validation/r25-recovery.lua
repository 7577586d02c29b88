-- R19, R25, R26, R27  Building blocks: Reno's numbers (RFC 5681), several drops in one window (RFC 6582, RFC 6675), proportional rate
-- reduction, RACK-TLP (RFC 8985), timeout, idleness (RFC 5681 4.1 in Linux's form), ECN (RFC 3168 6.1.2). RTT 100 ms; packets of the first flight, which
-- the route makes as large as wanted, are lost by number.
local hs = require "hopscope"
local ref = require "reference"

-- Loses the packets of that number, once; returns what happened.
local function loses(o)
  local a, b, link = ref.path { rtt = 0.1, rate = "1Gbps", style = o.style, sender = o.sender }
  ref.route(a, { initcwnd = o.cwnd, rto_min = o.rto_min })
  -- a window that does not grow: an ACK that opens it is no duplicate
  ref.route(b, { quickack = 1, window = 65535 })
  b:tcp_sink(5001)
  local lost = {}
  for _, n in ipairs(o.lose) do lost[n] = true end
  local times = {}
  local start
  link:dir(a):rule(function(p)
    local t = p.tcp
    if not t or t.len == 0 then return end
    start = start or hs.now()
    local n = t.data_nth
    times[n] = times[n] or {}
    table.insert(times[n], hs.now() - start)
    if lost[n] and not t.retransmission then return "drop" end
  end)
  local events, windows = {}, {}
  hs.on("tcp.recovery", function(e) events[#events + 1] = { e.what, hs.now(), e.cwnd } end, { node = a })
  hs.on("tcp.cwnd", function(e) windows[#windows + 1] = { e.cwnd, e.ssthresh, e.ca_state, hs.now(), e.inflight } end, { node = a })
  local source = a:tcp_source { to = b, port = 5001, bytes = o.packets * ref.MSS, congestion = o.congestion or "reno", keep_open = true }
  hs.run(8)
  local info = source:info()
  local r = { times = times, start = start, info = info, events = events, windows = windows, timeouts = a:counter "TcpExtTCPTimeouts", again = a:counter "TcpRetransSegs" }
  for i, e in ipairs(events) do
    if e[1] == "recovery" and not r.entered then r.entered = e[2] - start end
    if e[1] == "open" and r.entered and not r.left then r.left, r.cwnd_after = e[2] - start, e[3] end
  end
  for _, w in ipairs(windows) do
    if w[3] == "recovery" and not r.first then r.first = w end
  end
  ref.over(a, b)
  return r
end

-- Reno: flight 20, one loss
for _, style in ipairs { "reno", "newreno" } do
  local r = loses { cwnd = 20, lose = { 1 }, packets = 60, style = style }
  ref.row { "R25", style .. ", flight 20, one loss: ssthresh, cwnd with the third duplicate, cwnd after recovery", says = { 10, 13, 10 },
    got = { r.first[2], r.first[1], r.cwnd_after } }
  ref.row { "R25", style .. ": limited transmit, new packets for the first two duplicates", says = 2, got = (function()
    local n = 0
    for k = 21, 60 do if r.times[k] and r.times[k][1] < r.times[1][2] - 1e-9 then n = n + 1 end end
    return n
  end)() }
end
local tahoe = loses { cwnd = 20, lose = { 1 }, packets = 60, style = "tahoe" }
ref.row { "R25", "Tahoe: smallest window after a loss", says = 1, got = (function()
  local least = 100
  for _, w in ipairs(tahoe.windows) do least = math.min(least, w[1]) end
  return least
end)(), unit = "packets" }

-- several drops
for k = 1, 4 do
  local lose = {}
  for i = 1, k do lose[i] = 3 * i - 2 end
  local r = loses { cwnd = 20, lose = lose, packets = 60, style = "newreno" }
  ref.row { "R27", "NewReno, " .. k .. " drops: recovery lasts", says = 0.1 * k, within = 0.002, got = r.left - r.entered, unit = "s" }
  ref.row { "R27", "NewReno, " .. k .. " drops: timeouts, packets sent again", says = { 0, k }, got = { r.timeouts, r.again } }
  for _, style in ipairs { "sack", "linux" } do
    local s = loses { cwnd = 20, lose = lose, packets = 60, style = style }
    ref.row { "R27", style .. ", " .. k .. " drops: recovery lasts", low = 0.099, high = 0.202, got = s.left - s.entered, unit = "s" }
    ref.row { "R27", style .. ", " .. k .. " drops: timeouts, packets sent again, ssthresh", says = { 0, k, 10 }, got = { s.timeouts, s.again, s.info.snd_ssthresh } }
  end
end

-- proportional rate reduction, CUBIC: 10 in flight, the first lost
do
  local r = loses { cwnd = 10, lose = { 1 }, packets = 40, congestion = "cubic" }
  ref.row { "R19", "CUBIC, flight 10, one loss: ssthresh, cwnd after recovery", says = { 7, 7 }, got = { r.first[2], r.cwnd_after } }
  ref.row { "R19", "the lost packet goes again after one RTT, by the third SACK", says = 0.1, within = 0.001, got = r.times[1][2], unit = "s" }
end

-- RACK-TLP: ten packets, the last two lost; 1 s floor of the RTO. Linux adds two jiffies to the probe timer and rounds up: 3 ms.
do
  local r = loses { cwnd = 10, lose = { 9, 10 }, packets = 10, congestion = "cubic", rto_min = "1s" }
  ref.row { "R26", "ten packets, the last two lost: probe (packet 10) at", says = 0.3, within = 0.004, got = r.times[10][2], unit = "s" }
  ref.row { "R26", "packet 9 again at", says = 0.4, within = 0.004, got = r.times[9][2], unit = "s" }
  ref.row { "R26", "timeouts, packets sent again", says = { 0, 2 }, got = { r.timeouts, r.again } }
  ref.row { "R26", "one response of CUBIC to the loss: ssthresh", says = math.floor(18 * 717 / 1024), got = r.info.snd_ssthresh, unit = "packets" }
end

-- a timeout: everything lost
do
  local lose = {}
  for i = 1, 20 do lose[i] = i end
  for _, congestion in ipairs { "reno", "cubic" } do
    local r = loses { cwnd = 20, lose = lose, packets = 60, congestion = congestion, style = "newreno", sender = { ["net.ipv4.tcp_frto"] = 0 } }
    local least, ssthresh = 100, nil
    for _, w in ipairs(r.windows) do
      if w[3] == "loss" and w[1] < least then least, ssthresh = w[1], w[2] end
    end
    ref.row { "R25", congestion .. ", a flight of 20 lost: timeouts, ssthresh", says = { 1, congestion == "reno" and 10 or 14 }, got = { r.timeouts, ssthresh } }
    ref.row { "R25", congestion .. ": RTO after an RTT of 100 ms (variance 50 ms: 3 RTT)", says = 0.3, within = 0.002, got = r.times[1][2], unit = "s" }
    -- slow start from 1: the flights of retransmissions are 1, 2, 4, 8
    local flights = {}
    for n = 1, 20 do
      local k = math.floor((r.times[n][2] - r.times[1][2]) / 0.1 + 0.5) + 1
      flights[k] = (flights[k] or 0) + 1
    end
    ref.row { "R25", congestion .. ": flights after the timeout", says = { 1, 2, 4, 8 }, got = { flights[1], flights[2], flights[3], flights[4] }, unit = "packets" }
  end
end

-- idleness: the window halves for each RTO of silence (Linux tcp_cwnd_restart), down to the initial window
for k, cwnd in pairs { [0] = 160, [1] = 80, [2] = 40, [3] = 20, [8] = 10 } do
  local a, b = ref.path { rtt = 0.1 }
  b:tcp_sink(5001)
  local before, after
  a:spawn(function(os)
    local conn = os.tcp({ congestion = "reno" }):connect(b, 5001)
    conn:write(hs.payload(150 * ref.MSS)) -- 10, 20, 40, 80 packets: each grows the window by one
    os.sleep "450ms"
    local i = conn:info()
    before = i.snd_cwnd
    os.sleep(math.max(0, (k + 0.9) * i.rto / 1e6 - i.last_data_sent / 1000))
    conn:write(hs.payload(200 * ref.MSS))
    after = conn:info().snd_cwnd
  end)
  hs.run(15)
  ref.row { "R25", string.format("idle for %g RTO: window before, after", k + 0.9), says = { 160, cwnd }, got = { before, after }, unit = "packets" }
  ref.over(a, b)
end

-- a marked packet (RFC 3168): one reduction in a round trip, nothing sent again
for _, c in ipairs { { "reno", 10 }, { "cubic", 14 } } do
  local a, b, link = ref.path { rtt = 0.1, rate = "1Gbps", sender = { ["net.ipv4.tcp_ecn"] = 1 }, receiver = { ["net.ipv4.tcp_ecn"] = 1 } }
  ref.route(a, { initcwnd = 20, ssthresh = 20 })
  b:tcp_sink(5001)
  link:dir(a):rule(function(p)
    if p.tcp and (p.tcp.data_nth == 1 or p.tcp.data_nth == 7) then p.ip.ecn = 3 end
  end)
  local least, ssthresh = 100, nil
  hs.on("tcp.cwnd", function(e) if e.ca_state == "cwr" then least, ssthresh = e.cwnd, e.ssthresh end end, { node = a })
  a:tcp_source { to = b, port = 5001, bytes = 60 * ref.MSS, congestion = c[1], keep_open = true }
  hs.run(5)
  ref.row { "R25", c[1] .. ", two packets of a flight of 20 marked CE: ssthresh, packets sent again", says = { c[2], 0 }, got = { ssthresh, a:counter "TcpRetransSegs" } }
  ref.over(a, b)
end
