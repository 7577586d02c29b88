-- UDP-06  Receive buffer overflow.
-- What arrives waits in the socket's receive buffer until the program reads it. The buffer has a fixed size (SO_RCVBUF); when it
-- is full, further datagrams vanish, and nobody tells the sender (udp(7)). Linux does not count the bytes of data but the
-- memory that a waiting packet occupies, and takes twice the number that setsockopt was given.
local hs = require "hopscope"
hs.title { en = "UDP-06 Receive buffer overflow", zh = "UDP-06 接收缓冲区溢出" }

local K, N = 5, 20 -- datagrams that fit; datagrams of the burst
local a, b = hs.host "a", hs.host "b"
hs.link(a, b, { rate = "100Mbps", delay = "1ms" })
local inbox, sock = b:udp { port = 9 }, a:udp():connect("b", 9)

hs.note {
  en = "How much room does a datagram of 1000 bytes take? One is sent, and waits.",
  zh = "一个 1000 字节的数据报占多大地方？发送一个，让它等着。",
}
sock:send(hs.payload(1000))
hs.run "1s"
-- 64 bytes of room in front + 14 + 20 + 8 of headers + 1000 = 1106, in cache lines 1152; 320 behind it (skb_shared_info) make
-- 1472, and kmalloc gives 2048 for that; the sk_buff itself takes 256.
local SIZE = 2048 + 256
print(string.format("    1000 bytes of data take %d bytes of the buffer", inbox.rmem))
hs.expect_equal("2304 bytes of memory for 1000 bytes of data", inbox.rmem, SIZE)
inbox:recv(0)

-- Linux (since 6.17) takes a datagram in if it still fits, and any into an empty buffer: five make 5 * 2304 = 11520 bytes, and
-- with the sixth it would be 13824.
inbox:setopt("SO_RCVBUF", 6000)
hs.expect_equal("the buffer is twice what was asked for", inbox:getopt "SO_RCVBUF", 12000)
hs.expect("five datagrams fit, six do not", K * SIZE <= 12000 and (K + 1) * SIZE > 12000)

hs.note { en = "Now a burst of 20, while the program is busy with something else.", zh = "现在是 20 个的突发，而程序正忙于别的事。" }
local back, drops = hs.frames { node = b }, hs.frames { on = "drop", node = b }
local succeeded = 0
for _ = 1, N do
  if sock:send(hs.payload(1000)) then succeeded = succeeded + 1 end
end
hs.run "1s"
local answers = #back

local read = 0
while inbox:recv(0) do read = read + 1 end
hs.note({
  en = "%d were sent, %d are read, %d were lost to the full buffer.",
  zh = "发送了 %d 个，读到 %d 个，%d 个因缓冲区已满而丢失。",
}, N, read, inbox.drops)
hs.expect_equal("of a burst of n = 20, k = 5 are read", read, K)
hs.expect_equal("n - k = 15 are dropped, and the socket has counted them", inbox.drops, N - K)
hs.expect_equal("so has the host", b:counter "UdpRcvbufErrors", N - K)
hs.expect_equal("the reason is the full buffer", { #drops, drops[1].reason }, { N - K, "socket buffer full" })
hs.expect_equal("the sender is unaware: every call succeeded, nothing came back, no error is pending",
  { succeeded, answers, sock:error() }, { N, 0, nil })

hs.note {
  en = "With a reader that keeps up the same burst loses nothing: the buffer is empty again before the next one comes.",
  zh = "读者跟得上时，同样的突发什么也不丢失：下一个到来之前，缓冲区又空了。",
}
b:spawn(function(os)
  local count = 0
  while inbox:recv "1s" do count = count + 1 end
  hs.expect_equal("all 20 are read", count, N)
end)
for _ = 1, N do sock:send(hs.payload(1000)) end
hs.run "5s"
hs.expect_equal("no more drops", inbox.drops, N - K)

hs.translate("zh", {
  ["2304 bytes of memory for 1000 bytes of data"] = "1000 字节的数据占 2304 字节的内存",
  ["the buffer is twice what was asked for"] = "缓冲区是所要求的两倍",
  ["five datagrams fit, six do not"] = "放得下五个数据报，六个放不下",
  ["of a burst of n = 20, k = 5 are read"] = "n = 20 的突发中读到 k = 5 个",
  ["n - k = 15 are dropped, and the socket has counted them"] = "丢弃 n - k = 15 个，套接字计了数",
  ["so has the host"] = "主机也计了数",
  ["the reason is the full buffer"] = "原因是缓冲区已满",
  ["the sender is unaware: every call succeeded, nothing came back, no error is pending"] = "发送方毫不知情：每次调用都成功，什么也没有回来，没有待报的错误",
  ["all 20 are read"] = "20 个全部读到",
  ["no more drops"] = "没有更多的丢弃",
})
