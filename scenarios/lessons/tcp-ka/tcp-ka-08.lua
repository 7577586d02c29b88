-- TCP-KA-08  Host crash, fast reboot, data in flight.
-- The server has sent data when the client's power fails; nobody acknowledges. The client is back soon, but remembers nothing: the first
-- retransmission that reaches it belongs to no connection and is answered with RST (RFC 9293 3.10.7.1).
-- tshark-allow: Connection reset (RST) (that is what the lesson is about)
local hs = require "hopscope"
hs.title { en = "TCP-KA-08 Host crash, fast reboot, data in flight", zh = "TCP-KA-08 主机崩溃并很快重启，数据在途" }

local client, server, sw = hs.host "client", hs.host "server", hs.switch "sw" -- so that the server's own cable stays good
hs.link(client, sw, { delay = "5ms" })
local link = hs.link(server, sw, { delay = "5ms" })
server:arp_set(client, client:dev().mac)

local result
server:spawn(function(os)
  local conn = os.tcp():bind(5000):listen(8):accept()
  os.sleep "1s"
  conn:write "data for the client"
  local data, err = conn:read()
  result = { data, err, hs.now() }
end)
client:spawn(function(os)
  os.tcp():connect("server", 5000):read()
end)
hs.run "1s"
local frames = hs.frames { link = link, filter = function(p) return p.tcp end }
client:power(false)
hs.note { en = "The client has lost its power, just before the server sends.", zh = "客户端断了电，正好在服务器发送之前。" }
local OFF = 2
hs.run(OFF)
local rebooted = hs.now()
client:power(true)
client:arp_set(server, server:dev().mac)
hs.note { en = "The client has booted.", zh = "客户端已经启动。" }
hs.run "60s"
local sends, before, reset = {}, 0, nil
for _, f in ipairs(frames) do
  if f.packet.tcp.rst then
    reset = f
  else
    sends[#sends + 1] = f.time
    if f.time < rebooted then before = before + 1 end
  end
end
for i, t in ipairs(sends) do hs.note({ en = "%.3f s: %s", zh = "%.3f s：%s" }, t - sends[1], i == 1 and { en = "the data", zh = "数据" } or { en = "the data again", zh = "再次发送数据" }) end
hs.note({ en = "%.3f s: RST", zh = "%.3f s：RST" }, reset.time - sends[1])
hs.expect("some retransmissions met a dead host", before >= 2, before)
hs.expect_equal("the first one after the reboot is the last", #sends, before + 1)
hs.expect_near("its answer is a RST: back at the switch after three cables of 5 ms", reset.time - sends[#sends], "15ms", "10us")
hs.expect_equal("with the number that the retransmission acknowledges: the server believes it", { reset.packet.tcp.seq, reset.packet.tcp.ack },
  { frames[1].packet.tcp.ackno, false })
hs.expect_equal("read says", { result[1], result[2] }, { nil, "ECONNRESET" })
hs.expect_near("one round trip after the retransmission", result[3] - sends[#sends], "20ms", "10us")

hs.translate("zh", {
  ["some retransmissions met a dead host"] = "有些重传遇到的是停机的主机",
  ["the first one after the reboot is the last"] = "重启之后的第一次重传就是最后一次",
  ["its answer is a RST: back at the switch after three cables of 5 ms"] = "对它的应答是 RST：经过三条 5 ms 的电缆回到交换机",
  ["with the number that the retransmission acknowledges: the server believes it"] = "编号是重传所确认的：服务器相信它",
  ["read says"] = "read 返回",
  ["one round trip after the retransmission"] = "在重传之后一个往返",
})
