-- TCP-HS-14  Equal ISNs let old data in.
-- A data segment is late. Meanwhile the server reboots, the client's repetition draws RST, and the same four-tuple is opened again.
-- If both connections begin with the same numbers, the late segment fits into the new one: foreign bytes are delivered. With numbers
-- that move on (RFC 6528) it lies far outside the window and is dropped. (That makes it unlikely, not impossible: see TCP-HDR-08.
-- Timestamps, which would catch it too, are off here.)
-- tshark-allow: Connection reset (the rebooted server knows no connection)
-- tshark-allow: D-SACK (the late segment, and what is repeated, has come already)
-- tshark-allow: ACKed segment that wasn't captured (the late segment acknowledges the earlier connection)
local hs = require "hopscope"
hs.title { en = "TCP-HS-14 Equal ISNs let old data in", zh = "TCP-HS-14 相同的 ISN 会放进旧数据" }

local function variant(isn_mode)
  local tag = isn_mode == 2 and "fixed-" or "varied-"
  local client, server = hs.host(tag .. "client"), hs.host(tag .. "server")
  local sw = hs.switch(tag .. "sw")
  local link = hs.link(client, sw, { delay = "5ms" }) -- where the late segment is while the server reboots
  hs.link(sw, server, { delay = "5ms" })
  client:arp_set(server, server:dev().mac)
  server:arp_set(client, client:dev().mac)
  for _, h in ipairs { client, server } do
    h:sysctl("hopscope.tcp_isn", isn_mode)
    h:sysctl("hopscope.tcp_isn_fixed", 1000)
    h:sysctl("net.ipv4.tcp_timestamps", 0)
  end
  local late
  link:dir(client):rule(function(p)
    if p.tcp and p.tcp.data_nth == 1 and not late then
      late = p.tcp.seq
      return { "delay", "10s", overtake = true } -- this one takes another way
    end
  end)
  local r = { got = "", drops = {} }
  local function serve(os)
    local listener = os.tcp():bind(5010):listen(8)
    while true do
      local conn = listener:accept()
      r.got = ""
      for data in function() return conn:read() end do r.got = r.got .. data end
    end
  end
  server:spawn(serve)
  local begin = hs.now()
  client:spawn(function(os)
    local conn = os.tcp { reuseaddr = true }:bind(6000)
    conn:connect(server, 5010)
    os.sleep "100ms"
    conn:write "pay 1000 to Eve;"
    r.first = select(2, conn:read())
    conn:close()
    conn = os.tcp { reuseaddr = true }:bind(6000)
    conn:connect(server, 5010)
    r.reopened = hs.now() - begin
    os.sleep "15s" -- a session at leisure
    conn:write "pay 1 to Bob;"
    os.sleep "1s"
    conn:close()
  end)
  hs.on("frame.rx", function(e)
    if e.packet.tcp and e.packet.tcp.len == 16 and hs.now() - begin > 5 then r.arrived = hs.now() - begin end
  end, { node = server })
  hs.at(begin + 0.2, function() -- the reboot
    server:power(false)
    server:power(true)
    server:arp_set(client, client:dev().mac)
    server:spawn(serve)
  end)
  local syns = {}
  hs.on("frame.tx", function(e) if e.packet.tcp and e.packet.tcp.syn then syns[#syns + 1] = e.packet.tcp.seq end end, { node = client })
  hs.run "30s"
  -- how far the late segment is from what the new connection expects
  r.distance = (late - (syns[2] + 1) + 2 ^ 31 // 1) % (2 ^ 32 // 1 | 0) - (2 ^ 31 // 1)
  return r
end

hs.note {
  en = "The client writes 'pay 1000 to Eve;'. That segment is delayed by 10 s, the server reboots, the same ports connect again.",
  zh = "客户端写入“pay 1000 to Eve;”。这个报文段被耽搁了 10 s，服务器重启，同样的端口再次建立连接。",
}
local fixed, varied = variant(2), variant(0)
for name, r in pairs { ["fixed ISN"] = fixed, ["varied ISN"] = varied } do
  hs.expect_equal(name .. ": the first connection ends with a reset", r.first, "ECONNRESET")
  hs.expect(name .. ": the second one is open when the late segment arrives", r.reopened < r.arrived and r.arrived < r.reopened + 15, r.arrived)
end
hs.expect_equal("fixed ISN: the late segment is exactly what the new connection waits for", fixed.distance, 0)
hs.expect_equal("foreign bytes are delivered, Eve is paid", fixed.got:sub(1, 16), "pay 1000 to Eve;")
-- 64 ns a step: a second later the numbers are 15 625 000 ahead, which is more than any unscaled window
hs.expect("varied ISN: it lies outside the window", math.abs(varied.distance) > 65535, varied.distance)
hs.expect_equal("and is dropped: the reader has only what was written now", varied.got, "pay 1 to Bob;")

hs.translate("zh", {
  ["fixed ISN: the first connection ends with a reset"] = "固定的 ISN：第一条连接以复位结束",
  ["fixed ISN: the second one is open when the late segment arrives"] = "固定的 ISN：迟到的报文段到达时，第二条已经打开",
  ["varied ISN: the first connection ends with a reset"] = "变化的 ISN：第一条连接以复位结束",
  ["varied ISN: the second one is open when the late segment arrives"] = "变化的 ISN：迟到的报文段到达时，第二条已经打开",
  ["fixed ISN: the late segment is exactly what the new connection waits for"] = "固定的 ISN：迟到的报文段正是新连接所等待的",
  ["foreign bytes are delivered, Eve is paid"] = "外来的字节被交付，Eve 得到了付款",
  ["varied ISN: it lies outside the window"] = "变化的 ISN：它落在窗口之外",
  ["and is dropped: the reader has only what was written now"] = "并被丢弃：读者得到的只有现在写入的",
})
