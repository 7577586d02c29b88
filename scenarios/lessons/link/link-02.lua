-- LINK-02  Frame check sequence.
-- The sender's card computes a CRC-32 over the frame and appends its 4 bytes; each receiver on the way, host, switch or router,
-- computes it again. A damaged frame does not match and is dropped in silence (IEEE 802.3 3.2.9). Ethernet detects errors, it
-- does not correct them: that is left to whoever waits for an answer.
-- tshark-allow: Bad checksum (the link corrupts on purpose)
-- tshark-allow: This frame is a (suspected) out-of-order segment (its repetition)
local hs = require "hopscope"
hs.title { en = "LINK-02 Frame check sequence", zh = "LINK-02 帧检验序列" }

-- Three networks: host to host, over a switch, over a router. The first datagram meets a bad cable behind its sender.
local function network(name, middle, router)
  local n = { a = hs.host("a-" .. name), b = hs.host("b-" .. name) }
  n.link = hs.link(n.a, middle or n.b, { rate = "100Mbps", delay = "1ms" })
  if middle then hs.link(middle, n.b, { rate = "100Mbps", delay = "1ms" }) end
  n.drops, n.got = {}, {}
  n.sent, n.received = hs.frames { link = n.link, filter = function(p) return p.udp end },
    hs.frames { link = n.link, on = "rx", filter = function(p) return p.eth.type == 0x0800 end }
  n.b:udp { port = 9, on_datagram = function(data) n.got[#n.got + 1] = data end }
  n.link:dir(n.a):rule(function(p)
    if p.udp and p.udp.dport == 9 and p.data.len == 7 then return { "corrupt", bit = 8 * 44 } end -- in the datagram's data
  end)
  n.a:ping(n.b, { count = 1 }) -- everybody knows everybody
  n.events = hs.frames { on = "drop" }
  local icmp, mid = n.a:counter "IcmpInMsgs", router and router:counter "IpInReceives"
  local up = n.b:counter "IpInReceives"
  local sock = n.a:udp():connect(n.b, 9)
  sock:send "damaged"
  hs.run "1s"
  n.dropped, n.passed_up, n.notices = #n.events, n.b:counter "IpInReceives" - up, n.a:counter "IcmpInMsgs" - icmp
  n.router_passed_up = router and router:counter "IpInReceives" - mid
  n.error = sock:error()
  sock:send "good one"
  hs.run "1s"
  return n
end

hs.note {
  en = "A cable flips one bit of the data. The first receiver finds that the check sequence does not fit, and throws the frame away.",
  zh = "线路翻转了数据中的一个比特。第一个接收方发现检验序列不符，丢弃了这个帧。",
}
local switch, router = hs.switch "switch", hs.router "router"
local direct, switched, routed = network("direct"), network("switched", switch), network("routed", router, router)

local sent, received = direct.sent[1].packet, direct.received[#direct.received - 1].packet
local fcs, fits = sent:fcs()
local damaged_fcs, damaged_fits = received:fcs()
print(string.format("    sent      FCS %s, fits: %s", fcs:gsub(".", function(c) return string.format("%02x", c:byte()) end), fits))
print(string.format("    received  FCS %s, fits: %s", damaged_fcs:gsub(".", function(c) return string.format("%02x", c:byte()) end),
  damaged_fits))
hs.expect_equal("the check sequence has 4 bytes and arrived as it was sent", { #fcs, damaged_fcs }, { 4, fcs })
hs.expect_equal("it fits the frame that was sent, not the one that arrived", { fits, damaged_fits }, { true, false })
-- bit 0 is the top bit of the first byte: 0x80 of byte 44 (from 0) is flipped
hs.expect_equal("one bit is different", received:bytes():byte(45), sent:bytes():byte(45) ~ 0x80)

hs.note {
  en = "Host, switch and router do the same: count the error, pass nothing on, tell nobody.",
  zh = "主机、交换机和路由器做的都一样：记下差错，什么也不往下传，谁也不通知。",
}
hs.expect_equal("at the host: CRC errors + 1", direct.b:dev():stats().rx_crc_errors, 1)
hs.expect_equal("at the switch: CRC errors + 1", switch:port(switched.a):stats().rx_bad_fcs, 1)
hs.expect_equal("at the router: CRC errors + 1", router:dev("eth0"):stats().rx_crc_errors, 1)
for _, n in ipairs { direct, switched, routed } do
  hs.expect_equal("one frame dropped, for its check sequence", { n.dropped, n.events[1].reason }, { 1, "bad frame check sequence" })
  hs.expect_equal("nothing was passed up at b, no notice came to the sender", { n.passed_up, n.notices, n.error }, { 0, 0, nil })
  hs.expect_equal("the next datagram got through", n.got, { "good one" })
end
hs.expect_equal("behind the switch no card saw the damaged frame", switched.b:dev():stats().rx_crc_errors, 0)
hs.expect_equal("IP on the router heard nothing of it, and the next link neither", { routed.router_passed_up,
  routed.b:dev():stats().rx_crc_errors }, { 0, 0 })

hs.note {
  en = "Who recovers? Not the link. A file transfer notices the missing block after a while and sends it again.",
  zh = "由谁来恢复？不是链路。文件传送过了一会儿发现少了一块，便再发一次。",
}
local file = ("x"):rep(1000)
direct.b:tftp_server { files = { file = file } }
local n = 0
direct.link:dir(direct.b):rule(function(p)
  if p.udp then n = n + 1 end
  if n == 1 and p.udp then return { "corrupt", bit = 8 * 60 } end
end)
local got = direct.a:tftp_get(direct.b, "file")
hs.expect("the file arrived whole, a second late", got.ok and got.data == file and got.time > 1, got)
hs.expect_equal("although a block was damaged", direct.a:dev():stats().rx_crc_errors, 1)

hs.note {
  en = "TCP recovers by itself: the damaged segment is not acknowledged, and sent again.",
  zh = "TCP 自己恢复：损坏的报文段得不到确认，于是重传。",
}
local errors = direct.a:dev():stats().rx_crc_errors + direct.b:dev():stats().rx_crc_errors
direct.link:dir(direct.b):rule(function(p)
  if p.tcp and p.tcp.data_nth == 2 and not p.tcp.retransmission then return { "corrupt", bit = 8 * 80 } end
end)
local sink = direct.a:tcp_sink(5678)
direct.b:tcp_source { to = direct.a, port = 5678, bytes = 20000 }
hs.run "2s"
hs.expect_equal("one frame was damaged", direct.a:dev():stats().rx_crc_errors + direct.b:dev():stats().rx_crc_errors - errors, 1)
hs.expect_equal("one segment was sent again", direct.b:counter "TcpRetransSegs", 1)
hs.expect_equal("all bytes arrived, none wrong", { sink:stats().bytes, sink:stats().wrong_bytes }, { 20000, 0 })

hs.translate("zh", {
  ["the check sequence has 4 bytes and arrived as it was sent"] = "检验序列有 4 字节，到达时与发送时相同",
  ["it fits the frame that was sent, not the one that arrived"] = "它与所发送的帧相符，与所到达的不符",
  ["one bit is different"] = "有一个比特不同",
  ["at the host: CRC errors + 1"] = "在主机：CRC 差错 + 1",
  ["at the switch: CRC errors + 1"] = "在交换机：CRC 差错 + 1",
  ["at the router: CRC errors + 1"] = "在路由器：CRC 差错 + 1",
  ["one frame dropped, for its check sequence"] = "因检验序列丢弃了一个帧",
  ["nothing was passed up at b, no notice came to the sender"] = "b 没有往上传，也没有通知到发送方",
  ["the next datagram got through"] = "下一个数据报通过了",
  ["behind the switch no card saw the damaged frame"] = "交换机后面没有网卡看到损坏的帧",
  ["IP on the router heard nothing of it, and the next link neither"] = "路由器上的 IP 没有听到它，下一条链路也没有",
  ["the file arrived whole, a second late"] = "文件完整到达，晚了一秒",
  ["although a block was damaged"] = "尽管有一块损坏了",
  ["one frame was damaged"] = "一个帧损坏了",
  ["one segment was sent again"] = "一个报文段被重传",
  ["all bytes arrived, none wrong"] = "所有字节到达，没有错误",
})
