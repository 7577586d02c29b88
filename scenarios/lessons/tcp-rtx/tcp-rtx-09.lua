-- TCP-RTX-09  Resend one or all.
-- A cumulative ACK names the first hole only. When two segments of a window are lost, a sender without SACK has two choices: to resend one
-- segment and see what the next ACK says, one hole a round trip (NewReno, RFC 6582), or to resend all that was sent after the hole
-- (go-back-N), and with it what had arrived. hopscope.tcp_recovery_style 3 is NewReno; 1 with hopscope.tcp_quirks 16 goes back N.
-- tshark-allow: Previous segment(s) not captured (the lost segments)
-- tshark-allow: This frame is a (suspected) out-of-order segment (repetitions)
local hs = require "hopscope"
hs.title { en = "TCP-RTX-09 Resend one or all", zh = "TCP-RTX-09 重传一个还是全部" }

local RTT, SEGMENTS = 0.1, 10

-- Segments 3 and 6 of a window of ten are lost.
local function lose(name, style, quirks)
  local client = hs.host("client-" .. name, { sysctl = { ["hopscope.tcp_recovery_style"] = style, ["hopscope.tcp_quirks"] = quirks,
    ["net.ipv4.tcp_sack"] = 0, ["net.ipv4.tcp_timestamps"] = 0 } })
  local server = hs.host("server-" .. name)
  local link = hs.link(client, server, { rate = "100Mbps", delay = RTT / 2 })
  client:arp_set(server, server:dev().mac)
  server:arp_set(client, client:dev().mac)
  link:dir(client):rule(function(p)
    if p.tcp and (p.tcp.data_nth == 3 or p.tcp.data_nth == 6) and not p.tcp.retransmission then return "drop" end
  end)
  local begin, resent, counts, arrived, duplicates = nil, {}, {}, {}, 0
  hs.on("frame.tx", function(e)
    local t = e.packet.tcp
    if not t or t.len == 0 then return end
    begin = begin or { time = e.time, seq = t.seq }
    if t.retransmission then
      resent[#resent + 1] = (t.seq - begin.seq) // 1000 + 1
      counts[#counts + 1] = e.time - begin.time
    end
  end, { node = client })
  hs.on("frame.rx", function(e)
    local t = e.packet.tcp
    if not t or t.len == 0 then return end
    if arrived[t.seq] then duplicates = duplicates + 1 end
    arrived[t.seq] = true
  end, { node = server })
  local got, done = 0, nil
  server:spawn(function(os)
    local conn = os.tcp():bind(5000):listen(8):accept()
    for data in function() return (conn:read()) end do
      got = got + #data
      done = hs.now()
    end
  end)
  client:spawn(function(os)
    local conn = os.tcp({ mss = 1000 }):connect(server, 5000)
    conn:write(("x"):rep(SEGMENTS * 1000))
    os.sleep "1h"
  end)
  hs.run "10s"
  local en, zh = {}, {}
  for i, n in ipairs(resent) do
    en[i] = string.format("%d at %.0f ms", n, counts[i] * 1000)
    zh[i] = string.format("%d（%.0f ms 时）", n, counts[i] * 1000)
  end
  hs.note({
    en = "%s: resent %s; all is there after %.0f ms; %d arrived twice",
    zh = "%s：重传了 %s；%.0f ms 之后全部到齐；%d 个到达了两次",
  }, name, { en = table.concat(en, ", "), zh = table.concat(zh, "、") }, (done - begin.time) * 1000, duplicates)
  hs.expect_equal(name .. ": everything is delivered", got, SEGMENTS * 1000)
  return { resent = resent, at = counts, took = done - begin.time, duplicates = duplicates, counted = server:counter "TcpExtDelayedACKLost" }
end

local one = lose("one-by-one", 3, 0)
hs.expect_equal("only the two that were lost are resent, none arrives twice", { one.resent, one.duplicates, one.counted }, { { 3, 6 }, 0, 0 })
hs.expect_near("the first after one RTT, with the third duplicate", one.at[1], RTT, 0.002)
hs.expect_near("the second a round later, with the partial ACK", one.at[2] - one.at[1], RTT, 0.001)
-- half an RTT for the data, a round for each hole
hs.expect_near("2 rounds to repair", one.took, RTT / 2 + 2 * RTT, 0.002)

local all = lose("go-back-N", 1, 16)
hs.expect_equal("go-back-N resends the first hole and everything behind it", all.resent, { 3, 4, 5, 6, 7, 8, 9, 10 })
hs.expect_near("1 round to repair", all.took, RTT / 2 + RTT, 0.002)
hs.expect_equal("but 6 of these 8 had arrived", { all.duplicates, all.counted }, { 6, 6 })

hs.translate("zh", {
  ["one-by-one: everything is delivered"] = "逐个重传：全部交付",
  ["only the two that were lost are resent, none arrives twice"] = "只重传丢失的两个，没有一个到达两次",
  ["the first after one RTT, with the third duplicate"] = "第一个在一个 RTT 之后，随着第三个重复确认",
  ["the second a round later, with the partial ACK"] = "第二个晚一轮，随着部分确认",
  ["2 rounds to repair"] = "修复用了 2 轮",
  ["go-back-N: everything is delivered"] = "go-back-N：全部交付",
  ["go-back-N resends the first hole and everything behind it"] = "go-back-N 重传第一个空缺以及它后面的全部",
  ["1 round to repair"] = "修复用了 1 轮",
  ["but 6 of these 8 had arrived"] = "但这 8 个中有 6 个已经到达",
})
