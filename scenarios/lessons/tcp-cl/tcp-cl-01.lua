-- TCP-CL-01  Four-segment close.
-- Each direction of a connection is closed for itself: FIN, ACK, FIN, ACK (RFC 9293 3.6). Who closes first goes through FIN-WAIT-1, FIN-WAIT-2
-- and TIME-WAIT; the other through CLOSE-WAIT and LAST-ACK. Either end may be the first. A FIN takes one sequence number, like a byte.
local hs = require "hopscope"
hs.title { en = "TCP-CL-01 Four-segment close", zh = "TCP-CL-01 四个报文段的关闭" }

-- One connection on which `first` closes at once, the other 100 ms after it has seen the end of the stream.
local function close(port, first_name)
  local client, server = hs.host("client" .. port), hs.host("server" .. port)
  hs.link(client, server, { delay = "10ms" })
  local segments, states = {}, { client = {}, server = {} }
  hs.on("frame.tx", function(e)
    local tcp = e.packet.tcp
    if tcp and not tcp.syn then
      segments[#segments + 1] = { from = e.packet.from:gsub("%d", ""), fin = tcp.fin, ack = tcp.ack, seq = tcp.seq, ackno = tcp.ackno }
    end
  end, { node = client })
  hs.on("frame.tx", function(e)
    local tcp = e.packet.tcp
    if tcp and not tcp.syn then
      segments[#segments + 1] = { from = "server", fin = tcp.fin, ack = tcp.ack, seq = tcp.seq, ackno = tcp.ackno }
    end
  end, { node = server })
  local function watch(node, list)
    hs.on("tcp.state", function(e)
      if e.old == "ESTABLISHED" or #list > 0 and e.old ~= "LISTEN" then list[#list + 1] = e.new end
    end, { node = node })
  end
  watch(client, states.client)
  watch(server, states.server)
  local function end_of(conn, os, is_first)
    if is_first then
      os.sleep "500ms"
      conn:close()
    else
      conn:read()
      os.sleep "100ms"
      conn:close()
    end
  end
  server:spawn(function(os)
    local conn = os.tcp():bind(port):listen(8):accept()
    end_of(conn, os, first_name == "server")
  end)
  client:spawn(function(os)
    local conn = os.tcp():connect(server, port)
    end_of(conn, os, first_name == "client")
  end)
  hs.run "70s"
  table.remove(segments, 1) -- the handshake's third segment
  return segments, states
end

local function check(port, first, second)
  local s, states = close(port, first)
  hs.note({ en = "The %s closes first:", zh = "%s 先关闭：" }, first)
  for _, x in ipairs(s) do
    hs.note(string.format("  %s  %s%s seq %d ack %d", x.from, x.fin and "FIN " or "", x.ack and "ACK" or "", x.seq, x.ackno))
  end
  local u, v, w = s[1].seq, s[2].seq, s[3].seq
  hs.expect_equal(first .. " first: four segments", #s, 4)
  hs.expect_equal(first .. " first: FIN, ACK, FIN, ACK", { s[1].fin, s[2].fin, s[3].fin, s[4].fin }, { true, false, true, false })
  hs.expect_equal("from one, the other, the other, the one", { s[1].from, s[2].from, s[3].from, s[4].from }, { first, second, second, first })
  hs.expect_equal("FIN seq u is acknowledged with u + 1, FIN seq w with w + 1", { s[2].ackno, s[4].ackno }, { (u + 1) % 2 ^ 32 // 1, (w + 1) % 2 ^ 32 // 1 })
  hs.expect_equal("no data was sent between: w equals v", w, v)
  hs.expect_equal("who closes first: FIN-WAIT-1, FIN-WAIT-2, TIME-WAIT, CLOSED", states[first], { "FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT", "CLOSED" })
  hs.expect_equal("the other: CLOSE-WAIT, LAST-ACK, CLOSED", states[second], { "CLOSE-WAIT", "LAST-ACK", "CLOSED" })
end
check(5000, "client", "server")
check(5001, "server", "client")

hs.translate("zh", {
  ["client first: four segments"] = "客户端先关闭：四个报文段",
  ["client first: FIN, ACK, FIN, ACK"] = "客户端先关闭：FIN、ACK、FIN、ACK",
  ["from one, the other, the other, the one"] = "依次来自一方、另一方、另一方、这一方",
  ["FIN seq u is acknowledged with u + 1, FIN seq w with w + 1"] = "FIN seq u 由 u + 1 确认，FIN seq w 由 w + 1 确认",
  ["no data was sent between: w equals v"] = "其间没有发送数据：w 等于 v",
  ["who closes first: FIN-WAIT-1, FIN-WAIT-2, TIME-WAIT, CLOSED"] = "先关闭的一方：FIN-WAIT-1、FIN-WAIT-2、TIME-WAIT、CLOSED",
  ["the other: CLOSE-WAIT, LAST-ACK, CLOSED"] = "另一方：CLOSE-WAIT、LAST-ACK、CLOSED",
  ["server first: four segments"] = "服务器先关闭：四个报文段",
  ["server first: FIN, ACK, FIN, ACK"] = "服务器先关闭：FIN、ACK、FIN、ACK",
})
