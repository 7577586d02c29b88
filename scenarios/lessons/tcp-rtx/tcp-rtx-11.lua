-- TCP-RTX-11  D-SACK: the ACK was lost.
-- A receiver that gets data a second time says so: the first SACK block of its ACK names that range, although it lies below the ACK (RFC
-- 2883). The sender learns that its retransmission was needless. Here it was a timeout, and no reordering: the ACKs were lost. Linux undoes
-- the cut of its window then.
-- tshark-allow: D-SACK Sequence (that is what the lesson is about)
local hs = require "hopscope"
hs.title { en = "TCP-RTX-11 D-SACK: the ACK was lost", zh = "TCP-RTX-11 D-SACK：ACK 丢失了" }

local function settings(isn)
  return { sysctl = { ["hopscope.tcp_isn"] = 2, ["hopscope.tcp_isn_fixed"] = isn, ["net.ipv4.tcp_timestamps"] = 0, ["net.ipv4.tcp_early_retrans"] = 0,
    ["net.ipv4.tcp_congestion_control"] = "reno" } }
end
local client, server = hs.host("client", settings(2999)), hs.host("server", settings(8000))
local link = hs.link(client, server, { delay = "10ms" })
client:arp_set(server, server:dev().mac)
server:arp_set(client, client:dev().mac)
local lost = {}
link:dir(server):rule(function(p)
  if p.tcp and p.tcp.ackno > 3000 and #lost < 2 then
    lost[#lost + 1] = p.tcp.ackno
    return "drop"
  end
end)
local frames = hs.frames { filter = function(p) return p.tcp and not p.tcp.syn end }
local cwnds, events = {}, {}
hs.on("tcp.cwnd", function(e) cwnds[#cwnds + 1] = { e.cwnd, e.ssthresh } end, { node = client })
hs.on("tcp.recovery", function(e) events[#events + 1] = e.what end, { node = client })
server:spawn(function(os)
  local conn = os.tcp():bind(5000):listen(8):accept()
  while conn:read() do end
end)
local before, after
client:spawn(function(os)
  local conn = os.tcp({ mss = 500 }):connect("server", 5000)
  before = conn:info()
  conn:write(("x"):rep(1000))
  os.sleep "1s"
  after = conn:info()
  os.sleep "1h"
end)
hs.run "2s"
for _, f in ipairs(frames) do
  local t = f.packet.tcp
  if t.len > 0 then
    hs.note({ en = "%.3f s: data %d-%d", zh = "%.3f s：数据 %d-%d" }, f.time, t.seq, t.seq + t.len - 1)
  else
    hs.note(string.format("%.3f s: ACK %d%s", f.time, t.ackno, t.sack_left and string.format(", SACK %d-%d", t.sack_left, t.sack_right) or ""))
  end
end
local again, answer = frames[#frames - 1].packet, frames[#frames].packet.tcp
hs.expect_equal("both ACKs were lost", lost, { 3500, 4000 })
hs.expect_equal("3000-3499 is resent", { again.from, again.tcp.seq, again.tcp.len }, { "client", 3000, 500 })
hs.expect_equal("ack 4000, SACK 3000-3500", { answer.ackno, answer.sack_left, answer.sack_right }, { 4000, 3000, 3500 })
hs.expect("the block lies below the ACK: D-SACK", answer.sack_right <= answer.ackno, { answer.sack_right, answer.ackno })
hs.expect_equal("the timeout had begun loss recovery, which is undone", { events[1], events[2] }, { "loss", "undo" })

-- How a sender tells the causes of a D-SACK apart, from what Linux counts
local function classify(host, info)
  if host:counter "TcpExtTCPDSACKIgnoredDubious" > 0 then return "duplication" end -- more D-SACKs than retransmissions
  if info.reord_seen > 0 then return "reordering" end
  return host:counter "TcpExtTCPDSACKRecv" > 0 and "ACK loss" or "nothing"
end
hs.expect_equal("the sender classifies it as ACK loss", classify(client, after), "ACK loss")
hs.expect_equal("one retransmission, one D-SACK", { after.total_retrans, after.dsack_dups, server:counter "TcpExtTCPDSACKOldSent" }, { 1, 1, 1 })
local smallest = 1000
for _, w in ipairs(cwnds) do smallest = math.min(smallest, w[1]) end
hs.note({
  en = "cwnd was %d, fell to %d at the timeout, and is %d again.",
  zh = "cwnd 原为 %d，超时时降到 %d，现在又是 %d。",
}, before.snd_cwnd, smallest, after.snd_cwnd)
hs.expect_equal("the timeout had cut the window to 1", smallest, 1)
hs.expect("and that cut is undone", after.snd_cwnd >= before.snd_cwnd, after.snd_cwnd)
hs.expect_equal("ssthresh is what it was", after.snd_ssthresh, before.snd_ssthresh)

hs.translate("zh", {
  ["both ACKs were lost"] = "两个 ACK 都丢失了",
  ["3000-3499 is resent"] = "3000-3499 被重传",
  ["ack 4000, SACK 3000-3500"] = "ack 4000，SACK 3000-3500",
  ["the block lies below the ACK: D-SACK"] = "块位于 ACK 之下：D-SACK",
  ["the timeout had begun loss recovery, which is undone"] = "超时开始了丢失恢复，它被撤销",
  ["the sender classifies it as ACK loss"] = "发送方把它归为 ACK 丢失",
  ["one retransmission, one D-SACK"] = "一次重传，一个 D-SACK",
  ["the timeout had cut the window to 1"] = "超时把窗口减到 1",
  ["and that cut is undone"] = "这次减小被撤销",
  ["ssthresh is what it was"] = "ssthresh 恢复原值",
})
