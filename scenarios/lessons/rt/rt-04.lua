-- RT-04  Router accepts only its own frames.
-- A router's port is an end station on the Ethernet. It checks the frame first: is the checksum (FCS) right, and is the
-- destination its own MAC address? Only then IP gets to see the packet and looks for a route (RFC 1812 3.3, IEEE 802.3).
-- tshark-allow: Bad checksum (the cable damages one frame)
local hs = require "hopscope"
hs.title { en = "RT-04 Router accepts only its own frames", zh = "RT-04 路由器只收给自己的帧" }

local host, router, far = hs.host "host", hs.router "router", hs.host "far"
local switch = hs.switch "switch"
hs.link(host, switch, { subnet = "192.168.0.0/24", mac = { host = "02:00:00:00:00:01" } })
local cable = hs.link(switch, router, { subnet = "192.168.0.0/24", mac = { router = "02:00:00:00:00:02" } })
hs.link(router, far, { subnet = "192.168.1.0/24" })

far:udp { port = 9 }
hs.expect_equal("host and far can talk", host:ping("far", { count = 1 }).received, 1)
local router_port = cable:dev(router)
local looked_up = router:counter "IpInReceives"
local forwarded = router:counter "IpForwDatagrams"
local sent_to_far = hs.frames { link = hs.links()[3] }
local drops = hs.frames { on = "drop", node = router }

-- A whole frame by hand: Ethernet header, an IP header with its checksum, a UDP header without, four bytes.
local function frame_for(mac)
  local function ip(sum)
    return string.pack(">BBI2I2I2BBI2", 0x45, 0, 32, 1, 0, 64, 17, sum) .. "\xc0\xa8\x00\x02\xc0\xa8\x01\x02"
  end
  local sum, header = 0, ip(0)
  for at = 1, #header, 2 do sum = sum + string.unpack(">I2", header, at) end
  sum = ~((sum & 0xffff) + (sum >> 16)) & 0xffff
  return (mac:gsub("%x%x:?", function(two) return string.char(tonumber(two:sub(1, 2), 16)) end))
    .. "\x02\0\0\0\0\x01" .. "\x08\0" .. ip(sum) .. string.pack(">I2I2I2I2", 1000, 9, 12, 0) .. "data"
end

hs.note {
  en = "A frame for 02:00:00:00:00:99, whom the switch does not know, is flooded: it arrives at the router too.",
  zh = "给 02:00:00:00:00:99 的帧，交换机不认识它，于是泛洪：它也到了路由器。",
}
local raw = host:raw()
raw:send(frame_for "02:00:00:00:00:99")
hs.run "1s"
hs.expect_equal("the flooded frame for another MAC is dropped by the card", drops[1] and drops[1].reason, "not for this card")
hs.expect_equal("IP has not seen it", router:counter "IpInReceives", looked_up)
hs.expect_equal("nothing was forwarded", #sent_to_far, 0)

hs.note {
  en = "Now a frame with the router's own MAC address, but the cable flips one bit of it.",
  zh = "现在一个帧带着路由器自己的 MAC 地址，但电缆翻转了其中一个比特。",
}
cable:dir(switch):rule(function() return "corrupt" end)
raw:send(frame_for "02:00:00:00:00:02")
hs.run "1s"
cable:dir(switch):rule(nil)
hs.expect_equal("the damaged frame fails the FCS check", drops[2] and drops[2].reason, "bad frame check sequence")
hs.expect_equal("the card has counted it", router_port:stats().rx_crc_errors, 1)
hs.expect_equal("it never reaches the lookup", router:counter "IpInReceives", looked_up)

hs.note { en = "The same frame, undamaged: this one is looked up and forwarded.", zh = "同样的帧，完好无损：这一个查了表并被转发。" }
raw:send(frame_for "02:00:00:00:00:02")
hs.run "1s"
hs.expect_equal("the good frame reaches IP", router:counter "IpInReceives", looked_up + 1)
hs.expect_equal("and is forwarded", router:counter "IpForwDatagrams", forwarded + 1)
hs.expect_equal("to far, with a TTL of 63", sent_to_far[1] and { sent_to_far[1].to, sent_to_far[1].packet.ip.ttl }, { "far", 63 })

hs.translate("zh", {
  ["host and far can talk"] = "host 和 far 可以通话",
  ["the flooded frame for another MAC is dropped by the card"] = "泛洪来的、给另一个 MAC 的帧被网卡丢弃",
  ["IP has not seen it"] = "IP 没有看到它",
  ["nothing was forwarded"] = "什么也没有转发",
  ["the damaged frame fails the FCS check"] = "损坏的帧通不过 FCS 检验",
  ["the card has counted it"] = "网卡计了数",
  ["it never reaches the lookup"] = "它从未到达查找那一步",
  ["the good frame reaches IP"] = "完好的帧到达 IP",
  ["and is forwarded"] = "并被转发",
  ["to far, with a TTL of 63"] = "发往 far，TTL 为 63",
})
