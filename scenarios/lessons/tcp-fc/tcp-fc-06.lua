-- TCP-FC-06  The advertised window follows the reader.
-- Each segment says how much room its sender has left: the buffer less what the application has not read (RFC 9293 3.8.6). The sender
-- learns it when that segment arrives, half a round trip later: its view of the window is always a little old.
-- tshark-allow: TCP window specified by the receiver is now completely full (a full window is what is shown)
local hs = require "hopscope"
hs.title { en = "TCP-FC-06 Advertised window follows the reader", zh = "TCP-FC-06 通告的窗口跟随读者" }

-- The receiver's buffer is 10000 bytes, and the window exact (Linux rounds it to segments, and shares it with its own administration).
local client = hs.host "client"
local server = hs.host("server", { sysctl = { ["hopscope.tcp_quirks"] = 0x100 } })
local buffer, delay = 10000, 0.020
hs.link(client, server, { delay = delay })
client:ping("server", { count = 1 })

local listener = server:tcp()
listener:setopt("TCP_WINDOW_CLAMP", buffer)
listener:bind(7100):listen(1)
local conn = client:tcp():connect("server", 7100)
local peer = listener:accept()

-- What the server says, and whether it is true.
local said, wrong = { { time = hs.now(), window = buffer } }, 0
hs.on("frame.tx", function(e)
  if not e.packet.tcp then return end
  local window = e.packet.tcp.window
  said[#said + 1] = { time = e.time, window = window }
  if window ~= buffer - peer:info().recv_q then wrong = wrong + 1 end
end, { node = server })

hs.note {
  en = "The client writes 40000 bytes as fast as it may. The server reads 2500 bytes every 50 ms.",
  zh = "客户端尽快写入 40000 字节。服务器每 50 ms 读取 2500 字节。",
}
client:spawn(function() conn:write(hs.payload(40000)) end)
server:spawn(function(os)
  while peer:read(2500) do os.sleep "50ms" end
end)

-- Every millisecond: what the client believes, what the server said 20 ms ago, and what it says now.
local late, differs, samples, smallest = 0, 0, 0, buffer
local function said_at(time)
  local window
  for _, s in ipairs(said) do
    if s.time <= time then window = s.window end
  end
  return window
end
local start = hs.now()
for ms = 1, 900 do
  hs.at(start + ms / 1000 + 0.0005, function()
    local now, view = hs.now(), conn:info().snd_wnd
    samples = samples + 1
    smallest = math.min(smallest, view)
    if ms > 20 and view ~= said_at(now - delay) then late = late + 1 end
    if view ~= said_at(now) then differs = differs + 1 end
    if ms % 150 == 0 then
      hs.note({
        en = "%d ms: unread %d, announced %d; the client believes %d",
        zh = "%d ms：未读 %d，已通告 %d；客户端以为是 %d",
      }, ms, peer:info().recv_q, said_at(now), view)
    end
  end)
end
hs.run "2s"

hs.expect_equal("every segment: window = buffer - unread", wrong, 0)
hs.expect("there were many", #said > 15, #said)
hs.expect("only a quarter of the buffer was free at times", smallest <= 2500, smallest)
hs.expect_equal("the sender's view is what was said half a round trip ago, always", late, 0)
hs.expect("so it often differs from what is said now", differs > samples / 20, string.format("%d of %d samples", differs, samples))
hs.expect_equal("in the end everything is read and the window is whole", { peer:info().recv_q, said[#said].window }, { 0, buffer })

hs.translate("zh", {
  ["every segment: window = buffer - unread"] = "每个报文段：窗口 = 缓冲区 - 未读",
  ["there were many"] = "有许多个",
  ["only a quarter of the buffer was free at times"] = "有时缓冲区只有四分之一空闲",
  ["the sender's view is what was said half a round trip ago, always"] = "发送方所见始终是半个往返之前所说的",
  ["so it often differs from what is said now"] = "所以常常与现在所说的不同",
  ["in the end everything is read and the window is whole"] = "最后全部读完，窗口完整",
})
