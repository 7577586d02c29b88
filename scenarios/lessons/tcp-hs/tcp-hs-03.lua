-- TCP-HS-03  Data on the third segment.
-- The third segment may carry the first data: by then the server knows that the client is where it says. The first two may not: a SYN
-- costs its sender nothing and its address may be false, so that data in it would fill the server's memory (RFC 9293 3.5 lets a server
-- keep such data until the handshake is over; Linux, as most, does not, except with Fast Open).
local hs = require "hopscope"
hs.title { en = "TCP-HS-03 Data on the third segment", zh = "TCP-HS-03 第三个报文段携带数据" }

local M = 2 ^ 32 // 1 | 0
local client, server, forger = hs.host "client", hs.host "server", hs.host "forger"
local sw = hs.switch "sw"
for _, h in ipairs { client, server, forger } do hs.link(h, sw, { delay = "5ms" }) end
for _, h in ipairs { client, server, forger } do
  for _, other in ipairs { client, server, forger } do
    if other ~= h then h:arp_set(other, other:dev().mac) end
  end
end

hs.note {
  en = "TCP_DEFER_ACCEPT tells the client that it is the first to speak: its ACK waits for the data of the first write.",
  zh = "TCP_DEFER_ACCEPT 告诉客户端由它先说话：它的 ACK 等到第一次写入的数据再一起发出。",
}
local frames = hs.frames { node = client, filter = function(p) return p.tcp end }
local got
server:spawn(function(os)
  local conn = os.tcp():bind(5010):listen(8):accept()
  got = conn:read()
end)
client:spawn(function(os)
  local conn = os.tcp()
  conn:setopt("TCP_DEFER_ACCEPT", 1)
  conn:connect("server", 5010)
  conn:write "GET"
end)
hs.run "1s"
local syn, third = frames[1].packet.tcp, frames:select(function(p) return p.tcp.sport ~= 5010 and not p.tcp.syn end)[1].packet.tcp
hs.expect_equal("the segment after SYN and SYN-ACK carries ACK and data", { third.ack, third.len }, { true, 3 })
hs.expect_equal("its first byte has the number after the SYN's", third.seq, (syn.seq + 1) % M)
hs.expect_equal("the data is delivered", got, "GET")

hs.note {
  en = "Usually the third segment is bare. A pure ACK takes no number: the first data has the same sequence number.",
  zh = "通常第三个报文段不带数据。纯 ACK 不占用序号：第一批数据使用同一个序号。",
}
frames = hs.frames { node = client, filter = function(p) return p.tcp end }
server:spawn(function(os) got = os.tcp():bind(5011):listen(8):accept():read() end)
client:spawn(function(os) os.tcp():connect("server", 5011):write "GET" end)
hs.run "1s"
local mine = frames:select(function(p) return p.tcp.dport == 5011 and not p.tcp.syn end)
hs.expect_equal("a pure ACK, then data with the same number", { mine[1].packet.tcp.len, mine[2].packet.tcp.seq }, { 0, mine[1].packet.tcp.seq })
hs.expect_equal("delivered as well", got, "GET")

-- A flood: SYNs with 1000 bytes of data from addresses where nobody is.
local function flood(port)
  for i = 1, 200 do
    forger:forge { src = "10.0.0." .. 50 + i % 200, sport = 20000 + i, to = server, dport = port, seq = i * 100000, flags = "S", data = hs.payload(1000) }
  end
  hs.run "100ms"
  return server:sockstat()
end
for i = 50, 250 do server:arp_set("10.0.0." .. i, "02:00:00:00:01:00") end -- the switch floods what goes there, nobody takes it

hs.note {
  en = "200 forged SYNs with 1000 bytes each arrive. The standard stack remembers the SYNs, and throws the data away.",
  zh = "200 个伪造的 SYN 到达，各带 1000 字节。标准的协议栈记住 SYN，丢掉数据。",
}
server:tcp():bind(5012):listen(1000)
local before = server:sockstat()
local after = flood(5012)
hs.expect_equal("200 half-open entries", #server:sockets "SYN-RECEIVED", 200)
hs.expect_equal("not one page for their data", after.mem - before.mem, 0)

hs.note {
  en = "A server that takes data from a SYN without having seen the sender before (Fast Open without cookies, tcp_fastopen 0x602) stores all of it.",
  zh = "如果服务器从没见过发送方就收下 SYN 里的数据（不用 cookie 的快速打开，tcp_fastopen 0x602），它就把这些数据全部存了下来。",
}
server:sysctl("net.ipv4.tcp_fastopen", 0x602)
server:tcp():bind(5013):listen(1000)
before = server:sockstat()
after = flood(5013)
-- 200 times 1000 bytes are at least 48 pages of 4096 bytes
hs.expect("its memory grows by all the data that the flood has brought", after.mem - before.mem >= 200 * 1000 // 4096, after.mem - before.mem)

hs.translate("zh", {
  ["the segment after SYN and SYN-ACK carries ACK and data"] = "SYN 和 SYN-ACK 之后的报文段携带 ACK 和数据",
  ["its first byte has the number after the SYN's"] = "它的第一个字节的编号紧接 SYN 的编号",
  ["the data is delivered"] = "数据被交付",
  ["a pure ACK, then data with the same number"] = "先是纯 ACK，再是同一编号的数据",
  ["delivered as well"] = "同样被交付",
  ["200 half-open entries"] = "200 个半开连接项",
  ["not one page for their data"] = "没有一页内存用于它们的数据",
  ["its memory grows by all the data that the flood has brought"] = "它的内存增长了泛洪所带来的全部数据",
})
