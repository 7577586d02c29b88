-- HOST-09  Copies on the way out.
-- On its way out data is copied as rarely as possible: once from the process into the kernel's buffer. A clone is no copy: it
-- is a second descriptor of the same bytes. Only if IP must split a packet are there new buffers, one for each fragment. We
-- count buffers: each that a packet is seen in had to be filled once.
local hs = require "hopscope"
hs.title { en = "HOST-09 Copies on the way out", zh = "HOST-09 发出途中的复制" }

local a, b = hs.host "a", hs.host "b"
hs.link(a, b, { rate = "100Mbps" })
a:arp_set("b", b:dev().mac)
local got = 0
b:udp { port = 4242, on_datagram = function(data) got = got + #data end }
local sock = a:udp():connect("b", 4242)
sock:setopt("IP_MTU_DISCOVER", 0) -- IP may cut

local buffers, n_buffers, fragments, stages
hs.on("*", function(e)
  local is_stage = e.probe == "udp.send" or e.probe == "ip.output" or e.probe == "ip.fragment" or e.probe == "frame.tx"
  if not is_stage then return end
  stages[#stages + 1] = { probe = e.probe, buffer = e.packet.buffer }
  if not buffers[e.packet.buffer] then
    buffers[e.packet.buffer] = true
    n_buffers = n_buffers + 1
  end
  fragments = fragments + (e.probe == "ip.fragment" and 1 or 0)
end, { node = a })

local function send(size)
  buffers, n_buffers, fragments, stages, got = {}, 0, 0, {}, 0
  sock:send(hs.payload(size))
  hs.run "10ms"
  for _, s in ipairs(stages) do hs.log({ en = "%s in buffer %d", zh = "%s 位于缓冲区 %d" }, s.probe, s.buffer) end
  return { bytes = got, fragments = fragments, copies = n_buffers }
end

-- 1500 - 20 (IP) - 8 (UDP) = 1472.
hs.note {
  en = "1472 bytes, the most that fits into one frame: one buffer from the socket to the wire.",
  zh = "1472 字节，一个帧所能容纳的最大值：从套接字到线路只用一个缓冲区。",
}
hs.expect_equal("within the MTU: 1 copy, from user to kernel", send(1472), { bytes = 1472, fragments = 0, copies = 1 })

hs.note { en = "One byte more, and IP has to split: two fragments, and a buffer for each.", zh = "再多一个字节，IP 就得切开：两个分片，各有一个缓冲区。" }
hs.expect_equal("one copy more for each of 2 fragments", send(1473), { bytes = 1473, fragments = 2, copies = 1 + 2 })

-- (8 + 4000) / 1480 = 2.7: three fragments.
hs.note { en = "4000 bytes: three fragments.", zh = "4000 字节：三个分片。" }
hs.expect_equal("an oversized datagram adds one copy per fragment", send(4000), { bytes = 4000, fragments = 3, copies = 1 + 3 })
hs.expect_equal("IP's own counters agree: 2 datagrams were cut, into 5 fragments",
  { a:counter "IpFragOKs", a:counter "IpFragCreates" }, { 2, 5 })

hs.note {
  en = "How to avoid it: ask for the MTU and send no more than fits. Path MTU discovery does that; IP then refuses to cut, and the process hears EMSGSIZE.",
  zh = "怎样避免：查询 MTU，不发送超过它的内容。路径 MTU 发现就是这样做的；此时 IP 拒绝切开，进程得到 EMSGSIZE。",
}
sock:setopt("IP_MTU_DISCOVER", 2)
local ok, err = sock:send(hs.payload(1473))
hs.expect_equal("with DF the process is told", { ok = ok, err = err }, { err = "EMSGSIZE" })

hs.note {
  en = "TCP within the MTU: one data copy, from user to kernel, which stays in the send buffer; what goes out is a clone, another descriptor of the same bytes.",
  zh = "MTU 之内的 TCP：数据只复制一次，从用户到内核，并留在发送缓冲区里；发出去的是克隆，即同样字节的另一个描述符。",
}
local sink, sent = b:tcp_sink(5678), {}
local sending = hs.on("*", function(e)
  if e.probe ~= "ip.output" and e.probe ~= "frame.tx" then return end
  local t = e.packet.tcp
  if t and t.len > 0 then sent[#sent + 1] = { probe = e.probe, buffer = e.packet.buffer, len = t.len, time = e.time } end
end, { node = a })
local lose = true
hs.links()[1]:dir(a):rule(function(p)
  if p.tcp and p.tcp.len > 0 and lose then lose = false return "drop" end
end)
local queued
a:spawn(function(os)
  local conn = os.tcp():connect("b", 5678)
  conn:write(hs.payload(1448)) -- 1500 - 20 - 20 - 12 of timestamps: one segment
  queued = conn:info().send_q
  os.sleep "1s"
end)
hs.run "2s"
for _, s in ipairs(sent) do hs.log({ en = "%s in buffer %d", zh = "%s 位于缓冲区 %d" }, s.probe, s.buffer) end
hs.expect_equal("from IP to the wire one descriptor, and no fragments", { sent[1].buffer == sent[2].buffer, sent[1].len, sent[2].len }, { true, 1448, 1448 })
hs.expect_equal("meanwhile the data is in the send buffer: one copy", queued, 1448)
hs.expect("this one was lost; its repetition is another clone of the kept copy", sent[3] and sent[3].len == 1448 and sent[3].time > sent[1].time, #sent)
hs.expect_equal("nobody copied the data again: the reader has the same bytes", { sink:stats().bytes, sink:stats().wrong_bytes }, { 1448, 0 })
hs.expect_equal("IP did not cut anything", a:counter "IpFragCreates", 5)

hs.translate("zh", {
  ["within the MTU: 1 copy, from user to kernel"] = "在 MTU 之内：复制 1 次，从用户到内核",
  ["one copy more for each of 2 fragments"] = "2 个分片每个再复制一次",
  ["an oversized datagram adds one copy per fragment"] = "过大的数据报每个分片多复制一次",
  ["IP's own counters agree: 2 datagrams were cut, into 5 fragments"] = "IP 自己的计数相符：切开 2 个数据报，成为 5 个分片",
  ["with DF the process is told"] = "有 DF 时进程得知此事",
  ["from IP to the wire one descriptor, and no fragments"] = "从 IP 到线路只有一个描述符，没有分片",
  ["meanwhile the data is in the send buffer: one copy"] = "同时数据在发送缓冲区里：一份",
  ["this one was lost; its repetition is another clone of the kept copy"] = "这一个丢失了；它的重传是保留副本的另一个克隆",
  ["nobody copied the data again: the reader has the same bytes"] = "没有人再次复制数据：读者得到同样的字节",
  ["IP did not cut anything"] = "IP 什么也没有切开",
})
