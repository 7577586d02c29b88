-- FRAG-04  One lost fragment loses the datagram.
-- The destination keeps fragments until it has them all, but not for ever: a timer starts with the first one. When it ends
-- (30 s in Linux; RFC 1122 3.3.2 wants 60 to 120 s), all is thrown away. If the fragment with offset 0 is there, and with it
-- the ports, the sender gets ICMP 11/1, "fragment reassembly time exceeded"; else nobody is told.
local hs = require "hopscope"
hs.title { en = "FRAG-04 One lost fragment loses the datagram", zh = "FRAG-04 丢一片就丢了整个数据报" }

local a, b = hs.host "a", hs.host "b"
local link = hs.link(a, b, { delay = "10ms" })
a:ping("b", { count = 1 }) -- fills the ARP caches
hs.run_until "1s"

local got = 0
b:udp { port = 9, on_datagram = function() got = got + 1 end }
local sock = a:udp()
local errors = hs.frames { node = b, filter = function(p) return p.icmp end }
local freed = hs.frames { on = "drop", node = b }

local lose -- offset of the fragment to be lost
link:dir(a):rule(function(p)
  if p.ip and p.ip.frag_offset == lose then return "drop" end
end)

hs.note {
  en = "1 s: a datagram of three fragments; the cable loses the second one. The other two arrive, and wait.",
  zh = "1 s：一个由三个分片组成的数据报；线路丢掉了第二片。另外两片到达，并等待着。",
}
lose = 1480
sock:sendto(hs.payload(4000), "b", 9)
hs.run_until "30s"
hs.note {
  en = "30 s: they have waited for 29 s. Nothing was given to the application, nothing was thrown away yet.",
  zh = "30 s：它们已经等了 29 s。什么也没有交给应用程序，也还没有丢弃什么。",
}
hs.expect_equal("nothing delivered, two fragments of three waiting",
  { got, b:counter "IpReasmReqds", b:counter "IpReasmOKs", #freed }, { 0, 2, 0, 0 })
hs.run_until "40s"

hs.note({
  en = "At %.2f s b has given up: 30 s after the first fragment came. It tells the sender.",
  zh = "%.2f s 时 b 放弃了：第一片到达之后 30 s。它告诉发送方。",
}, freed[1].time)
-- Sent at 1 s, 10 ms on the way, then 30 s.
hs.expect_near("the timer ends 30 s after the first fragment", freed[1].time, 31.01, "1ns")
local reasons = {}
for i, f in ipairs(freed) do reasons[i] = f.reason end
hs.expect_equal("both fragments are freed", reasons, { "reassembly timeout", "reassembly timeout" })
hs.expect_equal("counted as one failure", { b:counter "IpReasmTimeout", b:counter "IpReasmFails" }, { 1, 1 })
hs.expect_equal("ICMP 11/1 goes to the sender, about its datagram",
  { #errors, errors[1].packet.icmp.type, errors[1].packet.icmp.code, errors[1].packet.ip.dst, errors[1].packet.quoted.udp.dport },
  { 1, 11, 1, a:addr(), 9 })
hs.expect_equal("at that moment", errors[1].time, freed[1].time)

hs.note {
  en = "40 s: the same again, but now the first fragment is lost, the one with the ports.",
  zh = "40 s：再来一次，但这次丢失的是第一片，也就是带有端口的那一片。",
}
lose = 0
sock:sendto(hs.payload(4000), "b", 9)
hs.run_until "80s"
hs.expect_equal("the two others are freed as well", #freed, 4)
hs.expect_near("again 30 s after they came", freed[3].time, 70.01, "1ns")
hs.expect_equal("but without fragment 0 there is no ICMP: still one", #errors, 1)
hs.expect_equal("two failures", { b:counter "IpReasmTimeout", b:counter "IpReasmFails" }, { 2, 2 })

hs.note { en = "80 s: nothing is left over. A datagram that loses nothing arrives.", zh = "80 s：什么也没有残留。一个没有丢失任何分片的数据报到达。" }
lose = nil
sock:sendto(hs.payload(4000), "b", 9)
hs.run_until "90s"
hs.expect_equal("the third datagram arrives", { got, b:counter "IpReasmOKs" }, { 1, 1 })

hs.translate("zh", {
  ["nothing delivered, two fragments of three waiting"] = "什么也没有交付，三片中有两片在等待",
  ["the timer ends 30 s after the first fragment"] = "计时器在第一片之后 30 s 到期",
  ["both fragments are freed"] = "两片都被释放",
  ["counted as one failure"] = "计作一次失败",
  ["ICMP 11/1 goes to the sender, about its datagram"] = "ICMP 11/1 发给发送方，说的是它的数据报",
  ["at that moment"] = "就在那一刻",
  ["the two others are freed as well"] = "另外两片也被释放",
  ["again 30 s after they came"] = "同样在它们到来 30 s 之后",
  ["but without fragment 0 there is no ICMP: still one"] = "但没有第 0 片就没有 ICMP：仍是一个",
  ["two failures"] = "两次失败",
  ["the third datagram arrives"] = "第三个数据报到达",
})
