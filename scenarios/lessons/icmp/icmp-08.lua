-- ICMP-08  3/3 port unreachable.
-- The packet has reached its host, and the host runs UDP, but no socket is bound to the port: the host answers type 3 code 3
-- (RFC 1122 4.1.3.1). That is good news of a kind: host and way are fine. (A closed TCP port answers with a reset instead.)
-- The first six codes of type 3: 0 network, 1 host, 2 protocol, 3 port, 4 fragmentation needed, 5 source route failed.
local hs = require "hopscope"
hs.title { en = "ICMP-08 3/3 port unreachable", zh = "ICMP-08 3/3 端口不可达" }

local a, b = hs.host "a", hs.host "b"
hs.link(a, b, { delay = "1ms" })
local errors = hs.frames { node = a, on = "rx", filter = function(p) return p.icmp end }

hs.note {
  en = "a sends a datagram from port 4000 to port 5000 of b, where no program listens.",
  zh = "a 从端口 4000 向 b 的端口 5000 发送一个数据报，那里没有程序在监听。",
}
local data, err
local function ask(os, text)
  local sock = os.udp { port = 4000 }
  sock:connect("b", 5000)
  sock:send(text)
  data, err = sock:recv "1s"
  sock:close()
end
a:spawn(ask, "anybody there?")
hs.run "2s"

hs.expect_equal("one message comes back", #errors, 1)
local e = errors[1].packet
print("    " .. errors[1].summary)
hs.expect_equal("type 3, code 3, from b itself", { e.icmp.type, e.icmp.code, e.ip.src }, { 3, 3, b:addr() })
hs.expect_equal("it quotes the datagram's ports", { e.quoted.udp.sport, e.quoted.udp.dport }, { 4000, 5000 })
hs.expect_equal("by which a finds the socket: its program gets ECONNREFUSED", { data, err }, { nil, "ECONNREFUSED" })
hs.expect_equal("b counts a datagram for a closed port", b:counter "UdpNoPorts", 1)

hs.note {
  en = "Now a program on b binds the port: the same datagram is delivered, and answered.",
  zh = "现在 b 上的一个程序绑定了该端口：同样的数据报被交付，并得到应答。",
}
b:spawn(function(os)
  local sock = os.udp { port = 5000 }
  local text, from, port = sock:recvfrom()
  sock:sendto("yes, you said: " .. text, from, port)
end)
a:spawn(ask, "anybody there?")
hs.run "2s"
hs.expect_equal("an open port draws no error", #errors, 1)
hs.expect_equal("but an answer", data, "yes, you said: anybody there?")

hs.note { en = "After the program has ended its port is closed again.", zh = "程序结束之后，它的端口又关闭了。" }
a:spawn(ask, "still there?")
hs.run "2s"
hs.expect_equal("and port unreachable comes back once more", { #errors, errors[2].packet.icmp.code, err }, { 2, 3, "ECONNREFUSED" })

hs.translate("zh", {
  ["one message comes back"] = "回来一个报文",
  ["type 3, code 3, from b itself"] = "类型 3，代码 3，来自 b 自己",
  ["it quotes the datagram's ports"] = "它引用了数据报的端口",
  ["by which a finds the socket: its program gets ECONNREFUSED"] = "a 由此找到套接字：它的程序得到 ECONNREFUSED",
  ["b counts a datagram for a closed port"] = "b 计入一个发往关闭端口的数据报",
  ["an open port draws no error"] = "打开的端口不引来差错",
  ["but an answer"] = "而是应答",
  ["and port unreachable comes back once more"] = "端口不可达又回来一次",
})
