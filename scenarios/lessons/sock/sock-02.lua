-- SOCK-02  Two kinds of socket.
-- The listening socket only stands at the door: it never carries data. accept() returns a second socket, a connected one, with a
-- descriptor of its own but the same local port; the connection is told apart by its four-tuple (RFC 9293 3.1, 3.9.1).
-- tshark-allow: Connection reset (the SYN that meets a closed port)
local hs = require "hopscope"
hs.title { en = "SOCK-02 Two kinds of socket", zh = "SOCK-02 两种套接字" }

local client, server = hs.host "client", hs.host "server"
hs.link(client, server, { delay = "5ms" })

local listener = server:tcp():bind(5678):listen(128)
local conn, answers, refused = nil, {}, nil

server:spawn(function()
  conn = listener:accept()
  hs.note {
    en = "The server has two sockets now: one listens, one is connected. Same port, different descriptors.",
    zh = "现在服务器有两个套接字：一个监听，一个已连接。端口相同，描述符不同。",
  }
  hs.expect("two descriptors", listener.fd ~= conn.fd, { listener.fd, conn.fd })
  local _, port = conn:local_addr()
  local _, listening = listener:local_addr()
  hs.expect_equal("the same local port", { port, listening }, { 5678, 5678 })
  hs.expect_equal("one listens, one is established", { listener:state(), conn:state() }, { "LISTEN", "ESTABLISHED" })
  hs.expect_equal("the listener has no peer and no data", { listener:peer_addr() }, { nil, "ENOTCONN" })
  conn:write(conn:read())
  hs.note { en = "The server closes its listener and goes on with the connection.", zh = "服务器关闭监听套接字，继续使用那条连接。" }
  listener:close()
  conn:write(conn:read())
end)

client:spawn(function(os)
  local sock = os.tcp():connect("server", 5678)
  for _, line in ipairs { "before", "after" } do
    sock:write(line)
    answers[#answers + 1] = sock:read()
  end
  refused = select(2, os.tcp():connect("server", 5678))
end)
hs.run "1s"

hs.expect_equal("the connection outlives its listener", answers, { "before", "after" })
hs.expect_equal("new callers find nobody at the door", refused, "ECONNREFUSED")

hs.translate("zh", {
  ["two descriptors"] = "两个描述符",
  ["the same local port"] = "同一个本地端口",
  ["one listens, one is established"] = "一个监听，一个已建立",
  ["the listener has no peer and no data"] = "监听者没有对端，也没有数据",
  ["the connection outlives its listener"] = "连接比它的监听者活得久",
  ["new callers find nobody at the door"] = "新的来访者发现门口没有人",
})
