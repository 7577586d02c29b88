-- TCP-CC-11  Pluggable algorithms, CUBIC.
-- How the window grows and shrinks is a plug-in, which an application chooses for each socket (TCP_CONGESTION); nothing else changes. Reno
-- halves the window at a loss and adds one segment per round trip, which takes minutes on long fast paths. CUBIC (RFC 9438) keeps 0.7 of
-- it and grows by a cubic of the time since the loss: W(t) = 0.4 (t - K)^3 + Wmax, K = cbrt(0.3 Wmax / 0.4): fast first, flat near Wmax.
-- tshark-allow: TCP window specified by the receiver is now completely full (the receiver's window is the limit for a while)
-- tshark-allow: Previous segment(s) not captured (what is lost never arrives)
local hs = require "hopscope"
hs.title { en = "TCP-CC-11 Pluggable algorithms, CUBIC", zh = "TCP-CC-11 可更换的算法，CUBIC" }

local rate, rtt = 10e6, 0.2
local path = math.ceil((rtt + 0.0014) * rate / (1538 * 8))  -- segments that fill the path
local full = rate * 1448 / 1538

-- The connection runs at full rate; then one segment is lost. The only difference is the name.
local function run(congestion)
  local client = hs.host(congestion .. "-client", { sysctl = { ["net.ipv4.tcp_no_ssthresh_metrics_save"] = 0 } })
  local server = hs.host(congestion .. "-server", { sysctl = { ["hopscope.tcp_quirks"] = 0x100 } })
  local link = hs.link(client, server, { rate = rate, delay = rtt / 2, queue = 1000 })
  hs.prepare()
  -- The receiver's window is as large as the path, and slow start ends there: no queue and no other loss. A first short connection makes the
  -- destination known, so that the route's ssthresh counts.
  local subnet = client:routes()[1].to
  server:route_replace { to = subnet, dev = "eth0", quickack = 1, window = path * 1448 }
  client:route_replace { to = subnet, dev = "eth0", ssthresh = path, lock = "ssthresh" }
  server:sysctl("net.ipv4.tcp_rmem", "4096 4194304 4194304") -- SO_RCVBUF would move the route's window too
  local sink = server:tcp_sink { port = 7100 }
  client:tcp_source { to = server, port = 7100, bytes = 3000 }
  hs.run "2s"
  local source = client:tcp_source { to = server, port = 7100, congestion = congestion }
  hs.run "3s"
  local r, drop = { name = source:info().congestion, wmax = source:info().snd_cwnd, cwnd = {} }, true
  link:dir(client):rule(function(p)
    if drop and p.tcp and p.tcp.len > 1000 then
      drop = false
      return "drop"
    end
  end)
  local before, start = sink:stats().bytes, hs.now()
  for i = 1, 100 do
    hs.run(rtt)
    local now, info = sink:stats().bytes, source:info()
    r.cwnd[i] = info.snd_cwnd
    if info.ca_state == 0 and i > 2 then
      r.ssthresh = r.ssthresh or info.snd_ssthresh
      if not r.regained and (now - before) * 8 / rtt >= 0.95 * full then r.regained = hs.now() - start end
    end
    before = now
  end
  client:power(false)
  hs.note({
    en = "%s: cwnd %d before the loss, then ssthresh %d; after 1, 2, 3, 5, 10 s cwnd %d, %d, %d, %d, %d; 95 %% of the rate again after %.1f s.",
    zh = "%s：丢失之前 cwnd 为 %d，之后 ssthresh 为 %d；1、2、3、5、10 s 之后 cwnd 为 %d、%d、%d、%d、%d；%.1f s 之后恢复到速率的 95 %%。",
  }, congestion, r.wmax, r.ssthresh, r.cwnd[5], r.cwnd[10], r.cwnd[15], r.cwnd[25], r.cwnd[50], r.regained or 99)
  return r
end
hs.note({
  en = "A path of 10 Mbit/s and 200 ms holds %d segments. One segment is lost.",
  zh = "10 Mbit/s 和 200 ms 的路径可容纳 %d 个报文段。丢失一个报文段。",
}, path)
local reno, cubic = run "reno", run "cubic"
hs.expect_equal("the socket's algorithm is the one that was asked for", { reno.name, cubic.name }, { "reno", "cubic" })
hs.expect_equal("Reno halves", reno.ssthresh, reno.wmax // 2)
hs.expect_equal("CUBIC keeps 0.7", cubic.ssthresh, math.floor(0.7 * cubic.wmax))
-- From half to 95 %: one segment each round trip. CUBIC: 0.4 (t - K)^3 = -0.05 Wmax.
local k = (0.3 * cubic.wmax / 0.4) ^ (1 / 3)
local cubic_time = k - (0.05 * cubic.wmax / 0.4) ^ (1 / 3)
hs.expect_near("Reno regains the rate as calculated: a segment each round trip", reno.regained, (0.95 - 0.5) * path * rtt, 1.5)
hs.expect_near("CUBIC too: by the cubic of time", cubic.regained, cubic_time, 1)
hs.expect("CUBIC regains it several times faster", cubic.regained < reno.regained / 3, cubic.regained)
local early, late = cubic.cwnd[10] - cubic.cwnd[5], cubic.cwnd[20] - cubic.cwnd[15]
hs.expect("CUBIC: fast first, slower near the old maximum", early > 1.5 * late, { early, late })
local first, second = reno.cwnd[30] - reno.cwnd[10], reno.cwnd[50] - reno.cwnd[30]
hs.expect("Reno: a straight line, 20 segments in 20 round trips", math.abs(first - 20) <= 1 and math.abs(second - 20) <= 1, { first, second })

-- Each socket has its own.
local host = hs.host "both"
local one, two = host:tcp { congestion = "reno" }, host:tcp()
hs.expect_equal("two sockets of one host, two algorithms; CUBIC is Linux's default", { one:getopt "TCP_CONGESTION", two:getopt "TCP_CONGESTION" }, { "reno", "cubic" })

hs.translate("zh", {
  ["the socket's algorithm is the one that was asked for"] = "套接字的算法就是所要求的",
  ["Reno halves"] = "Reno 减半",
  ["CUBIC keeps 0.7"] = "CUBIC 保留 0.7",
  ["Reno regains the rate as calculated: a segment each round trip"] = "Reno 恢复速率如计算所示：每个往返一个报文段",
  ["CUBIC too: by the cubic of time"] = "CUBIC 也是：按时间的三次函数",
  ["CUBIC regains it several times faster"] = "CUBIC 恢复得快几倍",
  ["CUBIC: fast first, slower near the old maximum"] = "CUBIC：起初快，接近原来的最大值时变慢",
  ["Reno: a straight line, 20 segments in 20 round trips"] = "Reno：一条直线，20 个往返 20 个报文段",
  ["two sockets of one host, two algorithms; CUBIC is Linux's default"] = "一台主机的两个套接字，两种算法；CUBIC 是 Linux 的默认算法",
})
