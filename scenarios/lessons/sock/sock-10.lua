-- SOCK-10  Connection limits.
-- In theory a server could have as many connections as there are four-tuples: 2^32 addresses times 2^16 ports of clients, 2^48. In
-- practice each costs a descriptor and memory. At the limit of descriptors (ulimit -n) accept fails with EMFILE, "too many open
-- files". At the limit of memory (net.ipv4.tcp_mem, in pages of 4096 bytes) Linux goes on shaking hands but starves the connections:
-- it advertises small windows and drops what does not fit (__sk_mem_raise_allocated, __tcp_select_window).
-- tshark-allow: TCP Zero Window (memory is short)
-- tshark-allow: Connection reset (a process ends without having read)
local hs = require "hopscope"
hs.title { en = "SOCK-10 Connection limits", zh = "SOCK-10 连接数的限制" }

hs.expect_equal("the theory: 2^32 addresses with 2^16 ports each", 2 ^ 32 * 2 ^ 16, 2 ^ 48)

local client, server, poor = hs.host "client", hs.host "server", hs.host("poor", { sysctl = { ["net.ipv4.tcp_mem"] = "4 6 8" } })
local sw = hs.switch "sw"
for _, h in ipairs { client, server, poor } do hs.link(h, sw, { delay = "1ms" }) end

hs.note {
  en = "A server process that may have 8 descriptors. One is its listener; ten clients call.",
  zh = "一个最多可有 8 个描述符的服务器进程。一个是它的监听者；十个客户端来连接。",
}
local conns, errors = {}, {}
server:spawn(function(os)
  os.ulimit(8)
  local listener = os.tcp():bind(5678):listen(128)
  os.sleep "1s"
  for _ = 1, 10 do
    local conn, why = listener:accept(0)
    if conn then conns[#conns + 1] = conn else errors[#errors + 1] = why end
  end
  hs.expect_equal("seven connections are accepted, then descriptors are out", { #conns, #errors, errors[1] }, { 7, 3, "EMFILE" })
  hs.expect_equal("the other three still wait in the queue", server:sockets("LISTEN")[1].recv_q, 3)
  hs.expect_equal("a new socket cannot be had either", { os.tcp() }, { nil, "EMFILE" })
  hs.note { en = "The process closes one connection. The next accept succeeds.", zh = "进程关闭一条连接。下一次 accept 成功。" }
  conns[1]:close()
  hs.expect("a descriptor came free", listener:accept(0) ~= nil)
  hs.expect_equal("and is used up", { listener:accept(0) }, { nil, "EMFILE" })
end)
local callers = {}
client:spawn(function(os)
  for i = 1, 10 do callers[i] = os.tcp():connect("server", 5678) end
  hs.expect_equal("all ten clients believe that they are connected: the kernel shook hands", #callers, 10)
  os.sleep "2s"
end)
hs.run "3s"

hs.note {
  en = "Another server may use 8 pages of memory for all its connections. Twelve clients send 2000 bytes each, and nobody reads.",
  zh = "另一台服务器的所有连接可以使用 8 页内存。十二个客户端各发送 2000 字节，没有人读。",
}
local windows = {}
poor:tcp():bind(5678):listen(128)
client:spawn(function(os)
  local socks = {}
  for i = 1, 12 do
    socks[i] = os.tcp():connect("poor", 5678)
    socks[i]:write(hs.payload(2000))
    os.sleep "100ms"
  end
  os.sleep "3s"
  for i, sock in ipairs(socks) do windows[i] = sock:info().snd_wnd end
end)
hs.run "10s"
hs.log({ en = "windows: %s", zh = "窗口：%s" }, table.concat(windows, " "))
hs.expect("the first connections got a window of tens of thousands of bytes", windows[1] > 60000, windows[1])
hs.expect("the last ones get next to nothing", windows[12] < 10000, windows[12])
hs.expect_equal("the host went into memory pressure once", poor:counter "TcpExtTCPMemoryPressures", 1)
hs.expect("and threw segments away for want of memory", poor:counter "TcpExtTCPZeroWindowDrop" + poor:counter "TcpExtTCPRcvQDrop" > 0)

hs.translate("zh", {
  ["the theory: 2^32 addresses with 2^16 ports each"] = "理论上：2^32 个地址，各有 2^16 个端口",
  ["all ten clients believe that they are connected: the kernel shook hands"] = "十个客户端都以为已连接：是内核完成了握手",
  ["seven connections are accepted, then descriptors are out"] = "接受了七条连接，然后描述符用完",
  ["the other three still wait in the queue"] = "另外三条仍在队列中等待",
  ["a new socket cannot be had either"] = "也得不到新的套接字",
  ["a descriptor came free"] = "一个描述符空了出来",
  ["and is used up"] = "又用完了",
  ["the first connections got a window of tens of thousands of bytes"] = "最先的连接得到几万字节的窗口",
  ["the last ones get next to nothing"] = "最后的几乎什么也没有得到",
  ["the host went into memory pressure once"] = "主机进入过一次内存压力",
  ["and threw segments away for want of memory"] = "并因缺少内存丢弃报文段",
})
