-- TCP-LIM-02  Address change kills the connection.
-- A TCP connection is its four-tuple (RFC 9293 3.4). A telephone that goes from 4G to Wi-Fi gets another address: the server goes on sending
-- to the old one, which nobody has any more. The connection cannot move; a new one costs a handshake, the TLS handshake on top, and slow
-- start from the beginning. QUIC names connections by an ID instead (RFC 9000 9).
-- without: TLS (its handshake; two more round trips are written as application messages)
local hs = require "hopscope"
hs.title { en = "TCP-LIM-02 Address change kills the connection", zh = "TCP-LIM-02 地址改变使连接断送" }

local phone, server = hs.host "phone", hs.host "server"
local cell, wifi, core = hs.router "cell", hs.router "wifi", hs.router "core"
hs.link(phone, cell, { rate = "20Mbps", delay = "10ms", subnet = "10.1.0.0/24" })
hs.link(cell, core, { rate = "1Gbps", delay = "5ms" })
hs.link(wifi, core, { rate = "1Gbps", delay = "5ms" })
hs.link(core, server, { rate = "1Gbps", delay = "5ms" })

-- The server sends without end; before that, two questions and answers stand for the TLS handshake.
server:spawn(function(os)
  local listener = os.tcp():bind(5678):listen(8)
  while true do
    local conn = listener:accept()
    os.spawn(function()
      for _ = 1, 2 do
        conn:read()
        conn:write "hello back"
      end
      local at = 0
      while conn:write(hs.payload(10000, at)) do at = at + 10000 end
    end)
  end
end)

local got, sock, opened = {}, nil, {}
local function open(os, n)
  local begin = hs.now()
  sock = os.tcp():connect("server", 5678)
  opened[n] = { tcp = hs.now() - begin }
  for _ = 1, 2 do
    sock:write "hello"
    sock:read(10)
  end
  opened[n].ready = hs.now() - begin
  got[n] = 0
  while true do
    local data = sock:read(65536, "1s")
    if not data then break end
    got[n] = got[n] + #data
    opened[n].first = opened[n].first or hs.now()
    -- 25 ms: the first flight comes within 10 ms at 20 Mbit/s, the next one a round trip of 40 ms later
    if hs.now() < opened[n].first + 0.025 then opened[n].flight = (opened[n].flight or 0) + #data end
  end
end
local first, old_addr
phone:spawn(function(os)
  hs.note { en = "The phone is in the cellular network and downloads.", zh = "手机在蜂窝网络中下载。" }
  old_addr = phone:addr()
  open(os, 1)
  os.sleep "1h" -- the application hears nothing any more, and waits
end)
hs.run "2s"
first = got[1]
hs.expect("the download runs", first > 1000000, first)

hs.note {
  en = "Now the phone leaves for Wi-Fi: the cellular link is gone, a new interface has a new address.",
  zh = "现在手机转到 Wi-Fi：蜂窝链路没有了，新的接口有新的地址。",
}
local before = first
local air = hs.links()[1]
air:down()
phone:remove_address("eth0", old_addr .. "/24")
phone:dev("eth0"):down()
hs.link(phone, wifi, { rate = "20Mbps", delay = "10ms", subnet = "10.2.0.0/24" })
hs.prepare()
phone:route_replace { to = "default", via = wifi:addr "eth1" }
phone:route_replace { to = server:addr() .. "/32", via = wifi:addr "eth1" }
hs.run "3s"
local new_addr = phone:addr "eth1"
hs.expect("the address has changed", new_addr ~= old_addr, { old_addr, new_addr })
hs.expect("after the switch hardly anything more arrived: what was in flight", got[1] - before < 65536, got[1] - before)
local stuck = server:sockets "ESTABLISHED"
hs.expect_equal("the server does not know: its connection to the old address is ESTABLISHED and repeats itself", #stuck, 1)
hs.expect("there are bytes that nobody acknowledges", stuck[1].send_q > 0, stuck[1].send_q)

hs.note {
  en = "Recovery is a new connection: TCP handshake, two round trips for the TLS handshake, and slow start.",
  zh = "恢复就是建立新的连接：TCP 握手，TLS 握手的两个往返，以及慢启动。",
}
phone:spawn(function(os) open(os, 2) end)
hs.run "2s"
-- 2 x (10 + 5 + 5) ms = 40 ms round trip, and a little for ARP and serialisation
hs.expect_between("the TCP handshake: one round trip of 40 ms (and ARP)", opened[2].tcp, "40ms", "85ms")
hs.expect_between("TCP and TLS: three round trips", opened[2].ready, "120ms", "170ms")
hs.expect_between("slow start begins again: the first flight is of about ten segments of 1448", opened[2].flight, 9 * 1448, 12 * 1448)
hs.expect("then the download runs again, from its beginning", got[2] > 1000000, got[2])

hs.translate("zh", {
  ["the download runs"] = "下载正在进行",
  ["the address has changed"] = "地址改变了",
  ["after the switch hardly anything more arrived: what was in flight"] = "切换之后几乎没有什么再到达：只有在途的",
  ["the server does not know: its connection to the old address is ESTABLISHED and repeats itself"] = "服务器并不知道：它到旧地址的连接仍是 ESTABLISHED，并不断重传",
  ["there are bytes that nobody acknowledges"] = "有些字节没有人确认",
  ["the TCP handshake: one round trip of 40 ms (and ARP)"] = "TCP 握手：一个 40 ms 的往返（以及 ARP）",
  ["TCP and TLS: three round trips"] = "TCP 和 TLS：三个往返",
  ["slow start begins again: the first flight is of about ten segments of 1448"] = "慢启动重新开始：第一批约为十个 1448 的报文段",
  ["then the download runs again, from its beginning"] = "然后下载从头开始再次进行",
})
