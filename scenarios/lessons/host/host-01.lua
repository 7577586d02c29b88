-- HOST-01  Receive path.
-- What happens between the last bit of a frame on the cable and the process that reads it (Linux): the card writes the frame
-- into the receive ring by DMA and raises a hard interrupt; that only asks for a soft interrupt, which polls the ring, turns
-- the frame into an skb and hands it up: IP checks and strips its header, UDP puts the data into the socket's buffer, and
-- the process wakes. A frame that is damaged never gets beyond the card.
-- tshark-allow: Bad checksum (the cable damages one datagram on purpose)
local hs = require "hopscope"
hs.title { en = "HOST-01 Receive path", zh = "HOST-01 接收路径" }

local client, server = hs.host "client", hs.host "server"
local cable = hs.link(client, server, { rate = "1Gbps", delay = "10us" })
-- A hard interrupt costs the processor 2 us, a frame 1 us more.
server:dev():ring { irq_cost = "2us", packet_cost = "1us" }
client:arp_set("server", server:dev().mac)

local stages, times = {}, {}
local function stage(name)
  stages[#stages + 1], times[#times + 1] = name.en, hs.now()
  hs.log(name)
end
local names = {
  ["frame.rx"] = { en = "card: last bit is here", zh = "网卡：最后一个比特到了" },
  ["nic.dma"] = { en = "card: frame written into the ring", zh = "网卡：帧写入环" },
  ["nic.interrupt"] = { en = "hard interrupt", zh = "硬中断" },
  ["nic.softirq"] = { en = "soft interrupt polls the ring", zh = "软中断轮询环" },
  ["ip.rcv"] = { en = "IP: header is valid", zh = "IP：首部有效" },
  ["ip.local_deliver"] = { en = "IP: for this host", zh = "IP：是发给这台主机的" },
  ["udp.deliver"] = { en = "UDP: into the socket's buffer", zh = "UDP：放入套接字的缓冲区" },
  ["frame.drop"] = { en = "dropped: bad frame check sequence", zh = "被丢弃：帧检验序列错误" },
}
for _, probe in ipairs { "frame.rx", "nic.dma", "nic.interrupt", "nic.softirq", "ip.rcv", "ip.local_deliver", "udp.deliver", "frame.drop" } do
  hs.on(probe, function(e)
    stage(names[probe])
    if e.reason then hs.expect_equal("why the frame is dropped", e.reason, "bad frame check sequence") end
  end, { node = server })
end

local read
server:spawn(function(os)
  local sock = os.udp():bind(4242)
  while true do
    read = sock:recv()
    stage { en = "process: wakes with the data", zh = "进程：被唤醒，得到数据" }
  end
end)
local sock = client:udp():connect("server", 4242)

hs.note {
  en = "One datagram. Follow it upwards, and mind the times: interrupt and work of the kernel are all that takes time here.",
  zh = "一个数据报。跟着它一路向上，注意时间：这里花时间的只有中断和内核的工作。",
}
hs.at("1ms", function() sock:send("hello") end)
hs.run "2ms"
hs.expect_equal("the stages of one packet, in order", stages, {
  "card: last bit is here", "card: frame written into the ring", "hard interrupt", "soft interrupt polls the ring",
  "IP: header is valid", "IP: for this host", "UDP: into the socket's buffer", "process: wakes with the data",
})
hs.expect_equal("the process has the data", read, "hello")
-- 60 bytes, 8 of preamble and 4 of FCS take 72 * 8 / 1 Gbit/s = 576 ns.
local last_bit = 1e-3 + 10e-6 + 576e-9
hs.expect_near("DMA: at the last bit", times[2], last_bit, "1ns")
hs.expect_near("the soft interrupt comes when the hard one is over: 2 us later", times[4], last_bit + 2e-6, "1ns")
hs.expect_near("the packet is through when the kernel has worked for 1 us", times[7], last_bit + 3e-6, "1ns")

hs.note {
  en = "The same datagram, but the cable turns a bit. The card compares the FCS: the frame ends right there, at the link stage.",
  zh = "同样的数据报，但线路翻转了一个比特。网卡比较 FCS：帧就在链路这一级结束了。",
}
stages, times, read = {}, {}, nil
cable:dir(client):rule(function() return "corrupt" end)
sock:send("hello")
hs.run "1ms"
hs.expect_equal("a frame that fails the check stops at the link stage", stages,
  { "card: last bit is here", "dropped: bad frame check sequence" })
hs.expect_equal("the card has counted it", server:dev():stats().rx_crc_errors, 1)
hs.expect_equal("IP has not", server:counter "IpInReceives", 1)
hs.expect_equal("and raised no second interrupt", server:dev():ring_stats().interrupts, 1)
hs.expect("the process sleeps on", read == nil)

hs.translate("zh", {
  ["the stages of one packet, in order"] = "一个分组依次经过的各级",
  ["the process has the data"] = "进程得到数据",
  ["DMA: at the last bit"] = "DMA：在最后一个比特时",
  ["the soft interrupt comes when the hard one is over: 2 us later"] = "硬中断结束后软中断到来：2 us 之后",
  ["the packet is through when the kernel has worked for 1 us"] = "内核工作 1 us 之后分组就通过了",
  ["a frame that fails the check stops at the link stage"] = "检验不通过的帧停在链路这一级",
  ["why the frame is dropped"] = "帧为什么被丢弃",
  ["the card has counted it"] = "网卡计了数",
  ["IP has not"] = "IP 没有",
  ["and raised no second interrupt"] = "也没有引发第二次中断",
  ["the process sleeps on"] = "进程继续睡眠",
})
