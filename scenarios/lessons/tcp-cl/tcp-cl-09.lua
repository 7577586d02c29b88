-- TCP-CL-09  Third segment (peer's FIN) lost.
-- The peer repeats its FIN from LAST-ACK until it is acknowledged, so a single loss only costs time. If the FIN never comes, the closer, which
-- has no process any more, waits in FIN-WAIT-2 for tcp_fin_timeout (60 s) and forgets the connection; a FIN that comes later finds
-- nothing, and is answered with RST (Linux tcp_rcv_state_process, tcp_fin_time).
-- tshark-allow: Connection reset (RST) (the late FIN finds no connection)
local hs = require "hopscope"
hs.title { en = "TCP-CL-09 Third segment (peer's FIN) lost", zh = "TCP-CL-09 第三个报文段（对方的 FIN）丢失" }

local client, server = hs.host "client", hs.host "server"
local link = hs.link(client, server, { delay = "10ms" })

-- The server's application closes `delay` after it has read the end; `drop` FINs of the server are lost.
local function close(port, delay, drop)
  local r = { fins = {}, states = {}, resets = 0, times = {} }
  local watch = hs.on("frame.tx", function(e)
    local tcp = e.packet.tcp
    if not tcp or (tcp.sport ~= port and tcp.dport ~= port) then return end
    if tcp.fin and e.node == "server" then r.fins[#r.fins + 1] = e.time end
    if tcp.rst then r.resets = r.resets + 1 end
  end)
  local states = hs.on("tcp.state", function(e)
    if e.remote_port == port or e.local_port == port then
      r.states[#r.states + 1] = e.node .. " " .. e.new
      r.times[e.node .. " " .. e.new] = e.time
    end
  end)
  local lost = 0
  link:dir(server):rule(function(p)
    if p.tcp and p.tcp.fin and lost < drop then
      lost = lost + 1
      return "drop"
    end
  end)
  local err
  server:spawn(function(os)
    local conn = os.tcp():bind(port):listen(8):accept()
    conn:read()
    os.sleep(delay)
    conn:shutdown "write"
    os.sleep "5s"
    err = conn:getopt "SO_ERROR"
    os.sleep "1h"
  end)
  client:spawn(function(os)
    os.sleep "1ms"
    local conn = os.tcp():connect("server", port)
    os.sleep "100ms"
    conn:close()
  end)
  hs.run "100s"
  watch:cancel()
  states:cancel()
  link:rule(nil)
  r.err = err
  return r
end

hs.note { en = "The server's first FIN is lost.", zh = "服务器的第一个 FIN 丢失。" }
local once = close(5000, "100ms", 1)
hs.note({ en = "It is repeated %.0f ms later, and acknowledged.", zh = "它在 %.0f ms 之后重传，并得到确认。" }, (once.fins[2] - once.fins[1]) * 1000)
hs.expect_equal("single loss: a second FIN", #once.fins, 2)
hs.expect_near("the server is CLOSED one round trip after it", once.times["server CLOSED"] - once.fins[2], "20ms", "1us")
hs.expect("the closer has gone from FIN-WAIT-2 to TIME-WAIT", once.times["client TIME-WAIT"], once.states)
hs.expect_equal("no RST", once.resets, 0)

hs.note { en = "Now the server's application closes only after 70 s.", zh = "现在服务器的应用程序过了 70 s 才关闭。" }
local late = close(5001, "70s", 0)
hs.note({
  en = "The client was CLOSED %.2f s after it reached FIN-WAIT-2.",
  zh = "客户端到达 FIN-WAIT-2 之后 %.2f s 进入 CLOSED。",
}, late.times["client CLOSED"] - late.times["client FIN-WAIT-2"])
hs.expect_near("FIN withheld: the closer is CLOSED at 60 s", late.times["client CLOSED"] - late.times["client FIN-WAIT-2"], "60s", "1us")
hs.expect_equal("it was never in TIME-WAIT", late.times["client TIME-WAIT"], nil)
hs.expect_equal("the later FIN draws RST", { #late.fins, late.resets }, { 1, 1 })

hs.translate("zh", {
  ["single loss: a second FIN"] = "丢失一次：第二个 FIN",
  ["the server is CLOSED one round trip after it"] = "服务器在它之后一个往返进入 CLOSED",
  ["the closer has gone from FIN-WAIT-2 to TIME-WAIT"] = "关闭的一方从 FIN-WAIT-2 到了 TIME-WAIT",
  ["no RST"] = "没有 RST",
  ["FIN withheld: the closer is CLOSED at 60 s"] = "FIN 被扣住：关闭的一方在 60 s 进入 CLOSED",
  ["it was never in TIME-WAIT"] = "它从未处于 TIME-WAIT",
  ["the later FIN draws RST"] = "迟来的 FIN 引来 RST",
})
