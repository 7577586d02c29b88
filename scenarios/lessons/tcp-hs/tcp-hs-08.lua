-- TCP-HS-08  Server gives up on the half-open entry.
-- No ACK comes, however often the SYN-ACK is repeated. After tcp_synack_retries (5) repetitions, at 1+2+4+8+16+32 = 63 s, the entry is
-- deleted without a word. The client, ESTABLISHED since the first SYN-ACK, learns it from the RST that its next segment draws.
-- tshark-allow: Connection reset (what the client sends meets no entry any more)
local hs = require "hopscope"
hs.title { en = "TCP-HS-08 Server gives up on the half-open entry", zh = "TCP-HS-08 服务器放弃半开连接项" }

local client, server = hs.host "client", hs.host "server"
local link = hs.link(client, server, { delay = "10ms" })
client:arp_set("server", server:dev().mac)
server:arp_set("client", client:dev().mac)
link:dir(client):rule(function(p) if p.tcp and not p.tcp.syn then return "drop" end end) -- no ACK gets through
local frames = hs.frames { filter = function(p) return p.tcp end }
server:tcp():bind(5010):listen(8)

local err
client:spawn(function(os)
  local conn = os.tcp():connect("server", 5010)
  os.sleep "70s"
  hs.note { en = "70 s later the way is free again, and the client writes.", zh = "70 s 之后道路重新畅通，客户端写入数据。" }
  link:dir(client):rule(nil)
  conn:write "anybody there?"
  err = select(2, conn:read())
end)
hs.note {
  en = "The SYN arrives at 10 ms. The SYN-ACK is repeated after 1, 3, 7, 15 and 31 s.",
  zh = "SYN 在 10 ms 时到达。SYN-ACK 在 1、3、7、15 和 31 s 后重传。",
}
local before, after
hs.at("63s", function() before = #server:sockets "SYN-RECEIVED" end)
hs.at("63.02s", function() after = #server:sockets "SYN-RECEIVED" end)
hs.run "69s"
local at = {}
for i, f in ipairs(frames:select(function(p) return p.tcp.syn and p.tcp.ack end)) do at[i] = f.time - 0.01 end
hs.expect_equal("one SYN-ACK and five repetitions", #at, 6)
for i, want in ipairs { 0, 1, 3, 7, 15, 31 } do hs.expect_near("SYN-ACK " .. i, at[i], want, 1e-9) end
hs.expect_equal("the entry lives until 63 s after the SYN, and is gone then", { before, after }, { 1, 0 })
hs.expect_equal("nothing was said", frames:count(function(p) return p.tcp.rst end), 0)
hs.expect_equal("the client knows nothing", client:sockets()[1].state, "ESTABLISHED")
hs.run "10s"
local rst = frames:select(function(p) return p.tcp.rst end)
hs.expect_equal("its next segment draws a RST", { #rst, rst[1].from }, { 1, "server" })
hs.expect_equal("which the application sees", err, "ECONNRESET")

hs.translate("zh", {
  ["one SYN-ACK and five repetitions"] = "一个 SYN-ACK 和五次重传",
  ["the entry lives until 63 s after the SYN, and is gone then"] = "连接项存活到 SYN 之后 63 s，然后消失",
  ["nothing was said"] = "什么也没有说",
  ["the client knows nothing"] = "客户端一无所知",
  ["its next segment draws a RST"] = "它的下一个报文段引来 RST",
  ["which the application sees"] = "应用程序看得到",
})
