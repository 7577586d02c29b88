-- ICMP-15  mtr: loss per hop.
-- ping tells how much is lost between two ends, not where. mtr sends probes with TTL 1, 2, 3, ... again and again and counts for
-- each hop: loss that begins at one hop and goes on behind it is on the link before it. Some routers answer no ICMP probes: with
-- UDP probes (option -u) they show themselves. And loss at one hop only is none: that router just limits how often it answers.
local hs = require "hopscope"
hs.title { en = "ICMP-15 mtr: loss per hop", zh = "ICMP-15 mtr：每一跳的丢失" }

local function network(name)
  local n = { a = hs.host("a" .. name), r1 = hs.router("r1" .. name), r2 = hs.router("r2" .. name), r3 = hs.router("r3" .. name),
              b = hs.host("b" .. name) }
  n.link1 = hs.link(n.a, n.r1, { delay = "1ms" })
  n.link2 = hs.link(n.r1, n.r2, { delay = "1ms" })
  n.link3 = hs.link(n.r2, n.r3, { delay = "1ms" })
  n.link4 = hs.link(n.r3, n.b, { delay = "1ms" })
  n.mtr = function(options)
    local result
    options.print = true
    n.a:spawn(function(os) result = os.mtr(n.b.name, options) end)
    hs.run(hs.seconds "1s" * (options.cycles + 10))
    return result.hops
  end
  return n
end
local function column(hops, field)
  local list = {}
  for i, hop in ipairs(hops) do list[i] = hop[field] or "*" end
  return list
end

hs.note {
  en = "Link 3, between r2 and r3, loses 10 % of what goes towards b. First an end-to-end ping, then mtr.",
  zh = "r2 和 r3 之间的链路 3 丢失去往 b 方向的 10 %。先做端到端的 ping，再用 mtr。",
}
local n = network ""
n.link3:dir(n.r2):set { loss = 0.1 }
local ping
n.a:spawn(function(os) ping = os.ping("b", { count = 200, timeout = "1s" }) end)
hs.run "210s"
hs.note({ en = "ping: %.1f %% loss. Somewhere.", zh = "ping：丢失 %.1f %%。在某个地方。" }, ping.loss * 100)
local lost = hs.frames { link = n.link3, on = "drop", filter = function(p, e) return p.icmp and e.reason == "random loss" end }
local hops = n.mtr { cycles = 200 }
hs.expect_equal("mtr finds all hops", column(hops, "address"), { n.r1:addr(), n.r2:addr(), n.r3:addr(), n.b:addr() })
hs.expect_equal("no loss at hops 1 and 2", { hops[1].loss, hops[2].loss }, { 0.0, 0.0 })
-- 200 probes, 10 %: 20 lost on average, with a standard deviation of sqrt(200 * 0.1 * 0.9) = 4.2; four of them are 17, 8.5 %.
hs.expect_between("10 % loss shows at hop 3", hops[3].loss, 0.015, 0.185)
hs.expect_between("and at hop 4 behind it", hops[4].loss, 0.015, 0.185)
hs.expect_equal("what is missing at hops 3 and 4 is what link 3 lost",
  (hops[3].sent - hops[3].received) + (hops[4].sent - hops[4].received), #lost)
hs.expect_between("ping saw the same share, from end to end", ping.loss, 0.015, 0.185)

hs.note {
  en = "Another network without loss. A filter keeps r2 from answering ICMP probes; others it answers.",
  zh = "另一个没有丢失的网络。有一个过滤器不让 r2 应答 ICMP 探测；其他的它照样应答。",
}
local f = network "f"
f.link2:dir(f.r2):rule(function(p)
  if p.icmp and p.icmp.type == 11 and p.quoted and p.quoted.icmp and p.ip.src == f.r2:addr() then return "drop" end
end)
hops = f.mtr { cycles = 10 }
hs.expect_equal("with ICMP probes hop 2 is a gap", column(hops, "address"), { f.r1:addr(), "*", f.r3:addr(), f.b:addr() })
hs.expect_equal("with 100 % loss, and none behind it", column(hops, "loss"), { 0.0, 1.0, 0.0, 0.0 })
hs.note { en = "The same with UDP probes, mtr -u.", zh = "同样的事，用 UDP 探测，mtr -u。" }
hops = f.mtr { cycles = 10, udp = true }
hs.expect_equal("with UDP probes there is no gap", column(hops, "address"), { f.r1:addr(), f.r2:addr(), f.r3:addr(), f.b:addr() })
hs.expect_equal("and no loss", column(hops, "loss"), { 0.0, 0.0, 0.0, 0.0 })

hs.note {
  en = "A third one: r2 sends at most one error every 4 s to the same host (net.ipv4.icmp_ratelimit), as many routers do.",
  zh = "第三个网络：r2 对同一台主机每 4 s 最多发送一个差错报文（net.ipv4.icmp_ratelimit），许多路由器都是这样。",
}
local l = network "l"
l.r2:sysctl("net.ipv4.icmp_ratelimit", 4000)
hops = l.mtr { cycles = 40 }
hs.expect("loss at hop 2 only", hops[2].loss > 0.5 and hops[1].loss == 0 and hops[3].loss == 0 and hops[4].loss == 0,
  column(hops, "loss"))
hs.expect_equal("r2 held its answers back: nothing was lost on the links",
  { hops[2].sent - hops[2].received, l.link2:stats().ab.lost_packets + l.link2:stats().ba.lost_packets },
  { l.r2:counter "IcmpOutRateLimitHost", 0 })
hs.expect_equal("the packets through r2 all arrived", hops[4].received, 40)

hs.translate("zh", {
  ["mtr finds all hops"] = "mtr 找到所有的跳",
  ["no loss at hops 1 and 2"] = "第 1 和第 2 跳没有丢失",
  ["10 % loss shows at hop 3"] = "第 3 跳显示丢失 10 %",
  ["and at hop 4 behind it"] = "它后面的第 4 跳也是",
  ["what is missing at hops 3 and 4 is what link 3 lost"] = "第 3 和第 4 跳缺少的正是链路 3 丢失的",
  ["ping saw the same share, from end to end"] = "ping 从端到端看到同样的比例",
  ["with ICMP probes hop 2 is a gap"] = "用 ICMP 探测，第 2 跳是空缺",
  ["with 100 % loss, and none behind it"] = "丢失 100 %，而后面没有丢失",
  ["with UDP probes there is no gap"] = "用 UDP 探测就没有空缺",
  ["and no loss"] = "也没有丢失",
  ["loss at hop 2 only"] = "只有第 2 跳有丢失",
  ["r2 held its answers back: nothing was lost on the links"] = "r2 扣住了应答：链路上什么也没有丢失",
  ["the packets through r2 all arrived"] = "经过 r2 的分组全部到达",
})
