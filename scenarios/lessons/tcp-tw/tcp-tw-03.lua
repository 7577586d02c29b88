-- TCP-TW-03  Reason 2: clean end for the peer.
-- The last ACK may be lost. The peer then repeats its FIN, and somebody has to be there who acknowledges it. Without TIME-WAIT the FIN
-- finds nothing and draws RST: the peer, whose data had all arrived, is told that the connection failed (RFC 9293 3.6, TIME-WAIT).
-- tshark-allow: Connection reset (RST) (that is what happens without TIME-WAIT)
local hs = require "hopscope"
hs.title { en = "TCP-TW-03 Reason 2: clean end for the peer", zh = "TCP-TW-03 理由 2：让对方干净地结束" }

local function close(name, wait)
  local client, server = hs.host("client-" .. name), hs.host("server-" .. name)
  local link = hs.link(client, server, { delay = "10ms" })
  client:sysctl("hopscope.tcp_timewait_len", wait)
  local fins, lost, r = 0, false, { rsts = 0 }
  hs.on("frame.tx", function(e)
    local tcp = e.packet.tcp
    if tcp and tcp.fin then fins = fins + 1 end
  end, { node = server })
  hs.on("frame.tx", function(e)
    local tcp = e.packet.tcp
    if tcp and tcp.rst then r.rsts = r.rsts + 1 end
  end, { node = client })
  link:dir(client):rule(function(p)
    if p.tcp and fins > 0 and not lost then
      lost = true
      return "drop"
    end
  end)
  server:spawn(function(os)
    local conn = os.tcp():bind(5000):listen(8):accept()
    conn:read()
    os.sleep "100ms"
    conn:shutdown "write"
    os.sleep "2s"
    r.state, r.err = conn:state(), conn:getopt "SO_ERROR"
  end)
  client:spawn(function(os)
    local conn = os.tcp():connect(server, 5000)
    os.sleep "100ms"
    conn:close()
  end)
  hs.run "5s"
  r.fins = fins
  hs.note({
    en = "%s: FIN sent %d times, %d RST; the server is %s with error %s.",
    zh = "%s：FIN 发送了 %d 次，RST %d 次；服务器处于 %s，错误为 %s。",
  }, name, r.fins, r.rsts, r.state, r.err)
  return r
end
local off, on = close("wait-off", 0), close("wait-on", 60)
hs.expect_equal("wait off: the resent FIN draws RST", { off.fins, off.rsts }, { 2, 1 })
hs.expect_equal("wait off: the peer reports an error", off.err, "ECONNRESET")
hs.expect_equal("wait on: the resent FIN is acknowledged", { on.fins, on.rsts }, { 2, 0 })
hs.expect_equal("wait on: the peer closes cleanly", { on.state, on.err }, { "CLOSED", 0 })

hs.translate("zh", {
  ["wait off: the resent FIN draws RST"] = "不等待：重传的 FIN 引来 RST",
  ["wait off: the peer reports an error"] = "不等待：对方报告错误",
  ["wait on: the resent FIN is acknowledged"] = "等待：重传的 FIN 得到确认",
  ["wait on: the peer closes cleanly"] = "等待：对方干净地关闭",
})
