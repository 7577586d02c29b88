-- SOCK-06  bind without listen.
-- A bound TCP port without a listener is as closed as any other: a SYN for it draws a reset (RFC 9293 3.10.7.1), not an ICMP error,
-- which is UDP's way. The caller's connect() reports ECONNREFUSED.
-- tshark-allow: Connection reset (the SYN that meets a closed port)
local hs = require "hopscope"
hs.title { en = "SOCK-06 bind without listen", zh = "SOCK-06 有 bind 而无 listen" }

local client, server = hs.host "client", hs.host "server"
hs.link(client, server, { delay = "10ms" })
client:arp_set("server", server:dev().mac)
server:arp_set("client", client:dev().mac)

local frames = hs.frames { filter = function(p) return p.ip end }
local bound = server:tcp():bind(5678)
local result, when
client:spawn(function(os)
  result = { os.tcp():connect("server", 5678) }
  when = hs.now()
end)
hs.note { en = "The server has bound port 5678 but does not listen.", zh = "服务器绑定了端口 5678，但没有监听。" }
hs.run "1s"

hs.expect_equal("connect reports: refused", result, { nil, "ECONNREFUSED" })
hs.expect_equal("after one round trip", when, "20ms")
hs.expect_equal("two packets: a SYN and a reset", #frames, 2)
local syn, rst = frames[1].packet, frames[2].packet
hs.expect("the answer is RST with ACK", rst.tcp.rst and rst.tcp.ack, rst:summary())
hs.expect_equal("it acknowledges the SYN, so that the client believes it", rst.tcp.ackno, (syn.tcp.seq + 1) % 2 ^ 32 // 1 | 0)
hs.expect_equal("no ICMP was sent", frames:count(function(p) return p.icmp end), 0)
hs.expect_equal("the server counts a reset sent", server:counter "TcpOutRsts", 1)

hs.note { en = "With listen the same port answers.", zh = "有了 listen，同一个端口就会应答。" }
bound:listen(128)
client:spawn(function(os) result = os.tcp():connect("server", 5678):state() end)
hs.run "1s"
hs.expect_equal("now it is connected", result, "ESTABLISHED")

hs.translate("zh", {
  ["connect reports: refused"] = "connect 报告：被拒绝",
  ["after one round trip"] = "在一个往返之后",
  ["two packets: a SYN and a reset"] = "两个分组：一个 SYN 和一个复位",
  ["the answer is RST with ACK"] = "应答是带 ACK 的 RST",
  ["it acknowledges the SYN, so that the client believes it"] = "它确认 SYN，所以客户端相信它",
  ["no ICMP was sent"] = "没有发送 ICMP",
  ["the server counts a reset sent"] = "服务器计入一个发出的复位",
  ["now it is connected"] = "现在已连接",
})
