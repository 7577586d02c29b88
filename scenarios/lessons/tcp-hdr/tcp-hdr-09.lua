-- TCP-HDR-09  MSS option.
-- Each end says in its SYN how much data it wants in one segment at most: usually what its own link carries, 1500 - 20 - 20 = 1460
-- (RFC 9293 3.7.1). It is announced, not negotiated: each direction may have a value of its own. Without the option 536 is assumed, what
-- every host must be able to take. Options such as timestamps (12 bytes) come out of the segment: 1448.
local hs = require "hopscope"
hs.title { en = "TCP-HDR-09 MSS option", zh = "TCP-HDR-09 MSS 选项" }

local client, server, sw = hs.host "client", hs.host "server", hs.switch "sw"
hs.link(client, sw, { delay = "1ms" })
hs.link(server, sw, { delay = "1ms" })
local ghost = hs.host "ghost" -- writes SYNs by hand
hs.link(ghost, sw, { delay = "1ms" })
for _, h in ipairs { client, server, ghost } do
  for _, other in ipairs { client, server, ghost } do
    if other ~= h then h:arp_set(other, other:dev().mac) end
  end
end
client:route { to = server:addr(), dev = "eth0", advmss = 1024 } -- the client asks for less than its link could carry

local function exchange(port, timestamps)
  client:sysctl("net.ipv4.tcp_timestamps", timestamps)
  local r = { up = 0, down = 0 }
  local watch = hs.on("frame.tx", function(e)
    local t = e.packet.tcp
    if not t then return end
    if t.syn then r[e.node] = t.mss end
    if e.node == "client" then r.up = math.max(r.up, t.len) elseif e.node == "server" then r.down = math.max(r.down, t.len) end
  end)
  server:spawn(function(os)
    local conn = os.tcp():bind(port):listen(8):accept()
    for _ = 1, 10 do conn:write(hs.payload(5000)) end
    while conn:read() do end
    conn:close()
  end)
  client:spawn(function(os)
    local conn = os.tcp():connect("server", port)
    for _ = 1, 10 do conn:write(hs.payload(5000)) end
    conn:shutdown "write"
    while conn:read() do end
  end)
  hs.run "5s"
  watch:cancel()
  return r
end

hs.note {
  en = "The client announces 1024, the server 1460. Both send as much as they can.",
  zh = "客户端通告 1024，服务器通告 1460。双方都尽可能多地发送。",
}
local plain = exchange(5010, 0)
hs.expect_equal("announced: 1024 and 1460", { plain.client, plain.server }, { 1024, 1460 })
hs.expect_equal("1460 is what an Ethernet frame carries: MTU - IP - TCP", plain.server, server:dev().mtu - 20 - 20)
hs.expect_equal("no segment to the client is longer than the client's value", plain.down, 1024)
hs.expect_equal("and none to the server longer than the server's: the directions differ", plain.up, 1460)
local stamped = exchange(5011, 1)
hs.expect_equal("the option does not change", { stamped.client, stamped.server }, { 1024, 1460 })
hs.expect_equal("12 bytes of timestamps come out of the payload: 1448", { stamped.up, stamped.down }, { 1460 - 12, 1024 - 12 })

hs.note { en = "A SYN without the option: the server sends segments of 536 bytes.", zh = "没有该选项的 SYN：服务器发送 536 字节的报文段。" }
server:arp_set("10.0.0.77", ghost:dev().mac)
server:spawn(function(os)
  local conn = os.tcp():bind(5012):listen(8):accept()
  conn:write(hs.payload(5000))
  os.sleep "10s"
end)
local isn, largest = nil, 0
hs.on("frame.tx", function(e)
  local t = e.packet.tcp
  if not t or t.sport ~= 5012 then return end
  if t.syn then isn = t.seq end
  largest = math.max(largest, t.len)
end, { node = server })
ghost:forge { src = "10.0.0.77", to = server, sport = 30000, dport = 5012, seq = 100, flags = "S" }
hs.run "10ms"
ghost:forge { src = "10.0.0.77", to = server, sport = 30000, dport = 5012, seq = 101, flags = "A", ack = (isn + 1) % (2 ^ 32 // 1 | 0) }
hs.run "100ms"
hs.expect_equal("absent option: 536", largest, 536)

hs.translate("zh", {
  ["announced: 1024 and 1460"] = "通告：1024 和 1460",
  ["1460 is what an Ethernet frame carries: MTU - IP - TCP"] = "1460 是以太网帧所能携带的：MTU - IP - TCP",
  ["no segment to the client is longer than the client's value"] = "发给客户端的报文段都不超过客户端的值",
  ["and none to the server longer than the server's: the directions differ"] = "发给服务器的都不超过服务器的值：两个方向不同",
  ["the option does not change"] = "选项不变",
  ["12 bytes of timestamps come out of the payload: 1448"] = "12 字节的时间戳占用有效载荷：1448",
  ["absent option: 536"] = "没有选项：536",
})
