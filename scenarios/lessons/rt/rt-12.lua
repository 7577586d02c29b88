-- RT-12  Unequal parallel paths reorder.
-- IP promises no order. If a router spreads packets over two paths of different length, a packet on the short one overtakes
-- those before it on the long one. UDP passes datagrams on as they arrive; who needs them in order must sort them by numbers
-- of his own (RFC 768, RFC 2991).
-- tshark-allow: This frame is a (suspected) out-of-order segment (that is the point)
-- tshark-allow: Previous segment(s) not captured (they come later)
-- tshark-allow: D-SACK (the receiver tells of what came twice)
-- tshark-allow: ACKed segment that wasn't captured (it took the other path)
local hs = require "hopscope"
hs.title { en = "RT-12 Unequal parallel paths reorder", zh = "RT-12 不等长的并行路径造成失序" }

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

hs.note {
  en = "Eight datagrams, one every 2 ms. The router called fork sends odd ones by the short path, even ones by the long path.",
  zh = "八个数据报，每 2 ms 一个。名为 fork 的路由器把奇数的送上短路径，偶数的送上长路径。",
}
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
hs.note {
  en = "UDP has told nobody: the application gets 2 after 5. Sorted by their numbers they are all there.",
  zh = "UDP 谁也没有告诉：应用程序在 5 之后才得到 2。按编号排好，它们都在。",
}
table.sort(order)
hs.expect_equal("nothing was lost, only the order", order, { 1, 2, 3, 4, 5, 6, 7, 8 })

hs.note {
  en = "Eight TCP segments over the same paths: they arrive in the wrong order too, but TCP sorts them by sequence number before anybody reads.",
  zh = "八个 TCP 报文段经过同样的路径：它们也以错误的次序到达，但 TCP 在有人读取之前按序号把它们排好。",
}
local arrived, text = {}, {}
fork:route_del(long)
fork:route(short)
receiver:spawn(function(os)
  local conn = os.tcp():bind(5678):listen(1):accept()
  for data in function() return conn:read() end do text[#text + 1] = data end
end)
hs.on("frame.rx", function(e)
  local t = e.packet.tcp
  if t and t.len == 1 and not t.retransmission then arrived[#arrived + 1] = e.packet:bytes():sub(14 + e.packet.ip.len, 14 + e.packet.ip.len) end
end, { node = receiver })
sender:spawn(function(os)
  local conn = os.tcp({ nodelay = true }):connect("receiver", 5678)
  for i = 1, 8 do
    local way, other = short, long
    if i % 2 == 0 then way, other = long, short end
    if i > 1 then fork:route_del(other) fork:route(way) end
    conn:write(tostring(i))
    os.sleep(GAP)
  end
  conn:close()
end)
hs.run "2s"
print("    arrived: " .. table.concat(arrived, " ") .. "   read: " .. table.concat(text))
local order_seen = {}
for i, segment in ipairs(arrived) do order_seen[segment] = i end
hs.expect("segment 3 overtook segment 2", order_seen["3"] < order_seen["2"], table.concat(arrived, " "))
hs.expect_equal("TCP restores order: what is read is 12345678", table.concat(text), "12345678")

hs.translate("zh", {
  ["the receiver sees the predicted permutation"] = "接收方看到预测的排列",
  ["at these times, in microseconds"] = "在这些时刻，以微秒计",
  ["nothing was lost, only the order"] = "没有任何丢失，只是次序",
  ["segment 3 overtook segment 2"] = "报文段 3 超过了报文段 2",
  ["TCP restores order: what is read is 12345678"] = "TCP 恢复次序：读到的是 12345678",
})
