-- IP4-18  Public and private addresses.
-- 10.0.0.0/8, 172.16.0.0/12 and 192.168.0.0/16 belong to nobody (RFC 1918): every site may use them inside, and many do so at the
-- same time. For that reason they mean nothing outside, and routers of the public network drop packets from or to them. A
-- host with a private address reaches the public network only if a router of its site translates addresses (NAT).
local hs = require "hopscope"
hs.title { en = "IP4-18 Public and private addresses", zh = "IP4-18 公有地址与私有地址" }

hs.note {
  en = "The three private ranges, and their neighbours on both sides, which are public.",
  zh = "三个私有范围，以及它们两侧的邻居，那些是公有的。",
}
for _, range in ipairs { { "9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0" },
                         { "172.15.255.255", "172.16.0.0", "172.31.255.255", "172.32.0.0" },
                         { "192.167.255.255", "192.168.0.0", "192.168.255.255", "192.169.0.0" } } do
  local kinds = {}
  for i, address in ipairs(range) do kinds[i] = hs.ip4.is_private(address) end
  hs.expect_equal(range[2] .. " to " .. range[3] .. " is private", kinds, { false, true, true, false })
end

-- Two sites with the same addresses inside, and a server, around one public router.
hs.auto_routes(false)
local isp, server = hs.router("isp", { sysctl = { ["hopscope.drop_private"] = true } }), hs.host "server"
hs.link(isp, server, { address = { isp = "203.0.113.1/24", server = "203.0.113.80/24" } })
server:route { to = "default", via = "203.0.113.1" }
local sites = {}
for i = 1, 2 do
  local gate, pc, printer, lan = hs.router("gate" .. i), hs.host("pc" .. i), hs.host("printer" .. i), hs.switch("lan" .. i)
  hs.link(gate, isp, { address = { [gate.name] = "198.51.100." .. 4 * i + 1 .. "/30", isp = "198.51.100." .. 4 * i + 2 .. "/30" } })
  for number, host in ipairs { gate, pc, printer } do
    local dev = hs.link(host, lan):dev(host)
    host:address(dev.name, "192.168.0." .. number .. "/24")
  end
  gate:route { to = "default", via = "198.51.100." .. 4 * i + 2 }
  pc:route { to = "default", via = "192.168.0.1" }
  sites[i] = { gate = gate, pc = pc, printer = printer }
end
for _, range in ipairs { "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16" } do
  isp:route { to = range, via = "198.51.100.5" } -- so that it is the filter that stops them
end
local drops = hs.frames { on = "drop", node = isp }

hs.note {
  en = "Both sites use 192.168.0.2 and 192.168.0.3 at once. Inside nobody notices: each ping reaches the site's own printer.",
  zh = "两个场所同时使用 192.168.0.2 和 192.168.0.3。内部没有人察觉：每个 ping 都到达本场所自己的打印机。",
}
local inside = {}
for i, site in ipairs(sites) do
  site.pc:spawn(function(os) inside[i] = os.ping("192.168.0.3", { count = 3 }) end)
end
hs.run "5s"
for i, site in ipairs(sites) do
  hs.expect_equal("site " .. i .. ": three pings, three answers", inside[i].received, 3)
  hs.expect_equal("site " .. i .. ": its own printer answered, and nobody else", site.printer:counter "IcmpInEchos", 3)
end

hs.note {
  en = "From inside to the public server: the router of the public network drops the private source address.",
  zh = "从内部到公有的服务器：公有网络的路由器丢弃私有的源地址。",
}
local out, gate
sites[1].pc:spawn(function(os) out = os.ping("203.0.113.80", { count = 1, timeout = "2s" }) end)
hs.run "5s"
hs.expect_equal("no answer", out.received, 0)
hs.expect_equal("the packet with source 192.168.0.2 was dropped at isp",
  { #drops, drops[1].packet.ip.src, drops[1].reason }, { 1, "192.168.0.2", "filtered" })
hs.expect_equal("the server has not seen it", server:counter "IcmpInEchos", 0)

hs.note {
  en = "From the public network to private addresses, one in each range: dropped as well.",
  zh = "从公有网络到私有地址，每个范围一个：同样被丢弃。",
}
server:spawn(function(os)
  for _, address in ipairs { "10.1.2.3", "172.31.0.1", "192.168.0.2" } do os.udp():sendto("?", address, 9) end
end)
hs.run "2s"
local targets = {}
for i = 2, #drops do targets[#targets + 1] = drops[i].packet.ip.dst end
hs.expect_equal("three packets dropped for their destination", targets, { "10.1.2.3", "172.31.0.1", "192.168.0.2" })

hs.note {
  en = "The gate itself has a public address, and with that the server is reached. NAT would lend it to the hosts inside.",
  zh = "大门自己有一个公有地址，用它就能到达服务器。NAT 会把它借给里面的主机。",
}
sites[1].gate:spawn(function(os) gate = os.ping("203.0.113.80", { count = 1 }) end)
hs.run "2s"
hs.expect_equal("198.51.100.5 is answered", gate.received, 1)
hs.expect_equal("nothing else was dropped", #drops, 4)

hs.translate("zh", {
  ["{}.{} to {}.{} is private"] = "{}.{} 到 {}.{} 是私有的",
  ["site {}: three pings, three answers"] = "场所 {}：三个 ping，三个应答",
  ["site {}: its own printer answered, and nobody else"] = "场所 {}：应答的是它自己的打印机，没有别人",
  ["no answer"] = "没有应答",
  ["the packet with source 192.168.0.2 was dropped at isp"] = "源地址为 192.168.0.2 的分组在 isp 被丢弃",
  ["the server has not seen it"] = "服务器没有看到它",
  ["three packets dropped for their destination"] = "因目的地址丢弃了三个分组",
  ["198.51.100.5 is answered"] = "198.51.100.5 得到应答",
  ["nothing else was dropped"] = "没有丢弃别的",
})
