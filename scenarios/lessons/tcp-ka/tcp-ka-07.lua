-- TCP-KA-07  Process crash.
-- A connection belongs to the kernel, not to the process. When a process ends, for whatever reason, the kernel closes its descriptors: it
-- sends FIN, and goes through the whole close without it (RFC 9293 3.6). The peer cannot tell a crash from a close. But data that the
-- process has not read makes Linux send RST instead, so that the peer learns that something is lost (RFC 2525 2.17).
-- tshark-allow: Connection reset (RST) (unread data)
local hs = require "hopscope"
hs.title { en = "TCP-KA-07 Process crash", zh = "TCP-KA-07 进程崩溃" }

local client, server = hs.host "client", hs.host "server"
hs.link(client, server, { delay = "10ms" })
client:ping("server", { count = 1 })

local port = 5000
-- Kills one of two processes a second after they are connected; unread: with data in its socket. Returns what was sent from then on, and
-- the states.
local function crash(who, unread)
  port = port + 1
  local here, other, sent, states, seen = port, nil, {}, { client = {}, server = {} }, nil
  local procs = {}
  -- the victim reads nothing when it shall have unread data; the survivor reads, and closes at the end of the stream
  local function life(name, conn)
    if name == who then
      if unread then hs.sleep "1h" end
      conn:read()
    else
      if unread then conn:write "you will never read this" end
      local data, err = conn:read()
      other = err or (data == nil and "end of stream")
      conn:close()
    end
  end
  procs.server = server:spawn(function(os) life("server", (os.tcp():bind(here):listen(8):accept())) end)
  procs.client = client:spawn(function(os)
    os.sleep "1ms"
    life("client", (os.tcp():connect(server, here)))
  end)
  hs.run "1s"
  local killed = hs.now()
  local watch = hs.on("frame.tx", function(e)
    local t = e.packet.tcp
    if t then sent[#sent + 1] = string.format("%s %s", e.node, t.rst and "RST" or t.fin and "FIN" or "ACK") end
    if t and not seen then seen = e.time - killed end
  end)
  local state = hs.on("tcp.state", function(e) if e.new ~= "LISTEN" and e.old ~= "LISTEN" then table.insert(states[e.node], e.new) end end)
  procs[who]:kill()
  hs.run "70s"
  watch:cancel()
  state:cancel()
  hs.note({
    en = "The %s's process is killed%s: %s. The other one's read says: %s.",
    zh = "%s 的进程被杀死%s：%s。另一方的 read 说：%s。",
  }, who, unread and { en = " with data unread", zh = "，还有数据未读" } or "", table.concat(sent, ", "),
    other == "end of stream" and { en = other, zh = "流已结束" } or other)
  return { first = sent[1], at = seen, sent = sent, killed = states[who], survivor = states[who == "client" and "server" or "client"], other = other }
end

for _, who in ipairs { "client", "server" } do
  local peer = who == "client" and "server" or "client"
  local r = crash(who, false)
  hs.expect_equal(who .. " killed: FIN", r.first, who .. " FIN")
  hs.expect_equal(who .. " killed: at that instant", r.at, 0)
  hs.expect_equal("a full close, without the process", { r.sent[#r.sent - 1], r.sent[#r.sent] }, { peer .. " FIN", who .. " ACK" })
  hs.expect_equal("CLOSED at the end, after TIME-WAIT", { r.killed[1], r.killed[#r.killed - 1], r.killed[#r.killed] }, { "FIN-WAIT-1", "TIME-WAIT", "CLOSED" })
  hs.expect_equal("the survivor: CLOSE-WAIT, LAST-ACK, CLOSED", r.survivor, { "CLOSE-WAIT", "LAST-ACK", "CLOSED" })
  hs.expect_equal("its read sees the end of the stream", r.other, "end of stream")
end
for _, who in ipairs { "client", "server" } do
  local r = crash(who, true)
  hs.expect_equal(who .. " killed with data unread: RST and nothing else", r.sent, { who .. " RST" })
  hs.expect_equal("at that instant", r.at, 0)
  hs.expect_equal("the survivor's read fails", { r.other, r.killed, r.survivor }, { "ECONNRESET", { "CLOSED" }, { "CLOSED" } })
end

hs.translate("zh", {
  ["client killed: FIN"] = "客户端被杀死：FIN",
  ["client killed: at that instant"] = "客户端被杀死：就在那一刻",
  ["a full close, without the process"] = "完整的关闭，没有进程参与",
  ["CLOSED at the end, after TIME-WAIT"] = "最后是 CLOSED，在 TIME-WAIT 之后",
  ["the survivor: CLOSE-WAIT, LAST-ACK, CLOSED"] = "幸存的一方：CLOSE-WAIT、LAST-ACK、CLOSED",
  ["its read sees the end of the stream"] = "它的 read 看到流的结束",
  ["server killed: FIN"] = "服务器被杀死：FIN",
  ["server killed: at that instant"] = "服务器被杀死：就在那一刻",
  ["client killed with data unread: RST and nothing else"] = "客户端被杀死而有数据未读：RST，别无其他",
  ["at that instant"] = "就在那一刻",
  ["the survivor's read fails"] = "幸存一方的 read 失败",
  ["server killed with data unread: RST and nothing else"] = "服务器被杀死而有数据未读：RST，别无其他",
})
