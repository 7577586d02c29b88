-- ARCH-04  Hop-by-hop versus end-to-end.
-- IP works from node to node: each router looks at one packet, forwards it and forgets it. What goes on between the two hosts is
-- known to them alone (the end-to-end argument; RFC 1958 2.3). So a router may die in the middle of a transfer and come back: the
-- packets of that time are lost, but not the transfer, because whoever waits for an answer repeats himself.
-- tshark-allow: Previous segment(s) not captured (lost at the router)
-- tshark-allow: This frame is a (suspected) out-of-order segment (repetitions)
-- tshark-allow: D-SACK (the receiver tells of what came twice)
local hs = require "hopscope"
hs.title { en = "ARCH-04 Hop-by-hop versus end-to-end", zh = "ARCH-04 逐跳与端到端" }

local client, router, server = hs.host "client", hs.router "router", hs.host "server"
hs.link(client, router, { rate = "10Mbps", delay = "10ms" })
hs.link(router, server, { rate = "10Mbps", delay = "10ms" })

local lines = {}
for i = 1, 6000 do lines[i] = string.format("%07d\n", i) end -- 48000 bytes: 93 blocks of 512 and one of 384
local file = table.concat(lines)
local tftp = server:tftp_server { files = { ["file"] = file }, timeout = "1s" }

local lost = hs.frames { on = "drop", filter = function(p) return p.udp end }
hs.note {
  en = "A file of 48000 bytes travels over a router, block by block: each block needs two ways of 20 ms.",
  zh = "一个 48000 字节的文件经过路由器，一块一块地传送：每一块都要走两个 20 ms 的单程。",
}
local got
client:spawn(function(os) got = os.tftp_get("server", "file") end)

local blocks_before, forwarded, own
local function socket_counters()
  return router:counter "UdpInDatagrams" + router:counter "UdpNoPorts" + router:counter "UdpOutDatagrams"
end
hs.at("2s", function()
  hs.note {
    en = "2 s: the power of the router fails. The two hosts are not told; their packets have nowhere to go.",
    zh = "2 s：路由器断电。没有人告诉两台主机；它们的分组无处可去。",
  }
  blocks_before = server:counter "UdpOutDatagrams"
  hs.expect("the transfer is under way", got == nil and blocks_before > 10 and blocks_before < 90, blocks_before)
  forwarded, own = router:counter "IpForwDatagrams", socket_counters() -- a reboot sets them to 0
  router:power(false)
end)
hs.at("5s", function()
  hs.expect_between("in three seconds only repetitions were sent", server:counter "UdpOutDatagrams" - blocks_before, 1, 3)
  router:power(true)
  hs.note {
    en = "5 s: the router is back. It has forgotten even its ARP cache, but there is nothing else that it needs to know.",
    zh = "5 s：路由器恢复。它连 ARP 缓存也忘了，但除此之外它也不需要知道什么。",
  }
end)
hs.run "30s"

hs.note({
  en = "%d packets were lost, the server repeated %d blocks; the file is whole.",
  zh = "丢失了 %d 个分组，服务器重发了 %d 个块；文件完整无缺。",
}, #lost, tftp:stats().retransmits)
hs.expect("packets were lost", #lost >= 1, #lost)
hs.expect("the server had to repeat", tftp:stats().retransmits >= 1, tftp:stats().retransmits)
hs.expect("but not the transfer: the file is identical", got.ok and got.data == file, got.error)
hs.expect_equal("94 blocks: 93 of 512 bytes and one of 384", got.blocks, 94)
-- A block and its acknowledgment take two ways of 2 * 10 ms, and less than 3 ms of serialisation; there are 94 of them. The
-- failure adds its 3 s and the wait for the next repetition, which come 1 s apart.
hs.expect_between("the failure cost its own three seconds and the wait for the next repetition", got.time,
  94 * 0.04 + 3, 94 * 0.043 + 5)

hs.note {
  en = "The router forwarded, and that is all: no datagram was for itself, and it has no socket in which to keep a state.",
  zh = "路由器只管转发：没有一个数据报是给它自己的，它也没有套接字可以保存状态。",
}
hs.expect_equal("no datagram came from or went to a socket of the router", own + socket_counters(), 0)
hs.expect("whatever arrived was forwarded by it: 94 blocks, 94 acknowledgments and the request",
  forwarded + router:counter "IpForwDatagrams" >= 94 + 94 + 1, forwarded + router:counter "IpForwDatagrams")

hs.note { en = "The same with a TCP connection: the router dies in the middle and comes back.", zh = "换成一条 TCP 连接：路由器在中途停机，又恢复。" }
local tcp_sink = server:tcp_sink(5678)
client:tcp_source { to = "server", port = 5678, bytes = "4MB" }
hs.run "1s"
local before = tcp_sink:stats()
hs.expect("the connection carries data", before.bytes > 100000 and before.closed == 0, before)
router:power(false)
hs.run "3s"
local while_off = tcp_sink:stats().bytes
router:power(true)
hs.run "30s"
local after = tcp_sink:stats()
hs.expect_near("nothing moves while the router is off, but what was on the last wire", while_off - before.bytes, 0, 65536)
hs.expect_equal("afterwards the same connection goes on: one connection, all bytes, none wrong",
  { after.connections, after.closed, after.bytes, after.wrong_bytes }, { 1, 1, 4000000, 0 })
hs.expect("lost packets were sent again by the client", client:counter "TcpRetransSegs" > 0, client:counter "TcpRetransSegs")
hs.expect_equal("the router holds no TCP state: it has no TCP socket, and has seen no segment for itself",
  { #router:sockets(), router:counter "TcpInSegs" }, { 0, 0 })

hs.translate("zh", {
  ["the transfer is under way"] = "传送正在进行",
  ["in three seconds only repetitions were sent"] = "三秒之内只发送了重传",
  ["packets were lost"] = "有分组丢失",
  ["the server had to repeat"] = "服务器必须重发",
  ["but not the transfer: the file is identical"] = "但传送不受影响：文件完全相同",
  ["94 blocks: 93 of 512 bytes and one of 384"] = "94 块：93 块 512 字节，一块 384 字节",
  ["the failure cost its own three seconds and the wait for the next repetition"] = "故障的代价是它自己的三秒，再加等待下一次重发",
  ["no datagram came from or went to a socket of the router"] = "没有数据报来自或去往路由器的套接字",
  ["whatever arrived was forwarded by it: 94 blocks, 94 acknowledgments and the request"] = "到达的都由它转发：94 块、94 个确认和请求",
  ["the connection carries data"] = "连接传送着数据",
  ["nothing moves while the router is off, but what was on the last wire"] = "路由器关闭期间什么也不动，只有最后一条线路上原有的",
  ["afterwards the same connection goes on: one connection, all bytes, none wrong"] = "之后同一条连接继续：一条连接，全部字节，没有错误",
  ["lost packets were sent again by the client"] = "丢失的分组由客户端重新发送",
  ["the router holds no TCP state: it has no TCP socket, and has seen no segment for itself"] = "路由器不保存 TCP 状态：它没有 TCP 套接字，也没有见过给它自己的报文段",
})
