-- TCP-FC-15  Sixteen-bit window limit.
-- The window field has 16 bits, so without an option at most 65535 bytes may be on the way, and a round trip moves no more than that:
-- 65535 * 8 / 0.1 s = 5.24 Mbit/s at 100 ms, on any link (RFC 7323 1.1).
-- tshark-allow: TCP window specified by the receiver is now completely full (a full window is what is shown)
local hs = require "hopscope"
hs.title { en = "TCP-FC-15 Sixteen-bit window limit", zh = "TCP-FC-15 十六位窗口的限制" }

local old = { ["net.ipv4.tcp_window_scaling"] = 0 }
local rtts = { 0.020, 0.100, 0.500 }
local rates, windows, flights = {}, {}, {}
for _, rtt in ipairs(rtts) do
  local ms = math.floor(rtt * 1000 + 0.5)
  local client, server = hs.host("client" .. ms, { sysctl = old }), hs.host("server" .. ms, { sysctl = old })
  hs.link(client, server, { rate = "1Gbps", delay = rtt / 2 })
  windows[rtt], flights[rtt] = 0, 0
  local acked
  hs.on("frame.rx", function(e)
    local tcp = e.packet.tcp
    if tcp then
      acked = tcp.ackno
      windows[rtt] = math.max(windows[rtt], tcp.window)
    end
  end, { node = client })
  hs.on("frame.tx", function(e)
    local tcp = e.packet.tcp
    if tcp and tcp.len > 0 then flights[rtt] = math.max(flights[rtt], tcp.seq + tcp.len - acked) end
  end, { node = client })
  local sink = server:tcp_sink { port = 7100, rcvbuf = "4MB" }
  client:tcp_source { to = server, port = 7100, sndbuf = "4MB", congestion = "reno" }
  -- Slow start is over after 10 round trips; then 20 are measured.
  hs.at(2 + 10 * rtt, function() rates[rtt] = -sink:stats().bytes end)
  hs.at(2 + 30 * rtt, function()
    rates[rtt] = (rates[rtt] + sink:stats().bytes) * 8 / (20 * rtt)
    client:power(false)
  end)
end
hs.note { en = "A link of 1 Gbit/s and large buffers, but no window scaling.", zh = "1 Gbit/s 的链路和很大的缓冲区，但没有窗口扩大。" }
hs.run "18s"
for _, rtt in ipairs(rtts) do
  local limit = 65535 * 8 / rtt
  hs.note({
    en = "RTT %3.0f ms: %6.2f Mbit/s; 65535 bytes per round trip would be %.2f.",
    zh = "RTT %3.0f ms：%6.2f Mbit/s；每个往返 65535 字节应是 %.2f。",
  }, rtt * 1000, rates[rtt] / 1e6, limit / 1e6)
  local name = string.format("RTT %.0f ms: ", rtt * 1000)
  hs.expect(name .. "the window is never more than 65535", windows[rtt] <= 65535, windows[rtt])
  hs.expect(name .. "nor is there more on the way", flights[rtt] <= 65535, flights[rtt])
  hs.expect(name .. "throughput is at most 65535 / RTT", rates[rtt] <= limit, rates[rtt])
  -- Linux announces whole segments: 45 * 1448 = 65160 bytes. The time on the wire is little, but counts.
  hs.expect(name .. "and close to it", rates[rtt] > 0.9 * limit, rates[rtt])
end
hs.expect_near("at 100 ms the limit is 5.24 Mbit/s", 65535 * 8 / 0.1 / 1e6, 5.24, 0.005)

hs.translate("zh", {
  ["RTT {} ms: the window is never more than {}"] = "RTT {} ms：窗口从不超过 {}",
  ["RTT {} ms: nor is there more on the way"] = "RTT {} ms：在途的也不超过",
  ["RTT {} ms: throughput is at most {} / RTT"] = "RTT {} ms：吞吐量最多是 {} / RTT",
  ["RTT {} ms: and close to it"] = "RTT {} ms：并且接近它",
  ["at 100 ms the limit is 5.24 Mbit/s"] = "100 ms 时的上限是 5.24 Mbit/s",
})
