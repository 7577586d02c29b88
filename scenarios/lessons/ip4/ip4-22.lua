-- IP4-22  0.0.0.0 as destination.
-- 0.0.0.0 means "this host on this network" and may be a source only, of a host that does not know its address yet (RFC 1122
-- section 3.2.1.3). By that rule connect and ping to it must fail. Linux is kinder: it takes 0.0.0.0 for the host itself
-- and sends by the loopback. The sysctl hopscope.connect_zero_is_error chooses the strict rule.
local hs = require "hopscope"
hs.title { en = "IP4-22 0.0.0.0 as destination", zh = "IP4-22 以 0.0.0.0 为目的地" }

local strict = hs.host("strict", { sysctl = { ["hopscope.connect_zero_is_error"] = true } })
local linux = hs.host "linux"
hs.link(strict, linux)
local frames = hs.frames()
local outcome = {}
for _, host in ipairs { strict, linux } do
  host:udp_echo(7)
  local o = {}
  outcome[host.name] = o
  host:spawn(function(os)
    o.ping, o.ping_why = os.ping("0.0.0.0", { count = 1 })
    local sock = os.udp()
    o.connect, o.connect_why = sock:connect("0.0.0.0", 7)
    o.send, o.send_why = os.udp():sendto("hello", "0.0.0.0", 7)
    if o.connect then
      sock:send "hello myself"
      o.answer = sock:recv "1s"
      o.peer = sock:peer_addr()
    end
  end)
end
hs.run "15s"

hs.note {
  en = "The strict host: ping, connect and sendto fail at once with EINVAL, and not a packet is made.",
  zh = "严格的主机：ping、connect 和 sendto 立刻以 EINVAL 失败，一个分组也没有产生。",
}
local s = outcome.strict
hs.expect_equal("ping 0.0.0.0 fails", { s.ping, s.ping_why }, { nil, "EINVAL" })
hs.expect_equal("connect to 0.0.0.0 fails", { s.connect, s.connect_why }, { nil, "EINVAL" })
hs.expect_equal("so does sending to it", { s.send, s.send_why }, { nil, "EINVAL" })
hs.expect_equal("nothing was sent, not even over lo", { strict:counter "IpOutRequests", strict:dev("lo"):stats().tx_packets }, { 0, 0 })

hs.note {
  en = "Linux: 0.0.0.0 is the host itself. The ping is answered, the socket is connected to 127.0.0.1.",
  zh = "Linux：0.0.0.0 就是主机自己。ping 得到应答，套接字连接到 127.0.0.1。",
}
local l = outcome.linux
hs.expect_equal("ping 0.0.0.0 succeeds", l.ping and l.ping.received, 1)
hs.expect_equal("connect succeeds, and the peer is 127.0.0.1", l.peer, "127.0.0.1")
hs.expect_equal("the echo service of the same host answers", l.answer, "hello myself")
hs.expect_equal("nothing went out by a card", #frames, 0)

hs.note {
  en = "TCP's connect takes the same way to the route: the strict host fails at once, Linux reaches itself.",
  zh = "TCP 的 connect 走同样的路去找路由：严格的主机立刻失败，Linux 到达自己。",
}
local tcp = {}
for _, host in ipairs { strict, linux } do
  host:tcp():bind(5678):listen(1):on_accept(function(_, conn) conn:write "hello from myself" conn:close() end)
  host:spawn(function(os)
    local sock, why = os.tcp():connect("0.0.0.0", 5678)
    tcp[host.name] = { sock and sock:peer_addr(), sock and sock:read() or why }
  end)
end
hs.run "1s"
hs.expect_equal("strict: an error, and nothing was sent", { tcp.strict, strict:counter "TcpOutSegs" }, { { nil, "EINVAL" }, 0 })
hs.expect_equal("Linux: connected to 127.0.0.1", tcp.linux, { "127.0.0.1", "hello from myself" })
hs.expect_equal("still nothing by a card", #frames, 0)

hs.translate("zh", {
  ["ping 0.0.0.0 fails"] = "ping 0.0.0.0 失败",
  ["connect to 0.0.0.0 fails"] = "到 0.0.0.0 的 connect 失败",
  ["so does sending to it"] = "向它发送也失败",
  ["nothing was sent, not even over lo"] = "什么也没有发送，连 lo 上也没有",
  ["ping 0.0.0.0 succeeds"] = "ping 0.0.0.0 成功",
  ["connect succeeds, and the peer is 127.0.0.1"] = "connect 成功，对方是 127.0.0.1",
  ["the echo service of the same host answers"] = "同一台主机的回送服务应答",
  ["nothing went out by a card"] = "没有什么从网卡出去",
  ["strict: an error, and nothing was sent"] = "严格的：一个错误，什么也没有发送",
  ["Linux: connected to 127.0.0.1"] = "Linux：连接到 127.0.0.1",
  ["still nothing by a card"] = "仍然没有什么经过网卡",
})
