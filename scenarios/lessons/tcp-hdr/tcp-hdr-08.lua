-- TCP-HDR-08  Timestamps against old data.
-- After 4 GiB every sequence number comes again. A segment that was duplicated and kept somewhere for so long fits into the window a
-- second time, although its bytes are those of 4 GiB ago. With timestamps (RFC 7323, option kind 8, 10 bytes) it gives itself away: its
-- clock is older than what has been seen since. It is dropped, and answered with an ACK (PAWS: protection against wrapped sequences).
-- run-args: --snaplen 96
-- tshark-allow: TCP (numbers come twice here, and an old segment between them)
local hs = require "hopscope"
hs.title { en = "TCP-HDR-08 Timestamps against old data", zh = "TCP-HDR-08 用时间戳防止旧数据" }

local M = 2 ^ 32 // 1 | 0
local OLD = 100000 -- offset of the segment that gets lost in the network

local function variant(timestamps)
  local tag = timestamps == 0 and "off-" or "on-"
  local client, server = hs.host(tag .. "client"), hs.host(tag .. "server")
  -- large packets, so that 4 GiB are soon over
  local link = hs.link(client, server, { rate = "100Gbps", delay = "10us", mtu = 65535 })
  client:arp_set(server, server:dev().mac)
  server:arp_set(client, client:dev().mac)
  client:sysctl("net.ipv4.tcp_timestamps", timestamps)
  local r = { wrong = 0, got = 0 }
  local kept, isn, option
  link:dir(client):rule(function(p) -- somewhere a copy of one early segment is kept
    if not p.tcp then return end
    if p.tcp.syn then isn = p.tcp.seq end
    local at = (p.tcp.seq - isn - 1) % M
    if p.tcp.len > 0 and at >= OLD then
      kept = { bytes = p:bytes(), at = at, len = p.tcp.len }
      option = p.tcp.hdr_len - 20
      link:dir(client):rule(nil)
    end
  end)
  server:spawn(function(os)
    local conn = os.tcp():bind(5010):listen(8):accept()
    for data in function() return conn:read() end do
      -- the pattern has a period that 4 GiB is no multiple of
      if not hs.payload(#data, r.got):matches(data) then r.wrong = r.wrong + 1 end
      r.got = r.got + #data
    end
  end)
  local upto
  client:spawn(function(os)
    local conn = os.tcp():connect(server, 5010)
    local sent = 0
    while not kept do
      conn:write(hs.payload(50000, sent))
      sent = sent + 50000
      os.sleep "1ms"
    end
    upto = M + kept.at -- where its numbers come again
    while sent < upto do
      local n = math.min(upto - sent, 1000000)
      conn:write(hs.payload(n, sent))
      sent = sent + n
    end
    hs.sleep "100ms"
    r.before = r.got
    r.acks = server:counter "TcpOutSegs"
    hs.note({
      en = "%s: 4 GiB later the copy of an old segment arrives. Its number is just the one that the server waits for.",
      zh = "%s：4 GiB 之后，一个旧报文段的副本到达。它的编号正好是服务器所等待的那个。",
    }, tag)
    client:raw("eth0"):send(kept.bytes)
    hs.sleep "100ms"
    r.old_len = kept.len
    r.taken = r.got - r.before
    r.answered = server:counter "TcpOutSegs" - r.acks
    r.paws = server:counter "TcpExtPAWSEstab"
    conn:write(hs.payload(kept.len, upto)) -- the right bytes, too late
    hs.sleep "100ms"
    r.total = r.got
    conn:close()
  end)
  hs.run "5s"
  r.option = option
  r.upto = upto
  return r
end

local off, on = variant(0), variant(1)
hs.expect_equal("without timestamps the old segment is taken for the next one", off.taken, off.old_len)
hs.expect("and its bytes, 4 GiB old, are delivered: the reader has wrong data", off.wrong > 0, off.wrong)
hs.expect_equal("the right ones come too late: they count as a repetition", off.total, off.upto + off.old_len)
hs.expect_equal("with timestamps nothing of it is taken", { on.taken, on.paws }, { 0, 1 })
hs.expect_equal("it is answered with an ACK", on.answered, 1)
hs.expect_equal("and the reader's data is right", { on.wrong, on.total }, { 0, on.upto + on.old_len })
-- kind 8, length 10, two times 4 bytes, and two NOPs to fill up a word
hs.expect_equal("the price: 12 bytes in every segment (10, and 2 to fill up)", { off.option, on.option }, { 0, 12 })

hs.translate("zh", {
  ["without timestamps the old segment is taken for the next one"] = "没有时间戳，旧的报文段被当作下一个",
  ["and its bytes, 4 GiB old, are delivered: the reader has wrong data"] = "它的字节已经隔了 4 GiB，却被交付：读者得到错误的数据",
  ["the right ones come too late: they count as a repetition"] = "正确的来得太晚：被算作重复",
  ["with timestamps nothing of it is taken"] = "有时间戳，它的内容一点也不收",
  ["it is answered with an ACK"] = "它得到一个 ACK",
  ["and the reader's data is right"] = "读者的数据是正确的",
  ["the price: 12 bytes in every segment (10, and 2 to fill up)"] = "代价：每个报文段 12 字节（10 字节，加 2 字节填充）",
})
