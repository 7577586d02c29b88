-- TCP-FC-07  Zero window.
-- A receiver whose buffer is full announces a window of 0. The sender then sends no data, only small probes now and then
-- (RFC 9293 3.8.6.1). Data that come nevertheless are dropped and answered with an ACK that says once more: window 0.
-- tshark-allow: TCP window specified by the receiver is now completely full (a full window is what is shown)
-- tshark-allow: TCP Zero Window segment (a closed window is what is shown)
local hs = require "hopscope"
hs.title { en = "TCP-FC-07 Zero window", zh = "TCP-FC-07 零窗口" }

local client, server = hs.host "client", hs.host "server"
hs.link(client, server, { delay = "10ms" })
client:ping("server", { count = 1 })
local peer
server:spawn(function(os)
  peer = os.tcp({ rcvbuf = 8192 }):bind(7100):listen(1):accept()
  os.sleep "1h"  -- never reads
end)
local conn = client:tcp():connect("server", 7100)
local frames = hs.frames { filter = function(p) return p.tcp end }
client:spawn(function() conn:write(hs.payload(100000)) end)

hs.note { en = "The server's program does not read. The client writes 100000 bytes.", zh = "服务器的程序不读取。客户端写入 100000 字节。" }
hs.run "2s"
local last = frames:select(function(p) return p.from == "server" end)
last = last[#last].packet.tcp
hs.note({ en = "The window was announced as 0, after %d bytes were acknowledged.", zh = "确认 %d 字节之后，窗口被通告为 0。" }, peer:info().recv_q)
hs.expect_equal("the announced window is 0", last.window, 0)
hs.expect_equal("the client knows it", conn:info().snd_wnd, 0)
hs.expect_equal("what was acknowledged waits for the reader", peer:info().recv_q, conn:info().bytes_acked - 1)

local from = #frames
hs.run "60s"
local data, probes, answers = 0, 0, 0
for i = from + 1, #frames do
  local p = frames[i].packet
  if p.from == "server" then
    answers = answers + (p.tcp.window == 0 and p.tcp.ackno == last.ackno and 1 or 0)
  elseif p.tcp.len > 0 then
    data = data + 1
  elseif p.tcp.seq == last.ackno - 1 then
    probes = probes + 1
  end
end
hs.note({
  en = "A minute: the client has sent no data and %d probes, empty segments with a sequence number that was acknowledged before.",
  zh = "一分钟：客户端没有发送数据，只有 %d 个探测，即序号早已被确认过的空报文段。",
}, probes)
hs.expect_equal("the client is silent, except for probes", data, 0)
hs.expect("there were probes", probes >= 5, probes)
hs.expect_equal("nothing else was sent: probes and their answers", #frames - from, probes + answers)
hs.expect_equal("each is answered: window 0", answers, probes)

local unread, dropped, before = peer:info().recv_q, server:counter "TcpExtBeyondWindow", #frames
local _, port = conn:local_addr()
local reasons = {}
hs.on("tcp.drop", function(e) reasons[#reasons + 1] = e.reason end, { node = server })
hs.note { en = "Somebody sends 100 bytes nevertheless, with the right sequence number.", zh = "尽管如此，还是有人发送 100 字节，序号正确。" }
local template = frames:select(function(p) return p.from == "client" and p.tcp.ts_val end)
template = template[#template].packet.tcp
client:forge { to = server, sport = port, dport = 7100, seq = last.ackno, ack = template.ackno, flags = "PA", data = ("x"):rep(100),
  options = "\1\1\8\10" .. (">I4I4"):pack(template.ts_val, template.ts_ecr) }
hs.run "30ms"
local answer = frames[#frames].packet
hs.expect_equal("it is dropped", { reasons, peer:info().recv_q }, { { "TCP_INVALID_END_SEQUENCE" }, unread })
hs.expect_equal("and counted", server:counter "TcpExtBeyondWindow", dropped + 1)
hs.expect_equal("and answered: the same acknowledgment, window 0", { #frames - before, answer.from, answer.tcp.ackno, answer.tcp.window },
  { 2, "server", last.ackno, 0 })

hs.translate("zh", {
  ["the announced window is 0"] = "通告的窗口是 0",
  ["the client knows it"] = "客户端知道",
  ["what was acknowledged waits for the reader"] = "已确认的等待着读者",
  ["the client is silent, except for probes"] = "除了探测，客户端保持沉默",
  ["there were probes"] = "有过探测",
  ["nothing else was sent: probes and their answers"] = "没有发送别的：只有探测和对它们的应答",
  ["each is answered: window 0"] = "每个都得到应答：窗口 0",
  ["it is dropped"] = "它被丢弃",
  ["and counted"] = "并被计数",
  ["and answered: the same acknowledgment, window 0"] = "并得到应答：同样的确认，窗口 0",
})
