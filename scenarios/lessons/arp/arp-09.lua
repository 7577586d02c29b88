-- ARP-09  Confined to one link; no answer.
-- ARP rides directly on Ethernet, beside IP and not in it: a router does not forward it, so a question never leaves its link.
-- For an address that nobody owns there is no answer: Linux asks 3 times, 1 s apart, then gives up. The packets that waited are
-- dropped; their sender hears "host unreachable": by ICMP from a router (RFC 1812 4.3.3.1), as EHOSTUNREACH at home.
local hs = require "hopscope"
hs.title { en = "ARP-09 Confined to one link; no answer", zh = "ARP-09 限于一条链路；没有应答" }

local a, r, b = hs.host "a", hs.router "r", hs.host "b"
local near = hs.link(a, r, { rate = "100Mbps", delay = "1ms", subnet = "10.0.1.0/24" })
local far = hs.link(r, b, { rate = "100Mbps", delay = "1ms", subnet = "10.0.2.0/24" })

local function is_request(p) return p.arp and p.arp.op == 1 end
local on_near, on_far = hs.frames { link = near, filter = is_request }, hs.frames { link = far, filter = is_request }
local icmp = hs.frames { link = near, filter = function(p) return p.icmp end }
local function times(frames)
  local list = {}
  for i, f in ipairs(frames) do list[i] = math.floor((f.time - frames[1].time) * 1e6 + 0.5) / 1e6 end -- in microseconds
  return list
end

hs.note {
  en = "a sends a datagram to 10.0.2.99 behind the router. That network exists, but nobody there has this address.",
  zh = "a 向路由器后面的 10.0.2.99 发送一个数据报。那个网络存在，但没有人拥有这个地址。",
}
local data, err, when
a:spawn(function(os)
  -- Linux tells a UDP program of such a passing trouble only if it wants to know (RFC 1122 4.2.3.9 has the same for TCP).
  local sock = os.udp():setopt("IP_RECVERR", true):connect("10.0.2.99", 9)
  sock:send "is anybody there?"
  data, err = sock:recv "5s"
  when = os.now()
end)
hs.run "5s"

for _, f in ipairs(on_far) do
  print(string.format("    %9.6f s  %s > %s: %s", f.time, f.from, f.to, f.summary))
end
hs.note {
  en = "r asked three times and gave up a second later. Then it told a: ICMP 3/1, host unreachable.",
  zh = "r 询问了三次，一秒之后放弃。然后它告诉 a：ICMP 3/1，主机不可达。",
}
hs.expect_equal("on the near link there is one request, for the gateway: the questions for 10.0.2.99 do not appear here",
  { #on_near, on_near[1].packet.arp.tpa }, { 1, r:addr() })
hs.expect_equal("r asks 3 times, 1 s apart", times(on_far), { 0.0, 1.0, 2.0 })
hs.expect_equal("for 10.0.2.99", on_far[3].packet.arp.tpa, "10.0.2.99")
hs.expect_equal("r sends host unreachable", { #icmp, icmp[1].from, icmp[1].packet.icmp.type, icmp[1].packet.icmp.code },
  { 1, "r", 3, 1 })
hs.expect_near("1 s after the last try", icmp[1].time - on_far[3].time, "1s", "1ns")
hs.expect_equal("the program on a gets EHOSTUNREACH", { data, err }, { nil, "EHOSTUNREACH" })
-- Ethernet 14, IP 20, ICMP 8, quoted IP 20 + UDP 8 + 17 bytes of data: 87, with preamble and FCS 99 * 8 / 100 Mbit/s = 7.92 us.
hs.expect_near("as soon as the message arrives, 1 ms + 7.92 us later", when - icmp[1].time, "1.00792ms", "1ns")

hs.note {
  en = "Now a tries 10.0.1.77, an address on its own link that nobody owns: no router is needed to find that out.",
  zh = "现在 a 试试 10.0.1.77，它自己链路上一个没有人拥有的地址：要发现这一点不需要路由器。",
}
local dropped = hs.frames { on = "drop", node = a }
local start = hs.now()
a:spawn(function(os)
  local sock = os.udp():setopt("IP_RECVERR", true):connect("10.0.1.77", 9)
  sock:send "hello?"
  data, err = sock:recv "10s"
  when = os.now() - start
end)
hs.run "10s"
hs.expect_equal("3 requests again, now on this link", on_near:count(function(p) return p.arp.tpa == "10.0.1.77" end), 3)
hs.expect_near("a gives up after 3 s", when, "3s", "1ns")
hs.expect_equal("the datagram that waited is dropped", { #dropped, dropped[1].packet.ip.dst }, { 1, "10.0.1.77" })
hs.expect_equal("and the program gets EHOSTUNREACH from its own host", { data, err }, { nil, "EHOSTUNREACH" })
hs.expect_equal("no ICMP message was needed on the wire", #icmp, 1)
hs.expect_equal("the entry is FAILED", a:arp("10.0.1.77").state, "FAILED")

hs.translate("zh", {
  ["on the near link there is one request, for the gateway: the questions for 10.0.2.99 do not appear here"] = "近的链路上有一个请求，是问网关的：对 10.0.2.99 的询问不出现在这里",
  ["r asks 3 times, 1 s apart"] = "r 询问 3 次，相隔 1 s",
  ["for 10.0.2.99"] = "询问 10.0.2.99",
  ["r sends host unreachable"] = "r 发送主机不可达",
  ["1 s after the last try"] = "在最后一次尝试之后 1 s",
  ["the program on a gets EHOSTUNREACH"] = "a 上的程序得到 EHOSTUNREACH",
  ["as soon as the message arrives, 1 ms + 7.92 us later"] = "报文一到就得到，在 1 ms + 7.92 us 之后",
  ["3 requests again, now on this link"] = "又是 3 个请求，现在在这条链路上",
  ["a gives up after 3 s"] = "a 在 3 s 之后放弃",
  ["the datagram that waited is dropped"] = "等待的数据报被丢弃",
  ["and the program gets EHOSTUNREACH from its own host"] = "程序从自己的主机得到 EHOSTUNREACH",
  ["no ICMP message was needed on the wire"] = "线路上不需要 ICMP 报文",
  ["the entry is FAILED"] = "表项是 FAILED",
})
