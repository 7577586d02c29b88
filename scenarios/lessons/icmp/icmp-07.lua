-- ICMP-07  3/2 protocol unreachable.
-- The protocol field of the IP header says who gets the data: 1 ICMP, 6 TCP, 17 UDP. A host that does not run the protocol that is
-- asked for answers "protocol unreachable", type 3 code 2 (RFC 1122 3.2.2.1). It is not what a firewall says: that answers code 13
-- ("administratively prohibited"; 9 and 10 are its relatives), or nothing at all.
local hs = require "hopscope"
hs.title { en = "ICMP-07 3/2 protocol unreachable", zh = "ICMP-07 3/2 协议不可达" }

local a, r, b = hs.host "a", hs.router "r", hs.host "b"
hs.link(a, r, { subnet = "10.0.1.0/24", address = { a = "10.0.1.2/24", r = "10.0.1.1/24" } })
hs.link(r, b, { subnet = "10.0.2.0/24", address = { r = "10.0.2.1/24", b = "10.0.2.2/24" } })
local errors = hs.frames { node = a, on = "rx", filter = function(p) return p.icmp and p.icmp.type == 3 end }

-- A whole frame by hand, since no program sends such a thing: Ethernet header, IP header, data.
local function frame(proto, data)
  local function mac(text) return (text:gsub("(%x%x):?", function(byte) return string.char(tonumber(byte, 16)) end)) end
  return mac(r:dev("eth0").mac) .. mac(a:dev().mac) .. string.pack(">I2", 0x0800)
    .. hs.ip4.encode { src = a:addr(), dst = b:addr(), proto = proto, len = 20 + #data } .. data
end

hs.note {
  en = "a sends a packet of protocol 200, which is assigned to nobody, to b.",
  zh = "a 向 b 发送一个协议号为 200 的分组，这个号没有分配给任何协议。",
}
local raw = a:raw()
raw:send(frame(200, "what is this?"))
hs.run "1s"
hs.expect_equal("one error comes back", #errors, 1)
local e = errors[1].packet
print("    " .. errors[1].summary)
hs.expect_equal("type 3, code 2", { e.icmp.type, e.icmp.code }, { 3, 2 })
hs.expect_equal("it comes from the host itself: the router did not care", e.ip.src, "10.0.2.2")
hs.expect_equal("it quotes the packet with its protocol", { e.quoted.ip.proto, e.quoted.ip.src }, { 200, "10.0.1.2" })
hs.expect_equal("b counts an unknown protocol", b:counter "IpInUnknownProtos", 1)
hs.expect_equal("r forwarded it as it forwards everything, and the error too", r:counter "IpForwDatagrams", 2)

hs.note {
  en = "What a firewall says instead: r refuses to forward to b (a route of type \"prohibit\"), and tells so with code 13.",
  zh = "防火墙的说法则不同：r 拒绝转发给 b（一条类型为“prohibit”的路由），并用代码 13 告知。",
}
r:route { to = "10.0.2.2", type = "prohibit" }
raw:send(frame(200, "and this?"))
hs.run "1s"
e = errors[2].packet
hs.expect_equal("type 3, code 13, from the router", { e.icmp.type, e.icmp.code, e.ip.src }, { 3, 13, "10.0.1.1" })
hs.expect_equal("b heard nothing of it", b:counter "IpInUnknownProtos", 1)

hs.translate("zh", {
  ["one error comes back"] = "回来一个差错报文",
  ["type 3, code 2"] = "类型 3，代码 2",
  ["it comes from the host itself: the router did not care"] = "它来自主机自己：路由器不在乎",
  ["it quotes the packet with its protocol"] = "它引用了分组及其协议",
  ["b counts an unknown protocol"] = "b 计入一个未知的协议",
  ["r forwarded it as it forwards everything, and the error too"] = "r 像转发一切那样转发了它，差错报文也是",
  ["type 3, code 13, from the router"] = "类型 3，代码 13，来自路由器",
  ["b heard nothing of it"] = "b 什么也没有听到",
})
