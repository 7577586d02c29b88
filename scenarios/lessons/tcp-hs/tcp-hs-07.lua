-- TCP-HS-07  Third segment lost, client sends data.
-- Every segment carries the same acknowledgment as the lost third one. The first data segment therefore completes the handshake just
-- as well: the server goes from SYN-RECEIVED to ESTABLISHED on it and keeps its data (RFC 9293 3.10.7.4). It sends no RST: that
-- would come only after the half-open entry is gone (TCP-HS-08).
local hs = require "hopscope"
hs.title { en = "TCP-HS-07 Third segment lost, client sends data", zh = "TCP-HS-07 第三个报文段丢失，客户端发送数据" }

local client, server = hs.host "client", hs.host "server"
local link = hs.link(client, server, { delay = "10ms" })
client:arp_set("server", server:dev().mac)
server:arp_set("client", client:dev().mac)
local lost = 0
link:dir(client):rule(function(p)
  if p.tcp and not p.tcp.syn and p.tcp.len == 0 and lost == 0 then
    lost = lost + 1
    return "drop"
  end
end)
local frames = hs.frames { filter = function(p) return p.tcp end }
local changes = {}
hs.on("tcp.state", function(e) if e.remote_port ~= 0 then changes[#changes + 1] = { e.time, e.old, e.new } end end, { node = server })

local got, accepted
server:spawn(function(os)
  local conn = os.tcp():bind(5010):listen(8):accept()
  accepted = hs.now()
  got = conn:read()
  os.sleep "10s"
end)
client:spawn(function(os)
  local conn = os.tcp():connect("server", 5010)
  os.sleep "100ms"
  conn:write "hello"
  os.sleep "10s"
end)
hs.note {
  en = "The bare ACK is lost at 20 ms. The server still has a half-open entry when the client writes at 120 ms.",
  zh = "不带数据的 ACK 在 20 ms 时丢失。客户端在 120 ms 写入时，服务器仍只有一个半开连接项。",
}
local half_open
hs.at("110ms", function() half_open = #server:sockets "SYN-RECEIVED" end)
hs.run "900ms"
hs.expect_equal("the ACK was lost, the entry is half open", { lost, half_open }, { 1, 1 })
hs.expect_equal("the data completes the handshake when it arrives", accepted, "130ms")
local last = changes[#changes]
hs.expect_equal("SYN-RECEIVED to ESTABLISHED on the data", last, { hs.seconds "130ms", "SYN-RECEIVED", "ESTABLISHED" })
hs.expect_equal("and is delivered", got, "hello")
local data = frames:select(function(p) return p.tcp.len > 0 end)[1].packet.tcp
hs.expect_equal("it carries the acknowledgment that was lost", data.ackno, (frames[2].packet.tcp.seq + 1) % (2 ^ 32 // 1 | 0))
hs.expect_equal("no RST", frames:count(function(p) return p.tcp.rst end), 0)
hs.expect_equal("and no SYN-ACK had to be repeated", frames:count(function(p) return p.tcp.syn and p.tcp.ack end), 1)

hs.translate("zh", {
  ["the ACK was lost, the entry is half open"] = "ACK 丢失了，连接项是半开的",
  ["the data completes the handshake when it arrives"] = "数据到达时完成握手",
  ["SYN-RECEIVED to ESTABLISHED on the data"] = "凭数据从 SYN-RECEIVED 到 ESTABLISHED",
  ["and is delivered"] = "并且被交付",
  ["it carries the acknowledgment that was lost"] = "它带着丢失的那个确认",
  ["no RST"] = "没有 RST",
  ["and no SYN-ACK had to be repeated"] = "也不必重传 SYN-ACK",
})
