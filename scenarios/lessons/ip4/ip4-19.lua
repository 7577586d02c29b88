-- IP4-19  Loopback.
-- Every address 127.x.x.x means this host (RFC 1122 section 3.2.1.3). A packet to it never sees a network card: the device lo puts it
-- into the CPU's input queue (Linux: input_pkt_queue, one for each CPU, at most 1000 packets), and a soft interrupt hands
-- it to IP as if it had arrived. localhost is a name for 127.0.0.1 (IPv6 has ::1). None of them may appear on a wire.
local hs = require "hopscope"
hs.title { en = "IP4-19 Loopback", zh = "IP4-19 环回" }

local a, b = hs.host "a", hs.host "b"
local cable = hs.link(a, b, { up = false })
local frames = hs.frames()
local pings, echo, refused = {}, {}, nil
a:udp_echo(7)

hs.note {
  en = "The cable is cut. Pings to 127.0.0.1, to localhost and to any other 127 address are answered all the same.",
  zh = "电缆被切断。对 127.0.0.1、对 localhost 以及对任何其他 127 地址的 ping 照样得到应答。",
}
a:spawn(function(os)
  for _, name in ipairs { "127.0.0.1", "localhost", "127.1.2.3", "127.255.255.254" } do
    pings[#pings + 1] = os.ping(name, { count = 1 })
  end
  for _, name in ipairs { "127.0.0.1", "localhost" } do
    local sock = os.udp():connect(name, 7)
    sock:send("hello " .. name)
    echo[#echo + 1] = sock:recv "1s"
  end
end)
hs.run "10s"
hs.expect_equal("the link is down", cable.is_up, false)
for i, name in ipairs { "127.0.0.1", "localhost", "127.1.2.3", "127.255.255.254" } do
  hs.expect_equal("ping " .. name .. " succeeds", pings[i].received, 1)
end
hs.expect_equal("localhost is 127.0.0.1", pings[2].replies[1].from, "127.0.0.1")
hs.expect_equal("an exchange of data succeeds, too", echo, { "hello 127.0.0.1", "hello localhost" })

hs.note {
  en = "The card has sent nothing. All packets, 6 questions and 6 answers, went through lo.",
  zh = "网卡什么也没有发送。所有的分组，6 个询问和 6 个应答，都经过 lo。",
}
hs.expect_equal("transmit counter of the card", a:dev("eth0"):stats().tx_packets, 0)
hs.expect_equal("frames on the cable", #frames, 0)
hs.expect_equal("transmit and receive counters of lo", { a:dev("lo"):stats().tx_packets, a:dev("lo"):stats().rx_packets }, { 12, 12 })

hs.note {
  en = "A burst of 1001 packets shows the queue: it is emptied by a soft interrupt only after the sender, and holds 1000.",
  zh = "1001 个分组的突发显出了队列：软中断在发送者之后才来取空它，而它容纳 1000 个。",
}
local burst = {}
local receiver = a:udp { port = 9, on_datagram = function(data) burst[#burst + 1] = data end }
local lost = hs.frames { on = "drop", node = a }
a:spawn(function(os)
  local sock = os.udp()
  for i = 1, 1001 do sock:sendto(tostring(i), "127.0.0.1", 9) end
  hs.expect_equal("while the sender runs nothing has been delivered yet", #burst, 0)
end)
hs.run "1s"
hs.expect_equal("1000 arrive in order", { #burst, burst[1], burst[1000] }, { 1000, "1", "1000" })
hs.expect_equal("the last found the queue full", { #lost, lost[1].reason }, { 1, "input backlog full" })
receiver:close()

hs.note { en = "Even with the cable in order no packet leaves the host with such an address.", zh = "即使电缆完好，也没有分组带着这样的地址离开主机。" }
cable:up()
a:spawn(function(os)
  local sock = os.udp { address = "127.0.0.1" }
  local _, why = sock:sendto("from 127.0.0.1", b:addr(), 7)
  refused = why
end)
hs.run "1s"
hs.expect_equal("from 127.0.0.1 to another host: EINVAL", refused, "EINVAL")
hs.expect_equal("nothing was sent", #frames, 0)

hs.note {
  en = "And a TCP connection, with the cable cut again: to 127.0.0.1 and to localhost.",
  zh = "还有一条 TCP 连接，电缆又被切断：到 127.0.0.1 和到 localhost。",
}
cable:down()
local tx, lo, streams = a:dev("eth0"):stats().tx_packets, a:dev("lo"):stats().tx_packets, {}
a:spawn(function(os)
  local listener = os.tcp():bind(5678):listen(2)
  for _ = 1, 2 do
    local conn = listener:accept()
    conn:write("you said " .. conn:read())
    conn:close()
  end
end)
a:spawn(function(os)
  for _, name in ipairs { "127.0.0.1", "localhost" } do
    local sock = os.tcp():connect(name, 5678)
    sock:write(name)
    streams[#streams + 1] = sock:read()
    sock:close()
  end
end)
hs.run "1s"
hs.expect_equal("both connections succeed", streams, { "you said 127.0.0.1", "you said localhost" })
hs.expect_equal("the card has sent nothing", a:dev("eth0"):stats().tx_packets - tx, 0)
hs.expect("all segments went through lo", a:dev("lo"):stats().tx_packets - lo >= 2 * 7, a:dev("lo"):stats().tx_packets - lo)

hs.translate("zh", {
  ["the link is down"] = "链路断开",
  ["ping {}.{} succeeds"] = "ping {}.{} 成功",
  ["ping localhost succeeds"] = "ping localhost 成功",
  ["localhost is 127.0.0.1"] = "localhost 是 127.0.0.1",
  ["an exchange of data succeeds, too"] = "数据交换也成功",
  ["transmit counter of the card"] = "网卡的发送计数",
  ["frames on the cable"] = "电缆上的帧数",
  ["transmit and receive counters of lo"] = "lo 的发送和接收计数",
  ["while the sender runs nothing has been delivered yet"] = "发送者运行期间，什么也还没有交付",
  ["1000 arrive in order"] = "1000 个按序到达",
  ["the last found the queue full"] = "最后一个遇到队列已满",
  ["from 127.0.0.1 to another host: EINVAL"] = "从 127.0.0.1 到另一台主机：EINVAL",
  ["nothing was sent"] = "什么也没有发送",
  ["both connections succeed"] = "两条连接都成功",
  ["the card has sent nothing"] = "网卡什么也没有发送",
  ["all segments went through lo"] = "所有报文段都经过 lo",
})
