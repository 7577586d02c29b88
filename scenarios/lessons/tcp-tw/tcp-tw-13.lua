-- TCP-TW-13  Cause: idle timeout.
-- A server does not keep silent connections for ever: after keepalive_timeout (60 s here, as often configured in nginx) it closes them, and being
-- the first to close it has the waits. A client whose requests are lost on the way looks just as silent.
-- tshark-allow: Previous segment(s) not captured (the client's requests are lost)
local hs = require "hopscope"
hs.title { en = "TCP-TW-13 Cause: idle timeout", zh = "TCP-TW-13 起因：空闲超时" }

local IDLE, CLIENTS = 60, 5
local server, sw = hs.host "server", hs.switch "sw"
hs.link(server, sw, { subnet = "10.0.0.0/24" })
server:spawn(function(os)
  local listener = os.tcp():bind(80):listen(64)
  while true do
    local conn = listener:accept()
    os.spawn(function()
      while conn:read(65536, IDLE) do
        conn:write "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nhi\n"
      end
      conn:close()
    end)
  end
end)
local waits_began, closed_at = {}, {}
hs.on("frame.tx", function(e)
  local tcp = e.packet.tcp
  if tcp and tcp.fin then closed_at[e.packet.ip.dst] = closed_at[e.packet.ip.dst] or e.time end
end, { node = server })
hs.on("tcp.state", function(e) if e.new == "TIME-WAIT" then waits_began[#waits_began + 1] = e.time end end, { node = server })

local links, asked = {}, {}
for i = 1, CLIENTS do
  local client = hs.host("client" .. i)
  links[i] = hs.link(client, sw, { delay = "1ms", subnet = "10.0.0.0/24" })
  client:spawn(function(os)
    os.sleep(1)
    local conn = os.tcp():connect("server", 80)
    conn:write "GET / HTTP/1.1\r\nHost: server\r\n\r\n"
    conn:read()
    if i == CLIENTS then
      -- This one wants more, but its requests are lost.
      links[i]:dir(client):rule(function(p) if p.tcp and p.tcp.data_len > 0 then return "drop" end end)
      os.sleep "5s"
      conn:write "GET /again HTTP/1.1\r\nHost: server\r\n\r\n"
    end
    conn:read()
    conn:close()
  end)
end
hs.note({
  en = "%d clients ask once, at 1 s. Four are silent afterwards; the fifth asks again, but its segments with data are lost.",
  zh = "%d 个客户端在 1 s 时各问一次。四个此后沉默；第五个又问一次，但它带数据的报文段丢失了。",
}, CLIENTS)
hs.run_until "60s"
hs.expect_equal("before the timeout nothing waits", server:sockstat().tw, 0)
hs.run_until "62s"
hs.note({
  en = "At 62 s the server has %d connections in TIME-WAIT; the first began to wait at %.3f s.",
  zh = "62 s 时服务器有 %d 条连接处于 TIME-WAIT；第一条从 %.3f s 开始等待。",
}, server:sockstat().tw, waits_began[1])
-- the fifth client's own FIN is behind its lost request: its wait is that for a FIN, in FIN-WAIT-2, which Linux counts with the others
hs.expect_equal("each idle client leaves one wait at the server, and so does the fifth", server:sockstat().tw, CLIENTS)
for i = 1, CLIENTS - 1 do hs.expect_near("at 60 s of silence", waits_began[i], 1 + IDLE, 0.05) end
hs.expect_near("lost requests have the same effect: the server closes the fifth client's connection at the same time", closed_at[hs.resolve("client" .. CLIENTS)], 1 + IDLE, 0.05)
hs.expect_equal("it is in the server's hands alone", #server:sockets "ESTABLISHED", 0)

hs.translate("zh", {
  ["before the timeout nothing waits"] = "超时之前没有等待",
  ["each idle client leaves one wait at the server, and so does the fifth"] = "每个空闲的客户端在服务器上留下一个等待，第五个也是",
  ["at 60 s of silence"] = "在沉默 60 s 时",
  ["lost requests have the same effect: the server closes the fifth client's connection at the same time"] = "丢失的请求效果相同：服务器在同一时间关闭第五个客户端的连接",
  ["it is in the server's hands alone"] = "这完全由服务器决定",
})
