-- TCP-HS-11  Counterfactual: two-way handshake.
-- What if SYN and SYN-ACK were enough? A server that is connected as soon as it sees a SYN believes every late duplicate of one, and
-- sends its data to nobody. And nobody confirms the server's own number: if it was damaged on the way, the two ends count differently
-- and do not know it. hopscope.tcp_handshake 2 is such a stack (RFC 9293 3.5 says what the third segment is for).
-- tshark-allow: ACKed segment that wasn't captured (a damaged number is acknowledged)
-- tshark-allow: out-of-order segment (the damaged number makes it look so)
-- tshark-allow: D-SACK (likewise)
-- tshark-allow: Connection reset (the three-way server rejects the acknowledgment of the damaged number)
local hs = require "hopscope"
hs.title { en = "TCP-HS-11 Counterfactual: two-way handshake", zh = "TCP-HS-11 反事实：两次握手" }

local K, GREETING = 3, "220 hello world"

-- Late duplicates of K SYNs arrive when their connections are over and their client is gone.
local function stale_syns(segments)
  local tag = segments .. "-"
  local client, server, sw = hs.host(tag .. "client"), hs.host(tag .. "server"), hs.switch(tag .. "sw")
  hs.link(client, sw, { delay = "5ms" })
  hs.link(server, sw, { delay = "5ms" })
  local attic = hs.host(tag .. "attic") -- the place in the network where the duplicates have been lying
  hs.link(attic, sw)
  server:arp_set(client, client:dev().mac)
  attic:arp_set(server, server:dev().mac)
  client:sysctl("hopscope.tcp_handshake", segments)
  server:sysctl("hopscope.tcp_handshake", segments)

  local syns = {}
  hs.on("frame.tx", function(e)
    local t = e.packet.tcp
    if t and t.syn and not t.ack then syns[#syns + 1] = { sport = t.sport, seq = t.seq } end
  end, { node = client })
  server:spawn(function(os)
    local listener = os.tcp():bind(5010):listen(8)
    while true do
      local conn = listener:accept()
      server:spawn(function() -- the server speaks first, as SMTP and SSH do
        conn:write(GREETING)
        conn:read()
        conn:close()
      end)
    end
  end)
  client:spawn(function(os)
    for _ = 1, K do
      local conn = os.tcp():connect(server, 5010)
      conn:read()
      conn:close()
    end
  end)
  hs.run "200s" -- TIME_WAIT is over, too
  hs.expect_equal(tag .. "way: the connections are over", { #syns, #server:sockets "ESTABLISHED" }, { K, 0 })
  client:power(false)
  local sent = 0
  hs.on("frame.tx", function(e) if e.packet.tcp and e.packet.tcp.len > 0 then sent = sent + 1 end end, { node = server })
  for _, syn in ipairs(syns) do
    attic:forge { src = client, to = server, sport = syn.sport, dport = 5010, seq = syn.seq, flags = "S" }
  end
  hs.run "500ms"
  return #server:sockets "ESTABLISHED", sent
end

hs.note {
  en = "Three connections come and go, the client is switched off. Then late duplicates of its three SYNs arrive.",
  zh = "三条连接来了又去，客户端已经关机。然后它的三个 SYN 的迟到副本到达。",
}
local phantoms, sent = stale_syns(2)
hs.expect_equal("two-way: each of them opens a phantom connection", phantoms, K)
hs.expect("with data sent into it", sent >= K, sent)
phantoms, sent = stale_syns(3)
hs.expect_equal("three-way: no connection, and no data for nobody", { phantoms, sent }, { 0, 0 })

-- The number in the SYN-ACK is damaged on the way, and no checksum has noticed.
local function damaged_isn(segments)
  local tag = segments .. "-damaged-"
  local client, server = hs.host(tag .. "client"), hs.host(tag .. "server")
  local link = hs.link(client, server, { delay = "10ms" })
  client:sysctl("hopscope.tcp_handshake", segments)
  server:sysctl("hopscope.tcp_handshake", segments)
  link:dir(server):rule(function(p)
    if p.tcp and p.tcp.syn then p.tcp.seq = (p.tcp.seq + 4) % (2 ^ 32 // 1 | 0) end
  end)
  local r = {}
  server:spawn(function(os)
    local conn = os.tcp():bind(5010):listen(8):accept()
    conn:write(GREETING)
    r.accepted = true
    os.sleep "10s"
  end)
  client:spawn(function(os)
    local conn = os.tcp():connect(server, 5010)
    r.connected = conn ~= nil
    r.data, r.error = conn:read(1000, "5s")
    os.sleep "10s"
  end)
  hs.run "8s"
  r.resets = server:counter "TcpOutRsts"
  return r
end

hs.note {
  en = "Now the server's number arrives damaged: 4 too much. Its first bytes look like old ones to the client.",
  zh = "现在服务器的号码在途中损坏：多了 4。它最先的几个字节在客户端看来像是旧的。",
}
local two, three = damaged_isn(2), damaged_isn(3)
hs.expect_equal("two-way: both are connected, nobody has noticed", { two.connected, two.accepted, two.resets }, { true, true, 0 })
hs.expect_equal("the reader has lost the first four bytes, and no error says so", { two.data, two.error }, { GREETING:sub(5), nil })
hs.expect_equal("three-way: the server sees the wrong number confirmed, and resets", { three.accepted, three.resets }, { nil, 1 })
hs.expect_equal("the client is told", { three.data, three.error }, { nil, "ECONNRESET" })

hs.translate("zh", {
  ["{}-way: the connections are over"] = "{} 次握手：连接都已结束",
  ["two-way: each of them opens a phantom connection"] = "两次握手：每一个都打开一条幻影连接",
  ["with data sent into it"] = "并且有数据发进去",
  ["three-way: no connection, and no data for nobody"] = "三次握手：没有连接，也没有无人接收的数据",
  ["two-way: both are connected, nobody has noticed"] = "两次握手：双方都已连接，谁也没有察觉",
  ["the reader has lost the first four bytes, and no error says so"] = "读者失去了最先的四个字节，没有错误说明这一点",
  ["three-way: the server sees the wrong number confirmed, and resets"] = "三次握手：服务器看到被确认的编号不对，于是复位",
  ["the client is told"] = "客户端得知此事",
})
