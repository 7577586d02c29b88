-- TCP-FC-02  Cumulative acknowledgment.
-- An acknowledgment number says "everything before this has arrived". So an acknowledgment that is lost does no harm if a later one
-- arrives: ACK 700 says all that ACK 600 said, and more (RFC 9293 3.4, 3.10.7.4).
local hs = require "hopscope"
hs.title { en = "TCP-FC-02 Cumulative ACK", zh = "TCP-FC-02 累积确认" }

-- The first sequence numbers are chosen so that the numbers below are those on the wire: data begins at 400.
local iss = { ["hopscope.tcp_isn"] = 2, ["hopscope.tcp_isn_fixed"] = 399 }
local client, server = hs.host("client", { sysctl = iss }), hs.host "server"
local link = hs.link(client, server, { delay = "10ms", subnet = "10.0.0.0/24" })
server:route_replace { to = "10.0.0.0/24", dev = "eth0", quickack = 1 }
client:route_replace { to = "10.0.0.0/24", dev = "eth0", initcwnd = 3 }  -- a window of three segments

local acks = { sent = {}, arrived = {} }
local function to_client(p) return p.tcp and p.from == "server" and not p.tcp.syn and p.tcp.len == 0 and p.tcp.ackno >= 500 end
hs.on("frame.tx", function(e) if to_client(e.packet) then table.insert(acks.sent, e.packet.tcp.ackno) end end, { node = server })
hs.on("frame.rx", function(e) if to_client(e.packet) then table.insert(acks.arrived, e.packet.tcp.ackno) end end, { node = client })
link:dir(server):rule(function(p) if p.tcp and p.tcp.ackno == 600 then return "drop" end end)

local data = hs.frames { link = link, filter = function(p) return p.tcp and p.tcp.len > 0 end }
local conn, snd_una
local got = {}
server:spawn(function(os)
  local peer = os.tcp():bind(7100):listen(1):accept()
  for bytes in function() return peer:read() end do got[#got + 1] = bytes end
end)
client:spawn(function(os)
  conn = os.tcp({ nodelay = true }):connect("server", 7100)
  hs.note {
    en = "The client sends three segments of 100 bytes: 400-499, 500-599, 600-699. They are answered by ACK 500, ACK 600 and ACK 700.",
    zh = "客户端发送三个 100 字节的报文段：400-499、500-599、600-699。对它们的应答是 ACK 500、ACK 600 和 ACK 700。",
  }
  for _, letter in ipairs { "a", "b", "c" } do conn:write(letter:rep(100)) end
  hs.note { en = "ACK 600 is lost on the way.", zh = "ACK 600 在途中丢失。" }
  os.sleep "10s"
  -- Linux counts how far SND.UNA has come; the SYN took one number.
  snd_una = 399 + conn:info().bytes_acked
  os.sleep "1s"
end)
hs.run "11s"
hs.note({
  en = "Sent: ACK %s; arrived: ACK %s. Ten seconds later SND.UNA is %s.",
  zh = "发出：ACK %s；到达：ACK %s。十秒之后 SND.UNA 是 %s。",
}, table.concat(acks.sent, ", "), table.concat(acks.arrived, ", "), snd_una)

hs.expect_equal("three segments, each once", { #data, data[1].packet.tcp.seq, data[2].packet.tcp.seq, data[3].packet.tcp.seq }, { 3, 400, 500, 600 })
hs.expect_equal("three acknowledgments were sent", acks.sent, { 500, 600, 700 })
hs.expect_equal("the second was lost", acks.arrived, { 500, 700 })
hs.expect_equal("SND.UNA is 700: the later one covers the earlier", snd_una, 700)
hs.expect_equal("nothing was retransmitted", client:counter "TcpRetransSegs", 0)
hs.expect_equal("nothing is left to be acknowledged", conn:info().unacked, 0)
hs.expect_equal("the data arrived once", table.concat(got), ("a"):rep(100) .. ("b"):rep(100) .. ("c"):rep(100))

hs.translate("zh", {
  ["three segments, each once"] = "三个报文段，各一次",
  ["three acknowledgments were sent"] = "发出了三个确认",
  ["the second was lost"] = "第二个丢失了",
  ["SND.UNA is 700: the later one covers the earlier"] = "SND.UNA 是 700：后面的涵盖了前面的",
  ["nothing was retransmitted"] = "没有任何重传",
  ["nothing is left to be acknowledged"] = "没有什么还要确认",
  ["the data arrived once"] = "数据到达一次",
})
