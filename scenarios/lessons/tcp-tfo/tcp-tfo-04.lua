-- TCP-TFO-04  Bad cookie.
-- The server's key has changed, so the cookie that the client still has is worth nothing. The server falls back to an ordinary handshake:
-- it acknowledges the SYN alone, throws the data away, and sends a new cookie. The client sends the data again after the handshake
-- (RFC 7413 4.2.2): slower, but nothing is lost and nothing comes twice.
local hs = require "hopscope"
hs.title { en = "TCP-TFO-04 Bad cookie", zh = "TCP-TFO-04 错误的 cookie" }

local M = 2 ^ 32 // 1 | 0
local client, server = hs.host "client", hs.host "server"
hs.link(client, server, { delay = "20ms" })
client:arp_set("server", server:dev().mac)
server:arp_set("client", client:dev().mac)
client:sysctl("net.ipv4.tcp_fastopen", 1)
server:sysctl("net.ipv4.tcp_fastopen", 2)
server:sysctl("net.ipv4.tcp_fastopen_key", "00000001-00000002-00000003-00000004")
local got = {}
server:spawn(function(os)
  local listener = os.tcp():bind(5010)
  listener:setopt("TCP_FASTOPEN", 16)
  listener:listen(16)
  while true do
    local conn, text = listener:accept(), ""
    for data in function() return conn:read() end do text = text .. data end
    got[#got + 1] = text
    conn:close()
  end
end)
local frames = hs.frames { filter = function(p) return p.tcp end }
local function get(text)
  local first, r = #frames + 1, {}
  client:spawn(function(os)
    local conn = os.tcp()
    conn:sendto(text, "server", 5010, { fastopen = true })
    conn:shutdown "write"
    conn:read()
    conn:close()
  end)
  hs.run "2s"
  r.syn, r.synack = frames[first].packet.tcp, frames[first + 1].packet.tcp
  r.data = {}
  for i = first, #frames do
    if frames[i].packet.tcp.len > 0 then r.data[#r.data + 1] = { frames[i].packet.tcp.syn, frames[i].packet.tcp.seq - r.syn.seq } end
  end
  return r
end
hs.note { en = "The first request fetches a cookie. Then the server gets another key.", zh = "第一次请求取来一个 cookie。然后服务器换了密钥。" }
get "one"
server:sysctl("net.ipv4.tcp_fastopen_key", "0000000a-0000000b-0000000c-0000000d")
hs.note { en = "The second request travels in a SYN with the old cookie.", zh = "第二次请求随着带有旧 cookie 的 SYN 发出。" }
local bad = get "two"
hs.expect_equal("data in the SYN", bad.syn.len, 3)
hs.expect_equal("the server acknowledges the SYN only: ISN + 1", bad.synack.ackno, (bad.syn.seq + 1) % M)
hs.expect("and sends a cookie", bad.synack.tfo_cookie, bad.synack.tfo_cookie)
hs.expect("another one than the client had", bad.synack.tfo_cookie ~= bad.syn.tfo_cookie, { bad.synack.tfo_cookie, bad.syn.tfo_cookie })
hs.expect_equal("the client sends the data again after the handshake, with the same number", bad.data, { { true, 0 }, { false, 1 } })
hs.expect_equal("it is delivered exactly once", got, { "one", "two" })
hs.expect_equal("netstat of the server: a bad cookie", server:counter "TcpExtTCPFastOpenPassiveFail", 1)
hs.note { en = "The third request has the new cookie, and all is well.", zh = "第三次请求有了新的 cookie，一切正常。" }
local good = get "three"
hs.expect_equal("the new cookie is used", good.syn.tfo_cookie, bad.synack.tfo_cookie)
hs.expect_equal("SYN and data are acknowledged together", good.synack.ackno, (good.syn.seq + 1 + 5) % M)
hs.expect_equal("delivered once, too", got, { "one", "two", "three" })

hs.translate("zh", {
  ["data in the SYN"] = "SYN 里的数据",
  ["the server acknowledges the SYN only: ISN + 1"] = "服务器只确认 SYN：ISN + 1",
  ["and sends a cookie"] = "并发送一个 cookie",
  ["another one than the client had"] = "与客户端原有的不同",
  ["the client sends the data again after the handshake, with the same number"] = "客户端在握手之后再次发送数据，编号相同",
  ["it is delivered exactly once"] = "它正好被交付一次",
  ["netstat of the server: a bad cookie"] = "服务器的 netstat：一个错误的 cookie",
  ["the new cookie is used"] = "新的 cookie 被使用",
  ["SYN and data are acknowledged together"] = "SYN 和数据一起得到确认",
  ["delivered once, too"] = "也只交付一次",
})
