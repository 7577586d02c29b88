-- TCP-Q-11  What cookies give up.
-- A server that keeps nothing cannot repeat its SYN-ACK: only the client's repeated SYN helps. What the SYN's options said is lost too,
-- but for the MSS; Linux hides SACK and window scaling in the timestamp, if the client sends one (Linux cookie_init_timestamp).
-- And when the third segment is lost and the server is to speak first, both wait: the server knows of no connection.
local hs = require "hopscope"
hs.title { en = "TCP-Q-11 What cookies give up", zh = "TCP-Q-11 cookie 放弃了什么" }

local client, server = hs.host "client", hs.host "server"
local link = hs.link(client, server, { delay = "10ms" })
client:ping("server", { count = 1 })
local port = 5000

-- One connection; the rule loses what it wants. Returns when SYNs and SYN-ACKs were sent, the client's socket information.
local function attempt(cookies, rule, options)
  port = port + 1
  server:sysctl("net.ipv4.tcp_syncookies", cookies)
  local listening = port
  local result = { syn = {}, synack = {} }
  server:spawn(function(os)
    local listener = os.tcp():bind(listening):listen(8)
    result.child = listener:accept(options.wait)
    if result.child then
      result.info = result.child:info()
      result.child:write "welcome"
    end
    os.sleep "3h"
  end)
  hs.run "1ms"
  local t = hs.now()
  local watch = hs.on("frame.tx", function(e)
    local tcp = e.packet.tcp
    if tcp and tcp.syn then
      local list = tcp.ack and result.synack or result.syn
      list[#list + 1] = math.floor((e.time - t) * 1000 + 0.5)
    end
  end)
  link:rule(rule)
  client:spawn(function(os)
    local conn = os.tcp():connect("server", listening)
    result.connected = conn and hs.now() - t
    result.state = conn
    result.read = conn and conn:read(100, options.wait)
    result.client_state = conn and conn:state()
    os.sleep "3h"
  end)
  hs.run(options.wait)
  hs.run "1s"
  watch:cancel()
  link:rule(nil)
  return result
end

local function lose_first(test)
  local lost = false
  return function(p)
    if p.tcp and not lost and test(p.tcp) then
      lost = true
      return "drop"
    end
  end
end
local is_synack = function(tcp) return tcp.syn and tcp.ack end
local is_third = function(tcp) return not tcp.syn and tcp.ack and tcp.data_len == 0 end

hs.note {
  en = "The first SYN-ACK is lost. The client is told to wait 3 s before it repeats its SYN, so that it can be seen who helps whom.",
  zh = "第一个 SYN-ACK 丢失。让客户端等 3 s 才重传 SYN，以便看清谁帮了谁。",
}
client:sysctl("net.ipv4.tcp_syn_linear_timeouts", 0)
client:route_replace { to = "10.0.0.0/24", dev = "eth0", rto_min = "200ms" }
local state = attempt(0, lose_first(is_synack), { wait = "20s" })
local cookie = attempt(2, lose_first(is_synack), { wait = "20s" })
hs.note({
  en = "With state: SYNs at %s ms, SYN-ACKs at %s ms. With a cookie: SYNs at %s ms, SYN-ACKs at %s ms.",
  zh = "有状态：SYN 在 %s ms，SYN-ACK 在 %s ms。用 cookie：SYN 在 %s ms，SYN-ACK 在 %s ms。",
}, table.concat(state.syn, ", "), table.concat(state.synack, ", "), table.concat(cookie.syn, ", "), table.concat(cookie.synack, ", "))
hs.expect_equal("with a cookie: the client's second SYN, and only that, brings a second SYN-ACK", { cookie.syn, cookie.synack }, { { 0, 1000 }, { 10, 1010 } })

hs.note {
  en = "Now the client's SYN cannot be repeated either: all further SYNs are lost. The server with state repeats its SYN-ACK; the one with cookies does not.",
  zh = "现在客户端的 SYN 也无法重传：此后的 SYN 全部丢失。有状态的服务器重传它的 SYN-ACK；用 cookie 的则不。",
}
local function only_server_helps(p)
  if p.tcp and p.tcp.syn and p.tcp.retransmission and not p.tcp.ack then return "drop" end
end
local function first_synack_lost()
  local lose = lose_first(is_synack)
  return function(p) return lose(p) or only_server_helps(p) end
end
state = attempt(0, first_synack_lost(), { wait = "20s" })
cookie = attempt(2, first_synack_lost(), { wait = "20s" })
hs.expect_near("with state: the SYN-ACK repeated after 1 s connects", state.connected or 0, 1.02, 1e-6)
hs.expect_equal("with a cookie: one SYN-ACK, never repeated, no connection", { #cookie.synack, cookie.connected }, { 1, nil })

hs.note {
  en = "Options: with timestamps the server remembers SACK and window scaling by means of the timestamp; without them both are lost.",
  zh = "选项：有时间戳时，服务器借助时间戳记住 SACK 和窗口扩大；没有时间戳，两者都会失去。",
}
local nothing = function() end
local with_ts = attempt(2, nothing, { wait = "1s" })
client:sysctl("net.ipv4.tcp_timestamps", 0)
local without_ts = attempt(2, nothing, { wait = "1s" })
local queued = attempt(0, nothing, { wait = "1s" })
client:sysctl("net.ipv4.tcp_timestamps", 1)
local TIMESTAMPS, SACK, WSCALE = 1, 2, 4 -- bits of tcpi_options
hs.expect_equal("cookie with timestamps: all three", with_ts.info.options & 7, TIMESTAMPS | SACK | WSCALE)
hs.expect_equal("cookie without timestamps: none", without_ts.info.options & 7, 0)
hs.expect_equal("remembered, without timestamps: SACK and window scaling", queued.info.options & 7, SACK | WSCALE)
hs.expect_equal("the MSS survives in the cookie: 1460, less 12 for timestamps if they are on",
  { with_ts.info.snd_mss, without_ts.info.snd_mss }, { 1448, 1460 })

hs.note {
  en = "The third segment is lost, and the server was to speak first. With state its SYN-ACK is repeated; with a cookie both wait for ever.",
  zh = "第三个报文段丢失，而本该由服务器先说话。有状态时它的 SYN-ACK 会重传；用 cookie 时双方永远等待。",
}
state = attempt(0, lose_first(is_third), { wait = "1h" })
cookie = attempt(2, lose_first(is_third), { wait = "1h" })
hs.expect_equal("with state the greeting arrives", state.read, "welcome")
hs.expect_equal("with a cookie: after an hour the client is ESTABLISHED and has read nothing, the server has no connection",
  { cookie.client_state, cookie.read, cookie.child }, { "ESTABLISHED", nil, nil })

hs.translate("zh", {
  ["with a cookie: the client's second SYN, and only that, brings a second SYN-ACK"] = "用 cookie：客户端的第二个 SYN 才引来第二个 SYN-ACK",
  ["with state: the SYN-ACK repeated after 1 s connects"] = "有状态：1 s 之后重传的 SYN-ACK 使连接建立",
  ["with a cookie: one SYN-ACK, never repeated, no connection"] = "用 cookie：一个 SYN-ACK，从不重传，没有连接",
  ["cookie with timestamps: all three"] = "cookie 带时间戳：三项都有",
  ["cookie without timestamps: none"] = "cookie 不带时间戳：一项也没有",
  ["remembered, without timestamps: SACK and window scaling"] = "有记录而没有时间戳：SACK 和窗口扩大",
  ["the MSS survives in the cookie: 1460, less 12 for timestamps if they are on"] = "MSS 留存在 cookie 里：1460，时间戳开启时减 12",
  ["with state the greeting arrives"] = "有状态时问候到达",
  ["with a cookie: after an hour the client is ESTABLISHED and has read nothing, the server has no connection"] = "用 cookie：一小时之后客户端是 ESTABLISHED，什么也没有读到，服务器没有连接",
})
