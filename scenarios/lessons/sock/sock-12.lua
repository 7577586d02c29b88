-- SOCK-12  End of file after queued data.
-- A FIN has its place in the stream, behind the last byte (RFC 9293 3.4). The reader gets the data first and end of file after it:
-- read() returns 0 bytes, and goes on doing so.
local hs = require "hopscope"
hs.title { en = "SOCK-12 End of file after queued data", zh = "SOCK-12 排队的数据之后是文件结束" }

local client, server = hs.host "client", hs.host "server"
hs.link(client, server, { delay = "5ms" })

local conn
server:spawn(function(os)
  conn = os.tcp():bind(5678):listen(8):accept()
  os.sleep "1s"
  hs.note {
    en = "A second later the FIN has long arrived: the connection is in CLOSE_WAIT. The server begins to read, 4 bytes at a time.",
    zh = "一秒之后 FIN 早已到达：连接处于 CLOSE_WAIT。服务器开始读取，每次 4 字节。",
  }
  hs.expect_equal("the FIN has been received", conn:state(), "CLOSE-WAIT")
  hs.expect_equal("10 bytes wait", conn:info().recv_q, 10)
  local results = {}
  for _ = 1, 6 do
    local data, why = conn:read(4)
    results[#results + 1] = data or why or "end of file"
  end
  hs.expect_equal("first all the data, then end of file, again and again", results,
    { "0123", "4567", "89", "end of file", "end of file", "end of file" })
  hs.expect_equal("reading is over, writing is not", conn:write "thanks", 6)
  conn:close()
end)
local reply
client:spawn(function(os)
  local sock = os.tcp():connect("server", 5678)
  hs.note {
    en = "The client writes 10 bytes and shuts its direction down. The server does not read yet.",
    zh = "客户端写入 10 字节，并关闭自己的方向。服务器还没有读。",
  }
  sock:write "0123456789"
  sock:shutdown "write"
  reply = sock:read()
end)
hs.run "2s"
hs.expect_equal("the other direction still works", reply, "thanks")

hs.translate("zh", {
  ["the FIN has been received"] = "收到了 FIN",
  ["10 bytes wait"] = "10 字节在等待",
  ["first all the data, then end of file, again and again"] = "先是全部数据，然后是文件结束，一次又一次",
  ["reading is over, writing is not"] = "读取结束了，写入没有",
  ["the other direction still works"] = "另一个方向仍然可用",
})
