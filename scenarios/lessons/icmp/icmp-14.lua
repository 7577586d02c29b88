-- ICMP-14  Path MTU discovery.
-- How large may a packet be on a way of many links? The sender tries: it begins with the MTU of its own link and sets "don't
-- fragment". A router with a narrower link behind it drops the packet and reports its MTU (3/4); the sender's host notes that for
-- the destination, and the next try is smaller, until the packet passes (RFC 1191; the host does this, not traceroute). It hangs on
-- the routers' messages: where they are filtered out, large packets vanish without a word: a black hole.
-- tshark-allow: D-SACK (the receiver tells of what came twice)
-- tshark-allow: This frame is a (suspected) out-of-order segment (repetitions)
-- tshark-allow: Previous segment(s) not captured (dropped before)
local hs = require "hopscope"
hs.title { en = "ICMP-14 Path MTU discovery", zh = "ICMP-14 路径 MTU 发现" }

local function network(name)
  local n = { a = hs.host("a" .. name), r1 = hs.router("r1" .. name), r2 = hs.router("r2" .. name), b = hs.host("b" .. name) }
  n.link = hs.link(n.a, n.r1, { mtu = 1500, delay = "5ms" })
  hs.link(n.r1, n.r2, { mtu = 1400, delay = "5ms" })
  hs.link(n.r2, n.b, { mtu = 1280, delay = "5ms" })
  n.got = {}
  n.b:udp { port = 9, on_datagram = function(data) n.got[#n.got + 1] = data.len or #data end }
  n.sent = hs.frames { link = n.link, filter = function(p, e) return p.udp and e.node == n.a.name end }
  n.errors = hs.frames { node = n.a, on = "rx", filter = function(p) return p.icmp and p.icmp.type == 3 end }
  n.tries, n.refused = {}, 0
  return n
end

-- Sends datagrams as large as the host's knowledge of the way allows (IP 20 bytes, UDP 8), one a second, ten times.
local function sender(os, n)
  local sock = os.udp():setopt("IP_MTU_DISCOVER", 2):connect(n.b.name, 9) -- IP_PMTUDISC_DO: always with DF
  for i = 1, 10 do
    local mtu = os.route_get(n.b.name).mtu
    n.tries[i] = mtu
    local _, err = sock:send(hs.payload(mtu - 28))
    if err == "EMSGSIZE" then -- the answer to the one before has come: the socket tells once, then works again
      n.refused = n.refused + 1
      sock:send(hs.payload(mtu - 28))
    end
    os.sleep "1s"
  end
end

local n = network ""
hs.note {
  en = "Three links carry 1500, 1400 and 1280 bytes. a begins with the 1500 of its own link.",
  zh = "三条链路分别容纳 1500、1400 和 1280 字节。a 从自己链路的 1500 开始。",
}
n.a:spawn(sender, n)
hs.run "20s"
for i, f in ipairs(n.errors) do
  hs.note({
    en = "%.3f s: %s says: fragmentation needed, at most %d bytes.",
    zh = "%.3f s：%s 说：需要分片，最多 %d 字节。",
  }, f.time, f.packet.ip.src, f.packet.icmp.mtu)
end

local lengths = {}
for i, f in ipairs(n.sent) do lengths[i] = f.packet.ip.len end
hs.expect_equal("two errors", #n.errors, 2)
hs.expect_equal("the first from r1, for its link of 1400", { n.errors[1].packet.ip.src, n.errors[1].packet.icmp.mtu },
  { n.r1:addr(), 1400 })
hs.expect_equal("the second from r2, for its link of 1280", { n.errors[2].packet.ip.src, n.errors[2].packet.icmp.mtu },
  { n.r2:addr(), 1280 })
hs.expect_equal("the source sends 1500, then 1400, then ends at 1280", lengths,
  { 1500, 1400, 1280, 1280, 1280, 1280, 1280, 1280, 1280, 1280 })
hs.expect_equal("from then on every datagram arrives, whole: 1280 - 28 bytes", n.got,
  { 1252, 1252, 1252, 1252, 1252, 1252, 1252, 1252 })
hs.expect_equal("the program was told EMSGSIZE twice", n.refused, 2)
hs.expect_equal("what the host has noted for b", n.a:route_get("b").mtu, 1280)
hs.expect("every packet had DF set", n.sent:count(function(p) return p.ip.df end) == 10)

hs.note {
  en = "A larger datagram is now refused at home: the program gets EMSGSIZE, and nothing is sent.",
  zh = "现在更大的数据报在本机就被拒绝：程序得到 EMSGSIZE，什么也不发送。",
}
local result, err
n.a:spawn(function(os)
  local sock = os.udp():setopt("IP_MTU_DISCOVER", 2):connect("b", 9)
  result, err = sock:send(hs.payload(1253))
end)
hs.run "1s"
hs.expect_equal("1253 + 28 bytes are one too many", { result, err, #n.sent }, { nil, "EMSGSIZE", 10 })

hs.note {
  en = "The black hole: the same network, but the routers send no ICMP errors (somebody thought that safer).",
  zh = "黑洞：同样的网络，但路由器不发送 ICMP 差错报文（有人以为那样更安全）。",
}
local hole = network "x"
hole.r1:sysctl("hopscope.icmp_silent", true)
hole.r2:sysctl("hopscope.icmp_silent", true)
local small
hole.a:spawn(function(os)
  sender(os, hole)
  small = os.ping("bx", { count = 1 })
end)
hs.run "20s"
hs.expect_equal("the sender goes on with 1500 bytes for ever", hole.tries, { 1500, 1500, 1500, 1500, 1500, 1500, 1500, 1500, 1500, 1500 })
hs.expect_equal("nothing arrives, and nobody says why", { hole.got, #hole.errors }, { {}, 0 })
hs.expect_equal("while small packets pass: the way looks perfect to ping", small.received, 1)

hs.note {
  en = "TCP does the same for its connections. Here both ends have 1500, so both announce an MSS of 1460; the narrow links are in between.",
  zh = "TCP 对自己的连接也这样做。这里两端都是 1500，所以双方都通告 MSS 1460；窄的链路在中间。",
}
local at, r3, bt = hs.host "at", hs.router "r3", hs.host "bt"
hs.link(at, n.r1, { mtu = 1500, delay = "5ms" })
hs.link(n.r2, r3, { mtu = 1280, delay = "5ms" })
hs.link(r3, bt, { mtu = 1500, delay = "5ms" })
local sizes = {}
hs.on("frame.tx", function(e)
  local t = e.packet.tcp
  if t and t.len > 1000 then sizes[#sizes + 1] = e.packet.ip.len end
end, { node = at })
local too_big = hs.frames { node = at, on = "rx", filter = function(p) return p.icmp and p.icmp.type == 3 and p.icmp.code == 4 end }
local sink, mss = bt:tcp_sink(5678), {}
at:spawn(function(os)
  local conn = os.tcp():connect("bt", 5678)
  mss[1] = conn:info().snd_mss
  conn:write(hs.payload(50000))
  os.sleep "5s"
  mss[2] = conn:info().snd_mss
  conn:close()
end)
hs.run "20s"
local mtus = {}
for i, f in ipairs(too_big) do mtus[i] = f.packet.icmp.mtu end
hs.log({ en = "segment sizes %s reported MTUs %s", zh = "报文段的大小 %s，报告的 MTU %s" }, hs.show(mss), hs.show(mtus))
-- MTU - 20 of IP - 20 of TCP - 12 of timestamps
hs.expect_equal("TCP lowers its segment size from 1448 to 1228, what fits into 1280", mss, { 1448, 1228 })
hs.expect_equal("it began with packets of 1500", sizes[1], 1500)
hs.expect_equal("the routers reported 1400 first, 1280 last", { mtus[1], mtus[#mtus] }, { 1400, 1280 })
hs.expect_equal("everything arrived", { sink:stats().bytes, sink:stats().wrong_bytes }, { 50000, 0 })

hs.translate("zh", {
  ["two errors"] = "两个差错报文",
  ["the first from r1, for its link of 1400"] = "第一个来自 r1，因为它 1400 的链路",
  ["the second from r2, for its link of 1280"] = "第二个来自 r2，因为它 1280 的链路",
  ["the source sends 1500, then 1400, then ends at 1280"] = "源先发送 1500，再 1400，最后定在 1280",
  ["from then on every datagram arrives, whole: 1280 - 28 bytes"] = "此后每个数据报都完整到达：1280 - 28 字节",
  ["the program was told EMSGSIZE twice"] = "程序两次得知 EMSGSIZE",
  ["what the host has noted for b"] = "主机为 b 记下的内容",
  ["every packet had DF set"] = "每个分组都设了 DF",
  ["1253 + 28 bytes are one too many"] = "1253 + 28 字节多了一个",
  ["the sender goes on with 1500 bytes for ever"] = "发送方永远用 1500 字节继续",
  ["nothing arrives, and nobody says why"] = "什么也没有到达，也没有人说明原因",
  ["while small packets pass: the way looks perfect to ping"] = "而小的分组能通过：对 ping 来说这条路完美无缺",
  ["TCP lowers its segment size from 1448 to 1228, what fits into 1280"] = "TCP 把报文段大小从 1448 降到 1228，放得进 1280",
  ["it began with packets of 1500"] = "它从 1500 的分组开始",
  ["the routers reported 1400 first, 1280 last"] = "路由器先报告 1400，最后 1280",
  ["everything arrived"] = "全部到达",
})
