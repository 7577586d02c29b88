-- TCP-RTX-03  ACK lost.
-- The data has arrived, but its ACK is lost. For the sender that looks as if the data were lost: it sends it again. The receiver knows the
-- numbers, throws the copy away and acknowledges once more (RFC 9293 3.10.7.4). The reader sees nothing of it.
-- tshark-allow: D-SACK Sequence (the receiver reports the copy)
local hs = require "hopscope"
hs.title { en = "TCP-RTX-03 ACK lost", zh = "TCP-RTX-03 ACK 丢失" }

local client, server = hs.host("client", { sysctl = { ["net.ipv4.tcp_early_retrans"] = 0 } }), hs.host "server"
local link = hs.link(client, server, { delay = "10ms" })
client:arp_set(server, server:dev().mac)
server:arp_set(client, client:dev().mac)
local data_seen, lost = false, 0
link:dir(client):rule(function(p) if p.tcp and p.tcp.len > 0 then data_seen = true end end)
link:dir(server):rule(function(p)
  if p.tcp and data_seen and lost == 0 then
    lost = p.tcp.ackno
    return "drop"
  end
end)
local frames = hs.frames { filter = function(p) return p.tcp end }
local got = {}
server:spawn(function(os)
  local c = os.tcp():bind(5000):listen(8):accept()
  for data in function() return (c:read()) end do got[#got + 1] = data end
end)
local rest
client:spawn(function(os)
  local conn = os.tcp():connect("server", 5000)
  conn:write(("a"):rep(1000))
  os.sleep "2s"
  rest = conn:info().send_q
  conn:write(("b"):rep(500))
  os.sleep "1h"
end)
hs.run "5s"
for i = 4, #frames do
  local t = frames[i].packet.tcp
  hs.note({ en = "%.3f s: %s %s", zh = "%.3f s：%s %s" }, frames[i].time, frames[i].from,
    t.len > 0 and { en = t.len .. " bytes", zh = t.len .. " 字节" } or "ACK " .. t.ackno)
end
local data, again, ack = frames[4], frames[6], frames[7]
hs.expect_equal("the lost ACK was for all of it", lost, (data.packet.tcp.seq + 1000) % 2 ^ 32 // 1 | 0)
hs.expect_near("the data is resent after the timeout: RTT 20 ms + 200 ms", again.time - data.time, "220ms", "1us")
hs.expect_equal("it is the same data", { again.packet.tcp.seq, again.packet.tcp.len }, { data.packet.tcp.seq, 1000 })
hs.expect_equal("the receiver acknowledges it again, at once", { ack.from, ack.packet.tcp.ackno, ack.time }, { "server", lost, again.time + 0.01 })
hs.expect_equal("the receiver's duplicate counter is 1", server:counter "TcpExtTCPDSACKOldSent", 1)
hs.expect_equal("so is the sender's count of retransmissions", client:counter "TcpRetransSegs", 1)
hs.expect_equal("the sender is content", rest, 0)
hs.expect_equal("the stream is unchanged", table.concat(got), ("a"):rep(1000) .. ("b"):rep(500))

hs.translate("zh", {
  ["the lost ACK was for all of it"] = "丢失的 ACK 确认了全部数据",
  ["the data is resent after the timeout: RTT 20 ms + 200 ms"] = "数据在超时之后重传：RTT 20 ms + 200 ms",
  ["it is the same data"] = "是同样的数据",
  ["the receiver acknowledges it again, at once"] = "接收方立刻再次确认它",
  ["the receiver's duplicate counter is 1"] = "接收方的重复计数是 1",
  ["so is the sender's count of retransmissions"] = "发送方的重传计数也是",
  ["the sender is content"] = "发送方满意了",
  ["the stream is unchanged"] = "流没有改变",
})
