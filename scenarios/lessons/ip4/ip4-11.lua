-- IP4-11  Why classes failed.
-- A class fixes the size of a network: 254 hosts (C) or 65,534 (B), and nothing between. A site of 300 hosts is too large for C
-- and gets a B, of which it uses less than half a percent. With CIDR (RFC 4632) the border between network and host may be
-- at any bit, and nobody gets more than the next power of two. Classes also had no levels: a site's networks could not be
-- summed up by one entry for those far away, while a prefix can be cut into prefixes.
local hs = require "hopscope"
hs.title { en = "IP4-11 Why classes failed", zh = "IP4-11 分类地址为什么失败" }

-- What a site gets: the smallest class network that is large enough, and the longest prefix that is.
local function by_class(hosts)
  for _, example in ipairs { "192.0.2.0", "172.16.0.0", "10.0.0.0" } do -- C, B, A
    local class, bits = hs.ip4.class(example)
    local net = hs.ip4.prefix(example, bits)
    if hosts <= net.hosts then return class, net end
  end
end
local function by_cidr(hosts)
  for length = 30, 8, -1 do
    local net = hs.ip4.prefix("10.0.0.0", length)
    if hosts <= net.hosts then return net end
  end
end

local waste = { class = 0, cidr = 0 }
for _, site in ipairs { { hosts = 300, class = 65234, length = 23, cidr = 210 },    -- 65534 - 300; 2^9  - 2 - 300
                        { hosts = 2000, class = 63534, length = 21, cidr = 46 } } do -- 65534 - 2000; 2^11 - 2 - 2000
  local name, class = by_class(site.hosts)
  local cidr = by_cidr(site.hosts)
  hs.note({
    en = "A site of %d hosts. With classes: a whole %s network for %d hosts. With CIDR: a /%d for %d.",
    zh = "一个有 %d 台主机的场所。用分类地址：整整一个 %s 网络，可容纳 %d 台主机。用 CIDR：一个 /%d，可容纳 %d 台。",
  }, site.hosts, name, class.hosts, cidr.length, cidr.hosts)
  hs.expect_equal(site.hosts .. " hosts are too many for C (254): class B", name, "B")
  hs.expect_equal(site.hosts .. " hosts with classes: addresses wasted", class.hosts - site.hosts, site.class)
  hs.expect_equal(site.hosts .. " hosts with CIDR: prefix length", cidr.length, site.length)
  hs.expect_equal(site.hosts .. " hosts with CIDR: addresses wasted", cidr.hosts - site.hosts, site.cidr)
  waste.class, waste.cidr = waste.class + class.hosts - site.hosts, waste.cidr + cidr.hosts - site.hosts
end
hs.expect_equal("both sites together: 128768 addresses wasted by classes, 256 by CIDR", waste, { class = 128768, cidr = 256 })

-- Both fit into 10.0.0.0/20 = .0.0 to .15.255: the /21 is its first half (.0 to .7), the /23 lies in the second (.8 and .9).
hs.note {
  en = "And a prefix has levels: a provider announces one /20 and keeps the two sites inside to itself.",
  zh = "前缀还有层次：提供者只宣告一个 /20，里面的两个场所不必让外面知道。",
}
local provider, big, small, far = hs.router "provider", hs.router "big", hs.router "small", hs.router "far"
hs.auto_routes(false)
hs.link(far, provider, { subnet = "192.0.2.0/30" })
hs.link(provider, big, { address = { provider = "10.0.0.1/21", big = "10.0.7.254/21" } })
hs.link(provider, small, { address = { provider = "10.0.8.1/23", small = "10.0.9.254/23" } })
far:route { to = "10.0.0.0/20", via = "192.0.2.2" }
big:route { to = "default", via = "10.0.0.1" }
small:route { to = "default", via = "10.0.8.1" }
hs.expect("both sites lie in 10.0.0.0/20",
  hs.ip4.contains("10.0.0.0/20", "10.0.7.254") and hs.ip4.contains("10.0.0.0/20", "10.0.9.254"))
local pings = {}
far:spawn(function(os)
  pings[1] = os.ping("10.0.7.254", { count = 1 })
  pings[2] = os.ping("10.0.9.254", { count = 1 })
end)
hs.run "5s"
hs.expect_equal("with one route the far router reaches both sites", pings[1].received + pings[2].received, 2)

hs.translate("zh", {
  ["{} hosts are too many for C ({}): class B"] = "{} 台主机对 C 类（{}）来说太多：B 类",
  ["{} hosts with classes: addresses wasted"] = "{} 台主机用分类地址：浪费的地址数",
  ["{} hosts with CIDR: prefix length"] = "{} 台主机用 CIDR：前缀长度",
  ["{} hosts with CIDR: addresses wasted"] = "{} 台主机用 CIDR：浪费的地址数",
  ["both sites together: 128768 addresses wasted by classes, 256 by CIDR"] = "两个场所合计：分类地址浪费 128768 个，CIDR 浪费 256 个",
  ["both sites lie in 10.0.0.0/20"] = "两个场所都在 10.0.0.0/20 之内",
  ["with one route the far router reaches both sites"] = "远处的路由器用一条路由就能到达两个场所",
})
