-- TCP-RTX-10  Selective acknowledgment.
-- If both SYNs offer it (option kind 4), ACKs list what has arrived behind the hole, as blocks (kind 5, RFC 2018). The sender then knows
-- all holes at once and resends these only. The header has 40 bytes for options, a block takes 8: up to four blocks, or three beside
-- timestamps.
-- tshark-allow: Previous segment(s) not captured (the lost segments)
-- tshark-allow: This frame is a (suspected) out-of-order segment (repetitions)
local hs = require "hopscope"
hs.title { en = "TCP-RTX-10 Selective acknowledgment", zh = "TCP-RTX-10 选择确认" }

local RTT, SIZE, ISN = 0.1, 1000, 0

-- The segments in `lost` of a window of ten are lost once. Returns what was resent and when, and what the ACKs listed.
local hosts = 0
local function lose(lost, sacks, timestamps)
  hosts = hosts + 1
  local function settings(sack)
    return { sysctl = { ["net.ipv4.tcp_sack"] = sack, ["net.ipv4.tcp_timestamps"] = timestamps, ["hopscope.tcp_isn"] = 2, ["hopscope.tcp_isn_fixed"] = ISN } }
  end
  local client, server = hs.host("client" .. hosts, settings(sacks[1])), hs.host("server" .. hosts, settings(sacks[2]))
  local link = hs.link(client, server, { rate = "100Mbps", delay = RTT / 2 })
  client:arp_set(server, server:dev().mac)
  server:arp_set(client, client:dev().mac)
  link:dir(client):rule(function(p)
    local t = p.tcp
    if not t or not t.data_nth or t.retransmission then return end
    for _, n in ipairs(lost) do
      if t.data_nth == n then return "drop" end
    end
  end)
  local r = { resent = {}, at = {}, acks = {}, permitted = {}, most = 0, got = 0 }
  local begin
  hs.on("frame.tx", function(e)
    local t = e.packet.tcp
    if not t then return end
    if t.syn then r.permitted[#r.permitted + 1] = t.sack_permitted or false end
    if t.len == 0 then return end
    begin = begin or e.time
    if t.retransmission then
      r.resent[#r.resent + 1] = (t.seq - ISN - 1) // SIZE + 1
      r.at[#r.at + 1] = e.time - begin
    end
  end, { node = client })
  hs.on("frame.tx", function(e)
    local t = e.packet.tcp
    if not t then return end
    if t.syn then r.permitted[#r.permitted + 1] = t.sack_permitted or false end
    local blocks = {}
    for _, field in ipairs(e.packet:fields()) do
      if field.name == "sack_left" then blocks[#blocks + 1] = { tonumber(field.text) } end
      if field.name == "sack_right" then blocks[#blocks][2] = tonumber(field.text) end
    end
    r.most = math.max(r.most, #blocks)
    if not t.syn then r.acks[#r.acks + 1] = { t.ackno, blocks } end
  end, { node = server })
  server:spawn(function(os)
    local conn = os.tcp():bind(5000):listen(8):accept()
    for data in function() return (conn:read()) end do
      r.got = r.got + #data
      r.done = hs.now() - begin
    end
  end)
  client:spawn(function(os)
    local conn = os.tcp({ mss = SIZE + 12 * timestamps }):connect(server, 5000)
    conn:write(("x"):rep(10 * SIZE))
    os.sleep "1h"
  end)
  hs.run "10s"
  r.duplicates = server:counter "TcpExtDelayedACKLost"
  return r
end

hs.note { en = "Segments 3 and 6 of ten are lost.", zh = "十个报文段中的第 3 和第 6 个丢失。" }
local r = lose({ 3, 6 }, { 1, 1 }, 0)
hs.expect_equal("both SYNs have option kind 4", r.permitted, { true, true })
local last
for _, ack in ipairs(r.acks) do
  if #ack[2] > 0 then
    local text = {}
    for i, b in ipairs(ack[2]) do text[i] = string.format("%d-%d", b[1], b[2] - 1) end
    hs.note({ en = "  ACK %d, arrived: %s", zh = "ACK %d，已到达：%s" }, ack[1], table.concat(text, ", "))
    if #ack[2] == 2 then last = ack end
  end
end
-- 1-2000 is there; 2001-3000 and 5001-6000 are missing; the latest block comes first
hs.expect_equal("an ACK of two holes: what is behind each of them", last, { 2001, { { 6001, 10001 }, { 3001, 5001 } } })
hs.expect_equal("only the holes are resent", r.resent, { 3, 6 })
-- the ACKs that tell of them come after an RTT, and within ten segments of 85 us on the wire
hs.expect("both in one round", r.at[1] > RTT and r.at[2] < RTT + 0.002, r.at)
hs.expect_near("so all is there after half an RTT and one round", r.done, RTT / 2 + RTT, 0.003)
hs.expect_equal("zero duplicates", { r.got, r.duplicates }, { 10 * SIZE, 0 })

hs.note { en = "Five holes: segments 1, 3, 5, 7 and 9.", zh = "五个空缺：报文段 1、3、5、7 和 9。" }
local four, three = lose({ 1, 3, 5, 7, 9 }, { 1, 1 }, 0), lose({ 1, 3, 5, 7, 9 }, { 1, 1 }, 1)
hs.note({ en = "At most %d blocks in an ACK, %d beside timestamps.", zh = "一个 ACK 里最多 %d 个块，有时间戳时最多 %d 个。" }, four.most, three.most)
hs.expect_equal("up to 4 blocks, 3 with timestamps", { four.most, three.most }, { 4, 3 })
hs.expect_equal("all is delivered, nothing twice", { four.got, three.got, four.duplicates, three.duplicates }, { 10 * SIZE, 10 * SIZE, 0, 0 })

hs.note { en = "If either side lacks it, it is off.", zh = "只要有一方不支持，就不使用。" }
for name, s in pairs { ["the client lacks it"] = { 0, 1 }, ["the server lacks it"] = { 1, 0 }, ["both lack it"] = { 0, 0 } } do
  r = lose({ 3, 6 }, s, 0)
  -- the server does not offer what it was not asked for
  hs.expect_equal(name .. ": the options of the two SYNs", r.permitted, { s[1] == 1, false })
  hs.expect_equal(name .. ": no blocks", r.most, 0)
  hs.expect("it takes a round more", r.done > RTT / 2 + 2 * RTT and r.got == 10 * SIZE, r.done)
end

hs.translate("zh", {
  ["both SYNs have option kind 4"] = "两个 SYN 都有种类为 4 的选项",
  ["an ACK of two holes: what is behind each of them"] = "有两个空缺时的 ACK：每个空缺后面是什么",
  ["only the holes are resent"] = "只重传空缺",
  ["both in one round"] = "两个都在一轮之中",
  ["so all is there after half an RTT and one round"] = "所以半个 RTT 加一轮之后全部到齐",
  ["zero duplicates"] = "零重复",
  ["up to 4 blocks, 3 with timestamps"] = "最多 4 个块，有时间戳时 3 个",
  ["all is delivered, nothing twice"] = "全部交付，没有重复",
  ["both lack it: the options of the two SYNs"] = "双方都不支持：两个 SYN 的选项",
  ["both lack it: no blocks"] = "双方都不支持：没有块",
  ["it takes a round more"] = "多用了一轮",
  ["the client lacks it: the options of the two SYNs"] = "客户端不支持：两个 SYN 的选项",
  ["the client lacks it: no blocks"] = "客户端不支持：没有块",
  ["the server lacks it: the options of the two SYNs"] = "服务器不支持：两个 SYN 的选项",
  ["the server lacks it: no blocks"] = "服务器不支持：没有块",
})
