-- An address that is taken: how a host finds out before it uses one, and what happens if nobody looks.
--
--   printer 10.0.0.10 ──┐
--                       ├── switch ── client
--   laptop  ────────────┘
--
-- IPv4 has no registry of addresses: whoever answers an ARP request has the address. A careful host therefore asks
-- three times before it takes one (RFC 5227, address conflict detection), and only then announces it.
-- tshark-allow: Duplicate IP address configured (two hosts use one address: the subject)
local hs = require "hopscope"

local printer, laptop, client = hs.host "printer", hs.host "laptop", hs.host "client"
local switch = hs.switch "switch"
for name, host in pairs { client = client, laptop = laptop, printer = printer } do
  local address = { client = "10.0.0.1/24", printer = "10.0.0.10/24" }
  hs.link(host, switch, { rate = "100Mbps", delay = "1us", subnet = "10.0.0.0/24",
                          address = { [name] = address[name] or false } })
end
printer:sysctl("net.ipv4.conf.all.hopscope_arp_defend", true)

hs.title { en = "Is this address free?", zh = "这个地址空闲吗？" }

local taken, owner, free
local conflicts = 0
hs.on("arp.conflict", function(e)
  conflicts = conflicts + 1
  hs.log({ en = "%s: %s uses %s", zh = "%s：%s 使用 %s" }, e.node, e.mac, e.ip)
end)

laptop:spawn(function(os)
  hs.note {
    en = "The laptop would like 10.0.0.10. It asks without an address of its own, so that nobody learns anything wrong.",
    zh = "笔记本电脑想要 10.0.0.10。它询问时不用自己的地址，以免有人学到错误的东西。",
  }
  taken, owner = os.arp_claim "10.0.0.10"
  if taken then
    hs.log { en = "10.0.0.10 is free", zh = "10.0.0.10 空闲" }
  else
    hs.log({ en = "10.0.0.10 is the address of %s", zh = "10.0.0.10 是 %s 的地址" }, owner)
  end

  hs.note {
    en = "10.0.0.11 then: three questions, 1 s to 2 s apart, no answer. It is announced, and may be used.",
    zh = "那就 10.0.0.11：三次询问，相隔 1 s 到 2 s，没有应答。它被宣告出去，可以使用了。",
  }
  free = os.arp_claim "10.0.0.11"
  os.host:address("eth0", "10.0.0.11/24")
  hs.log({ en = "10.0.0.11 is %s", zh = "10.0.0.11 %s" }, free and { en = "free", zh = "空闲" } or { en = "taken", zh = "已被占用" })
end)
hs.run "20s"
hs.expect_equal("10.0.0.10 is taken, by the printer", { taken, owner }, { false, printer:dev().mac })
hs.expect_equal("10.0.0.11 is free", free, true)
hs.expect_equal("the new address works", client:ping("10.0.0.11", { count = 1 }).received, 1)
hs.expect_equal("one conflict was seen, by the laptop", conflicts, 1)

hs.note {
  en = "Now without care: the laptop takes the printer's address too, and announces it. The client believes whoever spoke last.",
  zh = "现在不加小心：笔记本电脑也占用打印机的地址，并且宣告它。客户端相信最后说话的那一个。",
}
client:ping("10.0.0.10", { count = 1 })
hs.expect_equal("at first the client knows the printer", client:arp("10.0.0.10").mac, printer:dev().mac)
laptop:remove_address("eth0", "10.0.0.11/24")
laptop:address("eth0", "10.0.0.10/24")
laptop:arp_announce "eth0"
hs.run "1ms"
hs.expect("the printer saw it and defended itself, so the laptop saw it too", conflicts >= 3, conflicts)
hs.expect_equal("the printer spoke last: the client knows it still", client:arp("10.0.0.10").mac, printer:dev().mac)

hs.note {
  en = "The printer may defend itself once in 10 s; if the laptop insists, both go on, and the client flips.",
  zh = "打印机每 10 s 可以自卫一次；如果笔记本电脑坚持，双方都继续下去，客户端便来回变换。",
}
laptop:arp_announce "eth0"
hs.run "1ms"
hs.expect_equal("now the client sends to the laptop what is for the printer", client:arp("10.0.0.10").mac, laptop:dev().mac)

hs.translate("zh", {
  ["10.0.0.10 is taken, by the printer"] = "10.0.0.10 已被打印机占用",
  ["10.0.0.11 is free"] = "10.0.0.11 空闲",
  ["the new address works"] = "新地址可用",
  ["one conflict was seen, by the laptop"] = "笔记本电脑发现了一次冲突",
  ["at first the client knows the printer"] = "起初客户端知道的是打印机",
  ["the printer saw it and defended itself, so the laptop saw it too"] = "打印机发现后为自己辩护，于是笔记本电脑也发现了",
  ["the printer spoke last: the client knows it still"] = "打印机最后说话：客户端知道的仍是它",
  ["now the client sends to the laptop what is for the printer"] = "现在客户端把给打印机的内容发给了笔记本电脑",
})
