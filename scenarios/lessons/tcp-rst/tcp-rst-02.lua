-- TCP-RST-02  Where RST comes from.
-- A RST answers what cannot belong to a connection. Its numbers follow one rule (RFC 9293 3.10.7.1): if the segment has an ACK, the RST
-- takes its sequence number from there, so that the sender finds it believable; if not, seq is 0 and the RST acknowledges the whole
-- segment. A connection that gives itself up sends its own numbers: SND.NXT and RCV.NXT. The prober sends hand-made segments, so nothing
-- answers the answers.
-- tshark-allow: Connection reset (RST) (that is what the lesson is about)
-- tshark-allow: ACKed segment that wasn't captured (hand-made segments acknowledge what was never sent)
local hs = require "hopscope"
hs.title { en = "TCP-RST-02 Where RST comes from", zh = "TCP-RST-02 RST 从哪里来" }

local prober, host = hs.host "prober", hs.host "host"
local link = hs.link(prober, host, { delay = "5ms" })
prober:ping("host", { count = 1 })
local rows = {}

-- All segments that `host` sends while fn and the next `time` go on.
local function answers(fn, time)
  local sent = {}
  local watch = hs.on("frame.tx", function(e)
    local t = e.packet.tcp
    if t then sent[#sent + 1] = { rst = t.rst, ack = t.ack, syn = t.syn, seq = t.seq, ackno = t.ackno, dport = t.dport } end
  end, { node = host })
  fn()
  hs.run(time or "100ms")
  watch:cancel()
  return sent
end
local function forge(options) return function() prober:forge(options) end end
local zh = {
  ["SYN to a closed port, seq 1000"] = "发往关闭端口的 SYN，seq 1000",
  ["ACK of an unknown connection, ack 7000"] = "未知连接的 ACK，ack 7000",
  ["its data, ack 7000"] = "它的数据，ack 7000",
  ["its FIN without ACK: 5 bytes, and 1 for the FIN"] = "它的不带 ACK 的 FIN：5 字节，FIN 再算 1",
  ["SYN-RECEIVED, ISN 5000, but ack 4444"] = "SYN-RECEIVED，ISN 5000，却是 ack 4444",
  ["SYN-SENT, ISN 5000, but ack 4444"] = "SYN-SENT，ISN 5000，却是 ack 4444",
  ["SO_LINGER 0, after it has read 5 bytes"] = "SO_LINGER 0，在它读取 5 字节之后",
  ["close with 5 bytes unread"] = "还有 5 字节未读时 close",
  ["data after close"] = "close 之后的数据",
  ["full accept queue, tcp_abort_on_overflow 1"] = "接受队列已满，tcp_abort_on_overflow 1",
}
local function check(cause, sent, nth, seq, ack)
  local r = sent[nth]
  rows[#rows + 1] = {
    en = string.format("%-60s seq %-10d %s", cause, r.seq, r.ack and "ack " .. r.ackno or "no ACK"),
    zh = string.format("%s：seq %d，%s", zh[cause], r.seq, r.ack and "ack " .. r.ackno or "没有 ACK"),
  }
  hs.expect_equal(cause .. ": RST", { #sent, r.rst, r.syn }, { nth, true, false })
  hs.expect_equal(cause .. ": its numbers", { r.seq, r.ack and r.ackno }, { seq, ack })
end

hs.note { en = "1. Nobody listens on the port.", zh = "1. 没有人在该端口上监听。" }
check("SYN to a closed port, seq 1000", answers(forge { to = host, dport = 99, seq = 1000, flags = "S" }), 1, 0, 1001)
hs.note { en = "2. The connection is unknown: perhaps the host has been rebooted since.", zh = "2. 连接是未知的：也许主机在此期间重启过。" }
check("ACK of an unknown connection, ack 7000", answers(forge { to = host, dport = 99, seq = 1000, ack = 7000, flags = "A" }), 1, 7000, false)
check("its data, ack 7000", answers(forge { to = host, dport = 99, seq = 1000, ack = 7000, flags = "AP", data = "hello" }), 1, 7000, false)
check("its FIN without ACK: 5 bytes, and 1 for the FIN", answers(forge { to = host, dport = 99, seq = 1000, flags = "F", data = "hello" }), 1, 0, 1006)
hs.expect_equal("a RST is never answered", #answers(forge { to = host, dport = 99, seq = 1000, flags = "R" }), 0)

hs.note { en = "3. A wrong acknowledgment while a connection opens, on either side.", zh = "3. 连接打开期间的错误确认，来自任何一方。" }
host:sysctl("hopscope.tcp_isn", 2)
host:sysctl("hopscope.tcp_isn_fixed", 5000)
host:spawn(function(os) os.tcp():bind(7):listen(1):accept() end)
local sent = answers(function()
  prober:forge { to = host, dport = 7, seq = 1000, flags = "S" }
  hs.after("50ms", forge { to = host, dport = 7, seq = 1001, ack = 4444, flags = "A" })
end)
check("SYN-RECEIVED, ISN 5000, but ack 4444", sent, 2, 4444, false)
host:power(false) -- the half-open entry shall not disturb what follows
host:power(true)

hs.note {
  en = "The host calls port 9. Its SYN is lost, so that only a hand-made answer comes: it acknowledges 4444 instead of 5001.",
  zh = "主机连接端口 9。它的 SYN 丢失，因此只有一个手工制作的应答到来：它确认的是 4444，而不是 5001。",
}
link:dir(host):rule(function(p) if p.tcp and p.tcp.syn then return "drop" end end)
sent = answers(function()
  host:spawn(function(os) os.tcp():bind(1235):connect(prober, 9) end)
  hs.after("50ms", forge { to = host, sport = 9, dport = 1235, seq = 8000, ack = 4444, flags = "SA" })
end, "56ms")
check("SYN-SENT, ISN 5000, but ack 4444", sent, 2, 4444, false)
host:power(false)
host:power(true)
link:dir(host):rule(nil)

-- From here on with a real client, which says "hello", 5 bytes; the host has ISN 5000 and the client ISN 1000.
prober:sysctl("hopscope.tcp_isn", 2)
prober:sysctl("hopscope.tcp_isn_fixed", 1000)
local port = 2000
local function with_connection(serve)
  port = port + 1
  local at = port
  return answers(function()
    host:spawn(function(os) serve(os, (os.tcp():bind(at):listen(8):accept())) end)
    prober:spawn(function(os)
      os.sleep "1ms"
      local conn = os.tcp():connect(host, at)
      conn:write "hello"
      conn:read()
      os.sleep "1s"
      conn:write "I am still here"
      os.sleep "1s"
    end)
  end, "3s")
end
hs.note { en = "4. The application ends its connection in a way that is no orderly close.", zh = "4. 应用程序以一种不是正常关闭的方式结束连接。" }
check("SO_LINGER 0, after it has read 5 bytes", with_connection(function(os, conn)
  conn:read()
  conn:setopt("SO_LINGER", 0)
  conn:close()
end), 3, 5001, 1006)
check("close with 5 bytes unread", with_connection(function(os, conn)
  os.sleep "100ms"
  conn:close()
end), 3, 5001, 1006)
-- SYN-ACK, ACK of the data, FIN, and then the RST: with the number that the client's segment acknowledges, 5002 for the FIN
check("data after close", with_connection(function(os, conn)
  conn:read()
  conn:close()
end), 4, 5002, false)

hs.note {
  en = "5. The accept queue is full, and net.ipv4.tcp_abort_on_overflow says that the client shall know.",
  zh = "5. 接受队列已满，而 net.ipv4.tcp_abort_on_overflow 规定要让客户端知道。",
}
host:sysctl("net.ipv4.tcp_abort_on_overflow", 1)
host:tcp():bind(3000):listen(1) -- room for two, as Linux counts
-- one comes alone; the other two are both half-open when there is room for one of them
local errors = {}
sent = answers(function()
  for i = 1, 3 do
    prober:spawn(function(os)
      if i > 1 then os.sleep "20ms" end
      local conn = os.tcp():connect(host, 3000)
      errors[i] = select(2, conn:read(1, "5s"))
    end)
  end
end, "1s")
-- three SYN-ACKs, and the RST to the second ACK
check("full accept queue, tcp_abort_on_overflow 1", sent, 4, 5001, false)
hs.run "6s"
hs.expect_equal("two are connected, the third one is reset", errors, { "EAGAIN", "EAGAIN", "ECONNRESET" })
for _, row in ipairs(rows) do hs.note(row) end

hs.translate("zh", {
  ["SYN to a closed port, seq 1000: RST"] = "发往关闭端口的 SYN，seq 1000：RST",
  ["SYN to a closed port, seq 1000: its numbers"] = "发往关闭端口的 SYN，seq 1000：它的编号",
  ["ACK of an unknown connection, ack 7000: RST"] = "未知连接的 ACK，ack 7000：RST",
  ["ACK of an unknown connection, ack 7000: its numbers"] = "未知连接的 ACK，ack 7000：它的编号",
  ["its data, ack 7000: RST"] = "它的数据，ack 7000：RST",
  ["its data, ack 7000: its numbers"] = "它的数据，ack 7000：它的编号",
  ["its FIN without ACK: 5 bytes, and 1 for the FIN: RST"] = "它的不带 ACK 的 FIN：5 字节，FIN 再算 1：RST",
  ["its FIN without ACK: 5 bytes, and 1 for the FIN: its numbers"] = "它的不带 ACK 的 FIN：5 字节，FIN 再算 1：它的编号",
  ["a RST is never answered"] = "对 RST 从不应答",
  ["SYN-RECEIVED, ISN 5000, but ack 4444: RST"] = "SYN-RECEIVED，ISN 5000，却是 ack 4444：RST",
  ["SYN-RECEIVED, ISN 5000, but ack 4444: its numbers"] = "SYN-RECEIVED，ISN 5000，却是 ack 4444：它的编号",
  ["SYN-SENT, ISN 5000, but ack 4444: RST"] = "SYN-SENT，ISN 5000，却是 ack 4444：RST",
  ["SYN-SENT, ISN 5000, but ack 4444: its numbers"] = "SYN-SENT，ISN 5000，却是 ack 4444：它的编号",
  ["SO_LINGER 0, after it has read 5 bytes: RST"] = "SO_LINGER 0，在它读取 5 字节之后：RST",
  ["SO_LINGER 0, after it has read 5 bytes: its numbers"] = "SO_LINGER 0，在它读取 5 字节之后：它的编号",
  ["close with 5 bytes unread: RST"] = "还有 5 字节未读时 close：RST",
  ["close with 5 bytes unread: its numbers"] = "还有 5 字节未读时 close：它的编号",
  ["data after close: RST"] = "close 之后的数据：RST",
  ["data after close: its numbers"] = "close 之后的数据：它的编号",
  ["full accept queue, tcp_abort_on_overflow 1: RST"] = "接受队列已满，tcp_abort_on_overflow 1：RST",
  ["full accept queue, tcp_abort_on_overflow 1: its numbers"] = "接受队列已满，tcp_abort_on_overflow 1：它的编号",
  ["two are connected, the third one is reset"] = "两条已连接，第三条被复位",
})
