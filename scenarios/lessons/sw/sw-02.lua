-- SW-02  Learning.
-- A switch is told nothing: it reads the SOURCE address of every frame, whatever the frame is, and notes the port it came
-- in by (IEEE 802.1D clause 7.8). One frame from a is enough; it need not be an answer to anything. When a moves, its next
-- frame moves the entry; until then the old entry leads frames astray.
local hs = require "hopscope"
hs.title { en = "SW-02 Learning", zh = "SW-02 学习" }

--   a ──┐                          (a moves from west to east)
--       west ──── core ──── east ──── b
--   c ──┘           └── d
local core, west, east = hs.switch "core", hs.switch "west", hs.switch "east"
local a, b, c, d = hs.host "a", hs.host "b", hs.host "c", hs.host "d"
local fast = { rate = "1Gbps", delay = "1us" }
local cable = hs.link(a, west, fast)
local to_b = hs.link(b, east, fast)
local to_c = hs.link(c, west, fast)
local to_d = hs.link(d, core, fast)
hs.link(west, core, fast)
hs.link(core, east, fast)

local function mac_bytes(text) return (text:gsub("(%x%x):?", function(x) return string.char(tonumber(x, 16)) end)) end
-- A frame of an experimental EtherType, so that nothing answers it and no ARP is in the way.
local function frame(from, to)
  from:raw():send(mac_bytes(to:dev().mac) .. mac_bytes(from:dev().mac) .. "\x88\xb5" .. ("x"):rep(46))
  hs.run "1ms"
end
-- Frames that came down the cable to a host since the last time it was asked.
local before = {}
local function arrived(link, host)
  local n = link:dev(host):stats().rx_packets + link:dev(host):stats().rx_not_for_me
  local new = n - (before[host.name] or 0)
  before[host.name] = n
  return new
end
local function arrivals() return { a = arrived(cable, a), c = arrived(to_c, c), d = arrived(to_d, d) } end

hs.note {
  en = "All tables are empty. a sends one frame to b, who has never spoken: it goes everywhere, but the switches now know a.",
  zh = "所有的表都是空的。a 向从未说过话的 b 发送一个帧：它去往各处，但交换机们现在认识了 a。",
}
hs.expect_equal("at first no switch knows anybody", { #core:macs(), #west:macs(), #east:macs() }, { 0, 0, 0 })
frame(a, b)
hs.expect_equal("core has learnt a from a frame that nobody answered", core:lookup(a:dev().mac), core:port(west).name)
hs.expect_equal("and so has west, at its own port", west:lookup(a:dev().mac), west:port(a).name)
arrivals()

hs.note { en = "b sends to a. The frame leaves only the ports on the way to a.", zh = "b 向 a 发送。帧只从通往 a 的端口离开。" }
frame(b, a)
hs.expect_equal("traffic to a leaves only a's port: c and d hear nothing", arrivals(), { a = 1, c = 0, d = 0 })

hs.note {
  en = "a is carried over to the switch east. West feels that the cable is gone and forgets; core feels nothing.",
  zh = "a 被搬到交换机 east 那里。west 感觉到电缆不在了，就忘掉；core 什么也没有感觉到。",
}
cable:unplug()
cable:plug(west, east)
hs.expect_equal("west has forgotten a with its cable", west:lookup(a:dev().mac), nil)
hs.expect_equal("core still believes that a is in the west", core:lookup(a:dev().mac), core:port(west).name)
frame(d, a)
hs.expect_equal("a frame from d follows the old entry and misses a", arrivals(), { a = 0, c = 1, d = 0 })

hs.note {
  en = "a speaks to b, next to it: east already knows b, so core does not even hear of it. Only a frame that passes core teaches core.",
  zh = "a 对身旁的 b 说话：east 已经认识 b，所以 core 甚至没有听到。只有经过 core 的帧才能教给 core。",
}
frame(a, b)
hs.expect_equal("east has learnt a at its new port", east:lookup(a:dev().mac), east:port(a).name)
hs.expect_equal("core has not heard from a", core:lookup(a:dev().mac), core:port(west).name)

hs.note { en = "One frame from a to d, and core is right again.", zh = "从 a 到 d 一个帧，core 又正确了。" }
frame(a, d)
hs.expect_equal("core has moved the entry", core:lookup(a:dev().mac), core:port(east).name)
hs.expect_equal("exactly one entry was moved there", core:stats().moved, 1)
arrivals()
frame(d, a)
hs.expect_equal("traffic to a leaves only the new port", arrivals(), { a = 1, c = 0, d = 0 })

hs.translate("zh", {
  ["at first no switch knows anybody"] = "起初交换机谁也不认识",
  ["core has learnt a from a frame that nobody answered"] = "core 从一个没有人应答的帧学到了 a",
  ["and so has west, at its own port"] = "west 也是，在它自己的端口",
  ["traffic to a leaves only a's port: c and d hear nothing"] = "给 a 的通信只从 a 的端口离开：c 和 d 听不到",
  ["west has forgotten a with its cable"] = "west 随着电缆忘掉了 a",
  ["core still believes that a is in the west"] = "core 仍然相信 a 在西边",
  ["a frame from d follows the old entry and misses a"] = "来自 d 的帧按旧表项走，错过了 a",
  ["east has learnt a at its new port"] = "east 在新端口学到了 a",
  ["core has not heard from a"] = "core 没有听到 a",
  ["core has moved the entry"] = "core 移动了表项",
  ["exactly one entry was moved there"] = "那里正好移动了一个表项",
  ["traffic to a leaves only the new port"] = "给 a 的通信只从新端口离开",
})
