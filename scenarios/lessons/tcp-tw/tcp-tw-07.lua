-- TCP-TW-07  Same four-tuple during the wait.
-- SO_REUSEADDR lets a port be bound again; the old four-tuple stays protected. The host that waits cannot connect over it: EADDRNOTAVAIL (Linux
-- __inet_check_established; with timestamps it may, for they tell old from new). What the peer sends is another matter: a SYN with a newer sequence
-- number or timestamp is accepted (RFC 1122 4.2.2.13, RFC 6191). An older one is answered with an ACK; the peer resets, and its next try works.
-- tshark-allow: Connection reset (RST) (the peer resets what it does not know)
-- tshark-allow: ACKed segment that wasn't captured (the ACK of TIME-WAIT belongs to the old connection)
-- tshark-allow: Previous segment(s) not captured (the new connection has the ports of the old)
local hs = require "hopscope"
hs.title { en = "TCP-TW-07 Same four-tuple during the wait", zh = "TCP-TW-07 等待期间的相同四元组" }

hs.note { en = "A is 10.234.5.5, port 1234; B is 10.55.55.60, port 6666.", zh = "A 是 10.234.5.5，端口 1234；B 是 10.55.55.60，端口 6666。" }
local A, B, r = hs.host "A", hs.host "B", hs.router "r"
hs.link(A, r, { delay = "5ms", subnet = "10.234.5.0/24", address = { A = "10.234.5.5/24" } })
hs.link(B, r, { delay = "5ms", subnet = "10.55.55.0/24", address = { B = "10.55.55.60/24" } })
for _, h in ipairs { A, B } do h:sysctl("net.ipv4.tcp_timestamps", 0) end

-- B connects to A, which closes first. Afterwards A has the four-tuple in TIME-WAIT, and no listener.
local function first_connection()
  A:spawn(function(os)
    local listener = os.tcp({ reuseaddr = true }):bind(1234):listen(8)
    listener:accept():close()
    listener:close()
  end)
  B:spawn(function(os)
    local conn = os.tcp({ reuseaddr = true }):bind(6666):connect("10.234.5.5", 1234)
    conn:read()
    conn:close()
  end)
  hs.run "1s"
  local wait = A:sockets "TIME-WAIT"
  hs.expect_equal("A has this four-tuple in TIME-WAIT", { #wait, wait[1].addr, wait[1].port, wait[1].peer_addr, wait[1].peer_port },
    { 1, "10.234.5.5", 1234, "10.55.55.60", 6666 })
end
-- B tries the same pair again; A listens again. What was sent, and whether B got its connection.
local function peer_again()
  local sent, connected = {}, nil
  local watch = hs.on("frame.tx", function(e)
    local tcp = e.packet.tcp
    if tcp and (e.node == "A" or e.node == "B") then
      sent[#sent + 1] = e.node .. (tcp.rst and " RST" or tcp.syn and (tcp.ack and " SYN-ACK" or " SYN") or " ACK")
    end
  end)
  A:spawn(function(os)
    os.tcp({ reuseaddr = true }):bind(1234):listen(8):accept()
    os.sleep "10s"
  end)
  B:spawn(function(os)
    os.sleep "1ms"
    local conn, err = os.tcp({ reuseaddr = true }):bind(6666):connect("10.234.5.5", 1234)
    connected = conn and "connected" or err
    os.sleep "20s"
  end)
  hs.run "5s"
  watch:cancel()
  return sent, connected
end

first_connection()
local own = {}
A:spawn(function(os)
  local sock = os.tcp { reuseaddr = true }
  own.bind = sock:bind(1234) ~= nil
  local _, err = sock:connect("10.55.55.60", 6666)
  own.err = err
  local other = os.tcp { reuseaddr = true }
  other:bind(1234)
  _, err = other:connect("10.55.55.60", 6667)
  own.other = err
end)
hs.run "1s"
hs.note({
  en = "A's own attempt: bind works, connect to the same pair says %s; to another port of B it goes out, where nobody listens: %s.",
  zh = "A 自己的尝试：bind 成功，connect 到同一对则说 %s；到 B 的另一个端口能发出去，但那里没有人监听：%s。",
}, own.err, own.other)
hs.expect_equal("with the option A may bind the port, but its connect to the same pair fails", own, { bind = true, err = "EADDRNOTAVAIL", other = "ECONNREFUSED" })

hs.note {
  en = "B's attempt: its initial sequence numbers grow with time, so its SYN is newer than anything A has seen of the old connection.",
  zh = "B 的尝试：它的初始序号随时间增长，所以它的 SYN 比 A 在旧连接中见过的任何编号都新。",
}
local sent, connected = peer_again()
hs.note({ en = "Sent: %s", zh = "发送：%s" }, table.concat(sent, ", "))
hs.expect_equal("a newer SYN is accepted", { sent[1], sent[2], sent[3], connected }, { "B SYN", "A SYN-ACK", "B ACK", "connected" })

hs.note {
  en = "Once more, but now B's sequence number is old: it starts a million below what A expects.",
  zh = "再来一次，但现在 B 的序号是旧的：它从比 A 所期望的低一百万处开始。",
}
hs.run "100s"
local last
local seqs = hs.on("frame.tx", function(e) if e.packet.tcp then last = e.packet.tcp.seq end end, { node = B })
first_connection()
seqs:cancel()
B:sysctl("hopscope.tcp_isn", 2)
B:sysctl("hopscope.tcp_isn_fixed", (last - 1000000) % 4294967296)
sent, connected = peer_again()
hs.note({ en = "Sent: %s", zh = "发送：%s" }, table.concat(sent, ", "))
hs.expect_equal("an older SYN is answered with an ACK, B resets, and its next SYN works",
  { sent[1], sent[2], sent[3], sent[4], sent[5], sent[6], connected }, { "B SYN", "A ACK", "B RST", "B SYN", "A SYN-ACK", "B ACK", "connected" })

hs.translate("zh", {
  ["A has this four-tuple in TIME-WAIT"] = "A 的这个四元组处于 TIME-WAIT",
  ["with the option A may bind the port, but its connect to the same pair fails"] = "有该选项时 A 可以绑定端口，但到同一对的 connect 失败",
  ["a newer SYN is accepted"] = "更新的 SYN 被接受",
  ["an older SYN is answered with an ACK, B resets, and its next SYN works"] = "更旧的 SYN 得到一个 ACK，B 复位，它的下一个 SYN 成功",
})
