-- TCP-TW-10  tcp_max_tw_buckets.
-- A limit for the number of connections in TIME-WAIT, against lack of memory. Beyond it a connection that closes skips the wait and is forgotten at
-- once (Linux tcp_time_wait, counter TCPTimeWaitOverflow): what TIME-WAIT protects from becomes possible for it.
-- tshark-allow: Connection reset (RST) (old segments may find no connection)
local hs = require "hopscope"
hs.title { en = "TCP-TW-10 tcp_max_tw_buckets", zh = "TCP-TW-10 tcp_max_tw_buckets" }

local K = 2
local client, server = hs.host "client", hs.host "server"
local link = hs.link(client, server, { delay = "10ms" })
client:sysctl("net.ipv4.tcp_max_tw_buckets", K)
for _, h in ipairs { client, server } do
  h:sysctl("net.ipv4.tcp_timestamps", 0)
  h:sysctl("hopscope.tcp_isn", 2)         -- always the same initial sequence number, so that old segments fit
  h:sysctl("hopscope.tcp_isn_fixed", 999)
end
client:ping("server", { count = 1 })
-- Each first connection's data segment is duplicated, and the copy takes 10 s.
local copied = {}
link:dir(client):rule(function(p)
  if p.tcp and p.tcp.data_len > 0 and not copied[p.tcp.sport] then
    copied[p.tcp.sport] = true
    return { "duplicate", gap = "10s" }
  end
end)
local last, read = {}, {}
hs.on("tcp.state", function(e)
  if e.old == "FIN-WAIT-1" then last[e.local_port] = last[e.local_port] or { e.old, e.new } end -- of the first connection
end, { node = client })
server:spawn(function(os)
  local listener = os.tcp():bind(5000):listen(8)
  while true do
    local conn, _, port = listener:accept()
    read[port] = read[port] or {}
    local n = #read[port] + 1
    read[port][n] = ""
    conn:on_data(function(c, data)
      if data then read[port][n] = read[port][n] .. data else c:close() end
    end)
  end
end)
local again = {}
client:spawn(function(os)
  hs.note { en = "Three connections are opened and closed, one after the other; two may wait.", zh = "三条连接先后打开又关闭；可以有两条等待。" }
  for i = 1, K + 1 do
    local conn = os.tcp({ reuseaddr = true }):bind(6000 + i):connect("server", 5000)
    conn:write("old data of " .. 6000 + i)
    os.sleep "100ms"
    conn:close()
    os.sleep "100ms"
  end
  hs.note { en = "The same ports again.", zh = "同样的端口再来一次。" }
  for i = 1, K + 1 do
    local sock = os.tcp({ reuseaddr = true }):bind(6000 + i)
    local conn, err = sock:connect("server", 5000)
    again[i] = conn and "connected" or err
  end
  os.sleep "30s"
end)
hs.run "3s"
hs.expect_equal("the first two go to TIME-WAIT", { last[6001], last[6002], #client:sockets "TIME-WAIT" },
  { { "FIN-WAIT-1", "TIME-WAIT" }, { "FIN-WAIT-1", "TIME-WAIT" }, K })
hs.expect_equal("the (k+1)-th goes straight to CLOSED", last[6003], { "FIN-WAIT-1", "CLOSED" })
hs.expect_equal("counted", client:counter "TcpExtTCPTimeWaitOverflow", 1)
hs.run "20s"
hs.note({
  en = "Again: %s. The new connection from port 6003 has delivered \"%s\".",
  zh = "再来一次：%s。从端口 6003 来的新连接交付了“%s”。",
}, { en = table.concat(again, ", "), zh = (table.concat(again, "、"):gsub("connected", "已连接")) }, read[6003][2])
hs.expect_equal("the waiting four-tuples are protected, the other is not", again, { "EADDRNOTAVAIL", "EADDRNOTAVAIL", "connected" })
hs.expect_equal("TCP-TW-02 has happened: the new connection delivers old data", read[6003], { "old data of 6003", "old data of 6003" })
hs.expect_equal("not so the others", { #read[6001], #read[6002] }, { 1, 1 })

hs.translate("zh", {
  ["the first two go to TIME-WAIT"] = "前两条进入 TIME-WAIT",
  ["the (k+1)-th goes straight to CLOSED"] = "第 (k+1) 条直接进入 CLOSED",
  ["counted"] = "已被计数",
  ["the waiting four-tuples are protected, the other is not"] = "等待中的四元组受到保护，另一个则没有",
  ["TCP-TW-02 has happened: the new connection delivers old data"] = "TCP-TW-02 的事发生了：新连接交付了旧数据",
  ["not so the others"] = "其他的则没有",
})
