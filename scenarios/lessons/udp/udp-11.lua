-- UDP-11  Well-known and ephemeral ports.
-- A server sits on a port that everybody knows (TFTP 69/UDP; HTTP 80, FTP 21 and HTTPS 443 of TCP; registered by IANA, RFC 6335).
-- A client needs none that is known: the system gives it a free one for as long as its socket lives, in Linux from 32768 to
-- 60999. The port is what tells two clients on one host apart; when the socket is closed, it is free again.
-- tshark-allow: TFTP ERROR packet ("hello" is no request)
local hs = require "hopscope"
hs.title { en = "UDP-11 Well-known and ephemeral ports", zh = "UDP-11 熟知端口与临时端口" }

local client, server = hs.host "client", hs.host "server"
hs.link(client, server, { delay = "5ms" })
server:tftp_server { files = { ["one.txt"] = "I am file one.", ["two.txt"] = "And I am file two." } }

hs.note {
  en = "Two clients on one host ask the same server, at port 69, at the same time.",
  zh = "一台主机上的两个客户端同时向同一台服务器的端口 69 提出请求。",
}
local requests = hs.frames { filter = function(p) return p.udp and p.udp.dport == 69 end }
local files = {}
for i, name in ipairs { "one.txt", "two.txt" } do
  client:spawn(function(os) files[i] = os.tftp_get("server", name).data end)
end
hs.run "1s"
requests:print()
local one, two = requests[1].packet.udp.sport, requests[2].packet.udp.sport
hs.expect_equal("both go to the well-known port 69", { requests[1].packet.udp.dport, requests[2].packet.udp.dport }, { 69, 69 })
hs.expect("the two clients got different ports", one ~= two, { one, two })
hs.expect_between("the first from the range 32768 to 60999", one, 32768, 60999)
hs.expect_between("the second too", two, 32768, 60999)
hs.expect_equal("each gets its own file", files, { "I am file one.", "And I am file two." })

hs.note {
  en = "A port below 1024 or a registered one is asked for by its number. It can be taken only once.",
  zh = "1024 以下的端口或登记的端口要用号码来申请。它只能被占用一次。",
}
local taken, why = server:udp { port = 69 }
hs.expect_equal("port 69 is taken by the TFTP server", { taken, why }, { nil, "EADDRINUSE" })

hs.note { en = "Now a host with only two ports to give away: 40000 and 40001.", zh = "现在有一台主机，只有两个端口可给：40000 和 40001。" }
client:sysctl("net.ipv4.ip_local_port_range", "40000 40001")
local function new_client()
  local sock = client:udp()
  local sent, error = sock:sendto("hello", "server", 69)
  return sent and select(2, sock:local_addr()), sent and sock or error
end
local first, first_sock = new_client()
local second = new_client()
local third, error = new_client()
hs.expect_equal("two sockets get the two ports", { math.min(first, second), math.max(first, second) }, { 40000, 40001 })
hs.expect_equal("for a third none is left", { third, error }, { nil, "EAGAIN" })

first_sock:close()
hs.note({
  en = "The first socket is closed: %s returns to the pool, and the next client gets it.",
  zh = "第一个套接字关闭：%s 回到池中，下一个客户端得到它。",
}, first)
hs.expect_equal("the released port is given out again", (new_client()), first)

hs.note {
  en = "The well-known ports of TCP: 80, 21 and 443. Two clients on one host call each, and get ports of their own.",
  zh = "TCP 的熟知端口：80、21 和 443。一台主机上的两个客户端各连接每一个，并得到自己的端口。",
}
client:sysctl("net.ipv4.ip_local_port_range", "32768 60999")
local callers = {}
for _, port in ipairs { 80, 21, 443 } do
  server:tcp():bind(port):listen(8):on_accept(function(_, conn, _, sport)
    callers[#callers + 1] = { port = port, sport = sport }
    conn:close()
  end)
end
client:spawn(function(os)
  for _, port in ipairs { 80, 21, 443 } do
    for _ = 1, 2 do os.tcp():connect("server", port) end
  end
end)
hs.run "1s"
local in_range, different = 0, true
for i, c in ipairs(callers) do
  if c.sport >= 32768 and c.sport <= 60999 then in_range = in_range + 1 end
  if i % 2 == 0 then different = different and c.sport ~= callers[i - 1].sport end
end
hs.expect_equal("six calls reached their servers", { #callers, callers[1].port, callers[3].port, callers[5].port }, { 6, 80, 21, 443 })
hs.expect_equal("each from an ephemeral port, the two clients of a server from different ones", { in_range, different }, { 6, true })

hs.translate("zh", {
  ["both go to the well-known port 69"] = "两者都去往熟知端口 69",
  ["the two clients got different ports"] = "两个客户端得到不同的端口",
  ["the first from the range 32768 to 60999"] = "第一个在 32768 到 60999 的范围内",
  ["the second too"] = "第二个也是",
  ["each gets its own file"] = "各自得到自己的文件",
  ["port 69 is taken by the TFTP server"] = "端口 69 被 TFTP 服务器占用",
  ["two sockets get the two ports"] = "两个套接字得到两个端口",
  ["for a third none is left"] = "第三个没有剩下的可用",
  ["the released port is given out again"] = "释放的端口再次给出",
  ["six calls reached their servers"] = "六次连接到达各自的服务器",
  ["each from an ephemeral port, the two clients of a server from different ones"] = "都来自临时端口，同一服务器的两个客户端端口不同",
})
