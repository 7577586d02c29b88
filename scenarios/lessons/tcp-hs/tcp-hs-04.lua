-- TCP-HS-04  First SYN lost.
-- Nobody answers: the client sends the same SYN again, each wait twice as long as the one before, beginning with one second (RFC 6298
-- 2.1, 5.5). After tcp_syn_retries repetitions it waits once more and gives up: with n, at 2^(n+1)-1 s.
-- Since Linux 6.5 the first four repetitions come every second (tcp_syn_linear_timeouts); the classic doubling is that set to 0.
local hs = require "hopscope"
hs.title { en = "TCP-HS-04 First SYN lost", zh = "TCP-HS-04 第一个 SYN 丢失" }

local client, server = hs.host "client", hs.host "server"
local link = hs.link(client, server, { delay = "10ms" })
client:arp_set("server", server:dev().mac)
link:dir(client):set { loss = 1 }
local frames = hs.frames { filter = function(p) return p.tcp end }

-- Connects in vain; the times of all SYNs, of the failure, from the first SYN on, and its errno.
local function try(retries, linear)
  client:sysctl("net.ipv4.tcp_syn_retries", retries)
  client:sysctl("net.ipv4.tcp_syn_linear_timeouts", linear)
  local first, begin = #frames + 1, hs.now()
  local failed, errno
  client:spawn(function(os)
    errno = select(2, os.tcp():connect("server", 5010))
    failed = hs.now() - begin
  end)
  hs.run "300s"
  local times, seqs = {}, {}
  for i = first, #frames do
    times[#times + 1] = math.floor(frames[i].time - begin + 0.5)
    hs.expect_near("on the second exactly", frames[i].time - begin, times[#times], 1e-9)
    seqs[#seqs + 1] = frames[i].packet.tcp.seq
  end
  for i = 2, #seqs do hs.expect_equal("the same SYN", seqs[i], seqs[1]) end
  return times, failed, errno
end

hs.note {
  en = "tcp_syn_retries 5, doubling: again at 1, 3, 7, 15 and 31 s; given up at 63 s.",
  zh = "tcp_syn_retries 为 5，每次加倍：在 1、3、7、15 和 31 s 重传；63 s 时放弃。",
}
local times, failed, errno = try(5, 0)
hs.expect_equal("sent at once and at 1, 3, 7, 15, 31 s", times, { 0, 1, 3, 7, 15, 31 })
hs.expect_near("given up at 63 s", failed, 63, 1e-6)
hs.expect_equal("connect reports: timed out", errno, "ETIMEDOUT")

hs.note { en = "With n repetitions the failure comes at 2^(n+1)-1 seconds.", zh = "重传 n 次时，失败发生在 2^(n+1)-1 秒。" }
for n = 1, 6 do
  local _, at = try(n, 0)
  hs.expect_near("n = " .. n .. ": " .. 2 ^ (n + 1) - 1 .. " s", at, 2 ^ (n + 1) - 1, 1e-6)
end

hs.note {
  en = "Linux today: 6 repetitions beside 4 that come every second first: 1, 2, 3, 4 s, and only then doubling.",
  zh = "如今的 Linux：除 6 次重传之外，先有每秒一次的 4 次：1、2、3、4 s，之后才加倍。",
}
times, failed = try(6, 4)
-- waits of 1 s five times (0..4 and the first of the doubling row), then 2, 4, 8, 16, 32 s, and 64 s until the end
hs.expect_equal("at 1, 2, 3, 4, 5 s, then after 2, 4, 8, 16, 32 s more", times, { 0, 1, 2, 3, 4, 5, 7, 11, 19, 35, 67 })
hs.expect_near("given up at 67 + 64 = 131 s", failed, 131, 1e-6)

hs.translate("zh", {
  ["on the second exactly"] = "正好在整秒",
  ["the same SYN"] = "同样的 SYN",
  ["sent at once and at 1, 3, 7, 15, 31 s"] = "立刻发送，又在 1、3、7、15、31 s 发送",
  ["given up at 63 s"] = "63 s 时放弃",
  ["connect reports: timed out"] = "connect 报告：超时",
  ["n = {}: {} s"] = "n = {}：{} s",
  ["at 1, 2, 3, 4, 5 s, then after 2, 4, 8, 16, 32 s more"] = "在 1、2、3、4、5 s，然后再过 2、4、8、16、32 s",
  ["given up at 67 + 64 = 131 s"] = "在 67 + 64 = 131 s 放弃",
})
