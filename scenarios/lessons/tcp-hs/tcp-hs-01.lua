-- TCP-HS-01  Three-way handshake.
-- The client sends SYN with its number x. The server answers SYN and ACK: its own number y, and x+1, "x has come". The client's ACK
-- says y+1 (RFC 9293 3.5). Then both ends know both numbers, and both are ESTABLISHED.
local hs = require "hopscope"
hs.title { en = "TCP-HS-01 Three-way handshake", zh = "TCP-HS-01 三次握手" }

local client, server = hs.host "client", hs.host "server"
hs.link(client, server, { delay = "10ms" })
client:arp_set("server", server:dev().mac)
server:arp_set("client", client:dev().mac)

local M = 2 ^ 32 // 1 | 0
local frames = hs.frames { filter = function(p) return p.tcp end }
local changes = { client = {}, server = {} }
hs.on("tcp.state", function(e)
  local list = changes[e.node]
  list[#list + 1] = { e.time, e.old, e.new }
end)

local a, b
server:spawn(function(os)
  b = os.tcp():bind(5010):listen(128):accept()
  os.sleep "1s"
end)
client:spawn(function(os)
  a = os.tcp()
  a:connect("server", 5010)
  os.sleep "1s"
end)
hs.note {
  en = "The client sends SYN at 0 and is in SYN-SENT. At 10 ms the server answers; it is SYN-RECEIVED.",
  zh = "0 时刻客户端发送 SYN，进入 SYN-SENT。10 ms 时服务器应答；它处于 SYN-RECEIVED。",
}
hs.note {
  en = "At 20 ms the client has the answer: ESTABLISHED. Its ACK makes the server ESTABLISHED at 30 ms.",
  zh = "20 ms 时客户端收到应答：ESTABLISHED。它的 ACK 使服务器在 30 ms 时也进入 ESTABLISHED。",
}
local half_open
hs.at("15ms", function() half_open = server:sockets "SYN-RECEIVED" end)
hs.run "500ms"

hs.expect_equal("three segments", #frames, 3)
local syn, synack, ack = frames[1].packet.tcp, frames[2].packet.tcp, frames[3].packet.tcp
local function flags(t) return (t.syn and "S" or "") .. (t.ack and "A" or "") .. ((t.fin or t.rst or t.psh or t.urg) and "?" or "") end
hs.expect_equal("SYN; SYN and ACK; ACK", { flags(syn), flags(synack), flags(ack) }, { "S", "SA", "A" })
hs.expect_equal("they leave after 0, 1 and 2 times 10 ms", { frames[1].time, frames[2].time, frames[3].time }, { 0, hs.seconds "10ms", hs.seconds "20ms" })
local x, y = syn.seq, synack.seq
hs.expect_equal("the server acknowledges x+1", synack.ackno, (x + 1) % M)
hs.expect_equal("the client goes on at x+1 and acknowledges y+1", { ack.seq, ack.ackno }, { (x + 1) % M, (y + 1) % M })
hs.expect_equal("no payload in the first two", { syn.len, synack.len }, { 0, 0 })

-- a half-open connection is no socket yet, but Linux's ss shows it
hs.expect_equal("between the second and the third segment the server holds one request", #half_open, 1)
hs.expect_equal("client: CLOSED, SYN-SENT, ESTABLISHED", changes.client,
  { { 0, "CLOSED", "SYN-SENT" }, { hs.seconds "20ms", "SYN-SENT", "ESTABLISHED" } })
local last = changes.server[#changes.server]
hs.expect_equal("server: LISTEN, SYN-RECEIVED, ESTABLISHED", { changes.server[1][3], last[2], last[3] }, { "LISTEN", "SYN-RECEIVED", "ESTABLISHED" })
hs.expect_equal("the server's last step is at 30 ms", last[1], "30ms")

local a_addr, a_port = a:local_addr()
local b_addr, b_port = b:local_addr()
hs.expect_equal("both name the same pair of sockets", { b:peer_addr() }, { a_addr, a_port })
hs.expect_equal("from both sides", { a:peer_addr() }, { b_addr, b_port })
local ai, bi = a:info(), b:info()
-- an empty segment from each side shows what it would send next, and what it expects
hs.expect_equal("the server's window for the client is the one that the SYN-ACK offered", ai.snd_wnd, synack.window)
hs.expect_equal("and the client's is that of its last segment, scaled as its SYN says", bi.snd_wnd, ack.window << syn.wscale)
local more = hs.frames { filter = function(p) return p.tcp and p.tcp.len > 0 end }
a:write "from the client"
b:write "from the server"
hs.run "100ms"
local from_a, from_b = more:select(function(p) return p.tcp.dport == 5010 end)[1].packet.tcp, more:select(function(p) return p.tcp.sport == 5010 end)[1].packet.tcp
hs.expect_equal("the client's first byte is x+1, it expects y+1", { from_a.seq, from_a.ackno }, { (x + 1) % M, (y + 1) % M })
hs.expect_equal("the server's first byte is y+1, it expects x+1", { from_b.seq, from_b.ackno }, { (y + 1) % M, (x + 1) % M })

hs.translate("zh", {
  ["three segments"] = "三个报文段",
  ["SYN; SYN and ACK; ACK"] = "SYN；SYN 和 ACK；ACK",
  ["they leave after 0, 1 and 2 times 10 ms"] = "它们在 0、1 和 2 倍的 10 ms 之后离开",
  ["the server acknowledges x+1"] = "服务器确认 x+1",
  ["the client goes on at x+1 and acknowledges y+1"] = "客户端从 x+1 继续，并确认 y+1",
  ["no payload in the first two"] = "前两个不带有效载荷",
  ["between the second and the third segment the server holds one request"] = "在第二个和第三个报文段之间，服务器保存着一个请求",
  ["client: CLOSED, SYN-SENT, ESTABLISHED"] = "客户端：CLOSED、SYN-SENT、ESTABLISHED",
  ["server: LISTEN, SYN-RECEIVED, ESTABLISHED"] = "服务器：LISTEN、SYN-RECEIVED、ESTABLISHED",
  ["the server's last step is at 30 ms"] = "服务器的最后一步在 30 ms",
  ["both name the same pair of sockets"] = "双方说出的是同一对套接字",
  ["from both sides"] = "从两边看都是",
  ["the server's window for the client is the one that the SYN-ACK offered"] = "服务器给客户端的窗口就是 SYN-ACK 所提供的",
  ["and the client's is that of its last segment, scaled as its SYN says"] = "客户端的则是它最后一个报文段的窗口，按它的 SYN 所说缩放",
  ["the client's first byte is x+1, it expects y+1"] = "客户端的第一个字节是 x+1，它期望 y+1",
  ["the server's first byte is y+1, it expects x+1"] = "服务器的第一个字节是 y+1，它期望 x+1",
})
