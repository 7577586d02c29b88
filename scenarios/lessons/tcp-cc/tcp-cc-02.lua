-- TCP-CC-02  Send window.
-- Two windows limit what is on the way: the receiver's, which protects the receiver, and the congestion window, which protects the network
-- (RFC 5681 3.1). The smaller one counts at each moment: min(cwnd, rwnd). Here the receiver allows 40 segments. At the beginning the
-- congestion window is smaller; then the receiver's; and after a loss the congestion window again.
-- tshark-allow: TCP window specified by the receiver is now completely full (the receiver's window is the limit for a while)
-- tshark-allow: TCP Zero Window segment (all of a round arrives at one moment, before the application reads)
-- tshark-allow: Previous segment(s) not captured (what is lost never arrives)
local hs = require "hopscope"
hs.title { en = "TCP-CC-02 Send window", zh = "TCP-CC-02 发送窗口" }

local rtt, mss, rwnd = 0.1, 1448, 40 * 1448
local client = hs.host "client"
local server = hs.host("server", { sysctl = { ["hopscope.tcp_quirks"] = 0x100 } })  -- a window of exactly what it is told
local link = hs.link(client, server, { delay = rtt / 2, subnet = "10.0.0.0/24" })
server:route_replace { to = "10.0.0.0/24", dev = "eth0", quickack = 1 }
client:dev():tso(false)
client:ping("server", { count = 1 })

server:spawn(function(os)
  local listener = os.tcp()
  listener:setopt("TCP_WINDOW_CLAMP", rwnd)
  local peer = listener:bind(7100):listen(1):accept()
  for _ in function() return peer:read() end do end
end)
local conn = client:tcp({ congestion = "reno" }):connect("server", 7100)

-- Before each new segment: does it fit both windows? In packets, without what is known to have left the network; in bytes of sequence numbers.
local limited, checked, broken, first, drop = {}, 0, 0, nil, false
hs.on("tcp.send", function(e)
  first = first or e.time
  local info = conn:info()
  local flight = info.unacked - info.sacked - info.lost + info.retrans
  local bytes = info.bytes_sent - info.bytes_retrans - (info.bytes_acked - 1) -- the SYN was acknowledged too
  checked = checked + 1
  if flight + 1 > info.snd_cwnd or bytes > info.snd_wnd then broken = broken + 1 end
end, { node = client })
local function look(time)
  hs.at(time, function()
    local info = conn:info()
    local flight = info.unacked - info.sacked - info.lost + info.retrans
    limited[#limited + 1] = { flight = flight, cwnd = info.snd_cwnd, rwnd = info.snd_wnd // mss }
    local l = limited[#limited]
    hs.note({
      en = "round %d: on the way %d segments; cwnd %d, receiver's window %d",
      zh = "第 %d 轮：途中有 %d 个报文段；cwnd 为 %d，接收方的窗口为 %d",
    }, math.floor((time - first) / rtt) + 1, l.flight, l.cwnd, l.rwnd)
  end)
end
link:dir(client):rule(function(p)
  if drop and p.tcp and p.tcp.len > 0 then
    drop = false
    return "drop"
  end
end)
client:spawn(function() conn:write(hs.payload "2MB") end)
hs.run "1ms"
for round = 1, 17 do look(first + (round - 0.5) * rtt) end
hs.at(first + 9.5 * rtt, function() drop = true end)
hs.run "3s"

hs.expect_equal("never more than either window", broken, 0)
hs.expect("checked for every segment", checked > 400, checked)
for i, l in ipairs(limited) do
  if i <= 2 then
    hs.expect_equal(string.format("round %d: the congestion window is the limit", i), { l.flight, l.cwnd < l.rwnd }, { l.cwnd, true })
  elseif i >= 4 and i <= 9 then
    hs.expect_equal(string.format("round %d: the receiver's window is the limit", i), { l.flight, l.cwnd >= l.rwnd }, { 40, true })
  elseif i >= 14 then
    hs.expect_equal(string.format("round %d, after a loss: the congestion window again", i), { l.flight, l.cwnd < l.rwnd }, { l.cwnd, true })
  end
end

hs.translate("zh", {
  ["never more than either window"] = "从不超过任何一个窗口",
  ["checked for every segment"] = "对每个报文段都作了检查",
  ["round {}: the congestion window is the limit"] = "第 {} 轮：限制来自拥塞窗口",
  ["round {}: the receiver's window is the limit"] = "第 {} 轮：限制来自接收方的窗口",
  ["round {}, after a loss: the congestion window again"] = "第 {} 轮，丢失之后：又是拥塞窗口",
})
