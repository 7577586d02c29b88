-- TCP-FC-04  Usable window; the sender stops when it is full.
-- Usable is what the receiver allows less what is on the way already: SND.UNA + SND.WND - SND.NXT, or SND.WND - (SND.NXT - SND.UNA)
-- (RFC 9293 3.8.6.2.1). In the picture of the books: a window of 20, SND.UNA 32 and SND.NXT 46 leave 20 - (46 - 32) = 6 bytes. Then the
-- sender stops, whatever the application writes, until an acknowledgment comes: ACK 36 frees 4 more.
-- tshark-allow: TCP window specified by the receiver is now completely full (a full window is what is shown)
-- tshark-allow: TCP Zero Window segment (a closed window is what is shown)
local hs = require "hopscope"
hs.title { en = "TCP-FC-04 Usable window: the sender stops when it is full", zh = "TCP-FC-04 可用窗口：窗口满时发送方停下" }

-- The first data byte has number 1. The receiver's window is that of the picture (a real Linux would not go below 1152 bytes).
local client = hs.host("client", { sysctl = { ["hopscope.tcp_isn"] = 2, ["hopscope.tcp_isn_fixed"] = 0 } })
local server = hs.host("server", { sysctl = { ["hopscope.tcp_quirks"] = 0x100 } })
local link = hs.link(client, server, { delay = "10ms" })
client:ping("server", { count = 1 })

-- Every segment against the window that the client has heard of until then: ACK + window is the first byte that must not be sent.
local edge, iss, highest, beyond = 21, 0, 0, 0
local acks, sent = {}, {}
hs.on("frame.rx", function(e)
  local tcp = e.packet.tcp
  if not tcp then return end
  edge = tcp.ackno + tcp.window
  if not tcp.syn then acks[#acks + 1] = { time = e.time, ack = tcp.ackno, window = tcp.window } end
end, { node = client })
hs.on("frame.tx", function(e)
  local tcp = e.packet.tcp
  if not tcp or tcp.len == 0 then return end
  sent[#sent + 1] = { time = e.time, from = tcp.seq, to = tcp.seq + tcp.len - 1 }
  highest = math.max(highest, tcp.seq + tcp.len - 1)
  if highest >= edge then beyond = beyond + 1 end
end, { node = client })

server:spawn(function(os)
  local listener = os.tcp()
  listener:setopt("TCP_WINDOW_CLAMP", 20)
  local peer = listener:bind(7100):listen(1):accept()
  for _ in function() return peer:read() end do end  -- whatever comes is read at once
end)
-- The second of the first two segments takes 5 ms longer, so that their acknowledgments come one after the other.
link:dir(client):rule(function(p) if p.tcp and p.tcp.seq >= 36 and p.tcp.len > 0 then return { "delay", "5ms" } end end)

local usable, stopped, after_36
client:spawn(function(os)
  local conn = os.tcp({ nodelay = true }):connect("server", 7100)
  -- Each write is a segment of its own: it waits for no other (TCP_NODELAY) and is joined to no other (MSG_EOR).
  local function write(n) conn:send(("x"):rep(n), { eor = true }) end
  local function state() -- as the stack has it; the SYN had number 0, so bytes_acked is SND.UNA
    local info = conn:info()
    return { una = info.bytes_acked, nxt = info.bytes_sent + 1, wnd = info.snd_wnd, waiting = info.notsent_bytes }
  end
  write(20)
  os.sleep "30ms"
  write(11)
  os.sleep "100ms"
  write(4)
  write(10)
  usable = state()
  hs.note({
    en = "SND.UNA is %d, SND.NXT %d, SND.WND %d: usable are %d - (%d - %d) = %d bytes.",
    zh = "SND.UNA 是 %d，SND.NXT 是 %d，SND.WND 是 %d：可用的是 %d -（%d - %d）= %d 字节。",
  }, usable.una, usable.nxt, usable.wnd, usable.wnd, usable.nxt, usable.una, usable.wnd - (usable.nxt - usable.una))
  hs.note { en = "The application writes 30 bytes, one by one.", zh = "应用程序一个一个地写入 30 个字节。" }
  for _ = 1, 30 do write(1) end
  stopped = state()
  hs.note({
    en = "The sender has stopped at SND.NXT %d; %d bytes wait.",
    zh = "发送方停在 SND.NXT %d；还有 %d 字节在等待。",
  }, stopped.nxt, stopped.waiting)
  os.sleep "22ms"
  after_36 = state()
  hs.note({ en = "An acknowledgment came, ACK %d: SND.NXT is %d now.", zh = "来了一个确认，ACK %d：现在 SND.NXT 是 %d。" }, after_36.una, after_36.nxt)
  os.sleep "1s"
  conn:close()
end)
hs.run "2s"

hs.expect_equal("the picture: SND.UNA 32, SND.NXT 46, SND.WND 20", { usable.una, usable.nxt, usable.wnd }, { 32, 46, 20 })
hs.expect_equal("usable are 20 - (46 - 32) = 6 bytes", usable.wnd - (usable.nxt - usable.una), 6)
hs.expect_equal("the sender stops after 6 of the 30 bytes", { stopped.nxt, stopped.waiting }, { 52, 24 })
hs.expect_equal("ACK 36, again with a window of 20, frees 4 more", { after_36.una, after_36.wnd, after_36.nxt, after_36.waiting }, { 36, 20, 56, 20 })
hs.expect_equal("no byte was sent beyond the window that was announced", beyond, 0)
hs.expect_equal("in the end all 31 + 14 + 30 bytes have gone", highest, 75)

hs.translate("zh", {
  ["the picture: SND.UNA 32, SND.NXT 46, SND.WND 20"] = "如图：SND.UNA 32、SND.NXT 46、SND.WND 20",
  ["usable are 20 - (46 - 32) = 6 bytes"] = "可用的是 20 - (46 - 32) = 6 字节",
  ["the sender stops after 6 of the 30 bytes"] = "30 个字节中发送 6 个之后，发送方停下",
  ["ACK 36, again with a window of 20, frees 4 more"] = "ACK 36，窗口仍是 20，又放出 4 个",
  ["no byte was sent beyond the window that was announced"] = "没有一个字节超出所通告的窗口",
  ["in the end all 31 + 14 + 30 bytes have gone"] = "最后全部 31 + 14 + 30 字节都已发出",
})
