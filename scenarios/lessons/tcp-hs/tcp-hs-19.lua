-- TCP-HS-19  Handshake cost.
-- Before the first byte of a request can travel, SYN and SYN-ACK have to: one round trip. The request reaches the server after one
-- and a half. For a short exchange that is a large part of the whole; Fast Open (TCP-TFO-02) saves it.
local hs = require "hopscope"
hs.title { en = "TCP-HS-19 Handshake cost", zh = "TCP-HS-19 握手的代价" }

local RTT = hs.seconds "40ms"
local client, server = hs.host "client", hs.host "server"
hs.link(client, server, { delay = RTT / 2 }) -- infinitely fast: only round trips count
client:arp_set("server", server:dev().mac)
server:arp_set("client", client:dev().mac)
local frames = hs.frames { on = "rx", filter = function(p) return p.tcp end }
local page = 90000
server:spawn(function(os)
  local listener = os.tcp():bind(5010):listen(8)
  while true do
    local conn = listener:accept()
    conn:read()
    conn:write(hs.payload(page))
    conn:close()
  end
end)
local connected, finished
hs.note {
  en = "A client connects, sends a request, and reads an answer of 90 kB; a round trip takes 40 ms.",
  zh = "客户端建立连接，发送请求，读取 90 kB 的应答；一个往返需要 40 ms。",
}
client:spawn(function(os)
  local conn = os.tcp():connect("server", 5010)
  connected = hs.now()
  conn:write "GET /"
  local got = 0
  for data in function() return conn:read() end do got = got + #data end
  hs.expect_equal("the whole answer", got, page)
  finished = hs.now()
end)
hs.run "5s"
hs.expect_equal("the handshake takes one round trip", connected, RTT)
local request = frames:select(function(p, f) return f.node == "server" and p.tcp.len > 0 end)[1]
hs.expect_equal("the first byte of the request arrives after 1.5 round trips", request.time, 1.5 * RTT)
-- from the trace: what part of the time, first SYN to last data, had passed when the handshake was over at the client?
local synack = frames:select(function(p, f) return f.node == "client" and p.tcp.syn end)[1]
local last = frames:select(function(p, f) return f.node == "client" and p.tcp.len > 0 end)
local share = synack.time / last[#last].time
hs.note({
  en = "The request took %.0f ms, %.0f ms of them for the handshake: %.0f %%.",
  zh = "请求用了 %.0f ms，其中 %.0f ms 用于握手：%.0f %%。",
}, last[#last].time * 1000, synack.time * 1000, share * 100)
hs.expect("more than 10 % of the time is the handshake", share > 0.10, share)
-- slow start: 10, 20, 40 segments of 1448 bytes a round: 90 kB are 63 segments: 10 + 20 + 33, three rounds
hs.expect_near("here a fourth: 1 round trip for the handshake, 3 for the answer", share, 1 / 4, 1e-6)
hs.expect_equal("and nothing else", finished, 4 * RTT)

hs.translate("zh", {
  ["the whole answer"] = "完整的应答",
  ["the handshake takes one round trip"] = "握手用了一个往返",
  ["the first byte of the request arrives after 1.5 round trips"] = "请求的第一个字节在 1.5 个往返之后到达",
  ["more than 10 % of the time is the handshake"] = "握手占去的时间超过 10 %",
  ["here a fourth: 1 round trip for the handshake, 3 for the answer"] = "这里是四分之一：握手 1 个往返，应答 3 个",
  ["and nothing else"] = "别无其他",
})
