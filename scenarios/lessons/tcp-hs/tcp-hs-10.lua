-- TCP-HS-10  Old then new SYN before the RST.
-- As TCP-HS-09, but the new SYN arrives while the server still has the entry of the old one. The new number lies outside the window
-- that the old SYN opened, so the server takes it for a stray and repeats what it expects: ACK with the old number. The client resets
-- that, the entry goes, and the client's repeated SYN succeeds. If the numbers are close, as 90 and 100 are, the new SYN lies inside
-- the window: RFC 9293 3.10.7.4 then returns to LISTEN, Linux answers RST and the client's connect is refused.
-- tshark-allow: ACKed segment that wasn't captured (answers to the old SYN)
-- tshark-allow: Previous segment(s) not captured (the two SYNs have numbers far apart)
-- tshark-allow: Connection reset (the client rejects the answers to the old SYN)
local hs = require "hopscope"
hs.title { en = "TCP-HS-10 Old then new SYN before the RST", zh = "TCP-HS-10 RST 之前先后到达旧的和新的 SYN" }

local OLD, NEW = 90, 3000000000 -- far apart: more than any window
local client, server, attic = hs.host "client", hs.host "server", hs.host "attic"
local sw = hs.switch "sw"
local link = hs.link(client, sw, { delay = "9ms" })
local door = hs.link(server, sw, { delay = "1ms" })
hs.link(attic, sw)
client:arp_set("server", server:dev().mac)
attic:arp_set("server", server:dev().mac)
server:arp_set("client", client:dev().mac)
client:sysctl("hopscope.tcp_isn", 2)
client:sysctl("hopscope.tcp_isn_fixed", NEW)

-- The answer to the old SYN (ack 91, a SYN-ACK) is slow, so that the new SYN gets its answer first.
link:dir(sw):rule(function(p)
  if p.tcp and p.tcp.syn and p.tcp.ackno == OLD + 1 then return { "delay", "5ms" } end
end)
local frames = hs.frames { link = door, filter = function(p) return p.tcp end }
server:tcp():bind(5010):listen(8)
local conn
client:spawn(function(os)
  conn = os.tcp():bind(6000)
  conn:connect("server", 5010)
  os.sleep "5s"
end)
hs.note {
  en = "The old SYN (90) arrives at 1 ms, the new one (3000000000) at 10 ms: before any RST.",
  zh = "旧的 SYN（90）在 1 ms 时到达，新的（3000000000）在 10 ms 时到达：都在任何 RST 之前。",
}
attic:forge { src = client, to = server, sport = 6000, dport = 5010, seq = OLD, flags = "S" }
hs.run "3s"
local from_server = frames:select(function(_, f) return f.from == "server" end)
local synack, ack = from_server[1].packet.tcp, from_server[2].packet.tcp
hs.expect_equal("the old SYN is answered with SYN-ACK, 91", { synack.syn, synack.ackno }, { true, OLD + 1 })
hs.expect_equal("the new one with an ACK that repeats 91", { ack.syn, ack.ack, ack.ackno }, { false, true, OLD + 1 })
hs.expect_equal("it was sent when the new SYN came", from_server[2].time, "10ms")
local rst = frames:select(function(p) return p.tcp.rst end)
hs.expect("the client resets, with seq 91", #rst >= 1 and rst[1].packet.tcp.sport == 6000 and rst[1].packet.tcp.seq == OLD + 1, #rst)
hs.note { en = "The client repeats its SYN, and now the handshake goes as it should.", zh = "客户端重传 SYN，这一次握手正常进行。" }
local syns = frames:select(function(p) return p.tcp.syn and not p.tcp.ack and p.tcp.seq ~= OLD end)
hs.expect_equal("the SYN is sent twice, with its own number", { #syns, syns[1].packet.tcp.seq, syns[2].packet.tcp.seq }, { 2, NEW, NEW })
hs.expect("after the RST", syns[2].time > rst[1].time)
hs.expect_equal("connected", conn:state(), "ESTABLISHED")
hs.expect_equal("the SYN-ACK for it acknowledges the new number", frames:count(function(p) return p.tcp.syn and p.tcp.ack and p.tcp.ackno == NEW + 1 end), 1)

hs.note {
  en = "Once more with numbers that are close, 90 and 100: the new SYN lies inside the window that the old one opened.",
  zh = "再来一次，两个号码相近，90 和 100：新的 SYN 落在旧的 SYN 所打开的窗口之内。",
}
client:sysctl("hopscope.tcp_isn_fixed", 100)
server:tcp():bind(5011):listen(8)
local first, result = #frames + 1, nil
client:spawn(function(os) result = { os.tcp():bind(6001):connect("server", 5011) } end)
attic:forge { src = client, to = server, sport = 6001, dport = 5011, seq = OLD, flags = "S" }
hs.run "3s"
local refusal
for i = first, #frames do
  local t = frames[i].packet.tcp
  if frames[i].from == "server" and t.rst then refusal = refusal or { t.ack, t.ackno } end
end
hs.expect_equal("Linux answers the new SYN with RST, which acknowledges it: 101", refusal, { true, 101 })
hs.expect_equal("and the client sees its connect refused", result, { nil, "ECONNREFUSED" })
hs.expect_equal("both entries are gone", #server:sockets "SYN-RECEIVED", 0)

hs.translate("zh", {
  ["the old SYN is answered with SYN-ACK, 91"] = "旧的 SYN 得到 SYN-ACK，91",
  ["the new one with an ACK that repeats 91"] = "新的得到一个重复 91 的 ACK",
  ["it was sent when the new SYN came"] = "它在新的 SYN 到来时发出",
  ["the client resets, with seq 91"] = "客户端复位，seq 为 91",
  ["the SYN is sent twice, with its own number"] = "SYN 发送两次，用它自己的编号",
  ["after the RST"] = "在 RST 之后",
  ["connected"] = "已连接",
  ["the SYN-ACK for it acknowledges the new number"] = "对它的 SYN-ACK 确认的是新的编号",
  ["Linux answers the new SYN with RST, which acknowledges it: 101"] = "Linux 以 RST 应答新的 SYN，它确认的是：101",
  ["and the client sees its connect refused"] = "客户端看到自己的 connect 被拒绝",
  ["both entries are gone"] = "两个连接项都没有了",
})
