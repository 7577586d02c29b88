-- TCP-HS-15  Forged segments need the ISN.
-- A server that trusts addresses can be cheated by somebody who writes a friend's address into his segments. He does not see the
-- answers; to complete the handshake he must guess the number in the SYN-ACK. A constant or predictable one can be learnt from a
-- connection of his own; of a keyed one (RFC 6528) he knows nothing: 1 in 4 294 967 296.
-- tshark-allow: ACKed segment that wasn't captured (guessed numbers)
-- tshark-allow: Connection reset (wrong guesses)
local hs = require "hopscope"
hs.title { en = "TCP-HS-15 Forged segments need the ISN", zh = "TCP-HS-15 伪造报文段必须知道 ISN" }

local M = 2 ^ 32 // 1 | 0
local COMMAND, TRIES = "open the door", 1000

local function attack(isn_mode)
  local tag = isn_mode == 2 and "constant-" or "keyed-"
  local server, eve, sw = hs.host(tag .. "server"), hs.host(tag .. "eve"), hs.switch(tag .. "sw")
  local friend = hs.host(tag .. "friend")
  for _, h in ipairs { server, eve, friend } do hs.link(h, sw, { delay = "100us" }) end
  server:arp_set(friend, friend:dev().mac)
  server:arp_set(eve, eve:dev().mac)
  eve:arp_set(server, server:dev().mac)
  friend:power(false) -- so that it does not answer RST to SYN-ACKs that it did not ask for
  server:sysctl("hopscope.tcp_isn", isn_mode)
  server:sysctl("hopscope.tcp_isn_fixed", 123456789)
  server:sysctl("net.ipv4.tcp_syncookies", 0)

  local r = { commands = 0, tries = 0 }
  server:spawn(function(os)
    local listener = os.tcp():bind(5010):listen(4096)
    while true do
      local conn, from = listener:accept()
      server:spawn(function()
        if from == friend:addr() and conn:read() == COMMAND then r.commands = r.commands + 1 end
      end)
    end
  end)
  -- Eve looks at the number that the server gives herself
  local learnt
  hs.on("frame.rx", function(e) if e.packet.tcp and e.packet.tcp.syn then learnt = e.packet.tcp.seq end end, { node = eve })
  eve:spawn(function(os)
    local conn = os.tcp():connect(server, 5010)
    conn:close()
    for i = 1, TRIES do
      local me = { src = friend, to = server, sport = 10000 + i, dport = 5010, seq = 1 }
      me.flags = "S"
      eve:forge(me)
      os.sleep "1ms"
      -- the next one, she thinks, is the same, or a bit further
      me.seq, me.flags, me.ack, me.data = 2, "PA", (learnt + 1 + (isn_mode == 2 and 0 or i * 4096)) % M, COMMAND
      eve:forge(me)
      os.sleep "1ms"
      r.tries = i
      if r.commands > 0 then break end
    end
  end)
  hs.run "10s"
  r.friend = #server:sockets "ESTABLISHED"
  r.half_open = #server:sockets "SYN-RECEIVED"
  return r
end

hs.note {
  en = "Eve opens a connection of her own and looks at the server's number. Then she writes as the friend, blindly: SYN, ACK, command.",
  zh = "Eve 自己打开一条连接，看看服务器的号码。然后她冒充那位朋友，盲目地写：SYN、ACK、命令。",
}
local constant, keyed = attack(2), attack(0)
hs.expect_equal("a constant ISN: the first try succeeds", { constant.commands, constant.tries }, { 1, 1 })
hs.expect_equal("a keyed ISN: 1000 tries, no success", { keyed.commands, keyed.tries }, { 0, TRIES })
hs.expect_equal("no connection in the friend's name", keyed.friend, 0)
hs.expect("only half-open entries, whose number she did not find", keyed.half_open > 0, keyed.half_open)

hs.translate("zh", {
  ["a constant ISN: the first try succeeds"] = "不变的 ISN：第一次尝试就成功",
  ["a keyed ISN: 1000 tries, no success"] = "带密钥的 ISN：尝试 1000 次，没有成功",
  ["no connection in the friend's name"] = "没有以朋友的名义建立的连接",
  ["only half-open entries, whose number she did not find"] = "只有半开连接项，她没有找到它们的编号",
})
