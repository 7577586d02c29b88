-- TCP Fast Open (RFC 7413): the first connection fetches a cookie; with it the second one sends its request in the SYN, and has the
-- answer after one round trip.
--
--   client ───── server     100 Mbit/s, 20 ms one way
local hs = require "hopscope"
hs.title { en = "TCP Fast Open: a cookie, then a request in the SYN", zh = "TCP 快速打开：先取 cookie，再把请求放进 SYN" }

local client, server = hs.host "client", hs.host "server"
hs.link(client, server, { rate = "100Mbps", delay = "20ms" })
client:arp_set("server", server:dev().mac)
server:arp_set("client", client:dev().mac)
client:sysctl("net.ipv4.tcp_fastopen", 1)
server:sysctl("net.ipv4.tcp_fastopen", 2)
server:spawn(function(os)
  local listener = os.tcp():bind(80)
  listener:setopt("TCP_FASTOPEN", 16)
  listener:listen(16)
  while true do
    local conn = listener:accept()
    conn:write("answer to " .. conn:read())
    conn:read() -- until the client closes
    conn:close()
  end
end)
local took = {}
local function get(text)
  client:spawn(function(os)
    local conn, begin = os.tcp(), os.now()
    conn:sendto(text, "server", 80, { fastopen = true })
    conn:read()
    took[#took + 1] = os.now() - begin
    conn:close()
  end)
end
hs.after("0s", function() get "request 1" end)
hs.after("1s", function() get "request 2" end)
hs.run "2s"

hs.expect_near("two round trips without a cookie", took[1], 0.08, 1e-3)
hs.expect_near("one with it", took[2], 0.04, 1e-3)

hs.translate("zh", {
  ["two round trips without a cookie"] = "没有 cookie 时是两个往返",
  ["one with it"] = "有 cookie 时是一个",
})
