-- UDP-03  No connection, small header.
-- UDP needs no handshake: the first packet already carries data, and it is there after half a round trip. Its header has 8
-- bytes; TCP's has at least 20 (RFC 768, RFC 9293 3.1), and TCP's data could not arrive before one and a half round trips.
local hs = require "hopscope"
hs.title { en = "UDP-03 No connection, small header", zh = "UDP-03 无连接，首部短小" }

local client, server = hs.host "client", hs.host "server"
hs.link(client, server, { rate = "100Mbps", delay = "20ms" })
client:ping("server", { count = 1 }) -- both know the other's MAC address now
hs.run_until "1s"

local seen = hs.frames { filter = function(p) return p.ip end }
local asked, answered
server:udp { port = 9, on_datagram = function(data, address, port, _, sock)
  asked = { data = data, time = hs.now() }
  sock:sendto("42", address, port)
end }

hs.note {
  en = "1 s: the client sends a question. No connection exists, nothing was agreed upon before.",
  zh = "1 s：客户端发送一个询问。没有连接存在，事先也没有约定什么。",
}
client:spawn(function(os)
  local sock = os.udp():connect("server", 9)
  sock:send "6 times 7?"
  local data = sock:recv "1s"
  answered = { data = data, time = os.now() }
end)
hs.run "1s"
seen:print()

-- The question: 14 + 20 + 8 + 10 = 52 bytes, padded to 60; with preamble and FCS 72 bytes = 5.76 us at 100 Mbit/s.
local ONE_WAY = 0.020 + 72 * 8 / 100e6
hs.expect_equal("the first packet already carries data", { seen[1].packet.udp.dport, seen[1].packet.udp.len - 8, asked.data },
  { 9, 10, "6 times 7?" })
hs.expect_near("the data arrives after half an RTT: 20 ms + 5.76 us", asked.time - 1, ONE_WAY, "1ns")
hs.expect_near("and the answer after one RTT", answered.time - 1, 2 * ONE_WAY, "1ns")
hs.expect_equal("two packets in all: a question and its answer", { #seen, answered.data }, { 2, "42" })

hs.note {
  en = "Headers: 8 bytes of UDP between IP and the data. A TCP segment would carry at least 20 there.",
  zh = "首部：IP 和数据之间是 UDP 的 8 字节。TCP 报文段在那里至少有 20 字节。",
}
local p = seen[1].packet
hs.expect_equal("IP total 38 = 20 IP + 8 UDP + 10 data", { p.ip.len, p.ip.len - p.ip.hdr_len - #asked.data }, { 38, 8 })

hs.note {
  en = "Now the same question over TCP. First the handshake; the data follows with its third segment.",
  zh = "现在同样的询问用 TCP。首先是握手；数据随着它的第三个报文段而来。",
}
local begin, tcp_asked = nil, nil
server:spawn(function(os)
  local conn = os.tcp():bind(5678):listen(1):accept()
  tcp_asked = { data = conn:read(), time = hs.now() }
end)
local segments = hs.frames { filter = function(q) return q.tcp end }
client:spawn(function(os)
  begin = hs.now()
  local sock = os.tcp():connect("server", 5678)
  sock:write "6 times 7?"
  os.sleep "1s"
end)
hs.run "500ms"
-- Serialisation at 100 Mbit/s, three packets of less than 100 bytes and a fourth just before the data: below 40 us in all.
hs.expect_near("TCP's data arrives after one and a half RTT: 60 ms", tcp_asked.time - begin, 3 * 0.020, "40us")
hs.expect_equal("SYN, SYN-ACK, ACK come before the data", { segments[1].packet.tcp.len, segments[2].packet.tcp.len, segments[3].packet.tcp.len,
  segments[4].packet.tcp.len }, { 0, 0, 0, 10 })
hs.expect("and its header has at least 20 bytes", segments[4].packet.tcp.hdr_len >= 20, segments[4].packet.tcp.hdr_len)

hs.translate("zh", {
  ["the first packet already carries data"] = "第一个分组就携带数据",
  ["the data arrives after half an RTT: 20 ms + 5.76 us"] = "数据在半个 RTT 之后到达：20 ms + 5.76 us",
  ["and the answer after one RTT"] = "应答在一个 RTT 之后",
  ["two packets in all: a question and its answer"] = "总共两个分组：询问和应答",
  ["IP total 38 = 20 IP + 8 UDP + 10 data"] = "IP 总长度 38 = 20 IP + 8 UDP + 10 数据",
  ["TCP's data arrives after one and a half RTT: 60 ms"] = "TCP 的数据在一个半 RTT 之后到达：60 ms",
  ["SYN, SYN-ACK, ACK come before the data"] = "数据之前有 SYN、SYN-ACK、ACK",
  ["and its header has at least 20 bytes"] = "它的首部至少有 20 字节",
})
