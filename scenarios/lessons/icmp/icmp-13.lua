-- ICMP-13  traceroute.
-- Who is on the way? traceroute sends UDP datagrams to a port on which surely nothing listens, with TTL 1, 2, 3, ... Each router in
-- turn has to throw one away and answers "time exceeded": the sender of that message is the hop. The target itself answers "port
-- unreachable", and that is the end. A router that sends no messages leaves a gap. Ports start at 33434 and grow with every probe.
local hs = require "hopscope"
hs.title { en = "ICMP-13 traceroute", zh = "ICMP-13 traceroute" }

local a, b = hs.host "a", hs.host "b"
local r1, r2, r3 = hs.router "r1", hs.router "r2", hs.router "r3"
for _, ends in ipairs { { a, r1 }, { r1, r2 }, { r2, r3 }, { r3, b } } do hs.link(ends[1], ends[2], { delay = "5ms" }) end
local probes = hs.frames { node = a, filter = function(p) return p.udp end }
local answers = hs.frames { node = a, on = "rx", filter = function(p) return p.icmp end }
local trace

local function addresses()
  local list = {}
  for i, hop in ipairs(trace.hops) do list[i] = hop.address or "*" end
  return list
end

hs.note { en = "a asks for the way to b, over three routers; three probes for each hop.", zh = "a 查询去往 b 的路，经过三台路由器；每一跳三个探测。" }
a:spawn(function(os) trace = os.traceroute("b", { print = true }) end)
hs.run "60s"
hs.expect_equal("the address list is the path", addresses(), { r1:addr "eth0", r2:addr "eth0", r3:addr "eth0", b:addr() })
local ttls, ports, types = {}, {}, {}
for i, f in ipairs(probes) do ttls[i], ports[i] = f.packet.ip.ttl, f.packet.udp.dport - 33434 end
for i, f in ipairs(answers) do types[i] = f.packet.icmp.type .. "/" .. f.packet.icmp.code end
hs.expect_equal("the TTL starts from 1, three probes each", ttls, { 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4 })
hs.expect_equal("the ports are 33434, 33435, ...", ports, { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 })
hs.expect_equal("routers answer 11/0, the target 3/3", types,
  { "11/0", "11/0", "11/0", "11/0", "11/0", "11/0", "11/0", "11/0", "11/0", "3/3", "3/3", "3/3" })
hs.expect("it stops on 3/3: after hop 4, with the target reached", #trace.hops == 4 and trace.reached, trace.hops)
-- Infinitely fast links of 5 ms each way: hop n is 2 * n * 5 ms away. The third probe finds all ARP caches filled.
for n, hop in ipairs(trace.hops) do
  hs.expect_near("hop " .. n .. " is " .. 10 * n .. " ms away", hop.probes[3].rtt, 0.010 * n, "1us")
end

hs.note { en = "Now r2 keeps silent: it forwards as before, but sends no ICMP errors.", zh = "现在 r2 保持沉默：它照常转发，但不发送 ICMP 差错报文。" }
r2:sysctl("hopscope.icmp_silent", true)
a:spawn(function(os) trace = os.traceroute("b", { print = true }) end)
hs.run "60s"
hs.expect_equal("a silent router shows as a gap", addresses(), { r1:addr "eth0", "*", r3:addr "eth0", b:addr() })
hs.expect("and the way behind it is found all the same", trace.reached)

hs.translate("zh", {
  ["the address list is the path"] = "地址的列表就是路径",
  ["the TTL starts from 1, three probes each"] = "TTL 从 1 开始，每个三次探测",
  ["the ports are 33434, 33435, ..."] = "端口是 33434、33435……",
  ["routers answer 11/0, the target 3/3"] = "路由器应答 11/0，目标应答 3/3",
  ["it stops on 3/3: after hop 4, with the target reached"] = "它在 3/3 时停止：第 4 跳之后，已到达目标",
  ["hop {} is {} ms away"] = "第 {} 跳相距 {} ms",
  ["a silent router shows as a gap"] = "沉默的路由器表现为空缺",
  ["and the way behind it is found all the same"] = "它后面的路照样能找到",
})
