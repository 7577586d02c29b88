-- TCP-HDR-10  Segmentation.
-- A long message is cut into pieces of at most MSS bytes, each with a header of its own; each is acknowledged and, if it must be, repeated
-- by itself (RFC 9293 3.7). An IP packet cut into fragments would have to be repeated whole.
-- tshark-allow: Previous segment(s) not captured (one is lost)
local hs = require "hopscope"
hs.title { en = "TCP-HDR-10 Segmentation", zh = "TCP-HDR-10 分段" }

local client, server = hs.host("client", { sysctl = { ["net.ipv4.tcp_timestamps"] = 0 } }), hs.host "server"
local link = hs.link(client, server, { delay = "10ms" })
client:arp_set("server", server:dev().mac)
server:arp_set("client", client:dev().mac)
link:dir(client):rule(function(p)
  if p.tcp and p.tcp.data_nth == 2 and p.tcp.transmission == 1 then return "drop" end
end)
local frames = hs.frames { filter = function(p) return p.tcp and p.tcp.len > 0 end }
local got, right = 0, true
server:spawn(function(os)
  local conn = os.tcp():bind(5010):listen(8):accept()
  for data in function() return conn:read() end do
    right = right and hs.payload(#data, got):matches(data)
    got = got + #data
  end
end)
client:spawn(function(os)
  local conn = os.tcp():connect("server", 5010)
  conn:write(hs.payload(5000))
  os.sleep "5s"
  conn:close()
end)
hs.note { en = "One write of 5000 bytes, MSS 1460. The second piece is lost.", zh = "一次写入 5000 字节，MSS 为 1460。第二段丢失。" }
hs.run "20ms"
hs.run "15ms"
local lengths, headers = {}, true
for i, f in ipairs(frames) do
  lengths[i] = f.packet.tcp.len
  headers = headers and f.packet.tcp.hdr_len == 20 and f.packet.ip.hdr_len == 20 and f.packet.tcp.dport == 5010
end
hs.expect_equal("5000 bytes: 1460, 1460, 1460, 620", lengths, { 1460, 1460, 1460, 5000 - 3 * 1460 })
hs.expect("each with headers of its own", headers)
hs.expect_equal("each begins where the one before ends", frames[4].packet.tcp.seq - frames[1].packet.tcp.seq, 3 * 1460)
hs.run "5s"
hs.expect_equal("five segments in all", #frames, 5)
hs.expect_equal("only the lost piece is sent again, the same bytes", { frames[5].packet.tcp.seq, frames[5].packet.tcp.len },
  { frames[2].packet.tcp.seq, 1460 })
hs.expect_equal("and the message is whole", { got, right }, { 5000, true })
hs.expect_equal("IP had nothing to cut", client:counter "IpFragCreates", 0)

hs.translate("zh", {
  ["5000 bytes: 1460, 1460, 1460, 620"] = "5000 字节：1460、1460、1460、620",
  ["each with headers of its own"] = "各有自己的首部",
  ["each begins where the one before ends"] = "每段从前一段结束处开始",
  ["five segments in all"] = "总共五个报文段",
  ["only the lost piece is sent again, the same bytes"] = "只重传丢失的那段，同样的字节",
  ["and the message is whole"] = "报文是完整的",
  ["IP had nothing to cut"] = "IP 没有什么要切开",
})
