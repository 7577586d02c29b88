-- ARP-04  Cache expiry.
-- An entry must not live for ever: the neighbour may have got another card. The classic cache (BSD) forgets an entry that was
-- not used for 20 minutes and asks again. Linux is more careful: an entry is REACHABLE for 15 to 45 s (30 s on average), then
-- STALE: still used at once, but its use starts a check: after 5 s without a sign of life a question to that address alone.
local hs = require "hopscope"
hs.title { en = "ARP-04 Cache expiry", zh = "ARP-04 缓存表项到期" }

local classic = { sysctl = { ["net.ipv4.neigh.default.hopscope_lifetime_ms"] = 1200000 } } -- 20 minutes
local a, b = hs.host("a", classic), hs.host("b", classic)
local c, d = hs.host "c", hs.host "d"
local old = hs.link(a, b, { delay = "1ms", rate = "100Mbps" })
local new = hs.link(c, d, { delay = "1ms", rate = "100Mbps" })
b:udp { port = 9 }
d:udp { port = 9 }

local asked, linux = hs.frames { link = old, filter = function(p) return p.arp and p.arp.op == 1 end },
  hs.frames { link = new, filter = function(p) return p.arp and p.arp.op == 1 end }
local states = {}
hs.on("neigh.state", function(e) states[#states + 1] = e end, { node = c })


local a_sock, c_sock = a:udp(), c:udp()
a_sock:sendto("first", "b", 9)
hs.run "10s"
a_sock:sendto("used again", "b", 9) -- from here on the entry idles
hs.note {
  en = "10 s: a has used its entry for b. Now nothing is sent for 19 minutes and 59 seconds.",
  zh = "10 s：a 使用了它为 b 保存的表项。现在有 19 分 59 秒什么也不发送。",
}
hs.run(19 * 60 + 59)
hs.expect_equal("after 19:59 the entry is still there", a:arp("b").state, "REACHABLE")
a_sock:sendto("after 19:59", "b", 9)
hs.run "0s"
hs.note {
  en = "The datagram left at once, without a question. Using the entry has renewed it: 20 minutes begin anew.",
  zh = "数据报立刻发出，没有询问。使用这个表项使它得到更新：20 分钟重新开始计算。",
}
hs.expect_equal("after 19:59 of silence a packet uses the cache: still the one request of the beginning", #asked, 1)

local idle_since = hs.now()
hs.run(20 * 60 + 1)
hs.expect_equal("after 20:01 the entry is forgotten", a:arp("b").state, "NONE")
a_sock:sendto("after 20:01", "b", 9)
hs.run "1s"
hs.note {
  en = "After 20 minutes and one second the entry was gone: the datagram had to wait for a new question and its answer.",
  zh = "20 分零一秒之后表项已经没有了：数据报必须等待新的询问和应答。",
}
hs.expect_equal("after 20:01 of silence a packet triggers a request", #asked, 2)
hs.expect_equal("at once", asked[2].time, idle_since + 1201)
hs.expect_equal("to everybody", asked[2].packet.eth.dst, "ff:ff:ff:ff:ff:ff")

hs.note {
  en = "Now the same with the cache of Linux, on the second link: c sends to d, and again after a minute of silence.",
  zh = "现在在第二条链路上用 Linux 的缓存做同样的事：c 向 d 发送，沉默一分钟之后再发送一次。",
}
local start = hs.now()
c_sock:sendto("first", "d", 9)
hs.run "60s"
c_sock:sendto("after a minute", "d", 9)
hs.expect_equal("the entry is stale after a minute, but used at once, without a question", #linux, 1)
hs.expect_equal("its use starts the clock of the check", c:arp("d").state, "DELAY")
hs.run "10s"

for _, e in ipairs(states) do
  print(string.format("    %12.6f s  %s: %s -> %s", e.due - start, e.ip, e.old, e.new))
end
local way = { "NONE -> INCOMPLETE", "INCOMPLETE -> REACHABLE", "REACHABLE -> STALE", "STALE -> DELAY", "DELAY -> PROBE",
              "PROBE -> REACHABLE" }
local went = {}
for i, e in ipairs(states) do went[i] = e.old .. " -> " .. e.new end
hs.expect_equal("the states of a Linux entry", went, way)
hs.expect_between("REACHABLE lasts 15 to 45 s, drawn at random", states[3].due - states[2].time, 15, 45)
hs.expect_near("the check begins 5 s after the use", states[5].time - states[4].time, "5s", "1ns")
hs.expect_equal("it is one more request", #linux, 2)
hs.expect_equal("to the known MAC address alone: no broadcast", linux[2].packet.eth.dst, d:dev().mac)
hs.note {
  en = "d answered the unicast question: the entry is REACHABLE again, and nobody else on the link was disturbed.",
  zh = "d 应答了单播的询问：表项重新成为 REACHABLE，链路上没有别人受到打扰。",
}

hs.translate("zh", {
  ["after 19:59 the entry is still there"] = "19:59 之后表项还在",
  ["after 19:59 of silence a packet uses the cache: still the one request of the beginning"] = "沉默 19:59 之后，分组使用缓存：仍只有开头的那一个请求",
  ["after 20:01 the entry is forgotten"] = "20:01 之后表项被忘记",
  ["after 20:01 of silence a packet triggers a request"] = "沉默 20:01 之后，分组引发一个请求",
  ["at once"] = "立刻",
  ["to everybody"] = "发给所有人",
  ["the entry is stale after a minute, but used at once, without a question"] = "一分钟之后表项已经陈旧，但立刻使用，没有询问",
  ["its use starts the clock of the check"] = "它的使用启动了检查的计时",
  ["the states of a Linux entry"] = "Linux 表项的各个状态",
  ["REACHABLE lasts 15 to 45 s, drawn at random"] = "REACHABLE 持续 15 到 45 s，随机抽取",
  ["the check begins 5 s after the use"] = "检查在使用之后 5 s 开始",
  ["it is one more request"] = "它是又一个请求",
  ["to the known MAC address alone: no broadcast"] = "只发往已知的 MAC 地址：没有广播",
})
