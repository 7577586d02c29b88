-- A spanning tree at work: which switch is the root, which port is closed, and what happens when a cable breaks.
--
--             core (priority 4096)
--            /    \
--        left ---- right        RSTP (IEEE 802.1D-2004): the bridge with the lowest identifier is the root; every other
--         |          |          one keeps its cheapest port to the root (root port); of what would close a loop, one port
--         a          b          discards. If the tree breaks, the closed port opens: in milliseconds, by a handshake.
--
-- With --set stp=legacy the same with the timers of 802.1D-1998: 30 s of silence, and up to 50 s.
local hs = require "hopscope"
local MODE = hs.param("stp", "rstp", "rstp or legacy")
hs.title { en = "A spanning tree at work", zh = "工作中的生成树" }

local core = hs.switch("core", { stp = MODE, priority = 4096 })
local left = hs.switch("left", { stp = MODE, priority = 8192 })
local right = hs.switch("right", { stp = MODE })
local a, b = hs.host "a", hs.host "b"
local cable = { rate = "1Gbps", delay = "5us" }
hs.link(core, left, cable)
local to_right = hs.link(core, right, cable)
hs.link(left, right, cable)
hs.link(a, left, cable)
hs.link(b, right, cable)

local zh = {
  root = "根端口", designated = "指定端口", alternate = "替代端口", backup = "备份端口", disabled = "禁用端口",
  discarding = "丢弃", learning = "学习", forwarding = "转发",
}
local function show()
  for _, s in ipairs { core, left, right } do
    for _, p in ipairs(s:ports()) do
      if p.role ~= "designated" or s == core then
        local role, state = { en = p.role, zh = zh[p.role] }, { en = p.state, zh = zh[p.state] }
        hs.log({ en = "%-6s %s %-10s %s", zh = "%s %s %s，%s" }, s.name, p.name, role, state)
      end
    end
  end
end

hs.note {
  en = "The switches start. Each believes to be the root, until it hears of a better one.",
  zh = "交换机启动。每台都以为自己是根，直到听说有更好的。",
}
hs.run(MODE == "rstp" and "10s" or "60s")
show()
hs.expect("core is the root: it has the lowest priority value", core:stp().is_root)
hs.expect_equal("left's root port leads to core", left:port(core).role, "root")
hs.expect_equal("right's, too", right:port(core).role, "root")
hs.expect_equal("the cable across would close a loop: right, the worse bridge, keeps it closed",
  { right:port(left).role, right:port(left).state }, { "alternate", "discarding" })
-- 1 Gbit/s costs 20000 (802.1D-2004 table 17-3).
hs.expect_equal("each is one cable of 1 Gbit/s away from the root", { left:stp().root_cost, right:stp().root_cost }, { 20000, 20000 })
hs.expect_equal("a reaches b", a:ping("b", { count = 3, interval = "10ms" }).received, 3)

hs.note {
  en = "While a pings b every millisecond, the cable from core to right breaks.",
  zh = "a 每毫秒 ping 一次 b 的同时，从 core 到 right 的电缆断了。",
}
local answers, last, gap = 0, nil, 0
hs.on("frame.rx", function(e)
  if not (e.packet.icmp and e.packet.icmp.type == 0) then return end
  answers = answers + 1
  if last then gap = math.max(gap, e.time - last) end
  last = e.time
end, { node = a })
local SECONDS = MODE == "rstp" and 2 or 80
local result
a:spawn(function(os) result = os.ping("b", { count = SECONDS * 1000, interval = "1ms", timeout = "1s" }) end)
hs.run "500ms"
to_right:down()
hs.run(SECONDS + 2)
show()
hs.expect_equal("right goes by way of left now", right:port(left).role, "root")
hs.expect_equal("and its port forwards", right:port(left).state, "forwarding")
hs.expect_equal("the root is two cables away", right:stp().root_cost, 40000)
hs.log({
  en = "answers: %d of %d; longest silence: %.4f s",
  zh = "应答：%d 次（共 %d 次）；最长的沉默：%.4f s",
}, answers, SECONDS * 1000, gap)
if MODE == "rstp" then
  hs.expect("the alternate port has taken over within ten milliseconds", gap < 0.010, gap)
  hs.expect("hardly a ping was lost", answers >= SECONDS * 1000 - 10, answers)
else
  hs.expect_between("listening and learning: twice the forward delay of 15 s", gap, 29.9, 31)
end

hs.note {
  en = "The cable is repaired. The tree goes back to the shorter way, and the port across closes again.",
  zh = "电缆修好了。生成树回到较短的路，横向的端口重新关闭。",
}
to_right:up()
hs.run(MODE == "rstp" and "5s" or "60s")
show()
hs.expect_equal("right's root port leads to core again", right:port(core).role, "root")
hs.expect_equal("the cable across is closed again", right:port(left).state, "discarding")
hs.expect_equal("a reaches b", a:ping("b", { count = 3, interval = "10ms" }).received, 3)

hs.translate("zh", {
  ["core is the root: it has the lowest priority value"] = "core 是根：它的优先级数值最小",
  ["left's root port leads to core"] = "left 的根端口通往 core",
  ["right's, too"] = "right 的也是",
  ["the cable across would close a loop: right, the worse bridge, keeps it closed"] = "横向的电缆会形成环路：right 是较差的网桥，由它保持关闭",
  ["each is one cable of 1 Gbit/s away from the root"] = "两台离根都是一条 1 Gbit/s 的电缆",
  ["a reaches b"] = "a 能到达 b",
  ["right goes by way of left now"] = "right 现在经由 left",
  ["and its port forwards"] = "它的端口在转发",
  ["the root is two cables away"] = "离根有两条电缆",
  ["the alternate port has taken over within ten milliseconds"] = "替代端口在十毫秒之内接替",
  ["hardly a ping was lost"] = "几乎没有 ping 丢失",
  ["right's root port leads to core again"] = "right 的根端口又通往 core",
  ["the cable across is closed again"] = "横向的电缆又关闭了",
})
