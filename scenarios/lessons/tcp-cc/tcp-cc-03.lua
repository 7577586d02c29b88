-- TCP-CC-03  Slow start.
-- A new connection knows nothing of the path. It begins with a small window, and each acknowledged segment lets the window grow by one:
-- what is acknowledged is replaced, and one more: the window doubles each round trip (RFC 5681 3.1). From 1, as in the books: 1, 2, 4, 8, …;
-- today it begins with 10 (RFC 6928). Linux counts what is acknowledged (RFC 3465), not the ACKs: with an ACK for every second segment,
-- counting ACKs would grow by half only.
local hs = require "hopscope"
hs.title { en = "TCP-CC-03 Slow start", zh = "TCP-CC-03 慢启动" }

local rtt = 0.1
-- Data segments in each round trip: a network without rate, so that a round is one moment.
local function rounds(name, options)
  local client = hs.host(name .. "-client", { sysctl = { ["hopscope.tcp_quirks"] = options.quirks or 0 } })
  local server = hs.host(name .. "-server", { sysctl = { ["net.core.rmem_max"] = 16777216 } })
  hs.link(client, server, { delay = rtt / 2 })
  hs.prepare()
  client:route_replace { to = client:routes()[1].to, dev = "eth0", initcwnd = options.initcwnd }
  server:route_replace { to = server:routes()[1].to, dev = "eth0", quickack = options.delayed and 0 or 1 }
  client:dev():tso(false)
  client:ping(server, { count = 1 })
  local counts, first = {}, nil
  hs.on("frame.tx", function(e)
    local tcp = e.packet.tcp
    if not tcp or tcp.len == 0 then return end
    first = first or e.time
    local round = math.floor((e.time - first) / rtt + 1e-6) + 1
    counts[round] = (counts[round] or 0) + 1
  end, { node = client })
  server:spawn(function(os)
    local peer = os.tcp({ rcvbuf = "8MB" }):bind(7100):listen(1):accept()
    os.spawn(function()
      for _ in function() return peer:read() end do end
    end)
    -- Linux acknowledges every segment at the beginning. An application can ask it not to, again and again.
    while true do
      if options.delayed then peer:setopt("TCP_QUICKACK", 0) end
      os.sleep "1ms"
    end
  end)
  client:tcp_source { to = server, port = 7100, congestion = "reno", sndbuf = "4MB" }
  hs.run(rtt * 7.5)
  client:power(false)
  return counts
end
local one, ten = rounds("one", { initcwnd = 1 }), rounds("ten", {})
local delayed = rounds("delayed", { delayed = true })
local acks = rounds("count-acks", { delayed = true, quirks = 0x800 })
hs.note({ en = "Segments in each round trip, from a window of 1: %s", zh = "每个往返中的报文段数，从窗口 1 开始：%s" }, table.concat(one, ", "))
hs.note({ en = "Today's initial window: %s", zh = "如今的初始窗口：%s" }, table.concat(ten, ", "))
hs.note({ en = "With delayed ACKs: %s", zh = "使用推迟确认：%s" }, table.concat(delayed, ", "))
hs.note({
  en = "With delayed ACKs, and a sender that counts ACKs (hopscope.tcp_quirks 0x800): %s",
  zh = "使用推迟确认，并且发送方按 ACK 的个数计算（hopscope.tcp_quirks 0x800）：%s",
}, table.concat(acks, ", "))
hs.expect_equal("from 1: 1, 2, 4, 8, …", one, { 1, 2, 4, 8, 16, 32, 64 })
hs.expect_equal("Linux today, from 10: it doubles each round", ten, { 10, 20, 40, 80, 160, 320, 640 })
hs.expect_equal("delayed ACKs make no difference: what is acknowledged counts", delayed, ten)
-- From the third round on (before, the receiver's application had not asked yet) one ACK for two segments: half of them is added.
for round = 3, 7 do
  hs.expect_near(string.format("counting ACKs: round %d is 1.5 times the one before", round), acks[round], 1.5 * acks[round - 1], 1)
end

hs.translate("zh", {
  ["from 1: 1, 2, 4, 8, …"] = "从 1 开始：1、2、4、8……",
  ["Linux today, from 10: it doubles each round"] = "如今的 Linux，从 10 开始：每轮加倍",
  ["delayed ACKs make no difference: what is acknowledged counts"] = "推迟确认没有影响：计算的是被确认的数量",
  ["counting ACKs: round {} is {} times the one before"] = "按 ACK 计算：第 {} 轮是前一轮的 {} 倍",
})
