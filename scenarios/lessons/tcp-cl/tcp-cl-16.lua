-- TCP-CL-16  Out-of-order FIN.
-- A FIN has a place in the stream, behind the last byte. If it overtakes data, it waits in the out-of-order queue like data would, and nobody
-- is told: the state changes, and the reader sees the end, when the gap has been filled (RFC 9293 3.10.7.4: segments are processed in order).
-- tshark-allow: Previous segment(s) not captured (the lesson loses a segment)
-- tshark-allow: D-SACK Sequence (what came twice is reported)
local hs = require "hopscope"
hs.title { en = "TCP-CL-16 Out-of-order FIN", zh = "TCP-CL-16 失序的 FIN" }

local client, server = hs.host "client", hs.host "server"
local link = hs.link(client, server, { delay = "10ms" })
client:ping("server", { count = 1 })

-- Of the server's data segments the first is held back for 100 ms; the others, and the FIN, overtake it.
local fin_came, filled_at, first_seq
link:dir(server):rule(function(p)
  if p.tcp and p.tcp.data_len > 0 then first_seq = first_seq or p.tcp.seq end
  if p.tcp and p.tcp.data_nth == 1 and not p.tcp.retransmission then return { "delay", "100ms", overtake = true } end
  if p.tcp and p.tcp.retransmission then return "drop" end -- the original shall fill the gap
end)
hs.on("frame.rx", function(e)
  local tcp = e.packet.tcp
  if not tcp then return end
  if tcp.fin then fin_came = fin_came or e.time end
  if tcp.seq == first_seq and tcp.data_len > 0 then filled_at = e.time end
end, { node = client })
server:spawn(function(os)
  local conn = os.tcp({ nodelay = true }):bind(5000):listen(8):accept()
  conn:read()
  for _, word in ipairs { "one ", "two ", "three" } do
    conn:send(word)
    os.sleep "1ms"
  end
  conn:close()
end)
local between, words, ended, states = nil, {}, nil, {}
hs.on("tcp.state", function(e) states[#states + 1] = { e.new, e.time } end, { node = client })
client:spawn(function(os)
  local conn = os.tcp():connect("server", 5000)
  conn:shutdown "write"
  os.spawn(function(os2)
    os2.sleep "70ms"
    between = { conn:state(), conn:poll().rdhup, hs.now() }
  end)
  while true do
    local data = conn:read()
    if not data then break end
    words[#words + 1] = data
  end
  ended = hs.now()
end)
hs.run "1s"
hs.note({
  en = "The FIN came at %.3f s; at %.3f s the client was still in %s. The gap was filled at %.3f s.",
  zh = "FIN 在 %.3f s 到达；%.3f s 时客户端仍处于 %s。空缺在 %.3f s 补上。",
}, fin_came, between[3], between[1], filled_at)
hs.expect("the FIN came first, the missing data long after it", fin_came < between[3] and between[3] < filled_at, { fin_came, filled_at })
hs.expect_equal("in between the state stays FIN-WAIT-2, and no end of the stream is shown", { between[1], between[2] }, { "FIN-WAIT-2", false })
hs.expect_equal("then TIME-WAIT, in the same instant", states[#states], { "TIME-WAIT", filled_at })
hs.expect_equal("the reader gets all data, in order, before the end", table.concat(words), "one two three")
hs.expect_near("and the end with it", ended, filled_at, 1e-9)

hs.translate("zh", {
  ["the FIN came first, the missing data long after it"] = "FIN 先到，缺少的数据过了很久才到",
  ["in between the state stays FIN-WAIT-2, and no end of the stream is shown"] = "其间状态停在 FIN-WAIT-2，不显示流的结束",
  ["then TIME-WAIT, in the same instant"] = "然后在同一时刻进入 TIME-WAIT",
  ["the reader gets all data, in order, before the end"] = "读者按序得到全部数据，在结束之前",
  ["and the end with it"] = "结束也随之而来",
})
