-- TCP-RTX-04  RTO follows measured RTT.
-- Each acknowledged segment is a sample R of the round-trip time. SRTT moves by 1/8 of the way towards it, the mean deviation RTTVAR by 1/4
-- towards the distance; the timeout is RTO = SRTT + max(G, 4 x RTTVAR), G the clock's grain (RFC 6298 2); before the first sample it is 1
-- s, and never less. Linux differs: the variance term, not the sum, has a floor, of 200 ms, so RTO >= SRTT + 200 ms; and a falling RTT
-- raises RTTVAR by an eighth of that only (tcp_rtt_estimator).
local hs = require "hopscope"
hs.title { en = "TCP-RTX-04 RTO follows measured RTT", zh = "TCP-RTX-04 RTO 随测得的 RTT 变化" }

-- One-way delays of the path, in ms, one for each question and answer.
local DELAYS = { 200, 200, 200, 300, 450, 450, 250, 200, 600, 150, 150, 100, 50, 20, 10, 10, 10, 10, 10, 10 }

-- Samples and what the sender made of them: { sample, srtt, rttvar, rto }, in seconds; and its RTO before the first one.
local function measure(name, quirks)
  local client, server = hs.host("client-" .. name, { sysctl = { ["hopscope.tcp_quirks"] = quirks } }), hs.host("server-" .. name)
  local link = hs.link(client, server, { delay = "200ms" })
  client:arp_set(server, server:dev().mac)
  server:arp_set(client, client:dev().mac)
  local rows, first = {}, nil
  hs.on("tcp.rtt", function(e)
    rows[#rows + 1] = { e.sample_us / 1e6, e.srtt_us / 1e6, e.rttvar_us / 1e6, e.rto_ms / 1e3 }
  end, { node = client })
  server:spawn(function(os)
    local conn = os.tcp():bind(7):listen(8):accept()
    for data in function() return (conn:read()) end do conn:write(data) end
  end)
  client:spawn(function(os)
    local conn = os.tcp()
    first = conn:info().rto / 1e6
    conn:connect(server, 7)
    for _, delay in ipairs(DELAYS) do
      link:set { delay = delay / 1000 }
      conn:write "a question"
      conn:read()
      os.sleep "1s"
    end
    os.sleep "1h" -- no FIN, which would be a sample, too
  end)
  hs.run "100s"
  return rows, first, client:counter "TcpRetransSegs"
end
local function show(rows)
  for i, r in ipairs(rows) do
    if i <= 12 then hs.note(string.format("  R %.3f s: SRTT %.3f, RTTVAR %.3f, RTO %.3f", table.unpack(r))) end
  end
end

hs.note { en = "To the letter of RFC 6298 (hopscope.tcp_quirks 8):", zh = "严格按照 RFC 6298（hopscope.tcp_quirks 8）：" }
local rfc, first, unneeded = measure("rfc", 8)
show(rfc)
hs.expect_equal("RTO is 1 s initially", first, 1)
hs.expect_equal("samples: the handshake, and every answer", { #rfc, unneeded }, { 1 + #DELAYS, 0 })
local srtt, rttvar, worst, worst_rto, smallest = nil, nil, 0, 0, 1e9
for i, r in ipairs(rfc) do
  local sample = r[1]
  local delay = i == 1 and 200 or DELAYS[i - 1]
  worst = math.max(worst, math.abs(sample - 2 * delay / 1000))
  if not srtt then -- (2.2)
    srtt, rttvar = sample, sample / 2
  else -- (2.3), in this order
    rttvar = 3 / 4 * rttvar + 1 / 4 * math.abs(srtt - sample)
    srtt = 7 / 8 * srtt + 1 / 8 * sample
  end
  local rto = math.max(1, srtt + math.max(0.001, 4 * rttvar)) -- (2.3), (2.4); G is 1 ms
  worst = math.max(worst, math.abs(srtt - r[2]), math.abs(rttvar - r[3]))
  worst_rto = math.max(worst_rto, math.abs(rto - r[4]))
  smallest = math.min(smallest, r[4])
end
-- the stack calculates in microseconds, of which eighths and quarters are cut off
hs.expect("every sample is the path's RTT; every SRTT and RTTVAR equals the reference, to 20 us", worst < 20e-6, worst)
hs.expect("every RTO, to its grain of 1 ms", worst_rto < 0.0011, worst_rto)
hs.expect_equal("its minimum is 1 s, although the RTT is 20 ms in the end", { smallest, rfc[#rfc][1] }, { 1, 0.02 })

hs.note { en = "As Linux does it:", zh = "按照 Linux 的做法：" }
local linux, retransmitted
linux, first, retransmitted = measure("linux", 0)
show(linux)
hs.expect_equal("RTO is 1 s initially here, too", first, 1)
-- in us; srtt8 is 8 x SRTT, dev4 and the others 4 x a deviation; each answer ends a round trip
local srtt8, dev4, max4, var4 = 0, 0, 0, 0
local same, above = true, true
for i, r in ipairs(linux) do
  local R = math.floor(r[1] * 1e6 + 0.5)
  if i == 1 then
    srtt8, dev4 = 8 * R, 2 * R
    var4 = math.max(dev4, 200000)
    max4 = var4
  else
    local err = R - srtt8 // 8
    srtt8 = srtt8 + err
    if err < 0 then
      err = -err - dev4 // 4
      if err > 0 then err = err // 8 end
    else
      err = err - dev4 // 4
    end
    dev4 = dev4 + err
    max4 = math.max(max4, dev4)
    var4 = math.max(var4, max4)
    if max4 < var4 then var4 = var4 - (var4 - max4) // 4 end
    max4 = 200000
  end
  local want = { srtt8 // 8, var4 // 4, (srtt8 // 8 + var4 + 999) // 1000 }
  local got = { math.floor(r[2] * 1e6 + 0.5), math.floor(r[3] * 1e6 + 0.5), math.floor(r[4] * 1e3 + 0.5) }
  for k = 1, 3 do same = same and want[k] == got[k] end
  above = above and r[4] >= r[2] + 0.2
end
hs.expect("every SRTT, RTTVAR and RTO equals Linux's arithmetic exactly", same)
hs.expect("RTO >= SRTT + 200 ms, always", above)
hs.expect_equal("no timeout was too early on this path", retransmitted, 0)

hs.translate("zh", {
  ["RTO is 1 s initially"] = "RTO 起初是 1 s",
  ["samples: the handshake, and every answer"] = "样本：握手，以及每个应答",
  ["every sample is the path's RTT; every SRTT and RTTVAR equals the reference, to 20 us"] = "每个样本都是路径的 RTT；每个 SRTT 和 RTTVAR 都等于参考值，误差 20 us",
  ["every RTO, to its grain of 1 ms"] = "每个 RTO，精确到它的粒度 1 ms",
  ["its minimum is 1 s, although the RTT is 20 ms in the end"] = "它的最小值是 1 s，尽管最后 RTT 是 20 ms",
  ["RTO is 1 s initially here, too"] = "这里 RTO 起初也是 1 s",
  ["every SRTT, RTTVAR and RTO equals Linux's arithmetic exactly"] = "每个 SRTT、RTTVAR 和 RTO 都与 Linux 的算术完全相等",
  ["RTO >= SRTT + 200 ms, always"] = "RTO >= SRTT + 200 ms，总是如此",
  ["no timeout was too early on this path"] = "在这条路径上没有过早的超时",
})
