-- IP4-13  Subnetting.
-- An organisation with one class C network cuts it up itself (RFC 950): it borrows bits from the host number for the number of
-- a subnet. 255.255.255.192 has 26 ones, two more than class C: 2^2 = 4 subnets with 2^6 - 2 = 62 hosts each. Hosts of
-- different subnets are strangers, even on one cable: .10 and .70 need a router, .10 and .20 do not.
local hs = require "hopscope"
hs.title { en = "IP4-13 Subnetting", zh = "IP4-13 划分子网" }

hs.note {
  en = "192.168.1.0 with 255.255.255.192: four subnets that begin at .0, .64, .128 and .192.",
  zh = "192.168.1.0 用 255.255.255.192：四个子网，从 .0、.64、.128 和 .192 开始。",
}
local _, class_bits = hs.ip4.class "192.168.1.0"
local length = hs.ip4.mask_length "255.255.255.192"
hs.expect_equal("bits borrowed", length - class_bits, 2)
local subnets, hosts = {}, {}
for number = 0, (1 << length - class_bits) - 1 do
  local subnet = hs.ip4.prefix(hs.ip4.parse "192.168.1.0" + (number << 32 - length), length)
  subnets[#subnets + 1], hosts[#hosts + 1] = subnet.text, subnet.hosts
end
hs.expect_equal("the subnets", subnets, { "192.168.1.0/26", "192.168.1.64/26", "192.168.1.128/26", "192.168.1.192/26" })
hs.expect_equal("62 hosts in each", hosts, { 62, 62, 62, 62 })

-- All on one switch, so that nothing but the numbers decides.
local switch, router = hs.switch "switch", hs.router "router"
local h10, h20, h70 = hs.host "h10", hs.host "h20", hs.host "h70"
hs.auto_routes(false)
hs.link(router, switch, { address = { router = "192.168.1.1/26" } })
router:address("eth0", "192.168.1.65/26")
hs.link(h10, switch, { address = { h10 = "192.168.1.10/26" } })
hs.link(h20, switch, { address = { h20 = "192.168.1.20/26" } })
hs.link(h70, switch, { address = { h70 = "192.168.1.70/26" } })
router:sysctl("net.ipv4.conf.all.send_redirects", false) -- it would tell them that they are on one cable

hs.note {
  en = "Without a router in its table, .10 reaches .20, but has no way to .70.",
  zh = "路由表中没有路由器时，.10 到得了 .20，却没有去 .70 的路。",
}
local to_20, to_70, why
h10:spawn(function(os)
  to_20 = os.ping("192.168.1.20", { count = 1 })
  to_70, why = os.ping("192.168.1.70", { count = 1 })
end)
hs.run "3s"
hs.expect_equal(".10 reaches .20 without a router", to_20.received, 1)
hs.expect_equal("directly: no router has lowered the TTL of 64", to_20.replies[1].ttl, 64)
hs.expect_equal(".10 does not reach .70 without a router", { to_70, why }, { nil, "ENETUNREACH" })

hs.note {
  en = "With the router as the default gateway of both, the packets go in and out by the router's only card.",
  zh = "路由器成为两者的默认网关之后，分组从路由器唯一的网卡进来又出去。",
}
h10:route { to = "default", via = "192.168.1.1" }
h70:route { to = "default", via = "192.168.1.65" }
local again
h10:spawn(function(os) again = os.ping("192.168.1.70", { count = 1 }) end)
hs.run "3s"
hs.expect_equal(".10 reaches .70 by the router", again.received, 1)
hs.expect_equal("which has taken one from the TTL", again.replies[1].ttl, 63)
hs.expect_equal("and has forwarded the request and the reply", router:counter "IpForwDatagrams", 2)

hs.translate("zh", {
  ["bits borrowed"] = "借用的比特",
  ["the subnets"] = "各个子网",
  ["62 hosts in each"] = "每个有 62 台主机",
  [".10 reaches .20 without a router"] = ".10 不用路由器就到达 .20",
  ["directly: no router has lowered the TTL of 64"] = "直接到达：没有路由器减小过 64 的 TTL",
  [".10 does not reach .70 without a router"] = "没有路由器，.10 到不了 .70",
  [".10 reaches .70 by the router"] = ".10 经路由器到达 .70",
  ["which has taken one from the TTL"] = "路由器从 TTL 减去了一",
  ["and has forwarded the request and the reply"] = "并转发了请求和应答",
})
