-- TCP over a link that loses and reorders, a second connection the other way, ARP, and a queue that overflows.
local hs = require "hopscope"

local client, server, r = hs.host "client", hs.host "server", hs.router "r"
local seconds = hs.param("seconds", 4, "how long data flows")
hs.link(client, r, { rate = "100Mbps", delay = "1ms" })
hs.link(r, server, {
  rate = "5Mbps", delay = "8ms", queue = { "droptail", packets = 20 }, loss = 0.01, jitter = "200us",
})

server:spawn(function(os)
  local listener = os.tcp():bind(80):listen(8)
  local conn = listener:accept()
  hs.log("accepted")
  while conn:read() do end
  conn:close()
end)
client:spawn(function(os)
  local conn = os.tcp { congestion = "cubic" }:connect("server", 80)
  local stop = hs.now() + seconds
  while hs.now() < stop do conn:write(hs.payload(20000)) end
  conn:close()
end)
client:spawn(function(os)
  local listener = os.tcp():bind(81):listen(8)
  local conn = listener:accept()
  while conn:read() do end
  conn:close()
end)
server:spawn(function(os)
  os.sleep("300ms")
  local conn = os.tcp { congestion = "reno" }:connect("client", 81)
  conn:write(hs.payload(50000))
  conn:close()
end)
hs.expect("data arrives", function() return server:counter "TcpInSegs" > 50 end)
hs.run(seconds + 2)
