-- TCP-KA-06  HTTP keep-alive is something else.
-- HTTP keep-alive means that a connection serves several requests; the server's program closes it after some idle time, 60 s here (RFC 9112
-- 9.3). TCP keepalive is the kernel's probe of a connection that has been silent for two hours. They share half a name, and nothing else:
-- each works, or does not, without regard to the other.
local hs = require "hopscope"
hs.title { en = "TCP-KA-06 HTTP keep-alive is something else", zh = "TCP-KA-06 HTTP keep-alive 是另一回事" }

local ANSWER = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n%s\r\nhi\n"

-- Three requests, one a second, as far as the server lets the client. http: "off": Connection: close; "on": keep-alive, and an idle time,
-- nil: none.
-- Returns requests served by the first connection, seconds from its last response to the server's FIN, and to the first probe; nil: never.
local function session(name, http, idle, tcp_keepalive)
  local client, server = hs.host("client-" .. name), hs.host("server-" .. name)
  hs.link(client, server, { delay = "5ms" })
  local served, response, fin, probe, last_seq = 0, nil, nil, nil, nil
  hs.on("frame.tx", function(e)
    local t = e.packet.tcp
    if not t then return end
    if t.fin then fin = fin or e.time - response end
    if last_seq and not t.fin and t.len == 0 and t.seq == last_seq - 1 then probe = probe or e.time - response end
    if t.len > 0 then
      response = e.time
      last_seq = t.seq + t.len
    end
  end, { node = server })
  server:spawn(function(os)
    local conn = os.tcp({ keepalive = tcp_keepalive }):bind(80):listen(64):accept()
    while conn:read(65536, idle) do
      served = served + 1
      conn:write(ANSWER:format(http == "on" and "" or "Connection: close\r\n"))
      if http == "off" then break end
    end
    conn:close()
  end)
  client:spawn(function(os)
    local conn = os.tcp():connect(server, 80)
    for _ = 1, 3 do
      conn:write "GET / HTTP/1.1\r\nHost: server\r\n\r\n"
      local answer = conn:read()
      if answer:find("Connection: close", 1, true) then break end
      os.sleep "1s"
    end
    conn:read()
    conn:close()
  end)
  hs.run "3h"
  local function at(t) return t and string.format("%.1f s", t) or { en = "never", zh = "从未" } end
  local function onoff(on) return on and { en = "on", zh = "开" } or { en = "off", zh = "关" } end
  hs.note({
    en = "HTTP keep-alive %s, idle time %s, TCP keepalive %s: %d requests; FIN %s, probe %s after the last response",
    zh = "HTTP keep-alive：%s，空闲时间：%s，TCP 保活：%s：%d 个请求；最后的响应之后，FIN：%s，探测：%s",
  }, onoff(http == "on"), idle and idle .. " s" or { en = "none", zh = "无" }, onoff(tcp_keepalive), served, at(fin), at(probe))
  return { served, fin and math.floor(fin + 0.5), probe and math.floor(probe + 0.5) }
end
hs.expect_equal("HTTP on, TCP off: one connection, FIN 60 s after the last response", session("a", "on", 60, false), { 3, 60, nil })
hs.expect_equal("HTTP on, TCP on: the same", session("b", "on", 60, true), { 3, 60, nil })
hs.expect_equal("HTTP off, TCP off: one request, FIN at once", session("c", "off", 60, false), { 1, 0, nil })
hs.expect_equal("HTTP off, TCP on: the same, TCP keepalive does not make connections persist", session("d", "off", 60, true), { 1, 0, nil })
hs.note { en = "A server program that never closes: now the kernel's probes can be seen.", zh = "一个从不关闭的服务器程序：现在可以看到内核的探测了。" }
hs.expect_equal("no idle time, TCP off: nothing ever", session("e", "on", nil, false), { 3, nil, nil })
hs.expect_equal("no idle time, TCP on: a probe after 7200 s, and no FIN", session("f", "on", nil, true), { 3, nil, 7200 })

hs.translate("zh", {
  ["HTTP on, TCP off: one connection, FIN 60 s after the last response"] = "HTTP 开，TCP 关：一条连接，FIN 在最后的响应之后 60 s",
  ["HTTP on, TCP on: the same"] = "HTTP 开，TCP 开：同样",
  ["HTTP off, TCP off: one request, FIN at once"] = "HTTP 关，TCP 关：一个请求，FIN 立刻到来",
  ["HTTP off, TCP on: the same, TCP keepalive does not make connections persist"] = "HTTP 关，TCP 开：同样，TCP 保活并不使连接持久",
  ["no idle time, TCP off: nothing ever"] = "没有空闲时间，TCP 关：永远什么也没有",
  ["no idle time, TCP on: a probe after 7200 s, and no FIN"] = "没有空闲时间，TCP 开：7200 s 之后一个探测，没有 FIN",
})
