-- R7  Slow start: flights of 10, 20, 40, … packets. Number of flights to move n segments: the smallest k with IW (2^k - 1) >= n. Every
-- packet acknowledged, no loss, no serialisation. And RFC 6928's initial window, whatever the MSS: Linux sends 10 segments.
local hs = require "hopscope"
local ref = require "reference"

-- Bytes that arrive in each round trip after the connection is there.
local function flights(bytes, o)
  local rtt = o.rtt or 0.1
  -- pacing would spread a flight over half of its round trip; it is off by default
  local a, b = ref.path { rtt = rtt, mtu = o.mtu, style = o.style, delack = o.delack }
  ref.route(a, { initcwnd = o.iw })
  a:cc_param("cubic", "hystart", 0)
  b:tcp_sink(5001)
  local source = a:tcp_source { to = b, port = 5001, bytes = bytes, congestion = o.congestion }
  local start, count = hs.now() + 1.5 * rtt, {} -- SYN, SYN-ACK, then the first flight arrives
  hs.on("frame.rx", function(e)
    if e.packet.tcp and e.packet.tcp.len > 0 then
      local k = math.floor((hs.now() - start) / rtt + 0.5) + 1
      count[k] = (count[k] or 0) + 1
    end
  end, { node = b })
  hs.run(20 * rtt)
  ref.over(a, b)
  return count
end

for _, congestion in ipairs { "reno", "cubic" } do
  local f = flights(20e6, { congestion = congestion })
  ref.row { "R7", congestion .. ": first six flights", says = { 10, 20, 40, 80, 160, 320 }, got = { f[1], f[2], f[3], f[4], f[5], f[6] }, unit = "packets" }
end
local f = flights(20e6, { congestion = "reno", delack = true, rtt = 0.3 })
ref.row { "R7", "receiver delays ACKs, as Linux does: packets are counted, so flights double all the same", says = { 10, 20, 40, 80, 160 }, got = { f[1], f[2], f[3], f[4], f[5] }, unit = "packets" }
f = flights(20e6, { congestion = "reno", iw = 3 })
ref.row { "R7", "initcwnd 3: flights", says = { 3, 6, 12, 24, 48 }, got = { f[1], f[2], f[3], f[4], f[5] }, unit = "packets" }
-- timestamps take 12 bytes of the MSS: 1448; the reference's numbers with 1460 are the same
for _, c in ipairs { { 14e3, 1 }, { 50e3, 3 }, { 100e3, 3 }, { 500e3, 6 }, { 1e6, 7 }, { 10e6, 10 } } do
  local n = math.ceil(c[1] / ref.MSS)
  local k = 1
  while 10 * (2 ^ k - 1) < n do k = k + 1 end
  assert(k == c[2], "the reference's number")
  ref.row { "R7", string.format("%g kB: flights", c[1] / 1000), says = k, got = #flights(c[1], { congestion = "reno" }) }
end
-- at 9000 the window field of the SYN-ACK, which is never scaled, lets 65535 / 8948 packets out
for mtu, packets in pairs { [576] = 10, [1500] = 10, [9000] = 7 } do
  ref.row { "R7", "MTU " .. mtu .. ": initial window", says = packets, got = flights(5e6, { congestion = "reno", mtu = mtu })[1], unit = "packets" }
end
