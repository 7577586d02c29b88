-- TCP-FC-03  Sender's four regions.
-- Three numbers divide the stream as the sender sees it (RFC 9293 3.3.1): before SND.UNA is acknowledged; from there to SND.NXT is sent;
-- from there to SND.UNA + SND.WND may be sent; what follows must wait. The picture of the books, byte for byte: 1-31 acknowledged,
-- 32-45 sent, 46-51 may be sent, 52 and more not yet; the window has 20 bytes.
-- tshark-allow: TCP window specified by the receiver is now completely full (a full window is what is shown)
-- tshark-allow: TCP Zero Window segment (a closed window is what is shown)
local hs = require "hopscope"
hs.title { en = "TCP-FC-03 Sender's four regions", zh = "TCP-FC-03 发送方的四个区域" }

-- The first data byte has number 1. The receiver's window is that of the picture (a real Linux would not go below 1152 bytes).
local client = hs.host("client", { sysctl = { ["hopscope.tcp_isn"] = 2, ["hopscope.tcp_isn_fixed"] = 0 } })
local server = hs.host("server", { sysctl = { ["hopscope.tcp_quirks"] = 0x100 } })
hs.link(client, server, { delay = "10ms" })
client:ping("server", { count = 1 })

local conn, peer
server:spawn(function(os)
  local listener = os.tcp()
  listener:setopt("TCP_WINDOW_CLAMP", 20)
  peer = listener:bind(7100):listen(1):accept()
  for _ in function() return peer:read() end do end  -- whatever comes is read at once
end)
-- Each write is a segment of its own: it waits for no other (TCP_NODELAY) and is joined to no other (MSG_EOR).
local function write(n) conn:send(("x"):rep(n), { eor = true }) end

-- The first byte of each region after the first, as the stack has them: SND.UNA, SND.NXT, SND.UNA + SND.WND.
local zh = {
  ["Connected"] = "已连接",
  ["20 bytes are written"] = "写入 20 字节",
  ["They are acknowledged"] = "它们得到确认",
  ["11 more are written, and acknowledged"] = "又写入 11 字节，并得到确认",
  ["14 more are written"] = "又写入 14 字节",
  ["6 more are written"] = "又写入 6 字节",
  ["4 more are written"] = "又写入 4 字节",
  ["The answer has come"] = "应答来了",
}
local function regions(what)
  local info = conn:info()
  local una = info.bytes_acked  -- the SYN had number 0, so this is SND.UNA
  local nxt = info.bytes_sent - info.bytes_retrans + 1
  local edge = una + info.snd_wnd
  local function range(from, to) return from < to and from .. "-" .. to - 1 or { en = "none", zh = "无" } end
  hs.note({
    en = "%s: acknowledged %s, sent %s, may be sent %s, not yet %d on.",
    zh = "%s：已确认 %s，已发送 %s，可以发送 %s，从 %d 起还不可以。",
  }, { en = what, zh = zh[what] }, range(1, una), range(una, nxt), range(nxt, edge), edge)
  return { una, nxt, edge }
end

client:spawn(function(os)
  conn = os.tcp({ nodelay = true }):connect("server", 7100)
  hs.expect_equal("connected: 20 bytes may be sent", regions "Connected", { 1, 1, 21 })
  write(20)
  hs.expect_equal("20 written: the window is used up", regions "20 bytes are written", { 1, 21, 21 })
  os.sleep "30ms"
  hs.expect_equal("acknowledged: the window has moved on by 20", regions "They are acknowledged", { 21, 21, 41 })
  write(11)
  os.sleep "30ms"
  hs.expect_equal("and by 11 more", regions "11 more are written, and acknowledged", { 32, 32, 52 })
  write(14)
  hs.expect_equal("the picture: 1-31, 32-45, 46-51, 52 on", regions "14 more are written", { 32, 46, 52 })
  write(6)
  hs.expect_equal("6 more: nothing may be sent any longer", regions "6 more are written", { 32, 52, 52 })
  write(4)
  hs.expect_equal("what is written now must wait", regions "4 more are written", { 32, 52, 52 })
  os.sleep "30ms"
  -- 32-51 are acknowledged and read: the window is 20 bytes again, and begins at 52. The 4 bytes that waited are sent.
  hs.expect_equal("both edges move by 20, and the 4 bytes go", regions "The answer has come", { 52, 56, 72 })
end)
hs.run "1s"

hs.translate("zh", {
  ["connected: 20 bytes may be sent"] = "已连接：可以发送 20 字节",
  ["20 written: the window is used up"] = "写入 20：窗口用完了",
  ["acknowledged: the window has moved on by 20"] = "得到确认：窗口移动了 20",
  ["and by 11 more"] = "又移动 11",
  ["the picture: 1-31, 32-45, 46-51, 52 on"] = "如图：1-31、32-45、46-51、从 52 起",
  ["6 more: nothing may be sent any longer"] = "再写 6：什么也不能再发送",
  ["what is written now must wait"] = "现在写入的必须等待",
  ["both edges move by 20, and the 4 bytes go"] = "两个边界都移动 20，那 4 个字节发出",
})
