-- FRAG-07  TCP segments, UDP fragments.
-- TCP cuts its stream into segments that fit a packet, and repairs the one that is lost. UDP does not cut: a datagram above the
-- MTU is cut by IP, and lost as a unit if one of its n fragments is lost. If each packet gets through with probability 1 - p,
-- the datagram does with (1 - p)^n. Keep UDP data at or below 1500 - 20 - 8 = 1472 bytes.
-- tshark-allow: This frame is a (suspected) out-of-order segment (repetitions)
-- tshark-allow: Previous segment(s) not captured (dropped before)
local hs = require "hopscope"
hs.title { en = "FRAG-07 TCP segments, UDP fragments", zh = "FRAG-07 TCP 分报文段，UDP 分片" }

local P, COUNT = 0.1, 1000 -- 10 % of the packets are lost; datagrams of each size
local a, b = hs.host "a", hs.host "b"
local link = hs.link(a, b, { delay = "1ms" })
local frames = 0
hs.on("frame.tx", function(e) if e.packet.ip then frames = frames + 1 end end, { node = a })

hs.note {
  en = "How many packets does a datagram need? 1472 bytes of data just fit one; a single byte more needs a second.",
  zh = "一个数据报需要多少个分组？1472 字节的数据正好放进一个；再多一个字节就需要第二个。",
}
local sock = a:udp()
local function packets_for(size)
  frames = 0
  sock:sendto(hs.payload(size), "b", 9)
  hs.run "1s"
  return frames
end
b:udp { port = 9, on_datagram = function() end }
hs.expect_equal("1472 bytes of data: one packet", packets_for(1472), 1)
hs.expect_equal("1473 bytes of data: two packets", packets_for(1473), 2)
hs.expect_equal("5 * 1480 - 8 bytes of data: five packets", packets_for(5 * 1480 - 8), 5)

hs.note {
  en = "Now the link loses 10 % of all packets, and a sends 1000 datagrams of each size.",
  zh = "现在链路丢失所有分组的 10 %，a 按每种长度各发送 1000 个数据报。",
}
link:dir(a):set { loss = P }
for i, n in ipairs { 1, 2, 5 } do
  local sink = b:udp_sink(1000 + i)
  -- Not too fast: the fragments of broken datagrams stay in b's memory for 30 s.
  a:udp_source { to = "b", port = 1000 + i, size = n * 1480 - 8, gap = "100ms", count = COUNT }
  hs.run "150s"
  local share, chance = sink:stats().received / COUNT, (1 - P) ^ n
  -- Four standard deviations of a binomial share: a run beyond them would come once in 16000.
  local width = 4 * math.sqrt(chance * (1 - chance) / COUNT)
  hs.note({
    en = "%d fragment%s: %.1f %% arrive; (1 - 0.1)^%d = %.1f %%.",
    zh = "%d 片%.0s：%.1f %% 到达；(1 - 0.1)^%d = %.1f %%。",
  }, n, n == 1 and "" or "s", share * 100, n, chance * 100)
  hs.expect_near("delivery of " .. n .. " fragments is (1 - p)^" .. n, share, chance, width)
end
hs.expect("fragments that arrived were thrown away with the datagram they belonged to", b:counter "IpReasmFails" > 0)

hs.note {
  en = "TCP cuts the same amount of data at the MSS. A lost segment is repaired alone: everything arrives, and no fragment is made.",
  zh = "TCP 按 MSS 切开同样多的数据。丢失的报文段单独修复：全部到达，一个分片也没有产生。",
}
local made, sink = a:counter "IpFragCreates", b:tcp_sink(5678)
local lengths, repeated = {}, 0
hs.on("frame.tx", function(e)
  local t = e.packet.tcp
  if t and t.len > 0 then
    lengths[t.len] = (lengths[t.len] or 0) + 1
    if t.retransmission then repeated = repeated + 1 end
  end
end, { node = a })
-- 200 times what five fragments carried: 7392 bytes
a:tcp_source { to = "b", port = 5678, bytes = 200 * (5 * 1480 - 8) }
hs.run "100s"
hs.expect_equal("all 1478400 bytes arrive, although 10 % of the packets are lost", { sink:stats().bytes, sink:stats().wrong_bytes }, { 1478400, 0 })
hs.expect("segments of one MSS: 1448 bytes with timestamps (one at the end is shorter)", lengths[1448] > 1000, lengths)
hs.expect_equal("IP did not cut anything", a:counter "IpFragCreates", made)
-- 1021 segments, and 10 % of all transmissions are lost: 1021 / 0.9 - 1021 = 113 repetitions, if none is needless
hs.expect_between("each lost segment was sent again, alone", repeated, 60, 220)

hs.translate("zh", {
  ["1472 bytes of data: one packet"] = "1472 字节的数据：一个分组",
  ["1473 bytes of data: two packets"] = "1473 字节的数据：两个分组",
  ["5 * 1480 - 8 bytes of data: five packets"] = "5 * 1480 - 8 字节的数据：五个分组",
  ["delivery of {} fragments is ({} - p)^{}"] = "{} 个分片的交付率是 ({} - p)^{}",
  ["fragments that arrived were thrown away with the datagram they belonged to"] = "已到达的分片随着它们所属的数据报一起被丢弃",
  ["all 1478400 bytes arrive, although 10 % of the packets are lost"] = "全部 1478400 字节到达，尽管 10 % 的分组丢失",
  ["segments of one MSS: 1448 bytes with timestamps (one at the end is shorter)"] = "一个 MSS 的报文段：有时间戳时 1448 字节（末尾的一个较短）",
  ["IP did not cut anything"] = "IP 什么也没有切开",
  ["each lost segment was sent again, alone"] = "每个丢失的报文段都单独重传",
})
