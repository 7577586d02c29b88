-- TCP-TW-09  tcp_tw_reuse.
-- connect may take over a four-tuple that has been in TIME-WAIT for more than a second, if timestamps were in use: they make sure that old segments
-- are recognised (RFC 6191, RFC 7323 PAWS). 0: never; 1: always; 2, today's default: only over the loopback. It is for connect only: a server
-- that waits gains nothing (Linux tcp_twsk_unique).
local hs = require "hopscope"
hs.title { en = "TCP-TW-09 tcp_tw_reuse", zh = "TCP-TW-09 tcp_tw_reuse" }

local n = 0
-- One local port is all the client has. After its first connection it tries again `age` seconds into TIME-WAIT.
local function again(age, reuse, timestamps)
  n = n + 1
  local client, server = hs.host("client" .. n), hs.host("server" .. n)
  hs.link(client, server, { delay = "1ms" })
  client:sysctl("net.ipv4.ip_local_port_range", "40000 40000")
  client:sysctl("net.ipv4.tcp_tw_reuse", reuse)
  client:sysctl("net.ipv4.tcp_timestamps", timestamps)
  local waiting
  hs.on("tcp.state", function(e) if e.new == "TIME-WAIT" then waiting = e.time end end, { node = client })
  server:spawn(function(os)
    local listener = os.tcp():bind(5000):listen(8)
    while true do
      local conn = listener:accept()
      conn:read()
      conn:close()
    end
  end)
  local result
  client:spawn(function(os)
    os.tcp():connect(server, 5000):close()
    os.sleep "100ms"
    os.sleep(waiting + age - hs.now())
    local conn, err = os.tcp():connect(server, 5000)
    result = conn and "works" or err
  end)
  hs.run "3s"
  hs.note({ en = "tcp_tw_reuse %d, timestamps %s, %g s in TIME-WAIT: %s", zh = "tcp_tw_reuse 为 %d，时间戳%s，在 TIME-WAIT 中 %g s：%s" }, reuse,
    timestamps == 1 and { en = "on", zh = "开启" } or { en = "off", zh = "关闭" }, age, result == "works" and { en = result, zh = "成功" } or result)
  return result
end
hs.expect_equal("fails at 0.9 s", again(0.9, 1, 1), "EADDRNOTAVAIL")
hs.expect_equal("works at 1.1 s", again(1.1, 1, 1), "works")
hs.expect_equal("not with timestamps off", again(1.1, 1, 0), "EADDRNOTAVAIL")
hs.expect_equal("not with tcp_tw_reuse 0", again(1.1, 0, 1), "EADDRNOTAVAIL")
hs.expect_equal("nor with 2, for this is not the loopback", again(1.1, 2, 1), "EADDRNOTAVAIL")
hs.expect_equal("2 is today's default", hs.host("fresh"):sysctl "net.ipv4.tcp_tw_reuse", 2)

hs.note {
  en = "A server that closes first, with tcp_tw_reuse 0 and 1: five connections, and what is left of them.",
  zh = "先关闭的服务器，tcp_tw_reuse 为 0 和 1：五条连接，以及留下的东西。",
}
local function server_waits(reuse)
  local client, server = hs.host("browser" .. reuse), hs.host("web" .. reuse)
  hs.link(client, server, { delay = "1ms" })
  server:sysctl("net.ipv4.tcp_tw_reuse", reuse)
  server:spawn(function(os)
    local listener = os.tcp():bind(5000):listen(8)
    while true do listener:accept():close() end
  end)
  client:spawn(function(os)
    for _ = 1, 5 do
      local conn = os.tcp():connect(server, 5000)
      conn:read()
      conn:close()
      os.sleep "2s"
    end
  end)
  hs.run "15s"
  local during = server:sockstat().tw
  hs.run "60s"
  return { during, server:sockstat().tw }
end
local without, with = server_waits(0), server_waits(1)
hs.expect_equal("no effect on an accepting server: five waits, for 60 s", { without, with }, { { 5, 0 }, { 5, 0 } })

hs.translate("zh", {
  ["fails at 0.9 s"] = "0.9 s 时失败",
  ["works at 1.1 s"] = "1.1 s 时成功",
  ["not with timestamps off"] = "时间戳关闭时不行",
  ["not with tcp_tw_reuse 0"] = "tcp_tw_reuse 为 0 时不行",
  ["nor with 2, for this is not the loopback"] = "为 2 时也不行，因为这不是环回",
  ["2 is today's default"] = "2 是如今的默认值",
  ["no effect on an accepting server: five waits, for 60 s"] = "对接受连接的服务器没有作用：五个等待，60 s",
})
