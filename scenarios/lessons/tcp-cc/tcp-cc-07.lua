-- TCP-CC-07  Fast retransmit reaction.
-- Three duplicate ACKs say that a segment is lost, but also that others arrive: the network still carries something. So the sender repeats
-- that segment at once, halves its window and goes on (RFC 5681 3.2), instead of waiting for the timer and starting from 1. RFC 5681 halves
-- what is on the way, Linux Reno the congestion window: max(cwnd/2, 2). With a full window both are the same.
-- tshark-allow: Previous segment(s) not captured (what is lost never arrives)
local hs = require "hopscope"
hs.title { en = "TCP-CC-07 Fast retransmit reaction", zh = "TCP-CC-07 对快速重传的反应" }

local rtt = 0.1
-- The first segment of a window of 12 is lost; the application writes so many segments. The receiver's window has a fixed size: an ACK that changes
-- the window is no duplicate (RFC 5681 2).
local function run(name, style, segments)
  local client = hs.host(name .. "-client", { sysctl = { ["hopscope.tcp_recovery_style"] = style } })
  local server = hs.host(name .. "-server", { sysctl = { ["hopscope.tcp_quirks"] = 0x100 } })
  local link = hs.link(client, server, { delay = rtt / 2 })
  hs.prepare()
  client:route_replace { to = client:routes()[1].to, dev = "eth0", initcwnd = 12 }
  server:route_replace { to = server:routes()[1].to, dev = "eth0", quickack = 1, window = 30000 }
  client:dev():tso(false)
  client:ping(server, { count = 1 })
  server:tcp_sink { port = 7100, check = false }
  local r, first = { lost = nil, acks = 0 }, nil
  link:dir(client):rule(function(p)
    if p.tcp and p.tcp.data_nth == 2 and not p.tcp.retransmission then
      first = p.tcp.seq
      return "drop"
    end
  end)
  local conn
  -- Duplicates that have come before the repetition, and when it went out.
  hs.on("frame.rx", function(e)
    local tcp = e.packet.tcp
    if tcp and first and tcp.ackno == first and not r.again then r.acks = r.acks + 1 end
  end, { node = client })
  hs.on("tcp.retransmit", function(e)
    if r.again then return end
    r.again = e.time
    hs.after(0, function()
      local info = conn:info()
      r.ssthresh, r.cwnd = info.snd_ssthresh, info.snd_cwnd
    end)
  end, { node = client })
  local start
  client:spawn(function(os)
    conn = os.tcp({ congestion = "reno" }):connect(server, 7100)
    conn:write "hello"  -- its ACK brings the window of the receiver, so that the first duplicate brings nothing new
    os.sleep "150ms"
    start = os.now()
    conn:write(hs.payload(segments * 1448))
    os.sleep "10s"
  end)
  hs.run "5s"
  r.after = (r.again - start) / rtt
  r.end_cwnd, r.timeouts = conn:info().snd_cwnd, client:counter "TcpExtTCPTimeouts"
  hs.note({
    en = "%s: repeated after %.1f round trips and %d duplicates; ssthresh %d, at the end cwnd %d; %d timeouts.",
    zh = "%s：%.1f 个往返和 %d 个重复确认之后重传；ssthresh 为 %d，结束时 cwnd 为 %d；%d 次超时。",
  }, name, r.after, r.acks, r.ssthresh, r.end_cwnd, r.timeouts)
  return r
end
hs.note {
  en = "A window of 12 segments; the first is lost, eleven arrive and are answered by duplicate ACKs.",
  zh = "窗口为 12 个报文段；第一个丢失，十一个到达，并引来重复确认。",
}
local linux, rfc = run("linux", 0, 12), run("rfc5681", 2, 12)
hs.note { en = "The same, but the application has written only 8 segments.", zh = "同样的情形，但应用程序只写入了 8 个报文段。" }
local linux8, rfc8 = run("linux-8-of-12", 0, 8), run("rfc5681-8-of-12", 2, 8)
for name, r in pairs { Linux = linux, ["RFC 5681"] = rfc } do
  hs.expect_equal(name .. ": 12 on the way: ssthresh 6", r.ssthresh, 6)
  hs.expect_equal(name .. ": repeated with the third duplicate", r.acks, 3)
  hs.expect_near(name .. ": one round trip after it was sent, before any timer", r.after, 1, 0.01)
  hs.expect_equal(name .. ": without a timeout", r.timeouts, 0)
  hs.expect_equal(name .. ": it goes on with half the window, not from 1", r.end_cwnd, 6)
end
hs.expect_equal("8 of 12 on the way: RFC 5681 halves what is on the way", rfc8.ssthresh, 4)
hs.expect_equal("Linux halves the congestion window", linux8.ssthresh, 6)

hs.translate("zh", {
  ["Linux: 12 on the way: ssthresh 6"] = "Linux：途中有 12 个：ssthresh 为 6",
  ["Linux: repeated with the third duplicate"] = "Linux：在第三个重复确认时重传",
  ["Linux: one round trip after it was sent, before any timer"] = "Linux：在发送之后一个往返，在任何计时器之前",
  ["Linux: without a timeout"] = "Linux：没有超时",
  ["Linux: it goes on with half the window, not from 1"] = "Linux：它以一半的窗口继续，而不是从 1 开始",
  ["RFC 5681: 12 on the way: ssthresh 6"] = "RFC 5681：途中有 12 个：ssthresh 为 6",
  ["RFC 5681: repeated with the third duplicate"] = "RFC 5681：在第三个重复确认时重传",
  ["RFC 5681: one round trip after it was sent, before any timer"] = "RFC 5681：在发送之后一个往返，在任何计时器之前",
  ["RFC 5681: without a timeout"] = "RFC 5681：没有超时",
  ["RFC 5681: it goes on with half the window, not from 1"] = "RFC 5681：它以一半的窗口继续，而不是从 1 开始",
  ["8 of 12 on the way: RFC 5681 halves what is on the way"] = "途中有 12 个中的 8 个：RFC 5681 减半的是在途的量",
  ["Linux halves the congestion window"] = "Linux 减半的是拥塞窗口",
})
