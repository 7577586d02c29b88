-- R6  The retransmission timer (RFC 6298): SRTT and RTTVAR of samples 100, 200, 100, 100 ms; an unanswered SYN; back-off.
-- Linux does as RFC 6298 with two differences: RTTVAR falls at most once per round trip, by a quarter of the way (so the last two RTOs
-- lie above those of the RFC, 310.9 and 270.5 ms), and RTTVAR has the floor tcp_rto_min (here 1 ms).
local hs = require "hopscope"
local ref = require "reference"

do
  local a, b, link = ref.path { rtt = 0.1, sender = { ["net.ipv4.tcp_timestamps"] = 0, ["hopscope.tcp_recovery_style"] = 3 } }
  ref.route(a, { rto_min = "1ms" })
  b:tcp_sink(5001)
  local samples = {}
  hs.on("tcp.rtt", function(e) samples[#samples + 1] = { sample = e.sample_us, srtt = e.srtt_us, rto = e.rto_ms } end, { node = a })
  a:spawn(function(os)
    local conn = os.tcp({ nodelay = true }):connect(b, 5001) -- the first sample
    for _, rtt in ipairs { 0.2, 0.1, 0.1 } do
      os.sleep(1)
      link:set { delay = rtt / 2 }
      conn:write "x"
    end
    os.sleep(1)
  end)
  hs.run(10)
  local srtt, rto = {}, {}
  for i = 1, 4 do srtt[i], rto[i] = samples[i].srtt / 1000, samples[i].rto end
  for i, want in ipairs { 100, 112.5, 110.9375, 109.5703 } do
    ref.row { "R6", "sample " .. i .. " of 100, 200, 100, 100 ms: SRTT", says = want, within = 0.001, got = srtt[i], unit = "ms" }
  end
  ref.row { "R6", "first sample: RTO = R + 4 R/2", says = 300, within = 1, got = rto[1], unit = "ms" }
  ref.row { "R6", "second sample: RTO", says = 362.5, within = 1, got = rto[2], unit = "ms" }
  ref.over(a, b)
end

-- SYNs to nobody
local function syns(linear)
  local a, b, link = ref.path { rtt = 0.01, sender = { ["net.ipv4.tcp_syn_retries"] = 6, ["net.ipv4.tcp_syn_linear_timeouts"] = linear } }
  local times, start = {}, hs.now()
  link:dir(a):rule(function(p) if p.tcp then return "drop" end end)
  hs.on("frame.tx", function(e) if e.packet.tcp and e.packet.tcp.syn then times[#times + 1] = math.floor((hs.now() - start) * 1000 + 0.5) / 1000 end end, { node = a })
  local err
  a:spawn(function(os) _, err = os.tcp():connect(b, 5001) end)
  hs.run(200)
  ref.over(a, b)
  return times, err
end
ref.row { "R6", "an unanswered SYN is sent at, tcp_syn_linear_timeouts = 0", says = { 0, 1, 3, 7, 15, 31, 63 }, got = (syns(0)), unit = "s" }
-- Linux since 6.5: the first four timeouts are a second each, then they double
ref.row { "R6", "an unanswered SYN is sent at, Linux's default of 4 linear timeouts, which come in addition to the 6 retries", says = { 0, 1, 2, 3, 4, 5, 7, 11, 19, 35, 67 }, got = (syns(4)), unit = "s" }

-- Back-off of data: each timeout is twice the one before. RTT 100 ms: RTO = 100 + 200 ms.
do
  local a, b, link = ref.path { rtt = 0.1, sender = { ["hopscope.tcp_recovery_style"] = 3, ["net.ipv4.tcp_early_retrans"] = 0 } }
  b:tcp_sink(5001)
  local times = {}
  a:spawn(function(os)
    local conn = os.tcp():connect(b, 5001)
    for _ = 1, 40 do
      conn:write "x" -- the variance of constant samples dies away
      os.sleep(0.2)
    end
    link:dir(a):set { loss = 1 }
    conn:write "x"
    os.sleep(60)
  end)
  hs.on("frame.tx", function(e) if e.packet.tcp and e.packet.tcp.len == 1 then times[#times + 1] = hs.now() end end, { node = a })
  hs.run(40)
  local waits = {}
  for i = 42, 46 do waits[#waits + 1] = times[i] - times[i - 1] end
  for i, w in ipairs(waits) do
    ref.row { "R6", "RTT 100 ms, floor 200 ms: timeout " .. i, says = 0.3 * 2 ^ (i - 1), within = 0.004 * 2 ^ (i - 1), got = w, unit = "s" }
  end
  ref.over(a, b)
end
