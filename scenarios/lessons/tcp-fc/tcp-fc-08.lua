-- TCP-FC-08  Lost window update.
-- When the reader has made room, the receiver says so in a pure ACK, which nobody acknowledges and nobody repeats. If it is lost, the
-- receiver waits for data and the sender waits for a window: for ever. So the sender has a persist timer: when it runs out, it probes, and
-- the answer has the new window (RFC 9293 3.8.6.1). Shown without the timer (hopscope.tcp_quirks 0x200) and with it.
-- tshark-allow: TCP window specified by the receiver is now completely full (a full window is what is shown)
-- tshark-allow: TCP Zero Window segment (a closed window is what is shown)
local hs = require "hopscope"
hs.title { en = "TCP-FC-08 Lost window update", zh = "TCP-FC-08 窗口更新丢失" }

local with = hs.host "with-timer"
local without = hs.host("without-timer", { sysctl = { ["hopscope.tcp_quirks"] = 0x200 } })
local size = 20000

local function transfer(client)
  local server = hs.host("server-of-" .. client.name)
  local link = hs.link(client, server, { delay = "10ms" })
  local r = { got = 0, probes = 0, updates = 0 }
  local closed, lost = false, false
  link:dir(server):rule(function(p)
    if not p.tcp or p.tcp.syn then return end
    if p.tcp.window == 0 then
      closed = true
    elseif closed and not lost then
      lost, r.lost = true, p.time
      return "drop"
    elseif closed and not r.opened then
      r.opened = p.time
    end
  end)
  link:dir(client):rule(function(p)
    if lost and p.tcp and p.tcp.len == 0 and not r.opened then r.probes, r.probe = r.probes + 1, r.probe or p.time end
    if lost and p.tcp and p.tcp.len > 0 then r.resumed = r.resumed or p.time end
  end)
  server:spawn(function(os)
    local peer = os.tcp({ rcvbuf = 8192 }):bind(7100):listen(1):accept()
    os.sleep "1s"
    for data in function() return peer:read() end do r.got = r.got + #data end
    r.done = os.now()
  end)
  client:spawn(function(os)
    os.sleep "1ms"
    local conn = os.tcp():connect(server, 7100)
    conn:write(hs.payload(size))
    conn:close()
  end)
  return r
end
local on, off = transfer(with), transfer(without)
hs.run "1h"

hs.note({
  en = "Both servers read from 1 s on; the segment with the new window is lost in both cases, at %.3f s.",
  zh = "两台服务器都从 1 s 起读取；带有新窗口的报文段在两种情形下都丢失了，在 %.3f s。",
}, on.lost)
hs.note({
  en = "Without the timer: an hour later, %d of %d bytes. Both ends wait for each other.",
  zh = "没有计时器：一小时之后，%d 字节，共 %d 字节。两端互相等待。",
}, off.got, size)
hs.note({
  en = "With it: a probe at %.3f s, its answer opens the window at %.3f s, and data goes on at %.3f s.",
  zh = "有计时器：%.3f s 时一个探测，它的应答在 %.3f s 打开窗口，数据在 %.3f s 继续发送。",
}, on.probe, on.opened, on.resumed)

hs.expect("the window update was lost in both cases", on.lost and off.lost)
hs.expect_equal("without: no probe, no data, for an hour", { off.probes, off.resumed }, { 0, nil })
hs.expect("without: the transfer never ends", off.done == nil and off.got < size, off.got)
hs.expect_equal("with: one probe", on.probes, 1)
hs.expect_near("with: its answer, half a round trip later, has the new window", on.opened - on.probe, "10ms", "1us")
hs.expect_near("with: half a round trip after that the data goes on", on.resumed - on.opened, "10ms", "1us")
hs.expect_equal("with: all of it arrives", on.got, size)

hs.translate("zh", {
  ["the window update was lost in both cases"] = "两种情形下窗口更新都丢失了",
  ["without: no probe, no data, for an hour"] = "没有计时器：一小时没有探测，没有数据",
  ["without: the transfer never ends"] = "没有计时器：传送永不结束",
  ["with: one probe"] = "有计时器：一个探测",
  ["with: its answer, half a round trip later, has the new window"] = "有计时器：半个往返之后，它的应答带来新的窗口",
  ["with: half a round trip after that the data goes on"] = "有计时器：再过半个往返，数据继续",
  ["with: all of it arrives"] = "有计时器：全部到达",
})
