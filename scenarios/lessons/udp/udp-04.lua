-- UDP-04  Message boundaries.
-- One send is one datagram is one receive (RFC 768; recv(2)). UDP never joins two datagrams and never splits one: the socket's
-- queue holds whole datagrams. Who reads into a buffer that is too small gets the beginning, and the rest is gone.
local hs = require "hopscope"
hs.title "UDP-04 Message boundaries"

local a, b = hs.host "a", hs.host "b"
hs.link(a, b, { delay = "1ms" })

local inbox = b:udp { port = 9 }
local sock = a:udp():connect("b", 9)
local frames = hs.frames { filter = function(p) return p.udp end }

hs.note "Three sends, of 5, 1 and 11 bytes. The reader comes a second later, when all three are waiting."
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

hs.note "Now a reader with a buffer of 8 bytes, and a message of 20."
sock:send "12345678901234567890"
sock:send "next"
hs.run "1s"
local data, _, _, info = inbox:recvfrom { size = 8, timeout = 0 }
hs.expect_equal("a short buffer truncates: the first 8 bytes, and the note that there were 20", { data, info.truncated, info.len },
  { "12345678", true, 20 })
hs.expect_equal("the rest is gone: the next receive gives the next datagram", inbox:recv(0), "next")

hs.note "A datagram may even be empty: it is a message of no bytes, not the end of anything."
sock:send ""
hs.run "1s"
hs.expect_equal("an empty datagram is received as one", inbox:recv(0), "")
hs.expect_equal("six datagrams have reached a reader", b:counter "UdpInDatagrams", 6)
