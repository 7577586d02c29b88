-- TCP-RST-03  Forged RST.
-- A RST needs no password, only believable numbers: addresses, ports, and a sequence number. RFC 793 took any number inside the receive
-- window; since RFC 5961 it has to be RCV.NXT exactly, and any other in the window is answered with a challenge ACK to the true peer, who
-- would repeat a RST of his own with the right number. hopscope.tcp_quirks 1 brings the old rule back.
-- tshark-allow: Connection reset (RST) (that is what the lesson is about)
local hs = require "hopscope"
hs.title { en = "TCP-RST-03 Forged RST", zh = "TCP-RST-03 伪造的 RST" }

local client, server, mallory, sw = hs.host "client", hs.host "server", hs.host "mallory", hs.switch "sw"
for _, h in ipairs { client, server, mallory } do hs.link(h, sw, { delay = "1ms" }) end
mallory:ping(server, { count = 1 })
client:ping(server, { count = 1 })

local port = 5000
-- A fresh connection, and one RST with the number at(RCV.NXT, window). Returns the server's state, what it answered, and whether data still
-- arrives.
local function forge(at)
  port = port + 1
  local here, conn, alive, sent = port, nil, nil, {}
  server:spawn(function(os)
    conn = os.tcp():bind(here):listen(8):accept()
    conn:read()
    alive = conn:read()
  end)
  local sport
  client:spawn(function(os)
    os.sleep "1ms"
    local own = os.tcp():connect(server, here)
    sport = select(2, own:local_addr())
    own:write "hello"
    os.sleep "1s"
    own:write "still there"
    os.sleep "1s"
  end)
  local edge
  local observer = hs.on("frame.tx", function(e)
    local t = e.packet.tcp
    if not t then return end
    if e.node == "client" and not t.rst then edge = t.seq + t.len end
    if e.node == "server" and sent.watch then sent[#sent + 1] = t.rst and "RST" or "ACK" end
  end)
  hs.run "500ms"
  sent.watch = true
  local window = conn:info().rcv_wnd
  mallory:forge { src = client, to = server, sport = sport, dport = here, seq = at(edge, window) % 2 ^ 32 // 1, flags = "R" }
  hs.run "100ms"
  local state, answer = conn:state(), sent[1] or "nothing"
  hs.run "2s"
  observer:cancel()
  return { state, answer, alive }
end

local cases = {
  { "RCV.NXT", function(nxt) return nxt end, "CLOSED", "CLOSED" },
  { "RCV.NXT + 1", function(nxt) return nxt + 1 end, "CLOSED", "challenge" },
  { "in the middle of the window", function(nxt, wnd) return nxt + wnd // 2 end, "CLOSED", "challenge" },
  { "the window's last number", function(nxt, wnd) return nxt + wnd - 1 end, "CLOSED", "challenge" },
  { "100 behind the window", function(nxt, wnd) return nxt + wnd + 100 end, "ignored", "ignored" },
  { "100 before the window", function(nxt) return nxt - 100 end, "ignored", "ignored" },
}
local want = {
  CLOSED = { "CLOSED", "nothing", nil },
  challenge = { "ESTABLISHED", "ACK", "still there" },
  ignored = { "ESTABLISHED", "nothing", "still there" },
}
local zh = {
  ["current rule (RFC 5961)"] = "现行规则（RFC 5961）",
  ["old rule (RFC 793)"] = "旧规则（RFC 793）",
  ["in the middle of the window"] = "窗口中间",
  ["the window's last number"] = "窗口的最后一个号码",
  ["100 behind the window"] = "窗口之后 100",
  ["100 before the window"] = "窗口之前 100",
}
for quirk, rule in pairs { [0] = "current rule (RFC 5961)", [1] = "old rule (RFC 793)" } do
  server:sysctl("hopscope.tcp_quirks", quirk)
  hs.note { en = rule, zh = zh[rule] }
  for _, c in ipairs(cases) do
    local got, expected = forge(c[2]), c[quirk == 1 and 3 or 4]
    hs.note({ en = "  RST at %-28s %s, the server sends %s", zh = "  RST 在%s %s，服务器发送：%s" },
      { en = c[1] .. ":", zh = (zh[c[1]] or " " .. c[1]) .. "：" }, got[1], got[2] == "nothing" and { en = got[2], zh = "无" } or got[2])
    hs.expect_equal(rule .. ", RST at " .. c[1] .. ": " .. expected, got, want[expected])
  end
end
hs.expect_equal("three numbers of the window were challenged", server:counter "TcpExtTCPChallengeACK", 3)

hs.translate("zh", {
  ["current rule (RFC 5961), RST at RCV.NXT: CLOSED"] = "现行规则（RFC 5961），RST 在 RCV.NXT：CLOSED",
  ["current rule (RFC 5961), RST at RCV.NXT + 1: challenge"] = "现行规则（RFC 5961），RST 在 RCV.NXT + 1：质询",
  ["current rule (RFC 5961), RST at in the middle of the window: challenge"] = "现行规则（RFC 5961），RST 在窗口中间：质询",
  ["current rule (RFC 5961), RST at the window's last number: challenge"] = "现行规则（RFC 5961），RST 在窗口的最后一个号码：质询",
  ["current rule (RFC 5961), RST at 100 behind the window: ignored"] = "现行规则（RFC 5961），RST 在窗口之后 100：不予理会",
  ["current rule (RFC 5961), RST at 100 before the window: ignored"] = "现行规则（RFC 5961），RST 在窗口之前 100：不予理会",
  ["old rule (RFC 793), RST at RCV.NXT: CLOSED"] = "旧规则（RFC 793），RST 在 RCV.NXT：CLOSED",
  ["old rule (RFC 793), RST at RCV.NXT + 1: CLOSED"] = "旧规则（RFC 793），RST 在 RCV.NXT + 1：CLOSED",
  ["old rule (RFC 793), RST at in the middle of the window: CLOSED"] = "旧规则（RFC 793），RST 在窗口中间：CLOSED",
  ["old rule (RFC 793), RST at the window's last number: CLOSED"] = "旧规则（RFC 793），RST 在窗口的最后一个号码：CLOSED",
  ["old rule (RFC 793), RST at 100 behind the window: ignored"] = "旧规则（RFC 793），RST 在窗口之后 100：不予理会",
  ["old rule (RFC 793), RST at 100 before the window: ignored"] = "旧规则（RFC 793），RST 在窗口之前 100：不予理会",
  ["three numbers of the window were challenged"] = "窗口中的三个编号受到质询",
})
