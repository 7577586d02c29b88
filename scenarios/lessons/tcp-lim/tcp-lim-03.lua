-- TCP-LIM-03  New features need both ends.
-- TCP lives in operating systems. An option is used only if the SYN offers it and the SYN-ACK agrees (RFC 7323, RFC 2018, RFC 7413): one
-- old system at either end, and the connection works without. Every pair of new and old is tried, for window scaling, timestamps,
-- SACK and Fast Open.
local hs = require "hopscope"
hs.title { en = "TCP-LIM-03 New features need both ends", zh = "TCP-LIM-03 新功能需要两端都支持" }

local new = { ["net.ipv4.tcp_fastopen"] = 3 }
local old = { ["net.ipv4.tcp_fastopen"] = 0, ["net.ipv4.tcp_timestamps"] = 0, ["net.ipv4.tcp_sack"] = 0, ["net.ipv4.tcp_window_scaling"] = 0 }
local hosts, sw = {}, hs.switch "sw"
for _, side in ipairs { "client", "server" } do
  for kind, sysctl in pairs { new = new, old = old } do
    local h = hs.host(kind .. "-" .. side, { sysctl = sysctl })
    hs.link(h, sw, { delay = "5ms" })
    hosts[kind .. "-" .. side] = h
  end
end
local request, answer = hs.payload(100), hs.payload(5000)
for _, kind in ipairs { "new", "old" } do
  hosts[kind .. "-server"]:spawn(function(os)
    local listener = os.tcp():bind(5678)
    listener:setopt("TCP_FASTOPEN", 16)
    listener:listen(16)
    while true do
      local conn = listener:accept()
      conn:read()
      conn:write(answer)
      conn:close()
    end
  end)
end

-- One exchange; what was on the wire and what arrived. With Fast Open, if the client's system has it.
local function exchange(client, server)
  local result, begin = { got = 0 }, nil
  local frames = hs.frames { node = hosts[client], filter = function(p) return p.tcp and p.tcp.syn end }
  hosts[client]:spawn(function(os)
    local sock = os.tcp()
    begin = hs.now()
    if not sock:sendto(request, server, 5678, { fastopen = true }) then -- an old system knows no such flag
      sock = os.tcp():connect(server, 5678)
      sock:write(request)
    end
    for data in function() return sock:read() end do
      result.first = result.first or hs.now() - begin
      result.got = result.got + #data
    end
    sock:close()
  end)
  hs.run "1s"
  result.syn_data = frames[1].packet.tcp.len
  return result
end

local answers = hs.frames { filter = function(p) return p.tcp and p.tcp.syn and p.tcp.ack end }
for _, pair in ipairs { { "new", "new" }, { "new", "old" }, { "old", "new" }, { "old", "old" } } do
  local client, server = pair[1] .. "-client", pair[2] .. "-server"
  hs.note({
    en = "%s client and %s server: twice, because Fast Open's cookie is for the second time.",
    zh = "%s客户端和%s服务器：做两次，因为快速打开的 cookie 要到第二次才用得上。",
  }, pair[1] == "old" and { en = "An old", zh = "旧的" } or { en = "A new", zh = "新的" },
    pair[2] == "old" and { en = "an old", zh = "旧的" } or { en = "a new", zh = "新的" })
  exchange(client, server)
  local second = exchange(client, server)
  local synack = answers[#answers].packet.tcp
  local both = pair[1] == "new" and pair[2] == "new"
  local name = pair[1] .. " client, " .. pair[2] .. " server: "
  hs.expect_equal(name .. "the connection works", second.got, 5000)
  hs.expect_equal(name .. "agreed are " .. (both and "scaling, SACK and timestamps" or "none of scaling, SACK and timestamps"),
    { synack.wscale ~= nil, synack.sack_permitted ~= nil, synack.ts_val ~= nil }, { both, both, both })
  hs.expect_equal(name .. (both and "the second SYN carries the data" or "no data in the SYN"), second.syn_data, both and 100 or 0)
  -- Data in the SYN: the answer begins after one round trip of 20 ms, otherwise after two.
  hs.expect_near(name .. "the answer begins after " .. (both and "one round trip" or "two round trips"), second.first, both and "20ms" or "40ms", "1ms")
end

hs.translate("zh", {
  ["new client, new server: the connection works"] = "新的客户端，新的服务器：连接可用",
  ["new client, new server: agreed are scaling, SACK and timestamps"] = "新的客户端，新的服务器：商定了窗口扩大、SACK 和时间戳",
  ["new client, new server: the second SYN carries the data"] = "新的客户端，新的服务器：第二个 SYN 携带数据",
  ["new client, new server: the answer begins after one round trip"] = "新的客户端，新的服务器：应答在一个往返之后开始",
  ["new client, old server: the connection works"] = "新的客户端，旧的服务器：连接可用",
  ["new client, old server: agreed are none of scaling, SACK and timestamps"] = "新的客户端，旧的服务器：窗口扩大、SACK 和时间戳一个也没有商定",
  ["new client, old server: no data in the SYN"] = "新的客户端，旧的服务器：SYN 里没有数据",
  ["new client, old server: the answer begins after two round trips"] = "新的客户端，旧的服务器：应答在两个往返之后开始",
  ["old client, new server: the connection works"] = "旧的客户端，新的服务器：连接可用",
  ["old client, new server: agreed are none of scaling, SACK and timestamps"] = "旧的客户端，新的服务器：窗口扩大、SACK 和时间戳一个也没有商定",
  ["old client, new server: no data in the SYN"] = "旧的客户端，新的服务器：SYN 里没有数据",
  ["old client, new server: the answer begins after two round trips"] = "旧的客户端，新的服务器：应答在两个往返之后开始",
  ["old client, old server: the connection works"] = "旧的客户端，旧的服务器：连接可用",
  ["old client, old server: agreed are none of scaling, SACK and timestamps"] = "旧的客户端，旧的服务器：窗口扩大、SACK 和时间戳一个也没有商定",
  ["old client, old server: no data in the SYN"] = "旧的客户端，旧的服务器：SYN 里没有数据",
  ["old client, old server: the answer begins after two round trips"] = "旧的客户端，旧的服务器：应答在两个往返之后开始",
})
