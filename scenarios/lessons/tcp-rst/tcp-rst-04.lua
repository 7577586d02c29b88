-- TCP-RST-04  Guessing versus listening.
-- Who does not see a connection's segments has to guess: with the old rule one of 2^32 / window numbers, with the current one (RFC 5961)
-- one of 2^32. Who sees them, on the path or at a mirror port, simply takes the next number, and neither random initial sequence numbers
-- (RFC 6528) nor the exact rule help: that needs cryptography.
-- tshark-allow: Connection reset (RST) (that is what the lesson is about)
local hs = require "hopscope"
hs.title { en = "TCP-RST-04 Guessing versus listening", zh = "TCP-RST-04 猜测与窃听" }

local client, server, mallory, sw = hs.host "client", hs.host "server", hs.host "mallory", hs.switch "sw"
for _, h in ipairs { client, server, mallory } do hs.link(h, sw) end
hs.link(mallory, sw, { dev = { mallory = "tap" }, address = { mallory = false } })
local tap_port = sw:port(4) -- the fourth cable
mallory:ping(server, { count = 1 })
client:ping(server, { count = 1 })
local SPACE = 2 ^ 32 // 1 | 0

local port = 5000
local function connect()
  port = port + 1
  local c, here = {}, port
  server:spawn(function(os)
    c.conn = os.tcp({ rcvbuf = 4000000 }):bind(here):listen(8):accept()
    c.conn:read()
    c.error = select(2, c.conn:read())
  end)
  client:spawn(function(os)
    os.sleep "1ms"
    local own = os.tcp():connect(server, here)
    c.sport, c.dport = select(2, own:local_addr()), here
    own:write "hello"
    os.sleep "1h"
  end)
  hs.run "100ms"
  c.window = c.conn:info().rcv_wnd
  return c
end
-- One forged segment; whether the connection has died of it.
local function try(c, seq)
  mallory:forge { src = client, to = server, sport = c.sport, dport = c.dport, seq = seq, flags = "R" }
  hs.run "10us"
  return c.conn:state() == "CLOSED"
end
-- The whole space in steps of a window, from a random number on: how many tries it takes; nil: in vain.
local rng = hs.rng "mallory"
local function sweep(c)
  local begin, tries = rng:integer(0, SPACE - 1), SPACE // c.window + 1
  for i = 1, tries do
    if try(c, (begin + (i - 1) * c.window) % SPACE) then return i, tries end
  end
  return nil, tries
end

hs.note {
  en = "Blind, old rule: the server believes a RST anywhere in its window (hopscope.tcp_quirks 1).",
  zh = "盲目，旧规则：服务器相信落在窗口内任何位置的 RST（hopscope.tcp_quirks 1）。",
}
server:sysctl("hopscope.tcp_quirks", 1)
local COUNT, sum, most, ended = 20, 0, 0, 0
local window
for _ = 1, COUNT do
  local c = connect()
  local tries, all = sweep(c)
  window = c.window
  if tries and tries <= all and c.error == "ECONNRESET" then ended = ended + 1 end
  sum, most = sum + tries, math.max(most, tries)
end
hs.note({
  en = "The window is %d, 2^32 / window = %d. %d connections: %d tries on average, at most %d.",
  zh = "窗口是 %d，2^32 / 窗口 = %d。%d 条连接：平均尝试 %d 次，最多 %d 次。",
}, window, SPACE // window, COUNT, sum // COUNT, most)
hs.expect_equal("each dies within 2^32 / window tries, and read says ECONNRESET", ended, COUNT)
-- Without repeating a guess, half of 2^32 / window on average; the mean of 20 uniform numbers strays by 1/sqrt(12 * 20), 13 % of the mean:
-- 3 times that is 39 %
hs.expect_near("half of 2^32 / window on average", sum / COUNT, SPACE / window / 2, 0.39 * SPACE / window / 2)

hs.note {
  en = "Guessing at random, old rule: each try hits with probability window / 2^32, so 2^32 / window tries are expected.",
  zh = "随机猜测，旧规则：每次尝试命中的概率是窗口 / 2^32，所以预期需要 2^32 / 窗口次。",
}
sum = 0
for _ = 1, COUNT do
  local c = connect()
  repeat sum = sum + 1 until try(c, rng:integer(0, SPACE - 1))
end
-- the standard deviation of a geometric number is its mean: 1/sqrt(20) = 22 % for the mean of 20; 3 times that is 67 %
hs.note({ en = "%d tries on average.", zh = "平均尝试 %d 次。" }, sum // COUNT)
hs.expect_near("2^32 / window on average", sum / COUNT, SPACE / window, 0.67 * SPACE / window)

hs.note {
  en = "Blind, current rule: the same sweep hits the window once, and the only effect is a challenge ACK.",
  zh = "盲目，现行规则：同样的扫描命中窗口一次，唯一的后果是一个质询 ACK。",
}
server:sysctl("hopscope.tcp_quirks", 0)
local c, before = connect(), server:counter "TcpExtTCPChallengeACK"
local tries = sweep(c)
hs.expect_equal("the sweep is in vain", { tries, c.conn:state() }, { nil, "ESTABLISHED" })
hs.expect_equal("one number was in the window: one challenge ACK", server:counter "TcpExtTCPChallengeACK" - before, 1)
hs.note({ en = "It would take all 2^32 numbers: %d times as many.", zh = "需要试遍全部 2^32 个编号：是原来的 %d 倍。" }, window)

hs.note {
  en = "On the path: the switch mirrors the client's port to Mallory's second card. His first try succeeds, with the current rule.",
  zh = "在路径上：交换机把客户端的端口镜像到 Mallory 的第二块网卡。他的第一次尝试就成功，尽管用的是现行规则。",
}
sw:port(client):mirror(tap_port)
mallory:dev("tap"):promisc(true)
local seen
hs.on("frame.rx", function(e)
  local t = e.packet.tcp
  if t and e.packet.ip.src == client:addr() then seen = t.seq + t.len end
end, { node = mallory })
c = connect()
local first = try(c, seen % SPACE)
hs.run "1s"
hs.expect_equal("the first try succeeds", { first, c.error }, { true, "ECONNRESET" })

hs.translate("zh", {
  ["each dies within 2^32 / window tries, and read says ECONNRESET"] = "每条都在 2^32 / 窗口次尝试之内断送，read 返回 ECONNRESET",
  ["half of 2^32 / window on average"] = "平均为 2^32 / 窗口的一半",
  ["2^32 / window on average"] = "平均为 2^32 / 窗口",
  ["the sweep is in vain"] = "扫描是徒劳的",
  ["one number was in the window: one challenge ACK"] = "有一个编号在窗口内：一个质询 ACK",
  ["the first try succeeds"] = "第一次尝试就成功",
})
