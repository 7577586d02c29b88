-- IP4-05  Type-of-service byte.
-- RFC 791 and 1349 put three things into the second byte of the header: 3 bits of precedence (hardly ever used), 4 bits that ask
-- for low delay, high throughput, reliability or low cost, and a zero bit. Today the same byte is read as 6 bits DSCP (RFC
-- 2474) and 2 bits ECN (RFC 3168). Routers pass it on as it is, and without a wish it is 0.
local hs = require "hopscope"
hs.title { en = "IP4-05 Type-of-service byte", zh = "IP4-05 服务类型字节" }

local a, r1, r2, b = hs.host "a", hs.router "r1", hs.router "r2", hs.host "b"
hs.link(a, r1)
hs.link(r1, r2)
local last = hs.link(r2, b)
local seen = hs.frames { link = last, filter = function(p) return p.udp end }
local got = {}
b:udp { port = 7, on_datagram = function(_, _, _, info) got[#got + 1] = info.tos end }

--                 precedence:  7     6     5 | service: delay, throughput, reliability, cost | zero
local wishes = { 0xe0, 0xc0, 0xa0, 0x10, 0x08, 0x04, 0x02 }
hs.note {
  en = "3 + 4 + 1 bits: precedence 7, 6, 5, then one datagram for each of the four services; first one without a wish.",
  zh = "3 + 4 + 1 个比特：优先级 7、6、5，然后四种服务各一个数据报；最先是一个没有要求的。",
}
a:spawn(function(os)
  local sock = os.udp()
  sock:sendto("no wish", "b", 7)
  for _, tos in ipairs(wishes) do sock:sendto("wish", "b", 7, { tos = tos }) end
end)
hs.run "2s"
hs.expect_equal("the default is 0", got[1], 0)
hs.expect_equal("two routers later the byte is what was sent", { table.unpack(got, 2) }, wishes)
local precedence, service = {}, {}
for i, frame in ipairs(seen) do
  local tos = frame.packet.ip.tos
  precedence[i], service[i] = tos >> 5, tos >> 1 & 15
end
hs.expect_equal("the upper three bits: precedence", precedence, { 0, 7, 6, 5, 0, 0, 0, 0 })
hs.expect_equal("the next four: delay 8, throughput 4, reliability 2, cost 1", service, { 0, 0, 0, 0, 8, 4, 2, 1 })

-- EF, expedited forwarding, is DSCP 46 (RFC 3246): 46 * 4 = 0xb8. ECT(0) is 2, ECT(1) is 1 (RFC 3168).
hs.note {
  en = "The same byte in today's reading: 6 bits DSCP and 2 bits ECN. 0xb8 is DSCP 46 (telephone), 0xba the same with ECT(0).",
  zh = "同一个字节在今天的读法：6 个比特的 DSCP 和 2 个比特的 ECN。0xb8 是 DSCP 46（电话），0xba 与它相同，另加 ECT(0)。",
}
a:spawn(function(os)
  local sock = os.udp()
  sock:setopt("IP_TOS", 0xb8)
  sock:sendto("call", "b", 7)
  sock:sendto("call", "b", 7, { tos = 0xba })
end)
hs.run "2s"
local ef, ect = seen[9].packet.ip, seen[10].packet.ip
hs.expect_equal("0xb8 is DSCP 46, no ECN", { ef.dscp, ef.ecn }, { 46, 0 })
hs.expect_equal("0xba is DSCP 46 and ECT(0)", { ect.dscp, ect.ecn }, { 46, 2 })
-- The wish for low cost, 0000 0010, is today's ECT(0): the two readings of the byte collide.
hs.expect_equal("b counts two packets of ten with ECT(0): this one, and the old wish for low cost",
  { b:counter "IpExtInNoECTPkts", b:counter "IpExtInECT0Pkts" }, { 8, 2 })

hs.translate("zh", {
  ["the default is 0"] = "默认值是 0",
  ["two routers later the byte is what was sent"] = "经过两台路由器，字节仍是所发送的",
  ["the upper three bits: precedence"] = "高三位：优先级",
  ["the next four: delay 8, throughput 4, reliability 2, cost 1"] = "接下来的四位：时延 8、吞吐量 4、可靠性 2、代价 1",
  ["0xb8 is DSCP 46, no ECN"] = "0xb8 是 DSCP 46，没有 ECN",
  ["0xba is DSCP 46 and ECT(0)"] = "0xba 是 DSCP 46 和 ECT(0)",
  ["b counts two packets of ten with ECT(0): this one, and the old wish for low cost"] = "b 在十个分组中计入两个 ECT(0)：这一个，以及从前要求低代价的那个",
})
