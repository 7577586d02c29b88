-- TCP-FC-20  TCP memory limits.
-- net.ipv4.tcp_mem has three numbers of pages for all connections together. Below the first TCP does not care. Above the second there is
-- pressure: windows shrink to a few segments; it ends when the use falls below the first. Above the third nothing new is stored: data that
-- arrive are dropped, and a connection whose process has gone is reset when its timer finds no memory (Linux tcp_out_of_resources).
-- The seed's second number, 177120 pages of 4 KB, is 692 MB. Here the limits are 100, 200 and 400 pages.
-- tshark-allow: TCP window specified by the receiver is now completely full (a full window is what is shown)
-- tshark-allow: TCP Zero Window segment (a closed window is what is shown)
-- tshark-allow: Connection reset (RST) (connections without memory, or closed with unread data, are reset)
local hs = require "hopscope"
hs.title { en = "TCP-FC-20 TCP memory limits", zh = "TCP-FC-20 TCP 的内存限制" }

local low, pressure, high = 100, 200, 400
local client = hs.host "client"
local server = hs.host("server", { sysctl = { ["net.ipv4.tcp_mem"] = string.format("%d %d %d", low, pressure, high) } })
hs.link(client, server, { rate = "10Mbps", delay = "10ms" })
client:ping("server", { count = 1 })

-- The windows that the server announces, by the client's port.
local scale, window = {}, {}
hs.on("frame.tx", function(e)
  local tcp = e.packet.tcp
  if not tcp then return end
  if tcp.syn then scale[tcp.dport] = tcp.wscale or 0 else window[tcp.dport] = tcp.window << scale[tcp.dport] end
end, { node = server })

-- One connection whose data are read at once: what it is allowed shows how the server feels.
server:tcp_sink(7099)
local reader = client:tcp():connect("server", 7099)
local _, reader_port = reader:local_addr()
client:spawn(function() reader:write(hs.payload "100MB") end)

-- And many whose data nobody reads.
local peers = {}
server:spawn(function(os)
  local listener = os.tcp():bind(7100):listen(100)
  while true do
    local peer = listener:accept()
    peers[#peers + 1] = peer
  end
end)
hs.run "1s"
local zh = {
  ["Below the first number"] = "低于第一个数",
  ["Between the first and the second"] = "在第一个和第二个之间",
  ["Above the second"] = "高于第二个",
  ["At the third"] = "到了第三个",
  ["Between the second and the first, from above"] = "从上面下来，在第二个和第一个之间",
  ["Below the first again"] = "又低于第一个",
}
local function look(what)
  local pages = server:sockstat().mem
  local r = { pages = pages, window = window[reader_port], pressures = server:counter "TcpExtTCPMemoryPressures" }
  hs.note({ en = "%s: %d pages, a reader's window is %d.", zh = "%s：%d 页，一个读者的窗口是 %d。" }, { en = what, zh = zh[what] }, pages, r.window)
  return r
end
-- Connects once more and sends what goes; returns how many bytes the server has stored.
local function fill()
  local conn = client:tcp():connect("server", 7100)
  client:spawn(function() conn:write(hs.payload "200kB") end)
  hs.run "600ms"
  return peers[#peers]:info().recv_q
end

local free = look "Below the first number"
hs.expect("below the first: windows grow freely", free.pages < low and free.window > 100000, free.window)
while server:sockstat().mem < (low + pressure) / 2 do fill() end
local between = look "Between the first and the second"
hs.expect("between, from below: no pressure yet", between.pages > low and between.pages < pressure and between.pressures == 0, between.pages)
hs.expect("nor small windows", between.window > 100000, between.window)
local most
while server:sockstat().mem < high * 0.75 do most = fill() end
local pressed = look "Above the second"
hs.expect_equal("above the second: pressure", pressed.pressures, 1)
-- Four segments of 1448 bytes, rounded up to the unit of the window scale.
hs.expect("windows shrink to four segments", pressed.window >= 4 * 1448 and pressed.window < 5 * 1448, pressed.window)
hs.expect("data are still accepted", most > 50000, most)

local stored
for _ = 1, 8 do stored = fill() end
local full = look "At the third"
hs.expect_between("the third is the end: no more memory than that, but for a few pages of new connections", full.pages, high, high + 10)
hs.expect("new data are dropped", server:counter "TcpExtTCPRcvQDrop" > 0 and stored <= 1448, stored)

-- The server's own connections fail: one to a process that does not read, whose own process ends.
local other = client:tcp({ rcvbuf = 4096 }):bind(7098):listen(1)
local reset
hs.on("frame.rx", function(e) if e.packet.tcp and e.packet.tcp.rst then reset = e.packet.tcp.dport end end, { node = client })
server:spawn(function(os)
  local conn = os.tcp():connect("client", 7098)
  conn:send(hs.payload "50kB", { dontwait = true })
  conn:close()
end)
hs.run "10s"
hs.note {
  en = "A process of the server ends while the peer does not read: without memory the kernel does not try to deliver its data, but resets.",
  zh = "服务器的一个进程结束时对方没有在读：没有内存时内核不再设法交付它的数据，而是复位。",
}
hs.expect_equal("connections fail: one was aborted for want of memory", server:counter "TcpExtTCPAbortOnMemory", 1)
hs.expect_equal("its peer got a RST", reset, 7098)
other:close()

-- The memory is given back, one connection after the other.
local small_between, calm, since_small = nil, nil, true
for i = #peers, 1, -1 do
  while peers[i]:recv(65536, { dontwait = true }) do hs.run "20ms" end
  peers[i]:close()
  hs.run "500ms"
  local pages = server:sockstat().mem
  if pages > low + 20 and pages < pressure - 20 and not small_between then small_between = look "Between the second and the first, from above" end
end
hs.run "2s"
calm = look "Below the first again"
hs.expect("pressure lasts below the second number", small_between and small_between.window < 5 * 1448, small_between)
hs.expect("and ends below the first: windows grow again", calm.pages < low and calm.window > 100000, calm.window)
hs.expect_equal("it was one time of pressure", calm.pressures, 1)
hs.expect("of many seconds", server:counter "TcpExtTCPMemoryPressuresChrono" > 10000, server:counter "TcpExtTCPMemoryPressuresChrono")
hs.expect_near("177120 pages of 4 KB are 692 MB", 177120 * 4096 / 2 ^ 20, 692, 0.5)

hs.translate("zh", {
  ["below the first: windows grow freely"] = "低于第一个：窗口自由增长",
  ["between, from below: no pressure yet"] = "在两者之间，从下面来：还没有压力",
  ["nor small windows"] = "也没有小窗口",
  ["above the second: pressure"] = "高于第二个：压力",
  ["windows shrink to four segments"] = "窗口缩小到四个报文段",
  ["data are still accepted"] = "仍然接受数据",
  ["the third is the end: no more memory than that, but for a few pages of new connections"] = "第三个是尽头：内存不会更多，新连接的几页除外",
  ["new data are dropped"] = "新的数据被丢弃",
  ["connections fail: one was aborted for want of memory"] = "连接失败：一条因缺少内存而中止",
  ["its peer got a RST"] = "它的对方得到 RST",
  ["pressure lasts below the second number"] = "压力在第二个数以下仍持续",
  ["and ends below the first: windows grow again"] = "到第一个以下才结束：窗口又增长",
  ["it was one time of pressure"] = "只有过一次压力",
  ["of many seconds"] = "历时许多秒",
  ["177120 pages of 4 KB are 692 MB"] = "177120 个 4 KB 的页是 692 MB",
})
