-- TCP-Q-05  Accept overflow, reset.
-- With tcp_abort_on_overflow 1 a third segment that finds the accept queue full is answered with RST, and the half-open entry is
-- gone. The client learns at once that something is wrong: "connection reset by peer". Without it the client only sees silence.
-- This is a way to diagnose a full accept queue, not a good permanent setting (Linux tcp_check_req).
-- tshark-allow: Connection reset (RST) (the server resets what finds no room)
local hs = require "hopscope"
hs.title { en = "TCP-Q-05 Accept overflow, reset", zh = "TCP-Q-05 接受队列溢出，复位" }

local client, server = hs.host "client", hs.host "server"
hs.link(client, server, { delay = "10ms" })
client:ping("server", { count = 1 })
local resets = hs.frames { node = server, filter = function(p) return p.tcp and p.tcp.rst end }

local function attempt(port)
  local second = {}
  server:spawn(function(os)
    os.tcp():bind(port):listen(2)  -- three connections may wait, and nobody accepts them
    os.sleep "3s"
  end)
  for _ = 1, 2 do
    client:spawn(function(os)
      os.tcp():connect("server", port)
      os.sleep "3s"
    end)
  end
  hs.run "100ms"
  local t = hs.now()
  client:spawn(function(os)
    os.tcp():connect("server", port)
    os.sleep "3s"
  end)
  client:spawn(function(os)
    local conn, err = os.tcp():connect("server", port)
    second.connect = conn and "connected" or err
    local _, why = conn:read(100, "500ms")
    second.read, second.time = why, hs.now() - t
    os.sleep "3s"
  end)
  hs.run "2s"
  return second
end

hs.note {
  en = "First with tcp_abort_on_overflow 0. Two clients connect at once to a server whose accept queue has room for one more.",
  zh = "首先 tcp_abort_on_overflow 为 0。两个客户端同时连接到一台服务器，它的接受队列还有一个空位。",
}
local silent = attempt(5000)
hs.note({
  en = "The second client: connect says %s; half a second later read has nothing (%s).",
  zh = "第二个客户端：connect 说 %s；半秒之后 read 什么也没有（%s）。",
}, { en = silent.connect, zh = "已连接" }, silent.read)
hs.expect_equal("dropped: connected, and no sign of trouble", { silent.connect, silent.read }, { "connected", "EAGAIN" })
hs.expect_equal("no RST", #resets, 0)
hs.run "5s"
local rsts = #resets

hs.note { en = "Now with tcp_abort_on_overflow 1.", zh = "现在 tcp_abort_on_overflow 为 1。" }
server:sysctl("net.ipv4.tcp_abort_on_overflow", 1)
local overflows = server:counter "TcpExtListenOverflows"
local reset = attempt(5001)
hs.note({
  en = "The second client: connect says %s; %.0f ms after its SYN read says %s.",
  zh = "第二个客户端：connect 说 %s；在它的 SYN 之后 %.0f ms，read 说 %s。",
}, { en = reset.connect, zh = "已连接" }, reset.time * 1000, reset.read)
hs.expect_equal("reset: connection reset by peer", { reset.connect, reset.read }, { "connected", "ECONNRESET" })
hs.expect_near("two round trips after the SYN: SYN, SYN-ACK, ACK, RST", reset.time, "40ms", "1us")
hs.expect_equal("one RST", #resets - rsts, 1)
hs.expect_equal("the diagnosis: a listen queue has overflowed once", server:counter "TcpExtListenOverflows" - overflows, 1)

hs.translate("zh", {
  ["dropped: connected, and no sign of trouble"] = "丢弃：已连接，没有出现麻烦的迹象",
  ["no RST"] = "没有 RST",
  ["reset: connection reset by peer"] = "复位：连接被对方复位",
  ["two round trips after the SYN: SYN, SYN-ACK, ACK, RST"] = "在 SYN 之后两个往返：SYN、SYN-ACK、ACK、RST",
  ["one RST"] = "一个 RST",
  ["the diagnosis: a listen queue has overflowed once"] = "诊断：监听队列溢出了一次",
})
