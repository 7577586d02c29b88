-- HOST-08  Original kept until acknowledged.
-- What leaves the card is a clone: TCP keeps the original in the send buffer until its bytes are acknowledged (RFC 9293 3.8.1; Linux
-- tcp_transmit_skb and tcp_clean_rtx_queue). So the send buffer shrinks only when ACKs arrive, and a lost segment is sent again
-- from the kept copy.
-- tshark-allow: Previous segment(s) not captured (the lost one)
-- tshark-allow: This frame is a (suspected) out-of-order segment (its repetition)
local hs = require "hopscope"
hs.title { en = "HOST-08 Original kept until acknowledged", zh = "HOST-08 原件保留到被确认为止" }

local client, server = hs.host "client", hs.host "server"
local link = hs.link(client, server, { rate = "10Mbps", delay = "20ms" })
link:dir(client):rule(function(p)
  if p.tcp and p.tcp.data_nth == 3 and not p.tcp.retransmission then return "drop" end
end)

local sink = server:tcp_sink { port = 5678 }
local conn, samples, acks, sent = nil, {}, {}, {}
client:spawn(function(os)
  conn = os.tcp():connect("server", 5678)
  conn:write(hs.payload(14480)) -- ten segments of 1448
  conn:shutdown "write"
  os.sleep "2s"
end)
hs.on("frame.rx", function(e)
  local t = e.packet.tcp
  if t and t.ack and not t.syn then acks[#acks + 1] = { time = e.time, ackno = t.ackno } end
end, { node = client })
hs.on("frame.tx", function(e)
  local t = e.packet.tcp
  if t and t.data_nth == 3 then sent[#sent + 1] = { time = e.time, seq = t.seq, len = t.len, bytes = e.packet.data.bytes } end
end, { node = client })
hs.every("500us", function()
  if conn and conn.is_open then samples[#samples + 1] = { time = hs.now(), bytes = conn:info().send_q } end
end)
hs.note {
  en = "The client writes ten segments. The send buffer is watched every half millisecond; the third segment is lost once.",
  zh = "客户端写入十个报文段。每半毫秒察看一次发送缓冲区；第三个报文段丢失一次。",
}
hs.run "1s"

local falls, without_ack, rises = 0, 0, 0
for i = 2, #samples do
  local a, b = samples[i - 1], samples[i]
  if b.bytes > a.bytes then rises = rises + 1 end
  if b.bytes < a.bytes then
    falls = falls + 1
    local seen = false
    for _, ack in ipairs(acks) do seen = seen or (ack.time > a.time and ack.time <= b.time) end
    if not seen then without_ack = without_ack + 1 end
  end
end
-- The data leaves in about 12 ms; the first ACK is back a round trip of 40 ms after the first segment.
local full = 0
for _, s in ipairs(samples) do if s.bytes >= 14480 then full = math.max(full, s.time) end end
hs.expect_equal("all bytes are in the buffer at first, and the buffer only shrinks", { samples[1].bytes, rises }, { 14481, 0 }) -- the FIN has a number too
hs.expect("they stay there long after the last segment has left: until the first ACK of data", full >= acks[1].time - 0.001, full)
hs.expect("the buffer shrinks", falls > 0, falls)
hs.expect_equal("and only when an ACK has come in that half millisecond", without_ack, 0)
hs.expect_equal("at the end it is empty", samples[#samples].bytes, 0)
hs.expect_equal("the third segment left twice", #sent, 2)
hs.expect_equal("the second time with the same number, length and bytes: from the kept copy", { sent[2].seq, sent[2].len, sent[2].bytes },
  { sent[1].seq, sent[1].len, sent[1].bytes })
hs.expect_equal("everything arrived intact", { sink:stats().bytes, sink:stats().wrong_bytes }, { 14480, 0 })

hs.translate("zh", {
  ["all bytes are in the buffer at first, and the buffer only shrinks"] = "起初全部字节都在缓冲区里，缓冲区只会变小",
  ["they stay there long after the last segment has left: until the first ACK of data"] = "最后的报文段离开很久之后它们仍在：直到第一个数据 ACK",
  ["the buffer shrinks"] = "缓冲区变小",
  ["and only when an ACK has come in that half millisecond"] = "而且只在那半毫秒里有 ACK 到来时",
  ["at the end it is empty"] = "最后它是空的",
  ["the third segment left twice"] = "第三个报文段离开了两次",
  ["the second time with the same number, length and bytes: from the kept copy"] = "第二次的编号、长度和字节相同：来自保留的副本",
  ["everything arrived intact"] = "全部完好到达",
})
