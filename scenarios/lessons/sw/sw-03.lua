-- SW-03  Unknown destination flooding.
-- A frame for an address that is not in the table goes out of every port except the one it came from (IEEE 802.1D clause
-- 7.7): the owner is behind one of them. All the others' cards throw their copy away. As soon as the owner has said
-- anything, the table knows its port and one copy is enough; once it has been silent for too long, all begins anew.
local hs = require "hopscope"
hs.title { en = "SW-03 Unknown destination flooding", zh = "SW-03 未知目的地的泛洪" }

local PORTS = 5
local switch = hs.switch "switch"
local hosts = {}
for i, name in ipairs { "a", "b", "c", "d", "e" } do
  hosts[i] = hs.host(name)
  hs.link(hosts[i], switch, { rate = "100Mbps", delay = "1us" })
end
local a, b, c, d, e = table.unpack(hosts)

local function mac_bytes(text) return (text:gsub("(%x%x):?", function(x) return string.char(tonumber(x, 16)) end)) end
local function frame(from, to)
  from:raw():send(mac_bytes(to:dev().mac) .. mac_bytes(from:dev().mac) .. "\x88\xb5" .. ("x"):rep(46))
end

local copies, kept, refused = 0, {}, {}
hs.on("frame.tx", function() copies = copies + 1 end, { node = switch })
local function look()
  local seen = { copies = copies, kept = {}, refused = {} }
  for _, h in ipairs(hosts) do
    local s = h:dev():stats()
    if s.rx_packets > (kept[h.name] or 0) then table.insert(seen.kept, h.name) end
    if s.rx_not_for_me > (refused[h.name] or 0) then table.insert(seen.refused, h.name) end
    kept[h.name], refused[h.name] = s.rx_packets, s.rx_not_for_me
  end
  copies = 0
  return seen
end

hs.note {
  en = "a sends to b, who never spoke. The switch cannot know where b is: it sends a copy out of all ports but a's.",
  zh = "a 向从未说过话的 b 发送。交换机无从知道 b 在哪里：它从除 a 之外的所有端口各送出一份副本。",
}
frame(a, b)
hs.run "1ms"
hs.expect_equal("ports - 1 copies; b keeps its copy, the others' cards refuse theirs", look(),
  { copies = PORTS - 1, kept = { "b" }, refused = { "c", "d", "e" } })

hs.note {
  en = "b answers. a is in the table, so the answer is one copy; and now b is in the table, too.",
  zh = "b 应答。a 在表里，所以应答只有一份；现在 b 也在表里了。",
}
frame(b, a)
hs.run "1ms"
hs.expect_equal("the answer needs one copy", look(), { copies = 1, kept = { "a" }, refused = {} })
frame(a, b)
hs.run "1ms"
hs.expect_equal("and so does the next frame to b", look(), { copies = 1, kept = { "b" }, refused = {} })

hs.note {
  en = "Silence for more than 300 s: b has aged out of the table, and a frame to it is flooded as at first.",
  zh = "沉默超过 300 s：b 已经在表中老化，给它的帧像最初那样泛洪。",
}
hs.run "301s"
frame(a, b)
hs.run "1ms"
hs.expect_equal("aged out: ports - 1 copies again", look(), { copies = PORTS - 1, kept = { "b" }, refused = { "c", "d", "e" } })
hs.expect_equal("the switch counts two floods", switch:stats().flooded, 2)

hs.translate("zh", {
  ["ports - 1 copies; b keeps its copy, the others' cards refuse theirs"] = "端口数 - 1 份副本；b 留下自己的，其他网卡拒绝",
  ["the answer needs one copy"] = "应答只需要一份副本",
  ["and so does the next frame to b"] = "下一个给 b 的帧也是",
  ["aged out: ports - 1 copies again"] = "已老化：又是端口数 - 1 份副本",
  ["the switch counts two floods"] = "交换机计入两次泛洪",
})
