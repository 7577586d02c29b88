-- TCP-HS-17  Self connection.
-- A program connects to a port of its own host on which nobody listens. If the kernel happens to choose the same number as source port,
-- the SYN meets its own socket in SYN-SENT: a simultaneous open with itself. It succeeds, and what is written comes back.
-- (Programs that reconnect to a crashed local server in a loop do see this now and then.)
local hs = require "hopscope"
hs.title { en = "TCP-HS-17 Self connection", zh = "TCP-HS-17 与自己连接" }

local host, other = hs.host "host", hs.host "other"
hs.link(host, other)
host:sysctl("net.ipv4.ip_local_port_range", "5010 5010") -- the choice is made easy here
local states = {}
hs.on("tcp.state", function(e) states[#states + 1] = e.new end, { node = host })
local frames = hs.frames { filter = function(p) return p.tcp end }
local conn, heard
hs.note {
  en = "Nobody listens on port 5010. The host connects to it on the loopback, from port 5010.",
  zh = "没有人在端口 5010 上监听。主机在环回接口上从端口 5010 连接到它。",
}
host:spawn(function(os)
  local err
  conn, err = os.tcp():connect("127.0.0.1", 5010)
  hs.expect("connect succeeds", conn, err)
  conn:write "is anybody there?"
  heard = conn:read()
  os.sleep "10s"
end)
hs.run "1s"
hs.expect_equal("it is established", conn:state(), "ESTABLISHED")
hs.expect_equal("local end and remote end are the same", { conn:local_addr() }, { conn:peer_addr() })
hs.expect_equal("127.0.0.1, port 5010", { conn:local_addr() }, { "127.0.0.1", 5010 })
hs.expect_equal("what it writes it reads", heard, "is anybody there?")
hs.expect_equal("a simultaneous open with itself: through SYN-RECEIVED", states, { "SYN-SENT", "SYN-RECEIVED", "ESTABLISHED" })
hs.expect_equal("one socket", #host:sockets(), 1)

hs.translate("zh", {
  ["connect succeeds"] = "connect 成功",
  ["it is established"] = "连接已建立",
  ["local end and remote end are the same"] = "本地端和远端是同一个",
  ["127.0.0.1, port 5010"] = "127.0.0.1，端口 5010",
  ["what it writes it reads"] = "它写入什么就读到什么",
  ["a simultaneous open with itself: through SYN-RECEIVED"] = "与自己同时打开：经过 SYN-RECEIVED",
  ["one socket"] = "一个套接字",
})
