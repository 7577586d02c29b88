-- R28  Bufferbloat: a full tail-drop buffer adds its packets' time on the link to every round trip. 10 Mbit/s, 1000 packets, 20 ms: a ping
-- climbs to 20 + 1000 * 1538 * 8 / 10 Mbit/s = 1250 ms (1200 ms and the frames' preambles). One packet time is 1.23 ms.
local hs = require "hopscope"
local ref = require "reference"

local PACKET = 1538 * 8

local function bloat(congestion, rate, packets, rtt)
  local a, b, link = ref.path { rate = rate, rtt = rtt, queue = packets }
  b:tcp_sink(5001)
  a:tcp_source { to = b, port = 5001, congestion = congestion }
  local longest, sent = 0, 0
  a:spawn(function(os)
    for i = 1, 400 do
      os.spawn(function(os)
        local ping = os.ping(b, { count = 1, size = 100, timeout = "5s" })
        if ping.received == 1 then longest = math.max(longest, ping.rtt.max) end
      end)
      os.sleep "100ms"
    end
  end)
  hs.run(45)
  ref.over(a, b)
  return longest
end

for _, c in ipairs { { "cubic", 10e6, 1000, 0.02 }, { "reno", 10e6, 1000, 0.02 }, { "reno", 20e6, 200, 0.05 }, { "cubic", 5e6, 64, 0.01 } } do
  local rate, packets, rtt = c[2], c[3], c[4]
  local one = PACKET / rate
  -- A ping that found the last free place waits for the packets before it and the rest of the one being sent, and takes a time of
  -- its own on the link and back.
  local own = 2 * (100 + 8 + 20 + 14 + 24) * 8 / rate
  local full = rtt + packets * one + own
  -- each ping in the queue, one in 100 ms, has the place of a full packet but hardly takes time
  ref.row { "R28", string.format("%s, %g Mbit/s, %d packets, %g ms: longest ping (full: %.1f ms)", c[1], rate / 1e6, packets, rtt * 1000, full * 1000),
    low = (full - (math.ceil(full / 0.1) + 1) * one) * 1000, high = (full + one) * 1000, got = bloat(table.unpack(c)) * 1000, unit = "ms" }
end
