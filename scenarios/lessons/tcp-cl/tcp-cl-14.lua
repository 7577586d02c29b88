-- TCP-CL-14  Data after full close.
-- close means: I neither send nor read any more. Data that arrives afterwards can be given to nobody, and is answered with RST
-- (RFC 1122 4.2.2.13, RFC 2525 2.17). shutdown(write) only closes one direction: the same data is read as usual. And who closes with
-- data unread sends RST instead of FIN at once.
-- tshark-allow: Connection reset (RST) (that is what the lesson is about)
local hs = require "hopscope"
hs.title { en = "TCP-CL-14 Data after full close", zh = "TCP-CL-14 完全关闭之后的数据" }

local client, server = hs.host "client", hs.host "server"
hs.link(client, server, { delay = "10ms" })
client:ping("server", { count = 1 })
local sent
hs.on("frame.tx", function(e)
  local tcp = e.packet.tcp
  if sent and tcp then sent[#sent + 1] = e.node .. (tcp.rst and " RST" or tcp.fin and " FIN" or tcp.data_len > 0 and " data" or " ACK") end
end)

-- In both languages.
local function told(list)
  return { en = table.concat(list, ", "), zh = (table.concat(list, "、"):gsub(" data", " 数据")) }
end

-- The client ends its connection; 100 ms later the server writes, and after another 100 ms once more.
local port = 5000
local function attempt(how)
  port = port + 1
  local here, r = port, { client = {} }
  server:spawn(function(os)
    local conn = os.tcp():bind(here):listen(8):accept()
    os.sleep "100ms"
    r.first, r.first_err = conn:write "are you there?"
    os.sleep "100ms"
    r.second, r.second_err = conn:write "hello?"
    os.sleep "1s"
  end)
  client:spawn(function(os)
    os.sleep "1ms"
    local conn = os.tcp():connect("server", here)
    sent = {}
    if how == "close" then
      conn:close()
    else
      conn:shutdown "write"
      r.read = conn:read()
    end
    os.sleep "1s"
  end)
  hs.run "900ms"
  r.sent, sent = sent, nil
  hs.run "1s"
  return r
end

local closed = attempt "close"
hs.note({ en = "The client closes, then the server writes: %s", zh = "客户端关闭，然后服务器写入：%s" }, told(closed.sent))
hs.expect_equal("the server's first write succeeds: it does not know yet", closed.first, 14)
hs.expect_equal("it draws a RST", closed.sent[#closed.sent], "client RST")
hs.expect_equal("the server's next call fails", { closed.second, closed.second_err }, { nil, "EPIPE" })

local half = attempt "shutdown"
hs.note({ en = "The client only shuts down its direction: %s", zh = "客户端只关闭自己的方向：%s" }, told(half.sent))
hs.expect_equal("the same data is read as usual", half.read, "are you there?")
hs.expect_equal("and the server's next write succeeds", half.second, 6)

hs.note { en = "Closing with unread data: the client has not read the server's greeting.", zh = "关闭时还有未读的数据：客户端没有读服务器的问候。" }
local aborted = client:counter "TcpExtTCPAbortOnClose"
server:spawn(function(os)
  local conn = os.tcp():bind(6000):listen(8):accept()
  conn:write "welcome"
  local _, err = conn:read()
  hs.expect_equal("the peer's read says ECONNRESET", err, "ECONNRESET")
end)
client:spawn(function(os)
  os.sleep "1ms"
  local conn = os.tcp():connect("server", 6000)
  os.sleep "200ms"
  sent = {}
  conn:close()
end)
hs.run "1s"
hs.expect_equal("RST instead of FIN", sent, { "client RST" })
hs.expect_equal("counted", client:counter "TcpExtTCPAbortOnClose" - aborted, 1)

hs.translate("zh", {
  ["the server's first write succeeds: it does not know yet"] = "服务器的第一次写入成功：它还不知道",
  ["it draws a RST"] = "它引来 RST",
  ["the server's next call fails"] = "服务器的下一次调用失败",
  ["the same data is read as usual"] = "同样的数据照常被读取",
  ["and the server's next write succeeds"] = "服务器的下一次写入成功",
  ["the peer's read says ECONNRESET"] = "对方的 read 返回 ECONNRESET",
  ["RST instead of FIN"] = "是 RST 而不是 FIN",
  ["counted"] = "已被计数",
})
