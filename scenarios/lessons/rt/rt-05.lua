-- RT-05  Forwarding rewrites the link header.
-- A MAC address means something on one link only. A router takes the IP packet out of its frame, lowers the TTL, corrects the
-- header checksum, looks up the next hop and puts the packet into a new frame for that next hop (RFC 1812 5.2.1). The IP
-- header itself stays: source and destination are the two ends (only NAT would change them).
local hs = require "hopscope"
hs.title { en = "RT-05 Forwarding rewrites the link header", zh = "RT-05 转发时重写链路首部" }

local a, r1, r2, b = hs.host "a", hs.router "r1", hs.router "r2", hs.host "b"
local links = { hs.link(a, r1, { delay = "1ms" }), hs.link(r1, r2, { delay = "1ms" }), hs.link(r2, b, { delay = "1ms" }) }

local hops = hs.frames { filter = function(p) return p.udp end }
local payload = "the same bytes all the way"
local got
b:udp { port = 9, on_datagram = function(data) got = data end }
a:udp():sendto(payload, "b", 9)
hs.run "1s"

hs.note {
  en = "One datagram over two routers: three links, three frames. Compare the columns.",
  zh = "一个数据报经过两台路由器：三条链路，三个帧。比较各列。",
}
print "    link    source MAC         destination MAC    source IP    dest. IP    TTL  checksum"
for _, f in ipairs(hops) do
  local e, ip = f.packet.eth, f.packet.ip
  print(string.format("    %-6s  %s  %s  %-11s  %-10s  %d   0x%04x",
    f.from .. ">" .. f.to, e.src, e.dst, ip.src, ip.dst, ip.ttl, ip.checksum))
end
hs.expect_equal("three frames", #hops, 3)

-- RFC 791: the one's complement of the one's complement sum of the header's words; over a right header the sum is 0xffff.
local function header_sum(f)
  local header, sum = f.packet:bytes():sub(15, 34), 0
  for at = 1, 20, 2 do sum = sum + string.unpack(">I2", header, at) end
  return (sum & 0xffff) + (sum >> 16)
end

hs.note {
  en = "Both MAC addresses are new on each link: those of the two cards at its ends. TTL and checksum change at each router.",
  zh = "每条链路上两个 MAC 地址都是新的：是链路两端网卡的地址。TTL 和校验和在每台路由器上改变。",
}
for i, f in ipairs(hops) do
  local p, link = f.packet, links[i]
  hs.expect_equal("link " .. i .. ": the MAC addresses are those of its two ends", { p.eth.src, p.eth.dst },
    { link:dev(link.a).mac, link:dev(link.b).mac })
  hs.expect_equal("link " .. i .. ": the IP addresses are those of a and b", { p.ip.src, p.ip.dst }, { a:addr(), b:addr() })
  hs.expect_equal("link " .. i .. ": the TTL is 64 less the routers passed", p.ip.ttl, 64 - (i - 1))
  hs.expect_equal("link " .. i .. ": the header checksum is right", header_sum(f), 0xffff)
  -- Behind the IP header: 8 bytes of UDP header and 26 of data.
  hs.expect_equal("link " .. i .. ": what IP carries is untouched", p:bytes():sub(35, 34 + 8 + #payload),
    hops[1].packet:bytes():sub(35, 34 + 8 + #payload))
end

-- The TTL is the upper byte of a word: one less there is 0x100 more in the checksum (RFC 1141), carry included.
local function one_hop_later(sum) return (sum + 0x100) % 0xffff end
hs.expect_equal("each router adds 0x100 to the checksum, as it takes 1 off the TTL",
  { hops[2].packet.ip.checksum, hops[3].packet.ip.checksum },
  { one_hop_later(hops[1].packet.ip.checksum), one_hop_later(hops[2].packet.ip.checksum) })
hs.expect_equal("b reads what a has sent", got, payload)

hs.translate("zh", {
  ["three frames"] = "三个帧",
  ["link {}: the MAC addresses are those of its two ends"] = "链路 {}：MAC 地址是它两端的地址",
  ["link {}: the IP addresses are those of a and b"] = "链路 {}：IP 地址是 a 和 b 的地址",
  ["link {}: the TTL is {} less the routers passed"] = "链路 {}：TTL 是 {} 减去经过的路由器数",
  ["link {}: the header checksum is right"] = "链路 {}：首部校验和正确",
  ["link {}: what IP carries is untouched"] = "链路 {}：IP 所承载的没有变动",
  ["each router adds 0x100 to the checksum, as it takes 1 off the TTL"] = "每台路由器使校验和加 0x100，因为它把 TTL 减 1",
  ["b reads what a has sent"] = "b 读到 a 所发送的",
})
