-- SOCK-15  Event loop server.
-- One process serves many clients: it registers its listener with epoll, waits, accepts, registers the new connection, waits, reads,
-- and closes at end of file (epoll(7)). Each step left out has its own symptom.
local hs = require "hopscope"
hs.title { en = "SOCK-15 Event loop server", zh = "SOCK-15 事件循环的服务器" }

local N = 100
local client, sw = hs.host "client", hs.switch "sw"
hs.link(client, sw, { delay = "1ms" })

-- A server that can forget a step of the loop. Returns the host and what it counts.
local function loop_server(name, forget)
  local host, seen = hs.host(name), { accepted = 0, read = 0, eof = 0 }
  hs.link(host, sw, { delay = "1ms" })
  host:spawn(function(os)
    local listener, ep = os.tcp({ nonblock = true }):bind(5678):listen(128), os.epoll()
    if forget ~= "register listener" then ep:add(listener) end
    while true do
      for _, event in ipairs(ep:wait()) do
        if event.sock == listener then
          local conn = listener:accept(0)
          seen.accepted = seen.accepted + 1
          if forget ~= "register connection" then ep:add(conn) end
        else
          local data = event.sock:read(65536, 0)
          if data then
            seen.read = seen.read + #data
            event.sock:write(data)
          else
            seen.eof = seen.eof + 1
            ep:del(event.sock)
            if forget ~= "close" then event.sock:close() end
          end
        end
      end
    end
  end)
  return host, seen
end

local function run_clients(server, n)
  local answered = 0
  for i = 1, n do
    client:spawn(function(os)
      local sock = os.tcp():connect(server.name, 5678)
      sock:write(string.format("hello %03d", i))
      if sock:read(100, "1s") == string.format("hello %03d", i) then answered = answered + 1 end
      sock:close()
    end)
  end
  hs.run "3s"
  return answered
end

hs.note { en = "100 clients at once, one loop.", zh = "100 个客户端同时到来，一个循环。" }
local good, seen = loop_server "good"
hs.expect_equal("every client gets its own answer", run_clients(good, N), N)
hs.expect_equal("accepted, bytes read, ends of file", { seen.accepted, seen.read, seen.eof }, { N, 9 * N, N })
hs.expect_equal("no connection is left, only the listener", #good:sockets(), 1)

hs.note {
  en = "The loop forgets to register its listener: the kernel shakes hands, nobody accepts.",
  zh = "循环忘了登记监听者：内核完成握手，没有人接受。",
}
local deaf, nothing = loop_server("deaf", "register listener")
hs.expect_equal("no answers", run_clients(deaf, 5), 0)
hs.expect_equal("nothing accepted, five wait in the queue", { nothing.accepted, deaf:sockets("LISTEN")[1].recv_q }, { 0, 5 })

hs.note { en = "It forgets to register the connections: unread data stays in their buffers.", zh = "它忘了登记连接：未读的数据留在各自的缓冲区里。" }
local blind, unread = loop_server("blind", "register connection")
hs.expect_equal("no answers either", run_clients(blind, 5), 0)
local waiting = blind:sockets "CLOSE-WAIT"
hs.expect_equal("accepted, but not read: 9 bytes wait in each", { unread.accepted, unread.read, #waiting, waiting[1].recv_q }, { 5, 0, 5, 9 })

hs.note {
  en = "It forgets to close at end of file: the answers come, and every connection stays in CLOSE_WAIT for ever.",
  zh = "它忘了在文件结束时关闭：应答都有，但每条连接永远停在 CLOSE_WAIT。",
}
local leaky = loop_server("leaky", "close")
hs.expect_equal("all answers", run_clients(leaky, 5), 5)
hs.expect_equal("five leaks", #leaky:sockets "CLOSE-WAIT", 5)

hs.translate("zh", {
  ["every client gets its own answer"] = "每个客户端得到自己的应答",
  ["accepted, bytes read, ends of file"] = "已接受、读到的字节、文件结束",
  ["no connection is left, only the listener"] = "没有留下连接，只有监听者",
  ["no answers"] = "没有应答",
  ["nothing accepted, five wait in the queue"] = "什么也没有接受，五条在队列中等待",
  ["no answers either"] = "也没有应答",
  ["accepted, but not read: 9 bytes wait in each"] = "已接受，但没有读：每条有 9 字节在等待",
  ["all answers"] = "所有应答",
  ["five leaks"] = "泄漏五个",
})
