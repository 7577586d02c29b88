-- SW-01  Forward by MAC table, unchanged.
-- A switch reads the destination MAC address, finds the port in its table, and sends the frame out of that port: the same
-- bytes, and so the same FCS (IEEE 802.1D clause 7.5). It is not a router: it lowers no TTL and writes no address of its
-- own. (Some books let switches strip and rebuild the link header; only bridges between different kinds of link do that.)
local hs = require "hopscope"
hs.title { en = "SW-01 Forward by MAC table, unchanged", zh = "SW-01 按 MAC 表转发，不作改动" }

local switch = hs.switch "switch"
local a, b, c = hs.host "a", hs.host "b", hs.host "c"
local to_a = hs.link(a, switch, { rate = "100Mbps", delay = "1us" })
local to_b = hs.link(b, switch, { rate = "100Mbps", delay = "1us" })
local to_c = hs.link(c, switch, { rate = "100Mbps", delay = "1us" })

a:ping("b", { count = 1 })
hs.note {
  en = "After one ping the switch knows both: its table has a MAC address and a port for each of them.",
  zh = "一次 ping 之后交换机认识了两者：表里对每一个都有 MAC 地址和端口。",
}
hs.expect_equal("a is behind port 1", switch:lookup(a:dev().mac), switch:port(a).name)
hs.expect_equal("b is behind port 2", switch:lookup(b:dev().mac), switch:port(b).name)

hs.note {
  en = "Now three frames from a to b: a ping, a datagram with a TTL of 1, and a frame that is no IP at all.",
  zh = "现在从 a 到 b 三个帧：一个 ping，一个 TTL 为 1 的数据报，一个根本不是 IP 的帧。",
}
local into = hs.frames { node = switch, on = "rx" }
local out = hs.frames { node = switch, on = "tx" }
local c_saw = to_c:dir(switch):stats().tx_packets

local function mac_bytes(text) return (text:gsub("(%x%x):?", function(x) return string.char(tonumber(x, 16)) end)) end
local strange = mac_bytes(b:dev().mac) .. mac_bytes(a:dev().mac) .. "\x88\xb5" .. ("any bytes at all "):rep(5)
a:ping("b", { count = 1 })
b:udp { port = 4242 }
a:udp():sendto("short-lived", "b", 4242, { ttl = 1 })
a:raw():send(strange)
hs.run "10ms"

-- Request, reply, datagram, strange frame.
hs.expect_equal("four frames came in and four went out", { #into, #out }, { 4, 4 })
local same, same_fcs = 0, 0
for i = 1, #into do
  local before, after = into[i].packet:bytes(), out[i].packet:bytes()
  local fcs_before, fcs_after = into[i].packet:fcs(), out[i].packet:fcs()
  local fcs = fcs_after:gsub(".", function(c) return string.format("%02x", c:byte()) end)
  hs.log({ en = "%s FCS %s", zh = "%s。%s" }, { en = into[i].summary, zh = "FCS " .. fcs }, { en = fcs, zh = into[i].summary })
  same = same + (before == after and 1 or 0)
  same_fcs = same_fcs + (fcs_before == fcs_after and 1 or 0)
end
hs.expect_equal("every frame left as it came, bit for bit", same, 4)
hs.expect_equal("and so with the same FCS", same_fcs, 4)
hs.expect_equal("a datagram with a TTL of 1 passes a switch", out[3].packet.ip.ttl, 1)
hs.expect_equal("the frame that is no IP arrived as it was sent", out[4].packet:bytes(), strange)
hs.expect_equal("each went out of the one right port", { out[1].to, out[2].to, out[3].to, out[4].to }, { "b", "a", "b", "b" })
hs.expect_equal("c got none of them", to_c:dir(switch):stats().tx_packets - c_saw, 0)
hs.expect_equal("nothing was flooded but the first ARP request", switch:stats().flooded, 1)

hs.translate("zh", {
  ["a is behind port 1"] = "a 在端口 1 后面",
  ["b is behind port 2"] = "b 在端口 2 后面",
  ["four frames came in and four went out"] = "进来四个帧，出去四个",
  ["every frame left as it came, bit for bit"] = "每个帧离开时与来时一样，一个比特也不差",
  ["and so with the same FCS"] = "所以 FCS 也相同",
  ["a datagram with a TTL of 1 passes a switch"] = "TTL 为 1 的数据报能通过交换机",
  ["the frame that is no IP arrived as it was sent"] = "不是 IP 的帧到达时与发送时相同",
  ["each went out of the one right port"] = "每个都从那一个正确的端口离开",
  ["c got none of them"] = "c 一个也没有得到",
  ["nothing was flooded but the first ARP request"] = "除了第一个 ARP 请求，没有什么被泛洪",
})
