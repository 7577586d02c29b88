-- ARCH-03  Demultiplexing chain.
-- A frame has arrived: whose is it? Each layer's header has a field that names the next one: the EtherType picks IP, ARP or RARP,
-- the protocol field of IP picks ICMP, IGMP, UDP or TCP, the port picks the socket. What nobody wants ends there: an unknown
-- EtherType silently, an unknown protocol with ICMP 3/2, an unknown UDP port with ICMP 3/3 (RFC 1122 3.2.2.1).
-- ARP and RARP have EtherTypes of their own: they are no IP.
-- without: IGMP (protocol 2 has no handler yet)
-- tshark-allow: Connection reset (the unknown TCP port)
local hs = require "hopscope"
hs.title { en = "ARCH-03 Demultiplexing chain", zh = "ARCH-03 逐层分用" }

local a, b = hs.host "a", hs.host "b"
hs.link(a, b, { rate = "100Mbps", delay = "1ms", address = { a = "10.0.0.1/24", b = "10.0.0.2/24" } })
local drops, icmp = hs.frames { on = "drop", node = b }, hs.frames { filter = function(p) return p.icmp end }
local raw = a:raw "eth0"
a:ping("b", { count = 1 }) -- both know each other's MAC address from here on

-- Frames by hand, so that any number can be put into any field.
local function mac(text) return (text:gsub("(%x%x):?", function(x) return string.char(tonumber(x, 16)) end)) end
local function frame(ethertype, payload) return mac(b:dev().mac) .. mac(a:dev().mac) .. string.pack(">I2", ethertype) .. payload end
local function ip(proto, payload)
  return frame(0x0800, hs.ip4.encode { src = "10.0.0.1", dst = "10.0.0.2", proto = proto, len = 20 + #payload } .. payload)
end
local function udp(port, data) return ip(17, string.pack(">I2I2I2I2", 5000, port, 8 + #data, 0) .. data) end

-- What of b's counters grows, and what else happens, when one frame arrives.
local counters = { "IpInReceives", "IpInDelivers", "IpInUnknownProtos", "IcmpInMsgs", "UdpInDatagrams", "UdpNoPorts" }
local function arrives(bytes)
  local before, n_drops, n_icmp, grown, dropped = {}, #drops, #icmp, {}, b:dev():stats().rx_dropped
  for _, name in ipairs(counters) do before[name] = b:counter(name) end
  raw:send(bytes)
  hs.run "100ms" -- long enough for everything that follows
  for _, name in ipairs(counters) do
    local n = b:counter(name) - before[name]
    if n ~= 0 then grown[name] = n end
  end
  dropped = b:dev():stats().rx_dropped - dropped -- the card's counter of frames that no protocol wanted
  if dropped ~= 0 then grown.rx_dropped = dropped end
  local reason = drops[n_drops + 1] and drops[n_drops + 1].reason
  local answer = icmp[n_icmp + 1] and icmp[#icmp].from == "b" and icmp[#icmp].packet.icmp
  return grown, reason, answer and answer.type .. "/" .. answer.code
end

hs.note {
  en = "Step 1, the EtherType: 0x0800 is IP, 0x0806 ARP, 0x8035 RARP. The last is known, but nobody here serves it.",
  zh = "第 1 步，EtherType：0x0800 是 IP，0x0806 是 ARP，0x8035 是 RARP。最后一种大家都认识，但这里没有人提供服务。",
}
local grown, reason, answer = arrives(frame(0x0806, string.pack(">I2I2BBI2", 1, 0x0800, 6, 4, 1) .. mac(a:dev().mac)
  .. "\10\0\0\1" .. ("\0"):rep(6) .. "\10\0\0\2"))
hs.expect_equal("0x0806 goes to ARP: IP hears nothing of it", { grown, reason, answer }, { {}, nil, nil })
grown, reason, answer = arrives(frame(0x88b5, "a local experiment"))
hs.expect_equal("an unknown EtherType is dropped below IP, without an answer", { grown, reason, answer },
  { { rx_dropped = 1 }, "unknown EtherType", nil })
grown, reason, answer = arrives(frame(0x8035, string.pack(">I2I2BBI2", 1, 0x0800, 6, 4, 3) .. mac(a:dev().mac)
  .. "\0\0\0\0" .. mac(a:dev().mac) .. "\0\0\0\0"))
hs.expect_equal("RARP is no IP either, and without a server nobody wants it", { grown, reason, answer },
  { { rx_dropped = 1 }, "unknown EtherType", nil })

hs.note {
  en = "Step 2, the protocol field of IP: 1 is ICMP, 2 IGMP, 6 TCP, 17 UDP. 253 is for experiments (RFC 3692).",
  zh = "第 2 步，IP 的协议字段：1 是 ICMP，2 是 IGMP，6 是 TCP，17 是 UDP。253 供试验使用（RFC 3692）。",
}
grown, reason, answer = arrives(ip(1, "\8\0\xf7\xfd\0\1\0\1"))
hs.expect_equal("1 goes to ICMP, which answers the echo", { grown, answer },
  { { IpInReceives = 1, IpInDelivers = 1, IcmpInMsgs = 1 }, "0/0" })
grown, reason, answer = arrives(ip(253, "an experiment"))
hs.expect_equal("an unknown protocol is counted", { grown, reason },
  { { IpInReceives = 1, IpInUnknownProtos = 1 }, "unknown protocol" })
hs.expect_equal("and answered with protocol unreachable", answer, "3/2")

hs.note {
  en = "Step 3, the port: UDP looks for a socket that is bound to it. Two programs wait on b, at ports 7001 and 7002.",
  zh = "第 3 步，端口：UDP 寻找绑定在该端口上的套接字。b 上有两个程序在等待，端口是 7001 和 7002。",
}
local got = {}
for port = 7001, 7002 do b:udp { port = port, on_datagram = function(data) got[#got + 1] = port .. " " .. data end } end
grown, reason, answer = arrives(udp(7002, "for the second"))
hs.expect_equal("17 goes to UDP", grown, { IpInReceives = 1, IpInDelivers = 1, UdpInDatagrams = 1 })
arrives(udp(7001, "for the first"))
hs.expect_equal("each datagram reached the socket of its port", got, { "7002 for the second", "7001 for the first" })
grown, reason, answer = arrives(udp(7003, "for nobody"))
hs.expect_equal("a port without a socket is counted", { grown, reason },
  { { IpInReceives = 1, IpInDelivers = 1, UdpNoPorts = 1 }, "no socket" })
hs.expect_equal("and answered with port unreachable", answer, "3/3")

hs.note {
  en = "TCP asks for more than the port: a connection is found by all four numbers, and only then a listener by its port.",
  zh = "TCP 要看的不只是端口：连接由全部四个数来查找，找不到才按端口找监听者。",
}
local streams = {}
b:spawn(function(os)
  local listener = os.tcp():bind(5678):listen(4)
  while true do
    local conn, _, port = listener:accept()
    b:spawn(function() streams[port] = conn:read() end)
  end
end)
local ports = {}
a:spawn(function(os)
  local one, two = os.tcp():connect("b", 5678), os.tcp():connect("b", 5678)
  ports = { select(2, one:local_addr()), select(2, two:local_addr()) }
  two:write "second"
  one:write "first"
  os.sleep "1s"
end)
hs.run "500ms"
hs.expect_equal("two connections to one port: each segment to its own", { streams[ports[1]], streams[ports[2]] }, { "first", "second" })
local resets = hs.frames { filter = function(p) return p.tcp and p.tcp.rst and p.from == "b" end }
local refused
a:spawn(function(os) refused = select(2, os.tcp():connect("b", 7004)) end)
hs.run "100ms"
hs.expect_equal("an unknown TCP port is answered with RST, which connect reports", { #resets, refused }, { 1, "ECONNREFUSED" })
hs.expect_equal("and counted", b:counter "TcpOutRsts", 1)

hs.translate("zh", {
  ["0x0806 goes to ARP: IP hears nothing of it"] = "0x0806 交给 ARP：IP 听不到它",
  ["an unknown EtherType is dropped below IP, without an answer"] = "未知的 EtherType 在 IP 之下被丢弃，没有应答",
  ["RARP is no IP either, and without a server nobody wants it"] = "RARP 也不是 IP，没有服务器就没有人要它",
  ["1 goes to ICMP, which answers the echo"] = "1 交给 ICMP，它应答回送",
  ["an unknown protocol is counted"] = "未知的协议被计数",
  ["and answered with protocol unreachable"] = "并以协议不可达应答",
  ["17 goes to UDP"] = "17 交给 UDP",
  ["each datagram reached the socket of its port"] = "每个数据报到达自己端口的套接字",
  ["a port without a socket is counted"] = "没有套接字的端口被计数",
  ["and answered with port unreachable"] = "并以端口不可达应答",
  ["two connections to one port: each segment to its own"] = "到同一端口的两条连接：每个报文段到自己的那条",
  ["an unknown TCP port is answered with RST, which connect reports"] = "未知的 TCP 端口得到 RST，connect 报告它",
  ["and counted"] = "并被计数",
})
