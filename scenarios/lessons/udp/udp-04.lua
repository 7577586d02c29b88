-- UDP-04  Message boundaries.
-- One send is one datagram is one receive (RFC 768; recv(2)). UDP never joins two datagrams and never splits one: the socket's
-- queue holds whole datagrams. Who reads into a buffer that is too small gets the beginning, and the rest is gone.
local hs = require "hopscope"
hs.title { en = "UDP-04 Message boundaries", zh = "UDP-04 保留报文的边界" }

local a, b = hs.host "a", hs.host "b"
hs.link(a, b, { delay = "1ms" })

local inbox = b:udp { port = 9 }
local sock = a:udp():connect("b", 9)
local frames = hs.frames { filter = function(p) return p.udp end }

hs.note {
  en = "Three sends, of 5, 1 and 11 bytes. The reader comes a second later, when all three are waiting.",
  zh = "三次发送，5、1 和 11 字节。读者一秒之后才来，那时三个都在等待。",
}
for _, text in ipairs { "first", "2", "and a third" } do sock:send(text) end
hs.run "1s"
hs.expect_equal("three sends are three datagrams", #frames, 3)

local reads = {}
for i = 1, 3 do
  reads[i] = inbox:recv(0)
  print(string.format("    receive %d gives %d bytes: %s", i, #reads[i], reads[i]))
end
local fourth, why = inbox:recv(0)
hs.expect_equal("three sends need three receives, each gives one message", reads, { "first", "2", "and a third" })
hs.expect_equal("there is no fourth", { fourth, why }, { nil, "EAGAIN" })

hs.note { en = "Now a reader with a buffer of 8 bytes, and a message of 20.", zh = "现在读者的缓冲区是 8 字节，而报文是 20 字节。" }
sock:send "12345678901234567890"
sock:send "next"
hs.run "1s"
local data, _, _, info = inbox:recvfrom { size = 8, timeout = 0 }
hs.expect_equal("a short buffer truncates: the first 8 bytes, and the note that there were 20", { data, info.truncated, info.len },
  { "12345678", true, 20 })
hs.expect_equal("the rest is gone: the next receive gives the next datagram", inbox:recv(0), "next")

hs.note {
  en = "A datagram may even be empty: it is a message of no bytes, not the end of anything.",
  zh = "数据报甚至可以是空的：它是一个没有字节的报文，并不是什么东西的结束。",
}
sock:send ""
hs.run "1s"
hs.expect_equal("an empty datagram is received as one", inbox:recv(0), "")
hs.expect_equal("six datagrams have reached a reader", b:counter "UdpInDatagrams", 6)

hs.translate("zh", {
  ["three sends are three datagrams"] = "三次发送就是三个数据报",
  ["three sends need three receives, each gives one message"] = "三次发送需要三次接收，每次得到一个报文",
  ["there is no fourth"] = "没有第四个",
  ["a short buffer truncates: the first 8 bytes, and the note that there were 20"] = "短的缓冲区会截断：前 8 个字节，以及原有 20 个的说明",
  ["the rest is gone: the next receive gives the next datagram"] = "其余的没有了：下一次接收得到下一个数据报",
  ["an empty datagram is received as one"] = "空的数据报也作为一个接收",
  ["six datagrams have reached a reader"] = "六个数据报到达了读者",
})
