-- TCP-FC-19  Receive buffer autotuning.
-- With net.ipv4.tcp_moderate_rcvbuf = 1 the receive buffer follows what the application reads in a round trip, times two, up to the third
-- value of tcp_rmem (Linux tcp_rcv_space_adjust); with 0 it stays at the second. The books have 87380 as the second value; today it is
-- 131072. Memory is only the cap: for a slow reader nothing grows.
-- tshark-allow: Previous segment(s) not captured (what a queue loses never arrives)
-- tshark-allow: This frame is a (suspected) out-of-order segment (repetitions of what was lost come late)
-- tshark-allow: TCP window specified by the receiver is now completely full (a full window is what is shown)
local hs = require "hopscope"
hs.title { en = "TCP-FC-19 Receive buffer autotuning", zh = "TCP-FC-19 接收缓冲区的自动调节" }

local rate, rtt = 100e6, 0.1
local bdp = rate / 8 * rtt

-- Three seconds of a transfer. `pace`: bytes that the application reads each 10 ms, nil for all that there is.
local function run(name, moderate, default, pace)
  local client = hs.host("client-" .. name)
  local server = hs.host("server-" .. name, { sysctl = { ["net.ipv4.tcp_moderate_rcvbuf"] = moderate } })
  server:sysctl("net.ipv4.tcp_rmem", "4096 " .. default .. " 6291456")
  hs.link(client, server, { rate = rate, delay = rtt / 2, queue = 1000 })
  client:ping(server, { count = 1 })
  local r, scale = { window = 0, got = 0 }, 0
  hs.on("frame.tx", function(e)
    local tcp = e.packet.tcp
    if not tcp then return end
    if tcp.syn then scale = tcp.wscale else r.window = math.max(r.window, tcp.window << scale) end
  end, { node = server })
  local peer
  server:spawn(function(os)
    peer = os.tcp():bind(7100):listen(1):accept()
    r.first = peer:getopt "SO_RCVBUF"
    for data in function() return peer:read(pace) end do
      r.got = r.got + #data
      if pace then os.sleep "10ms" end
    end
  end)
  client:tcp_source { to = server, port = 7100, congestion = "cubic" }
  hs.run "3s"
  r.last, r.rate = peer:getopt "SO_RCVBUF", r.got * 8 / 3
  hs.note({
    en = "%s: buffer %d, after 3 s %d; window announced up to %d; %.1f Mbit/s.",
    zh = "%s：缓冲区 %d，3 s 之后 %d；通告的窗口最大 %d；%.1f Mbit/s。",
  }, name, r.first, r.last, r.window, r.rate / 1e6)
  return r
end
hs.note({ en = "A path of 100 Mbit/s and 100 ms: it holds %.0f bytes.", zh = "100 Mbit/s 和 100 ms 的路径：可容纳 %.0f 字节。" }, bdp)
local on, off = run("moderate_rcvbuf-1", 1, 87380), run("moderate_rcvbuf-0", 0, 87380)
local today = hs.host("today"):tcp():getopt "SO_RCVBUF"
local slow = run("slow-reader", 1, 87380, 2000)  -- 1.6 Mbit/s

hs.expect_equal("both begin with the second value of tcp_rmem", { on.first, off.first }, { 87380, 87380 })
hs.expect_equal("today's default is 131072", today, 131072)
hs.expect("1: the announced window grows to the bandwidth-delay product", on.window >= bdp, on.window)
hs.expect("and the buffer not above the third value", on.last <= 6291456, on.last)
hs.expect_equal("0: the buffer stays at the default", off.last, 87380)
hs.expect("and the window below it", off.window < 87380, off.window)
hs.expect("1: most of the link is used", on.rate > 0.5 * rate, on.rate)
hs.expect("0: window / RTT", off.rate <= off.window * 8 / rtt, off.rate)
hs.expect("a slow reader: nothing grows, though memory is there", slow.last == 87380 and slow.window < 87380, slow.last)

hs.translate("zh", {
  ["both begin with the second value of tcp_rmem"] = "两者都从 tcp_rmem 的第二个值开始",
  ["today's default is 131072"] = "如今的默认值是 131072",
  ["1: the announced window grows to the bandwidth-delay product"] = "1：通告的窗口增长到带宽时延积",
  ["and the buffer not above the third value"] = "缓冲区不超过第三个值",
  ["0: the buffer stays at the default"] = "0：缓冲区保持默认值",
  ["and the window below it"] = "窗口低于它",
  ["1: most of the link is used"] = "1：链路的大部分得到利用",
  ["0: window / RTT"] = "0：窗口 / RTT",
  ["a slow reader: nothing grows, though memory is there"] = "慢的读者：尽管有内存，什么也不增长",
})
