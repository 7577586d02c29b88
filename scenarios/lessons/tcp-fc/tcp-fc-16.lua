-- TCP-FC-16  Window scaling.
-- An option of the SYNs says by how many bits the other end must shift the window field to the left: 0 to 14. So windows reach
-- 65535 * 2^14 = 1,073,725,440 bytes, nearly 1 GB (RFC 7323 2). Both SYNs must carry the option, or nobody scales; and the window of a
-- segment with SYN is never scaled.
-- tshark-allow: Connection reset (RST) (a socket that is closed in the middle of a transfer resets it)
-- tshark-allow: TCP window specified by the receiver is now completely full (a full window is what is shown)
-- tshark-allow: Previous segment(s) not captured (what a queue loses never arrives)
local hs = require "hopscope"
hs.title { en = "TCP-FC-16 Window scaling", zh = "TCP-FC-16 窗口扩大" }

local rtt, port = 0.1, 7100
local function connect(client, server, options, seconds)
  local here, r = port + 1, { windows = {} }
  port = here
  local watch = hs.on("frame.tx", function(e)
    local tcp = e.packet.tcp
    if not tcp or tcp.sport ~= here and tcp.dport ~= here then return end
    if tcp.syn then
      if tcp.ack then r.synack = { wscale = tcp.wscale, window = tcp.window } else r.syn = { wscale = tcp.wscale, window = tcp.window } end
    elseif tcp.sport == here then
      r.field = math.max(r.field or 0, tcp.window)
    else
      r.client_field = r.client_field or tcp.window
    end
  end)
  local sink = server:tcp_sink { port = here, rcvbuf = options.rcvbuf }
  local source = client:tcp_source { to = server, port = here, rcvbuf = options.client_rcvbuf, congestion = "reno", sndbuf = "2MB" }
  hs.run(1.5 * rtt)  -- the SYN-ACK has come, and nothing else
  r.first_view = source:info().snd_wnd
  hs.run "2s"
  local before = sink:stats().bytes
  hs.run(seconds)
  r.rate, r.info = (sink:stats().bytes - before) * 8 / seconds, source:info()
  source:stop()
  sink:stop()
  watch:cancel()
  hs.run "2s"
  return r
end

local large = { ["net.core.rmem_max"] = 1073741823, ["net.core.wmem_max"] = 16777216 }
-- Two hosts, which scale or not.
local function pair(name, client_scales, server_scales)
  local function kind(scales)
    local s = { ["net.ipv4.tcp_window_scaling"] = scales and 1 or 0 }
    for k, v in pairs(large) do s[k] = v end
    return { sysctl = s }
  end
  local client, server = hs.host(name .. "-client", kind(client_scales)), hs.host(name .. "-server", kind(server_scales))
  hs.link(client, server, { rate = "40Mbps", delay = rtt / 2, queue = 5000 })
  client:ping(server, { count = 1 })
  return client, server
end

-- The ceiling: 4 MB of buffer on a path of 100 ms.
local limit = 65535 * 8 / rtt
local results = {}
local zh = { both = "双方", client = "客户端", server = "服务器", none = "无人" }
for _, who in ipairs { "both", "client", "server", "none" } do
  local client, server = pair(who, who == "both" or who == "client", who == "both" or who == "server")
  local r = connect(client, server, { rcvbuf = "4MB" }, 2)
  results[who] = r
  local none = { en = "none", zh = "没有" }
  hs.note({
    en = "%-6s offers: option in the SYN %s, in the SYN-ACK %s; %.1f Mbit/s.",
    zh = "%s提出：SYN 中的选项 %s，SYN-ACK 中的选项 %s；%.1f Mbit/s。",
  }, { en = who, zh = zh[who] }, r.syn.wscale or none, r.synack.wscale or none, r.rate / 1e6)
end
hs.expect("both scale: the ceiling of 5.24 Mbit/s is lifted", results.both.rate > 5 * limit, results.both.rate)
hs.expect("both SYNs carry the option", results.both.syn.wscale and results.both.synack.wscale)
hs.expect_equal("an old client: a SYN-ACK offers nothing that the SYN did not", { results.server.syn.wscale, results.server.synack.wscale }, {})
hs.expect_equal("an old server: the client offers in vain", { results.client.syn.wscale ~= nil, results.client.synack.wscale }, { true })
for _, who in ipairs { "client", "server", "none" } do
  hs.expect("only with both: " .. who .. " alone stays below 65535 / RTT", results[who].rate <= limit, results[who].rate)
end

-- The largest: a buffer of 1 GB at both ends (half of the memory counts as window).
local client, server = pair("huge", true, true)
local huge = connect(client, server, { rcvbuf = 1073741823, client_rcvbuf = 1073741823 }, 1)
local shift = huge.syn.wscale
hs.note({
  en = "A buffer of 2^30 bytes: shift %d. The SYN has %d in its window field, which is not scaled; the next segment %d, which means %d bytes.",
  zh = "2^30 字节的缓冲区：移位 %d。SYN 的窗口字段是 %d，它不缩放；下一个报文段是 %d，意思是 %d 字节。",
}, shift, huge.syn.window, huge.client_field, huge.client_field << shift)
hs.expect_equal("the shift is 14 at most", { huge.syn.wscale, huge.synack.wscale }, { 14, 14 })
hs.expect("the field of the SYN is unscaled: at most 65535 bytes", huge.syn.window <= 65535 and huge.synack.window <= 65535)
hs.expect_equal("the largest window there is: 65535 * 2^14 = 1,073,725,440", huge.client_field << shift, 1073725440)
hs.expect_equal("the book's 2^16 * 2^14 = 2^30 is a little more", (1 << 30) - 1073725440, 1 << 14)
hs.expect_equal("the sender takes the field of the SYN-ACK as it is, though the shift is known", { results.both.first_view, huge.first_view },
  { results.both.synack.window, huge.synack.window })

hs.translate("zh", {
  ["both scale: the ceiling of 5.24 Mbit/s is lifted"] = "双方都扩大：5.24 Mbit/s 的上限被突破",
  ["both SYNs carry the option"] = "两个 SYN 都带有该选项",
  ["an old client: a SYN-ACK offers nothing that the SYN did not"] = "旧的客户端：SYN 没有提出的，SYN-ACK 也不提出",
  ["an old server: the client offers in vain"] = "旧的服务器：客户端白白提出",
  ["only with both: client alone stays below 65535 / RTT"] = "只有双方都支持才行：只有客户端时低于 65535 / RTT",
  ["only with both: server alone stays below 65535 / RTT"] = "只有双方都支持才行：只有服务器时低于 65535 / RTT",
  ["only with both: none alone stays below 65535 / RTT"] = "只有双方都支持才行：无人支持时低于 65535 / RTT",
  ["the shift is 14 at most"] = "移位最多是 14",
  ["the field of the SYN is unscaled: at most 65535 bytes"] = "SYN 的字段不缩放：最多 65535 字节",
  ["the largest window there is: 65535 * 2^14 = 1,073,725,440"] = "最大的窗口：65535 * 2^14 = 1,073,725,440",
  ["the book's 2^16 * 2^14 = 2^30 is a little more"] = "书上的 2^16 * 2^14 = 2^30 略大一点",
  ["the sender takes the field of the SYN-ACK as it is, though the shift is known"] = "发送方按原样采用 SYN-ACK 的字段，尽管移位已知",
})
