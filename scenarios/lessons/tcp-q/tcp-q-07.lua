-- TCP-Q-07  Half-open limit.
-- How many half-open connections a listener may have depends on its backlog, on somaxconn and on tcp_max_syn_backlog. Since Linux 4.4
-- the limit is that of the accept queue: min(backlog, somaxconn); a SYN is refused when more than that are there, so one more gets in
-- (today's Linux, seen on 6.18; at first the queue was full when it had reached the limit). Before, it was a power of two above the smallest of all three
-- (at least 8), often quoted as "twice the minimum". Without SYN cookies the last quarter of tcp_max_syn_backlog is kept for peers
-- that are known to exist (Linux inet_csk_reqsk_queue_is_full, tcp_conn_request; reqsk_queue_alloc before 4.4).
local hs = require "hopscope"
hs.title { en = "TCP-Q-07 Half-open limit", zh = "TCP-Q-07 半开连接的上限" }

local r, attacker = hs.router "r", hs.host "attacker"
hs.link(attacker, r)
r:route { to = "10.66.0.0/16", type = "blackhole" }
local n = 0

-- Floods a new server with SYNs and says how many became half-open entries.
local function entries(max_syn_backlog, somaxconn, backlog, options)
  n = n + 1
  local server = hs.host("server" .. n)
  hs.link(server, r)
  server:sysctl("net.ipv4.tcp_max_syn_backlog", max_syn_backlog)
  server:sysctl("net.core.somaxconn", somaxconn)
  for name, value in pairs(options) do server:sysctl(name, value) end
  server:spawn(function(os)
    os.tcp():bind(5000):listen(backlog)
    os.sleep "1h"
  end)
  for i = 1, 2200 do
    hs.after(i * 1e-5, function()
      attacker:forge { to = server, dport = 5000, src = string.format("10.66.%d.%d", i // 250, i % 250 + 1), sport = i, seq = i }
    end)
  end
  hs.run "900ms"
  local got = #server:sockets "SYN-RECEIVED"
  server:power(false)
  return got
end

local today, before = { ["net.ipv4.tcp_syncookies"] = 1 }, { ["hopscope.tcp_synq_pow2"] = 1 }
-- max_syn_backlog, somaxconn, backlog; min(backlog, somaxconn), the limit since 4.4; limit before: the power of two above max(8, the smallest)
local cases = {
  { 128, 128, 128, 128, 256 },
  { 1024, 128, 128, 128, 256 },
  { 1024, 1024, 128, 128, 256 },
  { 1024, 1024, 1024, 1024, 2048 },
  { 100, 4096, 4096, 4096, 128 },
  { 4096, 4096, 5, 5, 16 },
}
hs.note {
  en = "max_syn_backlog, somaxconn, backlog: entries since Linux 4.4, entries before",
  zh = "max_syn_backlog、somaxconn、backlog：Linux 4.4 以来的连接项数，以前的连接项数",
}
for _, c in ipairs(cases) do
  local now = c[4] < 2200 and entries(c[1], c[2], c[3], today) or nil
  local old = entries(c[1], c[2], c[3], before)
  hs.note(string.format("%d, %d, %d: %s, %d", c[1], c[2], c[3], now or "-", old))
  local what = string.format("max_syn_backlog %d, somaxconn %d, backlog %d", c[1], c[2], c[3])
  if now then hs.expect_equal(what .. ", today: min(backlog, somaxconn), and one more", now, c[4] + 1) end
  hs.expect_equal(what .. ", Linux before 4.4: a power of two", old, c[5])
end
hs.note {
  en = "Raising max_syn_backlog alone (second line) changed nothing; raising all three (fourth line) did.",
  zh = "只提高 max_syn_backlog（第二行）毫无作用；三者一起提高（第四行）才有用。",
}
local reserved = entries(128, 128, 128, { ["net.ipv4.tcp_syncookies"] = 0 })
hs.note({
  en = "Without cookies unknown peers get %s of 128: the last quarter of max_syn_backlog is for known peers.",
  zh = "没有 cookie 时，未知的对端得到 128 中的 %s 个：max_syn_backlog 的最后四分之一留给已知的对端。",
}, reserved)
-- refused when less than 128/4 = 32 are left: 128 - entries < 32
hs.expect_equal("without cookies: 128 - 32 + 1", reserved, 97)

hs.translate("zh", {
  ["max_syn_backlog {}, somaxconn {}, backlog {}, today: min(backlog, somaxconn), and one more"] = "max_syn_backlog {}，somaxconn {}，backlog {}，如今：min(backlog, somaxconn) 再加一个",
  ["max_syn_backlog {}, somaxconn {}, backlog {}, Linux before {}: a power of two"] = "max_syn_backlog {}，somaxconn {}，backlog {}，{} 之前的 Linux：二的幂",
  ["without cookies: 128 - 32 + 1"] = "没有 cookie：128 - 32 + 1",
})
