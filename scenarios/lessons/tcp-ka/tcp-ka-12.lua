-- TCP-KA-12  Cable out, no data.
-- A connection without data in flight has no timer, so a pulled cable does no harm, however long. With keepalive it does: after 7200 s of
-- silence the probes begin, and 9 x 75 s later the connection is dead, cable or peer, keepalive cannot tell. A break of one hour is shorter
-- than that.
-- tshark-allow: Connection reset (RST) (the connections that died)
local hs = require "hopscope"
hs.title { en = "TCP-KA-12 Cable out, no data", zh = "TCP-KA-12 拔线，没有数据" }

-- An idle connection, whose cable at the client is out for `hours`. Returns the server's state before the cable is back, and whether both
-- ends can talk afterwards.
local function unplug(name, hours, keepalive)
  local client, server, sw = hs.host("client-" .. name), hs.host("server-" .. name), hs.switch("sw-" .. name)
  local cable = hs.link(client, sw, { delay = "5ms" })
  hs.link(server, sw, { delay = "5ms" })
  server:arp_set(client, client:dev().mac) -- else ARP would find out that nobody is there: EHOSTUNREACH
  local result, own
  server:spawn(function(os)
    local conn = os.tcp({ keepalive = keepalive }):bind(5000):listen(8):accept()
    local data, err
    repeat
      data, err = conn:read()
      if data then conn:write("echo of " .. data) end
    until not data
    result = { err, hs.now() }
  end)
  local answer = {}
  client:spawn(function(os)
    own = os.tcp():connect(server, 5000)
    own:write "hello"
    own:read()
    os.sleep(hours * 3600 + 10)
    own:write "again"
    answer = { own:read() }
    os.sleep "1h"
  end)
  hs.run "1s"
  local begin = hs.now()
  cable:down()
  hs.run(hours * 3600)
  local alive = #server:sockets "ESTABLISHED" == 1
  local died = result and result[2] - begin
  cable:up()
  hs.run "60s"
  hs.note({
    en = "%d h without the cable, keepalive %s: %s; afterwards the client writes and reads: %s",
    zh = "拔线 %d 小时，保活%s：%s；之后客户端写入并读到：%s",
  }, hours, keepalive and { en = "on", zh = "开启" } or { en = "off", zh = "关闭" }, alive and { en = "alive", zh = "连接还活着" } or {
    en = string.format("dead after %.0f s, %s", died, result[1]),
    zh = string.format("%.0f s 之后死去，%s", died, result[1]),
  }, { en = answer[1] or answer[2], zh = answer[1] and "“" .. answer[1] .. "”" or answer[2] })
  return { alive, answer[1] or answer[2] }, died, result and result[1]
end
hs.expect_equal("10 h without keepalive: alive", (unplug("a", 10, false)), { true, "echo of again" })
local r, died, err = unplug("b", 10, true)
hs.expect_equal("10 h with keepalive: dead, and the client's next segment draws a RST", r, { false, "ECONNRESET" })
-- the silence began in the first second, before the cable was pulled
hs.expect_between("after 7200 + 9 x 75 = 7875 s of silence", died, 7874, 7875)
hs.expect_equal("the server's read says", err, "ETIMEDOUT")
hs.expect_equal("1 h without keepalive: alive", (unplug("c", 1, false)), { true, "echo of again" })
hs.expect_equal("1 h with keepalive: alive", (unplug("d", 1, true)), { true, "echo of again" })

hs.translate("zh", {
  ["{} h without keepalive: alive"] = "{} 小时没有保活：连接还活着",
  ["10 h with keepalive: dead, and the client's next segment draws a RST"] = "10 小时有保活：已死去，客户端的下一个报文段引来 RST",
  ["after 7200 + 9 x 75 = 7875 s of silence"] = "在 7200 + 9 x 75 = 7875 s 的沉默之后",
  ["the server's read says"] = "服务器的 read 返回",
  ["1 h with keepalive: alive"] = "1 小时有保活：连接还活着",
})
