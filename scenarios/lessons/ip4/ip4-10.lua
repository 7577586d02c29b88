-- IP4-10  Hosts per class.
-- With h bits for the host there are 2^h numbers, but two of them are not for hosts (RFC 1122 section 3.2.1.3): all ones means
-- "all hosts of this network", all zeros the network itself. So a class C network has 2^8 - 2 hosts, B 2^16 - 2 and A
-- 2^24 - 2. A link of two routers would waste half of a /30; RFC 3021 lets a /31 use both of its numbers.
local hs = require "hopscope"
hs.title { en = "IP4-10 Hosts per class", zh = "IP4-10 每一类的主机数" }

hs.note {
  en = "2^8 - 2 = 254, 2^16 - 2 = 65,534 and 2^24 - 2 = 16,777,214 hosts.",
  zh = "2^8 - 2 = 254、2^16 - 2 = 65,534 和 2^24 - 2 = 16,777,214 台主机。",
}
for _, case in ipairs { { "192.0.2.0", "C", 254 }, { "172.16.0.0", "B", 65534 }, { "10.0.0.0", "A", 16777214 } } do
  local address, name, hosts = table.unpack(case)
  local class, bits = hs.ip4.class(address)
  hs.expect_equal(address .. " is class " .. name, class, name)
  hs.expect_equal("a class " .. name .. " network has " .. hosts .. " hosts", hs.ip4.prefix(address, bits).hosts, hosts)
end
local p = hs.ip4.prefix "192.168.5.0/24"
hs.expect_equal("the hosts of 192.168.5.0/24 are .1 to .254", { p.first, p.last }, { "192.168.5.1", "192.168.5.254" })
hs.expect_equal("and .255 speaks to all of them", p.broadcast, "192.168.5.255")

hs.note { en = "A host cannot have the number of the network, nor that of everybody.", zh = "主机不能使用网络本身的号码，也不能使用代表所有人的号码。" }
local a, b = hs.host "a", hs.host "b"
hs.link(a, b, { subnet = "192.0.2.0/24" })
local function configure(address)
  return function() a:address("eth0", address) end
end
hs.expect_error("192.168.5.0/24 is refused", configure "192.168.5.0/24",
  "192.168.5.0/24 is the address of the network itself: its hosts are numbered from 192.168.5.1")
hs.expect_error("192.168.5.255/24 is refused", configure "192.168.5.255/24",
  "192.168.5.255/24 is the broadcast address of its network")
a:address("eth0", "192.168.5.1/24")
a:address("eth0", "192.168.5.254/24")
hs.expect_equal("the first and the last host number are accepted", #a:addresses(), 2)

hs.note {
  en = "All ones and all zeros count within the mask: in a /16 the same .0 and .255 are ordinary hosts.",
  zh = "全一和全零是就掩码之内而言的：在 /16 中，同样的 .0 和 .255 是普通的主机。",
}
a:address("eth0", "172.16.5.0/16")
a:address("eth0", "172.16.5.255/16")
hs.expect_equal("172.16.5.0/16 and 172.16.5.255/16 are accepted", #a:addresses(), 4)

hs.note {
  en = "On a /31 between two routers there is nobody else to speak to: both numbers are hosts, and ping works.",
  zh = "两台路由器之间的 /31 上没有别人可以说话：两个号码都是主机，ping 也能通。",
}
local r1, r2 = hs.router "r1", hs.router "r2"
hs.link(r1, r2, { address = { r1 = "203.0.113.0/31", r2 = "203.0.113.1/31" }, delay = "1ms" })
hs.expect_equal("a /31 has two hosts and no broadcast address",
  { hs.ip4.prefix("203.0.113.0/31").hosts, hs.ip4.prefix("203.0.113.0/31").broadcast }, { 2 })
local ping
r1:spawn(function(os) ping = os.ping("203.0.113.1", { count = 1 }) end)
hs.run "2s"
hs.expect_equal("203.0.113.0 pings 203.0.113.1", ping.received, 1)

hs.translate("zh", {
  ["192.0.2.0 is class C"] = "192.0.2.0 是 C 类",
  ["a class C network has 254 hosts"] = "C 类网络有 254 台主机",
  ["172.16.0.0 is class B"] = "172.16.0.0 是 B 类",
  ["a class B network has 65534 hosts"] = "B 类网络有 65534 台主机",
  ["10.0.0.0 is class A"] = "10.0.0.0 是 A 类",
  ["a class A network has 16777214 hosts"] = "A 类网络有 16777214 台主机",
  ["the hosts of 192.168.5.0/24 are .1 to .254"] = "192.168.5.0/24 的主机是 .1 到 .254",
  ["and .255 speaks to all of them"] = ".255 则对所有主机说话",
  ["{}.{}/{} is refused"] = "{}.{}/{} 被拒绝",
  ["the first and the last host number are accepted"] = "第一个和最后一个主机号被接受",
  ["172.16.5.0/16 and 172.16.5.255/16 are accepted"] = "172.16.5.0/16 和 172.16.5.255/16 被接受",
  ["a /31 has two hosts and no broadcast address"] = "/31 有两台主机，没有广播地址",
  ["203.0.113.0 pings 203.0.113.1"] = "203.0.113.0 ping 203.0.113.1",
})
