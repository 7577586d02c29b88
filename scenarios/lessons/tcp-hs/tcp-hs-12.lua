-- TCP-HS-12  Stale SYN after the connection ended.
-- A duplicate of a SYN comes out of a corner of the network long after its connection. The server cannot know: it makes a half-open
-- entry and answers. The client has no such connection; it does not ignore the SYN-ACK but answers RST, and the entry is gone after
-- one round trip (RFC 9293 3.5.2, figure 9).
-- tshark-allow: Previous segment(s) not captured (the stale SYN's numbers are not those of the end)
-- tshark-allow: Connection reset (the client rejects the answer to the stale SYN)
local hs = require "hopscope"
hs.title { en = "TCP-HS-12 Stale SYN after the connection ended", zh = "TCP-HS-12 连接结束之后的过时 SYN" }

local client, server, attic = hs.host "client", hs.host "server", hs.host "attic"
local sw = hs.switch "sw"
local link = hs.link(client, sw, { delay = "5ms" })
hs.link(server, sw, { delay = "5ms" })
hs.link(attic, sw, { delay = "5ms" })
attic:arp_set("server", server:dev().mac)
client:arp_set("server", server:dev().mac)
server:arp_set("client", client:dev().mac)

local stale
local frames = hs.frames { link = link, filter = function(p) return p.tcp end }
server:spawn(function(os)
  local listener = os.tcp():bind(5010):listen(8)
  local conn = listener:accept()
  while conn:read() do end
  conn:close()
  os.sleep "1000s"
end)
client:spawn(function(os)
  local conn = os.tcp():connect("server", 5010)
  conn:write "hello"
  conn:close()
end)
hs.note {
  en = "A connection comes and goes; so does its TIME_WAIT. Somewhere a copy of its SYN has survived.",
  zh = "一条连接来了又去；它的 TIME_WAIT 也已过去。在某个地方，它的 SYN 的一个副本还留存着。",
}
hs.run "100s"
local syn = frames[1].packet.tcp
hs.expect_equal("both ends have forgotten the connection", { #client:sockets(), #server:sockets() }, { 0, 1 })

hs.note { en = "At 100 s the copy arrives at the server.", zh = "100 s 时这个副本到达服务器。" }
local changes, begin = {}, hs.now()
local got
hs.on("frame.rx", function(e)
  if e.packet.tcp and e.packet.tcp.syn then hs.after(0, function() got = { hs.now() - begin, #server:sockets "SYN-RECEIVED" } end) end
  if e.packet.tcp and e.packet.tcp.rst then hs.after(0, function() changes.freed = { hs.now() - begin, #server:sockets "SYN-RECEIVED" } end) end
end, { node = server })
local first = #frames + 1
attic:forge { src = client, to = server, sport = syn.sport, dport = 5010, seq = syn.seq, flags = "S" }
hs.run "1s"
hs.expect_equal("the server makes a half-open entry: SYN-RECEIVED", got[2], 1)
hs.expect_near("when the SYN arrives", got[1], "10ms", 1e-9)
local synack, rst = frames[first].packet.tcp, frames[first + 1]
hs.expect("the client answers RST", rst.from == "client" and rst.packet.tcp.rst, rst.summary)
hs.expect_equal("with the number that the SYN-ACK acknowledged", rst.packet.tcp.seq, synack.ackno)
hs.expect_equal("the entry is freed", changes.freed[2], 0)
hs.expect_near("one round trip after it was made", changes.freed[1] - got[1], "20ms", 1e-9)
hs.expect_equal("nothing was accepted", server:counter "TcpPassiveOpens", 1)

hs.translate("zh", {
  ["both ends have forgotten the connection"] = "两端都已忘记这条连接",
  ["the server makes a half-open entry: SYN-RECEIVED"] = "服务器建立一个半开连接项：SYN-RECEIVED",
  ["when the SYN arrives"] = "在 SYN 到达时",
  ["the client answers RST"] = "客户端以 RST 应答",
  ["with the number that the SYN-ACK acknowledged"] = "编号是 SYN-ACK 所确认的",
  ["the entry is freed"] = "连接项被释放",
  ["one round trip after it was made"] = "在建立之后一个往返",
  ["nothing was accepted"] = "什么也没有被接受",
})
