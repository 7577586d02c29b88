-- SOCK-07  Bind conflict.
-- A listener's name is address and port. The same pair can be had once; the same port on another local address is another name.
-- The address 0.0.0.0 stands for all of them, so it is in conflict with each (Linux inet_csk_get_port, inet_bind_conflict).
local hs = require "hopscope"
hs.title { en = "SOCK-07 Bind conflict", zh = "SOCK-07 绑定冲突" }

local client, server = hs.host "client", hs.host "server"
hs.link(client, server, { subnet = "10.0.0.0/24" })
server:address("eth0", "10.0.0.2/24")
server:address("eth0", "10.0.0.50/24")
local first = "10.0.0.2"

local function errno(value, why) return value == nil and why or "fine" end

hs.note({ en = "The server has two addresses, %s and 10.0.0.50.", zh = "服务器有两个地址，%s 和 10.0.0.50。" }, first)
local one = server:tcp():bind(first, 80)
hs.expect_equal("the same address and port again: EADDRINUSE", errno(server:tcp():bind(first, 80)), "EADDRINUSE")
local two = server:tcp()
hs.expect_equal("the same port on the other address is fine", errno(two:bind("10.0.0.50", 80)), "fine")
hs.expect_equal("another port on the first address is fine", errno(server:tcp():bind(first, 81)), "fine")
hs.expect_equal("0.0.0.0 includes both: EADDRINUSE", errno(server:tcp():bind("0.0.0.0", 80)), "EADDRINUSE")
hs.expect_equal("and the other way round: all of port 8080 …", errno(server:tcp():bind(8080)), "fine")
hs.expect_equal("… leaves none of it", errno(server:tcp():bind("10.0.0.50", 8080)), "EADDRINUSE")

hs.note {
  en = "Two servers listen on port 80 of one machine, each at its own address, and each gets its own callers.",
  zh = "两个服务器在一台机器的端口 80 上监听，各用自己的地址，各有自己的来访者。",
}
one:listen(8)
two:listen(8)
local conns = {}
client:spawn(function(os)
  os.tcp():connect(first, 80)
  conns[1] = one:accept(0)
  hs.expect("a call to the first address reaches the first", conns[1] and not two:accept(0))
  os.tcp():connect("10.0.0.50", 80)
  conns[2] = two:accept(0)
  hs.expect("a call to the second reaches the second", conns[2] ~= nil)
end)
hs.run "1s"

hs.note { en = "When the socket is closed, its name is free again.", zh = "套接字关闭之后，它的名字又空出来了。" }
for _, sock in ipairs { one, two, conns[1], conns[2] } do sock:close() end
hs.run "61s" -- the callers are gone; should a connection be in TIME_WAIT, that is over after 60 s
hs.expect_equal("port 80 can be had again", errno(server:tcp():bind("0.0.0.0", 80)), "fine")

hs.translate("zh", {
  ["the same address and port again: EADDRINUSE"] = "同样的地址和端口再来一次：EADDRINUSE",
  ["the same port on the other address is fine"] = "另一个地址上的同一端口可以",
  ["another port on the first address is fine"] = "第一个地址上的另一端口可以",
  ["0.0.0.0 includes both: EADDRINUSE"] = "0.0.0.0 包含两者：EADDRINUSE",
  ["and the other way round: all of port 8080 …"] = "反过来也一样：占用整个端口 8080……",
  ["… leaves none of it"] = "……就什么也不剩",
  ["a call to the first address reaches the first"] = "到第一个地址的连接到达第一个",
  ["a call to the second reaches the second"] = "到第二个地址的连接到达第二个",
  ["port 80 can be had again"] = "端口 80 又可以得到",
})
