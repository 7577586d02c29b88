-- RT-12  Unequal parallel paths reorder.
-- IP promises no order. If a router spreads packets over two paths of different length, a packet on the short one overtakes
-- those before it on the long one. UDP passes datagrams on as they arrive; who needs them in order must sort them by numbers
-- of his own (RFC 768, RFC 2991).
-- without: TCP (it restores the order)
local hs = require "hopscope"
hs.title "RT-12 Unequal parallel paths reorder"

local sender, receiver = hs.host "sender", hs.host "receiver"
local fork, join = hs.router "fork", hs.router "join"
hs.link(sender, fork)
-- Two serial lines between the same routers: no ARP on them. 1 ms and 10 ms.
hs.link(fork, join, { kind = "ppp", delay = "1ms", address = { fork = "10.1.0.1/30", join = "10.1.0.2/30" } })
hs.link(fork, join, { kind = "ppp", delay = "10ms", address = { fork = "10.2.0.1/30", join = "10.2.0.2/30" } })
hs.link(join, receiver)
sender:ping("receiver", { count = 1 }) -- fills the ARP caches
hs.run_until "1s"

local short = { to = receiver:addr() .. "/32", via = "10.1.0.2" }
local long = { to = receiver:addr() .. "/32", via = "10.2.0.2" }
local GAP = 0.002

hs.note "Eight datagrams, one every 2 ms. The router called fork sends odd ones by the short path, even ones by the long path."
local order, times = {}, {}
receiver:udp { port = 9, on_datagram = function(data)
  order[#order + 1] = math.tointeger(data)
  times[#times + 1] = hs.now()
end }
local sock = sender:udp()
for i = 1, 8 do
  hs.at(1 + i * GAP, function()
    local way, other = short, long
    if i % 2 == 0 then way, other = long, short end
    if i > 1 then fork:route_del(other) end
    fork:route(way)
    sock:sendto(tostring(i), "receiver", 9)
  end)
end
hs.run_until "2s"

print "    datagram  sent at  path    arrives at"
for at, i in ipairs(order) do
  print(string.format("    %5d    %3d ms   %-5s   %5.0f ms", i, i * 2, i % 2 == 1 and "short" or "long", (times[at] - 1) * 1e3))
end

-- Datagram i leaves at 2 i ms. Odd ones arrive 1 ms later: 3, 7, 11, 15 ms; even ones 10 ms later: 14, 18, 22, 26 ms.
hs.expect_equal("the receiver sees the predicted permutation", order, { 1, 3, 5, 2, 7, 4, 6, 8 })
local arrivals = {}
for at, t in ipairs(times) do arrivals[at] = math.floor((t - 1) * 1e6 + 0.5) end
hs.expect_equal("at these times, in microseconds", arrivals, { 3000, 7000, 11000, 14000, 15000, 18000, 22000, 26000 })
hs.note "UDP has told nobody: the application gets 2 after 5. Sorted by their numbers they are all there."
table.sort(order)
hs.expect_equal("nothing was lost, only the order", order, { 1, 2, 3, 4, 5, 6, 7, 8 })
