-- TCP-Q-10  SYN cookies.
-- With tcp_syncookies 1 a server whose half-open queue is full keeps nothing: it puts what it must know into its initial sequence
-- number (a time counter, an index into a table of MSS values, and a hash over addresses, ports and the client's number) and makes
-- the connection of the ACK that brings this number back, plus one. Until the queue is full it remembers as usual. 0: never.
-- 2: for every SYN (RFC 4987 3.6; Linux cookie_v4_init_sequence, cookie_v4_check).
-- tshark-allow: Connection reset (RST) (a cookie from the wrong place is refused with RST)
local hs = require "hopscope"
hs.title { en = "TCP-Q-10 SYN cookies", zh = "TCP-Q-10 SYN cookie" }

local r, client, attacker = hs.router "r", hs.host "client", hs.host "attacker"
for _, h in ipairs { client, attacker } do hs.link(h, r, { delay = "1ms" }) end
r:route { to = "10.66.0.0/16", type = "blackhole" }
client:sysctl("net.ipv4.tcp_syn_retries", 1)
local rng = hs.rng "sources"

-- A server under a flood of 200 SYNs a second, and 20 honest clients in 10 s: how many are served, how long its queue gets.
local function under_flood(cookies)
  local server = hs.host("cookies" .. cookies)
  hs.link(server, r, { delay = "1ms" })
  server:sysctl("net.ipv4.tcp_syncookies", cookies)
  server:spawn(function(os)
    local listener = os.tcp():bind(5000):listen(64)
    while true do
      local conn = listener:accept()
      local data = conn:read()
      if data then conn:write("you said " .. data) end
      conn:close()
    end
  end)
  client:ping(server, { count = 1 })
  attacker:ping(server, { count = 1 })
  local served, longest, t0 = 0, 0, hs.now()
  hs.every("5ms", function()
    attacker:forge { to = server, dport = 5000, src = string.format("10.66.%d.%d", rng:integer(0, 255), rng:integer(1, 254)),
      sport = rng:integer(1024, 65535), seq = rng:integer(0, 4294967295) }
    longest = math.max(longest, #server:sockets "SYN-RECEIVED")
    return hs.now() < t0 + 11
  end)
  for i = 1, 20 do
    hs.after(0.8 + i / 2, function()
      client:spawn(function(os)
        local conn = os.tcp():connect(server, 5000)
        if not conn then return end
        conn:write "hello"
        if conn:read() == "you said hello" then served = served + 1 end
      end)
    end)
  end
  hs.run "14s"
  hs.note({
    en = "tcp_syncookies %d: %d of 20 honest clients served, at most %d half-open entries, %d cookies sent, %d come back",
    zh = "tcp_syncookies %d：20 个诚实的客户端中 %d 个得到服务，最多 %d 个半开连接项，发出 %d 个 cookie，回来 %d 个",
  }, cookies, served, longest, server:counter "TcpExtSyncookiesSent", server:counter "TcpExtSyncookiesRecv")
  return { served = served, longest = longest, server = server }
end

local off, on, always = under_flood(0), under_flood(1), under_flood(2)
hs.expect_equal("0: nobody is served", off.served, 0)
hs.expect_equal("1: everybody is served", on.served, 20)
hs.expect_equal("1: it queues until the queue is full (64, and one more)", on.longest, 65)
hs.expect_equal("1: the 20 came back as cookies", on.server:counter "TcpExtSyncookiesRecv", 20)
hs.expect_equal("2: everybody is served, and the half-open queue is always empty", { always.served, always.longest }, { 20, 0 })
hs.expect_equal("no cookie failed", on.server:counter "TcpExtSyncookiesFailed" + always.server:counter "TcpExtSyncookiesFailed", 0)

hs.note {
  en = "What is in the number: the same SYN gets the same answer again, and the addresses are not in it: they are hashed once more when it comes back.",
  zh = "号码里有什么：同样的 SYN 再次得到同样的应答，而地址并不在其中：它回来时再散列一次。",
}
local server = always.server
local isns, resets = {}, 0
hs.on("frame.tx", function(e)
  local tcp = e.packet.tcp
  if tcp and tcp.syn then isns[#isns + 1] = tcp.seq end
  if tcp and tcp.rst then resets = resets + 1 end
end, { node = server })
local syn = { to = server, dport = 5000, src = "10.66.0.1", sport = 7000, seq = 1000, options = "\2\4\5\180" } -- MSS 1460
attacker:forge(syn)
hs.run "1s"
attacker:forge(syn)
hs.run "1s"
hs.expect_equal("two SYN-ACKs with the same number: it is a function of the SYN and the minute", { #isns, isns[1] == isns[2] }, { 2, true })
local function ack(src, sport)
  attacker:forge { to = server, dport = 5000, src = src, sport = sport, seq = 1001, ack = (isns[1] + 1) % 4294967296, flags = "A" }
  hs.run "100ms"
  return { server:counter "TcpExtSyncookiesRecv", server:counter "TcpExtSyncookiesFailed", resets }
end
hs.expect_equal("brought back from another address it is refused with RST", ack("10.66.0.2", 7000), { 20, 1, 1 })
hs.expect_equal("and from another port", ack("10.66.0.1", 7001), { 20, 2, 2 })
hs.expect_equal("from the right one it makes a connection", ack("10.66.0.1", 7000), { 21, 2, 2 })

hs.translate("zh", {
  ["0: nobody is served"] = "0：没有人得到服务",
  ["1: everybody is served"] = "1：人人得到服务",
  ["1: it queues until the queue is full (64, and one more)"] = "1：排队直到队列满（64，再加一个）",
  ["1: the 20 came back as cookies"] = "1：那 20 个以 cookie 的形式回来",
  ["2: everybody is served, and the half-open queue is always empty"] = "2：人人得到服务，半开队列总是空的",
  ["no cookie failed"] = "没有 cookie 失败",
  ["two SYN-ACKs with the same number: it is a function of the SYN and the minute"] = "两个 SYN-ACK 的号码相同：它是 SYN 和当前分钟的函数",
  ["brought back from another address it is refused with RST"] = "从另一个地址带回来，就被 RST 拒绝",
  ["and from another port"] = "从另一个端口也是",
  ["from the right one it makes a connection"] = "从正确的地方来，就建立连接",
})
