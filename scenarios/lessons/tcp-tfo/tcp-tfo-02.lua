-- TCP-TFO-02  Data in the SYN.
-- With a cookie the client sends its request in the SYN. The server checks the cookie, acknowledges SYN and data together, and hands the
-- request to its application at once (RFC 7413 4.2). A request and its answer take one round trip instead of two.
local hs = require "hopscope"
hs.title { en = "TCP-TFO-02 Data in the SYN", zh = "TCP-TFO-02 SYN 里的数据" }

local RTT = hs.seconds "40ms"
local client, server = hs.host "client", hs.host "server"
hs.link(client, server, { delay = RTT / 2 })
client:arp_set("server", server:dev().mac)
server:arp_set("client", client:dev().mac)
client:sysctl("net.ipv4.tcp_fastopen", 1)
server:sysctl("net.ipv4.tcp_fastopen", 2)
server:spawn(function(os)
  local listener = os.tcp():bind(5010)
  listener:setopt("TCP_FASTOPEN", 16)
  listener:listen(16)
  while true do
    local conn = listener:accept()
    local text = conn:read()
    conn:write("answer to " .. text)
    conn:close()
  end
end)
local frames = hs.frames { filter = function(p) return p.tcp end }
local function get(text)
  local first, r = #frames + 1, {}
  local begin = hs.now()
  client:spawn(function(os)
    local conn = os.tcp()
    conn:sendto(text, "server", 5010, { fastopen = true })
    r.answer = conn:read()
    r.time = hs.now() - begin
    r.flag = conn:info().options & 32 -- TCPI_OPT_SYN_DATA
    conn:close()
  end)
  hs.run "1s"
  r.syn, r.synack = frames[first].packet.tcp, frames[first + 1].packet.tcp
  return r
end

hs.note { en = "The first GET has no cookie: a handshake, then request and answer.", zh = "第一个 GET 没有 cookie：先握手，然后是请求和应答。" }
local first = get "GET 1"
hs.expect_near("2 round trips", first.time, 2 * RTT, 1e-9)
hs.expect_equal("the SYN-ACK acknowledges the SYN", first.synack.ackno, (first.syn.seq + 1) % (2 ^ 32 // 1 | 0))

hs.note { en = "The second GET is in the SYN, with the cookie.", zh = "第二个 GET 连同 cookie 一起放在 SYN 里。" }
local later = get "GET 2"
hs.expect_near("1 round trip", later.time, 1 * RTT, 1e-9)
hs.expect_near("one less than the first", first.time - later.time, RTT, 1e-9)
hs.expect_equal("five bytes of data in the SYN", later.syn.len, 5)
hs.expect_equal("the server acknowledges both, SYN and data: 1 + 5", later.synack.ackno, (later.syn.seq + 1 + 5) % (2 ^ 32 // 1 | 0))
hs.expect_equal("both were delivered", { first.answer, later.answer }, { "answer to GET 1", "answer to GET 2" })
hs.expect_equal("TCP_INFO of the client says so", { first.flag, later.flag }, { 0, 32 })
hs.expect_equal("and netstat: one at the server, one at the client", { server:counter "TcpExtTCPFastOpenPassive", client:counter "TcpExtTCPFastOpenActive" }, { 1, 1 })

hs.translate("zh", {
  ["2 round trips"] = "2 个往返",
  ["the SYN-ACK acknowledges the SYN"] = "SYN-ACK 确认 SYN",
  ["1 round trip"] = "1 个往返",
  ["one less than the first"] = "比第一次少一个",
  ["five bytes of data in the SYN"] = "SYN 里有五个字节的数据",
  ["the server acknowledges both, SYN and data: 1 + 5"] = "服务器确认两者，SYN 和数据：1 + 5",
  ["both were delivered"] = "两者都被交付",
  ["TCP_INFO of the client says so"] = "客户端的 TCP_INFO 也这样说",
  ["and netstat: one at the server, one at the client"] = "netstat 也是：服务器一次，客户端一次",
})
