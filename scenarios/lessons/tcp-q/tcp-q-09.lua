-- TCP-Q-09  SYN flood.
-- SYNs with forged sources are answered into the void. Each occupies a place among the half-open connections until the server gives up:
-- 1 + 2 + 4 + 8 + 16 + 32 = 63 s with five SYN-ACK retries. While the queue is full, honest clients are refused (RFC 4987 2).
-- A forged source that does exist answers the SYN-ACK with RST, and its entry is freed at once.
-- tshark-allow: Connection reset (RST) (the bystander answers with RST what it did not ask for)
local hs = require "hopscope"
hs.title { en = "TCP-Q-09 SYN flood", zh = "TCP-Q-09 SYN 泛洪" }

local r, server, client, attacker = hs.router "r", hs.host "server", hs.host "client", hs.host "attacker"
local bystander = hs.host "bystander"
for _, h in ipairs { server, client, attacker, bystander } do hs.link(h, r, { delay = "1ms" }) end
r:route { to = "10.66.0.0/16", type = "blackhole" }
server:sysctl("net.ipv4.tcp_syncookies", 0)
client:sysctl("net.ipv4.tcp_syn_retries", 1)  -- an honest client gives up after 1 + 1 s

server:spawn(function(os)
  local listener = os.tcp():bind(5000):listen(3)
  while true do listener:accept():close() end
end)
for _, h in ipairs { client, attacker, bystander } do h:ping("server", { count = 1 }) end
hs.expect_equal("five SYN-ACK retries", server:sysctl "net.ipv4.tcp_synack_retries", 5)

hs.note {
  en = "A forged source that exists: the bystander gets a SYN-ACK for which it has no socket, and answers RST.",
  zh = "一个确实存在的伪造源地址：旁观者收到一个 SYN-ACK，却没有与它对应的套接字，便以 RST 应答。",
}
local rng = hs.rng "sources"
local function flood(src)
  attacker:forge { to = server, dport = 5000, src = src, sport = rng:integer(1024, 65535), seq = rng:integer(0, 4294967295) }
end
local during
hs.after(0.0025, function() during = #server:sockets "SYN-RECEIVED" end) -- the SYN takes 2 ms, SYN-ACK and RST 4 ms
flood(bystander)
hs.run "10ms"
hs.expect_equal("its entry is freed at once", { during, #server:sockets "SYN-RECEIVED" }, { 1, 0 })

hs.note {
  en = "The flood: 20 SYNs a second for 63.5 s from addresses that do not exist. An honest client tries to connect every second.",
  zh = "泛洪：63.5 s 之内每秒 20 个 SYN，来自不存在的地址。一个诚实的客户端每秒尝试连接一次。",
}
local t0 = hs.now()
local tried, served, last = 0, 0, nil
hs.every("50ms", function()
  if hs.now() > t0 + 63.5 then return false end
  flood(string.format("10.66.%d.%d", rng:integer(0, 255), rng:integer(1, 254)))
  last = hs.now()
end)
local first_after
hs.every("1s", function()
  local at = hs.now()
  client:spawn(function(os)
    local conn = os.tcp():connect("server", 5000)
    if at < t0 + 63.5 then
      tried, served = tried + 1, served + (conn and 1 or 0)
    elseif conn and not first_after then
      first_after = hs.now()
    end
  end)
  return at < t0 + 140
end)
hs.run_until(t0 + 60)
local at_limit = #server:sockets "SYN-RECEIVED"
hs.run_until(t0 + 150)
hs.note({
  en = "%d half-open entries, the limit. %d of %d honest attempts succeeded. The first success after the flood came %.0f s after its last SYN.",
  zh = "%d 个半开连接项，这就是上限。诚实的尝试成功了 %d 次，共 %d 次。泛洪之后的第一次成功在它的最后一个 SYN 之后 %.0f s。",
}, at_limit, served, tried, first_after - last)
hs.expect_equal("the half-open queue is full (backlog 3, and one more)", at_limit, 4)
hs.expect("hardly anybody is served", served <= tried // 20, served .. " of " .. tried)
-- The first entries came with the flood and died after 63 s; those that took their places at 63.0 to 63.2 s live until 126.2 s.
hs.expect_near("it recovers 63 s after the flood stops", first_after - last, "63s", "1s")
hs.run "100s"
hs.expect_equal("the queue is empty in the end", #server:sockets "SYN-RECEIVED", 0)

hs.note { en = "How long does one entry live? One more forged SYN.", zh = "一个连接项能存活多久？再来一个伪造的 SYN。" }
flood("10.66.1.1")
local came = hs.now()
hs.run "62.9s"
local still = #server:sockets "SYN-RECEIVED"
hs.run "200ms"
hs.expect_equal("it lives 63 s", { still, #server:sockets "SYN-RECEIVED" }, { 1, 0 })

hs.note {
  en = "A longer queue is better off: when more than half of the backlog is taken, Linux resends fewer SYN-ACKs, down to two, so that entries die after 7 s.",
  zh = "较长的队列情形好些：backlog 被占用一半以上时，Linux 减少重传 SYN-ACK 的次数，最少两次，于是连接项在 7 s 之后消失。",
}
local big = hs.host "big"
hs.link(big, r, { delay = "1ms" })
big:sysctl("net.ipv4.tcp_syncookies", 0)
big:spawn(function(os)
  os.tcp():bind(5000):listen(128)
  os.sleep "1h"
end)
for i = 1, 200 do attacker:forge { to = big, dport = 5000, src = "10.66.2." .. i, sport = 2000 + i, seq = i } end
hs.run "6.9s"
local before = #big:sockets "SYN-RECEIVED"
hs.run "200ms"
local after = #big:sockets "SYN-RECEIVED"
hs.note({ en = "%d entries after 6.9 s, %d after 7.1 s.", zh = "6.9 s 之后有 %d 个连接项，7.1 s 之后有 %d 个。" }, before, after)
hs.expect_equal("the queue is full: 128 and one more", before, 129)
-- those that remain: half of the backlog does not count as crowded
hs.expect("half of them are gone after 7 s", after <= 64, after)
hs.run "56s"
hs.expect_equal("the others after 63 s", #big:sockets "SYN-RECEIVED", 0)

hs.translate("zh", {
  ["five SYN-ACK retries"] = "SYN-ACK 重传五次",
  ["its entry is freed at once"] = "它的连接项立刻释放",
  ["the half-open queue is full (backlog 3, and one more)"] = "半开队列已满（backlog 3，再加一个）",
  ["hardly anybody is served"] = "几乎没有人得到服务",
  ["it recovers 63 s after the flood stops"] = "泛洪停止 63 s 之后恢复",
  ["the queue is empty in the end"] = "最后队列是空的",
  ["it lives 63 s"] = "它存活 63 s",
  ["the queue is full: 128 and one more"] = "队列已满：128 再加一个",
  ["half of them are gone after 7 s"] = "其中一半在 7 s 之后消失",
  ["the others after 63 s"] = "其他的在 63 s 之后",
})
