-- TCP-Q-13  Fewer SYN-ACK retries.
-- A half-open entry lives as long as its SYN-ACK is repeated: with five retries 1 + 2 + 4 + 8 + 16 + 32 = 63 s, with one 1 + 2 = 3 s. Under a
-- constant flood the queue settles at rate times lifetime (Little's law), so fewer retries mean a shorter queue; on a lossy network they
-- also mean that honest handshakes fail sooner: a trade-off (Linux reqsk_timer_handler).
local hs = require "hopscope"
hs.title { en = "TCP-Q-13 Fewer SYN-ACK retries", zh = "TCP-Q-13 减少 SYN-ACK 的重传" }

local RATE = 2 -- SYNs a second
local r, attacker = hs.router "r", hs.host "attacker"
hs.link(attacker, r, { delay = "1ms" })
r:route { to = "10.66.0.0/16", type = "blackhole" }

local servers = {}
for _, retries in ipairs { 5, 1 } do
  local server = hs.host("retries" .. retries)
  hs.link(server, r, { delay = "1ms" })
  server:sysctl("net.ipv4.tcp_synack_retries", retries)
  server:spawn(function(os)
    os.tcp():bind(5000):listen(4096) -- long enough, so that it is never half full
    os.sleep "1h"
  end)
  servers[retries] = server
end
hs.note {
  en = "Two servers get 2 forged SYNs a second; one repeats its SYN-ACKs five times, the other once.",
  zh = "两台服务器每秒各收到 2 个伪造的 SYN；一台重传 SYN-ACK 五次，另一台一次。",
}
local n = 0
hs.every(1 / RATE, function()
  n = n + 1
  for _, retries in ipairs { 5, 1 } do
    attacker:forge { to = servers[retries], dport = 5000, src = string.format("10.66.%d.%d", n // 250, n % 250 + 1), sport = 2000 + n, seq = n }
  end
end)
local sum, samples = { [5] = 0, [1] = 0 }, 0
hs.run "100.3s" -- longer than a lifetime: the queues are steady, and we look between two SYNs
local entry = { [5] = servers[5]:sockets "SYN-RECEIVED", [1] = servers[1]:sockets "SYN-RECEIVED" }
for _ = 1, 60 do
  hs.run "1s"
  samples = samples + 1
  for retries, server in pairs(servers) do sum[retries] = sum[retries] + #server:sockets "SYN-RECEIVED" end
end
hs.note({
  en = "Half-open entries on average: %.1f with five retries, %.1f with one.",
  zh = "平均的半开连接项数：重传五次时 %.1f，重传一次时 %.1f。",
}, sum[5] / samples, sum[1] / samples)
hs.expect_equal("5 retries: 63 s times 2 a second", sum[5] / samples, 63 * RATE)
hs.expect_equal("1 retry: 3 s times 2 a second", sum[1] / samples, 3 * RATE)
hs.expect_equal("so the queue is proportional to the lifetime", sum[5] / sum[1], 63 / 3)
local most = { [5] = 0, [1] = 0 }
for retries, list in pairs(entry) do
  for _, e in ipairs(list) do most[retries] = math.max(most[retries], e.retransmits) end
end
hs.expect_equal("the oldest entries have had all their retries", { most[5], most[1] }, { 5, 1 })

hs.translate("zh", {
  ["5 retries: 63 s times 2 a second"] = "重传 5 次：63 s 乘以每秒 2 个",
  ["1 retry: 3 s times 2 a second"] = "重传 1 次：3 s 乘以每秒 2 个",
  ["so the queue is proportional to the lifetime"] = "所以队列与存活时间成正比",
  ["the oldest entries have had all their retries"] = "最老的连接项已经重传完毕",
})
