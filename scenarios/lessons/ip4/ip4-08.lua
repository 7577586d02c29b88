-- IP4-08  Network and host number.
-- An address has two parts: which network, and which host in it. The mask tells where the one ends and the other begins: its
-- ones cover the network. Address AND mask is the network number, address AND NOT mask the host number (RFC 950 section
-- 2.1). A host does this arithmetic for its own address to know who is its neighbour.
local hs = require "hopscope"
hs.title { en = "IP4-08 Network and host number", zh = "IP4-08 网络号与主机号" }

hs.note {
  en = "10.100.122.2/24: the first 24 bits are the network 10.100.122.0, the last 8 the host 0.0.0.2.",
  zh = "10.100.122.2/24：前 24 位是网络 10.100.122.0，后 8 位是主机 0.0.0.2。",
}
local p = hs.ip4.prefix "10.100.122.2/24"
hs.expect_equal("the mask of /24", p.mask, "255.255.255.0")
hs.expect_equal("network number", p.network, "10.100.122.0")
hs.expect_equal("host number", p.host, "0.0.0.2")

hs.note { en = "The same by hand, bit by bit, with the numbers behind the texts.", zh = "同样的事用手算，逐个比特，用文字背后的数。" }
local address, mask = hs.ip4.parse "10.100.122.2", hs.ip4.parse "255.255.255.0"
hs.expect_equal("address AND mask", hs.ip4.format(address & mask), p.network)
hs.expect_equal("address AND NOT mask", hs.ip4.format(address & ~mask), p.host)
hs.expect_equal("put together they are the address again", address & mask | address & ~mask, address)

-- The mask need not end at a dot: of 122 = 0111 1010 a /20 takes the upper four bits, 0111 0000 = 112.
hs.note {
  en = "A mask may end inside an octet: with /20 the network is 10.100.112.0 and the host 0.0.10.2.",
  zh = "掩码可以在一个八位组的中间结束：用 /20 时网络是 10.100.112.0，主机是 0.0.10.2。",
}
local q = hs.ip4.prefix("10.100.122.2", 20)
hs.expect_equal("network number with /20", q.network, "10.100.112.0")
hs.expect_equal("host number with /20", q.host, "0.0.10.2")

hs.note {
  en = "A host that gets 10.100.122.2/24 computes the same: its neighbours are the network 10.100.122.0/24.",
  zh = "得到 10.100.122.2/24 的主机算出同样的结果：它的邻居是网络 10.100.122.0/24。",
}
local host, other = hs.host "host", hs.host "other"
hs.link(host, other, { address = { host = "10.100.122.2/24", other = "10.100.122.77/24" } })
local connected
for _, route in ipairs(host:routes()) do
  if route.type == "unicast" and not route.via then connected = route.to end
end
hs.expect_equal("the connected route of the host is its network number", connected, "10.100.122.0/24")

hs.translate("zh", {
  ["the mask of /24"] = "/24 的掩码",
  ["network number"] = "网络号",
  ["host number"] = "主机号",
  ["address AND mask"] = "地址 AND 掩码",
  ["address AND NOT mask"] = "地址 AND NOT 掩码",
  ["put together they are the address again"] = "合在一起又是那个地址",
  ["network number with /20"] = "/20 时的网络号",
  ["host number with /20"] = "/20 时的主机号",
  ["the connected route of the host is its network number"] = "主机的直连路由就是它的网络号",
})
