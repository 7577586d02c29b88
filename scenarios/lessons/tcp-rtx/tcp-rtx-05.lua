-- TCP-RTX-05  RTO too long or too short.
-- A timeout that is much longer than the RTT wastes time after each loss; one that is shorter repeats everything, needlessly, and loads a
-- network that was only slow (RFC 6298 1, RFC 896). So it has to be measured. Twenty questions and answers, two of which are lost; the
-- timeout is fixed (hopscope.tcp_rto_fixed_ms), or measured.
-- tshark-allow: D-SACK Sequence (needless repetitions)
-- tshark-allow: Previous segment(s) not captured (the lost questions)
local hs = require "hopscope"
hs.title { en = "TCP-RTX-05 RTO too long or too short", zh = "TCP-RTX-05 RTO 过长或过短" }

local RTT, QUESTIONS, LOST = 0.1, 20, 2

-- Returns the time for all questions, segments with data sent, and how many arrived twice.
local function session(name, rto_ms)
  -- textbook Reno: no loss probes and no detection of spurious timeouts
  local client = hs.host("client-" .. name, { sysctl = { ["hopscope.tcp_recovery_style"] = 2, ["hopscope.tcp_rto_fixed_ms"] = rto_ms } })
  local server = hs.host("server-" .. name)
  local link = hs.link(client, server, { rate = "100Mbps", delay = RTT / 2 })
  client:arp_set(server, server:dev().mac)
  server:arp_set(client, client:dev().mac)
  link:dir(client):rule(function(p)
    local t = p.tcp
    if t and not t.retransmission and (t.data_nth == 7 or t.data_nth == 14) then return "drop" end
  end)
  local took, sent = nil, 0
  hs.on("frame.tx", function(e) if e.packet.tcp and e.packet.tcp.len > 0 then sent = sent + 1 end end, { node = client })
  server:spawn(function(os)
    local conn = os.tcp():bind(7):listen(8):accept()
    for data in function() return (conn:read()) end do conn:write(data) end
  end)
  client:spawn(function(os)
    local conn = os.tcp():connect(server, 7)
    os.sleep "1s"
    local begin = hs.now()
    for _ = 1, QUESTIONS do
      conn:write(("q"):rep(100))
      conn:read()
    end
    took = hs.now() - begin
    os.sleep "1h"
  end)
  hs.run "60s"
  local twice = server:counter "TcpExtTCPDSACKOldSent"
  hs.note({ en = "RTO %s: %.2f s, %d segments, %d of them needless", zh = "RTO %s：%.2f s，%d 个报文段，其中 %d 个是多余的" },
    rto_ms == 0 and { en = "measured", zh = "按测量" } or rto_ms .. " ms", took, sent, twice)
  return took, sent, twice
end

-- 20 round trips, and a timeout for each loss; a few microseconds for each segment on the wire
local function expected(rto) return QUESTIONS * RTT + LOST * rto end

local took, sent, twice = session("long", 1000)
hs.expect_near("RTO 10 x RTT: 20 RTT + 2 x 1 s", took, expected(1), 0.002)
hs.expect_equal("22 segments, none needless", { sent, twice }, { QUESTIONS + LOST, 0 })

-- Each question is repeated after 50 ms, and its answer is there before the next timeout, 100 ms later. When a question is lost, the
-- repetition takes its place, and the second
-- repetition, 150 ms after the first copy, is the needless one.
took, sent, twice = session("short", 50)
hs.expect_near("RTO 0.5 x RTT: 20 RTT + 2 x 50 ms, a little faster", took, expected(0.05), 0.002)
hs.expect_equal("but one needless repetition for each question: twice the load", { sent, twice }, { 2 * QUESTIONS + LOST, QUESTIONS })

took, sent, twice = session("measured", 0)
hs.expect_equal("measured: none needless", { sent, twice }, { QUESTIONS + LOST, 0 })
-- RTO = SRTT + 4 x RTTVAR, Linux: at least SRTT + 200 ms; the handshake's one sample makes RTTVAR RTT / 2, so it begins at 3 x RTT, the same
hs.expect_near("and 20 RTT + 2 x (RTT + 200 ms)", took, expected(RTT + 0.2), 0.01)

hs.translate("zh", {
  ["RTO 10 x RTT: 20 RTT + 2 x 1 s"] = "RTO 为 10 x RTT：20 RTT + 2 x 1 s",
  ["22 segments, none needless"] = "22 个报文段，没有多余的",
  ["RTO 0.5 x RTT: 20 RTT + 2 x 50 ms, a little faster"] = "RTO 为 0.5 x RTT：20 RTT + 2 x 50 ms，快一点",
  ["but one needless repetition for each question: twice the load"] = "但每个询问都有一次多余的重传：负载加倍",
  ["measured: none needless"] = "按测量：没有多余的",
  ["and 20 RTT + 2 x (RTT + 200 ms)"] = "以及 20 RTT + 2 x (RTT + 200 ms)",
})
