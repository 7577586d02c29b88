-- TCP-KA-03  Peer dead.
-- A probe that stays unanswered is repeated every net.ipv4.tcp_keepalive_intvl (75 s). After tcp_keepalive_probes (9) of them one more
-- interval passes, and the connection is dead: ETIMEDOUT to the application, and a RST in case somebody is there after all (Linux
-- tcp_keepalive_timer). Each socket may have its own numbers: TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT.
-- tshark-allow: Connection reset (RST) (the end of the dead connection)
local hs = require "hopscope"
hs.title { en = "TCP-KA-03 Peer dead", zh = "TCP-KA-03 对方已死" }

local client, server, sw = hs.host "client", hs.host "server", hs.switch "sw" -- whose light is on at the server's port, whatever the client does
hs.link(client, sw, { delay = "5ms" })
hs.link(server, sw, { delay = "5ms" })
server:arp_set(client, client:dev().mac) -- else ARP would find out that nobody is there: EHOSTUNREACH

local function die(port, idle, interval, count)
  local result, heard, frames
  server:spawn(function(os)
    local conn = os.tcp({ keepalive = true }):bind(port):listen(8):accept()
    if idle then
      conn:setopt("TCP_KEEPIDLE", idle)
      conn:setopt("TCP_KEEPINTVL", interval)
      conn:setopt("TCP_KEEPCNT", count)
    end
    conn:read()
    heard = hs.now()
    local data, err = conn:read()
    result = { data, err, hs.now() }
  end)
  client:spawn(function(os)
    os.sleep "1ms"
    os.tcp():connect("server", port):write "hello"
    os.sleep "1h"
  end)
  hs.run "1s"
  frames = hs.frames { node = server, filter = function(p) return p.tcp and p.tcp.sport == port end }
  client:power(false)
  hs.run "3h"
  idle, interval, count = idle or 7200, interval or 75, count or 9
  hs.note({ en = "keepalive %d s, every %d s, %d times:", zh = "保活 %d s，每 %d s 一次，共 %d 次：" }, idle, interval, count)
  for _, f in ipairs(frames) do hs.note({ en = "  %.3f s  %s", zh = "  %.3f s  %s" }, f.time - heard, f.packet.tcp.rst and "RST" or { en = "probe", zh = "探测" }) end
  hs.expect_equal("so many probes, and a RST", { #frames, frames[count].packet.tcp.rst, frames[count + 1].packet.tcp.rst }, { count + 1, false, true })
  for i = 1, count do hs.expect_near("probe " .. i, frames[i].time - heard, idle + (i - 1) * interval, 0.005 * i) end
  hs.expect_equal("read says", { result[1], result[2] }, { nil, "ETIMEDOUT" })
  -- timers have whole milliseconds, and each begins a little after the last
  hs.expect_near("after " .. idle .. " + " .. count .. " x " .. interval .. " = " .. idle + count * interval .. " s", result[3] - heard, idle + count * interval, 0.05)
  client:power(true)
  hs.run "1s"
end
die(5000)
hs.expect_equal("counted", server:counter "TcpExtTCPAbortOnTimeout", 1)
die(5001, 60, 10, 3)

hs.translate("zh", {
  ["so many probes, and a RST"] = "这么多个探测，以及一个 RST",
  ["probe {}"] = "探测 {}",
  ["read says"] = "read 返回",
  ["after {} + {} x {} = {} s"] = "在 {} + {} x {} = {} s 之后",
  ["counted"] = "已被计数",
})
