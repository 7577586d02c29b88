-- TCP-RTX-07  Retransmission ambiguity.
-- When data was sent twice, an ACK may be the answer to either copy. Who measures from the first copy is wrong if that was lost; who
-- measures from the last is wrong if the first was only slow. Karn's rule takes no such sample at all (RFC 6298 3). The timestamp option
-- resolves it: the ACK says which copy it answers (RFC 7323 4). hopscope.tcp_quirks 2 samples from the last copy, 6 from the first.
-- tshark-allow: D-SACK Sequence (the second copy was not needed)
local hs = require "hopscope"
hs.title { en = "TCP-RTX-07 Retransmission ambiguity", zh = "TCP-RTX-07 重传的二义性" }

local RTT = 0.1
-- One segment is lost, or delayed by 250 ms; RTO is 300 ms. Returns the samples that the sender takes of it, in ms.
local count = 0
local function sample(what, quirks, timestamps)
  count = count + 1
  local client = hs.host("client" .. count, { sysctl = { ["net.ipv4.tcp_early_retrans"] = 0, ["net.ipv4.tcp_frto"] = 0,
    ["net.ipv4.tcp_timestamps"] = timestamps, ["hopscope.tcp_quirks"] = quirks } })
  local server = hs.host("server" .. count)
  local link = hs.link(client, server, { delay = RTT / 2 })
  client:arp_set(server, server:dev().mac)
  server:arp_set(client, client:dev().mac)
  link:dir(client):rule(function(p)
    if p.tcp and p.tcp.data_nth == 1 and not p.tcp.retransmission then return what == "lost" and "drop" or { "delay", "250ms", overtake = true } end
  end)
  local samples, sends = {}, {}
  hs.on("tcp.rtt", function(e) if #sends > 0 then samples[#samples + 1] = e.sample_us // 1000 end end, { node = client })
  hs.on("frame.tx", function(e) if e.packet.tcp and e.packet.tcp.len > 0 then sends[#sends + 1] = e.time end end, { node = client })
  server:spawn(function(os)
    local conn = os.tcp():bind(5000):listen(8):accept()
    while conn:read() do end
  end)
  client:spawn(function(os)
    local conn = os.tcp():connect(server, 5000)
    conn:write "data"
    os.sleep "1h"
  end)
  hs.run "5s"
  hs.expect_equal("sent twice", #sends, 2)
  hs.expect_near("the second time after RTO: 3 x RTT", sends[2] - sends[1], "300ms", "1us")
  return samples
end
local zh = {
  ["naive, from the first copy"] = "简单做法，从第一份算起",
  ["naive, from the last copy"] = "简单做法，从最后一份算起",
  ["Karn's rule"] = "Karn 规则",
  ["timestamps"] = "时间戳",
}
local function row(name, quirks, timestamps)
  local lost, late = sample("lost", quirks, timestamps), sample("late", quirks, timestamps)
  local function text(s) return #s > 0 and table.concat(s, ", ") .. " ms" or { en = "no sample", zh = "没有样本" } end
  hs.note({
    en = "%-28s first copy lost: %-10s  first copy 250 ms late: %s",
    zh = "%s：第一份丢失：%s；第一份迟到 250 ms：%s",
  }, { en = name .. ":", zh = zh[name] }, text(lost), text(late))
  return lost, late
end

hs.note {
  en = "RTT is 100 ms. Lost: the repetition, 300 ms after the first copy, is answered; RTT 100 ms. Late: the first copy is answered, after 350 ms, 50 ms after the repetition left.",
  zh = "RTT 是 100 ms。丢失：在第一份之后 300 ms 重传的那一份得到应答；RTT 为 100 ms。迟到：得到应答的是第一份，在 350 ms 之后，即重传发出之后 50 ms。",
}
local lost, late = row("naive, from the first copy", 6, 0)
hs.expect_equal("from the first: right when it was late, but 300 ms too long when it was lost", { lost, late }, { { 400 }, { 350 } })
lost, late = row("naive, from the last copy", 2, 0)
hs.expect_equal("from the last: right when the first was lost, but 300 ms too short when it was late", { lost, late }, { { 100 }, { 50 } })
lost, late = row("Karn's rule", 0, 0)
hs.expect_equal("Karn's rule: no sample, so no wrong one", { lost, late }, { {}, {} })
lost, late = row("timestamps", 0, 1)
hs.expect_equal("timestamps: right in both cases", { lost, late }, { { 100 }, { 350 } })

hs.translate("zh", {
  ["sent twice"] = "发送了两次",
  ["the second time after RTO: 3 x RTT"] = "第二次在 RTO 之后：3 x RTT",
  ["from the first: right when it was late, but 300 ms too long when it was lost"] = "从第一份算起：迟到时正确，丢失时却长了 300 ms",
  ["from the last: right when the first was lost, but 300 ms too short when it was late"] = "从最后一份算起：第一份丢失时正确，迟到时却短了 300 ms",
  ["Karn's rule: no sample, so no wrong one"] = "Karn 规则：没有样本，也就没有错误的样本",
  ["timestamps: right in both cases"] = "时间戳：两种情形都正确",
})
