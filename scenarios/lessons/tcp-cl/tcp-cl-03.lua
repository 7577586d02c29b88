-- TCP-CL-03  Half-close.
-- A FIN says "I have no more data", no more. Who has sent it cannot send, but still receives: after shutdown(write) the peer may go on as
-- long as it likes (RFC 9293 3.6: a one-sided close).
local hs = require "hopscope"
hs.title { en = "TCP-CL-03 Half-close", zh = "TCP-CL-03 半关闭" }

local client, server = hs.host "client", hs.host "server"
hs.link(client, server, { rate = "10Mbps", delay = "10ms" })
local states = {}
hs.on("tcp.state", function(e) states[#states + 1] = e.new end, { node = client })
server:spawn(function(os)
  local conn = os.tcp():bind(5600):listen(8):accept()
  hs.expect_equal("the server reads the end of the stream", conn:read(), nil)
  hs.note { en = "The server has seen the client's FIN, and now sends 100 kB.", zh = "服务器已经看到客户端的 FIN，现在发送 100 kB。" }
  conn:write(hs.payload "100kB")
  os.sleep "1s"
  hs.note { en = "The server closes as well.", zh = "服务器也关闭。" }
  conn:close()
end)
local got, seen, after_end, write_error = 0, {}, nil, nil
client:spawn(function(os)
  local conn = os.tcp():connect("server", 5600)
  hs.note { en = "The client closes its direction: shutdown(write).", zh = "客户端关闭自己的方向：shutdown(write)。" }
  conn:shutdown "write"
  local _, err = conn:write "one more word"
  write_error = err
  while true do
    local data = conn:read()
    if not data then break end
    got = got + #data
    seen[conn:state()] = true
  end
  after_end = conn:state()
end)
hs.run "5s"
hs.note({ en = "The client has read %s bytes after its FIN.", zh = "客户端在自己的 FIN 之后读到了 %s 字节。" }, got)
hs.expect_equal("writing fails after shutdown(write)", write_error, "EPIPE")
hs.expect_equal("100 kB arrive", got, 100000)
hs.expect_equal("all of it in FIN-WAIT-2", seen, { ["FIN-WAIT-2"] = true })
hs.expect_equal("then the server's FIN ends it", { states[#states - 2], states[#states - 1], states[#states] }, { "FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT" })
hs.expect_equal("the server is done: nothing of the connection is left there", #server:sockets "LAST-ACK" + #server:sockets "CLOSE-WAIT", 0)

hs.translate("zh", {
  ["the server reads the end of the stream"] = "服务器读到流的结束",
  ["writing fails after shutdown(write)"] = "shutdown(write) 之后写入失败",
  ["100 kB arrive"] = "100 kB 到达",
  ["all of it in FIN-WAIT-2"] = "全部在 FIN-WAIT-2 期间",
  ["then the server's FIN ends it"] = "然后服务器的 FIN 结束它",
  ["the server is done: nothing of the connection is left there"] = "服务器完成了：那里没有留下这条连接的任何东西",
})
