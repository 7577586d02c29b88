-- LINK-09  Simplex, half duplex, full duplex.
-- A simplex link carries one direction only, as radio does; half duplex both, but one at a time: two stations on one shared cable;
-- full duplex both at once: a cable with a pair of wires for each direction (IEEE 802.3 1.1.1).
local hs = require "hopscope"
hs.title { en = "LINK-09 Simplex, half duplex, full duplex", zh = "LINK-09 单工、半双工、全双工" }

-- Bulk in both directions at once, from both ends, for 0.9 seconds; the rates that arrive.
local function bulk(a, b)
  a:ping(b, { count = 1 })
  local sinks = { b:udp_sink(9), a:udp_sink(9) }
  a:udp_source { to = b, port = 9, size = 1472, rate = "12Mbps", count = 1000 }
  b:udp_source { to = a, port = 9, size = 1472, rate = "12Mbps", count = 1000 }
  hs.run "900ms"
  local rates = {}
  for i, sink in ipairs(sinks) do
    rates[i] = sink:stats().received * 1538 * 8 / 0.9 -- of the line: 1538 byte times for each frame
  end
  return rates[1], rates[2]
end

local frame_in_window = 1538 * 8 / 0.9 -- what one frame more or less makes of the rate
hs.note { en = "Full duplex: two hosts on one cable, each sends as fast as it can.", zh = "全双工：两台主机在一条电缆上，各自尽快发送。" }
local f1, f2 = hs.host "f1", hs.host "f2"
hs.link(f1, f2, { rate = "10Mbps", delay = "1us" })
local there, back = bulk(f1, f2)
print(string.format("    full duplex  %5.2f Mbit/s there, %5.2f Mbit/s back", there / 1e6, back / 1e6))
hs.expect_near("the full rate there", there, 10e6, frame_in_window)
hs.expect_near("and the full rate back", back, 10e6, frame_in_window)

hs.note {
  en = "Half duplex: the same two on a shared cable. What one gets the other does not, and collisions cost a bit.",
  zh = "半双工：同样的两台在一条共享的电缆上。一个得到的，另一个就得不到，碰撞还要再耗费一点。",
}
local h1, h2, hub = hs.host "h1", hs.host "h2", hs.hub("hub", { rate = "10Mbps", delay = "1us" })
hs.link(h1, hub)
hs.link(h2, hub)
there, back = bulk(h1, h2)
print(string.format("    half duplex  %5.2f Mbit/s there, %5.2f Mbit/s back", there / 1e6, back / 1e6))
hs.expect("both share one link's rate", there + back <= 10e6, there + back)
hs.expect("most of which is used", there + back > 0.9 * 10e6, there + back)
hs.expect("both got something", math.min(there, back) > 0.05 * 10e6, math.min(there, back))
hs.expect("there were collisions", hub:stats().collisions > 0)

hs.note { en = "Simplex: what goes from s1 to s2 arrives; the way back does not exist.", zh = "单工：从 s1 到 s2 的都能到达；返回的路并不存在。" }
local s1, s2 = hs.host "s1", hs.host "s2"
hs.link(s1, s2, { rate = "10Mbps", delay = "1us", ba = { loss = 1 } })
local ping = s1:ping(s2, { count = 1, timeout = "5s" })
hs.expect_equal("whatever needs an answer fails: already the ARP request stays without one", { ping.received, s1:arp(s2).state },
  { 0, "FAILED" })
local got = {}
s2:udp { port = 9, on_datagram = function(data) got[#got + 1] = data end }
s1:arp_set(s2, s2:dev().mac) -- set by hand, as there is no answer
s1:udp():sendto("to whom it may concern", s2, 9)
hs.run "100ms"
hs.expect_equal("what needs none works: a datagram", got, { "to whom it may concern" })
ping = s1:ping(s2, { count = 2, timeout = "5s" })
hs.expect_equal("requests arrive, replies do not", { s2:counter "IcmpInEchos", ping.received }, { 2, 0 })

hs.note {
  en = "Nor can TCP connect: the SYN arrives, is answered, and the answer is lost, again and again.",
  zh = "TCP 也无法连接：SYN 到达，得到应答，而应答丢失，一次又一次。",
}
local why
s2:tcp():bind(5678):listen(1)
s1:sysctl("net.ipv4.tcp_syn_retries", 2)
local syns = hs.frames { node = s2, on = "rx", filter = function(p) return p.tcp and p.tcp.syn end }
s1:spawn(function(os) why = select(2, os.tcp():connect(s2.name, 5678)) end)
hs.run "60s"
hs.expect("SYNs arrive at s2, which answers", #syns >= 3 and s2:counter "TcpOutSegs" >= 3, { #syns, s2:counter "TcpOutSegs" })
hs.expect_equal("a simplex link cannot complete a TCP handshake", { why, #s2:sockets "ESTABLISHED" }, { "ETIMEDOUT", 0 })

hs.translate("zh", {
  ["the full rate there"] = "去程全速",
  ["and the full rate back"] = "回程也全速",
  ["both share one link's rate"] = "双方共享一条链路的速率",
  ["most of which is used"] = "其中大部分得到利用",
  ["both got something"] = "双方都得到一些",
  ["there were collisions"] = "发生过碰撞",
  ["whatever needs an answer fails: already the ARP request stays without one"] = "需要应答的都失败：ARP 请求就得不到应答",
  ["what needs none works: a datagram"] = "不需要应答的则可以：一个数据报",
  ["requests arrive, replies do not"] = "请求到达，应答到不了",
  ["SYNs arrive at s2, which answers"] = "SYN 到达 s2，它作了应答",
  ["a simplex link cannot complete a TCP handshake"] = "单工链路无法完成 TCP 握手",
})
