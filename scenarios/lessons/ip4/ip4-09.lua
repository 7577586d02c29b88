-- IP4-09  Classes A to E.
-- Before masks were written down, the first bits of an address told how long its network number is (RFC 791 section 3.2): 0 is
-- class A with 8 bits, 10 class B with 16, 110 class C with 24. 1110 is class D, multicast groups (RFC 1112), and 1111
-- class E, reserved. Each test counts only if all bits before it were 1: class B starts with 10, not with "second bit 0".
-- D and E have no network number and no hosts: such an address cannot be given to an interface.
local hs = require "hopscope"
hs.title { en = "IP4-09 Classes A to E", zh = "IP4-09 A 到 E 类地址" }

local classes = { -- first octet from, to; bits of the network number
  { "A", 0, 127, 8 }, { "B", 128, 191, 16 }, { "C", 192, 223, 24 }, { "D", 224, 239 }, { "E", 240, 255 },
}
hs.note { en = "The ends of each class's range, and every first octet between them.", zh = "每一类范围的两端，以及其间的每个首八位组。" }
for _, class in ipairs(classes) do
  local name, first, last, bits = table.unpack(class)
  hs.expect_equal("class " .. name .. " begins with " .. first, { hs.ip4.class(first .. ".0.0.0") }, { name, bits })
  hs.expect_equal("class " .. name .. " ends with " .. last, { hs.ip4.class(last .. ".255.255.255") }, { name, bits })
  local strays = 0
  for octet = first, last do
    if hs.ip4.class(octet << 24) ~= name then strays = strays + 1 end
  end
  hs.expect_equal("and all octets between are class " .. name, strays, 0)
end
-- 64 = 0100 0000: the second bit is 1, 0 = 0000 0000: the second bit is 0. Both are A, because the first bit decides.
hs.note {
  en = "Only the first bit counts for A: its second bit may be 0 or 1. The classes are told apart in order.",
  zh = "对 A 类只看第一个比特：第二个比特可以是 0 或 1。各类按次序区分。",
}
hs.expect_equal("0.0.0.0 is not class B although its second bit is 0", (hs.ip4.class "0.0.0.0"), "A")
hs.expect_equal("128.0.0.0 (10…) is class B", (hs.ip4.class "128.0.0.0"), "B")
hs.expect_equal("64.0.0.0 (01…) is class A", (hs.ip4.class "64.0.0.0"), "A")

hs.note { en = "Interfaces refuse groups and reserved addresses; nothing is configured.", zh = "接口拒绝多播组地址和保留地址；什么也不会被配置。" }
local a, b = hs.host "a", hs.host "b"
local link = hs.link(a, b, { subnet = "192.0.2.0/24" })
local function configure(address)
  return function() a:address("eth0", address) end
end
hs.expect_error("224.1.1.1 (class D) is refused", configure "224.1.1.1/24", "a multicast (class D) address cannot be a host's")
hs.expect_error("239.255.255.254 (class D) is refused", configure "239.255.255.254/24", "a multicast (class D) address")
hs.expect_error("240.0.0.1 (class E) is refused", configure "240.0.0.1/24", "class E addresses are reserved")
hs.expect_error("255.255.255.254 (class E) is refused", configure "255.255.255.254/24", "class E addresses are reserved")
hs.expect_error("a link's option is refused in the same way", function()
  hs.link(a, b, { address = { a = "240.0.0.1/24" } })
end, "class E addresses are reserved")
a:address("eth0", "223.255.255.1/24")
hs.expect_equal("223.255.255.1, the last network of class C, is accepted", a:addr(), "223.255.255.1")
hs.expect_equal("and is the only address of the host", #a:addresses(), 1)

hs.translate("zh", {
  ["class A begins with 0"] = "A 类从 0 开始",
  ["class A ends with 127"] = "A 类到 127 结束",
  ["and all octets between are class A"] = "其间所有八位组都是 A 类",
  ["class B begins with 128"] = "B 类从 128 开始",
  ["class B ends with 191"] = "B 类到 191 结束",
  ["and all octets between are class B"] = "其间所有八位组都是 B 类",
  ["class C begins with 192"] = "C 类从 192 开始",
  ["class C ends with 223"] = "C 类到 223 结束",
  ["and all octets between are class C"] = "其间所有八位组都是 C 类",
  ["class D begins with 224"] = "D 类从 224 开始",
  ["class D ends with 239"] = "D 类到 239 结束",
  ["and all octets between are class D"] = "其间所有八位组都是 D 类",
  ["class E begins with 240"] = "E 类从 240 开始",
  ["class E ends with 255"] = "E 类到 255 结束",
  ["and all octets between are class E"] = "其间所有八位组都是 E 类",
  ["0.0.0.0 is not class B although its second bit is 0"] = "0.0.0.0 不是 B 类，尽管它的第二个比特是 0",
  ["128.0.0.0 (10…) is class B"] = "128.0.0.0（10…）是 B 类",
  ["64.0.0.0 (01…) is class A"] = "64.0.0.0（01…）是 A 类",
  ["{}.{} (class D) is refused"] = "{}.{}（D 类）被拒绝",
  ["{}.{} (class E) is refused"] = "{}.{}（E 类）被拒绝",
  ["a link's option is refused in the same way"] = "链路的选项同样被拒绝",
  ["223.255.255.1, the last network of class C, is accepted"] = "223.255.255.1 在 C 类的最后一个网络，被接受",
  ["and is the only address of the host"] = "并且是主机唯一的地址",
})
