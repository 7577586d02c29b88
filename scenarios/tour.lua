-- The scenario of the README's tour: twenty pings over a link that loses frames.
--
--   client ───── router ───── server
--      100 Mbit/s    10 Mbit/s, 20 ms, loses frames both ways
--
-- Try --set loss=0, --set loss=60%, --set count=100, --seed 2.
local hs = require "hopscope"

local loss = hs.param("loss", "10%", "frames lost on the long link, each way")
local count = hs.param("count", 20, "pings")

local client, router, server = hs.host "client", hs.router "router", hs.host "server"
hs.link(client, router, { rate = "100Mbps", delay = "1us" })
hs.link(router, server, { rate = "10Mbps", delay = "20ms", loss = loss })

local ping = client:ping("server", { count = count })

hs.log(ping.sent, "pings,", ping.received, "answers")
hs.expect("at least half of the pings are answered", function()
  return ping.received >= count / 2, ping.received .. " of " .. ping.sent
end)

hs.translate("zh", {
  ["at least half of the pings are answered"] = "至少一半的 ping 得到应答",
  ["{} pings, {} answers"] = "{} 次 ping，{} 次应答",
})
