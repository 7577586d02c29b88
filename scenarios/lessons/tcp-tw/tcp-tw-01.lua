-- TCP-TW-01  Who waits and how long.
-- Only the end that closes first waits in TIME-WAIT, for twice the maximum segment lifetime (RFC 9293 3.4.1, 3.6.1). RFC 793 took an MSL of
-- 2 minutes, many systems 1 minute or 30 s; Linux has 30 s fixed, so 60 s. Here the time can be set per host, which Linux cannot do.
local hs = require "hopscope"
hs.title { en = "TCP-TW-01 Who waits and how long", zh = "TCP-TW-01 谁等待，等多久" }

local function close(name, msl)
  local client, server = hs.host("client-" .. name), hs.host("server-" .. name)
  hs.link(client, server, { delay = "10ms" })
  if msl then client:sysctl("hopscope.tcp_timewait_len", 2 * msl) end
  local times, passive = {}, {}
  hs.on("tcp.state", function(e) times[e.new] = e.time end, { node = client })
  hs.on("tcp.state", function(e) passive[e.new] = e.time end, { node = server })
  server:spawn(function(os)
    local conn = os.tcp():bind(5000):listen(8):accept()
    conn:read()
    os.sleep "100ms"
    conn:close()
  end)
  client:spawn(function(os)
    local conn = os.tcp():connect(server, 5000)
    os.sleep "100ms"
    conn:close()
  end)
  hs.run "300s"
  local waited = times["CLOSED"] - times["TIME-WAIT"]
  hs.note({ en = "%s: the closer is in TIME-WAIT for %g s.", zh = "%s：关闭的一方在 TIME-WAIT 中停留 %g s。" }, name, waited)
  hs.expect_equal(name .. ": the passive side is never in TIME-WAIT", passive["TIME-WAIT"], nil)
  hs.expect("it has closed all the same", passive["CLOSED"], passive)
  return waited
end
hs.expect_near("Linux: MSL 30 s, TIME-WAIT 60 s", close("linux"), 60, 1e-9)
hs.expect_near("RFC 793: MSL 2 min, TIME-WAIT 4 min", close("rfc793", 120), 240, 1e-9)
hs.expect_near("MSL 1 min: 2 min", close("minute", 60), 120, 1e-9)
hs.expect_near("MSL 30 s: 1 min", close("half", 30), 60, 1e-9)

hs.translate("zh", {
  ["linux: the passive side is never in TIME-WAIT"] = "linux：被动方从不处于 TIME-WAIT",
  ["it has closed all the same"] = "它照样关闭了",
  ["Linux: MSL 30 s, TIME-WAIT 60 s"] = "Linux：MSL 30 s，TIME-WAIT 60 s",
  ["rfc793: the passive side is never in TIME-WAIT"] = "rfc793：被动方从不处于 TIME-WAIT",
  ["RFC 793: MSL 2 min, TIME-WAIT 4 min"] = "RFC 793：MSL 2 分钟，TIME-WAIT 4 分钟",
  ["minute: the passive side is never in TIME-WAIT"] = "minute：被动方从不处于 TIME-WAIT",
  ["MSL 1 min: 2 min"] = "MSL 1 分钟：2 分钟",
  ["half: the passive side is never in TIME-WAIT"] = "half：被动方从不处于 TIME-WAIT",
  ["MSL 30 s: 1 min"] = "MSL 30 s：1 分钟",
})
