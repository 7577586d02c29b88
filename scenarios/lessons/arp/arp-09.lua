-- ARP-09  Confined to one link; no answer.
-- ARP rides directly on Ethernet, beside IP and not in it: a router does not forward it, so a question never leaves its link.
-- For an address that nobody owns there is no answer: Linux asks 3 times, 1 s apart, then gives up. The packets that waited are
-- dropped; their sender hears "host unreachable": by ICMP from a router (RFC 1812 5.3.3.1 with 4.3.3.1), as EHOSTUNREACH at home.
local hs = require "hopscope"
hs.title "ARP-09 Confined to one link; no answer"

local a, r, b = hs.host "a", hs.router "r", hs.host "b"
local near = hs.link(a, r, { rate = "100Mbps", delay = "1ms", subnet = "10.0.1.0/24" })
local far = hs.link(r, b, { rate = "100Mbps", delay = "1ms", subnet = "10.0.2.0/24" })

local function is_request(p) return p.arp and p.arp.op == 1 end
local on_near, on_far = hs.frames { link = near, filter = is_request }, hs.frames { link = far, filter = is_request }
local icmp = hs.frames { link = near, filter = function(p) return p.icmp end }
local function times(frames)
  local list = {}
  for i, f in ipairs(frames) do list[i] = f.time - frames[1].time end
  return list
end

hs.note "a sends a datagram to 10.0.2.99 behind the router. That network exists, but nobody there has this address."
local data, err, when
a:spawn(function(os)
  local sock = os.udp():connect("10.0.2.99", 9)
  sock:send "is anybody there?"
  data, err = sock:recv "10s"
  when = os.now()
end)
hs.run "10s"

for _, f in ipairs(on_far) do
  print(string.format("    %9.6f s  %s > %s: %s", f.time, f.from, f.to, f.summary))
end
hs.note "r asked three times and gave up a second later. Then it told a: ICMP 3/1, host unreachable."
hs.expect_equal("on the near link there is one request, for the gateway", #on_near, 1)
hs.expect_equal("it asks for the gateway: the question for 10.0.2.99 does not appear here", on_near[1].packet.arp.tpa, r:addr())
hs.expect_equal("r asks 3 times, 1 s apart", times(on_far), { 0, 1, 2 })
hs.expect_equal("for 10.0.2.99", on_far[3].packet.arp.tpa, "10.0.2.99")
hs.expect_equal("r sends host unreachable", { #icmp, icmp[1].from, icmp[1].packet.icmp.type, icmp[1].packet.icmp.code },
  { 1, "r", 3, 1 })
hs.expect_near("1 s after the last try", icmp[1].time - on_far[3].time, "1s", "1ns")
hs.expect_equal("the program on a gets EHOSTUNREACH", { data, err }, { nil, "EHOSTUNREACH" })
hs.expect_near("as soon as the message arrives (70 + 12 bytes at 100 Mbit/s, and 1 ms)", when - icmp[1].time, 0.001 + 0.00000656 + 0.00000008 * 17, "1ns")

hs.note "Now a tries 10.0.1.77, an address on its own link that nobody owns: no router is needed to find that out."
local dropped = hs.frames { on = "drop", node = a }
local start = hs.now()
a:spawn(function(os)
  local sock = os.udp():connect("10.0.1.77", 9)
  sock:send "hello?"
  data, err = sock:recv "10s"
  when = os.now() - start
end)
hs.run "10s"
hs.expect_equal("3 requests again, now on this link", #on_near, 4)
hs.expect_near("a gives up after 3 s", when, "3s", "1ns")
hs.expect_equal("the datagram that waited is dropped", { #dropped, dropped[1].packet.ip.dst }, { 1, "10.0.1.77" })
hs.expect_equal("and the program gets EHOSTUNREACH from its own host", { data, err }, { nil, "EHOSTUNREACH" })
hs.expect_equal("no ICMP message was needed on the wire", #icmp, 1)
hs.expect_equal("the entry is FAILED", a:arp("10.0.1.77").state, "FAILED")
