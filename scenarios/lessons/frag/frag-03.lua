-- FRAG-03  Reassembly only at the destination.
-- A router that has cut a packet for a narrow link is done with it. Nobody puts the pieces together on the way, not even where
-- the links are wide again: fragments may take different paths, and a router has no memory for half packets. Only the
-- destination sees them all (RFC 791 3.2, RFC 1812 4.2.2.7).
local hs = require "hopscope"
hs.title { en = "FRAG-03 Reassembly only at the destination", zh = "FRAG-03 只在目的地重组" }

local a, r1, r2, b = hs.host "a", hs.router "r1", hs.router "r2", hs.host "b"
local wide = hs.link(a, r1, { mtu = 1500 })
local narrow = hs.link(r1, r2, { mtu = 576 })
local wide_again = hs.link(r2, b, { mtu = 1500 })

local got
b:udp { port = 9, on_datagram = function(data) got = #data end }
local is_ip = function(p) return p.ip end
local sent, cut, arrived = hs.frames { link = wide, filter = is_ip }, hs.frames { link = narrow, filter = is_ip },
  hs.frames { link = wide_again, filter = is_ip }

hs.note {
  en = "The path is 1500, 576, 1500 bytes wide. Host a sends 1500 bytes and allows routers to cut them (no DF).",
  zh = "路径的宽度是 1500、576、1500 字节。主机 a 发送 1500 字节，并允许路由器切开（没有 DF）。",
}
a:udp():setopt("IP_MTU_DISCOVER", 0):sendto(hs.payload(1500 - 20 - 8), "b", 9)
hs.run "1s"

local function lengths(frames)
  local list = {}
  for i, f in ipairs(frames) do list[i] = f.packet.ip.len end
  return list
end
for _, f in ipairs { sent, cut, arrived } do
  print(string.format("    %-6s %s", f[1].from .. ">" .. f[1].to, table.concat(lengths(f), " + ")))
end

-- 576 - 20 = 556, the next multiple of 8 below is 552. 1480 = 552 + 552 + 376.
hs.expect_equal("a sends one packet of 1500", lengths(sent), { 1500 })
hs.expect_equal("on the narrow link there are three fragments", lengths(cut), { 572, 572, 396 })
hs.expect_equal("on the wide link behind it they are still three fragments, not a whole packet", lengths(arrived), { 572, 572, 396 })
hs.note {
  en = "The third line shows it: the last link could carry 1500 bytes, but r2 forwards the pieces as they are.",
  zh = "第三行说明了这一点：最后一条链路可以容纳 1500 字节，但 r2 把各片原样转发。",
}
hs.expect_equal("no router has tried to put anything together", { r1:counter "IpReasmReqds", r2:counter "IpReasmReqds" }, { 0, 0 })
hs.expect_equal("r1 has cut one packet into three, r2 none",
  { r1:counter "IpFragOKs", r1:counter "IpFragCreates", r2:counter "IpFragOKs" }, { 1, 3, 0 })
hs.expect_equal("b has put three together to one", { b:counter "IpReasmReqds", b:counter "IpReasmOKs" }, { 3, 1 })
hs.expect_equal("b reads all 1472 bytes", got, 1472)

hs.translate("zh", {
  ["a sends one packet of 1500"] = "a 发送一个 1500 的分组",
  ["on the narrow link there are three fragments"] = "在窄的链路上有三个分片",
  ["on the wide link behind it they are still three fragments, not a whole packet"] = "在后面的宽链路上仍是三个分片，不是完整的分组",
  ["no router has tried to put anything together"] = "没有路由器试图重新拼合",
  ["r1 has cut one packet into three, r2 none"] = "r1 把一个分组切成三个，r2 没有切",
  ["b has put three together to one"] = "b 把三个拼成一个",
  ["b reads all 1472 bytes"] = "b 读到全部 1472 字节",
})
