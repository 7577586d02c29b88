-- IP4-03  Protocol field.
-- One byte of the header names what the packet carries (numbers of IANA: ICMP 1, IGMP 2, TCP 6, UDP 17 = 0x11). At the
-- destination IP gives the packet to the handler registered for that number. If there is none, the sender is told with
-- ICMP 3/2, "protocol unreachable" (RFC 1122 section 3.2.2.1).
local hs = require "hopscope"
hs.title { en = "IP4-03 Protocol field", zh = "IP4-03 协议字段" }

local a, b = hs.host "a", hs.host "b"
hs.link(a, b)
local seen = hs.frames { filter = function(p) return p.ip and p.from == "a" end }
local icmp = hs.frames { filter = function(p) return p.icmp and p.from == "b" end }
local heard
b:udp { port = 7, on_datagram = function(data) heard = data end }

for proto, name in pairs { [1] = "ICMP", [2] = "IGMP", [6] = "TCP", [17] = "UDP" } do
  local header = hs.ip4.encode { src = "10.0.0.1", dst = "10.0.0.2", proto = proto }
  hs.expect_equal("protocol " .. proto .. " means " .. name, hs.ip4.decode(header).proto_name, name)
  hs.expect_equal("its place is byte 9 of the header", header:byte(9 + 1), proto)
end

hs.note {
  en = "A ping and a UDP datagram: the same IP, but 1 or 17 in the protocol field, and two different handlers.",
  zh = "一个 ping 和一个 UDP 数据报：同样的 IP，但协议字段是 1 或 17，处理者也就不同。",
}
local ping
a:spawn(function(os)
  ping = os.ping("b", { count = 1 })
  os.udp():sendto("for UDP", "b", 7)
end)
hs.run "2s"
hs.expect_equal("the ping carried protocol 1, the datagram 17", { seen[1].packet.ip.proto, seen[2].packet.ip.proto }, { 1, 17 })
hs.expect_equal("the ICMP of b has got one packet and answered it", { b:counter "IcmpInMsgs", ping.received }, { 1, 1 })
hs.expect_equal("the UDP of b has got the other one", { b:counter "UdpInDatagrams", heard }, { 1, "for UDP" })
hs.expect_equal("IP delivered both", b:counter "IpInDelivers", 2)

hs.note { en = "253 is a number for experiments (RFC 3692), and b has no handler for it.", zh = "253 是供试验用的号码（RFC 3692），b 没有它的处理者。" }
local function send_as(proto)
  a:spawn(function(os)
    local header = hs.ip4.encode { src = a:addr(), dst = b:addr(), len = 28, proto = proto }
    local function mac(text)
      return (string.gsub(text, "(%x%x):?", function(h) return string.char(tonumber(h, 16)) end))
    end
    os.raw():send(mac(b:dev().mac) .. mac(a:dev().mac) .. "\x08\x00" .. header .. "8 bytes.")
  end)
  hs.run "2s"
end
send_as(253)
hs.expect_equal("b counts an unknown protocol", b:counter "IpInUnknownProtos", 1)
local answer = icmp[#icmp].packet
hs.expect_equal("and says: destination unreachable, protocol (3/2)", { answer.icmp.type, answer.icmp.code }, { 3, 2 })
hs.expect_equal("it quotes the header that it could not serve", answer.quoted.ip.proto, 253)
hs.expect_equal("neither ICMP nor UDP has seen the packet", { b:counter "IcmpInMsgs", b:counter "UdpInDatagrams" }, { 1, 1 })

hs.note { en = "A TCP connection carries protocol 6, for a third handler.", zh = "TCP 连接携带协议号 6，交给第三个处理者。" }
local before = b:counter "TcpInSegs"
local said
b:spawn(function(os) said = os.tcp():bind(5678):listen(1):accept():read() end)
hs.run "1ms"
a:spawn(function(os)
  os.tcp():connect("b", 5678):write "for TCP"
  os.sleep "1s"
end)
hs.run "500ms"
hs.expect_equal("the segments carried protocol 6", seen[#seen].packet.ip.proto, 6)
hs.expect_equal("the TCP of b has got SYN, ACK, data, and an ACK of its own FIN", b:counter "TcpInSegs" - before, 4)
hs.expect_equal("and gave the data to its reader", said, "for TCP")
hs.expect_equal("ICMP and UDP have heard nothing of it", { b:counter "IcmpInMsgs", b:counter "UdpInDatagrams" }, { 1, 1 })

hs.translate("zh", {
  ["protocol 1 means ICMP"] = "协议 1 是 ICMP",
  ["its place is byte 9 of the header"] = "它在首部的第 9 个字节",
  ["protocol 2 means IGMP"] = "协议 2 是 IGMP",
  ["protocol 6 means TCP"] = "协议 6 是 TCP",
  ["protocol 17 means UDP"] = "协议 17 是 UDP",
  ["the ping carried protocol 1, the datagram 17"] = "ping 带着协议 1，数据报带着 17",
  ["the ICMP of b has got one packet and answered it"] = "b 的 ICMP 得到一个分组并作了应答",
  ["the UDP of b has got the other one"] = "b 的 UDP 得到另一个",
  ["IP delivered both"] = "IP 交付了两者",
  ["b counts an unknown protocol"] = "b 计入一个未知的协议",
  ["and says: destination unreachable, protocol (3/2)"] = "并说：目的不可达，协议（3/2）",
  ["it quotes the header that it could not serve"] = "它引用了自己无法服务的首部",
  ["neither ICMP nor UDP has seen the packet"] = "ICMP 和 UDP 都没有看到这个分组",
  ["the segments carried protocol 6"] = "报文段带着协议 6",
  ["the TCP of b has got SYN, ACK, data, and an ACK of its own FIN"] = "b 的 TCP 得到 SYN、ACK、数据，以及对自己 FIN 的 ACK",
  ["and gave the data to its reader"] = "并把数据交给了读者",
  ["ICMP and UDP have heard nothing of it"] = "ICMP 和 UDP 什么也没有听到",
})
