-- SOCK-11  Blocking and non-blocking send.
-- send() returns when the data is in the send buffer (RFC 9293 3.9.1); what TCP does with it comes later. If the buffer is full, a
-- blocking call waits until acknowledgments make room, a non-blocking one says EAGAIN, or takes what fits (send(2)). Linux wakes a
-- writer when a third of the buffer is free (sk_stream_write_space).
local hs = require "hopscope"
hs.title { en = "SOCK-11 Blocking and non-blocking send", zh = "SOCK-11 阻塞与非阻塞发送" }

local client, server = hs.host "client", hs.host "server"
local link = hs.link(client, server, { delay = "100ms" })
client:arp_set("server", server:dev().mac)
server:arp_set("client", client:dev().mac)

local sink = server:tcp_sink(5678)
local acks = hs.frames { filter = function(p) return p.tcp and p.from == "server" and not p.tcp.syn end, on = "rx", node = client }

hs.note {
  en = "A small send buffer, 10000 bytes, and a round trip of 200 ms. First non-blocking calls: they take what fits and are back at once.",
  zh = "发送缓冲区很小，10000 字节，往返时间 200 ms。首先是非阻塞调用：放得下多少就取多少，并立刻返回。",
}
local took, ready
client:spawn(function(os)
  local conn = os.tcp({ sndbuf = 5000 }):connect("server", 5678) -- Linux doubles it for its own overhead
  hs.expect_equal("SO_SNDBUF reads as 10000", conn:getopt "SO_SNDBUF", 10000)
  conn:setopt("TCP_NODELAY", true)
  local before, why = hs.now(), nil
  took = 0
  -- Each write becomes a segment, which costs the buffer its 1000 bytes and 832 of administration (skb->truesize).
  repeat
    local n
    n, why = conn:send(hs.payload(1000, took), { dontwait = true })
    took = took + (n or 0)
  until not n
  hs.expect_equal("six times 1832 are more than 10000: the seventh gets EAGAIN", { took, why }, { 6000, "EAGAIN" })
  hs.expect_equal("no time has passed", hs.now(), before)
  hs.expect_equal("the bytes wait in the buffer for their acknowledgment", conn:info().send_q, took)
  hs.expect_equal("poll says: not writable", conn:poll().writable, false)

  hs.note {
    en = "Now the blocking call. It sleeps until the first acknowledgment has made room, and returns when the last byte is in.",
    zh = "现在是阻塞调用。它睡眠，直到第一个确认腾出地方；最后一个字节放进去时返回。",
  }
  hs.expect_equal("it writes all", conn:write(hs.payload(4000, took)), 4000)
  ready = hs.now()
  conn:close()

  hs.note {
    en = "A non-blocking write of more than fits is not refused: it takes a part and says how much.",
    zh = "非阻塞的写入超过放得下的量也不会被拒绝：它取走一部分，并说明取了多少。",
  }
  local second = os.tcp({ sndbuf = 5000 }):connect("server", 5678)
  local part = second:send(hs.payload(1000000), { dontwait = true })
  hs.expect_between("a short count", part, 1, 999999)
  took = took + 4000 + part
end)
hs.run "5s"

local woke = false
for _, ack in ipairs(acks) do woke = woke or ack.time == ready end
hs.expect("it resumed at the very instant at which an ACK arrived", woke, ready)
hs.expect_equal("the data had left at 200 ms, as the connection stood; its acknowledgments come a round trip later", ready, "400ms")
hs.expect_equal("everything arrived", sink:stats().bytes, took)
hs.expect_equal("intact", sink:stats().wrong_bytes, 0)

hs.translate("zh", {
  ["SO_SNDBUF reads as 10000"] = "SO_SNDBUF 读出为 10000",
  ["six times 1832 are more than 10000: the seventh gets EAGAIN"] = "六次 1832 多于 10000：第七次得到 EAGAIN",
  ["no time has passed"] = "没有花时间",
  ["the bytes wait in the buffer for their acknowledgment"] = "字节在缓冲区里等待确认",
  ["poll says: not writable"] = "poll 说：不可写",
  ["it writes all"] = "它全部写入",
  ["a short count"] = "短的计数",
  ["it resumed at the very instant at which an ACK arrived"] = "它就在 ACK 到达的那一刻恢复",
  ["the data had left at 200 ms, as the connection stood; its acknowledgments come a round trip later"] = "数据在 200 ms 时离开，那时连接建立；对它的确认晚一个往返到来",
  ["everything arrived"] = "全部到达",
  ["intact"] = "完好无损",
})
