-- IP4-04  Time to live.
-- The sender puts a number into the header (Linux 64, others 32, 128 or 255); every router takes one away. A router that is
-- left with zero drops the packet and tells the sender with ICMP 11/0 (RFC 1812 section 5.3.1). So a packet cannot run in a
-- circle for ever. TTL n passes n - 1 routers and dies at the n-th. RFC 791 meant seconds; in practice the unit is hops.
local hs = require "hopscope"
hs.title { en = "IP4-04 Time to live", zh = "IP4-04 生存时间" }

local a, b = hs.host "a", hs.host "b"
local r = { hs.router "r1", hs.router "r2", hs.router "r3" }
local first = hs.link(a, r[1])
hs.link(r[1], r[2])
local slow = hs.link(r[2], r[3])
hs.link(r[3], b)
local notices = hs.frames { link = first, filter = function(p) return p.icmp end }
local got = {}
b:udp { port = 7, on_datagram = function(_, _, _, info) got[#got + 1] = info.ttl end }
local function send(ttl)
  a:spawn(function(os) os.udp():sendto("?", "b", 7, ttl and { ttl = ttl }) end)
  hs.run "5s" -- also lets the limit of one ICMP error a second recover
end

hs.note {
  en = "Between a and b are three routers. A packet with TTL 1 dies at the first, 2 at the second, 3 at the third.",
  zh = "a 和 b 之间有三台路由器。TTL 为 1 的分组死在第一台，2 死在第二台，3 死在第三台。",
}
for n = 1, 3 do
  send(n)
  local notice = notices[n].packet
  hs.expect_equal("TTL " .. n .. " has passed " .. n - 1 .. " routers: time exceeded (11/0) from router " .. n,
    { notice.icmp.type, notice.icmp.code, notice.ip.src }, { 11, 0, r[n]:addr "eth0" })
  hs.expect_equal("the packet it quotes had 1 left", notice.quoted.ip.ttl, 1)
  local passed = 0
  for _, router in ipairs(r) do passed = passed + router:counter "IpForwDatagrams" end
  -- 0 + 1 + 2 datagrams of a, and on the way back the notices pass as many routers.
  hs.expect_equal("routers that passed a datagram or a notice on, so far", passed, n * (n - 1))
end
hs.expect_equal("none of them reached b", #got, 0)
send(4)
hs.expect_equal("TTL 4 reaches b with 1 left, and no notice comes", { got, #notices }, { { 1 }, 3 })

hs.note {
  en = "Linux begins with 64; at b it is 64 - 3 = 61. Other systems use 32 or 128 (0x80).",
  zh = "Linux 从 64 开始；到 b 时是 64 - 3 = 61。别的系统使用 32 或 128（0x80）。",
}
send()
for _, initial in ipairs { 32, 128 } do
  a:sysctl("net.ipv4.ip_default_ttl", initial)
  send()
end
hs.expect_equal("TTL at the destination: initial value less three routers", { got[2], got[3], got[4] }, { 61, 29, 125 })

hs.note { en = "A link that takes 3 s costs one all the same: the unit is hops, not seconds.", zh = "一条要花 3 s 的链路照样只减一：单位是跳，不是秒。" }
slow:set { delay = "3s" }
send()
hs.expect_equal("after three seconds on one link the TTL has fallen by 3, as before", got[5], 128 - 3)

hs.translate("zh", {
  ["TTL {} has passed {} routers: time exceeded ({}/{}) from router {}"] = "TTL {} 经过了 {} 台路由器：超时（{}/{}），来自路由器 {}",
  ["the packet it quotes had 1 left"] = "它引用的分组还剩 1",
  ["routers that passed a datagram or a notice on, so far"] = "到此为止，转发过数据报或通知的路由器",
  ["none of them reached b"] = "没有一个到达 b",
  ["TTL 4 reaches b with 1 left, and no notice comes"] = "TTL 4 到达 b 时剩 1，没有通知到来",
  ["TTL at the destination: initial value less three routers"] = "目的地的 TTL：初始值减去三台路由器",
  ["after three seconds on one link the TTL has fallen by 3, as before"] = "在一条链路上用了三秒之后，TTL 照旧减少了 3",
})
