-- TCP-FC-13  Both cures are needed.
-- Nagle's algorithm waits for acknowledgments. If these come at once and open the window by a few bytes each time, everything sent is always
-- acknowledged, and Nagle sends just those few bytes. The receiver's cure alone does not help against an application that writes small
-- pieces into an open window. Only with both (RFC 9293 3.8.6.2, 3.7.4) are the segments full.
-- tshark-allow: TCP window specified by the receiver is now completely full (a full window is what is shown)
-- tshark-allow: TCP Zero Window segment (a closed window is what is shown)
local hs = require "hopscope"
hs.title { en = "TCP-FC-13 Both cures are needed", zh = "TCP-FC-13 两种补救都需要" }

local size, mss = 120000, 1460
-- Linux's sender has a third cure: it does not send into a window that is too small for what it has. Without it here (hopscope.tcp_quirks
-- 0x400), so that only Nagle's algorithm counts. The receiver's cure is off with 0x100: the window is exact.
local function transfer(receiver_cure, nagle)
  local name = (receiver_cure and "r" or "") .. (nagle and "s" or "") .. "-"
  local client = hs.host(name .. "client", { sysctl = { ["net.ipv4.tcp_timestamps"] = 0, ["hopscope.tcp_quirks"] = 0x400 } })
  local server = hs.host(name .. "server", { sysctl = { ["net.ipv4.tcp_timestamps"] = 0, ["hopscope.tcp_quirks"] = receiver_cure and 0 or 0x100 } })
  hs.link(client, server, { delay = "0.1ms" })
  server:sysctl("net.ipv4.tcp_window_scaling", 0)
  client:ping(server, { count = 1 })
  local segments, bytes, got = 0, 0, 0
  hs.on("frame.tx", function(e)
    local tcp = e.packet.tcp
    if tcp and tcp.len > 0 then segments, bytes = segments + 1, bytes + tcp.len end
  end, { node = client })
  server:spawn(function(os)
    local listener = os.tcp({ rcvbuf = 16384 })
    listener:setopt("TCP_WINDOW_CLAMP", 14600)
    local peer = listener:bind(7100):listen(1):accept()
    peer:setopt("TCP_QUICKACK", 1)
    for data in function() return peer:read(50) end do
      got = got + #data
      peer:setopt("TCP_QUICKACK", 1)
      os.sleep "1ms"
    end
  end)
  client:spawn(function(os)
    local conn = os.tcp({ nodelay = not nagle }):connect(server, 7100)
    for _ = 1, size / 100 do
      conn:write(hs.payload(100))
      os.sleep "10us"
    end
    conn:close()
  end)
  hs.run "4s"
  hs.expect_equal((receiver_cure and "receiver's cure, " or "no receiver's cure, ") .. (nagle and "Nagle" or "no Nagle") .. ": everything arrives", got, size)
  return bytes / segments
end

hs.note {
  en = "The client writes 100 bytes every 10 us, the server reads 50 bytes every millisecond and acknowledges at once; the round trip takes 0.2 ms.",
  zh = "客户端每 10 us 写入 100 字节，服务器每毫秒读取 50 字节并立刻确认；往返时间是 0.2 ms。",
}
local neither, nagle, receiver, both = transfer(false, false), transfer(false, true), transfer(true, false), transfer(true, true)
hs.note({
  en = "Mean payload: no cure %.0f bytes; Nagle alone %.0f; the receiver's alone %.0f; both %.0f.",
  zh = "平均有效载荷：没有补救 %.0f 字节；只有 Nagle %.0f；只有接收方的 %.0f；两者都有 %.0f。",
}, neither, nagle, receiver, both)
hs.expect("no cure: small segments", neither < 100, neither)
hs.expect("Nagle alone is defeated by quick ACKs of small windows", nagle < 0.1 * mss, nagle)
hs.expect("the receiver's cure alone: the small writes go out one by one while the window is open", receiver < 0.5 * mss, receiver)
hs.expect("only both give full segments (but for the first and a few at the edge of the window)", both > 0.9 * mss, both)

hs.translate("zh", {
  ["no receiver's cure, no Nagle: everything arrives"] = "没有接收方的补救，没有 Nagle：全部到达",
  ["no receiver's cure, Nagle: everything arrives"] = "没有接收方的补救，有 Nagle：全部到达",
  ["receiver's cure, no Nagle: everything arrives"] = "有接收方的补救，没有 Nagle：全部到达",
  ["receiver's cure, Nagle: everything arrives"] = "有接收方的补救，有 Nagle：全部到达",
  ["no cure: small segments"] = "没有补救：小的报文段",
  ["Nagle alone is defeated by quick ACKs of small windows"] = "只有 Nagle 时，它败给了小窗口的快速 ACK",
  ["the receiver's cure alone: the small writes go out one by one while the window is open"] = "只有接收方的补救：窗口打开时，小的写入一个个发出去",
  ["only both give full segments (but for the first and a few at the edge of the window)"] = "只有两者并用才得到满的报文段（第一个和窗口边界上的几个除外）",
})
