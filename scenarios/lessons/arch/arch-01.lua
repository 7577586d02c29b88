-- ARCH-01  Layer stack.
-- A request goes down through four layers on one host and up through the same four on the other: application, transport, network,
-- link (RFC 1122 1.1.3). Each layer talks to its own kind on the other side by a header of its own. The seven layers of OSI fold
-- into these four: presentation and session belong to the application here, the physical layer to the link.
-- Ports belong to the transport layer; HTTP and TFTP are applications, not transports.
local hs = require "hopscope"
hs.title { en = "ARCH-01 Layer stack", zh = "ARCH-01 分层的协议栈" }

local client, router, server = hs.host "client", hs.router "router", hs.host "server"
local near = hs.link(client, router, { rate = "100Mbps", delay = "1ms" })
local far = hs.link(router, server, { rate = "100Mbps", delay = "1ms" })

local request = "What do you get if you multiply six by nine?"
local asked, answer
server:udp { port = 4000, on_datagram = function(data, address, port, _, sock)
  asked = data
  sock:sendto("42", address, port)
end }

local seen = hs.frames { filter = function(p) return p.udp end }
hs.note {
  en = "A client asks a server beyond a router. Look at the question on each of the two wires: the layers are the headers.",
  zh = "客户端向路由器另一边的服务器提问。请看两条线路上的这个询问：层就是首部。",
}
client:spawn(function(os)
  local sock = os.udp():connect("server", 4000)
  sock:send(request)
  answer = sock:recv "1s"
end)
hs.run "2s"

-- Which of the four layers a header belongs to, and which of OSI's seven those are.
local four = { eth = "link", ip = "network", udp = "transport", data = "application" }
local seven = { application = "7 application, 6 presentation, 5 session", transport = "4 transport", network = "3 network",
                link = "2 data link, 1 physical" }
local order = {}
for i, name in ipairs(seen[1].packet:layers()) do
  order[i] = four[name]
  print(string.format("    %-5s %-12s OSI: %s", name, four[name], seven[four[name]]))
end

hs.expect_equal("two frames for the question, two for the answer", #seen, 4)
for i = 1, 4 do
  hs.expect_equal("exactly one header per layer, outermost first (frame " .. i .. ")",
    table.concat(seen[i].packet:layers(), " ", 1, 4), "eth ip udp data")
end
hs.expect_equal("four layers, from the wire up", order, { "link", "network", "transport", "application" })

hs.note {
  en = "The router works on the two lower layers only: it replaces the link header and counts down the TTL of the network layer.",
  zh = "路由器只在下面两层工作：它换掉链路首部，并把网络层的 TTL 减一。",
}
local before, after = seen[1].packet, seen[2].packet
hs.expect_equal("on the first wire: from the client's card to the router's", { before.eth.src, before.eth.dst },
  { near:dev(client).mac, near:dev(router).mac })
hs.expect_equal("on the second: from the router's other card to the server's", { after.eth.src, after.eth.dst },
  { far:dev(router).mac, far:dev(server).mac })
hs.expect_equal("the IP addresses are the same on both", { before.ip.src, before.ip.dst }, { after.ip.src, after.ip.dst })
hs.expect_equal("the TTL is one less", after.ip.ttl, before.ip.ttl - 1)
-- Ethernet 14 and IP 20 bytes are the router's business; from byte 35 on nothing may change.
hs.expect_equal("transport header and data are untouched", after:bytes():sub(35), before:bytes():sub(35))

hs.note {
  en = "On the server the headers came off in reverse order, and the program got what the other program had said: nothing else.",
  zh = "在服务器上，首部按相反的顺序一个个去掉，程序得到的正是另一个程序所说的话：别无其他。",
}
hs.expect_equal("the server's program read the question", asked, request)
hs.expect_equal("the client's program read the answer", answer, "42")
hs.expect_equal("the port, the transport's address, led to the program", before.udp.dport, 4000)

hs.note {
  en = "The same over TCP: another transport header in the same place, and nothing else is different for the layers below.",
  zh = "同样的事换成 TCP：在同一个位置换了一个运输层首部，对下面各层来说没有任何不同。",
}
local tcp_seen = hs.frames { filter = function(p) return p.tcp and p.tcp.len > 0 end }
local tcp_answer
server:spawn(function(os)
  local conn = os.tcp():bind(5678):listen(1):accept()
  if conn:read() == request then conn:write "42" end
  conn:close()
end)
client:spawn(function(os)
  local sock = os.tcp():connect("server", 5678)
  sock:write(request)
  tcp_answer = sock:read()
  sock:close()
end)
hs.run "2s"
hs.expect_equal("two frames for the question, two for the answer", #tcp_seen, 4)
for i = 1, 4 do
  hs.expect_equal("exactly one header per layer: Ethernet, IP, TCP, data (frame " .. i .. ")", table.concat(tcp_seen[i].packet:layers(), " ", 1, 4),
    "eth ip tcp data")
end
hs.expect_equal("the program got its answer", tcp_answer, "42")

hs.translate("zh", {
  ["two frames for the question, two for the answer"] = "询问两个帧，应答两个帧",
  ["exactly one header per layer, outermost first (frame {})"] = "每层正好一个首部，最外层在先（帧 {}）",
  ["four layers, from the wire up"] = "从线路往上，四层",
  ["on the first wire: from the client's card to the router's"] = "在第一条线路上：从客户端的网卡到路由器的网卡",
  ["on the second: from the router's other card to the server's"] = "在第二条上：从路由器的另一块网卡到服务器的网卡",
  ["the IP addresses are the same on both"] = "两条上的 IP 地址相同",
  ["the TTL is one less"] = "TTL 少了一",
  ["transport header and data are untouched"] = "运输层首部和数据没有变动",
  ["the server's program read the question"] = "服务器的程序读到了询问",
  ["the client's program read the answer"] = "客户端的程序读到了应答",
  ["the port, the transport's address, led to the program"] = "端口，即运输层的地址，通向了程序",
  ["exactly one header per layer: Ethernet, IP, TCP, data (frame {})"] = "每层正好一个首部：以太网、IP、TCP、数据（帧 {}）",
  ["the program got its answer"] = "程序得到了它的应答",
})
