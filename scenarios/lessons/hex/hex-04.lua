-- HEX-04  Ten-segment session.
-- The textbook's session of twenty bytes there, ten back and a close in four segments, number by number (RFC 9293 3.5, 3.6). The initial
-- sequence numbers are set to 1000 and 8000; the MSS is the only option. PSH, which the textbook leaves out, is not compared.
local hs = require "hopscope"
hs.title { en = "HEX-04 Ten-segment session", zh = "HEX-04 十个报文段的会话" }

local function plain(isn) -- the only option is the MSS
  return { sysctl = { ["hopscope.tcp_isn"] = 2, ["hopscope.tcp_isn_fixed"] = isn, ["net.ipv4.tcp_timestamps"] = 0,
                      ["net.ipv4.tcp_sack"] = 0, ["net.ipv4.tcp_window_scaling"] = 0 } }
end
local client, server = hs.host("client", plain(1000)), hs.host("server", plain(8000))
hs.link(client, server, { delay = "10ms" })

local seen = hs.frames { filter = function(p) return p.tcp end }
local said, heard

server:spawn(function(os)
  local conn = os.tcp({ mss = 1024 }):bind(5678):listen(8):accept()
  conn:setopt("TCP_QUICKACK", false) -- an application that answers: the ACK may wait for its data
  said = conn:read()
  conn:write(("s"):rep(10))
  conn:read() -- end of file: half-closed
  os.sleep "100ms"
  conn:close()
end)
client:spawn(function(os)
  local sock = os.tcp():connect("server", 5678)
  os.sleep "1ms" -- the third segment of the handshake goes alone
  sock:write(("c"):rep(20))
  heard = sock:read()
  os.sleep "50ms"
  sock:shutdown "write"
  sock:read()
  sock:close()
end)
hs.note {
  en = "Client C has initial number 1000, server S has 8000. C sends 20 bytes, S answers with 10, C closes first.",
  zh = "客户端 C 的初始序号是 1000，服务器 S 的是 8000。C 发送 20 字节，S 应答 10 字节，C 先关闭。",
}
hs.run "1s"

local function row(p)
  local t, flags = p.tcp, {}
  if t.syn then flags[#flags + 1] = "SYN" end
  if t.fin then flags[#flags + 1] = "FIN" end
  if t.ack then flags[#flags + 1] = "ACK" end
  return { p.from == "client" and "C>S" or "S>C", table.concat(flags, " "), t.seq, t.len, t.ack and t.ackno or 0 }
end
local rows = {}
for i, frame in ipairs(seen) do
  rows[i] = row(frame.packet)
  print(string.format("    %2d  %s  %-7s  seq %5d (%d)  ack %d", i, table.unpack(rows[i])))
end
hs.expect_equal("ten segments", #rows, 10)
hs.expect_equal("1 to 3: the handshake; each SYN takes one number", { rows[1], rows[2], rows[3] },
  { { "C>S", "SYN", 1000, 0, 0 }, { "S>C", "SYN ACK", 8000, 0, 1001 }, { "C>S", "ACK", 1001, 0, 8001 } })
hs.expect_equal("4 to 6: bytes 1001 to 1020 there, 8001 to 8010 back, the data carrying the ACK", { rows[4], rows[5], rows[6] },
  { { "C>S", "ACK", 1001, 20, 8001 }, { "S>C", "ACK", 8001, 10, 1021 }, { "C>S", "ACK", 1021, 0, 8011 } })
hs.expect_equal("7 and 8: the client's FIN takes number 1021; half-closed", { rows[7], rows[8] },
  { { "C>S", "FIN ACK", 1021, 0, 8011 }, { "S>C", "ACK", 8011, 0, 1022 } })
hs.expect_equal("9 and 10: the server's FIN takes number 8011", { rows[9], rows[10] },
  { { "S>C", "FIN ACK", 8011, 0, 1022 }, { "C>S", "ACK", 1022, 0, 8012 } })
hs.expect_equal("the MSS options: 1460 of the client, 1024 of the server", { seen[1].packet.tcp.mss, seen[2].packet.tcp.mss }, { 1460, 1024 })
hs.expect_equal("and the applications got their bytes", { #said, #heard }, { 20, 10 })

hs.translate("zh", {
  ["ten segments"] = "十个报文段",
  ["1 to 3: the handshake; each SYN takes one number"] = "1 到 3：握手；每个 SYN 占用一个编号",
  ["4 to 6: bytes 1001 to 1020 there, 8001 to 8010 back, the data carrying the ACK"] = "4 到 6：过去的字节 1001 到 1020，回来的 8001 到 8010，数据携带 ACK",
  ["7 and 8: the client's FIN takes number 1021; half-closed"] = "7 和 8：客户端的 FIN 占用编号 1021；半关闭",
  ["9 and 10: the server's FIN takes number 8011"] = "9 和 10：服务器的 FIN 占用编号 8011",
  ["the MSS options: 1460 of the client, 1024 of the server"] = "MSS 选项：客户端 1460，服务器 1024",
  ["and the applications got their bytes"] = "应用程序得到了各自的字节",
})
