-- IP4-12  CIDR and masks.
-- a.b.c.d/x says that the first x bits are the network (RFC 4632 section 3.1). The same can be written as a mask: x ones, then
-- zeros. x may be 0 (no bit is fixed: everybody, the default route) to 32 (all are: one host). Ones after a zero would be a
-- network with holes; such a mask is rejected.
local hs = require "hopscope"
hs.title { en = "IP4-12 CIDR and masks", zh = "IP4-12 CIDR 与掩码" }

hs.note {
  en = "/24 is 255.255.255.0. From the length to the mask and back, for all 33 lengths.",
  zh = "/24 就是 255.255.255.0。从长度到掩码再回来，全部 33 种长度。",
}
hs.expect_equal("/24 as a mask", hs.ip4.mask(24), "255.255.255.0")
hs.expect_equal("/0 as a mask", hs.ip4.mask(0), "0.0.0.0")
hs.expect_equal("/32 as a mask", hs.ip4.mask(32), "255.255.255.255")
hs.expect_equal("/26 as a mask: 192 = 1100 0000", hs.ip4.mask(26), "255.255.255.192")
local same = 0
for length = 0, 32 do
  local number = 2^32 // 1 - (1 << 32 - length) -- x ones and 32 - x zeros
  if hs.ip4.parse(hs.ip4.mask(length)) == number and hs.ip4.mask_length(hs.ip4.mask(length)) == length then
    same = same + 1
  end
end
hs.expect_equal("33 lengths have a mask of so many ones, and come back from it", same, 33)

hs.note {
  en = "A mask with a hole, such as 255.0.255.0, is refused: there is no length for it.",
  zh = "中间有洞的掩码，例如 255.0.255.0，会被拒绝：没有与它对应的长度。",
}
for _, mask in ipairs { "255.0.255.0", "0.255.255.255", "255.255.255.1", "255.255.253.0", "127.0.0.0" } do
  hs.expect_equal(mask .. " is rejected", (hs.ip4.mask_length(mask)), nil)
  hs.expect_equal("so 10.0.0.1 with " .. mask .. " is no prefix", (hs.ip4.prefix("10.0.0.1", mask)), nil)
end
hs.expect_error("a length of 33 is refused", function() hs.ip4.mask(33) end, "expected a whole number from 0 to 32")
hs.expect_equal("10.0.0.0/33 is no prefix", (hs.ip4.prefix "10.0.0.0/33"), nil)
hs.expect_equal("10.0.0.0/ is no prefix", (hs.ip4.prefix "10.0.0.0/"), nil)

hs.note {
  en = "Both ends of the range in use: a default route (/0) leads everywhere, a host route (/32) to one address only.",
  zh = "范围的两端都在使用：默认路由（/0）通向各处，主机路由（/32）只通向一个地址。",
}
local host, r1, r2 = hs.host "host", hs.router "r1", hs.router "r2"
hs.auto_routes(false)
hs.link(host, r1, { subnet = "192.0.2.0/30" })
hs.link(host, r2, { subnet = "192.0.2.4/30" })
host:route { to = "0.0.0.0/0", via = "192.0.2.1" }
host:route { to = "203.0.113.9/32", via = "192.0.2.5" }
hs.expect_equal("203.0.113.9 goes by the host route", host:route_get("203.0.113.9").via, "192.0.2.5")
hs.expect_equal("203.0.113.10 by the default route", host:route_get("203.0.113.10").via, "192.0.2.1")

hs.translate("zh", {
  ["/{} as a mask"] = "/{} 作为掩码",
  ["/26 as a mask: 192 = 1100 0000"] = "/26 作为掩码：192 = 1100 0000",
  ["33 lengths have a mask of so many ones, and come back from it"] = "33 种长度都有那么多个一的掩码，并能从它还原",
  ["{}.{} is rejected"] = "{}.{} 被拒绝",
  ["so {}.{} with {}.{} is no prefix"] = "所以 {}.{} 与 {}.{} 合起来不是前缀",
  ["a length of 33 is refused"] = "长度 33 被拒绝",
  ["10.0.0.0/33 is no prefix"] = "10.0.0.0/33 不是前缀",
  ["10.0.0.0/ is no prefix"] = "10.0.0.0/ 不是前缀",
  ["203.0.113.9 goes by the host route"] = "203.0.113.9 走主机路由",
  ["203.0.113.10 by the default route"] = "203.0.113.10 走默认路由",
})
