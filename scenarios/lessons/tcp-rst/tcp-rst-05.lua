-- TCP-RST-05  Challenge ACK.
-- A SYN arrives on a connection that exists. Is it an attack, or has the peer forgotten everything? The receiver does not guess: it sends
-- an ACK of the state it knows, to the peer (RFC 5961 4). Who has been rebooted does not know that connection and answers RST, with a
-- number taken from the ACK and therefore right; his next SYN is accepted. Who is alive ignores the ACK. Linux sends such ACKs once in 500
-- ms at most.
-- tshark-allow: Connection reset (RST) (that is what the lesson is about)
-- tshark-allow: ACKed segment that wasn't captured (the challenge ACK is about the old connection)
-- tshark-allow: Previous segment(s) not captured (forged numbers)
local hs = require "hopscope"
hs.title { en = "TCP-RST-05 Challenge ACK", zh = "TCP-RST-05 质询 ACK" }

local client, server, mallory, sw = hs.host "client", hs.host "server", hs.host "mallory", hs.switch "sw"
for _, h in ipairs { client, server, mallory } do hs.link(h, sw, { delay = "5ms" }) end
mallory:ping(server, { count = 1 })
client:ping(server, { count = 1 })

local sent, at = {}, {}
hs.on("frame.tx", function(e)
  local t = e.packet.tcp
  if not t or (e.node ~= "client" and e.node ~= "server") then return end
  sent[#sent + 1] = e.node .. (t.rst and " RST" or t.syn and (t.ack and " SYN-ACK" or " SYN") or t.len > 0 and " data" or " ACK")
  at[#at + 1] = { time = e.time, seq = t.seq, ack = t.ack and t.ackno }
end)
-- In both languages.
local function told(list)
  return { en = table.concat(list, ", "), zh = (table.concat(list, "、"):gsub(" data", " 数据")) }
end
local accepted, conns = 0, {}
server:spawn(function(os)
  local listener = os.tcp():bind(5010):listen(8)
  while true do
    local conn = listener:accept()
    accepted = accepted + 1
    conns[accepted] = {}
    local record = conns[accepted]
    os.spawn(function()
      local err
      repeat
        local data
        data, err = conn:read()
        if data then record.got = (record.got or "") .. data end
      until not data
      record.error = err
    end)
  end
end)
local function call(message)
  client:spawn(function(os)
    local conn = os.tcp():bind(6000):connect(server, 5010)
    conn:write(message)
    os.sleep "1h"
  end)
end

hs.note {
  en = "The client connects from port 6000 and says hello; then its power fails, and it boots again. The server knows nothing of that.",
  zh = "客户端从端口 6000 连接并打招呼；然后它断电，又重新启动。服务器对此一无所知。",
}
call "hello"
hs.run "1s"
client:power(false)
hs.run "1s"
client:power(true)
client:arp_set(server, server:dev().mac)
hs.expect_equal("the server's end is ESTABLISHED", #server:sockets "ESTABLISHED", 1)
local rcv_nxt, snd_nxt = at[3].seq + 5, at[3].ack -- of the server: after "hello"
hs.note { en = "The client's program starts again and calls from the same port.", zh = "客户端的程序重新启动，从同一个端口来连接。" }
sent, at = {}, {}
call "hello again"
hs.run "1s"
hs.note({ en = "%s", zh = "%s" }, told(sent))
hs.expect_equal("SYN, challenge ACK, RST, new SYN, and connected", { table.unpack(sent, 1, 6) },
  { "client SYN", "server ACK", "client RST", "client SYN", "server SYN-ACK", "client ACK" })
hs.expect_equal("the challenge ACK tells the state that the server knows", { at[2].seq, at[2].ack }, { snd_nxt, rcv_nxt })
hs.expect_equal("the RST's number comes from the ACK, so it is exact", { at[3].seq, at[3].ack }, { rcv_nxt, false })
hs.expect_near("the server answers when the SYN is there: two cables of 5 ms", at[2].time - at[1].time, "10ms", "10us")
hs.expect_between("the next SYN follows the RST at once, not after a second", at[4].time - at[3].time, 0, 0.01)
hs.expect_equal("the old connection ends with ECONNRESET", conns[1], { got = "hello", error = "ECONNRESET" })
hs.expect_equal("the new one works", conns[2], { got = "hello again" })

hs.note {
  en = "Now Mallory forges SYNs on the live connection, with numbers inside and outside the window: three within 500 ms, and one later.",
  zh = "现在 Mallory 对活着的连接伪造 SYN，编号在窗口之内和之外：500 ms 之内三个，稍后再一个。",
}
sent, at = {}, {}
local begin, challenges = hs.now(), server:counter "TcpExtTCPChallengeACK"
local synchallenges = server:counter "TcpExtTCPSYNChallenge"
for _, x in ipairs { { 0, rcv_nxt }, { 0.1, rcv_nxt + 1000 }, { 0.4, rcv_nxt - 1000000 }, { 0.6, rcv_nxt + 2000 } } do
  hs.at(begin + x[1], function() mallory:forge { src = client, to = server, sport = 6000, dport = 5010, seq = x[2] % 2 ^ 32 // 1, flags = "S" } end)
end
hs.run "1s"
hs.note({ en = "The answers: %s", zh = "应答：%s" }, told(sent))
hs.expect_equal("every one is recognised", server:counter "TcpExtTCPSYNChallenge" - synchallenges, 4)
hs.expect_equal("but answered once in 500 ms: ACKs to the client, who ignores them", { sent, server:counter "TcpExtTCPChallengeACK" - challenges },
  { { "server ACK", "server ACK" }, 2 })
hs.expect_near("the second one is the answer to the last", at[2].time - at[1].time, "600ms", "1us")
local conn_state = server:sockets "ESTABLISHED"
hs.expect_equal("the live connection is not disturbed", { #conn_state, conns[2].error }, { 1, nil })

hs.translate("zh", {
  ["the server's end is ESTABLISHED"] = "服务器一端是 ESTABLISHED",
  ["SYN, challenge ACK, RST, new SYN, and connected"] = "SYN、质询 ACK、RST、新的 SYN，然后连接",
  ["the challenge ACK tells the state that the server knows"] = "质询 ACK 说出服务器所知的状态",
  ["the RST's number comes from the ACK, so it is exact"] = "RST 的编号来自那个 ACK，所以正好相符",
  ["the server answers when the SYN is there: two cables of 5 ms"] = "SYN 一到服务器就应答：两条 5 ms 的电缆",
  ["the next SYN follows the RST at once, not after a second"] = "下一个 SYN 紧跟 RST，而不是在一秒之后",
  ["the old connection ends with ECONNRESET"] = "旧的连接以 ECONNRESET 结束",
  ["the new one works"] = "新的连接可用",
  ["every one is recognised"] = "每一个都被认出",
  ["but answered once in 500 ms: ACKs to the client, who ignores them"] = "但 500 ms 之内只应答一次：ACK 发给客户端，它不予理会",
  ["the second one is the answer to the last"] = "第二个是对最后一个的应答",
  ["the live connection is not disturbed"] = "活着的连接没有受到干扰",
})
