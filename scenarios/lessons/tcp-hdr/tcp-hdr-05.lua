-- TCP-HDR-05  ACK bit always on.
-- Only the first SYN has nothing to acknowledge. Every segment after it carries ACK, data or not (RFC 9293 3.10.7.4: without it a segment
-- is dropped). The one exception: a RST that answers a segment with ACK takes its own number from there and needs none.
-- tshark-allow: Connection reset (the exception)
-- tshark-allow: Previous segment(s) not captured (frames are lost)
-- tshark-allow: ACKed segment that wasn't captured (they are lost on the other side's capture)
local hs = require "hopscope"
hs.title { en = "TCP-HDR-05 ACK bit always on", zh = "TCP-HDR-05 ACK 位总是置位" }

local client, server = hs.host "client", hs.host "server"
local link = hs.link(client, server, { rate = "10Mbps", delay = "5ms" })
local frames = hs.frames { filter = function(p) return p.tcp end }
server:spawn(function(os)
  local listener = os.tcp():bind(5010):listen(8)
  while true do
    local conn = listener:accept()
    server:spawn(function()
      while conn:read() do end
      conn:write(hs.payload(3000))
      conn:close()
    end)
  end
end)
hs.note {
  en = "Three connections with loss in both directions: SYNs, data, FINs, repetitions of all of them.",
  zh = "三条连接，两个方向都有丢失：SYN、数据、FIN，以及所有这些的重传。",
}
link:set { loss = 0.1 }
for i = 1, 3 do
  client:spawn(function(os)
    local conn = os.tcp():connect("server", 5010)
    conn:write(hs.payload(20000))
    conn:shutdown "write"
    while conn:read() do end
    conn:close()
  end)
end
hs.run "60s"
local function without(list) return list:count(function(p) return not p.tcp.ack end) end
local syns = frames:count(function(p) return p.tcp.syn and not p.tcp.ack end)
hs.expect("many segments", #frames > 100, #frames)
hs.expect("some were repeated", client:counter "TcpRetransSegs" > 0, client:counter "TcpRetransSegs")
hs.expect("a SYN for each connection, and repetitions", syns >= 3, syns)
hs.expect_equal("only SYNs of the client lack ACK", without(frames), syns)

hs.note {
  en = "Segments that fit no connection: a RST that answers one with ACK has none itself; one that answers a SYN has.",
  zh = "不属于任何连接的报文段：对带 ACK 的报文段作答的 RST 自己不带 ACK；对 SYN 作答的则带。",
}
link:set { loss = 0 }
frames = hs.frames { filter = function(p) return p.tcp and p.tcp.rst end }
client:forge { to = server, sport = 7001, dport = 9999, flags = "A", seq = 10, ack = 2000 }
client:forge { to = server, sport = 7002, dport = 9999, flags = "S", seq = 10 }
hs.run "1s"
local a, b = frames[1].packet.tcp, frames[2].packet.tcp
hs.expect_equal("answer to an ACK: RST alone, with the number that was acknowledged", { a.rst, a.ack, a.seq }, { true, false, 2000 })
hs.expect_equal("answer to a SYN: RST and ACK", { b.rst, b.ack, b.ackno }, { true, true, 11 })

hs.note { en = "What comes without ACK into an open connection is ignored.", zh = "在打开的连接中，不带 ACK 而来的一概不予理会。" }
local got, conn = nil, nil
server:spawn(function(os)
  conn = os.tcp():bind(5011):listen(8):accept()
  got = conn:read()
end)
local sock, numbers
hs.on("frame.tx", function(e) if e.packet.tcp and e.packet.tcp.dport == 5011 and e.packet.tcp.ack then numbers = { seq = e.packet.tcp.seq, ackno = e.packet.tcp.ackno } end end, { node = client })
client:spawn(function(os)
  sock = os.tcp():bind(7003):connect("server", 5011)
  os.sleep "5s"
end)
hs.run "100ms"
client:forge { to = server, sport = 7003, dport = 5011, flags = "P", seq = numbers.seq, window = 63, data = "no ACK" }
hs.run "100ms"
hs.expect_equal("data without ACK is not delivered", got, nil)
client:forge { to = server, sport = 7003, dport = 5011, flags = "PA", seq = numbers.seq, ack = numbers.ackno, data = "with ACK" }
hs.run "100ms"
hs.expect_equal("with it, it is", got, "with ACK")

hs.translate("zh", {
  ["many segments"] = "许多报文段",
  ["some were repeated"] = "有些被重传",
  ["a SYN for each connection, and repetitions"] = "每条连接一个 SYN，以及重传",
  ["only SYNs of the client lack ACK"] = "只有客户端的 SYN 不带 ACK",
  ["answer to an ACK: RST alone, with the number that was acknowledged"] = "对 ACK 的应答：只有 RST，编号是被确认的那个",
  ["answer to a SYN: RST and ACK"] = "对 SYN 的应答：RST 和 ACK",
  ["data without ACK is not delivered"] = "不带 ACK 的数据不被交付",
  ["with it, it is"] = "带上就被交付",
})
