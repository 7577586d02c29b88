-- UDP-13  Live streaming.
-- Fifty pictures a second, 2 % of the packets lost. Over UDP a lost picture is a gap, and all others come on time. Over TCP there are
-- no gaps, but everything behind a lost segment waits for its repetition: the delay jumps. For live pictures a gap is harmless and
-- lateness is not (RFC 8085 3.1.1); many uplinks use TCP all the same, and buffer.
-- tshark-allow: Previous segment(s) not captured (lost ones)
-- tshark-allow: This frame is a (suspected) out-of-order segment (repetitions)
local hs = require "hopscope"
hs.title { en = "UDP-13 Live streaming", zh = "UDP-13 实况流" }

local N, GAP, SIZE = 1000, 0.02, 1000
local camera, viewer = hs.host "camera", hs.host "viewer"
hs.link(camera, viewer, { rate = "10Mbps", delay = "30ms", loss = "2%" })
camera:arp_set("viewer", viewer:dev().mac)
viewer:arp_set("camera", camera:dev().mac)

local function picture(i) return string.format("%04d", i) .. ("."):rep(SIZE - 4) end
local delay, born = { udp = {}, tcp = {} }, { udp = {}, tcp = {} }
local function show(kind, i) delay[kind][#delay[kind] + 1] = hs.now() - born[kind][i] end

viewer:udp { port = 5679, on_datagram = function(data) show("udp", tonumber(data:sub(1, 4))) end }
viewer:spawn(function(os)
  local conn, buf = os.tcp():bind(5678):listen(8):accept(), ""
  for data in function() return conn:read() end do
    buf = buf .. data
    while #buf >= SIZE do
      show("tcp", tonumber(buf:sub(1, 4)))
      buf = buf:sub(SIZE + 1)
    end
  end
end)
local function stream(kind, send)
  for i = 1, N do
    born[kind][i] = hs.now()
    send(picture(i))
    hs.sleep(GAP)
  end
end
hs.note { en = "The camera sends the same pictures twice: over UDP, and over TCP.", zh = "摄像机把同样的画面发送两次：用 UDP，以及用 TCP。" }
camera:spawn(function(os)
  local sock = os.udp():connect("viewer", 5679)
  stream("udp", function(data) sock:send(data) end)
end)
camera:spawn(function(os)
  local sock = os.tcp({ nodelay = true }):connect("viewer", 5678)
  stream("tcp", function(data) sock:write(data) end)
  sock:close()
end)
hs.run "40s"

local function range(list)
  local low, high, late = math.huge, 0, 0
  for _, d in ipairs(list) do
    low, high = math.min(low, d), math.max(high, d)
    if d > 0.05 then late = late + 1 end
  end
  return low, high, late
end
local ulow, uhigh, ulate = range(delay.udp)
local tlow, thigh, tlate = range(delay.tcp)
hs.log({ en = "UDP: %d of %d pictures, %.1f to %.1f ms", zh = "UDP：%d 个画面（共 %d 个），时延 %.1f 到 %.1f ms" },
  #delay.udp, N, ulow * 1000, uhigh * 1000)
hs.log({
  en = "TCP: %d of %d pictures, %.1f to %.1f ms, %d later than 50 ms",
  zh = "TCP：%d 个画面（共 %d 个），时延 %.1f 到 %.1f ms，其中 %d 个晚于 50 ms",
}, #delay.tcp, N, tlow * 1000, thigh * 1000, tlate)
-- 2 % of 1000 is 20, with a standard deviation of 4.4.
hs.expect_between("UDP shows gaps: about 2 % of the pictures are missing", N - #delay.udp, 5, 40)
-- 30 ms and 0.85 ms of serialisation; now and then a packet of the other stream is in front.
hs.expect_between("its delay is steady", uhigh - ulow, 0, "2ms")
hs.expect_equal("no picture is late", ulate, 0)
hs.expect_equal("TCP shows no gaps", #delay.tcp, N)
hs.expect_near("its delay is the same at best", tlow, ulow, "1ms")
-- A lost segment is noticed, at the earliest, when the next one is acknowledged: a round trip of 60 ms and more behind its place.
hs.expect("but it jumps: a repetition takes at least a round trip more", thigh > ulow + 0.06, thigh)
hs.expect_between("each loss makes several pictures late", tlate, 20, 300)

hs.translate("zh", {
  ["UDP shows gaps: about 2 % of the pictures are missing"] = "UDP 出现缺口：约 2 % 的画面缺失",
  ["its delay is steady"] = "它的时延是稳定的",
  ["no picture is late"] = "没有画面迟到",
  ["TCP shows no gaps"] = "TCP 没有缺口",
  ["its delay is the same at best"] = "它的时延最好时也一样",
  ["but it jumps: a repetition takes at least a round trip more"] = "但会跳变：一次重传至少多用一个往返",
  ["each loss makes several pictures late"] = "每次丢失使好几个画面迟到",
})
