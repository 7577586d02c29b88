-- ARP-02  Packet format.
-- An ARP message is 28 bytes long on Ethernet: which kinds of addresses (hardware type 1, protocol type 0x0800), how long they
-- are (6 and 4), question or answer (operation 1 or 2), and two pairs of addresses, the sender's and the target's (RFC 826).
-- In a question the target's MAC address is what one wants to know: it is zero. EtherType 0x0806 says that ARP follows.
local hs = require "hopscope"
hs.title { en = "ARP-02 Packet format", zh = "ARP-02 分组格式" }

local a = hs.host "a"
local b = hs.host "b"
hs.link(a, b, { subnet = "192.168.0.0/24", address = { a = "192.168.0.2/24", b = "192.168.0.1/24" },
                mac = { a = "00:15:f2:14:9e:3f", b = "00:0c:29:01:02:03" } })

local arps = hs.frames { filter = function(p) return p.arp end }
a:spawn(function(os) os.ping("192.168.0.1", { count = 1 }) end)
hs.run "2s"

local function show(frame)
  for _, f in ipairs(frame.packet:fields()) do
    if f.layer == "arp" then print(string.format("    %-26s %-18s %s", f.label, f.text, f.note)) end
  end
end

local function fields(m)
  return { htype = m.htype, ptype = m.ptype, hlen = m.hlen, plen = m.plen, op = m.op,
           sha = m.sha, spa = m.spa, tha = m.tha, tpa = m.tpa }
end

hs.note {
  en = "The question. Look at the target's MAC address: it is the unknown, so it is all zero.",
  zh = "这是询问。请看目标的 MAC 地址：它正是未知的东西，所以全为零。",
}
show(arps[1])
hs.expect_equal("the fields of the request", fields(arps[1].packet.arp), {
  htype = 1, ptype = 0x0800, hlen = 6, plen = 4, op = 1,
  sha = "00:15:f2:14:9e:3f", spa = "192.168.0.2", tha = "00:00:00:00:00:00", tpa = "192.168.0.1" })

hs.note {
  en = "The answer: operation 2, sender and target have changed places, and the unknown is filled in.",
  zh = "这是应答：操作为 2，发送方和目标互换了位置，未知的也填上了。",
}
show(arps[2])
hs.expect_equal("the fields of the reply", fields(arps[2].packet.arp), {
  htype = 1, ptype = 0x0800, hlen = 6, plen = 4, op = 2,
  sha = "00:0c:29:01:02:03", spa = "192.168.0.1", tha = "00:15:f2:14:9e:3f", tpa = "192.168.0.2" })

hs.note {
  en = "And byte for byte: 2 + 2 + 1 + 1 + 2 for the kinds, 2 * (6 + 4) for the addresses, 28 in all.",
  zh = "逐字节看：种类占 2 + 2 + 1 + 1 + 2，地址占 2 * (6 + 4)，共 28。",
}
local want = string.pack(">I2I2BBI2", 1, 0x0800, 6, 4, 1)
  .. "\x00\x15\xf2\x14\x9e\x3f" .. "\xc0\xa8\x00\x02"
  .. "\x00\x00\x00\x00\x00\x00" .. "\xc0\xa8\x00\x01"
local frame = arps[1].packet:bytes()
hs.expect_equal("the message has 28 bytes", #want, 28)
hs.expect_equal("they follow the 14 bytes of the Ethernet header", frame:sub(15, 42), want)
hs.expect_equal("the EtherType is 0x0806", arps[1].packet.eth.type, 0x0806)
hs.expect_equal("the frame is filled up to 60 bytes with 18 zeros", frame:sub(43), ("\0"):rep(18))

hs.translate("zh", {
  ["the fields of the request"] = "请求的各个字段",
  ["the fields of the reply"] = "应答的各个字段",
  ["the message has 28 bytes"] = "报文有 28 字节",
  ["they follow the 14 bytes of the Ethernet header"] = "它们跟在以太网首部的 14 字节之后",
  ["the EtherType is 0x0806"] = "EtherType 是 0x0806",
  ["the frame is filled up to 60 bytes with 18 zeros"] = "帧用 18 个零填充到 60 字节",
})
