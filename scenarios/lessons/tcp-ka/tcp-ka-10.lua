-- TCP-KA-10  Cable out, data, cable back soon.
-- Unplugging a cable changes nothing in TCP: there is no segment that says so. The sender goes on repeating, and when the cable is back,
-- the next repetition arrives and the transfer goes on. The stall is as long as the break, rounded up to the next retransmission.
-- tshark-allow: D-SACK Sequence (the loss probe has sent the last segment twice)
-- tshark-allow: Previous segment(s) not captured (those that met no cable)
-- tshark-allow: This frame is a (suspected) out-of-order segment (repetitions long after the original)
local hs = require "hopscope"
hs.title { en = "TCP-KA-10 Cable out, data, cable back soon", zh = "TCP-KA-10 拔线，数据，很快又插上" }

local client, server, sw = hs.host "client", hs.host "server", hs.switch "sw"
local cable = hs.link(client, sw, { rate = "10Mbps", delay = "5ms" })
hs.link(server, sw, { rate = "10Mbps", delay = "5ms" })
server:arp_set(client, client:dev().mac)

-- The client's cable is out for `time` seconds in the midst of a transfer of 1 MB. Returns the stall, and how long after the cable was back
-- it ended.
local port = 5000
local function unplug(time)
  port = port + 1
  local here, out = port, nil
  local sink = client:tcp_sink(here)
  local source = server:tcp_source { to = client, port = here, bytes = "1MB" }
  local repeats, arrivals = {}, {}
  local w1 = hs.on("tcp.retransmit", function(e) if out and not out.back then repeats[#repeats + 1] = e.time end end, { node = server })
  local w2 = hs.on("tcp.retransmit", function(e) if out and out.back then out.next = out.next or e.time end end, { node = server })
  local w3 = hs.on("frame.rx", function(e)
    if e.packet.tcp and e.packet.tcp.len > 0 and out and out.back and not out.first then out.first = e.time end
  end, { node = client })
  hs.run "400ms"
  local conn_states = { #client:sockets "ESTABLISHED", #server:sockets "ESTABLISHED" }
  cable:down()
  out = { at = hs.now() }
  hs.run(time)
  local still = { #client:sockets "ESTABLISHED", #server:sockets "ESTABLISHED" }
  cable:up()
  out.back = hs.now()
  hs.run "300s"
  for _, w in ipairs { w1, w2, w3 } do w:cancel() end
  local waits = {}
  for i, t in ipairs(repeats) do waits[i] = string.format("%.3g", t - out.at) end
  hs.note({
    en = "Out for %g s: repetitions in vain after %s s; the cable is back; next repetition after %.4g s",
    zh = "拔下 %g s：%s s 之后的重传都是徒劳；电缆插回；再过 %.4g s 是下一次重传",
  }, time, table.concat(waits, ", "), out.next - out.at)
  hs.expect_equal("unplugging changes no TCP state", still, conn_states)
  hs.expect_equal("the transfer completes, every byte right", { sink:stats().bytes, sink:stats().wrong_bytes }, { 1000000, 0 })
  hs.expect_equal("no error", source:stats().error, nil)
  hs.expect("it goes on with the first retransmission after the cable is back", out.first > out.next and out.first < out.next + 0.013, out.first - out.next)
  local last = repeats[#repeats]
  -- the wait doubles: the next one is not longer than twice the last before it
  hs.expect("the stall ends at the next retransmission: less than twice the time out, and one first timeout", out.first - out.at < 2 * time + 0.5, out.first - out.at)
  hs.expect("while it was out, repetitions went in vain", last and last < out.back, last)
end
unplug(1)
unplug(10)
unplug(100)

hs.translate("zh", {
  ["unplugging changes no TCP state"] = "拔线不改变 TCP 的任何状态",
  ["the transfer completes, every byte right"] = "传送完成，每个字节都正确",
  ["no error"] = "没有错误",
  ["it goes on with the first retransmission after the cable is back"] = "电缆插回后的第一次重传使它继续",
  ["the stall ends at the next retransmission: less than twice the time out, and one first timeout"] = "停顿在下一次重传时结束：不到断线时间的两倍再加一次最初的超时",
  ["while it was out, repetitions went in vain"] = "断线期间，重传都是徒劳",
})
