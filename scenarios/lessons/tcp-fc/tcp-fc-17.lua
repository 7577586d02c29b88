-- TCP-FC-17  Bandwidth-delay product.
-- Rate times round trip is what a path holds: 100 MB/s * 10 ms = 1 MB. With a smaller buffer the window runs out before the first ACK
-- comes: rate = buffer / RTT. With that much the rate is full. With more, the surplus waits in the queue before the bottleneck; when the
-- queue is full too, it is lost. The buffer here is the receiver's (route option window); the link has a queue for 1.5 MB.
-- tshark-allow: TCP window specified by the receiver is now completely full (a full window is what is shown)
-- tshark-allow: Connection reset (RST) (a socket that is closed in the middle of a transfer resets it)
-- tshark-allow: Previous segment(s) not captured (what a queue loses never arrives)
-- tshark-allow: This frame is a (suspected) out-of-order segment (repetitions of what was lost come late)
local hs = require "hopscope"
hs.title { en = "TCP-FC-17 Bandwidth-delay product", zh = "TCP-FC-17 带宽时延积" }

local client, server = hs.host "client", hs.host "server"
local rtt, rate = 0.010, 800e6
local link = hs.link(client, server, { rate = rate, delay = rtt / 2, queue = 1000, subnet = "10.0.0.0/24" })
client:sysctl("net.core.wmem_max", 16777216)
server:sysctl("net.ipv4.tcp_rmem", "4096 16777216 16777216") -- SO_RCVBUF would move the route's window too
client:ping("server", { count = 1 })

local bdp = rate / 8 * rtt
local port, measure = 7100, 0.1
local function run(buffer)
  port = port + 1
  local r, highest = {}, 0
  server:route_replace { to = "10.0.0.0/24", dev = "eth0", window = math.floor(buffer) }
  local lost = link:dir(client):stats().queue_drops
  local sink = server:tcp_sink { port = port }
    local source = client:tcp_source { to = server, port = port, congestion = "reno", sndbuf = "5MB" }
  hs.run "0.2s"
  local watch = hs.on("queue.length", function(e) highest = math.max(highest, e.packets) end, { node = client })
  local before = sink:stats().bytes
  hs.run(measure)
  r.rate, r.queue = (sink:stats().bytes - before) / measure, highest
  r.rtt, r.lost = source:info().rtt / 1e6, link:dir(client):stats().queue_drops - lost
  source:stop()
  sink:stop()
  watch:cancel()
  hs.run "2s"
  return r
end
local r = {}
for _, f in ipairs { 0.25, 0.5, 1, 2, 4 } do
  r[f] = run(f * bdp)
  hs.note({
    en = "Buffer %4.0f kB: %5.1f MB/s, RTT %4.1f ms, queue up to %4d packets, lost %d.",
    zh = "缓冲区 %4.0f kB：%5.1f MB/s，RTT %4.1f ms，队列最多 %4d 个分组，丢失 %d 个。",
  }, f * bdp / 1000, r[f].rate / 1e6, r[f].rtt * 1000, r[f].queue, r[f].lost)
end
-- Of 1538 byte times on the wire 1448 are data.
local full = rate / 8 * 1448 / 1538
hs.expect_equal("100 MB/s * 10 ms = 1 MB", bdp, 1e6)
hs.expect_near("a quarter of it: buffer / RTT, within one buffer", r[0.25].rate * measure, 0.25 * bdp / rtt * measure, 0.25 * bdp)
hs.expect_near("half of it: buffer / RTT, within one buffer", r[0.5].rate * measure, 0.5 * bdp / rtt * measure, 0.5 * bdp)
hs.expect_near("as much: the full rate, within a packet", r[1].rate * measure, full * measure, 1448)
hs.expect_near("twice as much: no more", r[2].rate * measure, full * measure, 1448)
hs.expect_near("four times as much: no more", r[4].rate * measure, full * measure, 1448)
hs.expect("at most the BDP: hardly any queue", r[0.25].queue < 100 and r[0.5].queue < 100 and r[1].queue < 100)
-- 2 MB less what the path holds, 1 MB of 1538-byte frames with 1448 bytes of data in each: 660 to 800 packets.
hs.expect_between("twice: the surplus waits in the queue", r[2].queue, (2 - 1.1) * bdp / 1448, 1.2 * bdp / 1448)
hs.expect_near("and the round trip doubles", r[2].rtt, 2 * rtt, 0.25 * rtt)
hs.expect_equal("nothing is lost up to there", r[0.25].lost + r[0.5].lost + r[1].lost + r[2].lost, 0)
hs.expect("four times: the queue overflows, there is loss", r[4].lost > 0, r[4].lost)

hs.translate("zh", {
  ["a quarter of it: buffer / RTT, within one buffer"] = "它的四分之一：缓冲区 / RTT，误差一个缓冲区",
  ["half of it: buffer / RTT, within one buffer"] = "它的一半：缓冲区 / RTT，误差一个缓冲区",
  ["as much: the full rate, within a packet"] = "同样多：全速，误差一个分组",
  ["twice as much: no more"] = "两倍：不再更多",
  ["four times as much: no more"] = "四倍：不再更多",
  ["at most the BDP: hardly any queue"] = "不超过带宽时延积：几乎没有队列",
  ["twice: the surplus waits in the queue"] = "两倍：多余的在队列里等待",
  ["and the round trip doubles"] = "往返时间加倍",
  ["nothing is lost up to there"] = "到此为止没有任何丢失",
  ["four times: the queue overflows, there is loss"] = "四倍：队列溢出，有丢失",
})
