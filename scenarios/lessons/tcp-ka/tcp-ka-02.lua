-- TCP-KA-02  Probe answered.
-- With SO_KEEPALIVE, after net.ipv4.tcp_keepalive_time (7200 s) of silence an empty segment is sent whose number is one too small:
-- SND.NXT-1. It is not acceptable, so the peer has to answer with an ACK of what it expects (RFC 9293 3.8.4, 3.10.7.4; RFC 1122 4.2.3.6).
-- That is proof of life, and the waiting begins again. The peer needs no option for it, and its application sees nothing.
local hs = require "hopscope"
hs.title { en = "TCP-KA-02 Probe answered", zh = "TCP-KA-02 探测得到应答" }

local client, server = hs.host "client", hs.host "server"
hs.link(client, server, { delay = "10ms" })
client:arp_set(server, server:dev().mac)
server:arp_set(client, client:dev().mac)
local conn
server:spawn(function(os)
  conn = os.tcp({ keepalive = true }):bind(5000):listen(8):accept()
  conn:read()
  conn:read()
end)
local data_came = false
client:spawn(function(os)
  local own = os.tcp():connect("server", 5000)
  own:write "hello"
  data_came = own:read() ~= nil
end)
hs.run "1s"
local frames = hs.frames { filter = function(p) return p.tcp end }
hs.expect_equal("it is inherited from the listening socket", conn:getopt "SO_KEEPALIVE", true)
local quiet_since = hs.now() - conn:info().last_data_recv / 1000

local COUNT = 5
hs.run(COUNT * 7200 + 60)
hs.expect_equal("one probe and one ACK each time", #frames, 2 * COUNT)
local before = quiet_since
for i = 1, COUNT do
  local probe, ack = frames[2 * i - 1], frames[2 * i]
  hs.note({
    en = "%.2f s: probe, seq %d, %d bytes; %.0f ms later the ACK %d",
    zh = "%.2f s：探测，seq %d，%d 字节；%.0f ms 之后是 ACK %d",
  }, probe.time, probe.packet.tcp.seq, probe.packet.tcp.len, (ack.time - probe.time) * 1000, ack.packet.tcp.ackno)
  -- the timer counts from what was last heard, in whole milliseconds
  hs.expect_near("probe " .. i .. ": after 7200 s of silence", probe.time - before, 7200, 0.002)
  hs.expect_equal("probe " .. i .. ": an empty segment with SND.NXT - 1", { probe.from, probe.packet.tcp.len, probe.packet.tcp.seq }, { "server", 0, (ack.packet.tcp.ackno - 1) % 2 ^ 32 // 1 | 0 })
  hs.expect_equal("the client answers at once", { ack.from, ack.packet.tcp.len, ack.packet.tcp.ack }, { "client", 0, true })
  hs.expect_near("after one trip", ack.time - probe.time, "10ms", "10us")
  before = ack.time + 0.01
end
hs.expect_equal("the state is unchanged", { conn:state(), #client:sockets "ESTABLISHED" }, { "ESTABLISHED", 1 })
hs.expect_equal("the client's application has seen nothing", data_came, false)
hs.expect_equal("counted", server:counter "TcpExtTCPKeepAlive", COUNT)

hs.translate("zh", {
  ["it is inherited from the listening socket"] = "它继承自监听套接字",
  ["one probe and one ACK each time"] = "每次一个探测和一个 ACK",
  ["probe {}: after {} s of silence"] = "探测 {}：在 {} s 的沉默之后",
  ["probe {}: an empty segment with SND.NXT - {}"] = "探测 {}：一个空报文段，编号为 SND.NXT - {}",
  ["the client answers at once"] = "客户端立刻应答",
  ["after one trip"] = "在一个单程之后",
  ["the state is unchanged"] = "状态不变",
  ["the client's application has seen nothing"] = "客户端的应用程序什么也没有看到",
  ["counted"] = "已被计数",
})
