-- TCP-KA-11  Cable out, data, cable back too late.
-- The server has data in flight when the client's cable is pulled. It gives up after some 15 minutes (tcp_retries2) and forgets the
-- connection. The client, who only reads, notices nothing, cable or not; when the cable is back and it sends something, the server knows no
-- such connection and answers RST.
-- tshark-allow: Connection reset (RST) (that is what the lesson is about)
local hs = require "hopscope"
hs.title { en = "TCP-KA-11 Cable out, data, cable back too late", zh = "TCP-KA-11 拔线，数据，插上太晚" }

local client, server, sw = hs.host "client", hs.host "server", hs.switch "sw"
local cable = hs.link(client, sw, { delay = "5ms" })
local link = hs.link(server, sw, { delay = "5ms" })
server:arp_set(client, client:dev().mac) -- else ARP would find out that nobody is there: EHOSTUNREACH
client:arp_set(server, server:dev().mac)

local at_server, sent_at, at_client, conn, say_something
server:spawn(function(os)
  local c = os.tcp():bind(5000):listen(8):accept()
  os.sleep "1s"
  sent_at = hs.now()
  c:write "news"
  local data, err = c:read()
  at_server = { data, err, hs.now() }
end)
client:spawn(function(os)
  conn = os.tcp():connect("server", 5000)
  say_something = function()
    conn:send("hello?", { dontwait = true })
  end
  local data, err = conn:read()
  at_client = { data, err, hs.now() }
end)
hs.run "500ms"
cable:down()
hs.note { en = "The cable is out; half a second later the server sends news.", zh = "电缆拔下；半秒之后服务器发送消息。" }
hs.run "900s"
hs.expect_equal("after a quarter of an hour the server still tries", { at_server, server:sockets("ESTABLISHED")[1].send_q }, { nil, 4 })
hs.run "100s"
-- the limit is a time, 924.6 s, and looked at when a timer fires: see TCP-KA-09
hs.note({ en = "The server gave up %.1f s after it had sent.", zh = "服务器在发送 %.1f s 之后放弃。" }, at_server[3] - sent_at)
hs.expect_equal("the server: ETIMEDOUT", { at_server[1], at_server[2] }, { nil, "ETIMEDOUT" })
hs.expect_between("not before 924.6 s, less than one wait of 120 s later", at_server[3] - sent_at, 924.6, 924.6 + 120)
hs.expect_equal("the server has forgotten it", #server:sockets "ESTABLISHED", 0)
cable:up()
hs.note { en = "The cable is back.", zh = "电缆插回了。" }
hs.run "1h"
hs.expect_equal("an hour later the client is still ESTABLISHED", { conn:state(), at_client }, { "ESTABLISHED", nil })

local frames = hs.frames { link = link, filter = function(p) return p.tcp end }
local said = hs.now()
say_something()
hs.run "1s"
for _, f in ipairs(frames) do hs.note(f.summary) end
hs.expect_equal("its next segment draws a RST", { #frames, frames[1].packet.tcp.len, frames[2].packet.tcp.rst }, { 2, 6, true })
hs.expect_equal("the client: ECONNRESET", { at_client[1], at_client[2] }, { nil, "ECONNRESET" })
hs.expect_near("one round trip after it has sent", at_client[3] - said, "20ms", "10us")

hs.translate("zh", {
  ["after a quarter of an hour the server still tries"] = "一刻钟之后服务器仍在尝试",
  ["the server: ETIMEDOUT"] = "服务器：ETIMEDOUT",
  ["not before 924.6 s, less than one wait of 120 s later"] = "不早于 924.6 s，也不晚于再加 120 s 的一次等待",
  ["the server has forgotten it"] = "服务器已经忘记了它",
  ["an hour later the client is still ESTABLISHED"] = "一小时之后客户端仍是 ESTABLISHED",
  ["its next segment draws a RST"] = "它的下一个报文段引来 RST",
  ["the client: ECONNRESET"] = "客户端：ECONNRESET",
  ["one round trip after it has sent"] = "在它发送之后一个往返",
})
