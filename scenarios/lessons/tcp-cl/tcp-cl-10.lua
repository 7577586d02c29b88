-- TCP-CL-10  Fourth segment (last ACK) lost.
-- The last ACK is the one for which nobody waits but the peer. If it is lost, the peer repeats its FIN from LAST-ACK; the closer answers from
-- TIME-WAIT, which therefore has to last, and starts its 60 s anew (RFC 9293 3.10.7.4). If every ACK is lost, the peer gives up in the end:
-- it is an orphan, tcp_orphan_retries counts.
local hs = require "hopscope"
hs.title { en = "TCP-CL-10 Fourth segment (last ACK) lost", zh = "TCP-CL-10 第四个报文段（最后的 ACK）丢失" }

local client, server = hs.host "client", hs.host "server"
local link = hs.link(client, server, { delay = "10ms" })

-- `drop` of the client's ACKs to the server's FIN are lost.
local function close(port, drop)
  local r = { fins = {}, came = {}, acks = 0, times = {} }
  local watch = hs.on("frame.tx", function(e)
    local tcp = e.packet.tcp
    if not tcp or (tcp.sport ~= port and tcp.dport ~= port) then return end
    if tcp.fin and e.node == "server" then r.fins[#r.fins + 1] = e.time end
    if e.node == "client" and #r.fins > 0 then r.acks = r.acks + 1 end
  end)
  local arrive = hs.on("frame.rx", function(e)
    local tcp = e.packet.tcp
    if tcp and tcp.fin and tcp.sport == port then r.came[#r.came + 1] = e.time end
  end, { node = client })
  local states = hs.on("tcp.state", function(e)
    if e.remote_port == port or e.local_port == port and e.remote_port ~= 0 then r.times[e.node .. " " .. e.new] = e.time end
  end)
  local lost = 0
  link:dir(client):rule(function(p)
    if p.tcp and #r.fins > 0 and lost < drop then
      lost = lost + 1
      return "drop"
    end
  end)
  server:spawn(function(os)
    local conn = os.tcp():bind(port):listen(8):accept()
    conn:read()
    os.sleep "100ms"
    conn:close()
  end)
  client:spawn(function(os)
    os.sleep "1ms"
    local conn = os.tcp():connect("server", port)
    os.sleep "100ms"
    conn:close()
  end)
  hs.run "400s"
  watch:cancel()
  arrive:cancel()
  states:cancel()
  link:rule(nil)
  return r
end

local none = close(5000, 0)
hs.expect_equal("nothing lost: one FIN, one ACK", { #none.fins, none.acks }, { 1, 1 })
hs.expect_near("TIME-WAIT lasts 60 s", none.times["client CLOSED"] - none.times["client TIME-WAIT"], "60s", 0)

local once = close(5001, 1)
hs.note({
  en = "The ACK is lost once: the server's FINs come %.3f s apart; TIME-WAIT ends %.3f s after it began.",
  zh = "ACK 丢失一次：服务器的两个 FIN 相隔 %.3f s；TIME-WAIT 在开始 %.3f s 之后结束。",
}, once.came[2] - once.came[1], once.times["client CLOSED"] - once.times["client TIME-WAIT"])
hs.expect_equal("one loss: a second FIN, a second ACK", { #once.fins, once.acks }, { 2, 2 })
hs.expect_near("it began with the first FIN", once.times["client TIME-WAIT"], once.came[1], 1e-9)
hs.expect_near("and ends 60 s after the last", once.times["client CLOSED"] - once.came[2], "60s", 1e-9)
hs.expect_near("the server is CLOSED when the second ACK has come", once.times["server CLOSED"] - once.came[2], "10ms", 1e-9)

server:sysctl("net.ipv4.tcp_orphan_retries", 3)
local all = close(5002, 1000)
hs.note({
  en = "Every ACK is lost, tcp_orphan_retries is 3: %d FINs, then the server is CLOSED as well, %.2f s after the last.",
  zh = "每个 ACK 都丢失，tcp_orphan_retries 为 3：共 %d 个 FIN，之后服务器也进入 CLOSED，在最后一个 FIN 之后 %.2f s。",
}, #all.fins, all.times["server CLOSED"] - all.fins[#all.fins])
-- the first FIN, the tail loss probe, and three timeouts
hs.expect_equal("all lost: FINs up to the limit", #all.fins, 1 + 1 + 3)
hs.expect("one further wait, twice the last, then CLOSED",
  math.abs((all.times["server CLOSED"] - all.fins[5]) - 2 * (all.fins[5] - all.fins[4])) < 0.03, all.times["server CLOSED"])
hs.expect_near("TIME-WAIT ends 60 s after the last FIN", all.times["client CLOSED"] - all.came[#all.came], "60s", 1e-9)

hs.translate("zh", {
  ["nothing lost: one FIN, one ACK"] = "没有丢失：一个 FIN，一个 ACK",
  ["TIME-WAIT lasts 60 s"] = "TIME-WAIT 持续 60 s",
  ["one loss: a second FIN, a second ACK"] = "丢失一次：第二个 FIN，第二个 ACK",
  ["it began with the first FIN"] = "它从第一个 FIN 开始",
  ["and ends 60 s after the last"] = "在最后一个之后 60 s 结束",
  ["the server is CLOSED when the second ACK has come"] = "第二个 ACK 到来时服务器进入 CLOSED",
  ["all lost: FINs up to the limit"] = "全部丢失：FIN 发到上限为止",
  ["one further wait, twice the last, then CLOSED"] = "再等待一次，是最后一次的两倍，然后 CLOSED",
  ["TIME-WAIT ends 60 s after the last FIN"] = "TIME-WAIT 在最后一个 FIN 之后 60 s 结束",
})
