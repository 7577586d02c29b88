-- ICMP-03  A complete ping.
-- What happens when one types "ping 192.168.1.2": ping builds an echo request; IP puts its header with protocol 1 in front; the
-- frame needs a MAC address, so ARP asks on the first time; then the frame leaves. The target's card checks the MAC address, IP
-- the IP address, ICMP answers, and the same happens backwards. All of it shows in the events of the two hosts.
local hs = require "hopscope"
hs.title { en = "ICMP-03 A complete ping", zh = "ICMP-03 一次完整的 ping" }

local a, b = hs.host "a", hs.host "b"
hs.link(a, b, { rate = "100Mbps", delay = "1ms", subnet = "192.168.1.0/24",
                address = { a = "192.168.1.1/24", b = "192.168.1.2/24" } })

local steps = {}
local function step(e, text)
  steps[#steps + 1] = e.node .. ": " .. text
  print(string.format("  %9.3f ms  %s: %s", e.time * 1e3, e.node, text))
end
hs.on("ip.output", function(e) step(e, "IP header with protocol " .. e.proto .. " to " .. e.dst) end)
hs.on("neigh.state", function(e) step(e, "neighbour " .. e.ip .. " " .. e.old .. " -> " .. e.new) end)
hs.on("frame.tx", function(e) step(e, (e.packet.arp and "ARP" or "ICMP") .. " frame leaves") end)
hs.on("frame.rx", function(e) step(e, (e.packet.arp and "ARP" or "ICMP") .. " frame arrives") end)
hs.on("ip.local_deliver", function(e) step(e, "IP header taken off, for protocol " .. e.proto) end)

hs.note { en = "The first ping, with nobody's MAC address known:", zh = "第一次 ping，谁的 MAC 地址都还不知道：" }
local ping
a:spawn(function(os) ping = os.ping("192.168.1.2", { count = 2 }) end)
hs.run "0.5s"
hs.expect_equal("the first ping, step by step", steps, {
  "a: IP header with protocol 1 to 192.168.1.2",
  "a: neighbour 192.168.1.2 NONE -> INCOMPLETE",
  "a: ARP frame leaves",
  "b: ARP frame arrives",
  "b: neighbour 192.168.1.1 NONE -> STALE", -- b learns from the question
  "b: ARP frame leaves",
  "a: ARP frame arrives",
  "a: neighbour 192.168.1.2 INCOMPLETE -> REACHABLE",
  "a: ICMP frame leaves", -- the one that waited
  "b: ICMP frame arrives",
  "b: IP header taken off, for protocol 1",
  "b: IP header with protocol 1 to 192.168.1.1",
  "b: neighbour 192.168.1.1 STALE -> DELAY",
  "b: ICMP frame leaves",
  "a: ICMP frame arrives",
  "a: IP header taken off, for protocol 1",
})

hs.note { en = "The second one, a second later. ARP is not needed any more:", zh = "第二次，一秒之后。不再需要 ARP：" }
steps = {}
hs.run "2s"
hs.expect_equal("the second ping, step by step", steps, {
  "a: IP header with protocol 1 to 192.168.1.2",
  "a: ICMP frame leaves",
  "b: ICMP frame arrives",
  "b: IP header taken off, for protocol 1",
  "b: IP header with protocol 1 to 192.168.1.1",
  "b: ICMP frame leaves",
  "a: ICMP frame arrives",
  "a: IP header taken off, for protocol 1",
})

-- Frames of 98 bytes take 110 * 8 / 100 Mbit/s = 8.8 us with preamble and FCS, ARP's of 60 bytes 72 * 8 / 100 Mbit/s = 5.76 us.
hs.expect_equal("the second round trip: 2 * (1 ms + 8.8 us)", ping.replies[2].rtt, "2.0176ms")
hs.expect_near("the first one includes ARP: 2 * (1 ms + 5.76 us) more", ping.replies[1].rtt - ping.replies[2].rtt, "2.01152ms", "1ns")

hs.translate("zh", {
  ["the first ping, step by step"] = "第一次 ping，逐步",
  ["the second ping, step by step"] = "第二次 ping，逐步",
  ["the second round trip: 2 * (1 ms + 8.8 us)"] = "第二次的往返：2 * (1 ms + 8.8 us)",
  ["the first one includes ARP: 2 * (1 ms + 5.76 us) more"] = "第一次含有 ARP：多 2 * (1 ms + 5.76 us)",
})
