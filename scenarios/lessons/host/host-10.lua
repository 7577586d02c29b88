-- HOST-10  Headers by pointer movement.
-- A packet lives in one buffer. The data is written once, with room in front of it (headroom); on the way down every layer
-- lowers the data pointer and writes its header there, on the way up every layer raises it again. Nothing is moved. (In this
-- simulator the buffer even crosses the wire; on real hosts the receiving card fills another one.)
local hs = require "hopscope"
hs.title { en = "HOST-10 Headers by pointer movement", zh = "HOST-10 移动指针来加首部" }

local a, b = hs.host "a", hs.host "b"
hs.link(a, b, { rate = "100Mbps", delay = "1ms" })
a:arp_set("b", b:dev().mac)
b:arp_set("a", a:dev().mac)
local answer
b:udp { port = 4242, on_datagram = function(data) answer = data end }
local sock = a:udp():connect("b", 4242)

local DATA = "the data itself"
local seen = {}
local layers = {
  ["udp.send"] = "UDP", ["ip.output"] = "IP", ["frame.tx"] = "Ethernet", ["frame.rx"] = "Ethernet", ["ip.rcv"] = "IP",
  ["udp.deliver"] = "UDP",
}
hs.on("*", function(e)
  local layer = layers[e.probe]
  if not layer then return end
  local p = e.packet
  if p.tcp then return end
  local at = p:bytes():find(DATA, 1, true) - 1 -- header bytes in front of the data
  seen[#seen + 1] = { node = e.node, layer = layer, buffer = p.buffer, offset = p.offset, data = p.offset + at, headers = at }
  hs.log({
    en = "%s, %-8s buffer %d, begins at %3d, %2d bytes of headers",
    zh = "%s，%s：缓冲区 %d，从 %3d 开始，首部 %2d 字节",
  }, e.node, { en = layer, zh = layer == "Ethernet" and "以太网" or layer }, p.buffer, p.offset, at)
end)

hs.note {
  en = "One datagram from a to b. Look at where the packet begins in its buffer.",
  zh = "一个从 a 到 b 的数据报。请看分组在它的缓冲区中从哪里开始。",
}
sock:send(DATA)
hs.run "10ms"
hs.expect_equal("b has the data", answer, DATA)

local down, buffers, data = {}, {}, {}
for i, s in ipairs(seen) do
  down[i] = s.node .. " " .. s.layer
  buffers[s.buffer], data[s.data] = true, true
end
hs.expect_equal("down at a, up at b", down, { "a UDP", "a IP", "a Ethernet", "b Ethernet", "b IP", "b UDP" })
local function count(t)
  local n = 0
  for _ in pairs(t) do n = n + 1 end
  return n
end
hs.expect_equal("the buffer is the same at every layer", count(buffers), 1)
hs.expect_equal("the data has not moved by a byte", count(data), 1)
hs.expect_equal("UDP put 8 bytes in front of the data", seen[1].headers, 8)
hs.expect_equal("IP lowered the pointer by 20", seen[1].offset - seen[2].offset, 20)
hs.expect_equal("Ethernet by 14", seen[2].offset - seen[3].offset, 14)
hs.expect_equal("up again: Ethernet's 14", seen[5].offset - seen[4].offset, 14)
hs.expect_equal("IP's 20", seen[6].offset - seen[5].offset, 20)
hs.expect("there was headroom left for more, such as a VLAN tag", seen[3].offset >= 4, seen[3].offset)

hs.note {
  en = "A TCP segment: its header has 20 bytes (timestamps are off), and again every layer only lowers the pointer.",
  zh = "一个 TCP 报文段：它的首部是 20 字节（时间戳已关闭），同样，每一层只是把指针往低处移。",
}
a:sysctl("net.ipv4.tcp_timestamps", 0)
local tcp_seen, tcp_answer = {}, nil
b:spawn(function(os) tcp_answer = os.tcp():bind(5678):listen(1):accept():read() end)
hs.on("*", function(e)
  local p = e.packet
  if (e.probe ~= "ip.output" and e.probe ~= "frame.tx") or not p.tcp or p.tcp.len == 0 then return end
  local bytes = p:bytes()
  tcp_seen[#tcp_seen + 1] = { probe = e.probe, buffer = p.buffer, offset = p.offset, headers = bytes:find(DATA, 1, true) - 1, tcp = p.tcp.hdr_len }
end, { node = a })
hs.run "1ms"
a:spawn(function(os)
  os.tcp():connect("b", 5678):write(DATA)
  os.sleep "1s"
end)
hs.run "20ms"
hs.expect_equal("b has the data", tcp_answer, DATA)
hs.expect_equal("20 bytes of TCP", tcp_seen[1].tcp, 20)
hs.expect_equal("IP lowered the pointer by 20: 40 bytes of headers", tcp_seen[1].headers, 20 + 20)
hs.expect_equal("Ethernet by 14: 54 bytes", { tcp_seen[2].headers, tcp_seen[1].offset - tcp_seen[2].offset }, { 20 + 20 + 14, 14 })
hs.expect_equal("in the same buffer", tcp_seen[1].buffer, tcp_seen[2].buffer)

hs.translate("zh", {
  ["b has the data"] = "b 得到数据",
  ["down at a, up at b"] = "在 a 往下，在 b 往上",
  ["the buffer is the same at every layer"] = "每一层都是同一个缓冲区",
  ["the data has not moved by a byte"] = "数据一个字节也没有移动",
  ["UDP put 8 bytes in front of the data"] = "UDP 在数据前面放了 8 字节",
  ["IP lowered the pointer by 20"] = "IP 把指针降低 20",
  ["Ethernet by 14"] = "以太网降低 14",
  ["up again: Ethernet's 14"] = "再往上：以太网的 14",
  ["IP's 20"] = "IP 的 20",
  ["there was headroom left for more, such as a VLAN tag"] = "前面还留有余地，比如给 VLAN 标签",
  ["20 bytes of TCP"] = "TCP 的 20 字节",
  ["IP lowered the pointer by 20: 40 bytes of headers"] = "IP 把指针降低 20：首部共 40 字节",
  ["Ethernet by 14: 54 bytes"] = "以太网降低 14：54 字节",
  ["in the same buffer"] = "在同一个缓冲区里",
})
