-- LINK-06  MTU and throughput.
-- A smaller MTU means more packets for the same data, and each of them brings its headers: on the wire 14 bytes of Ethernet,
-- 4 of FCS, 8 of preamble and 12 of silence beside the MTU (38 in all), inside the MTU those of IP and of the transport. So of
-- each (MTU + 38) byte times a transfer without pauses gets MTU - 20 - 8 with UDP, and MTU - 20 - 20 with TCP.
local hs = require "hopscope"
hs.title { en = "LINK-06 MTU and throughput", zh = "LINK-06 MTU 与吞吐量" }

local rate = 10e6
local mtus = { 1500, 1006, 576, 296, 68 } -- Ethernet, ARPANET, X.25, slow serial lines, the smallest that IP allows
local count = 50
local runs = {}
for i, mtu in ipairs(mtus) do
  local a, b = hs.host("a" .. mtu), hs.host("b" .. mtu)
  local sink = b:udp_sink(9)
  hs.link(a, b, { rate = "10Mbps", mtu = mtu })
  a:ping(b, { count = 1, size = 8 }) -- the ARP caches are filled: nothing but data follows
  -- The source offers twice what the link carries, so that the link never waits.
  a:udp_source { to = b, port = 9, size = mtu - 28, rate = "20Mbps", count = count }
  runs[i] = { mtu = mtu, sink = sink }
end
hs.note {
  en = "Five links of 10 Mbit/s with different MTUs. Each carries 50 datagrams that just fill its packets.",
  zh = "五条 10 Mbit/s 的链路，MTU 各不相同。每条传送 50 个正好填满分组的数据报。",
}
hs.run "1s"

local last = 1
for _, r in ipairs(runs) do
  local s = r.sink:stats()
  -- From the last bit of the first datagram to the last bit of the last one: 49 datagrams in 49 frame times.
  r.goodput = (count - 1) * (r.mtu - 28) * 8 / (s.last - s.first)
  local want = (r.mtu - 28) / (r.mtu + 38)
  print(string.format("    MTU %4d: %6.3f Mbit/s of 10, that is (%d - 28) / (%d + 38) = %.1f %%", r.mtu, r.goodput / 1e6, r.mtu,
    r.mtu, want * 100))
  hs.expect_equal("all datagrams arrived, MTU " .. r.mtu, s.received, count)
  hs.expect_near("goodput / line rate = (MTU - 28) / (MTU + 38), MTU " .. r.mtu, r.goodput / rate, want, 1e-6)
  hs.expect("it falls as the MTU falls, MTU " .. r.mtu, r.goodput / rate < last, r.goodput / rate)
  last = r.goodput / rate
end
hs.note {
  en = "With the smallest MTU more than half of the line carries headers and silence. TCP has 12 bytes more in every packet.",
  zh = "MTU 最小时，线路的一半以上都在传送首部和沉默。TCP 的每个分组还要多 12 字节。",
}

hs.note {
  en = "Bulk TCP on the same lines: 40 bytes of headers in each packet (timestamps off), the ACKs go the other way.",
  zh = "同样线路上的大批 TCP 数据：每个分组 40 字节的首部（时间戳已关闭），ACK 走相反的方向。",
}
last = 1
for _, r in ipairs(runs) do
  local mtu = r.mtu
  if mtu >= 296 then -- TCP's segments have at least 48 bytes in Linux (tcp_min_snd_mss), and options must fit
    local a, b = hs.node("a" .. mtu), hs.node("b" .. mtu)
    a:sysctl("net.ipv4.tcp_timestamps", 0)
    local times, bytes = {}, 0
    hs.on("frame.rx", function(e)
      local t = e.packet.tcp
      if t and t.len > 0 then
        bytes = bytes + t.len
        times[#times + 1] = { time = e.time, bytes = bytes }
      end
    end, { node = b })
    b:tcp_sink(5678)
    a:tcp_source { to = b, port = 5678, bytes = "500kB" }
    hs.run "2s"
    local first, final = times[#times // 2], times[#times - 1] -- from the middle on, when the line is always full
    local goodput = (final.bytes - first.bytes) * 8 / (final.time - first.time)
    local want = (mtu - 40) / (mtu + 38)
    print(string.format("    MTU %4d: %6.3f Mbit/s of 10, that is (%d - 40) / (%d + 38) = %.1f %%", mtu, goodput / 1e6, mtu, mtu, want * 100))
    hs.expect_near("TCP: goodput / line rate = (MTU - 40) / (MTU + 38), MTU " .. mtu, goodput / rate, want, 0.002)
    hs.expect("TCP: it falls as the MTU falls, MTU " .. mtu, goodput / rate < last, goodput / rate)
    last = goodput / rate
  end
end

hs.translate("zh", {
  ["all datagrams arrived, MTU {}"] = "所有数据报都到达，MTU {}",
  ["goodput / line rate = (MTU - {}) / (MTU + {}), MTU {}"] = "有效吞吐量 / 线路速率 = (MTU - {}) / (MTU + {})，MTU {}",
  ["it falls as the MTU falls, MTU {}"] = "它随 MTU 减小而下降，MTU {}",
  ["TCP: goodput / line rate = (MTU - {}) / (MTU + {}), MTU {}"] = "TCP：有效吞吐量 / 线路速率 = (MTU - {}) / (MTU + {})，MTU {}",
  ["TCP: it falls as the MTU falls, MTU {}"] = "TCP：它随 MTU 减小而下降，MTU {}",
})
