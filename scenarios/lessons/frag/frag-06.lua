-- FRAG-06  TCP segment fragmented by IP.
-- Where nobody limits the MSS to what the path carries, IP has to cut TCP's segments on the way, and one lost fragment loses the
-- segment: nothing is acknowledged, and after its timeout TCP sends all of it again (RFC 9293 3.7.1). With a fitting MSS every packet is
-- a segment that is repaired alone. Here path MTU discovery is off, and both ends are on links of 4000 bytes.
-- tshark-allow: Previous segment(s) not captured (the lost one)
local hs = require "hopscope"
hs.title { en = "FRAG-06 TCP segment fragmented by IP", zh = "FRAG-06 被 IP 分片的 TCP 报文段" }

local a = hs.host("a", { sysctl = { ["net.ipv4.ip_no_pmtu_disc"] = 1 } }) -- DF off: routers may cut
local b, r1, r2 = hs.host "b", hs.router "r1", hs.router "r2"
hs.link(a, r1, { mtu = 4000 })
local middle = hs.link(r1, r2, { delay = "10ms" }) -- 1500
hs.link(r2, b, { mtu = 4000 })

local armed, dropped = false, nil
middle:dir(r1):rule(function(p)
  if armed and p.ip and p.ip.proto == 6 and (p.ip.frag_offset == 1480 or (p.tcp and p.tcp.data_nth == 2)) then
    armed, dropped = false, p.time
    return "drop"
  end
end)
local frames = hs.frames { link = middle, filter = function(p) return p.from == "r1" and p.ip and p.ip.len > 60 end }
local acks = hs.frames { node = a, on = "rx", filter = function(p) return p.tcp and p.tcp.ack and not p.tcp.syn end }

local sink = b:tcp_sink(5678)
local function transfer(mss, bytes)
  local from, acked, rto = #frames, #acks, nil
  armed, dropped = true, nil
  local begin, done = nil, nil
  a:spawn(function(os)
    local sock = mss and os.tcp { mss = mss } or os.tcp()
    sock:connect("b", 5678)
    begin = hs.now()
    rto = sock:info().rto / 1e6
    sock:write(hs.payload(bytes))
    while sock:info().send_q > 0 do os.sleep "1ms" end
    done = hs.now() - begin
    sock:close()
  end)
  hs.run "3s"
  local list = {}
  for i = from + 1, #frames do list[#list + 1] = { time = frames[i].time - begin, ip = frames[i].packet.ip, len = frames[i].len } end
  return list, done, rto, acks[acked + 1].time - begin
end

hs.note {
  en = "MSS 3948: one segment of 3948 bytes and 52 of headers is cut in three. The second fragment is lost.",
  zh = "MSS 3948：一个报文段有 3948 字节数据和 52 字节首部，切成三片。第二片丢失。",
}
local list, done, rto, first_ack = transfer(nil, 3948)
for i, f in ipairs(list) do print(string.format("    %6.1f ms  fragment of %d bytes at %d", f.time * 1000, f.ip.len, f.ip.frag_offset)) end
local offsets = {}
for i, f in ipairs(list) do offsets[i] = f.ip.frag_offset end
hs.expect_equal("all three fragments are sent again", offsets, { 0, 1480, 2960, 0, 1480, 2960 })
hs.expect("not before the timeout", list[4].time >= rto and rto >= 0.2, { list[4].time, rto })
hs.expect("until then nothing is acknowledged", first_ack > list[4].time, first_ack)
hs.expect_near("two thirds of what was repeated had already arrived", list[4].len + list[5].len + list[6].len, 3948 + 52 + 2 * 20 + 3 * 14, 0)

hs.note {
  en = "MSS 1460, as Ethernet's 1500 suggest: three segments. The second is lost, and it alone is repaired.",
  zh = "MSS 1460，与以太网的 1500 相配：三个报文段。第二个丢失，只需修复它自己。",
}
local segments, quick = transfer(1460, 3 * 1448)
local repeated = #segments - 3
hs.expect_equal("no fragments", segments[1].ip.mf, false)
hs.expect_equal("one segment of 1448 bytes is sent again", { repeated, segments[4].ip.len }, { 1, 1500 })
hs.expect("and the transfer ends earlier than with fragments", quick < done, { quick, done })
hs.expect_equal("all bytes arrived both times", { sink:stats().bytes, sink:stats().wrong_bytes }, { 3948 + 3 * 1448, 0 })

hs.translate("zh", {
  ["all three fragments are sent again"] = "三个分片全部重发",
  ["not before the timeout"] = "不早于超时",
  ["until then nothing is acknowledged"] = "在那之前什么也没有确认",
  ["two thirds of what was repeated had already arrived"] = "重传的三分之二早已到达",
  ["no fragments"] = "没有分片",
  ["one segment of 1448 bytes is sent again"] = "重传一个 1448 字节的报文段",
  ["and the transfer ends earlier than with fragments"] = "传送比有分片时结束得早",
  ["all bytes arrived both times"] = "两次都到达了全部字节",
})
