-- TCP-KA-04  Peer crashed and rebooted.
-- A host that comes back knows none of its old connections. The first keepalive probe that it gets belongs to nothing: it answers RST, and
-- the probing end knows within one round trip (RFC 9293 3.5.1, 3.10.7.1).
-- tshark-allow: Connection reset (RST) (that is what the lesson is about)
local hs = require "hopscope"
hs.title { en = "TCP-KA-04 Peer crashed and rebooted", zh = "TCP-KA-04 对方崩溃后重启" }

local client, server = hs.host "client", hs.host "server"
hs.link(client, server, { delay = "10ms" })
local result, heard
server:spawn(function(os)
  local conn = os.tcp({ keepalive = true }):bind(5000):listen(8):accept()
  conn:read()
  heard = hs.now()
  local data, err = conn:read()
  result = { data, err, hs.now() }
end)
client:spawn(function(os)
  os.tcp():connect("server", 5000):write "hello"
  os.sleep "1h"
end)
hs.run "10s"
hs.note { en = "The client crashes, and is back a minute later.", zh = "客户端崩溃，一分钟之后恢复。" }
client:power(false)
hs.run "60s"
client:power(true)
-- both know each other's link address again: the times below are TCP's alone
client:arp_set(server, server:dev().mac)
server:arp_set(client, client:dev().mac)
local frames = hs.frames { filter = function(p) return p.tcp end }
hs.run "7000s"
hs.expect_equal("before the first probe nothing happens", { #frames, result, #server:sockets "ESTABLISHED" }, { 0, nil, 1 })
hs.run "1000s"
for _, f in ipairs(frames) do hs.note({ en = "%.3f s after the last data: %s", zh = "最后的数据之后 %.3f s：%s" }, f.time - heard, f.summary) end
hs.expect_equal("a probe and a RST", { #frames, frames[1].from, frames[2].from, frames[2].packet.tcp.rst }, { 2, "server", "client", true })
hs.expect_near("the probe came after 7200 s", frames[1].time - heard, 7200, 0.002)
hs.expect_equal("read says", { result[1], result[2] }, { nil, "ECONNRESET" })
hs.expect_near("one round trip after the first probe", result[3] - frames[1].time, "20ms", "10us")
hs.expect_equal("one probe was enough", server:counter "TcpExtTCPKeepAlive", 1)

hs.translate("zh", {
  ["before the first probe nothing happens"] = "第一个探测之前什么也没有发生",
  ["a probe and a RST"] = "一个探测和一个 RST",
  ["the probe came after 7200 s"] = "探测在 7200 s 之后到来",
  ["read says"] = "read 返回",
  ["one round trip after the first probe"] = "在第一个探测之后一个往返",
  ["one probe was enough"] = "一个探测就够了",
})
