-- HEX-06  Ten bytes, open to close.
-- The shortest complete life of a connection: three segments to open, one of data and its ACK, four to close (RFC 9293 3.5, 3.6). With c and
-- s for the two initial numbers, which are as random as RFC 6528 wants them, everything else follows.
local hs = require "hopscope"
hs.title { en = "HEX-06 Ten bytes, open to close", zh = "HEX-06 十个字节，从打开到关闭" }

local client, server = hs.host "client", hs.host "server"
hs.link(client, server, { delay = "10ms" })

local seen, got = hs.frames { filter = function(p) return p.tcp end }, nil
server:spawn(function(os)
  local conn = os.tcp():bind(5678):listen(8):accept()
  got = conn:read()
  conn:read() -- end of file
  os.sleep "100ms" -- its own close comes later: the ACK of the FIN goes alone
  conn:close()
end)
client:spawn(function(os)
  local sock = os.tcp():connect("server", 5678)
  os.sleep "1ms"
  sock:write "0123456789"
  os.sleep "100ms"
  sock:close()
end)
hs.note {
  en = "The client opens, sends ten bytes, and closes. The server closes a little later.",
  zh = "客户端打开连接，发送十个字节，然后关闭。服务器稍后关闭。",
}
hs.run "1s"

local c, s = seen[1].packet.tcp.seq, seen[2].packet.tcp.seq
local function relative(n, base, name)
  local d = (n - base) & 0xffffffff
  return d == 0 and name or name .. "+" .. d
end
local rows = {}
for i, frame in ipairs(seen) do
  local t, out = frame.packet.tcp, frame.from == "client"
  local flags = (t.syn and "SYN " or "") .. (t.fin and "FIN " or "") .. (t.psh and "PSH " or "") .. (t.ack and "ACK" or "")
  rows[i] = { out and "C>S" or "S>C", (flags:gsub(" $", "")), relative(t.seq, out and c or s, out and "c" or "s"), t.len,
    t.ack and relative(t.ackno, out and s or c, out and "s" or "c") or "" }
  print(string.format("    %d  %s  %-7s  seq %-4s (%2d)  ack %s", i, table.unpack(rows[i])))
end
hs.expect_equal("nine segments", rows, {
  { "C>S", "SYN", "c", 0, "" },
  { "S>C", "SYN ACK", "s", 0, "c+1" },
  { "C>S", "ACK", "c+1", 0, "s+1" },
  { "C>S", "PSH ACK", "c+1", 10, "s+1" },
  { "S>C", "ACK", "s+1", 0, "c+11" },
  { "C>S", "FIN ACK", "c+11", 0, "s+1" },
  { "S>C", "ACK", "s+1", 0, "c+12" },
  { "S>C", "FIN ACK", "s+1", 0, "c+12" },
  { "C>S", "ACK", "c+12", 0, "s+2" },
})
hs.expect_equal("the ten bytes arrived", got, "0123456789")

hs.translate("zh", {
  ["nine segments"] = "九个报文段",
  ["the ten bytes arrived"] = "十个字节到达了",
})
