-- R18  The end of slow start. Unpaced, each ACK of a flight at the link's rate sends two packets; a flight below one BDP finds the queue
-- empty again. So what each detector can see, and when, is arithmetic; t is the threshold clamp(min RTT / 8, 4 ms, 16 ms) over the RTT:
--   HyStart's ACK train: ACKs for half a round trip: the flight is half a BDP at least, less than one: window 1 to 1.5 BDP (and up to
--     0.5 ms more for segmentation offload).
--   HyStart's delay and HyStart++ (RFC 9406): the first packets of a flight wait for t, so the flight before was (1 + t) BDP at least,
--     less than twice that, and this one, which is out already, is twice as large: window 2 (1 + t) to 4 (1 + t) BDP.
-- The reference expects at most single-digit losses of HyStart++ at 100 Mbit/s, 50 ms and a buffer of one BDP. By the arithmetic that
-- cannot be: 2 (1 + t) BDP do not fit into pipe and buffer. It holds for Linux's HyStart, by its ACK train, and for HyStart++ when the
-- buffer takes what is out when the delay is seen; with one BDP, it halves the losses of plain slow start.
local hs = require "hopscope"
local ref = require "reference"

local RATE, RTT = 100e6, 0.05
local BDP = RATE * RTT / 8 / 1538

local function start(params, congestion, rtt, rate, buffer)
  rtt, rate = rtt or RTT, rate or RATE
  local bdp = rate * rtt / 8 / 1538
  local a, b = ref.path { rate = rate, rtt = rtt, queue = math.floor((buffer or 1) * bdp) }
  for name, value in pairs(params) do a:cc_param(congestion, name, value) end
  b:tcp_sink(5001)
  local source = a:tcp_source { to = b, port = 5001, congestion = congestion }
  local began = hs.now()
  local windows, exit = {}, nil
  while not exit do
    hs.run(rtt / 10)
    local i = source:info()
    -- over when ssthresh is set and nothing is being repaired
    if i and i.snd_ssthresh < 1e6 and i.ca_state == 0 then exit = i.snd_ssthresh end
    if i then windows[#windows + 1] = i.snd_cwnd end
    assert(hs.now() < began + 200 * rtt, "slow start has no end")
  end
  local result = { exit = exit, lost = a:counter "TcpRetransSegs", bdp = bdp, windows = windows,
    notes = { a:counter "TcpExtTCPHystartTrainDetect", a:counter "TcpExtTCPHystartDelayDetect" } }
  ref.over(a, b)
  return result
end
local function threshold(rtt) return math.max(0.004, math.min(0.016, rtt / 8)) / rtt end

for _, congestion in ipairs { "reno", "cubic" } do
  local off = congestion == "cubic" and { hystart = 0 } or {}
  local plain = start(off, congestion)
  ref.row { "R18", congestion .. ", plain slow start, buffer 1 BDP: losses", low = 100, high = math.ceil(3 * BDP), got = plain.lost, unit = "packets" }
  local plus = start({ hystartpp = 1 }, congestion)
  ref.row { "R18", congestion .. ", HyStart++, buffer 1 BDP: losses, of those of plain slow start", low = 0, high = 0.5, got = plus.lost / plain.lost }
  plus = start({ hystartpp = 1 }, congestion, RTT, RATE, 6)
  ref.row { "R18", congestion .. ", HyStart++, buffer 6 BDP: losses before congestion avoidance", says = 0, got = plus.lost, unit = "packets" }
  -- five rounds of a quarter of the growth: x 1.25^5 = 3.05 of the window at which the delay was seen
  local t = threshold(RTT)
  ref.row { "R18", congestion .. ", HyStart++, buffer 6 BDP: window at its end, in BDP", low = 2 * (1 + t) * 1.25 ^ 4, high = 4 * (1 + t) * 1.25 ^ 5, got = plus.exit / BDP }
end
local linux = start({}, "cubic")
ref.row { "R18", "Linux's HyStart, buffer 1 BDP: losses before congestion avoidance", says = 0, got = linux.lost, unit = "packets" }
for _, c in ipairs { { 0.02, 50e6 }, { 0.05, 100e6 }, { 0.1, 20e6 }, { 0.2, 100e6 } } do
  local rtt, t = c[1], threshold(c[1])
  local train = start({ hystart_detect = 1 }, "cubic", rtt, c[2], 6)
  local what = string.format("Linux's HyStart, %g ms, %g Mbit/s: ", rtt * 1000, c[2] / 1e6)
  ref.row { "R18", what .. "exit by ACK train, window in BDP", low = 1, high = 1.5 + 0.0005 / rtt + 1 / train.bdp, got = train.exit / train.bdp }
  ref.row { "R18", what .. "detected by train, by delay", says = { 1, 0 }, got = train.notes }
  local delay = start({ hystart_detect = 2 }, "cubic", rtt, c[2], 6)
  ref.row { "R18", what .. "exit by delay, window in BDP", low = 2 * (1 + t), high = 4 * (1 + t), got = delay.exit / delay.bdp }
  ref.row { "R18", what .. "detected by train, by delay", says = { 0, 1 }, got = delay.notes }
end
