-- SOCK-17  Demultiplexing to a socket.
-- Address, protocol and port name a process's socket; a process number would mean nothing to another machine. An arriving segment is
-- matched with connections by its exact four-tuple first, with listeners by its destination second; if there is neither, the answer is
-- a reset (RFC 9293 3.10.7; Linux __inet_lookup_skb).
-- tshark-allow: Connection reset (a segment for nobody)
-- tshark-allow: Previous segment(s) not captured (likewise: a segment out of nowhere)
local hs = require "hopscope"
hs.title { en = "SOCK-17 Demultiplexing to a socket", zh = "SOCK-17 分用到套接字" }

local client, server = hs.host "client", hs.host "server"
local link = hs.link(client, server, { delay = "5ms" })

local listener, read = server:tcp():bind(5678):listen(8), {}
local queue = {}
hs.note {
  en = "Two clients' connections and a listener share port 5678 of the server. Each connection's data reaches its own socket.",
  zh = "两个客户端的连接和一个监听者共用服务器的端口 5678。每条连接的数据到达自己的套接字。",
}
server:spawn(function()
  for _ = 1, 2 do
    local conn, _, port = listener:accept()
    queue[#queue + 1] = port
    server:spawn(function() read[port] = conn:read() end)
  end
end)
local ports = {}
client:spawn(function(os)
  local one, two = os.tcp():connect("server", 5678), os.tcp():connect("server", 5678)
  ports = { select(2, one:local_addr()), select(2, two:local_addr()) }
  two:write "from two"
  one:write "from one"
  os.sleep "1s"
end)
local resets = hs.frames { filter = function(p) return p.tcp and p.tcp.rst end }
hs.run "500ms"
hs.expect_equal("the exact four-tuple decides", { read[ports[1]], read[ports[2]] }, { "from one", "from two" })
hs.expect_equal("the data never reached the listener", listener:info().unacked, 0)
hs.expect_equal("no resets so far", #resets, 0)

hs.note {
  en = "Now an ACK of a connection that does not exist, to the listener's port. It fits no connection; the listener takes SYNs only: a reset.",
  zh = "现在来了一个并不存在的连接的 ACK，发往监听者的端口。它不属于任何连接；监听者只收 SYN：复位。",
}
local stray
link:dir(client):rule(function(p)
  if p.tcp and p.data and not stray then -- a copy of a data segment, as if from another port
    stray = true
    p.tcp.sport = 9
  end
end)
client:spawn(function(os)
  local sock = os.tcp():connect("server", 5678)
  sock:write "lost identity"
  os.sleep "100ms"
end)
hs.run "100ms"
hs.expect_equal("a reset for the unknown four-tuple", { #resets, resets[1].packet.tcp.dport }, { 1, 9 })

hs.note { en = "And a SYN to a port where nobody listens: a reset too.", zh = "再来一个 SYN，发往没有人监听的端口：同样是复位。" }
local why
client:spawn(function(os) why = select(2, os.tcp():connect("server", 5679)) end)
hs.run "100ms"
hs.expect_equal("refused", why, "ECONNREFUSED")
hs.expect_equal("by the second reset", #resets, 2)

hs.translate("zh", {
  ["the exact four-tuple decides"] = "由精确的四元组决定",
  ["the data never reached the listener"] = "数据从未到达监听者",
  ["no resets so far"] = "到此为止没有复位",
  ["a reset for the unknown four-tuple"] = "对未知四元组的复位",
  ["refused"] = "被拒绝",
  ["by the second reset"] = "由第二个复位",
})
