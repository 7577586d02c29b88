-- ARP-05  Why entries must expire.
-- A host gets another network card: its IP address stays, its MAC address is a new one. Whoever still has the old pair in the
-- cache sends into the void, and nobody tells: the frames fit no card. The trouble ends when the entry has expired (Linux: found
-- stale, checked in vain, asked anew), or at once when the new card announces itself: a gratuitous ARP, a question for one's own
-- address to everybody, which corrects every cache on the link (RFC 5944 4.6, RFC 5227 2.3).
-- tshark-allow: Duplicate IP address configured (the same address with two cards is what this lesson is about)
local hs = require "hopscope"
hs.title { en = "ARP-05 Why entries must expire", zh = "ARP-05 表项为什么必须到期" }

-- Two equal pairs; each second a datagram goes from the left host to the right one. Only "loud" announces its new card.
local function pair(sender, receiver)
  local p = { from = hs.host(sender), to = hs.host(receiver), got = {}, lost = {}, states = {} }
  p.link = hs.link(p.from, p.to, { delay = "1ms", rate = "100Mbps" })
  p.to:udp { port = 9, on_datagram = function(data) p.got[tonumber(data)] = true end }
  local sock = p.from:udp():connect(receiver, 9)
  hs.at("0s", function() sock:send "0" end)
  hs.every("1s", function() sock:send(tostring(math.tointeger(hs.now()))) end)
  hs.on("neigh.state", function(e) p.states[#p.states + 1] = e end, { node = p.from })
  return p
end
local quiet, loud = pair("anna", "quiet"), pair("bert", "loud")

hs.at("10.5s", function()
  hs.note {
    en = "10.5 s: both hosts on the right get a new card. \"loud\" announces itself, \"quiet\" does not.",
    zh = "10.5 s：右边的两台主机都换了新网卡。“loud”宣告自己，“quiet”则不。",
  }
  quiet.to:dev():set_mac "00:15:f2:00:00:0a"
  loud.to:dev():set_mac "00:15:f2:00:00:0b"
  loud.to:arp_announce()
end)
hs.at("10.6s", function()
  hs.expect_equal("the announcement has corrected the entry of bert at once", loud.from:arp("loud").mac, "00:15:f2:00:00:0b")
  hs.expect("anna still believes in the old card", quiet.from:arp("quiet").mac ~= "00:15:f2:00:00:0a")
end)
hs.run "70s"

local function find(p, new)
  for _, e in ipairs(p.states) do
    if e.new == new and e.time > 10.5 then return e end
  end
end
for i = 1, 70 do
  for _, p in ipairs { quiet, loud } do
    if i < 70 and not p.got[i] then p.lost[#p.lost + 1] = i end
  end
end

hs.note({
  en = "With the announcement nothing was lost. Without it %s datagrams went to a card that is gone.",
  zh = "有宣告时什么也没有丢失。没有宣告时，%s 个数据报送往一块已经不在的网卡。",
}, #quiet.lost)
hs.expect_equal("with a gratuitous ARP no datagram is lost", loud.lost, {})

local stale, delay, probe, failed = find(quiet, "STALE"), find(quiet, "DELAY"), find(quiet, "PROBE"), find(quiet, "FAILED")
hs.note({
  en = "What ended it: the entry of anna ran out at %.3f s, its use at %.0f s began a check (5 s of patience, 3 questions to the dead card, 1 s apart), which failed at %.0f s. The next datagram asked everybody.",
  zh = "结束这种状况的是：anna 的表项在 %.3f s 到期，%.0f s 时的使用引发了一次检查（耐心等 5 s，向那块不在的网卡询问 3 次，每次相隔 1 s），检查在 %.0f s 失败。下一个数据报便询问所有人。",
}, stale.due, delay.time, failed.time)
hs.expect_between("the entry was believed for 15 to 45 s since it was learnt", stale.due - quiet.states[2].time, 15, 45)
hs.expect_near("its next use began the check, which failed after 5 s + 3 * 1 s", failed.time - delay.time, "8s", "1ns")
hs.expect_near("after 5 s of patience", probe.time - delay.time, "5s", "1ns")

-- Lost is all from the swap to the failure of the check; the first datagram after that finds no entry, asks, and gets through.
local want = {}
for i = 11, math.floor(failed.time) do want[#want + 1] = i end
hs.expect_equal("every datagram from the swap to the end of the check is lost, then none", quiet.lost, want)
hs.expect_equal("the card dropped them: their address was not its own", quiet.to:dev():stats().rx_not_for_me, #want + 3)
hs.expect_equal("anna has learnt the new card", quiet.from:arp("quiet").mac, "00:15:f2:00:00:0a")

hs.translate("zh", {
  ["the announcement has corrected the entry of bert at once"] = "宣告立刻更正了 bert 的表项",
  ["anna still believes in the old card"] = "anna 仍然相信旧的网卡",
  ["with a gratuitous ARP no datagram is lost"] = "有无故 ARP 时没有丢失任何数据报",
  ["the entry was believed for 15 to 45 s since it was learnt"] = "表项自学到以来有 15 到 45 s 被相信",
  ["its next use began the check, which failed after 5 s + 3 * 1 s"] = "它的下一次使用开始了检查，检查在 5 s + 3 * 1 s 之后失败",
  ["after 5 s of patience"] = "在 5 s 的耐心之后",
  ["every datagram from the swap to the end of the check is lost, then none"] = "从更换到检查结束，每个数据报都丢失，此后一个也不丢失",
  ["the card dropped them: their address was not its own"] = "网卡丢弃了它们：它们的地址不是它自己的",
  ["anna has learnt the new card"] = "anna 学到了新的网卡",
})
