-- TCP-CL-05  Three-segment close.
-- Linux does not hurry to acknowledge a FIN: the answer may come within the 40 ms of a delayed ACK, and if the application closes meanwhile, ACK
-- and FIN travel in one segment: FIN, FIN+ACK, ACK. If it takes longer, or if ACKs must be quick, there are four
-- (Linux tcp_fin enters "pingpong" mode; tcp_send_delayed_ack).
local hs = require "hopscope"
hs.title { en = "TCP-CL-05 Three-segment close", zh = "TCP-CL-05 三个报文段的关闭" }

local client, server = hs.host "client", hs.host "server"
hs.link(client, server, { delay = "10ms", subnet = "10.0.0.0/24" })
client:ping("server", { count = 1 })

local port = 5000
-- The segments from the first FIN on, one letter each: F, A, and B for both FIN and the acknowledgment of the other's FIN.
local function close(delay)
  port = port + 1
  local here, segments, first_fin = port, {}, nil
  local watch = hs.on("frame.tx", function(e)
    local tcp = e.packet.tcp
    if not tcp or tcp.syn or (tcp.sport ~= here and tcp.dport ~= here) or not (tcp.fin or first_fin) then return end
    segments[#segments + 1] = tcp.fin and (first_fin and tcp.ackno == first_fin + 1 and "FIN+ACK" or "FIN") or "ACK"
    if tcp.fin then first_fin = first_fin or tcp.seq end
  end)
  server:spawn(function(os)
    local conn = os.tcp():bind(here):listen(8):accept()
    conn:write(conn:read()) -- one question, one answer
    conn:read()
    if delay > 0 then os.sleep(delay) end
    conn:close()
  end)
  client:spawn(function(os)
    os.sleep "1ms"
    local conn = os.tcp():connect("server", here)
    conn:write "question"
    conn:read()
    os.sleep "100ms"
    conn:close()
  end)
  hs.run "2s"
  watch:cancel()
  return segments
end

local at_once, soon, late = close(0), close(0.039), close(0.041)
hs.note({ en = "The application closes at once: %s", zh = "应用程序立刻关闭：%s" }, table.concat(at_once, ", "))
hs.note({ en = "after 39 ms: %s", zh = "39 ms 之后：%s" }, table.concat(soon, ", "))
hs.note({ en = "after 41 ms: %s", zh = "41 ms 之后：%s" }, table.concat(late, ", "))
server:route_replace { to = "10.0.0.0/24", dev = "eth0", quickack = 1 }
local quick = close(0)
hs.note({ en = "at once, but with quickack on the route: %s", zh = "立刻关闭，但路由上设了 quickack：%s" }, table.concat(quick, ", "))
hs.expect_equal("closed at once: three segments", at_once, { "FIN", "FIN+ACK", "ACK" })
hs.expect_equal("closed within the delayed ACK's 40 ms: three", soon, { "FIN", "FIN+ACK", "ACK" })
hs.expect_equal("closed later: four; the FIN acknowledges the other's once more", late, { "FIN", "ACK", "FIN+ACK", "ACK" })
hs.expect_equal("quick ACKs: four", quick, { "FIN", "ACK", "FIN+ACK", "ACK" })

hs.translate("zh", {
  ["closed at once: three segments"] = "立刻关闭：三个报文段",
  ["closed within the delayed ACK's 40 ms: three"] = "在推迟确认的 40 ms 之内关闭：三个",
  ["closed later: four; the FIN acknowledges the other's once more"] = "稍后关闭：四个；FIN 再次确认对方的 FIN",
  ["quick ACKs: four"] = "快速 ACK：四个",
})
