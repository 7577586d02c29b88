-- UDP-12  TCP and UDP port spaces.
-- The IP header's protocol field chooses between TCP (6) and UDP (17) before a port is looked at (RFC 768, RFC 9293): each has its own
-- 65536 ports, and the same number can be open in both.
-- tshark-allow: Connection reset (the closed TCP port)
local hs = require "hopscope"
hs.title { en = "UDP-12 TCP and UDP port spaces", zh = "UDP-12 TCP 与 UDP 的端口空间" }

local client, server = hs.host "client", hs.host "server"
hs.link(client, server, { delay = "5ms" })

hs.note { en = "The server opens port 5678 twice: for TCP and for UDP.", zh = "服务器打开端口 5678 两次：一次用于 TCP，一次用于 UDP。" }
local listener = server:tcp():bind(5678)
local inbox = server:udp { port = 5678 }
hs.expect("both binds succeed", listener and inbox)
hs.expect_equal("a second TCP socket on it is too many", { server:tcp():bind(5678) }, { nil, "EADDRINUSE" })
listener:listen(8)

local stream
server:spawn(function() stream = listener:accept():read() end)
client:spawn(function(os)
  hs.note { en = "The client sends to 5678 by both.", zh = "客户端用两者向 5678 发送。" }
  os.udp():connect("server", 5678):send "a datagram"
  os.tcp():connect("server", 5678):write "a stream"
end)
local frames = hs.frames { filter = function(p) return p.ip and p.from == "client" and p.data end }
hs.run "1s"
hs.expect_equal("each reaches its own socket", { inbox:recv(0), stream }, { "a datagram", "a stream" })
hs.expect_equal("nothing else is in the UDP socket", { inbox:recv(0) }, { nil, "EAGAIN" })
local protos, ports = {}, {}
for i, f in ipairs(frames) do
  protos[i] = f.packet.ip.proto
  ports[i] = (f.packet.udp or f.packet.tcp).dport
end
hs.expect_equal("the same destination port, told apart by the protocol field: 17 and 6", { protos, ports }, { { 17, 6 }, { 5678, 5678 } })

hs.note { en = "Closing one leaves the other open.", zh = "关闭一个，另一个仍然打开。" }
listener:close()
local why
client:spawn(function(os)
  why = select(2, os.tcp():connect("server", 5678))
  os.udp():connect("server", 5678):send "still here"
end)
hs.run "1s"
hs.expect_equal("TCP 5678 is closed, UDP 5678 is not", { why, inbox:recv(0) }, { "ECONNREFUSED", "still here" })

hs.translate("zh", {
  ["both binds succeed"] = "两次 bind 都成功",
  ["a second TCP socket on it is too many"] = "在它上面再有一个 TCP 套接字就太多了",
  ["each reaches its own socket"] = "各自到达自己的套接字",
  ["nothing else is in the UDP socket"] = "UDP 套接字里没有别的",
  ["the same destination port, told apart by the protocol field: 17 and 6"] = "同样的目的端口，由协议字段区分：17 和 6",
  ["TCP 5678 is closed, UDP 5678 is not"] = "TCP 5678 已关闭，UDP 5678 没有",
})
