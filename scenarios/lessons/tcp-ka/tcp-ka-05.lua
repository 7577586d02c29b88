-- TCP-KA-05  Application heartbeat.
-- Keepalive takes two hours and only says that a kernel answers. Applications that must know sooner talk themselves: here the server says
-- "ping" every 5 s and takes the client for dead when three in a row stay unanswered, 15 s. A heartbeat also finds what keepalive does not:
-- a program that hangs.
-- tshark-allow: Connection reset (RST) (the server gives the silent connection up)
local hs = require "hopscope"
hs.title { en = "TCP-KA-05 Application heartbeat", zh = "TCP-KA-05 应用程序的心跳" }

local HEARTBEAT, MISSES = 5, 3

-- A server with a heartbeat; what the client does is up to the caller. Returns the time of the last pong and that of the verdict.
local function watch(name, answer)
  local client, server = hs.host("client-" .. name), hs.host("server-" .. name)
  local sw = hs.switch("sw-" .. name)
  hs.link(client, sw, { delay = "5ms" })
  hs.link(server, sw, { delay = "5ms" })
  local r = { pongs = 0 }
  server:spawn(function(os)
    local conn = os.tcp({ keepalive = true }):bind(5000):listen(8):accept()
    local misses, next_beat = 0, hs.now()
    while misses < MISSES do
      conn:write "ping"
      r.unanswered_since = r.unanswered_since or hs.now()
      next_beat = next_beat + HEARTBEAT
      local data = conn:read(16, next_beat - hs.now())
      if data then
        misses, r.unanswered_since = 0, nil
        r.pongs = r.pongs + 1
        os.sleep(next_beat - hs.now())
      else
        misses = misses + 1
      end
    end
    r.verdict = hs.now()
    r.state = conn:state()
    conn:setopt("SO_LINGER", 0)
    conn:close()
  end)
  client:spawn(function(os)
    local conn = os.tcp():connect(server, 5000)
    while conn:read() do answer(os, conn) end
  end)
  return r, client, server
end

local function pong(_, conn) conn:write "pong" end
local crashed, client, server = watch("crash", pong)
hs.run "62s"
hs.note {
  en = "The client's power fails at 62 s. Its last pong was an answer to the ping of 60 s; the one of 65 s stays unanswered.",
  zh = "客户端在 62 s 断电。它的最后一个 pong 应答的是 60 s 的 ping；65 s 的那个没有应答。",
}
client:power(false)
hs.run "60s"
hs.note({
  en = "The first unanswered ping: %.2f s; the verdict: %.2f s.",
  zh = "第一个没有应答的 ping：%.2f s；作出判断：%.2f s。",
}, crashed.unanswered_since, crashed.verdict)
hs.expect_equal("13 pings were answered: at 0, 5, ... 60 s", crashed.pongs, 13)
hs.expect_near("death is detected after heartbeat x misses: 15 s", crashed.verdict - crashed.unanswered_since, HEARTBEAT * MISSES, 1e-6)
hs.expect_equal("TCP itself still tries", crashed.state, "ESTABLISHED")
hs.expect_equal("keepalive, 7200 s of silence away, has sent nothing", server:counter "TcpExtTCPKeepAlive", 0)

local begin = hs.now()
local hung = watch("hang", function(os, conn)
  if hs.now() - begin > 62 then os.sleep "24h" end -- the program hangs, its kernel does not
  pong(os, conn)
end)
hs.run "120s"
hs.expect_equal("a client that hangs is found as well", hung.pongs, 13)
hs.expect_near("in the same time", hung.verdict - hung.unanswered_since, HEARTBEAT * MISSES, 1e-6)

hs.note { en = "A client that answers is never suspected.", zh = "应答的客户端从不受到怀疑。" }
local healthy = watch("healthy", pong)
hs.run "600s"
hs.expect_equal("no verdict in ten minutes", { healthy.verdict, healthy.pongs }, { nil, 120 })

hs.translate("zh", {
  ["13 pings were answered: at 0, 5, ... 60 s"] = "13 个 ping 得到应答：在 0、5……60 s",
  ["death is detected after heartbeat x misses: 15 s"] = "死亡在心跳间隔 x 缺失次数之后被发现：15 s",
  ["TCP itself still tries"] = "TCP 自己仍在尝试",
  ["keepalive, 7200 s of silence away, has sent nothing"] = "保活要等 7200 s 的沉默，什么也没有发送",
  ["a client that hangs is found as well"] = "停住不动的客户端也会被发现",
  ["in the same time"] = "用时相同",
  ["no verdict in ten minutes"] = "十分钟之内没有作出判断",
})
