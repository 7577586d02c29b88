-- A first network: a client and a printer on a switch, a router, and a server behind it.
--
--    client ──┐
--             ├── switch ──── router ──── server
--   printer ──┘    100 Mbit/s       10 Mbit/s, 20 ms
--
-- The client pings the server, then asks it a question over UDP. Subnets, addresses and routes are assigned by
-- themselves: 10.0.0.0/24 on the switch, 10.0.1.0/24 behind the router, which is .1 in both.
local hs = require "hopscope"

local client = hs.host "client"
local printer = hs.host "printer"
local server = hs.host "server"
local switch = hs.switch "switch"
local router = hs.router "router"

hs.link(client, switch, { rate = "100Mbps", delay = "1us" })
hs.link(printer, switch, { rate = "100Mbps", delay = "1us" })
hs.link(switch, router, { rate = "100Mbps", delay = "1us" })
hs.link(router, server, { rate = "10Mbps", delay = "20ms" })

hs.title { en = "A first network", zh = "第一个网络" }

-- A process on the server: its calls block in simulated time.
server:spawn(function(os)
  local socket = os.udp():bind(4242)
  while true do
    local question, from, port = socket:recvfrom()
    hs.log({ en = "server was asked %s by %s", zh = "服务器收到询问 %s，来自 %s" }, question, from)
    socket:sendto("42", from, port)
  end
end)

local pings, answer

client:spawn(function(os)
  hs.note {
    en = "Nobody knows anybody yet: each first packet has to ask for a MAC address (ARP) before it can leave.",
    zh = "谁也不认识谁：每个最先发出的分组都要先询问 MAC 地址（ARP），然后才能离开。",
  }
  pings = os.ping("server", { count = 3 })
  for _, line in ipairs(pings.lines) do hs.log(line) end

  hs.note {
    en = "Now a datagram there and back: no connection, no handshake, one round trip.",
    zh = "现在是一个数据报的往返：没有连接，没有握手，一个往返时间。",
  }
  local socket = os.udp():connect("server", 4242)
  socket:send "What do you get if you multiply six by nine?"
  answer = socket:recv("1s")
  hs.log({ en = "client was answered %s", zh = "客户端得到回答 %s" }, answer)
end)

hs.run "10s"

hs.expect("three pings, three answers", function() return pings.received == 3 end)
hs.expect("the first round trip is longer: it includes ARP", function() return pings.replies[1].rtt > pings.replies[2].rtt end)
hs.expect("the question was answered", function() return answer == "42" end)
hs.expect("the printer's card saw no packet of the conversation, only the switch's broadcasts", function()
  return printer:counter "IpInReceives" == 0
end)

hs.translate("zh", {
  ["three pings, three answers"] = "三次 ping，三次应答",
  ["the first round trip is longer: it includes ARP"] = "第一个往返时间较长：它包含 ARP",
  ["the question was answered"] = "询问得到了回答",
  ["the printer's card saw no packet of the conversation, only the switch's broadcasts"] = "打印机的网卡没有看到会话的任何分组，只看到交换机转发的广播",
})
