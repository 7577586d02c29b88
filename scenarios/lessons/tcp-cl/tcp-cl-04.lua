-- TCP-CL-04  Why two steps on the passive side.
-- The kernel acknowledges a FIN by itself; its own FIN has to wait until the application calls close, and only the application knows
-- when. So the time between the two segments is the application's (RFC 9293 3.6, case 2). The route has "quickack 1" here, so that
-- the ACK comes at once; without it Linux may keep it back for 40 ms, see TCP-CL-05.
local hs = require "hopscope"
hs.title { en = "TCP-CL-04 Why two steps on the passive side", zh = "TCP-CL-04 被动方为什么要分两步" }

local client, server = hs.host "client", hs.host "server"
hs.link(client, server, { delay = "10ms", subnet = "10.0.0.0/24" })
client:ping("server", { count = 1 })
server:route_replace { to = "10.0.0.0/24", dev = "eth0", quickack = 1 }

local port = 5000
for _, delay in ipairs { 0, 0.1, 10 } do
  port = port + 1
  local here, fin_came, ack_sent, fin_sent = port, nil, nil, nil
  hs.on("frame.rx", function(e)
    local tcp = e.packet.tcp
    if tcp and tcp.dport == here and tcp.fin then fin_came = e.time end
  end, { node = server })
  hs.on("frame.tx", function(e)
    local tcp = e.packet.tcp
    if not tcp or tcp.sport ~= here then return end
    if tcp.fin then fin_sent = fin_sent or e.time elseif fin_came then ack_sent = ack_sent or e.time end
  end, { node = server })
  server:spawn(function(os)
    local conn = os.tcp():bind(here):listen(8):accept()
    conn:read()
    if delay > 0 then os.sleep(delay) end
    conn:close()
  end)
  client:spawn(function(os)
    os.sleep "1ms"
    local conn = os.tcp():connect("server", here)
    os.sleep "100ms"
    conn:close()
  end)
  hs.run "12s"
  hs.note({
    en = "The application takes %g s: ACK %g s after the FIN came, own FIN %g s later.",
    zh = "应用程序花了 %g s：FIN 到达 %g s 后发出 ACK，再过 %g s 才发出自己的 FIN。",
  }, delay, ack_sent - fin_came, fin_sent - ack_sent)
  hs.expect_near("the kernel acknowledges at once", ack_sent - fin_came, 0, 1e-9)
  hs.expect_near("the gap between ACK and FIN is the application's delay, " .. delay .. " s", fin_sent - ack_sent, delay, 1e-9)
end

hs.translate("zh", {
  ["the kernel acknowledges at once"] = "内核立刻确认",
  ["the gap between ACK and FIN is the application's delay, {} s"] = "ACK 与 FIN 之间的间隔就是应用程序的延迟，{} s",
})
