-- TCP-CC-06  Timeout.
-- If nothing comes back any more, the network is taken for badly congested: ssthresh becomes half of the window, and the window 1; slow start
-- leads back to ssthresh (RFC 5681 3.1; Linux tcp_enter_loss: Reno max(cwnd/2, 2), CUBIC 0.7 cwnd). If the repetition is lost too, the
-- timer doubles, but ssthresh is not cut again: it is the same congestion.
-- tshark-allow: Previous segment(s) not captured (what is lost never arrives)
local hs = require "hopscope"
hs.title { en = "TCP-CC-06 Timeout", zh = "TCP-CC-06 超时" }

local rtt = 0.1
-- A window of 12, all of which is lost; and the first `again` repetitions too. What Linux does before a timeout (a probe for tail losses) and
-- after it (F-RTO, which doubts it) is off.
local function run(congestion, again)
  local name = congestion .. again
  local client = hs.host(name .. "-client", { sysctl = { ["net.ipv4.tcp_early_retrans"] = 0, ["net.ipv4.tcp_frto"] = 0 } })
  local server = hs.host(name .. "-server")
  local link = hs.link(client, server, { delay = rtt / 2 })
  hs.prepare()
  client:route_replace { to = client:routes()[1].to, dev = "eth0", initcwnd = 12 }
  server:route_replace { to = server:routes()[1].to, dev = "eth0", quickack = 1 }
  client:dev():tso(false)
  client:ping(server, { count = 1 })
  server:tcp_sink(7100)
  local r = { lost = 0, timeouts = {}, counts = {} }
  link:dir(client):rule(function(p)
    if not p.tcp or p.tcp.len == 0 then return end
    r.lost = r.lost + 1
    if r.lost <= 12 + again then return "drop" end
  end)
  local source, last
  hs.on("tcp.timer", function(e)
    if e.timer == "rto" and e.what == "fired" then
      last = e.time
      hs.after(0, function()
        local info = source:info()
        r.timeouts[#r.timeouts + 1] = { cwnd = info.snd_cwnd, ssthresh = info.snd_ssthresh, at = e.time }
      end)
    end
  end, { node = client })
  -- Rounds begin with the last timeout.
  hs.on("frame.tx", function(e)
    local tcp = e.packet.tcp
    if not last or not tcp or tcp.len == 0 then return end
    if e.time - last < rtt - 1e-6 then r.counts = { 1 } return end
    local round = math.floor((e.time - last) / rtt + 1e-6) + 1
    r.counts[round] = (r.counts[round] or 0) + 1
  end, { node = client })
  source = client:tcp_source { to = server, port = 7100, congestion = congestion }
  hs.run(again > 0 and "3.2s" or "1.0s")
  r.counts = { table.unpack(r.counts, 1, 5) }
  client:power(false)
  return r
end
local reno, twice, cubic = run("reno", 0), run("reno", 2), run("cubic", 0)
local function show(name, r)
  local t = r.timeouts[1]
  hs.note({
    en = "%s: %d timeout%s; cwnd %d, ssthresh %d; then segments in each round trip: %s",
    zh = "%s：%d 次超时%.0s；cwnd 为 %d，ssthresh 为 %d；此后每个往返中的报文段数：%s",
  }, name, #r.timeouts, #r.timeouts > 1 and "s" or "", t.cwnd, t.ssthresh, table.concat(r.counts, ", "))
end
hs.note { en = "A window of 12 segments is lost as a whole.", zh = "由 12 个报文段组成的整个窗口全部丢失。" }
show("Reno", reno)
show({ en = "Reno, and the repetition is lost too, twice", zh = "Reno，重传的也丢失，两次" }, twice)
show("CUBIC", cubic)
hs.expect_equal("one timeout: ssthresh 12/2 = 6, cwnd 1", { #reno.timeouts, reno.timeouts[1].ssthresh, reno.timeouts[1].cwnd }, { 1, 6, 1 })
hs.expect_equal("then slow start to 6, and plus one: 1, 2, 4, 6, 7", reno.counts, { 1, 2, 4, 6, 7 })
hs.expect_equal("three timeouts of the same segment: ssthresh is not cut again",
  { #twice.timeouts, twice.timeouts[1].ssthresh, twice.timeouts[2].ssthresh, twice.timeouts[3].ssthresh }, { 3, 6, 6, 6 })
hs.expect_near("the timer doubles", (twice.timeouts[3].at - twice.timeouts[2].at) / (twice.timeouts[2].at - twice.timeouts[1].at), 2, 0.01)
hs.expect_equal("and the way back is the same", twice.counts, { 1, 2, 4, 6, 7 })
hs.expect_equal("CUBIC: 0.7 * 12 = 8, whole segments", { cubic.timeouts[1].ssthresh, cubic.timeouts[1].cwnd }, { 8, 1 })

hs.translate("zh", {
  ["one timeout: ssthresh 12/2 = 6, cwnd 1"] = "一次超时：ssthresh 为 12/2 = 6，cwnd 为 1",
  ["then slow start to 6, and plus one: 1, 2, 4, 6, 7"] = "然后慢启动到 6，再加一：1、2、4、6、7",
  ["three timeouts of the same segment: ssthresh is not cut again"] = "同一报文段的三次超时：ssthresh 不再减小",
  ["the timer doubles"] = "计时器加倍",
  ["and the way back is the same"] = "回升的过程相同",
  ["CUBIC: 0.7 * 12 = 8, whole segments"] = "CUBIC：0.7 * 12 = 8，取整报文段",
})
