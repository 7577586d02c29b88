-- IP4-20  Talking to one's own address.
-- For a packet to one of the host's own addresses the routing table has a local route, and that leads to the loopback device, not
-- to the card that has the address (Linux: table local). So it works with the cable out, and nothing appears on
-- the wire even when it is in. For the peers on the link the cable is needed.
local hs = require "hopscope"
hs.title { en = "IP4-20 Talking to one's own address", zh = "IP4-20 与自己的地址通话" }

local a, b = hs.host "a", hs.host "b"
local cable = hs.link(a, b, { address = { a = "192.168.31.6/24", b = "192.168.31.7/24" } })
local frames = hs.frames()
local own, peer, over_lo
local function ping_both()
  a:spawn(function(os)
    own = os.ping("192.168.31.6", { count = 2 })
    over_lo = over_lo or os.dev("lo"):stats().tx_packets
    peer = os.ping("192.168.31.7", { count = 1 })
  end)
  hs.run "20s"
end

hs.note {
  en = "The cable is out. The host still answers itself; its neighbour is out of reach.",
  zh = "电缆拔下了。主机仍然应答自己；它的邻居则到不了。",
}
cable:down()
local route = a:route_get "192.168.31.6"
hs.expect_equal("the route to the own address is local, by lo", { route.type, route.dev }, { "local", "lo" })
ping_both()
hs.expect_equal("ping to 192.168.31.6 with the link down: 2 of 2", { own.sent, own.received }, { 2, 2 })
hs.expect_equal("in no time: nothing was on a wire", own.rtt.max, 0)
hs.expect_equal("by lo: two requests and two replies", over_lo, 4)
hs.expect_equal("ping to the peer fails: no answer, one \"host unreachable\"", { peer.received, peer.errors }, { 0, 1 })
hs.expect_equal("the card has sent nothing", { a:dev("eth0"):stats().tx_packets, #frames }, { 0, 0 })

hs.note {
  en = "The cable is in again. The own address still goes by lo, the peer answers by the card.",
  zh = "电缆又插上了。自己的地址仍然走 lo，对方则经网卡应答。",
}
cable:up()
local before = #frames
ping_both()
hs.expect_equal("ping to 192.168.31.6: 2 of 2", own.received, 2)
hs.expect_equal("ping to the peer: 1 of 1", peer.received, 1)
local to_self = 0
for i = before + 1, #frames do
  local ip = frames[i].packet.ip
  if ip and ip.src == ip.dst then to_self = to_self + 1 end
end
hs.expect_equal("no frame from 192.168.31.6 to itself was on the cable", to_self, 0)

hs.translate("zh", {
  ["the route to the own address is local, by lo"] = "到自己地址的路由是本地的，走 lo",
  ["ping to 192.168.31.6 with the link down: 2 of 2"] = "链路断开时 ping 192.168.31.6：2 次中 2 次",
  ["in no time: nothing was on a wire"] = "不用时间：线路上什么也没有",
  ["by lo: two requests and two replies"] = "走 lo：两个请求和两个应答",
  ["ping to the peer fails: no answer, one \"host unreachable\""] = "ping 对方失败：没有应答，一个“主机不可达”",
  ["the card has sent nothing"] = "网卡什么也没有发送",
  ["ping to 192.168.31.6: 2 of 2"] = "ping 192.168.31.6：2 次中 2 次",
  ["ping to the peer: 1 of 1"] = "ping 对方：1 次中 1 次",
  ["no frame from 192.168.31.6 to itself was on the cable"] = "电缆上没有从 192.168.31.6 到它自己的帧",
})
