-- TCP-RTX-02  Data lost.
-- The sender starts a timer with its data. If no acknowledgment comes before it fires, the data is sent again (RFC 6298 5). The timeout
-- here: the handshake has measured an RTT of 20 ms, and Linux adds 200 ms at least. (Tail loss probes, which would come at about the same
-- time, are off.)
local hs = require "hopscope"
hs.title { en = "TCP-RTX-02 Data lost", zh = "TCP-RTX-02 数据丢失" }

local client, server = hs.host("client", { sysctl = { ["net.ipv4.tcp_early_retrans"] = 0 } }), hs.host "server"
local link = hs.link(client, server, { delay = "10ms" })
client:arp_set(server, server:dev().mac)
server:arp_set(client, client:dev().mac)
link:dir(client):rule(function(p) if p.tcp and p.tcp.data_nth == 1 and not p.tcp.retransmission then return "drop" end end)

local frames = hs.frames { filter = function(p) return p.tcp and p.tcp.len > 0 end }
local received = hs.frames { node = server, on = "rx", filter = function(p) return p.tcp and p.tcp.len > 0 end }
local got, when, rto, conn = {}, nil, nil, nil
server:spawn(function(os)
  local c = os.tcp():bind(5000):listen(8):accept()
  for data in function() return (c:read()) end do
    got[#got + 1] = data
    when = when or hs.now()
  end
end)
client:spawn(function(os)
  conn = os.tcp():connect("server", 5000)
  os.sleep "80ms"
  rto = conn:info().rto
  hs.note({
    en = "The client sends 1000 bytes; its timeout is %s ms. The segment is lost.",
    zh = "客户端发送 1000 字节；它的超时时间是 %s ms。报文段丢失。",
  }, rto // 1000)
  conn:write(("x"):rep(1000))
  os.sleep "10s"
end)
hs.run "5s"
hs.note({
  en = "Sent at %.3f s, again at %.3f s, read at %.3f s.",
  zh = "%.3f s 发送，%.3f s 重传，%.3f s 被读取。",
}, frames[1].time, frames[2].time, when)
hs.expect_equal("RTT 20 ms + 200 ms", rto, 220000)
hs.expect_equal("one retransmission", { #frames, client:counter "TcpRetransSegs" }, { 2, 1 })
hs.expect_near("after the timeout", frames[2].time - frames[1].time, "220ms", "1us")
hs.expect_equal("of the same bytes", { frames[2].packet.tcp.seq, frames[2].packet.tcp.len }, { frames[1].packet.tcp.seq, 1000 })
hs.expect_equal("the receiver sees it once", { #received, table.concat(got) == ("x"):rep(1000) }, { 1, true })
hs.expect_near("after 100 + 220 + 10 ms", when, "330ms", "1us")
hs.expect_equal("it was acknowledged: nothing is left to be sent", conn:info().send_q, 0)

hs.translate("zh", {
  ["one retransmission"] = "一次重传",
  ["after the timeout"] = "在超时之后",
  ["of the same bytes"] = "重传的是同样的字节",
  ["the receiver sees it once"] = "接收方只看到一次",
  ["after 100 + 220 + 10 ms"] = "在 100 + 220 + 10 ms 之后",
  ["it was acknowledged: nothing is left to be sent"] = "它得到了确认：没有什么还要发送",
})
