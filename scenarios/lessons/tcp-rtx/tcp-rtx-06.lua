-- TCP-RTX-06  Exponential backoff.
-- If the repetition is not acknowledged either, perhaps the network is overloaded: each further timeout doubles the wait (RFC 6298 5.5), up
-- to 120 s in Linux (tcp_rto_max_ms). The doubled timeout stays until a new sample of the RTT comes, from data that was sent once, or by
-- way of timestamps (Karn's rule).
local hs = require "hopscope"
hs.title { en = "TCP-RTX-06 Exponential backoff", zh = "TCP-RTX-06 指数退避" }

local function session(name, timestamps)
  local client = hs.host("client-" .. name, { sysctl = { ["net.ipv4.tcp_early_retrans"] = 0, ["net.ipv4.tcp_timestamps"] = timestamps } })
  local server = hs.host("server-" .. name)
  local subnet = "10.1." .. timestamps .. ".0/24"
  local link = hs.link(client, server, { delay = "10ms", subnet = subnet })
  client:ping(server, { count = 1 })
  client:arp_set(server, server:dev().mac)
  server:arp_set(client, client:dev().mac)
  -- RTT 20 ms, so that RTO is 1 s
  client:route_replace { to = subnet, dev = "eth0", rto_min = "980ms" }
  local sends, conn = {}, nil
  hs.on("frame.tx", function(e) if e.packet.tcp and e.packet.tcp.len > 0 then sends[#sends + 1] = e.time end end, { node = client })
  server:spawn(function(os)
    local c = os.tcp():bind(5000):listen(8):accept()
    while c:read() do end
  end)
  client:spawn(function(os)
    conn = os.tcp():connect(server, 5000)
    os.sleep "24h"
  end)
  hs.run "1s"
  local s = {}
  -- Writes while everything is lost for so long; the gaps between the copies.
  function s.lose(time)
    sends = {}
    link:dir(client):set { loss = 1 }
    conn:write "data"
    hs.run(time)
    link:dir(client):set { loss = 0 }
    hs.run "130s" -- the next copy arrives
    local gaps = {}
    for i = 2, #sends do gaps[i - 1] = math.floor((sends[i] - sends[i - 1]) * 100 + 0.5) / 100 end
    return gaps
  end
  function s.write()
    conn:write "more"
    hs.run "1s"
  end
  function s.state() return { conn:info().rto / 1e6, conn:info().backoff, conn:info().unacked } end
  return s
end

local a = session("ts", 1)
hs.expect_equal("the timeout begins with RTT 20 ms + 980 ms", a.state(), { 1, 0, 0 })
local gaps = a.lose("500s")
hs.note({ en = "All is lost for 500 s. The waits: %s s.", zh = "500 s 之内全部丢失。等待的时间：%s s。" }, table.concat(gaps, ", "))
hs.expect_equal("1, 2, 4, 8, ... and never more than 120 s", gaps, { 1, 2, 4, 8, 16, 32, 64, 120, 120, 120, 120 })
hs.expect_equal("the acknowledged repetition's timestamp is a fresh sample: the timeout is 1 s again", a.state(), { 1, 0, 0 })
gaps = a.lose("2s")
hs.note({ en = "Lost once more, for 2 s: %s s.", zh = "再次丢失，历时 2 s：%s s。" }, table.concat(gaps, ", "))
hs.expect_equal("it starts with 1 s again", gaps, { 1, 2 })

local b = session("plain", 0)
gaps = b.lose("10s")
hs.note({ en = "Without timestamps, all is lost for 10 s: %s s.", zh = "没有时间戳，10 s 之内全部丢失：%s s。" }, table.concat(gaps, ", "))
hs.expect_equal("the same doubling", gaps, { 1, 2, 4, 8 })
hs.expect_equal("the ACK of a repetition is no sample: the timeout stays at 16 s", b.state(), { 16, 4, 0 })
b.write()
hs.expect_equal("until data that was sent once is acknowledged", b.state(), { 1, 0, 0 })

hs.translate("zh", {
  ["the timeout begins with RTT 20 ms + 980 ms"] = "超时从 RTT 20 ms + 980 ms 开始",
  ["1, 2, 4, 8, ... and never more than 120 s"] = "1、2、4、8……，从不超过 120 s",
  ["the acknowledged repetition's timestamp is a fresh sample: the timeout is 1 s again"] = "得到确认的重传，其时间戳是新的样本：超时又是 1 s",
  ["it starts with 1 s again"] = "它又从 1 s 开始",
  ["the same doubling"] = "同样的加倍",
  ["the ACK of a repetition is no sample: the timeout stays at 16 s"] = "对重传的 ACK 不是样本：超时停在 16 s",
  ["until data that was sent once is acknowledged"] = "直到只发送过一次的数据得到确认",
})
