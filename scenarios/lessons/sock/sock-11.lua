-- SOCK-11  Blocking and non-blocking send.
-- send() returns when the data is in the send buffer (RFC 9293 3.9.1); what TCP does with it comes later. If the buffer is full, a
-- blocking call waits until acknowledgments make room, a non-blocking one says EAGAIN, or takes what fits (send(2)). Linux wakes a
-- writer when a third of the buffer is free (sk_stream_write_space).
local hs = require "hopscope"
hs.title "SOCK-11 Blocking and non-blocking send"

local client, server = hs.host "client", hs.host "server"
local link = hs.link(client, server, { delay = "100ms" })
client:arp_set("server", server:dev().mac)
server:arp_set("client", client:dev().mac)

local sink = server:tcp_sink(5010)
local acks = hs.frames { filter = function(p) return p.tcp and p.from == "server" and not p.tcp.syn end, on = "rx", node = client }

hs.note "A small send buffer, 10000 bytes, and a round trip of 200 ms. First the non-blocking call: it takes what fits and is back at once."
local left, ready = {}, nil
client:spawn(function(os)
  local conn = os.tcp({ sndbuf = 5000 }):connect("server", 5010) -- Linux doubles it for its own overhead
  hs.expect_equal("SO_SNDBUF reads as 10000", conn:getopt "SO_SNDBUF", 10000)
  local before = hs.now()
  local took = conn:send(hs.payload(100000), { dontwait = true })
  hs.expect_between("a short count: less than the buffer's 10000", took, 1000, 10000)
  hs.expect_equal("then EAGAIN", { conn:send("more", { dontwait = true }) }, { nil, "EAGAIN" })
  hs.expect_equal("no time has passed", hs.now(), before)
  hs.expect_equal("the bytes wait in the buffer for their acknowledgment", conn:info().send_q, took)
  hs.expect_equal("poll says: not writable", conn:poll().writable, false)

  hs.note "Now the blocking call. It sleeps until the first acknowledgment has made room, and returns when the last byte is in."
  local asleep = hs.now()
  local count = conn:write(hs.payload(4, took))
  ready = hs.now()
  hs.expect_equal("it wrote all", count, 4)
  hs.expect("it slept", ready > asleep, ready)
  conn:close()
  left.took = took
end)
hs.run "5s"

local woke = false
for _, ack in ipairs(acks) do woke = woke or ack.time == ready end
hs.expect("it resumed at the very instant at which an ACK arrived", woke, ready)
hs.expect_equal("one round trip after the data had left: 200 ms after the connection stood at 200 ms", ready, "400ms")
hs.expect_equal("everything arrived", sink:stats().bytes, left.took + 4)
hs.expect_equal("intact", sink:stats().wrong_bytes, 0)
