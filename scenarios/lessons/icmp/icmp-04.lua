-- ICMP-04  Ping without an answer.
-- ping waits for each reply; what does not come back counts as lost: loss = (n - m) / n for n requests and m replies. But silence
-- has many causes, and ping cannot tell them apart: the request was lost, the reply was lost, or the target is well and just does
-- not answer pings. "No answer, so the host is down" proves too much.
local hs = require "hopscope"
hs.title { en = "ICMP-04 Ping without an answer", zh = "ICMP-04 没有应答的 ping" }

local function pair(name)
  local p = { a = hs.host("a" .. name), b = hs.host("b" .. name) }
  p.link = hs.link(p.a, p.b)
  p.a:spawn(function(os) p.ping = os.ping(p.b.name, { count = 10, timeout = "1s" }) end)
  return p
end
local lost_request, lost_reply, filtered = pair "1", pair "2", pair "3"

hs.note({
  en = "Three pairs of hosts, ten pings each. The first link loses requests 3 and 7, the second replies 3 and 7; in the third pair the target has been told not to answer pings (net.ipv4.icmp_echo_ignore_all).",
  zh = "三对主机，各 ping 十次。第一条链路丢失请求 3 和 7，第二条丢失应答 3 和 7；第三对的目标被告知不要应答 ping（net.ipv4.icmp_echo_ignore_all）。",
})
lost_request.link:dir(lost_request.a):rule(function(p)
  if p.icmp and (p.icmp.seq == 3 or p.icmp.seq == 7) then return "drop" end
end)
lost_reply.link:dir(lost_reply.b):rule(function(p)
  if p.icmp and (p.icmp.seq == 3 or p.icmp.seq == 7) then return "drop" end
end)
filtered.b:sysctl("net.ipv4.icmp_echo_ignore_all", true)
hs.run "15s"

for _, p in ipairs { lost_request, lost_reply, filtered } do
  print("    " .. p.ping.lines[#p.ping.lines - 1])
end
local function seen_by_ping(p)
  local seqs = {}
  for _, reply in ipairs(p.ping.replies) do seqs[#seqs + 1] = reply.seq end
  return { sent = p.ping.sent, received = p.ping.received, loss = p.ping.loss, seqs = seqs }
end
local two_missing = { sent = 10, received = 8, loss = (10 - 8) / 10, seqs = { 1, 2, 4, 5, 6, 8, 9, 10 } }
hs.expect_equal("two lost requests: loss (10 - 8) / 10", seen_by_ping(lost_request), two_missing)
hs.expect_equal("two lost replies look exactly the same", seen_by_ping(lost_reply), two_missing)
hs.expect_equal("only the target knows better: here it heard 8 requests", lost_request.b:counter "IcmpInEchos", 8)
hs.expect_equal("and here all 10", lost_reply.b:counter "IcmpInEchos", 10)
hs.expect_equal("the silent target: loss (10 - 0) / 10", seen_by_ping(filtered), { sent = 10, received = 0, loss = 1.0, seqs = {} })

hs.note {
  en = "100 % loss in the third pair. Is that host down? Ask it something else: its UDP echo service.",
  zh = "第三对丢失 100 %。那台主机停机了吗？问它点别的：它的 UDP 回送服务。",
}
local answer
filtered.b:udp_echo(7)
filtered.a:spawn(function(os)
  local sock = os.udp():connect(filtered.b.name, 7)
  sock:send "alive?"
  answer = sock:recv "1s"
end)
hs.run "2s"
hs.expect_equal("the host that answers no ping is alive", answer, "alive?")

hs.translate("zh", {
  ["two lost requests: loss (10 - 8) / 10"] = "两个丢失的请求：丢失率 (10 - 8) / 10",
  ["two lost replies look exactly the same"] = "两个丢失的应答看起来完全一样",
  ["only the target knows better: here it heard 8 requests"] = "只有目标更清楚：在这里它听到 8 个请求",
  ["and here all 10"] = "在这里 10 个全都听到",
  ["the silent target: loss (10 - 0) / 10"] = "沉默的目标：丢失率 (10 - 0) / 10",
  ["the host that answers no ping is alive"] = "不应答 ping 的主机是活着的",
})
