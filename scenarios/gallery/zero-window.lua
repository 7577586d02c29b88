-- A receiver that does not read: its window closes, the sender probes it, each time twice as long after the
-- last time, until the program reads again.
--
--   client ───── server     10 Mbit/s, 10 ms one way
-- tshark-allow: TCP window specified by the receiver is now completely full (a full window is what is shown)
-- tshark-allow: TCP Zero Window segment (a closed window is what is shown)
local hs = require "hopscope"

local client, server = hs.host "client", hs.host "server"
hs.link(client, server, { rate = "10Mbps", delay = "10ms" })
local bytes, got = 120000, 0

server:spawn(function(os)
  local peer = os.tcp({ rcvbuf = 32768 }):bind(5001):listen(1):accept()
  os.sleep "4s"
  hs.plot.note(hs.now(), "the program reads")
  for data in function() return peer:read() end do got = got + #data end
end)
client:spawn(function(os)
  local conn = os.tcp():connect(server, 5001)
  conn:write(hs.payload(bytes))
  conn:close()
end)

hs.plot.figure { "sequence", "rwnd", file = "zero-window.svg", title = "A closed window is probed" }
hs.on("tcp.window", function(e)
  if e.snd_wnd == 0 then hs.plot.note(hs.now(), "the window is closed") end
end, { node = client })
hs.run "10s"

hs.expect_equal("everything arrives", got, bytes)
hs.expect("the closed window was probed", client:counter "TcpExtTCPWinProbe" >= 4, client:counter "TcpExtTCPWinProbe")

hs.translate("zh", {
  ["everything arrives"] = "全部到达",
  ["the closed window was probed"] = "对关闭的窗口进行了探测",
})
