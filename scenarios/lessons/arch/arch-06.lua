-- ARCH-06  A protocol invented from scratch.
-- What is a protocol? An agreement about who says what, in which order, and how one knows that it was understood. Here two
-- programs agree on three steps: the name of a file, its size, its content; each is answered by OK before the next. Over UDP this
-- works as long as nothing is lost. It lacks one rule: what to do if the OK does not come.
-- tshark-allow: D-SACK (the receiver tells of what came twice)
local hs = require "hopscope"
hs.title { en = "ARCH-06 A protocol invented from scratch", zh = "ARCH-06 从零发明一个协议" }

local function network(name)
  local n = { sender = hs.host("sender" .. name), receiver = hs.host("receiver" .. name), oks = 0 }
  n.link = hs.link(n.sender, n.receiver, { rate = "10Mbps", delay = "10ms" })
  n.seen = hs.frames { link = n.link, filter = function(p) return p.udp end }

  n.receiver:spawn(function(os)
    local sock, got, address, port = os.udp():bind(7000), {}, nil, nil
    for step = 1, 3 do
      got[step], address, port = sock:recvfrom()
      sock:sendto("OK", address, port)
    end
    n.file = { name = got[1], size = tonumber(got[2]), content = got[3] }
  end)

  n.sender:spawn(function(os)
    local sock = os.udp():connect(n.receiver, 7000)
    local content = "To be, or not to be: that is the question.\n"
    for step, message in ipairs { "hamlet.txt", tostring(#content), content } do
      n.step = step
      sock:send(message)
      if sock:recv() == "OK" then n.oks = n.oks + 1 end -- waits as long as it takes
    end
    n.is_done = true
  end)
  return n
end

hs.note {
  en = "Three messages, three times OK. Each pair takes one round trip of a bit more than 20 ms.",
  zh = "三个消息，三次 OK。每一对都用一个往返，20 ms 多一点。",
}
local good = network "1"
hs.run "10s"
for _, f in ipairs(good.seen) do
  print(string.format("    %9.6f  %-9s > %-9s  %q", f.time, f.from, f.to, f.packet:bytes():sub(43, 14 + f.packet.ip.len)))
end
hs.expect_equal("three messages and three OKs", #good.seen, 6)
hs.expect_equal("exactly three OKs were understood", { good.oks, good.is_done }, { 3, true })
-- 43 letters: T-o-b-e and so on, with the line's end.
hs.expect_equal("the file is identical", good.file,
  { name = "hamlet.txt", size = 43, content = "To be, or not to be: that is the question.\n" })
local turns = {}
for i, f in ipairs(good.seen) do turns[i] = f.from end
hs.expect_equal("they take turns: no message before the OK of the last one", turns,
  { "sender1", "receiver1", "sender1", "receiver1", "sender1", "receiver1" })

hs.note { en = "The same again, but the second OK is lost on the way.", zh = "再来一次，但第二个 OK 在途中丢失。" }
local bad = network "2"
bad.link:dir(bad.receiver):rule(function(p)
  if p.udp and p.data and bad.receiver:counter "UdpInDatagrams" == 2 then return "drop" end
end)
hs.run "3600s"
hs.note {
  en = "An hour later the sender still waits for the OK, and the receiver for the content. Both did what was agreed.",
  zh = "一小时之后，发送方还在等 OK，接收方还在等内容。双方都遵守了约定。",
}
hs.expect_equal("the sender stalls in its second step", { bad.step, bad.oks, bad.is_done }, { 2, 1, nil })
hs.expect_equal("the receiver never got the content", bad.file, nil)
hs.expect_equal("two messages and two OKs, the second of them lost: then silence", { #bad.seen, bad.seen[#bad.seen].from },
  { 4, "receiver2" })
hs.expect_equal("one frame was lost", bad.link:dir(bad.receiver):stats().lost_packets, 1)

hs.note {
  en = "Now the same agreement over TCP, whose segments are repeated below it. The second OK is lost once: the transfer goes on.",
  zh = "现在把同样的约定放在 TCP 之上，下面的报文段会重传。第二个 OK 丢失一次：传送继续进行。",
}
local sender, receiver = hs.host "sender3", hs.host "receiver3"
local link = hs.link(sender, receiver, { rate = "10Mbps", delay = "10ms" })
local lost_oks, file, oks = 0, nil, 0
link:dir(receiver):rule(function(p)
  if p.tcp and p.tcp.data_nth == 2 and not p.tcp.retransmission then
    lost_oks = lost_oks + 1
    return "drop"
  end
end)
receiver:spawn(function(os)
  local conn, got = os.tcp():bind(7000):listen(1):accept(), {}
  for step = 1, 3 do
    got[step] = conn:read() -- one step is one small segment here; in general lengths would have to be agreed on too
    conn:write "OK"
  end
  file = { name = got[1], size = tonumber(got[2]), content = got[3] }
end)
local done
sender:spawn(function(os)
  local sock = os.tcp():connect(receiver.name, 7000)
  local content = "To be, or not to be: that is the question.\n"
  for _, message in ipairs { "hamlet.txt", tostring(#content), content } do
    sock:write(message)
    if sock:read() == "OK" then oks = oks + 1 end
  end
  done = hs.now()
end)
local begin = hs.now()
hs.run "10s"
hs.expect_equal("the second OK was lost", lost_oks, 1)
hs.expect_equal("over TCP the sender does not stall: three OKs, and the file is identical", { oks, file }, { 3, good.file })
hs.expect("the repetition cost a fraction of a second", done - begin < 1, done - begin)

hs.translate("zh", {
  ["three messages and three OKs"] = "三个消息和三个 OK",
  ["exactly three OKs were understood"] = "正好读懂三个 OK",
  ["the file is identical"] = "文件完全相同",
  ["they take turns: no message before the OK of the last one"] = "它们轮流：上一个的 OK 到来之前没有消息",
  ["the sender stalls in its second step"] = "发送方停在第二步",
  ["the receiver never got the content"] = "接收方始终没有得到内容",
  ["two messages and two OKs, the second of them lost: then silence"] = "两个消息和两个 OK，第二个 OK 丢失：然后是沉默",
  ["one frame was lost"] = "丢失了一个帧",
  ["the second OK was lost"] = "第二个 OK 丢失了",
  ["over TCP the sender does not stall: three OKs, and the file is identical"] = "在 TCP 之上发送方不会停住：三个 OK，文件完全相同",
  ["the repetition cost a fraction of a second"] = "重传的代价不到一秒",
})
