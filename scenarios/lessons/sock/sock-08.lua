-- SOCK-08  One client port, many servers.
-- A connection is identified by four numbers (RFC 9293 3.4): two addresses, two ports. So a client can use one local port toward many
-- servers at once. Even a port whose last connection is still in TIME_WAIT is good for another destination: TIME_WAIT keeps the
-- four-tuple, not the port. Only bind(), which does not know the destination yet, has to refuse.
local hs = require "hopscope"
hs.title { en = "SOCK-08 One client port, many servers", zh = "SOCK-08 一个客户端口，多个服务器" }

-- A client whose range of automatic ports is a single one.
local client = hs.host("client", { sysctl = { ["net.ipv4.ip_local_port_range"] = "64992 64992" } })
local a, b, c, sw = hs.host "a", hs.host "b", hs.host "c", hs.switch "sw"
for _, h in ipairs { client, a, b, c } do hs.link(h, sw, { delay = "1ms" }) end

local received = {}
for _, h in ipairs { a, b, c } do
  h:spawn(function(os)
    local conn, _, port = os.tcp():bind(5678):listen(8):accept()
    received[h.name] = { port = port, text = "" }
    for data in function() return conn:read() end do received[h.name].text = received[h.name].text .. data end
    conn:close()
  end)
end

local to_a, to_b, third
hs.note {
  en = "The client connects to a and to b. It has one port for both, 64992, and writes to them in turns.",
  zh = "客户端连接到 a 和 b。它对两者只用一个端口，64992，轮流向它们写入。",
}
client:spawn(function(os)
  to_a = os.tcp():connect("a", 5678)
  to_b = os.tcp():connect("b", 5678)
  hs.expect_equal("both are established", { to_a:state(), to_b:state() }, { "ESTABLISHED", "ESTABLISHED" })
  for i = 1, 3 do
    to_a:write("A" .. i)
    to_b:write("B" .. i)
    os.sleep "10ms"
  end
  local again, why = os.tcp():connect("a", 5678)
  hs.expect_equal("a second one to the same server would have the same four-tuple", { again, why }, { nil, "EADDRNOTAVAIL" })
  to_a:close()
  to_b:close()
  os.sleep "1s"
  hs.note {
    en = "Both are closed: the client keeps them in TIME_WAIT for a minute. It connects to c all the same.",
    zh = "两者都关闭：客户端把它们在 TIME_WAIT 中保留一分钟。它照样可以连接到 c。",
  }
  hs.expect_equal("two connections in TIME_WAIT", #client:sockets "TIME-WAIT", 2)
  third = os.tcp():connect("c", 5678)
  hs.expect_equal("bind, without a destination, refuses the port", select(2, os.tcp():bind(64992)), "EADDRINUSE")
  os.sleep "1s"
  third:write "C"
  third:close()
end)
hs.run "5s"

hs.expect_equal("all three servers saw the same client port", { received.a.port, received.b.port, received.c.port }, { 64992, 64992, 64992 })
hs.expect_equal("data never crosses", { received.a.text, received.b.text, received.c.text }, { "A1A2A3", "B1B2B3", "C" })

hs.translate("zh", {
  ["both are established"] = "两条都已建立",
  ["a second one to the same server would have the same four-tuple"] = "到同一服务器的第二条会有同样的四元组",
  ["two connections in TIME_WAIT"] = "两条连接处于 TIME_WAIT",
  ["bind, without a destination, refuses the port"] = "没有目的地的 bind 拒绝该端口",
  ["all three servers saw the same client port"] = "三台服务器看到同一个客户端口",
  ["data never crosses"] = "数据从不串线",
})
