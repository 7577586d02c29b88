-- ICMP-06  3/1 host unreachable.
-- The packet has found its network: the last router is on the destination's link. But nobody there answers its ARP questions. It
-- asks three times, a second apart, then gives up, drops what waited and tells the sources "host unreachable", type 3 code 1
-- (RFC 792, RFC 1812 5.2.7.1). Network unreachable is the router's ignorance; host unreachable is a missing neighbour.
local hs = require "hopscope"
hs.title { en = "ICMP-06 3/1 host unreachable", zh = "ICMP-06 3/1 主机不可达" }

local a, r1, r2, b = hs.host "a", hs.router "r1", hs.router "r2", hs.host "b"
hs.link(a, r1, { delay = "5ms" })
hs.link(r1, r2, { delay = "5ms" })
local last = hs.link(r2, b, { delay = "5ms", subnet = "10.0.9.0/24" })

local asked = hs.frames { link = last, filter = function(p) return p.arp and p.arp.op == 1 and p.arp.tpa == "10.0.9.77" end }
local dropped = hs.frames { node = r2, on = "drop" }
local errors = hs.frames { node = a, on = "rx", filter = function(p) return p.icmp and p.icmp.type == 3 end }

hs.note {
  en = "a pings 10.0.9.77. The network 10.0.9.0/24 exists, at the router r2; the host does not.",
  zh = "a ping 10.0.9.77。网络 10.0.9.0/24 存在，在路由器 r2 那里；这台主机却不存在。",
}
local ping
a:spawn(function(os) ping = os.ping("10.0.9.77", { count = 3, timeout = "5s", print = true }) end)
hs.run "10s"

hs.expect_equal("r2 asks three times", #asked, 3)
hs.expect_near("the second time after 1 s", asked[2].time - asked[1].time, "1s", "1ns")
hs.expect_near("the third after 2 s", asked[3].time - asked[1].time, "2s", "1ns")
hs.note {
  en = "The pings that had arrived by then waited together for the answer; all three get their own error.",
  zh = "到那时为止到达的几个 ping 一起等待应答；三个都得到各自的差错报文。",
}
hs.expect_equal("the packets that waited are dropped", #dropped, 3)
hs.expect_equal("because there was no answer", dropped[1].reason, "neighbour not found")
hs.expect_equal("the sender gets type 3, code 1, for each", { ping.received, ping.errors, #errors }, { 0, 3, 3 })
for i, f in ipairs(errors) do
  hs.expect_equal("error " .. i .. ": host unreachable, from r2, about ping " .. i,
    { f.packet.icmp.type, f.packet.icmp.code, f.packet.ip.src, f.packet.quoted.icmp.seq }, { 3, 1, r2:addr "eth0", i })
  -- From r2 over two links of 5 ms, infinitely fast.
  hs.expect_near("it comes after the ARP tries: 3 s, and 10 ms on the way back", f.time - asked[1].time, "3.01s", "1ns")
end

hs.note {
  en = "A neighbour of 10.0.9.77 that does exist is reached over the same routers.",
  zh = "10.0.9.77 的一个确实存在的邻居，经过同样的路由器可以到达。",
}
a:spawn(function(os) ping = os.ping("b", { count = 1 }) end)
hs.run "2s"
hs.expect_equal("b answers", ping.received, 1)

hs.note {
  en = "A UDP program that asks for such news (IP_RECVERR) gets them as an errno.",
  zh = "要求得知这类消息的 UDP 程序（IP_RECVERR）得到的是一个 errno。",
}
local data, err
a:spawn(function(os)
  local sock = os.udp():setopt("IP_RECVERR", true):connect("10.0.9.77", 9)
  sock:send "hello"
  data, err = sock:recv "10s"
end)
hs.run "10s"
hs.expect_equal("EHOSTUNREACH", { data, err }, { nil, "EHOSTUNREACH" })

hs.note { en = "And TCP: connect reports the error.", zh = "TCP 也一样：connect 报告这个错误。" }
local conn, when
errors = hs.frames { node = a, on = "rx", filter = function(p) return p.icmp and p.icmp.type == 3 end }
a:spawn(function(os)
  conn = { os.tcp():connect("10.0.9.77", 80) }
  when = hs.now()
end)
hs.run "30s"
hs.expect_equal("connect fails with EHOSTUNREACH", conn, { nil, "EHOSTUNREACH" })
hs.expect_equal("at the moment at which the ICMP error arrived", when, errors[1].time)
hs.expect_equal("which quotes its SYN: ports and sequence number", errors[1].packet.quoted.tcp.dport, 80)

hs.translate("zh", {
  ["r2 asks three times"] = "r2 询问三次",
  ["the second time after 1 s"] = "第二次在 1 s 之后",
  ["the third after 2 s"] = "第三次在 2 s 之后",
  ["the packets that waited are dropped"] = "等待的分组被丢弃",
  ["because there was no answer"] = "因为没有应答",
  ["the sender gets type 3, code 1, for each"] = "发送方对每个都得到类型 3、代码 1",
  ["error {}: host unreachable, from r2, about ping {}"] = "差错 {}：主机不可达，来自 r2，关于 ping {}",
  ["it comes after the ARP tries: 3 s, and 10 ms on the way back"] = "它在 ARP 的尝试之后到来：3 s，回程 10 ms",
  ["b answers"] = "b 应答",
  ["connect fails with EHOSTUNREACH"] = "connect 以 EHOSTUNREACH 失败",
  ["at the moment at which the ICMP error arrived"] = "就在 ICMP 差错报文到达的时刻",
  ["which quotes its SYN: ports and sequence number"] = "它引用了 SYN：端口和序号",
})
