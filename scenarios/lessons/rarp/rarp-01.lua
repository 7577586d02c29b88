-- RARP-01  Address from a hardware address.
-- A device without a disk (a printer, a small embedded box) knows at power-on only what is burnt into its card: its MAC address.
-- It asks everybody "who am I?" by reverse ARP; a RARP server looks the MAC address up in a table that somebody typed in, and
-- answers with the IP address (RFC 903; EtherType 0x8035, operations 3 and 4). Historic: BOOTP and DHCP took its place, which
-- also tell the subnet mask, the gateway and much else.
local hs = require "hopscope"
hs.title { en = "RARP-01 Address from a hardware address", zh = "RARP-01 由硬件地址得到地址" }

local sw = hs.switch "sw"
local printer, server, pc = hs.host "printer", hs.host "server", hs.host "pc"
local subnet = "192.168.1.0/24"
hs.link(printer, sw, { subnet = subnet, address = { printer = false }, mac = { printer = "00:15:f2:14:9e:3f" } })
local server_link = hs.link(server, sw, { subnet = subnet, address = { server = "192.168.1.1/24" } })
hs.link(pc, sw, { subnet = subnet, address = { pc = "192.168.1.2/24" } })

local rarp = server:rarp_server {
  ["00:15:f2:14:9e:3f"] = "192.168.1.50", -- the printer
  ["00:15:f2:00:00:01"] = "192.168.1.51",
}
local seen = hs.frames { filter = function(p, e) return p.arp and e.node ~= "sw" and p.eth.type == 0x8035 end }
local heard = hs.frames { link = server_link, on = "rx", filter = function(p, e) return e.node == "server" end }

hs.expect_equal("the printer has no address at first", printer:addr(), nil)
hs.note {
  en = "The printer is switched on. It has no IP address, only the MAC address of its card.",
  zh = "打印机开机。它没有 IP 地址，只有网卡的 MAC 地址。",
}
local address, from, ping
printer:spawn(function(os)
  address, from = os.rarp()
  os.host:address("eth0", address .. "/24") -- RARP says nothing of the mask: it must be known otherwise
end)
hs.run "1s"
seen:print()

local ask, answer = seen[1].packet, seen[2].packet
hs.note {
  en = "Look at the question: operation 3, and the printer names its own card as the target: that is whom it asks about.",
  zh = "请看询问：操作为 3，打印机把自己的网卡写作目标：它问的正是自己。",
}
hs.expect_equal("one request and one reply", { #seen, ask.arp.op, answer.arp.op }, { 2, 3, 4 })
hs.expect_equal("the EtherType is 0x8035", { ask.eth.type, answer.eth.type }, { 0x8035, 0x8035 })
hs.expect_equal("the request is a broadcast", ask.eth.dst, "ff:ff:ff:ff:ff:ff")
hs.expect_equal("about the asker's own card", { ask.arp.sha, ask.arp.tha }, { "00:15:f2:14:9e:3f", "00:15:f2:14:9e:3f" })
hs.expect_equal("it knows no IP address yet", { ask.arp.spa, ask.arp.tpa }, { "0.0.0.0", "0.0.0.0" })
hs.expect_equal("the reply comes from the server, to the asker alone", { seen[2].node, answer.eth.dst },
  { "server", "00:15:f2:14:9e:3f" })
hs.expect_equal("and carries the address of the table", answer.arp.tpa, "192.168.1.50")
hs.expect_equal("the server heard one question and answered it", { rarp.requests, rarp.answers, #heard }, { 1, 1, 1 })
hs.expect_equal("the printer ends with the table's address", { address, from, printer:addr() },
  { "192.168.1.50", "192.168.1.1", "192.168.1.50" })

hs.note { en = "With its address the printer is a host like any other: pc can ping it.", zh = "有了地址，打印机就是一台普通的主机：pc 可以 ping 它。" }
pc:spawn(function(os) ping = os.ping("192.168.1.50", { count = 1 }) end)
hs.run "1s"
hs.expect("the printer answers a ping to its new address", ping.received == 1, ping)

hs.translate("zh", {
  ["the printer has no address at first"] = "打印机起初没有地址",
  ["one request and one reply"] = "一个请求和一个应答",
  ["the EtherType is 0x8035"] = "EtherType 是 0x8035",
  ["the request is a broadcast"] = "请求是广播",
  ["about the asker's own card"] = "问的是询问者自己的网卡",
  ["it knows no IP address yet"] = "它还不知道任何 IP 地址",
  ["the reply comes from the server, to the asker alone"] = "应答来自服务器，只发给询问者",
  ["and carries the address of the table"] = "并带有表中的地址",
  ["the server heard one question and answered it"] = "服务器听到一个询问并作了应答",
  ["the printer ends with the table's address"] = "打印机最后得到表中的地址",
  ["the printer answers a ping to its new address"] = "打印机在新地址上应答 ping",
})
