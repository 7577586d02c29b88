-- TCP-RTX-08  Fast retransmit.
-- A receiver acknowledges every segment that arrives behind a hole at once, and can only repeat its number: a duplicate ACK. One or two may
-- come from reordering; the third duplicate, that is the fourth equal ACK, makes the sender resend what is missing without waiting for its
-- timer (RFC 5681 3.2). With only two segments behind the loss there is no third. Linux today does not count: RACK compares times (RFC
-- 8985), and a loss probe makes the receiver talk.
-- tshark-allow: Previous segment(s) not captured (the lost segments)
-- tshark-allow: This frame is a (suspected) out-of-order segment (repetitions)
local hs = require "hopscope"
hs.title { en = "TCP-RTX-08 Fast retransmit", zh = "TCP-RTX-08 快速重传" }

-- The first of `n` segments is lost, after an exchange of one byte. style: 2 textbook Reno, without SACK; 0: Linux. Returns what happened,
-- in ms from the first segment on.
local hosts = 0
local function lose(name, n, style)
  hosts = hosts + 1
  local client = hs.host("client" .. hosts, { sysctl = { ["hopscope.tcp_recovery_style"] = style, ["net.ipv4.tcp_sack"] = style == 0 and 1 or 0 } })
  local server = hs.host("server" .. hosts)
  local link = hs.link(client, server, { rate = "100Mbps", delay = "50ms" })
  client:arp_set(server, server:dev().mac)
  server:arp_set(client, client:dev().mac)
  link:dir(client):rule(function(p)
    if p.tcp and p.tcp.data_nth == 2 and not p.tcp.retransmission then return "drop" end
  end)
  local r = { dups = 0, equal = 0, got = 0 }
  local begin, una, last_ack
  hs.on("tcp.send", function(e) if e.length_bytes > 1 then begin = begin or e.time end end, { node = client })
  hs.on("tcp.retransmit", function(e)
    if not r.resent then r.resent, r.dups, r.last_dup, r.seq = e.time - begin, r.equal - 1, last_ack, e.seq end
  end, { node = client })
  hs.on("frame.rx", function(e)
    local t = e.packet.tcp
    if not t then return end
    r.equal = t.ackno == una and r.equal + 1 or 1 -- the first one acknowledges the "!"
    una, last_ack = t.ackno, e.time - (begin or 0)
  end, { node = client })
  server:spawn(function(os)
    local conn = os.tcp():bind(5000):listen(8):accept()
    for data in function() return (conn:read()) end do r.got = r.got + #data end
  end)
  client:spawn(function(os)
    local conn = os.tcp({ mss = 1000 }):connect(server, 5000)
    conn:write "!" -- the window is announced once more, and does not change afterwards: an ACK that changes it is no duplicate
    os.sleep "1s"
    r.rto = conn:info().rto / 1e6
    conn:write(("x"):rep(n * conn:info().snd_mss))
    os.sleep "1h"
  end)
  hs.run "10s"
  r.full = r.got == 1 + n * 988
  hs.note({
    en = "%s: %d segments behind the loss: resent after %.0f ms, %d duplicates had come; RTO is %.0f ms",
    zh = "%s：丢失之后还有 %d 个报文段：%.0f ms 之后重传，此前来了 %d 个重复确认；RTO 为 %.0f ms",
  }, name, n - 1, r.resent * 1000, r.dups, r.rto * 1000)
  return r
end

local three = lose({ en = "Reno, 4 segments", zh = "Reno，4 个报文段" }, 4, 2)
hs.expect_equal("it is resent on the third duplicate: the fourth equal ACK", three.dups, 3)
hs.expect_equal("in that instant", three.resent, three.last_dup)
hs.expect("long before RTO", three.resent < three.rto / 2, three.resent)
local many = lose({ en = "Reno, 9 segments", zh = "Reno，9 个报文段" }, 9, 2)
hs.expect_equal("also on the third, not later, if more follow", many.dups, 3)
local two = lose({ en = "Reno, 3 segments", zh = "Reno，3 个报文段" }, 3, 2)
hs.expect_equal("with only two behind it there are two duplicates", two.dups, 2)
hs.expect_near("and it waits for RTO", two.resent, two.rto, 0.001)
local linux = lose({ en = "Linux, 3 segments", zh = "Linux，3 个报文段" }, 3, 0)
-- Something sent later is SACKed: lost, when a quarter of the RTT has passed for reordering, 25 ms. The timer takes 2 ms more, and whole ones.
hs.expect_equal("Linux does not need a third", linux.dups, 2)
hs.expect_between("RACK resends after RTT and a quarter of it", linux.resent, 0.125, 0.129)
hs.expect("every time all is delivered in the end", three.full and many.full and two.full and linux.full)

hs.translate("zh", {
  ["it is resent on the third duplicate: the fourth equal ACK"] = "在第三个重复确认时重传：即第四个相同的 ACK",
  ["in that instant"] = "就在那一刻",
  ["long before RTO"] = "远在 RTO 之前",
  ["also on the third, not later, if more follow"] = "后面跟着更多时也是在第三个，不会更晚",
  ["with only two behind it there are two duplicates"] = "后面只有两个时，有两个重复确认",
  ["and it waits for RTO"] = "于是等待 RTO",
  ["Linux does not need a third"] = "Linux 不需要第三个",
  ["RACK resends after RTT and a quarter of it"] = "RACK 在 RTT 再加四分之一之后重传",
  ["every time all is delivered in the end"] = "每一次最后都全部交付",
})
