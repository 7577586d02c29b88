-- TCP-FC-09  Probes while the window is still closed.
-- The first probe goes out one retransmission timeout after the window closed. Each answer that still says 0 restarts the timer with
-- twice the time, up to 120 s (Linux TCP_RTO_MAX). This may go on for ever: as long as probes are answered, the connection stays open
-- (RFC 9293 3.8.6.1, MUST-37). Linux does not probe with a byte of data, as RFC 9293 has it, but with an empty segment of number SND.UNA - 1.
-- tshark-allow: TCP window specified by the receiver is now completely full (a full window is what is shown)
-- tshark-allow: TCP Zero Window segment (a closed window is what is shown)
local hs = require "hopscope"
hs.title { en = "TCP-FC-09 Probes while still closed", zh = "TCP-FC-09 窗口关闭期间的探测" }

local client, server = hs.host "client", hs.host "server"
local rtt = 0.020
hs.link(client, server, { delay = rtt / 2 })
client:ping("server", { count = 1 })
local patience = 10 * 3600
local got = 0
server:spawn(function(os)
  local peer = os.tcp({ rcvbuf = 8192 }):bind(7100):listen(1):accept()
  os.sleep(patience)
  for data in function() return peer:read() end do got = got + #data end
end)
local conn = client:tcp():connect("server", 7100)

local probes, answered, closed, wrong, una = {}, {}, nil, 0, nil
hs.on("frame.rx", function(e)
  local tcp = e.packet.tcp
  if tcp then
    una = tcp.ackno
    if tcp.window == 0 then closed = closed or e.time end
    answered[#probes] = true
  end
end, { node = client })
hs.on("frame.tx", function(e)
  local tcp = e.packet.tcp
  if not closed or not tcp then return end
  probes[#probes + 1] = e.time
  if tcp.len ~= 0 or tcp.seq ~= una - 1 then wrong = wrong + 1 end
end, { node = client })

hs.note {
  en = "The server's program reads nothing for ten hours. The client has 100000 bytes for it.",
  zh = "服务器的程序十小时什么也不读。客户端有 100000 字节要给它。",
}
client:spawn(function() conn:write(hs.payload(100000)) end)
hs.run "150ms"
local rto = conn:info().rto / 1e6
hs.run(patience - 1)
local n, state, still_wrong = #probes, conn:state(), wrong
local gaps = { probes[1] - closed }
for i = 2, n do gaps[i] = probes[i] - probes[i - 1] end
local words = {}
for i = 1, 12 do words[i] = string.format("%.2f", gaps[i]) end
hs.note({ en = "Seconds between the probes: %s, …", zh = "探测之间的秒数：%s，…" }, table.concat(words, ", "))
hs.note({ en = "After ten hours: %d probes, and the connection is %s.", zh = "十小时之后：%d 个探测，连接处于 %s。" }, n, state)
hs.run "10s"

-- The timer starts when the answer comes, a round trip after the probe; the first one when the zero window is heard of. Linux answers
-- out-of-window segments only twice a second (tcp_invalid_ratelimit): a probe without answer starts the timer itself.
hs.expect_near("the first probe after one RTO", gaps[1], rto, 0.001)
local k, longest = 2, 0
while rto * 2 ^ (k - 1) < 120 do
  local from = answered[k - 1] and "the answer to the one before" or "the one before, which was too early for an answer"
  hs.expect_near(string.format("probe %d: %d times the RTO after %s", k, 2 ^ (k - 1), from),
    gaps[k] - (answered[k - 1] and rtt or 0), rto * 2 ^ (k - 1), 0.001)
  k = k + 1
end
local capped = 0
for i = k, n do
  if math.abs(gaps[i] - rtt - 120) < 0.001 then capped = capped + 1 end
end
hs.expect_equal("all others 120 s after the answer", capped, n - k + 1)
hs.expect("those were hundreds", capped > 250, capped)
hs.expect("only the second had no answer", not answered[2] and answered[1] and #answered >= n - 1, answered)
hs.expect_equal("each is empty and has the number SND.UNA - 1", still_wrong, 0)
hs.expect_equal("the connection has not given up, though more than tcp_retries2 (15) probes were sent", state, "ESTABLISHED")
hs.expect_equal("when the program reads at last, everything arrives", got, 100000)

hs.translate("zh", {
  ["the first probe after one RTO"] = "第一个探测在一个 RTO 之后",
  ["probe {}: {} times the RTO after the answer to the one before"] = "探测 {}：在对前一个的应答之后 {} 倍 RTO",
  ["probe 3: 4 times the RTO after the one before, which was too early for an answer"] = "探测 3：在前一个之后 4 倍 RTO，前一个太早，没有应答",
  ["all others 120 s after the answer"] = "其他的都在应答之后 120 s",
  ["those were hundreds"] = "那有几百个",
  ["only the second had no answer"] = "只有第二个没有应答",
  ["each is empty and has the number SND.UNA - 1"] = "每个都是空的，编号为 SND.UNA - 1",
  ["the connection has not given up, though more than tcp_retries2 (15) probes were sent"] = "连接没有放弃，尽管发送的探测多于 tcp_retries2（15）",
  ["when the program reads at last, everything arrives"] = "程序终于读取时，全部到达",
})
