-- TCP-CL-11  FIN_WAIT_2 after close.
-- After close no process has the socket: it is an orphan, and Linux lets it wait for the peer's FIN no longer than tcp_fin_timeout (60 s by
-- default), then forgets it. TIME-WAIT itself does not obey this setting: it lasts 60 s (Linux tcp_close, tcp_time_wait).
local hs = require "hopscope"
hs.title { en = "TCP-CL-11 FIN_WAIT_2 after close", zh = "TCP-CL-11 close 之后的 FIN_WAIT_2" }

local client, server = hs.host "client", hs.host "server"
hs.link(client, server, { delay = "10ms" })
client:ping("server", { count = 1 })
local port = 5000

-- The server's application reads the end, and closes after `delay` (nil: never).
local function close(timeout, delay)
  port = port + 1
  local here, times, listed = port, {}, nil
  client:sysctl("net.ipv4.tcp_fin_timeout", timeout)
  local states = hs.on("tcp.state", function(e) if e.remote_port == here then times[e.new] = e.time end end, { node = client })
  server:spawn(function(os)
    local conn = os.tcp():bind(here):listen(8):accept()
    conn:read()
    os.sleep(delay or "1h")
    conn:close()
  end)
  client:spawn(function(os)
    os.sleep "1ms"
    local conn = os.tcp():connect("server", here)
    os.sleep "100ms"
    conn:close()
  end)
  hs.run "2s"
  listed = client:sockets()[1]
  hs.run "400s"
  states:cancel()
  return times, listed
end

for _, timeout in ipairs { 60, 20, 120 } do
  local times, listed = close(timeout)
  local waited = times["CLOSED"] - times["FIN-WAIT-2"]
  hs.note({
    en = "tcp_fin_timeout %d: CLOSED after %.1f s in FIN-WAIT-2.",
    zh = "tcp_fin_timeout 为 %d：在 FIN-WAIT-2 停留 %.1f s 之后进入 CLOSED。",
  }, timeout, waited)
  hs.expect_equal("listed in FIN-WAIT-2, without a process", { listed.state, listed.orphan }, { "FIN-WAIT-2", true })
  hs.expect_near("without a FIN it is CLOSED after " .. timeout .. " s", waited, timeout, 1e-9)
  hs.expect_equal("TIME-WAIT was not visited", times["TIME-WAIT"], nil)
end

hs.note { en = "Now the FIN does come, after a second; tcp_fin_timeout is 20.", zh = "这一次 FIN 在一秒之后确实到来；tcp_fin_timeout 为 20。" }
local times = close(20, "1s")
hs.expect_near("TIME-WAIT lasts 60 s and ignores the setting", times["CLOSED"] - times["TIME-WAIT"], "60s", 1e-9)

hs.translate("zh", {
  ["listed in FIN-WAIT-2, without a process"] = "列在 FIN-WAIT-2 中，没有进程",
  ["without a FIN it is CLOSED after {} s"] = "没有 FIN，它在 {} s 之后进入 CLOSED",
  ["TIME-WAIT was not visited"] = "没有经过 TIME-WAIT",
  ["TIME-WAIT lasts 60 s and ignores the setting"] = "TIME-WAIT 持续 60 s，不理会这项设置",
})
