-- TCP-HDR-12  In order, once, without gaps.
-- IP may lose, double and overtake. TCP's numbers repair all of it: what comes too early waits in the out-of-order queue, what has come
-- already is dropped (and reported: D-SACK, RFC 2883). The reader sees one stream.
-- tshark-allow: TCP (every segment comes twice, every second one late)
local hs = require "hopscope"
hs.title { en = "TCP-HDR-12 In order, once, without gaps", zh = "TCP-HDR-12 按序、一次、无空缺" }

local BYTES = 200000
local client, server = hs.host "client", hs.host "server"
local link = hs.link(client, server, { rate = "100Mbps", delay = "10ms" })
client:arp_set("server", server:dev().mac)
server:arp_set("client", client:dev().mac)

-- Every data segment is doubled by the network, and every second one is late by 150 us: overtaken by those behind it.
local n = 0
link:dir(client):rule(function(p)
  if p.tcp and p.tcp.len > 0 then
    n = n + 1
    if n % 2 == 0 then return { "delay", "150us", overtake = true } end
  end
end)
link:dir(client):set { duplicate = 1 }

local got, right, fast = 0, true, true
server:spawn(function(os)
  local conn = os.tcp():bind(5010):listen(8):accept()
  for data in function() return conn:read() end do
    right = right and hs.payload(#data, got):matches(data)
    got = got + #data
  end
end)
client:spawn(function(os)
  local conn = os.tcp():connect("server", 5010)
  conn:write(hs.payload(BYTES))
  conn:close()
end)
-- what arrives at the server: data segments, different ones, and those that came before a smaller number
local arrived, numbers, distinct, late, highest = 0, {}, 0, 0, -1
hs.on("frame.rx", function(e)
  local t = e.packet.tcp
  if not t or t.len == 0 then return end
  arrived = arrived + 1
  if not numbers[t.seq] then
    numbers[t.seq] = true
    distinct = distinct + 1
    if t.seq < highest then late = late + 1 end
    highest = math.max(highest, t.seq)
  end
end, { node = server })
hs.note {
  en = "The network doubles every data segment and lets many overtake others.",
  zh = "网络把每个数据报文段都复制一份，并让许多报文段超过别的。",
}
hs.run "10s"
hs.expect("they came out of order", late > distinct / 4, late)
hs.expect("and twice", arrived >= 2 * distinct, { arrived, distinct })
hs.expect_equal("the reader's stream is what was written: all of it, in order, once", { got, right }, { BYTES, true })
local duplicates = server:counter "TcpExtTCPDSACKOldSent" + server:counter "TcpExtTCPDSACKOfoSent"
hs.note({
  en = "%d different segments, %d arrivals, %d reported as duplicates.",
  zh = "%d 个不同的报文段，%d 次到达，%d 个报告为重复。",
}, distinct, arrived, duplicates)
hs.expect_equal("the sender was not deceived: nothing was repeated", n, distinct)
hs.expect_equal("the counters of duplicates: as many as the network has injected", duplicates, n)

hs.translate("zh", {
  ["they came out of order"] = "它们失序到来",
  ["and twice"] = "并且来了两次",
  ["the reader's stream is what was written: all of it, in order, once"] = "读者的流就是写入的内容：全部，按序，一次",
  ["the sender was not deceived: nothing was repeated"] = "发送方没有受骗：没有任何重传",
  ["the counters of duplicates: as many as the network has injected"] = "重复的计数：与网络所注入的一样多",
})
