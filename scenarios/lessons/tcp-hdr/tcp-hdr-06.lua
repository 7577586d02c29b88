-- TCP-HDR-06  Initial sequence number.
-- RFC 793: a clock that counts one every 4 microseconds, for everybody to see; it wraps after 2^32 times 4 us = 4.77 hours (the RFC says
-- 4.55, its own slip). RFC 6528, and Linux: a clock (64 ns a tick) plus a keyed hash of the four-tuple. Then numbers still rise for one
-- pair of sockets, but nobody else can tell where they are.
-- tshark-allow: Connection reset (the ports are to be free again at once)
local hs = require "hopscope"
hs.title { en = "TCP-HDR-06 Initial sequence number", zh = "TCP-HDR-06 初始序号" }

local M = 2 ^ 32 // 1 | 0
local client, server = hs.host "client", hs.host "server"
hs.link(client, server, { delay = "1ms" })
client:arp_set("server", server:dev().mac)
server:arp_set("client", client:dev().mac)
client:sysctl("net.ipv4.tcp_timestamps", 0)
server:tcp():bind(5010):listen(100)
local last
hs.on("frame.tx", function(e) if e.packet.tcp and e.packet.tcp.syn then last = e.packet.tcp.seq end end, { node = client })

-- The client's number of a connection that begins at that time, from that port.
local function isn(time, port)
  hs.run_until(time)
  local sock = client:tcp { reuseaddr = true }
  sock:bind(port)
  sock:setopt("SO_LINGER", 0) -- so that the ports are free again at once
  client:spawn(function()
    sock:connect("server", 5010)
    sock:close()
  end)
  hs.run "100ms"
  return last
end

hs.note {
  en = "The plain clock (hopscope.tcp_isn 1): 250 000 a second, whoever asks.",
  zh = "单纯的时钟（hopscope.tcp_isn 1）：每秒 250 000，不论谁来问。",
}
client:sysctl("hopscope.tcp_isn", 1)
local a, b = isn("10s", 6000), isn("11s", 6001)
hs.expect_equal("two connections a second apart: 1 s / 4 us = 250 000", (b - a) % M, 250000)
hs.expect_equal("the clock itself: 10 s / 4 us", a, 2500000)
local wrap = M * 4e-6
hs.expect_near("it wraps after 2^32 times 4 us = 17 179.87 s", wrap, 17179.87, 0.01)
hs.expect_near("which is 4.77 hours, not 4.55", wrap / 3600, 4.77, 0.005)
local before, after = isn(17179.5, 6002), isn(17180.5, 6003)
hs.expect("numbers begin again then", after < before, { before, after })
hs.expect_equal("still 250 000 a second, modulo 2^32", (after - before) % M, 250000)

hs.note {
  en = "The keyed hash (RFC 6528): the same pair of sockets sees a clock of 64 ns; another pair another offset.",
  zh = "带密钥的散列（RFC 6528）：同一对套接字看到的是每 64 ns 走一步的时钟；另一对看到另一个偏移。",
}
client:sysctl("hopscope.tcp_isn", 0)
a, b = isn("20000s", 7000), isn("20001s", 7000)
hs.expect_equal("the same four-tuple a second later: 1 s / 64 ns = 15 625 000 more", (b - a) % M, 15625000)
local offsets, distinct = {}, {}
for i = 1, 8 do
  local at = 20010 + i
  -- what is left when the clock is taken away
  offsets[i] = (isn(at, 7100 + i) - (at * 1000000000 // 64)) % M
  distinct[offsets[i]] = true
end
local n = 0
for _ in pairs(distinct) do n = n + 1 end
hs.expect_equal("eight ports, eight offsets", n, 8)
hs.expect_equal("the offset belongs to the four-tuple: the same again later", (isn("20100s", 7101) - (20100 * 1000000000 // 64)) % M, offsets[1])

hs.translate("zh", {
  ["two connections a second apart: 1 s / 4 us = 250 000"] = "相隔一秒的两条连接：1 s / 4 us = 250 000",
  ["the clock itself: 10 s / 4 us"] = "时钟本身：10 s / 4 us",
  ["it wraps after 2^32 times 4 us = 17 179.87 s"] = "它在 2^32 乘以 4 us = 17 179.87 s 之后回绕",
  ["which is 4.77 hours, not 4.55"] = "那是 4.77 小时，不是 4.55",
  ["numbers begin again then"] = "编号到那时重新开始",
  ["still 250 000 a second, modulo 2^32"] = "仍是每秒 250 000，模 2^32",
  ["the same four-tuple a second later: 1 s / 64 ns = 15 625 000 more"] = "同一个四元组在一秒之后：1 s / 64 ns = 多 15 625 000",
  ["eight ports, eight offsets"] = "八个端口，八个偏移",
  ["the offset belongs to the four-tuple: the same again later"] = "偏移属于四元组：以后再来还是同一个",
})
