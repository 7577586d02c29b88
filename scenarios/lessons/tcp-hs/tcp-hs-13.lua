-- TCP-HS-13  Counterfactual: four-way handshake.
-- Each end's SYN needs an ACK: SYN, ACK, SYN, ACK. It works, but the two in the middle have the same sender and the same moment, so
-- TCP puts them into one segment. hopscope.tcp_handshake 4 keeps them apart: it costs one segment more and gains nothing.
-- tshark-allow: ACKed segment that wasn't captured (the damaged number is acknowledged)
-- tshark-allow: Connection reset (numbers that are not its own are rejected)
local hs = require "hopscope"
hs.title { en = "TCP-HS-13 Counterfactual: four-way handshake", zh = "TCP-HS-13 反事实：四次握手" }

local function flags(t) return (t.syn and "SYN" or "") .. (t.syn and t.ack and "-" or "") .. (t.ack and "ACK" or "") .. (t.rst and "RST" or "") end

local function variant(ways)
  local tag = ways .. "-"
  local client, server, sw = hs.host(tag .. "client"), hs.host(tag .. "server"), hs.switch(tag .. "sw")
  local link = hs.link(client, sw, { delay = "5ms" })
  hs.link(server, sw, { delay = "5ms" })
  client:arp_set(server, server:dev().mac)
  server:arp_set(client, client:dev().mac)
  client:sysctl("hopscope.tcp_handshake", ways)
  server:sysctl("hopscope.tcp_handshake", ways)
  local frames = hs.frames { link = link, filter = function(p) return p.tcp end }
  local r = { flags = {} }
  server:spawn(function(os)
    local listener = os.tcp():bind(5010):listen(8)
    while true do
      local conn = listener:accept()
      r.got = conn:read()
      conn:close()
    end
  end)
  local begin = hs.now()
  client:spawn(function(os)
    local conn = os.tcp():connect(server, 5010)
    r.connected = hs.now() - begin
    os.sleep "100ms"
    r.opening = #frames
    conn:write "hello"
    conn:close()
  end)
  hs.run "100s"
  for i = 1, r.opening do r.flags[i] = flags(frames[i].packet.tcp) end

  -- a stale SYN: does it leave a connection behind?
  local before = #frames
  client:forge { to = server, sport = 7777, dport = 5010, seq = 4711, flags = "S" }
  hs.run "1s"
  r.phantoms = #server:sockets "ESTABLISHED" + #server:sockets "SYN-RECEIVED"
  r.rst = frames:count(function(p, f) return p.tcp.rst and f.from == client.name end) > 0 and #frames > before

  -- the server's number is damaged on the way: is it noticed?
  link:dir(sw):rule(function(p)
    if p.tcp and p.tcp.syn then p.tcp.seq = (p.tcp.seq + 4) % (2 ^ 32 // 1 | 0) end
  end)
  client:spawn(function(os)
    local conn = os.tcp():connect(server, 5010)
    if conn then r.data, r.error = conn:read(100, "5s") end
  end)
  hs.run "10s"
  return r
end

hs.note { en = "The same client and server, with three segments and with four.", zh = "同样的客户端和服务器，分别用三个和四个报文段。" }
local three, four = variant(3), variant(4)
hs.expect_equal("three-way", three.flags, { "SYN", "SYN-ACK", "ACK" })
hs.expect_equal("four-way: the middle one in two pieces", four.flags, { "SYN", "ACK", "SYN", "ACK" })
hs.expect_equal("4 segments instead of 3", { four.opening, three.opening }, { 4, 3 })
hs.expect_equal("both open correctly", { three.got, four.got }, { "hello", "hello" })
hs.expect_near("in the same time: one round trip", four.connected, three.connected, 1e-9)
hs.note { en = "And safety? A stale SYN and a damaged number are tried on both.", zh = "那么安全性呢？对两种握手都试一试过时的 SYN 和损坏的号码。" }
hs.expect_equal("a stale SYN leaves nothing behind, with three as with four", { three.phantoms, four.phantoms }, { 0, 0 })
hs.expect_equal("because the client rejects the answer", { three.rst, four.rst }, { true, true })
hs.expect_equal("a damaged number is found, with three as with four", { three.error, four.error }, { "ECONNRESET", "ECONNRESET" })

hs.translate("zh", {
  ["three-way"] = "三次握手",
  ["four-way: the middle one in two pieces"] = "四次握手：中间的一个分成两个",
  ["4 segments instead of 3"] = "4 个报文段，而不是 3 个",
  ["both open correctly"] = "两者都正确打开",
  ["in the same time: one round trip"] = "用时相同：一个往返",
  ["a stale SYN leaves nothing behind, with three as with four"] = "过时的 SYN 什么也留不下，三个和四个都一样",
  ["because the client rejects the answer"] = "因为客户端拒绝应答",
  ["a damaged number is found, with three as with four"] = "损坏的编号会被发现，三个和四个都一样",
})
