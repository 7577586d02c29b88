-- TCP-Q-14  Burst versus standing overload.
-- A full accept queue can mean two things. In a burst there will soon be room: dropping the third segment lets everybody in, a little
-- later; resetting turns clients away for nothing. If the server is always too slow, dropping only makes clients wait for something that
-- will not happen; with a reset they know after one round trip (tcp_abort_on_overflow 0 and 1; Linux tcp_check_req).
-- tshark-allow: Connection reset (RST) (the lesson compares dropping with resetting)
local hs = require "hopscope"
hs.title { en = "TCP-Q-14 Burst versus standing overload", zh = "TCP-Q-14 突发与持续过载" }

local BACKLOG, BURST, RTT = 8, 8, 0.02
local EARLY = BACKLOG - 1        -- these wait already: there is room for two more
local LATE = BURST - 2           -- so many of the burst find no room
local port = 5000
local client, server = hs.host "client", hs.host "server"
hs.link(client, server, { delay = RTT / 2 })
client:ping("server", { count = 1 })

-- While the application is busy with something else, EARLY clients come one by one, then BURST at the same instant; each asks and waits
-- for an answer. The application then takes `service` seconds for each (nil: it never gets to any). Returns how many of the burst
-- were served, and how long after their SYNs the others learnt that they were not.
local function overload(abort, service, patience)
  port = port + 1
  local here, served, failed = port, 0, {}
  server:sysctl("net.ipv4.tcp_abort_on_overflow", abort)
  server:spawn(function(os)
    local listener = os.tcp():bind(here):listen(BACKLOG)
    os.sleep "300ms"
    while service do
      local conn = listener:accept(patience)
      if not conn then return end
      os.sleep(service)
      conn:write "answer"
      conn:close()
    end
    os.sleep(patience)
  end)
  local function ask(is_burst)
    client:spawn(function(os)
      local t0 = hs.now()
      local conn, why = os.tcp():connect("server", here)
      local data
      if conn then
        conn:write "question"
        data, why = conn:read(100, patience - 1)
      end
      if not is_burst then return end
      if data then served = served + 1 else failed[#failed + 1] = { hs.now() - t0, why } end
    end)
  end
  hs.run "1ms"
  for _ = 1, EARLY do
    ask(false)
    hs.run "25ms"
  end
  for _ = 1, BURST do ask(true) end
  hs.run(patience + 1)
  table.sort(failed, function(x, y) return x[1] < y[1] end)
  return served, failed
end

hs.note {
  en = "A burst: seven connections wait to be accepted, there is room for two, and eight clients connect at the same instant.",
  zh = "突发：七条连接等待被接受，还有两个空位，而八个客户端在同一时刻来连接。",
}
local served_drop, failed_drop = overload(0, 0.02, 60)
local served_reset, failed_reset = overload(1, 0.02, 60)
hs.note({
  en = "Dropping: %d served, %d turned away. Resetting: %d served, %d turned away.",
  zh = "丢弃：%d 个得到服务，%d 个被拒之门外。复位：%d 个得到服务，%d 个被拒之门外。",
}, served_drop, #failed_drop, served_reset, #failed_reset)
hs.expect_equal("dropping serves all in the end", { served_drop, #failed_drop }, { BURST, 0 })
hs.expect_equal("resetting loses those without room", { served_reset, #failed_reset }, { BURST - LATE, LATE })

hs.note { en = "Standing overload: the application never gets to any of them.", zh = "持续过载：应用程序一个也顾不上。" }
local _, slow = overload(0, nil, 600)
local _, fast = overload(1, nil, 600)
hs.note({
  en = "Those without room: reset, they know %.0f ms after their SYN; dropped, the first knows after %.1f s.",
  zh = "没有空位的那些：复位时，它们在自己的 SYN 之后 %.0f ms 就知道；丢弃时，第一个要 %.1f s 之后才知道。",
}, fast[1][1] * 1000, slow[1][1])
-- SYN, SYN-ACK: connected after one round trip; ACK, RST: one more
for i = 1, LATE do
  hs.expect_near("reset: known one round trip after connect", fast[i][1] - RTT, RTT, 1e-6)
  hs.expect_equal("as connection reset by peer", fast[i][2], "ECONNRESET")
end
-- Nothing is said until the server has given the half-open entry up, after 1 + 2 + 4 = 7 s at the earliest; the client's
-- next repetition of its question then draws a RST.
hs.expect("dropped: after timeouts", slow[1][1] > 7, slow[1])

hs.translate("zh", {
  ["dropping serves all in the end"] = "丢弃最后使全部得到服务",
  ["resetting loses those without room"] = "复位使没有空位的失去机会",
  ["reset: known one round trip after connect"] = "复位：connect 之后一个往返就知道",
  ["as connection reset by peer"] = "表现为连接被对方复位",
  ["dropped: after timeouts"] = "丢弃：在超时之后",
})
