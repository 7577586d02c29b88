-- TCP-HS-06  Third segment lost, client silent.
-- After the SYN-ACK the client is ESTABLISHED. Its ACK is lost; an ACK has no timer and is never repeated by itself. The server, still
-- SYN-RECEIVED, repeats its SYN-ACK after 1, 2, 4, 8 s, and each of them draws a fresh ACK (RFC 9293 3.10.7.4; RFC 5961 4).
local hs = require "hopscope"
hs.title { en = "TCP-HS-06 Third segment lost, client silent", zh = "TCP-HS-06 第三个报文段丢失，客户端沉默" }

local client, server = hs.host "client", hs.host "server"
local link = hs.link(client, server, { delay = "10ms" })
client:arp_set("server", server:dev().mac)
server:arp_set("client", client:dev().mac)
local frames = hs.frames { filter = function(p) return p.tcp end }

-- The server's view of a handshake whose first `lost` third segments are lost.
local function open(port, lost)
  local seen = 0
  link:dir(client):rule(function(p)
    if p.tcp and p.tcp.ack and not p.tcp.syn then
      seen = seen + 1
      if seen <= lost then return "drop" end
    end
  end)
  frames = hs.frames { filter = function(p) return p.tcp and (p.tcp.sport == port or p.tcp.dport == port) end }
  local begin = hs.now()
  local r = { begin = begin }
  server:spawn(function(os)
    os.tcp():bind(port):listen(8):accept()
    r.accepted = hs.now() - begin
    os.sleep "60s"
  end)
  client:spawn(function(os)
    local conn = os.tcp()
    conn:connect("server", port)
    r.connected = hs.now() - begin
    os.sleep "60s"
  end)
  hs.run "500ms"
  r.client_state = client:sockets()[1].state
  r.server_states = #server:sockets "SYN-RECEIVED"
  hs.run "100s"
  return r
end

hs.note {
  en = "One third segment is lost. The client believes it is connected, the server waits.",
  zh = "一个第三报文段丢失。客户端以为已经连接，服务器还在等待。",
}
local one = open(5010, 1)
hs.expect_near("the client is connected after one round trip", one.connected, "20ms", 1e-9)
hs.expect_equal("half a second later: ESTABLISHED here, half open there", { one.client_state, one.server_states }, { "ESTABLISHED", 1 })
hs.expect_near("the loss costs the server one second: 10 ms + 1 s + 20 ms", one.accepted, "1030ms", 1e-9)

hs.note {
  en = "Four of them are lost. The SYN-ACK comes again after 1, 2, 4 and 8 s, and every time the client answers at once.",
  zh = "连丢四个。SYN-ACK 在 1、2、4 和 8 s 后重传，每一次客户端都立刻应答。",
}
local four = open(5011, 4)
local synacks = frames:select(function(p) return p.tcp.syn and p.tcp.ack end)
local acks = frames:select(function(p, f) return f.from == "client" and f.time < four.begin + 20 end)
local at, answered = {}, {}
for i, f in ipairs(synacks) do at[i] = f.time - four.begin end
for i = 2, #acks do answered[i - 1] = acks[i].time - four.begin end
hs.expect_equal("five SYN-ACKs", #synacks, 5)
for i, want in ipairs { 0.01, 1.01, 3.01, 7.01, 15.01 } do hs.expect_near("SYN-ACK " .. i .. ", waits 1, 2, 4, 8 s", at[i], want, 1e-9) end
hs.expect_equal("as many ACKs: none by itself", #answered, 5)
for i = 1, 5 do hs.expect_near("ACK " .. i .. " leaves when its SYN-ACK arrives", answered[i], at[i] + 0.01, 1e-9) end
hs.expect_near("the fifth ACK arrives: connected at 15 s and a round trip and a half", four.accepted, 15.03, 1e-9)

hs.translate("zh", {
  ["the client is connected after one round trip"] = "客户端在一个往返之后就已连接",
  ["half a second later: ESTABLISHED here, half open there"] = "半秒之后：这边 ESTABLISHED，那边半开",
  ["the loss costs the server one second: 10 ms + 1 s + 20 ms"] = "这次丢失使服务器多花一秒：10 ms + 1 s + 20 ms",
  ["five SYN-ACKs"] = "五个 SYN-ACK",
  ["SYN-ACK {}, waits {}, {}, {}, {} s"] = "SYN-ACK {}，等待 {}、{}、{}、{} s",
  ["as many ACKs: none by itself"] = "同样多的 ACK：没有一个是自发的",
  ["ACK {} leaves when its SYN-ACK arrives"] = "ACK {} 在它的 SYN-ACK 到达时离开",
  ["the fifth ACK arrives: connected at 15 s and a round trip and a half"] = "第五个 ACK 到达：在 15 s 再加一个半往返时连接建立",
})
