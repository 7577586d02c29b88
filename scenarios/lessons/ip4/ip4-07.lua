-- IP4-07  Address notation.
-- An IPv4 address is a number of 32 bits (RFC 791 section 3.2). For people it is cut into four octets, each written as a
-- decimal number of 0 to 255, with dots between them. The text and the number say the same, and there is exactly one
-- text for each number: an octet above 255, a fifth octet or a leading zero is no address.
local hs = require "hopscope"
hs.title { en = "IP4-07 Address notation", zh = "IP4-07 地址的写法" }

hs.note {
  en = "192.168.0.55 is 192 * 2^24 + 168 * 2^16 + 0 * 2^8 + 55: one number of 32 bits.",
  zh = "192.168.0.55 就是 192 * 2^24 + 168 * 2^16 + 0 * 2^8 + 55：一个 32 位的数。",
}
hs.expect_equal("192.168.0.55 as a number", hs.ip4.parse "192.168.0.55", 192 * 2^24 // 1 | 168 << 16 | 0 << 8 | 55)
hs.expect_equal("the smallest address is 0", hs.ip4.parse "0.0.0.0", 0)
hs.expect_equal("the largest is 2^32 - 1, so there are 4,294,967,296", hs.ip4.parse "255.255.255.255" + 1, 4294967296)

hs.note { en = "There and back again: what is read and printed is the same text.", zh = "去了又回：读入的和写出的是同样的文字。" }
for _, text in ipairs { "0.0.0.0", "10.0.0.1", "127.0.0.1", "192.168.31.6", "224.1.1.1", "255.255.255.255" } do
  hs.expect_equal(text .. " is read and printed unchanged", hs.ip4.format(hs.ip4.parse(text)), text)
end
-- Bit k of the number is the address 2^k: 1, 2, … 128 in each of the four octets.
local wrong = 0
for k = 0, 31 do
  local octets = { 0, 0, 0, 0 }
  octets[4 - k // 8] = 1 << k % 8
  if hs.ip4.format(1 << k) ~= table.concat(octets, ".") or hs.ip4.parse(table.concat(octets, ".")) ~= 1 << k then
    wrong = wrong + 1
  end
end
hs.expect_equal("each of the 32 bits has its place in one octet", wrong, 0)

hs.note {
  en = "What is no address: 256 does not fit into eight bits, and 32 bits have room for four octets only.",
  zh = "什么不是地址：256 放不进八个比特，而 32 个比特只放得下四个八位组。",
}
for _, text in ipairs { "256.0.0.1", "10.0.0.256", "10.0.0.1.5", "10.0.0", "10.0.0.", "10..0.1", "10.0.0.01", "0x0a.0.0.1",
                        "-1.0.0.1", "10.0.0.1 ", "" } do
  hs.expect_equal(string.format("%q is rejected", text), (hs.ip4.parse(text)), nil)
end
local _, why = hs.ip4.parse "10.0.0.256"
hs.expect_equal("and the reason is told", why, "an address is four numbers of 0 to 255, separated by dots")

hs.note { en = "A host that is given such an address refuses it as well.", zh = "给主机这样的地址，它也会拒绝。" }
local a, b = hs.host "a", hs.host "b"
hs.expect_error("10.0.0.256 cannot be configured", function()
  hs.link(a, b, { address = { a = "10.0.0.256/24" } })
end, [[got "10.0.0.256/24", expected an address with its prefix length]])
hs.expect_error("nor can five octets", function()
  hs.link(a, b, { address = { a = "10.0.0.1.5/24" } })
end, [[got "10.0.0.1.5/24", expected an address with its prefix length]])
hs.link(a, b, { address = { a = "10.0.0.255/16", b = "10.0.255.1/16" } })
hs.expect_equal("255 is the largest octet: 10.0.0.255 can, in a network where it is not the broadcast address", a:addr(), "10.0.0.255")

hs.translate("zh", {
  ["192.168.0.55 as a number"] = "192.168.0.55 作为一个数",
  ["the smallest address is 0"] = "最小的地址是 0",
  ["the largest is 2^32 - 1, so there are 4,294,967,296"] = "最大的是 2^32 - 1，所以共有 4,294,967,296 个",
  ["{}.{} is read and printed unchanged"] = "{}.{} 读入和写出没有变化",
  ["each of the 32 bits has its place in one octet"] = "32 位中的每一位都在一个八位组中有自己的位置",
  ["\"{}.{}\" is rejected"] = "“{}.{}”被拒绝",
  ["\"{}.{}.{}\" is rejected"] = "“{}.{}.{}”被拒绝",
  ["\"10.0.0.\" is rejected"] = "“10.0.0.”被拒绝",
  ["\"10..0.1\" is rejected"] = "“10..0.1”被拒绝",
  ["\"-1.0.0.1\" is rejected"] = "“-1.0.0.1”被拒绝",
  ["\"10.0.0.1 \" is rejected"] = "“10.0.0.1”被拒绝",
  ["\"\" is rejected"] = "“”被拒绝",
  ["and the reason is told"] = "并说明了原因",
  ["10.0.0.256 cannot be configured"] = "10.0.0.256 不能配置",
  ["nor can five octets"] = "五个八位组也不能",
  ["255 is the largest octet: 10.0.0.255 can, in a network where it is not the broadcast address"] = "255 是最大的八位组：在 10.0.0.255 不是广播地址的网络中，它可以",
})
