-- TCP-TFO-03  Reply before the third segment.
-- The cookie has proven the client's address, so the server need not wait for the third segment: accept returns when the SYN comes, and
-- its answer follows the SYN-ACK at once (RFC 7413 4.2.2). Without Fast Open a server cannot write before the third segment.
local hs = require "hopscope"
hs.title { en = "TCP-TFO-03 Reply before the third segment", zh = "TCP-TFO-03 第三个报文段之前的应答" }

local client, server = hs.host "client", hs.host "server"
local link = hs.link(client, server, { rate = "10Mbps", delay = "20ms" })
client:arp_set("server", server:dev().mac)
server:arp_set("client", client:dev().mac)
client:sysctl("net.ipv4.tcp_fastopen", 1)
server:sysctl("net.ipv4.tcp_fastopen", 2)
local accepted, state
server:spawn(function(os)
  local listener = os.tcp():bind(5010)
  listener:setopt("TCP_FASTOPEN", 16)
  listener:listen(16)
  while true do
    local conn = listener:accept()
    accepted, state = hs.now(), conn:state()
    conn:read()
    conn:write(hs.payload(8000))
    conn:close()
  end
end)
local function get()
  client:spawn(function(os)
    local conn = os.tcp()
    conn:sendto("GET", "server", 5010, { fastopen = true })
    while conn:read() do end
    conn:close()
  end)
  hs.run "1s"
end
hs.note { en = "A first request fetches the cookie.", zh = "第一次请求取来 cookie。" }
get()
hs.note {
  en = "The second one is in the SYN. Watch what the server sends before it hears from the client again.",
  zh = "第二次请求放在 SYN 里。请看服务器在再次听到客户端之前发送了什么。",
}
local sent = hs.frames { filter = function(p, f) return p.tcp and p.tcp.sport == 5010 end }
local third
hs.on("frame.rx", function(e)
  if not third and e.packet.tcp and not e.packet.tcp.syn then third = e.time end
end, { node = server })
get()
local before, bytes = 0, 0
for _, f in ipairs(sent) do
  if f.time < third then
    before = before + 1
    bytes = bytes + f.packet.tcp.len
  end
end
hs.expect("the SYN-ACK is first", sent[1].packet.tcp.syn and sent[1].packet.tcp.len == 0)
hs.expect_equal("accept gave the connection when the SYN came: it is still SYN-RECEIVED", state, "SYN-RECEIVED")
hs.expect("the answer follows before the client's ACK arrives", sent[2].packet.tcp.len > 0 and sent[2].time < third, { sent[2].time, third })
hs.expect_equal("the whole of it has left by then: 8000 bytes", bytes, 8000)
hs.expect("at least a round trip earlier", third - accepted >= 0.04, third - accepted)

hs.translate("zh", {
  ["the SYN-ACK is first"] = "首先是 SYN-ACK",
  ["accept gave the connection when the SYN came: it is still SYN-RECEIVED"] = "SYN 到来时 accept 就给出连接：它仍是 SYN-RECEIVED",
  ["the answer follows before the client's ACK arrives"] = "应答在客户端的 ACK 到达之前跟着发出",
  ["the whole of it has left by then: 8000 bytes"] = "那时它已全部发出：8000 字节",
  ["at least a round trip earlier"] = "至少早了一个往返",
})
