-- TCP-HS-18  Refused.
-- Nobody listens on the port: the host answers the SYN with RST and ACK, and the caller's connect fails after one round trip with
-- "connection refused" (RFC 9293 3.5.2, 3.10.7.1). RST carries ACK because the SYN has none: that is how the client knows its own.
-- tshark-allow: Connection reset (the port is closed)
local hs = require "hopscope"
hs.title { en = "TCP-HS-18 Refused", zh = "TCP-HS-18 被拒绝" }

local client, server = hs.host "client", hs.host "server"
hs.link(client, server, { delay = "15ms", address = { client = "192.168.0.100/24", server = "192.168.0.200/24" } })
client:arp_set("server", server:dev().mac)
server:arp_set("client", client:dev().mac)
local frames = hs.frames { filter = function(p) return p.ip end }
local result, when
hs.note { en = "telnet 192.168.0.200 8080, and nobody is at that port.", zh = "telnet 192.168.0.200 8080，而那个端口上没有人。" }
client:spawn(function(os)
  result = { os.tcp():connect("192.168.0.200", 8080) }
  when = hs.now()
end)
hs.run "10s"
hs.expect_equal("connect: connection refused", result, { nil, "ECONNREFUSED" })
hs.expect_equal("after one round trip: 2 times 15 ms", when, "30ms")
hs.expect_equal("two packets", #frames, 2)
local syn, rst = frames[1].packet.tcp, frames[2].packet.tcp
hs.expect_equal("the answer is RST and ACK", { rst.rst, rst.ack, rst.syn }, { true, true, false })
hs.expect_equal("ack is ISN + 1: the SYN takes one number", rst.ackno, (syn.seq + 1) % 2 ^ 32 // 1 | 0)
hs.expect_equal("seq is 0: the server has no numbers of its own", rst.seq, 0)
hs.expect_equal("from the port that was called", { rst.sport, rst.dport }, { 8080, syn.sport })
hs.expect_equal("the client does not try again", client:counter "TcpAttemptFails", 1)

hs.translate("zh", {
  ["connect: connection refused"] = "connect：连接被拒绝",
  ["after one round trip: 2 times 15 ms"] = "在一个往返之后：2 乘以 15 ms",
  ["two packets"] = "两个分组",
  ["the answer is RST and ACK"] = "应答是 RST 和 ACK",
  ["ack is ISN + 1: the SYN takes one number"] = "ack 是 ISN + 1：SYN 占用一个编号",
  ["seq is 0: the server has no numbers of its own"] = "seq 是 0：服务器没有自己的编号",
  ["from the port that was called"] = "来自所连接的端口",
  ["the client does not try again"] = "客户端不再尝试",
})
