-- TCP-CC-10  Restart costs.
-- What a connection has learnt about its path is lost with it: a new one begins with the initial window of 10 segments, after a handshake. On
-- a long fast path it takes many round trips to regain the old rate; an unbroken connection just goes on. This is why a page is not loaded
-- over a new connection for each part, and why changing networks hurts.
-- tshark-allow: Connection reset (RST) (the connection is broken on purpose)
local hs = require "hopscope"
hs.title { en = "TCP-CC-10 Restart costs", zh = "TCP-CC-10 重新开始的代价" }

local rate, rtt, payload = 40e6, 0.1, 1448
-- The receiver's window is as large as the path: no queue, no loss, so that only the beginning counts.
local path = math.ceil((rtt + 0.001) * rate / (1538 * 8))
local function run(name, reconnect)
  local client = hs.host(name .. "-client", { sysctl = { ["net.ipv4.tcp_no_metrics_save"] = 1 } })
  local server = hs.host(name .. "-server", { sysctl = { ["hopscope.tcp_quirks"] = 0x100 } })
  hs.link(client, server, { rate = rate, delay = rtt / 2, queue = 1000 })
  hs.prepare()
  server:route_replace { to = server:routes()[1].to, dev = "eth0", quickack = 1, window = path * payload }
  client:ping(server, { count = 1 })
  server:sysctl("net.ipv4.tcp_rmem", "4096 4194304 4194304") -- SO_RCVBUF would move the route's window too
  local sink = server:tcp_sink { port = 7100, check = false }
  -- Bytes that arrive in each round trip after the break.
  local r, total = { bytes = {}, total = 0 }, nil
  local function sample()
    local now = sink:stats().bytes
    if total then r.bytes[#r.bytes + 1] = now - total end
    total = now
    return #r.bytes < 15
  end
  client:spawn(function(os)
    local conn = os.tcp({ congestion = "reno" }):connect(server, 7100)
    local stop = os.now() + 3
    while os.now() < stop do conn:write(hs.payload "50kB") end
    r.cwnd_before = conn:info().snd_cwnd
    sample()
    hs.every(rtt, sample)
    if reconnect then
      conn:setopt("SO_LINGER", 0) -- broken, not ended
      conn:close()
      conn = os.tcp({ congestion = "reno" }):connect(server, 7100)
    end
    r.cwnd = conn:info().snd_cwnd
    while true do conn:write(hs.payload "50kB") end
  end)
  hs.run "5.5s"
  client:power(false)
  for i, bytes in ipairs(r.bytes) do
    if not r.regained and i > 1 and bytes >= 0.95 * path * payload then r.regained = i end
    r.total = r.total + bytes
  end
  local kilobytes = {}
  for i = 1, 10 do kilobytes[i] = string.format("%.0f", r.bytes[i] / 1000) end
  hs.note({
    en = "%s: cwnd %d; kilobytes in each round trip from then on: %s",
    zh = "%s：cwnd 为 %d；此后每个往返中的千字节数：%s",
  }, name, r.cwnd, table.concat(kilobytes, ", "))
  return r
end
hs.note({
  en = "40 Mbit/s and a round trip of 100 ms: the path holds %d segments. After three seconds the client breaks its connection and opens a new one; or does not.",
  zh = "40 Mbit/s，往返时间 100 ms：路径可容纳 %d 个报文段。三秒之后客户端断开连接并打开一条新的；或者不这样做。",
}, path)
local unbroken, again = run("unbroken", false), run("reconnect", true)
hs.expect("unbroken: the full rate all the time", unbroken.regained == 2 and math.min(table.unpack(unbroken.bytes)) >= 0.95 * path * payload, unbroken.bytes)
hs.expect_equal("a new connection begins with the initial window", again.cwnd, 10)
hs.expect("the old one had a window as large as the path", unbroken.cwnd >= path, unbroken.cwnd)
-- The handshake takes a round trip and the way there half of one: what comes first comes in the second round trip.
hs.expect_equal("after the handshake: 10, 20, 40, 80 segments in a round trip", { table.unpack(again.bytes, 2, 5) },
  { 10 * payload, 20 * payload, 40 * payload, 80 * payload })
-- 10 * 2^k >= 329 from k = 6 on: 1.5 + 6 = 7.5 round trips.
hs.expect_between("7.5 round trips until the old rate is regained", again.regained, 7, 8)
hs.expect("that costs the bytes of five round trips and more", unbroken.total - again.total > 5 * path * payload, unbroken.total - again.total)

hs.translate("zh", {
  ["unbroken: the full rate all the time"] = "不中断：始终是全速",
  ["a new connection begins with the initial window"] = "新连接从初始窗口开始",
  ["the old one had a window as large as the path"] = "旧连接的窗口与路径一样大",
  ["after the handshake: 10, 20, 40, 80 segments in a round trip"] = "握手之后：每个往返 10、20、40、80 个报文段",
  ["7.5 round trips until the old rate is regained"] = "7.5 个往返之后才恢复原来的速率",
  ["that costs the bytes of five round trips and more"] = "代价是五个以上往返的字节",
})
