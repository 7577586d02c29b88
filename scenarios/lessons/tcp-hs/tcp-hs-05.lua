-- TCP-HS-05  SYN-ACK lost.
-- Both ends wait for something: the client for an answer to its SYN, the server for the third segment. Each has a timer of its own and
-- repeats its own segment, each up to its own limit (tcp_syn_retries, tcp_synack_retries).
-- Linux answers a repeated SYN at once and starts its own timer again: of one loss usually one copy of the SYN-ACK is seen.
local hs = require "hopscope"
hs.title { en = "TCP-HS-05 SYN-ACK lost", zh = "TCP-HS-05 SYN-ACK 丢失" }

local client, server = hs.host("client", { sysctl = { ["net.ipv4.tcp_syn_linear_timeouts"] = 0 } }), hs.host "server"
local link = hs.link(client, server, { delay = "10ms" })
client:arp_set("server", server:dev().mac)
server:arp_set("client", client:dev().mac)
server:tcp():bind(5010):listen(128)
local frames = hs.frames { filter = function(p) return p.tcp end }
local function times(is_synack)
  local list = {}
  for _, f in ipairs(frames) do
    if f.packet.tcp.syn and f.packet.tcp.ack == is_synack then list[#list + 1] = f.time end
  end
  return list
end

hs.note {
  en = "The first SYN-ACK is lost. The client's timer is the first to expire: its SYN has left 10 ms before the answer.",
  zh = "第一个 SYN-ACK 丢失。客户端的计时器先到期：它的 SYN 比应答早发出 10 ms。",
}
link:dir(server):rule(function(p)
  if p.tcp and p.tcp.syn and p.tcp.transmission == 1 then return "drop" end
end)
local connected
client:spawn(function(os)
  local conn = os.tcp()
  conn:connect("server", 5010)
  connected = hs.now()
  conn:close()
end)
hs.run "10s"
hs.expect_equal("SYN at 0 and again a second later", times(false), { 0, 1 })
hs.expect_equal("the SYN-ACK answers each of them; the server's own timer began anew", times(true), { hs.seconds "10ms", hs.seconds "1010ms" })
hs.expect_equal("one loss costs one second", connected, "1020ms")
link:dir(server):rule(nil)

hs.note {
  en = "The repeated SYN is lost as well: now the server's timer repeats the SYN-ACK, a second after the first.",
  zh = "重传的 SYN 也丢失了：现在由服务器的计时器重传 SYN-ACK，在第一个之后一秒。",
}
local syns, answers = #times(false), #times(true)
local begin = hs.now()
link:dir(client):rule(function(p) if p.tcp and p.tcp.syn and p.tcp.transmission == 2 then return "drop" end end)
link:dir(server):rule(function(p) if p.tcp and p.tcp.syn and p.tcp.transmission == 1 then return "drop" end end)
client:spawn(function(os)
  os.tcp():connect("server", 5010)
  connected = hs.now() - begin
end)
hs.run "20s"
hs.expect_equal("two SYNs, two SYN-ACKs", { #times(false) - syns, #times(true) - answers }, { 2, 2 })
hs.expect_near("the server's own repetition: a second after the first", times(true)[answers + 2] - begin, "1010ms", 1e-9)
hs.expect_near("connected when it arrives", connected, "1020ms", 1e-9)
link:dir(client):rule(nil)

hs.note {
  en = "All SYN-ACKs are lost. The client may send its SYN 1 + 2 times; the server's entry would live for 1 + 5 SYN-ACKs.",
  zh = "所有的 SYN-ACK 都丢失。客户端可以发 1 + 2 次 SYN；服务器的连接项则可以存活 1 + 5 个 SYN-ACK。",
}
link:dir(server):rule(function(p) if p.tcp and p.tcp.syn then return "drop" end end)
client:sysctl("net.ipv4.tcp_syn_retries", 2)
syns, answers, begin = #times(false), #times(true), hs.now()
local failed
client:spawn(function(os)
  failed = { os.tcp():connect("server", 5010) }
  failed.at = hs.now() - begin
end)
hs.run "200s"
hs.expect_equal("the client stops at its own count: 1 + 2", #times(false) - syns, 3)
hs.expect_near("and fails at 2^3-1 = 7 s", failed.at, 7, 1e-6)
-- answers to three SYNs (0, 1, 3 s) and the five repetitions of its own timer
local own = {}
for i = answers + 1, #times(true) do own[#own + 1] = times(true)[i] - begin end
hs.expect_equal("the server stops at its own count: three answers to SYNs and five repetitions", #own, 3 + 5)
hs.expect_equal("no entry is left", #server:sockets "SYN-RECEIVED", 0)
hs.log({ en = "SYN-ACKs at %s", zh = "SYN-ACK 的时刻：%s" }, hs.show(own))

hs.translate("zh", {
  ["SYN at 0 and again a second later"] = "SYN 在 0 时发送，一秒之后再次发送",
  ["the SYN-ACK answers each of them; the server's own timer began anew"] = "SYN-ACK 对每一个都作答；服务器自己的计时器重新开始",
  ["one loss costs one second"] = "一次丢失的代价是一秒",
  ["two SYNs, two SYN-ACKs"] = "两个 SYN，两个 SYN-ACK",
  ["the server's own repetition: a second after the first"] = "服务器自己的重传：在第一个之后一秒",
  ["connected when it arrives"] = "它到达时连接建立",
  ["the client stops at its own count: 1 + 2"] = "客户端到自己的次数停止：1 + 2",
  ["and fails at 2^3-1 = 7 s"] = "并在 2^3-1 = 7 s 失败",
  ["the server stops at its own count: three answers to SYNs and five repetitions"] = "服务器到自己的次数停止：三次应答 SYN，五次重传",
  ["no entry is left"] = "没有留下连接项",
})
