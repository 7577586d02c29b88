-- TCP-TW-04  Why exactly 2MSL.
-- The last ACK may die on its way, at most one MSL after it was sent; the FIN that the peer then repeats takes another MSL at most. After 2 MSL
-- nothing that one loss can cause is still to come. Two losses in a row have the probability p^2: waiting 4 or 8 MSL for them is not
-- worth it (RFC 9293 3.6).
-- tshark-allow: Connection reset (RST) (half the wait is not enough)
local hs = require "hopscope"
hs.title { en = "TCP-TW-04 Why exactly 2MSL", zh = "TCP-TW-04 为什么正好是 2MSL" }

local MSL = 30

hs.note {
  en = "The worst case of one loss: the last ACK is lost, and the next FIN that gets through leaves after almost an MSL and travels for almost an MSL.",
  zh = "一次丢失的最坏情形：最后的 ACK 丢失，而下一个能通过的 FIN 在将近一个 MSL 之后发出，又走了将近一个 MSL。",
}
local function worst(name, wait)
  local client, server = hs.host("client-" .. name), hs.host("server-" .. name)
  local link = hs.link(client, server, { delay = "10ms" })
  client:sysctl("hopscope.tcp_timewait_len", wait)
  local first_fin, arrived, answer, lost = nil, nil, nil, false
  link:dir(server):rule(function(p)
    if not (p.tcp and p.tcp.fin) then return end
    first_fin = first_fin or hs.now()
    local age = hs.now() - first_fin
    if age == 0 then return end
    if age < MSL * 0.9 or arrived then return "drop" end
    arrived = hs.now() - first_fin + MSL * 0.98
    return { "delay", MSL * 0.98 }
  end)
  link:dir(client):rule(function(p)
    if not p.tcp or not first_fin then return end
    if not lost then
      lost = true
      return "drop"
    end
    answer = answer or (p.tcp.rst and "RST" or "ACK")
  end)
  server:spawn(function(os)
    local conn = os.tcp():bind(5000):listen(8):accept()
    conn:read()
    os.sleep "100ms"
    conn:shutdown "write"
    os.sleep "1h"
  end)
  client:spawn(function(os)
    local conn = os.tcp():connect(server, 5000)
    os.sleep "100ms"
    conn:close()
  end)
  hs.run "100s"
  hs.note({
    en = "A wait of %d s: the FIN comes after %.1f s and is answered with %s.",
    zh = "等待 %d s：FIN 在 %.1f s 之后到来，得到的应答是 %s。",
  }, wait, arrived, answer)
  return arrived, answer
end
local arrived, answer = worst("one-msl", MSL)
hs.expect_between("the FIN comes between one MSL and two", arrived, MSL, 2 * MSL)
hs.expect_equal("one MSL is not enough", answer, "RST")
arrived, answer = worst("two-msl", 2 * MSL)
hs.expect_equal("two are: one loss is recovered inside the wait", answer, "ACK")

local P, N = 0.2, 1000
hs.note({
  en = "%d connections close; each acknowledgment of a FIN is lost with probability %g.",
  zh = "%d 条连接关闭；每个对 FIN 的确认以概率 %g 丢失。",
}, N, P)
local client, server = hs.host "client", hs.host "server"
local link = hs.link(client, server, { delay = "10ms" })
local rng = hs.rng "loss"
local fins = {} -- how often each connection's server has sent its FIN
link:dir(client):rule(function(p)
  if p.tcp and fins[p.tcp.sport] and rng:chance(P) then return "drop" end
end)
hs.on("frame.tx", function(e)
  local tcp = e.packet.tcp
  if tcp and tcp.fin then fins[tcp.dport] = (fins[tcp.dport] or 0) + 1 end
end, { node = server })
server:spawn(function(os)
  local listener = os.tcp():bind(5000):listen(4096)
  while true do
    listener:accept():on_data(function(conn, data) if not data then conn:close() end end)
  end
end)
client:spawn(function(os)
  for _ = 1, N do
    local conn = os.tcp():connect("server", 5000)
    conn:close()
    os.sleep "1ms"
  end
end)
hs.run "60s"
local total, one, two = 0, 0, 0
for _, n in pairs(fins) do
  total = total + 1
  if n >= 2 then one = one + 1 end
  if n >= 3 then two = two + 1 end
end
hs.note({ en = "%d of %d needed a second FIN, %d a third.", zh = "需要第二个 FIN 的有 %d 条，共 %d 条；需要第三个的有 %d 条。" }, one, total, two)
hs.expect_equal("all were closed", total, N)
-- four standard deviations of a binomial distribution
local function near(name, got, p) hs.expect_near(name, got / N, p, 4 * math.sqrt(p * (1 - p) / N)) end
near("a loss has the probability p", one, P)
near("two in a row have the probability p^2", two, P ^ 2)

hs.translate("zh", {
  ["the FIN comes between one MSL and two"] = "FIN 在一个 MSL 和两个之间到来",
  ["one MSL is not enough"] = "一个 MSL 不够",
  ["two are: one loss is recovered inside the wait"] = "两个够了：一次丢失在等待之内得到恢复",
  ["all were closed"] = "全部关闭",
  ["a loss has the probability p"] = "丢失一次的概率是 p",
  ["two in a row have the probability p^2"] = "连续两次的概率是 p^2",
})
