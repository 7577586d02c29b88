-- TCP-Q-12  ACK flood.
-- SYN cookies move the attack: an ACK with an invented number costs the server a hash to find out that the cookie is none of its own.
-- No connection comes of it, and no memory is used, but the processor is: real requests wait behind the rubbish.
-- tshark-allow: Connection reset (RST) (invented cookies are refused with RST)
-- tshark-allow: Previous segment(s) not captured (invented segments belong to nothing)
local hs = require "hopscope"
hs.title { en = "TCP-Q-12 ACK flood", zh = "TCP-Q-12 ACK 泛洪" }

local r, client, attacker, server = hs.router "r", hs.host "client", hs.host "attacker", hs.host "server"
for _, h in ipairs { client, attacker, server } do hs.link(h, r, { delay = "1ms" }) end
r:route { to = "10.66.0.0/16", type = "blackhole" }
server:sysctl("net.ipv4.tcp_syncookies", 2)
-- The server's processor takes 50 us for a frame: 20 000 frames a second at most.
server:dev():ring { size = 4096, packet_cost = "50us", irq_cost = 0 }

server:spawn(function(os)
  local listener = os.tcp():bind(5000):listen(64)
  while true do
    local conn = listener:accept()
    conn:on_data(function(c, data)
      if data then c:write(data) else c:close() end
    end)
  end
end)
for _, h in ipairs { client, attacker } do h:ping("server", { count = 1 }) end

local rng = hs.rng "attack"
-- Mean time of a request (one connection, one question, one answer) while `rate` ACKs a second are invented for one second.
local function service(rate)
  local before = { failed = server:counter "TcpExtSyncookiesFailed", passive = server:counter "TcpPassiveOpens" }
  local sent, stop, sum, n = 0, hs.now() + 1, 0, 0
  local function attack()
    if hs.now() >= stop then return end
    sent = sent + 1
    attacker:forge { to = server, dport = 5000, flags = "A", src = string.format("10.66.%d.%d", rng:integer(0, 255), rng:integer(1, 254)),
      sport = rng:integer(1024, 65535), seq = rng:integer(0, 4294967295), ack = rng:integer(0, 4294967295) }
    hs.after(rng:exponential(1 / rate), attack)
  end
  if rate > 0 then attack() end
  for i = 1, 18 do
    hs.after(0.05 * i, function()
      client:spawn(function(os)
        local t = hs.now()
        local conn = os.tcp():connect("server", 5000)
        conn:write "question"
        conn:read()
        sum, n = sum + hs.now() - t, n + 1
        conn:close()
      end)
    end)
  end
  hs.run "2s"
  return { sent = sent, time = sum / n, n = n, failed = server:counter "TcpExtSyncookiesFailed" - before.failed,
    opened = server:counter "TcpPassiveOpens" - before.passive }
end

local last
for _, rate in ipairs { 0, 8000, 14000, 18000 } do
  local s = service(rate)
  hs.note({
    en = "%d invented ACKs: %d verifications failed; %d real requests, %.3f ms each",
    zh = "%d 个捏造的 ACK：%d 次验证失败；%d 次真实的请求，每次 %.3f ms",
  }, s.sent, s.failed, s.n, s.time * 1000)
  hs.expect_equal("every invented cookie is verified, at " .. rate .. " a second", s.failed, s.sent)
  hs.expect_equal("connections are opened for the 18 real requests only", { s.opened, s.n }, { 18, 18 })
  if last then
    hs.expect("real requests take longer than with fewer of them", s.time > last, s.time)
  else
    -- two round trips of 4 ms, and 50 us for each of the three frames that the server must see: SYN, ACK, and question
    hs.expect_between("without an attack: two round trips and the processor's share", s.time, 0.008, 0.0083)
  end
  last = s.time
end
hs.expect("close to the limit of 20 000 a second a request takes much longer than without", last > 0.0083, last)

hs.translate("zh", {
  ["every invented cookie is verified, at {} a second"] = "每个捏造的 cookie 都要验证，每秒 {} 个",
  ["connections are opened for the 18 real requests only"] = "只为 18 个真实的请求打开连接",
  ["without an attack: two round trips and the processor's share"] = "没有攻击：两个往返和处理器的一份时间",
  ["real requests take longer than with fewer of them"] = "真实的请求比捏造的较少时用时更长",
  ["close to the limit of 20 000 a second a request takes much longer than without"] = "接近每秒 20 000 的极限时，一个请求比没有攻击时长得多",
})
