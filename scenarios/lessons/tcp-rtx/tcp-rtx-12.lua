-- TCP-RTX-12  D-SACK: the data was late.
-- The first of four segments is overtaken by the other three. Their duplicate ACKs look like a loss: fast retransmit. Then the late segment
-- comes, and the copy after it is reported as a duplicate (RFC 2883 4). So the network reorders: the sender undoes its cut and becomes more
-- patient. The same thing once more makes it send nothing. (The timestamp in the ACK says that the original was acknowledged, RFC 3522; the
-- D-SACK confirms it.)
-- tshark-allow: D-SACK Sequence (that is what the lesson is about)
-- tshark-allow: Previous segment(s) not captured (the late segment)
-- tshark-allow: This frame is a (suspected) out-of-order segment (the late segment)
local hs = require "hopscope"
hs.title { en = "TCP-RTX-12 D-SACK: the data was late", zh = "TCP-RTX-12 D-SACK：数据迟到了" }

local function settings(isn)
  return { sysctl = { ["hopscope.tcp_isn"] = 2, ["hopscope.tcp_isn_fixed"] = isn, ["net.ipv4.tcp_congestion_control"] = "reno" } }
end
local client, server = hs.host("client", settings(999)), hs.host("server", settings(8000))
local link = hs.link(client, server, { delay = "50ms" })
client:arp_set(server, server:dev().mac)
server:arp_set(client, client:dev().mac)
-- of each five segments the first is 40 ms late, so that the next three overtake it; the fifth is 120 ms late, so that something is still
-- on the way
link:dir(client):rule(function(p)
  if not p.tcp or not p.tcp.data_nth or p.tcp.retransmission then return end
  local nth = p.tcp.data_nth % 5
  if nth == 1 then return { "delay", "40ms", overtake = true } end
  if nth == 0 then return { "delay", "120ms", overtake = true } end
end)
local lines, sacks, retransmits = {}, {}, {}
hs.on("frame.tx", function(e)
  local t = e.packet.tcp
  if not t or t.syn then return end
  if t.len > 0 then
    local what = string.format("%d-%d", t.seq, t.seq + t.len - 1)
    lines[#lines + 1] = {
      en = string.format("%.0f ms: data %s%s", e.time * 1000, what, t.retransmission and " again" or ""),
      zh = string.format("%.0f ms：%s %s", e.time * 1000, t.retransmission and "再次发送数据" or "数据", what),
    }
  else
    local what = string.format("ACK %d%s", t.ackno, t.sack_left and string.format(", SACK %d-%d", t.sack_left, t.sack_right) or "")
    lines[#lines + 1] = { en = string.format("%.0f ms: %s", e.time * 1000, what), zh = string.format("%.0f ms：%s", e.time * 1000, what) }
    if t.sack_left then sacks[#sacks + 1] = { t.ackno, t.sack_left, t.sack_right } end
  end
end)
local events, smallest = {}, 1000
hs.on("tcp.retransmit", function(e) retransmits[#retransmits + 1] = { e.seq, e.length_bytes, e.ca_state } end, { node = client })
hs.on("tcp.recovery", function(e) events[#events + 1] = e.what end, { node = client })
hs.on("tcp.cwnd", function(e) smallest = math.min(smallest, e.cwnd) end, { node = client })
local got = 0
server:spawn(function(os)
  local conn = os.tcp():bind(5000):listen(8):accept()
  for data in function() return (conn:read()) end do got = got + #data end
end)
local before, after, later
client:spawn(function(os)
  local conn = os.tcp({ mss = 512 }):connect("server", 5000) -- 500 bytes of data beside timestamps
  before = conn:info()
  conn:write(("x"):rep(2500))
  os.sleep "1s"
  after = conn:info()
  hs.note {
    en = "At 100 ms five segments of 500 bytes leave, 1000-3499; the first is late, and so is the fifth.",
    zh = "100 ms 时发出五个 500 字节的报文段，1000-3499；第一个迟到，第五个也是。",
  }
  for _, line in ipairs(lines) do hs.note({ en = "  %s", zh = "  %s" }, line) end
  lines = {}
  conn:write(("x"):rep(2500))
  os.sleep "1s"
  later = conn:info()
  os.sleep "1h"
end)
hs.run "3s"
hs.expect_equal("the segment is fast retransmitted: 1000-1499", retransmits[1], { 1000, 500, "recovery" })
local dsack
for _, s in ipairs(sacks) do if s[3] <= s[1] then dsack = s end end
hs.expect_equal("ack 3000, SACK 1000-1500", dsack, { 3000, 1000, 1500 })

-- How a sender tells the causes of a D-SACK apart, from what Linux counts
local function classify(host, info)
  if host:counter "TcpExtTCPDSACKIgnoredDubious" > 0 then return "duplication" end -- more D-SACKs than retransmissions
  if info.reord_seen > 0 then return "reordering" end
  return host:counter "TcpExtTCPDSACKRecv" > 0 and "ACK loss" or "nothing"
end
hs.expect_equal("the sender classifies it as reordering", classify(client, after), "reordering")
hs.expect_equal("one retransmission, one D-SACK", { after.total_retrans, after.dsack_dups }, { 1, 1 })
hs.expect_equal("recovery was begun and undone", { events[1], events[2], events[3] }, { "disorder", "recovery", "undo" })
hs.expect("the window had been cut, and is what it was", smallest < before.snd_cwnd and after.snd_cwnd >= before.snd_cwnd, { smallest, before.snd_cwnd, after.snd_cwnd })
-- from 1000 to 3000: four segments
hs.note({ en = "The reordering threshold was %d, and is %d now.", zh = "失序阈值原为 %d，现在是 %d。" }, before.reordering, after.reordering)
hs.expect_equal("its threshold rises from 3 to the distance seen, 4", { before.reordering, after.reordering }, { 3, 4 })

hs.note { en = "The same pattern once more:", zh = "同样的模式再来一次：" }
for _, line in ipairs(lines) do hs.note({ en = "  %s", zh = "  %s" }, line) end
hs.expect_equal("now it is not taken for a loss: no further retransmission", { later.total_retrans, #retransmits }, { 1, 1 })
hs.expect_equal("everything is delivered", got, 5000)

hs.translate("zh", {
  ["the segment is fast retransmitted: 1000-1499"] = "报文段被快速重传：1000-1499",
  ["ack 3000, SACK 1000-1500"] = "ack 3000，SACK 1000-1500",
  ["the sender classifies it as reordering"] = "发送方把它归为失序",
  ["one retransmission, one D-SACK"] = "一次重传，一个 D-SACK",
  ["recovery was begun and undone"] = "恢复曾经开始，又被撤销",
  ["the window had been cut, and is what it was"] = "窗口曾被减小，现在恢复原值",
  ["its threshold rises from 3 to the distance seen, 4"] = "它的阈值从 3 升到所见的距离，4",
  ["now it is not taken for a loss: no further retransmission"] = "现在不再当作丢失：没有更多的重传",
  ["everything is delivered"] = "全部交付",
})
