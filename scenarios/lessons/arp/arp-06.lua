-- ARP-06  Everyone hears, one answers.
-- The question is a broadcast: the switch floods it, every card takes it, every host reads it. All but the owner of the address
-- throw it away. But those that have an entry for the asker look at it first: the question carries the asker's own pair of
-- addresses, and an entry that says otherwise is corrected (RFC 826, "merge"). Nobody makes a new entry from hearsay.
-- tshark-allow: Duplicate IP address configured (the asker changes its card)
local hs = require "hopscope"
hs.title { en = "ARP-06 Everyone hears, one answers", zh = "ARP-06 人人听见，一个应答" }

local sw = hs.switch "sw"
local hosts = {}
for _, name in ipairs { "asker", "owner", "friend", "stranger", "other" } do
  hosts[name] = hs.host(name)
  hs.link(hosts[name], sw, { delay = "10us", subnet = "192.168.0.0/24" })
end
local asker, friend, stranger = hosts.asker, hosts.friend, hosts.stranger

hs.note {
  en = "Five hosts on a switch. First \"friend\" pings \"asker\", so that friend has an entry for it.",
  zh = "一台交换机上有五台主机。先由“friend”ping“asker”，使 friend 有了它的表项。",
}
friend:spawn(function(os) os.ping("asker", { count = 1 }) end)
hs.run "2s"
local old = asker:dev().mac
hs.expect_equal("friend knows the MAC address of the asker", friend:arp("asker").mac, old)

hs.note { en = "The asker gets another card, and asks for \"owner\".", zh = "asker 换了另一块网卡，并询问“owner”。" }
asker:dev():set_mac "00:15:f2:14:9e:3f"
local heard = hs.frames { on = "rx", filter = function(p, e) return p.arp and p.arp.op == 1 and e.node ~= "sw" end }
local replies = hs.frames { filter = function(p, e) return p.arp and p.arp.op == 2 and e.node ~= "sw" end }
local ping
asker:spawn(function(os) ping = os.ping("owner", { count = 1 }) end)
hs.run "2s"

local names = {}
for _, frame in ipairs(heard) do names[#names + 1] = frame.node end
table.sort(names)
hs.note({
  en = "The question was heard by %s; the answer came from %s.",
  zh = "听到询问的有 %s；应答来自 %s。",
}, table.concat(names, ", "), replies[1].node)
hs.expect_equal("of 5 hosts, the 4 others hear the request", names, { "friend", "other", "owner", "stranger" })
hs.expect_equal("one host replies", #replies, 1)
hs.expect_equal("it is the owner of the address", replies[1].node, "owner")
hs.expect("the ping is answered", ping.received == 1, ping)

hs.note {
  en = "Friend has corrected its entry from what it overheard; the two others, which had none, did not make one.",
  zh = "friend 根据旁听到的内容更正了自己的表项；另外两台原本没有表项，也没有新建。",
}
hs.expect_equal("a hearer that has an entry for the sender updates it", friend:arp("asker").mac, "00:15:f2:14:9e:3f")
hs.expect_equal("a hearer without one learns nothing", { stranger:arp("asker"), hosts.other:arp("asker") }, {})

hs.translate("zh", {
  ["friend knows the MAC address of the asker"] = "friend 知道 asker 的 MAC 地址",
  ["of 5 hosts, the 4 others hear the request"] = "5 台主机中，另外 4 台听到了请求",
  ["one host replies"] = "一台主机应答",
  ["it is the owner of the address"] = "它就是地址的主人",
  ["the ping is answered"] = "ping 得到应答",
  ["a hearer that has an entry for the sender updates it"] = "有发送方表项的听者更新它",
  ["a hearer without one learns nothing"] = "没有表项的听者什么也不学",
})
