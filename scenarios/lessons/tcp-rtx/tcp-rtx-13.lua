-- TCP-RTX-13  D-SACK: the network duplicated.
-- A segment comes twice although it was sent once: something on the way has copied it. The receiver reports the second one like any
-- duplicate (RFC 2883 4.1). The sender has retransmitted nothing, so it knows that it was not its doing; the report proves nothing about
-- its own decisions, and it changes nothing.
-- tshark-allow: D-SACK Sequence (that is what the lesson is about)
local hs = require "hopscope"
hs.title { en = "TCP-RTX-13 D-SACK: the network duplicated", zh = "TCP-RTX-13 D-SACK：网络复制了分组" }

local function settings(isn)
  return { sysctl = { ["hopscope.tcp_isn"] = 2, ["hopscope.tcp_isn_fixed"] = isn, ["net.ipv4.tcp_timestamps"] = 0, ["net.ipv4.tcp_congestion_control"] = "reno" } }
end
local client, server = hs.host("client", settings(999)), hs.host("server", settings(8000))
local link = hs.link(client, server, { delay = "10ms" })
client:arp_set(server, server:dev().mac)
server:arp_set(client, client:dev().mac)
link:dir(client):rule(function(p)
  if p.tcp and p.tcp.data_nth == 2 then return { "duplicate", gap = "1ms" } end
end)
local arrived = hs.frames { node = server, on = "rx", filter = function(p) return p.tcp and p.tcp.len > 0 end }
local acks = hs.frames { node = server, filter = function(p) return p.tcp and not p.tcp.syn end }
local states = {}
hs.on("tcp.recovery", function(e) states[#states + 1] = e.what end, { node = client })
local got = {}
server:spawn(function(os)
  local conn = os.tcp():bind(5000):listen(8):accept()
  for data in function() return (conn:read()) end do got[#got + 1] = data end
end)
local before, after
client:spawn(function(os)
  local conn = os.tcp({ mss = 500 }):connect("server", 5000)
  before = conn:info()
  conn:write(("a"):rep(500) .. ("b"):rep(500) .. ("c"):rep(500))
  os.sleep "1s"
  after = conn:info()
  os.sleep "1h"
end)
hs.run "2s"
local sent = client:counter "TcpExtTCPOrigDataSent"
hs.note({ en = "%d segments are sent, %d arrive: 1500-1999 twice.", zh = "发送了 %d 个报文段，到达 %d 个：1500-1999 到了两次。" }, sent, #arrived)
local dsacks = {}
for _, f in ipairs(acks) do
  local t = f.packet.tcp
  hs.note(string.format("%.3f s: ACK %d%s", f.time, t.ackno, t.sack_left and string.format(", SACK %d-%d", t.sack_left, t.sack_right) or ""))
  if t.sack_left then dsacks[#dsacks + 1] = { t.sack_left, t.sack_right, t.sack_right <= t.ackno } end
end
hs.expect_equal("three segments were sent, four arrived", { sent, #arrived }, { 3, 4 })
hs.expect_equal("one D-SACK, of the second segment, below the ACK", dsacks, { { 1500, 2000, true } })
hs.expect_equal("without any retransmission", { after.total_retrans, client:counter "TcpRetransSegs" }, { 0, 0 })

-- How a sender tells the causes of a D-SACK apart, from what Linux counts
local function classify(host, info)
  if host:counter "TcpExtTCPDSACKIgnoredDubious" > 0 then return "duplication" end -- more D-SACKs than retransmissions
  if info.reord_seen > 0 then return "reordering" end
  return host:counter "TcpExtTCPDSACKRecv" > 0 and "ACK loss" or "nothing"
end
hs.expect_equal("the sender classifies it as duplication", classify(client, after), "duplication")
hs.expect("the window is not cut", after.snd_cwnd >= before.snd_cwnd, after.snd_cwnd)
hs.expect_equal("nor its threshold or any state changed", { after.reordering, after.reord_seen, after.snd_ssthresh == before.snd_ssthresh, #states }, { before.reordering, 0, true, 0 })
hs.expect_equal("the reader gets every byte once", table.concat(got), ("a"):rep(500) .. ("b"):rep(500) .. ("c"):rep(500))

hs.translate("zh", {
  ["three segments were sent, four arrived"] = "发送了三个报文段，到达四个",
  ["one D-SACK, of the second segment, below the ACK"] = "一个 D-SACK，属于第二个报文段，在 ACK 之下",
  ["without any retransmission"] = "没有任何重传",
  ["the sender classifies it as duplication"] = "发送方把它归为复制",
  ["the window is not cut"] = "窗口没有减小",
  ["nor its threshold or any state changed"] = "阈值和状态也都没有改变",
  ["the reader gets every byte once"] = "读者每个字节只得到一次",
})
