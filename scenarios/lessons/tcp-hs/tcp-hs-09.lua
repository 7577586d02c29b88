-- TCP-HS-09  Old SYN overtakes the new one.
-- A SYN of an earlier attempt was late and reaches the server before the new one. The server answers the old number; the client sees
-- an acknowledgment of something that it has not sent now, and says so with RST, whose sequence number is the one acknowledged. The
-- server forgets the entry, and the new SYN opens the connection (RFC 9293 3.5, figure 9).
-- tshark-allow: Connection reset (the client rejects the answer to the old SYN)
local hs = require "hopscope"
hs.title { en = "TCP-HS-09 Old SYN overtakes the new one", zh = "TCP-HS-09 旧的 SYN 超过新的" }

local client, server, attic = hs.host "client", hs.host "server", hs.host "attic"
local sw = hs.switch "sw"
local link = hs.link(client, sw, { delay = "9ms" })
hs.link(server, sw, { delay = "1ms" })
-- "attic" stands for a place in the network where the old SYN has been lying
hs.link(attic, sw)
client:arp_set("server", server:dev().mac)
attic:arp_set("server", server:dev().mac)
server:arp_set("client", client:dev().mac)
client:sysctl("hopscope.tcp_isn", 2)
client:sysctl("hopscope.tcp_isn_fixed", 100)

local frames = hs.frames { link = link, filter = function(p) return p.tcp end }
server:tcp():bind(5010):listen(8)
-- the new SYN takes its time, so that the old one is before it, and its answer, too
link:dir(client):rule(function(p)
  if p.tcp and p.tcp.syn and p.tcp.transmission == 1 then return { "delay", "50ms", overtake = true } end
end)
local conn
client:spawn(function(os)
  conn = os.tcp():bind(6000)
  conn:connect("server", 5010)
  os.sleep "1s"
end)
hs.note {
  en = "The client's SYN says 100 and is slow. Before it the server gets an old one that says 90.",
  zh = "客户端的 SYN 写着 100，走得很慢。服务器先收到一个写着 90 的旧 SYN。",
}
attic:forge { src = client, to = server, sport = 6000, dport = 5010, seq = 90, flags = "S" }
hs.run "500ms"
local answers = frames:select(function(p) return p.tcp.syn and p.tcp.ack end)
hs.expect_equal("the server answers the old SYN: ack 91", answers[1].packet.tcp.ackno, 91)
local rst = frames:select(function(p) return p.tcp.rst end)
hs.expect_equal("the client had expected 101: one RST, with seq 91", { #rst, rst[1].from, rst[1].packet.tcp.seq }, { 1, "client", 91 })
hs.expect_equal("the server frees its entry for it", server:counter "TcpAttemptFails", 1)
hs.expect_equal("the new SYN is answered with 101", answers[2].packet.tcp.ackno, 101)
hs.expect_equal("and opens the connection", conn:state(), "ESTABLISHED")
hs.expect_equal("one connection, which began at 100", { #server:sockets "ESTABLISHED", frames:select(function(p) return p.tcp.ack and p.tcp.dport == 5010 end)[1].packet.tcp.seq }, { 1, 101 })

hs.translate("zh", {
  ["the server answers the old SYN: ack 91"] = "服务器应答旧的 SYN：ack 91",
  ["the client had expected 101: one RST, with seq 91"] = "客户端期望的是 101：一个 RST，seq 为 91",
  ["the server frees its entry for it"] = "服务器因此释放连接项",
  ["the new SYN is answered with 101"] = "新的 SYN 得到的应答是 101",
  ["and opens the connection"] = "并打开连接",
  ["one connection, which began at 100"] = "一条从 100 开始的连接",
})
