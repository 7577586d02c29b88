-- TCP-TFO-01  Getting a cookie.
-- Before data may travel in a SYN, the client must have shown that its address is its own. It asks with an empty Fast Open option (kind
-- 34) in an ordinary SYN; the SYN-ACK brings a cookie, a keyed hash of the client's address (RFC 7413 4.1). The client keeps it, per
-- server. The server keeps nothing: the cookie holds no TCP state, it authenticates an address.
local hs = require "hopscope"
hs.title { en = "TCP-TFO-01 Getting a cookie", zh = "TCP-TFO-01 取得 cookie" }

local client, one, two = hs.host "client", hs.host "one", hs.host "two"
local sw = hs.switch "sw"
for _, h in ipairs { client, one, two } do
  hs.link(h, sw, { delay = "5ms" })
  h:sysctl("net.ipv4.tcp_fastopen", 3)
end
for _, h in ipairs { one, two } do
  client:arp_set(h, h:dev().mac)
  h:arp_set(client, client:dev().mac)
end

local got = {}
for _, server in ipairs { one, two } do
  server:spawn(function(os)
    local listener = os.tcp():bind(5010)
    listener:setopt("TCP_FASTOPEN", 16)
    listener:listen(16)
    while true do
      local conn = listener:accept()
      got[#got + 1] = { hs.now(), conn:read() }
      conn:close()
    end
  end)
end
local frames = hs.frames { filter = function(p) return p.tcp and p.eth end, on = "tx" }
-- bytes of the Fast Open option in a segment: { kind, length, cookie }
local function option(p)
  local raw = p:bytes():sub(15 + 20)
  local at, stop = 21, (raw:byte(13) >> 4) * 4
  while at <= stop do
    local kind = raw:byte(at)
    if kind == 0 then return end
    if kind == 34 then return { kind, raw:byte(at + 1), raw:sub(at + 2, at + raw:byte(at + 1) - 1) } end
    at = at + (kind == 1 and 1 or raw:byte(at + 1))
  end
end
-- One request with MSG_FASTOPEN; the SYN that the client sends and the SYN-ACK that it gets.
local function request(server, text)
  local first = #frames + 1
  local begin = hs.now()
  client:spawn(function(os)
    local conn = os.tcp()
    conn:sendto(text, server, 5010, { fastopen = true })
    while conn:read() do end
    conn:close()
  end)
  hs.run "1s"
  local syn, synack
  for i = first, #frames do
    local p = frames[i].packet
    if p.tcp.syn and not p.tcp.ack and frames[i].from == "client" then syn = p end
    if p.tcp.syn and p.tcp.ack and frames[i].from == server.name then synack = p end
  end
  return syn, synack, got[#got][1] - begin
end

hs.note {
  en = "The first request to the server. The client has no cookie for it and asks for one.",
  zh = "向服务器的第一次请求。客户端还没有它的 cookie，于是索取一个。",
}
local syn, synack, time = request(one, "first")
hs.expect_equal("the SYN has an empty Fast Open option: kind 34, length 2", option(syn), { 34, 2, "" })
hs.expect_equal("and no data", syn.tcp.len, 0)
local cookie = option(synack)
hs.expect_equal("the SYN-ACK brings a cookie of 8 bytes", { cookie[1], cookie[2], #cookie[3] }, { 34, 10, 8 })
hs.expect_near("the request still waits for the handshake: 1.5 round trips of 20 ms", time, "30ms", 1e-9)

hs.note { en = "The second request: the client has the cookie.", zh = "第二次请求：客户端有了 cookie。" }
syn, synack, time = request(one, "second")
hs.expect_equal("it is the cookie that the server gave", option(syn), cookie)
hs.expect_equal("and the data is in the SYN", syn.tcp.len, #"second")
hs.expect_near("which arrives after half a round trip", time, "10ms", 1e-9)

hs.note { en = "Another server: its cookie is another one. The client asks again.", zh = "另一台服务器：它的 cookie 是另一个。客户端再次索取。" }
syn, synack, time = request(two, "to the other")
hs.expect_equal("cookies are kept per server: none for this one yet", option(syn), { 34, 2, "" })
hs.expect("this server's key is its own", option(synack)[3] ~= cookie[3])
hs.expect_equal("all requests have arrived", { got[1][2], got[2][2], got[3][2] }, { "first", "second", "to the other" })

hs.translate("zh", {
  ["the SYN has an empty Fast Open option: kind 34, length 2"] = "SYN 带有空的快速打开选项：种类 34，长度 2",
  ["and no data"] = "没有数据",
  ["the SYN-ACK brings a cookie of 8 bytes"] = "SYN-ACK 带来一个 8 字节的 cookie",
  ["the request still waits for the handshake: 1.5 round trips of 20 ms"] = "请求仍要等待握手：1.5 个 20 ms 的往返",
  ["it is the cookie that the server gave"] = "它就是服务器给的 cookie",
  ["and the data is in the SYN"] = "数据在 SYN 里",
  ["which arrives after half a round trip"] = "它在半个往返之后到达",
  ["cookies are kept per server: none for this one yet"] = "cookie 按服务器保存：这台还没有",
  ["this server's key is its own"] = "这台服务器的密钥是它自己的",
  ["all requests have arrived"] = "所有请求都已到达",
})
