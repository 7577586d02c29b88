-- TCP-CC-05  Congestion avoidance.
-- From ssthresh on the sender is careful: each ACK adds 1/cwnd to the window, so a whole window of ACKs adds one segment (RFC 5681 3.1).
-- Linux counts ACKs up to cwnd and then adds one: 8 ACKs make exactly 9 of 8. The RFC's arithmetic with bytes, where 1/cwnd becomes smaller
-- with every ACK, gives 8.94.
local hs = require "hopscope"
hs.title { en = "TCP-CC-05 Congestion avoidance", zh = "TCP-CC-05 拥塞避免" }

local client, server = hs.host("client", { sysctl = { ["net.ipv4.tcp_no_ssthresh_metrics_save"] = 0 } }), hs.host "server"
local rtt, subnet = 0.1, "10.0.0.0/24"
hs.link(client, server, { delay = rtt / 2, subnet = subnet })
server:route_replace { to = subnet, dev = "eth0", quickack = 1 }
client:dev():tso(false)
server:tcp_sink(7100)
-- A first connection, so that the destination is known: only then Linux heeds the route's ssthresh.
client:tcp_source { to = server, port = 7100, bytes = 3000 }
hs.run "2s"
client:route_replace { to = subnet, dev = "eth0", initcwnd = 8, ssthresh = 8, lock = "ssthresh" }

-- cwnd after each ACK, and segments in each round trip.
local after_ack, counts, first = {}, {}, nil
hs.on("frame.tx", function(e)
  local tcp = e.packet.tcp
  if not tcp or tcp.len == 0 then return end
  first = first or e.time
  local round = math.floor((e.time - first) / rtt + 1e-6) + 1
  counts[round] = (counts[round] or 0) + 1
end, { node = client })
hs.on("tcp.cwnd", function(e)
  if first and e.time > first then after_ack[#after_ack + 1] = e.cwnd end
end, { node = client })
client:tcp_source { to = server, port = 7100, congestion = "reno" }
hs.run(rtt * 8.5)

local eight = table.concat(after_ack, ", ", 1, 8)
hs.note({
  en = "cwnd is 8, and so is ssthresh. After each of the first eight ACKs: %s",
  zh = "cwnd 和 ssthresh 都是 8。最初八个 ACK 中每一个之后：%s",
}, eight)
hs.note({ en = "Segments in each round trip: %s", zh = "每个往返中的报文段数：%s" }, table.concat(counts, ", "))
local mss = 536
local bytes = 8 * mss
for _ = 1, 8 do bytes = bytes + mss * mss // bytes end
hs.note({
  en = "With MSS * MSS / cwnd bytes added at each ACK, in whole bytes, it would be %.2f after eight.",
  zh = "如果每个 ACK 增加 MSS * MSS / cwnd 字节，取整字节，八个之后就是 %.2f。",
}, bytes / mss)
hs.expect_equal("the eighth ACK makes 9 of 8", eight, "8, 8, 8, 8, 8, 8, 8, 9")
hs.expect_equal("then it takes nine to make 10", table.concat(after_ack, ", ", 9, 17), "9, 9, 9, 9, 9, 9, 9, 9, 10")
hs.expect_equal("one segment more in each round", counts, { 8, 9, 10, 11, 12, 13, 14, 15 })
hs.expect_near("byte arithmetic would give 8.94", bytes / mss, 8.94, 0.005)

hs.translate("zh", {
  ["the eighth ACK makes 9 of 8"] = "第八个 ACK 使 8 变成 9",
  ["then it takes nine to make 10"] = "然后需要九个才成为 10",
  ["one segment more in each round"] = "每轮多一个报文段",
  ["byte arithmetic would give 8.94"] = "按字节计算会得到 8.94",
})
