-- TCP-HDR-04  Byte numbering.
-- Every byte of data takes one number, SYN and FIN one each, a pure ACK none. So whatever a trace contains, its numbers can be computed
-- (RFC 9293 3.4): next seq = seq + len, +1 for SYN or FIN. The acknowledgment is the next byte expected in order, which is not always
-- the end of the segment that came last.
-- tshark-allow: Previous segment(s) not captured (one segment is overtaken)
-- tshark-allow: D-SACK (it was repeated in vain)
local hs = require "hopscope"
hs.title { en = "TCP-HDR-04 Byte numbering", zh = "TCP-HDR-04 字节编号" }

local M = 2 ^ 32 // 1 | 0
local client, server = hs.host "client", hs.host "server"
local link = hs.link(client, server, { rate = "10Mbps", delay = "10ms" })
client:arp_set("server", server:dev().mac)
server:arp_set("client", client:dev().mac)
-- The 5th data segment takes 5 ms longer and is overtaken by those behind it.
link:dir(client):rule(function(p)
  if p.tcp and p.tcp.data_nth == 5 and p.tcp.transmission == 1 then return { "delay", "5ms", overtake = true } end
end)
server:spawn(function(os)
  local conn = os.tcp():bind(5010):listen(8):accept()
  while conn:read() do end
  conn:write "thank you"
  conn:close()
end)
client:spawn(function(os)
  local conn = os.tcp():connect("server", 5010)
  conn:write(hs.payload(14480))
  conn:write "and a bit"
  conn:shutdown "write"
  while conn:read() do end
  conn:close()
end)

-- An independent bookkeeper. sender: what each end has sent; seen: what has arrived where, in order of arrival.
local next_seq, isn = {}, {}
local arrived, expected = {}, { client = nil, server = nil }
local wrong, count, ooo, pure = {}, 0, 0, 0
local function takes(t) return t.len + (t.syn and 1 or 0) + (t.fin and 1 or 0) end
hs.on("frame.tx", function(e)
  local t, me = e.packet.tcp, e.node
  if not t then return end
  count = count + 1
  if t.syn then isn[me], next_seq[me] = t.seq, 0 end
  local rel = (t.seq - isn[me]) % M
  if takes(t) == 0 then pure = pure + 1 end
  -- a new segment begins where the last one ended; a repetition further back
  if rel > next_seq[me] then wrong[#wrong + 1] = "a gap in what " .. me .. " sends" end
  next_seq[me] = math.max(next_seq[me], rel + takes(t))
  if t.ack then
    local peer = me == "client" and "server" or "client"
    -- what this end has received: all pieces from the ISN on, without a gap
    local want = 0
    repeat
      local more = false
      for _, piece in ipairs(arrived[me] or {}) do
        if piece[1] <= want and piece[2] > want then want, more = piece[2], true end
      end
    until not more
    if (t.ackno - isn[peer]) % M ~= want then wrong[#wrong + 1] = me .. " acknowledges " .. (t.ackno - isn[peer]) % M .. ", not " .. want end
    local last = arrived[me][#arrived[me]]
    if last and last[2] ~= want and t.len == 0 then ooo = ooo + 1 end
  end
end)
hs.on("frame.rx", function(e)
  local t, me = e.packet.tcp, e.node
  if not t then return end
  local peer = me == "client" and "server" or "client"
  local rel = (t.seq - isn[peer]) % M
  arrived[me] = arrived[me] or {}
  if takes(t) > 0 then arrived[me][#arrived[me] + 1] = { rel, rel + takes(t) } end
end)
hs.note {
  en = "14 489 bytes one way, 9 the other; one segment is overtaken. A bookkeeper recomputes every number.",
  zh = "一个方向 14 489 字节，另一个方向 9 字节；有一个报文段被超过。一个记账人重新计算每个编号。",
}
hs.run "5s"
hs.expect("many segments", count > 20, count)
hs.expect_equal("every sequence number follows from those before, every acknowledgment from what has arrived", wrong, {})
hs.expect_equal("the client's numbers: SYN 1, data 14489, FIN 1", next_seq.client, 1 + 14489 + 1)
hs.expect_equal("the server's: SYN 1, data 9, FIN 1", next_seq.server, 1 + 9 + 1)
hs.expect("pure ACKs took none", pure > 3, pure)
hs.note {
  en = "The rule 'ack = last received seq + len' fails where segments arrive out of order:",
  zh = "“ack = 上一个收到的 seq + len”这条规则在报文段失序到达的地方失效：",
}
hs.expect("ACKs that do not name the end of the last segment received", ooo >= 3, ooo)

hs.translate("zh", {
  ["many segments"] = "许多报文段",
  ["every sequence number follows from those before, every acknowledgment from what has arrived"] = "每个序号由以前的推出，每个确认由已到达的推出",
  ["the client's numbers: SYN 1, data 14489, FIN 1"] = "客户端的编号：SYN 1，数据 14489，FIN 1",
  ["the server's: SYN 1, data 9, FIN 1"] = "服务器的：SYN 1，数据 9，FIN 1",
  ["pure ACKs took none"] = "纯 ACK 不占用编号",
  ["ACKs that do not name the end of the last segment received"] = "没有说出最后收到的报文段末尾的 ACK",
})
