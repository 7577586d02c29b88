-- tshark-allow: Bad checksum (a link damages headers and payloads on purpose)
-- IP4-02  Header checksum.
-- The sum of the header's 16-bit words, with carries added at the end and all bits turned over (RFC 791 section 3.1, RFC 1071).
-- It covers the header only. A router lowers the TTL and so has to change the sum as well: the word TTL/protocol falls by
-- 0x0100, so the checksum rises by 0x0100 (RFC 1141). The payload is not IP's business: UDP and TCP have sums of their own.
local hs = require "hopscope"
hs.title { en = "IP4-02 Header checksum", zh = "IP4-02 首部校验和" }

-- The rule of RFC 1071 by hand; the checksum field itself counts as zero.
local function checksum(header)
  local sum = 0
  for i = 1, #header, 2 do
    if i ~= 11 then sum = sum + string.unpack(">I2", header, i) end
  end
  while sum > 0xffff do sum = (sum & 0xffff) + (sum >> 16) end
  return ~sum & 0xffff
end
local example = "\x45\x00\x00\x53\x93\x25\x00\x00\x80\x11\x00\x00\xc0\xa8\x00\x37\xc0\xa8\x00\x01"
hs.note {
  en = "By hand: the sum over 4500 0053 9325 0000 8011 c0a8 0037 c0a8 0001 is da13 with carries; all bits turned: 25ec.",
  zh = "手工计算：4500 0053 9325 0000 8011 c0a8 0037 c0a8 0001 带进位的和是 da13；所有比特取反：25ec。",
}
hs.expect_equal("the checksum of the example header is 0x25ec", checksum(example), 0x25ec)
hs.expect_equal("the stack computes the same", hs.ip4.decode(hs.ip4.encode { src = "192.168.0.55", dst = "192.168.0.1",
  len = 83, id = 0x9325, ttl = 128, proto = 17 }).checksum, 0x25ec)

local a, r1, r2, b = hs.host "a", hs.router "r1", hs.router "r2", hs.host "b"
local first = hs.link(a, r1)
local middle = hs.link(r1, r2)
local last = hs.link(r2, b)
local heard = {}
b:udp { port = 7, on_datagram = function(data) heard[#heard + 1] = data end }
local seen
local errors = hs.frames { filter = function(p) return p.icmp end }
local function send(text)
  seen = hs.frames { filter = function(p) return p.udp end }
  a:spawn(function(os) os.udp():sendto(text, "b", 7) end)
  hs.run "2s"
end

hs.note {
  en = "A datagram crosses two routers. TTL and header checksum change at both, the checksum of UDP never.",
  zh = "一个数据报经过两台路由器。TTL 和首部校验和在两处都改变，UDP 的校验和从不改变。",
}
send "intact"
local ttl, sums, by_hand, udp = {}, {}, {}, {}
for i, frame in ipairs(seen) do
  local p = frame.packet
  ttl[i], sums[i], udp[i] = p.ip.ttl, p.ip.checksum, p.udp.checksum
  by_hand[i] = checksum(p:bytes():sub(15, 34)) -- behind 14 bytes of Ethernet
end
hs.expect_equal("TTL on the three links", ttl, { 64, 63, 62 })
hs.expect_equal("each header's checksum is right", sums, by_hand)
-- Turned-over sums wrap at 0xffff instead of 0x10000.
local function risen(sum) return sum + 0x100 > 0xffff and sum + 0x100 - 0xffff or sum + 0x100 end
hs.expect_equal("every router raises it by 0x0100", { sums[2], sums[3] }, { risen(sums[1]), risen(risen(sums[1])) })
hs.expect_equal("UDP's checksum is the same on all links", udp, { udp[1], udp[1], udp[1] })

-- The frame's own check (FCS) would find the damage first; fcs = false lets the link make it right, as a router does that
-- damages a packet in its memory. Bit 14 * 8 + 8 * 8 is the first of the TTL, byte 14 + 20 + 8 + 1 is in the payload.
hs.note {
  en = "Now r1 damages the TTL of a packet. r2 finds the header's checksum wrong and drops it without a word.",
  zh = "现在 r1 损坏了一个分组的 TTL。r2 发现首部校验和不对，一声不响地丢弃了它。",
}
middle:rule(function(p) return p.udp and { "corrupt", bit = (14 + 8) * 8, fcs = false } end)
send "damaged header"
hs.expect_equal("r2 has dropped one packet for its header's checksum", r2:counter "IpExtInCsumErrors", 1)
hs.expect_equal("and forwarded only the first datagram", r2:counter "IpForwDatagrams", 1)
hs.expect_equal("nobody is told: the source address may be what is wrong", #errors, 0)

hs.note {
  en = "Then a bit of the payload. r2 and the IP of b find nothing wrong: it is UDP that drops the datagram.",
  zh = "然后是有效载荷的一个比特。r2 和 b 的 IP 都没有发现问题：丢弃数据报的是 UDP。",
}
middle:rule(function(p) return p.udp and { "corrupt", bit = (14 + 20 + 8 + 1) * 8, fcs = false } end)
send "damaged payload"
hs.expect_equal("r2 forwards it", r2:counter "IpForwDatagrams", 2)
hs.expect_equal("the IP of b delivers it", { b:counter "IpInDelivers", b:counter "IpExtInCsumErrors" }, { 2, 0 })
hs.expect_equal("the UDP of b drops it", { b:counter "UdpInCsumErrors", b:counter "UdpInDatagrams" }, { 1, 1 })
hs.expect_equal("only the intact datagram reached the program", heard, { "intact" })

hs.note {
  en = "Whoever changes a header must repair its checksum: a rule that does is not noticed, one that does not is.",
  zh = "谁改动首部，谁就必须修正校验和：修正了的规则不会被察觉，没有修正的则会。",
}
middle:rule(function(p) if p.udp then p.ip.tos = 0x10 end end)
send "changed and repaired"
middle:rule(function(p) if p.udp then p:set("ip.tos", 0x10, { checksums = false }) end end)
send "changed and left"
hs.expect_equal("the repaired one arrives, the other does not", heard, { "intact", "changed and repaired" })
hs.expect_equal("it was dropped by r2, the second with a bad header", r2:counter "IpExtInCsumErrors", 2)

hs.translate("zh", {
  ["the checksum of the example header is 0x25ec"] = "例子中首部的校验和是 0x25ec",
  ["the stack computes the same"] = "协议栈算得相同",
  ["TTL on the three links"] = "三条链路上的 TTL",
  ["each header's checksum is right"] = "每个首部的校验和都正确",
  ["every router raises it by 0x0100"] = "每台路由器使它增加 0x0100",
  ["UDP's checksum is the same on all links"] = "UDP 的校验和在所有链路上相同",
  ["r2 has dropped one packet for its header's checksum"] = "r2 因首部校验和丢弃了一个分组",
  ["and forwarded only the first datagram"] = "只转发了第一个数据报",
  ["nobody is told: the source address may be what is wrong"] = "谁也没有得到通知：出错的可能就是源地址",
  ["r2 forwards it"] = "r2 转发它",
  ["the IP of b delivers it"] = "b 的 IP 交付它",
  ["the UDP of b drops it"] = "b 的 UDP 丢弃它",
  ["only the intact datagram reached the program"] = "只有完好的数据报到达程序",
  ["the repaired one arrives, the other does not"] = "修正过的到达，另一个没有",
  ["it was dropped by r2, the second with a bad header"] = "它被 r2 丢弃，是第二个首部错误的",
})
