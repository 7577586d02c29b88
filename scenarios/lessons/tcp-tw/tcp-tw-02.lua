-- TCP-TW-02  Reason 1: old data.
-- A segment can be delayed in the network and arrive when its connection is long over. If the same four-tuple is in use again, and the sequence
-- numbers fit, the new connection takes it for its own (RFC 9293 3.4.1, RFC 1337). TIME-WAIT keeps the four-tuple free until all old
-- segments have died. The wrong stack here has no TIME-WAIT, and initial sequence numbers that are always the same.
-- tshark-allow: Connection reset (RST) (the old segment finds no connection)
-- tshark-allow: D-SACK Sequence (what came twice is reported)
local hs = require "hopscope"
hs.title { en = "TCP-TW-02 Reason 1: old data", zh = "TCP-TW-02 理由 1：旧数据" }

local OLD, NEW = ("OLD!"):rep(250), ("new."):rep(250) -- 1000 bytes each

local function twice(name, wait)
  local client, server = hs.host("client-" .. name), hs.host("server-" .. name)
  local link = hs.link(client, server, { delay = "10ms" })
  for _, h in ipairs { client, server } do
    h:sysctl("net.ipv4.tcp_timestamps", 0)   -- timestamps would unmask the old segment (PAWS, RFC 7323)
    h:sysctl("hopscope.tcp_isn", 2)
    h:sysctl("hopscope.tcp_isn_fixed", 999)  -- the first byte is number 1000
    h:sysctl("hopscope.tcp_timewait_len", wait)
  end
  client:ping(server, { count = 1 })
  -- The network makes a copy of the first data segment, and delivers it 5 s late.
  local copied = false
  link:dir(client):rule(function(p)
    if p.tcp and p.tcp.data_len == 1000 and not copied then
      copied = true
      hs.note({
        en = "%s: the segment with sequence number %s and 1000 bytes is duplicated; the copy takes 5 s.",
        zh = "%s：序号为 %s、有 1000 字节的报文段被复制了一份；副本用了 5 s。",
      }, name, p.tcp.seq)
      return { "duplicate", gap = "5s" }
    end
  end)
  local r = { read = {}, errors = {} }
  server:spawn(function(os)
    local listener = os.tcp():bind(5000):listen(8)
    while true do
      local conn = listener:accept()
      r.read[#r.read + 1] = ""
      local n = #r.read
      while true do
        local data = conn:read()
        if not data then break end
        r.read[n] = r.read[n] .. data
      end
      conn:close()
    end
  end)
  client:spawn(function(os)
    local conn = os.tcp({ reuseaddr = true }):bind(6000):connect(server, 5000)
    conn:write(OLD)
    os.sleep "100ms"
    conn:close()
    -- The same four-tuple again, as soon as the system allows it; this connection speaks only later.
    for try = 1, 100 do
      os.sleep "1s"
      local again = os.tcp({ reuseaddr = true }):bind(6000)
      local ok, err = again, nil
      if again then ok, err = again:connect(server, 5000) end
      if ok then
        r.connected = hs.now()
        os.sleep "10s"
        again:write(NEW)
        os.sleep "100ms"
        again:close()
        return
      end
      r.errors[#r.errors + 1] = err or "EADDRINUSE"
      if again then again:close() end
    end
  end)
  local t0 = hs.now()
  hs.run "100s"
  r.after = r.connected and r.connected - t0
  return r
end

local off = twice("off", 0)
hs.note({
  en = "Without TIME-WAIT the new connection is there after %.1f s, and its server reads \"%s…\".",
  zh = "没有 TIME-WAIT 时，新连接在 %.1f s 之后建立，它的服务器读到“%s…”。",
}, off.after, off.read[2]:sub(1, 8))
hs.expect_equal("the first connection was all right", off.read[1], OLD)
hs.expect_equal("wait off: the new connection delivers the 1000 bytes of the old one", off.read[2], OLD)
hs.expect("and its own 1000 bytes, which have the same numbers, are lost", not off.read[2]:find("new", 1, true), #off.read[2])

local on = twice("on", 60)
hs.note({
  en = "With TIME-WAIT the new connection is refused %d times (%s), and there after %.1f s.",
  zh = "有 TIME-WAIT 时，新连接被拒绝 %d 次（%s），在 %.1f s 之后建立。",
}, #on.errors, on.errors[1], on.after)
hs.expect_equal("wait on: the same four-tuple is refused", on.errors[1], "EADDRNOTAVAIL")
hs.expect_between("it cannot start before the old segments have died", on.after, 60, 62)
hs.expect_equal("both connections are all right", { on.read[1] == OLD, on.read[2] == NEW }, { true, true })

hs.translate("zh", {
  ["the first connection was all right"] = "第一条连接一切正常",
  ["wait off: the new connection delivers the 1000 bytes of the old one"] = "不等待：新连接交付了旧连接的 1000 字节",
  ["and its own 1000 bytes, which have the same numbers, are lost"] = "它自己的 1000 字节编号相同，却丢失了",
  ["wait on: the same four-tuple is refused"] = "等待：同样的四元组被拒绝",
  ["it cannot start before the old segments have died"] = "在旧的报文段消亡之前它不能开始",
  ["both connections are all right"] = "两条连接都正常",
})
