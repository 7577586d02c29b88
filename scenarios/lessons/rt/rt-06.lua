-- RT-06  Gateway column.
-- An entry of the routing table with a gateway says: the next stop is that router. One without says: the destination itself
-- is on this link. Either way IP then needs the MAC address of the next stop, and that is whom ARP asks for: the gateway in
-- one case, the packet's destination in the other (RFC 1122 3.3.1).
local hs = require "hopscope"
hs.title { en = "RT-06 Gateway column", zh = "RT-06 网关一列" }

local host, printer, router, server = hs.host "host", hs.host "printer", hs.router "router", hs.host "server"
local switch = hs.switch "switch"
hs.link(host, switch, { address = { host = "192.168.0.10/24" } })
hs.link(printer, switch, { address = { printer = "192.168.0.20/24" } })
hs.link(router, switch, { address = { router = "192.168.0.1/24" } })
hs.link(router, server, { address = { router = "198.51.100.1/24", server = "198.51.100.80/24" } })

hs.note { en = "The routing table of the host. The column in the middle is the gateway.", zh = "主机的路由表。中间一列是网关。" }
print "    destination      gateway      interface"
for _, r in ipairs(host:routes()) do
  if r.type == "unicast" then print(string.format("    %-15s  %-11s  %s", r.to, r.via or "", r.dev)) end
end
hs.expect_equal("the printer is on this link: no gateway", host:route_get("192.168.0.20").via, nil)
hs.expect_equal("the server is behind the gateway", host:route_get("198.51.100.80").via, "192.168.0.1")

local questions = hs.frames { node = host, filter = function(p) return p.arp and p.arp.op == 1 end }
local requests = hs.frames { node = host, filter = function(p) return p.icmp end }

hs.note {
  en = "First a ping to the printer: the host asks for the MAC address of 192.168.0.20, the packet's own destination.",
  zh = "首先 ping 打印机：主机询问 192.168.0.20 的 MAC 地址，那正是分组自己的目的地。",
}
hs.expect_equal("the printer answers", host:ping("192.168.0.20", { count = 1 }).received, 1)
hs.note {
  en = "Then one to the server: the host asks for 192.168.0.1. It never asks for 198.51.100.80: nobody on this link has it.",
  zh = "然后 ping 服务器：主机询问 192.168.0.1。它从不询问 198.51.100.80：这条链路上没有人有这个地址。",
}
hs.expect_equal("the server answers", host:ping("198.51.100.80", { count = 1 }).received, 1)
questions:print()

hs.expect_equal("two questions were asked", #questions, 2)
hs.expect_equal("without a gateway the ARP target is the packet's destination",
  { questions[1].packet.arp.tpa, requests[1].packet.ip.dst }, { "192.168.0.20", "192.168.0.20" })
hs.expect_equal("with a gateway the ARP target is the gateway",
  { questions[2].packet.arp.tpa, requests[2].packet.ip.dst }, { "192.168.0.1", "198.51.100.80" })
hs.expect_equal("the gateway's own question is for the server: for it the server is on the link",
  router:arp("198.51.100.80").mac, server:dev().mac)
hs.expect_equal("the host has no ARP entry for the server", host:arp "198.51.100.80", nil)

hs.translate("zh", {
  ["the printer is on this link: no gateway"] = "打印机在这条链路上：没有网关",
  ["the server is behind the gateway"] = "服务器在网关后面",
  ["the printer answers"] = "打印机应答",
  ["the server answers"] = "服务器应答",
  ["two questions were asked"] = "问了两个询问",
  ["without a gateway the ARP target is the packet's destination"] = "没有网关时，ARP 的目标是分组的目的地",
  ["with a gateway the ARP target is the gateway"] = "有网关时，ARP 的目标是网关",
  ["the gateway's own question is for the server: for it the server is on the link"] = "网关自己询问的是服务器：对它来说服务器就在链路上",
  ["the host has no ARP entry for the server"] = "主机没有服务器的 ARP 表项",
})
