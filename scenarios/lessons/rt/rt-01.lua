-- RT-01  Host route lookup.
-- A host with two cards has to choose one for every packet it sends. It takes the destination address, masks it with each
-- entry's mask (destination AND mask) and compares the result with the entry's network. The entry that matches names the
-- card, and the card's address becomes the packet's source address (RFC 1122 3.3.1).
local hs = require "hopscope"
hs.title { en = "RT-01 Host route lookup", zh = "RT-01 主机的路由查找" }

local office = hs.host "office"
local host = hs.host "host"
local lab = hs.host "lab"
local to_office = hs.link(host, office, { address = { host = "192.168.1.10/24", office = "192.168.1.20/24" } })
local to_lab = hs.link(host, lab, { address = { host = "172.16.5.10/16", lab = "172.16.200.7/16" } })

hs.note {
  en = "The routing table of the host: one entry for each card, made from the card's own address and mask.",
  zh = "主机的路由表：每块网卡一个表项，由网卡自己的地址和掩码得出。",
}
for _, r in ipairs(host:routes()) do
  if r.type == "unicast" then print(string.format("    %-16s dev %s src %s", r.to, r.dev, r.src)) end
end

-- The same by hand: an address as a number of 32 bits, and a mask of so many ones.
local function number(address)
  local n = 0
  for byte in address:gmatch "%d+" do n = n << 8 | math.tointeger(byte) end
  return n
end
local function network(address, bits)
  return number(address) & (0xffffffff << (32 - bits)) & 0xffffffff
end

hs.note {
  en = "172.16.200.7 AND 255.255.255.0 is 172.16.200.0: not 192.168.1.0. 172.16.200.7 AND 255.255.0.0 is 172.16.0.0: the second card.",
  zh = "172.16.200.7 AND 255.255.255.0 是 172.16.200.0：不是 192.168.1.0。172.16.200.7 AND 255.255.0.0 是 172.16.0.0：第二块网卡。",
}
hs.expect("192.168.1.20 matches the first entry only",
  network("192.168.1.20", 24) == number "192.168.1.0" and network("192.168.1.20", 16) ~= number "172.16.0.0")
hs.expect("172.16.200.7 matches the second entry only",
  network("172.16.200.7", 24) ~= number "192.168.1.0" and network("172.16.200.7", 16) == number "172.16.0.0")

hs.expect_equal("the lookup gives the first card and its address for the office",
  host:route_get "192.168.1.20", { type = "unicast", dev = "eth0", src = "192.168.1.10", mtu = 1500 })
hs.expect_equal("the lookup gives the second card and its address for the lab",
  host:route_get "172.16.200.7", { type = "unicast", dev = "eth1", src = "172.16.5.10", mtu = 1500 })

hs.note {
  en = "Now with real packets: two datagrams from one socket, which is bound to no address.",
  zh = "现在用真正的分组：一个没有绑定地址的套接字发出两个数据报。",
}
local is_udp = function(p) return p.udp end
local first = hs.frames { link = to_office, filter = is_udp }
local second = hs.frames { link = to_lab, filter = is_udp }
local from = {}
office:udp { port = 9, on_datagram = function(_, address) from.office = address end }
lab:udp { port = 9, on_datagram = function(_, address) from.lab = address end }
local sock = host:udp()
sock:sendto("to the office", "192.168.1.20", 9)
sock:sendto("to the lab", "172.16.200.7", 9)
hs.run "1s"

hs.expect_equal("one datagram left by the first card", { #first, first[1] and first[1].packet.ip.dst }, { 1, "192.168.1.20" })
hs.expect_equal("one datagram left by the second card", { #second, second[1] and second[1].packet.ip.dst }, { 1, "172.16.200.7" })
hs.expect_equal("each carries the source address of its card", from, { office = "192.168.1.10", lab = "172.16.5.10" })

hs.note {
  en = "A destination that no entry matches cannot be sent to: the host has no default route.",
  zh = "没有任何表项匹配的目的地，就不能向它发送：主机没有默认路由。",
}
local sent, why = sock:sendto("to nowhere", "198.51.100.1", 9)
hs.expect_equal("no entry, no packet", { sent, why }, { nil, "ENETUNREACH" })

hs.translate("zh", {
  ["192.168.1.20 matches the first entry only"] = "192.168.1.20 只匹配第一个表项",
  ["172.16.200.7 matches the second entry only"] = "172.16.200.7 只匹配第二个表项",
  ["the lookup gives the first card and its address for the office"] = "对 office 的查找给出第一块网卡及其地址",
  ["the lookup gives the second card and its address for the lab"] = "对 lab 的查找给出第二块网卡及其地址",
  ["one datagram left by the first card"] = "一个数据报从第一块网卡离开",
  ["one datagram left by the second card"] = "一个数据报从第二块网卡离开",
  ["each carries the source address of its card"] = "各自带着其网卡的源地址",
  ["no entry, no packet"] = "没有表项，就没有分组",
})
