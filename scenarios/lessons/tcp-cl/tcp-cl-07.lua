-- TCP-CL-07  First segment (FIN) lost.
-- A FIN is repeated like data, with doubling waits. After close nobody waits for the result: the socket is an orphan, and tcp_orphan_retries
-- says how often at most; 0 means 8. As with tcp_retries2, Linux turns the number into a time: that which so many retransmissions would
-- take at the smallest timeout of 200 ms (Linux tcp_write_timeout, retransmits_timed_out). After shutdown the socket has an owner, and
-- tcp_retries2 applies. The peer knows nothing of all this.
local hs = require "hopscope"
hs.title { en = "TCP-CL-07 First segment (FIN) lost", zh = "TCP-CL-07 第一个报文段（FIN）丢失" }

local client, server = hs.host "client", hs.host "server"
local link = hs.link(client, server, { delay = "10ms" })
client:ping("server", { count = 1 })
local port = 5000

-- All FINs are lost from close on. Returns when they were sent, when the client was done, and what was left at the server.
local function lose(retries, how, patience)
  port = port + 1
  local here, fins, closed_at, at_server = port, {}, nil, nil
  client:sysctl("net.ipv4.tcp_orphan_retries", retries)
  local watch = hs.on("frame.tx", function(e)
    local tcp = e.packet.tcp
    if tcp and tcp.fin and tcp.dport == here then fins[#fins + 1] = e.time end
  end, { node = client })
  local states = hs.on("tcp.state", function(e)
    if e.remote_port == here and e.new == "CLOSED" then
      closed_at = e.time
      at_server = server:sockets "ESTABLISHED"
    end
  end, { node = client })
  link:rule(function(p) if p.tcp and p.tcp.fin then return "drop" end end)
  server:spawn(function(os)
    local conn = os.tcp():bind(here):listen(8):accept()
    conn:read()
    os.sleep "24h"
  end)
  client:spawn(function(os)
    os.sleep "1ms"
    local conn = os.tcp():connect("server", here)
    os.sleep "100ms"
    if how == "close" then conn:close() else conn:shutdown "write" end
    os.sleep "24h"
  end)
  hs.run(patience)
  link:rule(nil)
  watch:cancel()
  states:cancel()
  local waits = {}
  for i = 2, #fins do waits[#waits + 1] = fins[i] - fins[i - 1] end
  return { repeats = #fins - 1, waits = waits, last = closed_at and closed_at - fins[#fins], open = closed_at and at_server[1], took = closed_at and closed_at - fins[1] }
end

local function show(what, r)
  local text = {}
  for _, w in ipairs(r.waits) do text[#text + 1] = string.format("%.3g", w) end
  hs.note({ en = "%s: %d repetitions, after %s s%s", zh = "%s：%d 次重传，在 %s s 之后%s" }, what, r.repeats, table.concat(text, ", "), r.last
    and { en = string.format("; CLOSED %.3g s after the last", r.last), zh = string.format("；最后一次 %.3g s 之后进入 CLOSED", r.last) }
    or { en = "; still trying", zh = "；仍在尝试" })
end

-- The first repetition is the tail loss probe after 220 ms, the timeout; retransmissions by timeout follow, and give up when the time since the first
-- of them exceeds that of the limit: 200 ms doubled `retries` times.
local function timeouts(retries)
  local n, rto = 0, 0.22
  while 2 * rto * (2 ^ n - 1) < 0.2 * (2 ^ (retries + 1) - 1) do n = n + 1 end
  return n
end
for _, retries in ipairs { 3, 4, 5 } do
  local r = lose(retries, "close", "300s")
  show("tcp_orphan_retries " .. retries, r)
  hs.expect_equal("repeated by timeout as often as the time of the limit allows", r.repeats - 1, timeouts(retries))
  hs.expect_equal("that is, the limit: " .. retries, r.repeats - 1, retries)
  hs.expect_near("each wait is twice the one before", r.waits[#r.waits], 2 * r.waits[#r.waits - 1], 1e-6)
  hs.expect_near("one further wait, twice the last, and it is CLOSED", r.last, 2 * r.waits[#r.waits], 1e-6)
  hs.expect_equal("the peer is still ESTABLISHED", r.open and r.open.state, "ESTABLISHED")
end
local zero, eight = lose(0, "close", "600s"), lose(8, "close", "600s")
show("tcp_orphan_retries 0", zero)
hs.expect_equal("0 means 8", { zero.repeats - 1, eight.repeats - 1 }, { 8, 8 })
hs.expect_near("it takes as long", zero.took, eight.took, 1e-6)
-- 200 ms doubled 8 times: 0.2 * (2^9 - 1) s
hs.expect("which is a time: more than 102.2 s", zero.took > 0.2 * (2 ^ 9 - 1), zero.took)
local owned = lose(1, "shutdown", "600s")
show({ en = "after shutdown", zh = "shutdown 之后" }, owned)
hs.expect("after shutdown tcp_orphan_retries does not matter", owned.repeats > 8 and not owned.last, owned.repeats)

hs.translate("zh", {
  ["repeated by timeout as often as the time of the limit allows"] = "超时重传的次数正好是时限所允许的",
  ["that is, the limit: {}"] = "也就是上限：{}",
  ["each wait is twice the one before"] = "每次等待都是前一次的两倍",
  ["one further wait, twice the last, and it is CLOSED"] = "再等待一次，是最后一次的两倍，就进入 CLOSED",
  ["the peer is still ESTABLISHED"] = "对方仍是 ESTABLISHED",
  ["0 means 8"] = "0 的意思是 8",
  ["it takes as long"] = "所用的时间一样长",
  ["which is a time: more than 102.2 s"] = "它是一段时间：超过 102.2 s",
  ["after shutdown tcp_orphan_retries does not matter"] = "shutdown 之后 tcp_orphan_retries 不起作用",
})
