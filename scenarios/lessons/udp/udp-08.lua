-- UDP-08  One to many.
-- A UDP socket has no partner: it can send to one host, to several in turn, or with one call to all hosts of its subnet, by the
-- broadcast address (RFC 919). Linux wants to know that this is meant: without SO_BROADCAST the call fails.
local hs = require "hopscope"
hs.title { en = "UDP-08 One to many", zh = "UDP-08 一对多" }

local N = 4
local sender, switch = hs.host "sender", hs.switch "switch"
hs.link(sender, switch, { address = { sender = "192.168.0.1/24" } })
local readers, got = {}, {}
for i = 1, N do
  local h = hs.host("reader" .. i)
  hs.link(h, switch, { address = { [h.name] = "192.168.0." .. 10 + i .. "/24" } })
  readers[i], got[i] = h, {}
end
local deaf = hs.host "deaf" -- listens on another port
hs.link(deaf, switch, { address = { deaf = "192.168.0.99/24" } })
for i, h in ipairs(readers) do
  h:udp { port = 9, on_datagram = function(data) table.insert(got[i], data) end }
end
deaf:udp { port = 10, on_datagram = function() error "nothing was for port 10" end }

local function has_read()
  local seen = {}
  for i = 1, N do seen[i], got[i] = table.concat(got[i], " "), {} end
  return seen
end

hs.note { en = "To one: only reader1 gets it.", zh = "发给一个：只有 reader1 收到。" }
local sock = sender:udp()
local sent = hs.frames { node = sender, filter = function(p) return p.udp end }
sock:sendto("one", "192.168.0.11", 9)
hs.run "1s"
hs.expect_equal("one send, one reader", { #sent, has_read() }, { 1, { "one", "", "", "" } })

hs.note {
  en = "To many: the same socket sends to each in turn, one packet for each of them.",
  zh = "发给多个：同一个套接字依次发给每一个，每个一个分组。",
}
for _, h in ipairs(readers) do sock:sendto("each", h, 9) end
hs.run "1s"
hs.expect_equal("four sends, four packets, four readers", { #sent - 1, has_read() }, { 4, { "each", "each", "each", "each" } })

hs.note {
  en = "To all: 192.168.0.255 is the broadcast address of 192.168.0.0/24. First without SO_BROADCAST.",
  zh = "发给所有：192.168.0.255 是 192.168.0.0/24 的广播地址。首先不用 SO_BROADCAST。",
}
local n, why = sock:sendto("all", "192.168.0.255", 9)
hs.expect_equal("without SO_BROADCAST the call fails", { n, why }, { nil, "EACCES" })

sock:setopt("SO_BROADCAST", true)
sock:sendto("all", "192.168.0.255", 9)
hs.run "1s"
local last = sent[#sent].packet
hs.note({
  en = "With it, one packet leaves, to MAC address %s. The switch makes a copy for every port.",
  zh = "用了它，发出一个分组，去往 MAC 地址 %s。交换机为每个端口做一份副本。",
}, last.eth.dst)
hs.expect_equal("one broadcast send is one packet", #sent - 5, 1)
hs.expect_equal("to the broadcast addresses of IP and Ethernet", { last.ip.dst, last.eth.dst }, { "192.168.0.255", "ff:ff:ff:ff:ff:ff" })
hs.expect_equal("and is read by all n hosts", has_read(), { "all", "all", "all", "all" })

hs.note {
  en = "255.255.255.255 means the own link without naming its network. Which link that is, the socket's own address says here.",
  zh = "255.255.255.255 的意思是自己的链路，而不说出它的网络。是哪一条链路，在这里由套接字自己的地址说明。",
}
sender:udp({ address = "192.168.0.1", broadcast = true }):sendto("everybody", "255.255.255.255", 9)
hs.run "1s"
hs.expect_equal("the limited broadcast too is read by all", has_read(), { "everybody", "everybody", "everybody", "everybody" })
hs.note {
  en = "A host where nobody listens stays silent: no ICMP error is sent about a broadcast (RFC 1122 3.2.2).",
  zh = "没有人监听的主机保持沉默：对广播不发送 ICMP 差错报文（RFC 1122 3.2.2）。",
}
hs.expect_equal("the host without a reader has said nothing", deaf:counter "IcmpOutMsgs", 0)

hs.note { en = "TCP is between two: a connection to a broadcast address cannot be.", zh = "TCP 是两者之间的事：不可能有到广播地址的连接。" }
local results, syns = {}, hs.frames { node = sender, filter = function(p) return p.tcp end }
sender:spawn(function(os)
  for _, address in ipairs { "192.168.0.255", "255.255.255.255" } do
    results[#results + 1] = { os.tcp():connect(address, 9) }
  end
end)
hs.run "1s"
hs.expect_equal("connect fails at once", results, { { nil, "ENETUNREACH" }, { nil, "ENETUNREACH" } }) -- Linux tcp_v4_connect
hs.expect_equal("and no SYN was sent", #syns, 0)

hs.translate("zh", {
  ["one send, one reader"] = "一次发送，一个读者",
  ["four sends, four packets, four readers"] = "四次发送，四个分组，四个读者",
  ["without SO_BROADCAST the call fails"] = "没有 SO_BROADCAST，调用失败",
  ["one broadcast send is one packet"] = "一次广播发送是一个分组",
  ["to the broadcast addresses of IP and Ethernet"] = "发往 IP 和以太网的广播地址",
  ["and is read by all n hosts"] = "n 台主机全都读到",
  ["the limited broadcast too is read by all"] = "受限广播也是全都读到",
  ["the host without a reader has said nothing"] = "没有读者的主机什么也没说",
  ["connect fails at once"] = "connect 立刻失败",
  ["and no SYN was sent"] = "没有发送 SYN",
})
