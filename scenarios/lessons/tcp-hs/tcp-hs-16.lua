-- TCP-HS-16  Simultaneous open.
-- Two programs call connect to each other at the same time, both from the port that the other one calls. Nobody listens. The two SYNs
-- cross; each end sees a SYN without ACK, goes to SYN-RECEIVED and answers with SYN-ACK; these cross, too, and make one connection
-- (RFC 9293 3.5, figure 8).
-- tshark-allow: D-SACK (each SYN-ACK repeats a SYN that has come)
local hs = require "hopscope"
hs.title { en = "TCP-HS-16 Simultaneous open", zh = "TCP-HS-16 同时打开" }

local a, b = hs.host "a", hs.host "b"
hs.link(a, b, { delay = "10ms" })
a:arp_set("b", b:dev().mac)
b:arp_set("a", a:dev().mac)

local frames = hs.frames { filter = function(p) return p.tcp end }
local states = { a = {}, b = {} }
hs.on("tcp.state", function(e)
  local list = states[e.node]
  list[#list + 1] = e.new
end)
local conns, got, when = {}, {}, {}
for _, pair in ipairs { { a, b, 6001, 6002 }, { b, a, 6002, 6001 } } do
  local me, other, from, to = pair[1], pair[2], pair[3], pair[4]
  me:spawn(function(os)
    local conn = os.tcp():bind(from):connect(other, to)
    conns[me.name], when[me.name] = conn, hs.now()
    os.sleep "100ms"
    conn:write("from " .. me.name)
    got[me.name] = conn:read()
    os.sleep "10s"
  end)
end
hs.note {
  en = "At 0 both connect. At 10 ms the SYNs have crossed, at 20 ms the SYN-ACKs: connected.",
  zh = "0 时刻双方都发起连接。10 ms 时两个 SYN 已经交错而过，20 ms 时 SYN-ACK 也是：连接建立。",
}
local opening
hs.at("90ms", function() opening = #frames end)
hs.run "1s"
local seen = {}
for i = 1, 4 do
  local t = frames[i].packet.tcp
  seen[i] = (t.syn and "SYN" or "") .. (t.ack and "-ACK" or "")
end
hs.expect_equal("SYN, SYN, SYN-ACK, SYN-ACK", seen, { "SYN", "SYN", "SYN-ACK", "SYN-ACK" })
-- Linux takes the SYN in the SYN-ACK for a repetition of the one that crossed, and says so: an ACK with a D-SACK of one number.
hs.expect("besides, at most an ACK from each end that takes no number", opening <= 6 and frames:count(function(p) return not p.tcp.syn and p.tcp.len == 0 and p.time < 0.09 end) == opening - 4, opening)
for _, name in ipairs { "a", "b" } do
  hs.expect_equal(name .. " goes through SYN-RECEIVED", states[name], { "SYN-SENT", "SYN-RECEIVED", "ESTABLISHED" })
  hs.expect_equal(name .. " is connected after 20 ms", when[name], "20ms")
end
hs.expect_equal("the SYN-ACKs acknowledge the SYNs that crossed",
  { frames[3].packet.tcp.ackno, frames[4].packet.tcp.ackno },
  { frames[3].from == "a" and (frames[2].packet.tcp.seq + 1) % 2 ^ 32 // 1 | 0 or (frames[1].packet.tcp.seq + 1) % 2 ^ 32 // 1 | 0,
    frames[4].from == "b" and (frames[1].packet.tcp.seq + 1) % 2 ^ 32 // 1 | 0 or (frames[2].packet.tcp.seq + 1) % 2 ^ 32 // 1 | 0 })
hs.expect_equal("it is one connection: both ends name the same ports", { { conns.a:local_addr() }, { conns.a:peer_addr() } },
  { { conns.b:peer_addr() }, { conns.b:local_addr() } })
hs.expect_equal("what one writes the other reads", got, { a = "from b", b = "from a" })
hs.expect_equal("nobody listened", { #a:sockets "LISTEN", #b:sockets "LISTEN" }, { 0, 0 })

hs.translate("zh", {
  ["SYN, SYN, SYN-ACK, SYN-ACK"] = "SYN、SYN、SYN-ACK、SYN-ACK",
  ["besides, at most an ACK from each end that takes no number"] = "此外，每端最多一个不占用编号的 ACK",
  ["a goes through SYN-RECEIVED"] = "a 经过 SYN-RECEIVED",
  ["a is connected after 20 ms"] = "a 在 20 ms 之后连接",
  ["b goes through SYN-RECEIVED"] = "b 经过 SYN-RECEIVED",
  ["b is connected after 20 ms"] = "b 在 20 ms 之后连接",
  ["the SYN-ACKs acknowledge the SYNs that crossed"] = "SYN-ACK 确认的是交错而过的 SYN",
  ["it is one connection: both ends name the same ports"] = "这是一条连接：两端说出同样的端口",
  ["what one writes the other reads"] = "一方写入的，另一方读到",
  ["nobody listened"] = "没有人监听",
})
