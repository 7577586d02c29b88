-- TCP-CC-01  Collapse without control.
-- In 1986 the Internet collapsed: hosts sent windows of a fixed size and, when packets were lost, sent everything again. The queues were full
-- of copies of what had arrived already; the more load, the less got through (Jacobson 1988, RFC 896, RFC 2914 3). Congestion control makes
-- each sender reduce its window at a loss: then the same bottleneck stays full of useful packets, however many share it.
-- tshark-allow: This frame is a (suspected) out-of-order segment (repetitions of what was lost come late)
-- tshark-allow: Previous segment(s) not captured (what is lost never arrives)
-- tshark-allow: TCP window specified by the receiver is now completely full (the receiver's window is the limit for a while)
local hs = require "hopscope"
hs.title { en = "TCP-CC-01 Collapse without control", zh = "TCP-CC-01 没有控制时的崩溃" }

local rate, seconds = 2e6, 8
-- An old host: a window of 20 segments whatever happens (hopscope.tcp_quirks 0x1000), no SACK and no timestamps, so that it learns of losses
-- mostly by its timer, and then takes everything for lost.
local old = { ["net.ipv4.tcp_sack"] = 0, ["net.ipv4.tcp_timestamps"] = 0, ["hopscope.tcp_quirks"] = 0x1000 }

-- n senders (connections of one host), one bottleneck. Returns how much of the bottleneck's rate arrives as data, and how much of what was sent
-- was sent before.
local function run(n, control)
  local name = (control and "control-" or "fixed-") .. n .. "-"
  local client, r, server = hs.host(name .. "client", { sysctl = control and {} or old }), hs.router(name .. "r"), hs.host(name .. "server")
  hs.link(client, r, { rate = "100Mbps", delay = "1ms" })
  hs.link(r, server, { rate = rate, delay = "20ms", queue = 30 })
  local sink = server:tcp_sink(7100)
  hs.prepare()
  if not control then client:route_replace { to = "default", via = client:route_get(server).via, initcwnd = 20 } end
  for i = 1, n do client:tcp_source { to = server, port = 7100, congestion = "reno", start = 0.01 * i } end
  hs.run "2s"
  local before = sink:stats().bytes
  hs.run(seconds)
  local goodput = (sink:stats().bytes - before) * 8 / seconds
  local sent, again = client:counter "TcpOutSegs", client:counter "TcpRetransSegs"
  client:power(false)
  return { share = goodput / rate, again = again / (sent + again) }
end

hs.note {
  en = "A bottleneck of 2 Mbit/s with a queue of 30 packets. More and more senders want to use it.",
  zh = "瓶颈为 2 Mbit/s，队列可放 30 个分组。想用它的发送方越来越多。",
}
local fixed, control = {}, {}
local numbers = { 1, 4, 16, 64 }
for _, n in ipairs(numbers) do
  fixed[n], control[n] = run(n, false), run(n, true)
  hs.note({
    en = "%2d senders: with fixed windows %3.0f %% of the rate is useful, %2.0f %% of the segments are repetitions; with control %.0f %%, %2.0f %%.",
    zh = "%2d 个发送方：用固定窗口时，速率的 %3.0f %% 是有用的，报文段的 %2.0f %% 是重复；有控制时为 %.0f %% 和 %2.0f %%。",
  }, n, 100 * fixed[n].share, 100 * fixed[n].again, 100 * control[n].share, 100 * control[n].again)
end
-- A frame of 1538 byte times carries 1448 bytes, or 1460 without timestamps: 94 or 95 % at best.
local best = 1448 / 1538
hs.expect_near("one sender's window fits: no loss, all of the capacity", fixed[1].share, 1460 / 1538, 0.01)
for i = 2, #numbers do
  hs.expect(string.format("fixed windows: goodput falls from %d to %d senders", numbers[i - 1], numbers[i]),
    fixed[numbers[i]].share < fixed[numbers[i - 1]].share, fixed[numbers[i]].share)
end
hs.expect("with 64 nearly half of the capacity is wasted, and as much of what is sent are repetitions", fixed[64].share < 0.6 and fixed[64].again > 0.4, fixed[64])
for _, n in ipairs(numbers) do
  hs.expect(string.format("with control it holds near capacity: %d senders", n), control[n].share > 0.95 * best, control[n].share)
end

hs.translate("zh", {
  ["one sender's window fits: no loss, all of the capacity"] = "一个发送方的窗口合适：没有丢失，用到全部容量",
  ["fixed windows: goodput falls from {} to {} senders"] = "固定窗口：有效吞吐量从 {} 个发送方到 {} 个逐渐下降",
  ["with 64 nearly half of the capacity is wasted, and as much of what is sent are repetitions"] = "有 64 个时近一半的容量被浪费，所发送的也有那么多是重复",
  ["with control it holds near capacity: {} senders"] = "有控制时保持接近容量：{} 个发送方",
})
