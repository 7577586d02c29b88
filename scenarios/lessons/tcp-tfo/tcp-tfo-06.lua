-- TCP-TFO-06  Replayed SYN.
-- A SYN that the network has doubled does no harm in plain TCP. With data in it, it may: a server that has restarted no longer knows that
-- it has answered this SYN, its cookie is still good, and the request is delivered a second time. RFC 7413 6.1 warns of it: Fast Open is
-- for requests that may be repeated without harm.
-- tshark-allow: Previous segment(s) not captured (the second connection has the ports of the first)
local hs = require "hopscope"
hs.title { en = "TCP-TFO-06 Replayed SYN", zh = "TCP-TFO-06 重放的 SYN" }

local client, server, attic, sw = hs.host "client", hs.host "server", hs.host "attic", hs.switch "sw"
for _, h in ipairs { client, server, attic } do hs.link(h, sw, { delay = "5ms" }) end
client:sysctl("net.ipv4.tcp_fastopen", 1)
local disk = { account = 100, reads = 0, log = {} } -- what survives a restart
local function boot()
  server:sysctl("net.ipv4.tcp_fastopen", 2)
  server:sysctl("net.ipv4.tcp_fastopen_key", "00000001-00000002-00000003-00000004") -- from a file, as in a server farm
  server:spawn(function(os)
    local listener = os.tcp():bind(5010)
    listener:setopt("TCP_FASTOPEN", 16)
    listener:listen(16)
    while true do
      local conn = listener:accept()
      local request = conn:read()
      if request then
        disk.log[#disk.log + 1] = request
        if request == "pay 10" then disk.account = disk.account - 10 end
        conn:write(request == "balance" and tostring(disk.account) or "done")
      end
      conn:close()
    end
  end)
end
boot()
local syns = {}
local function ask(text)
  local watch = hs.on("frame.tx", function(e)
    if e.packet.tcp and e.packet.tcp.syn and e.packet.tcp.len > 0 then syns[text] = e.packet:bytes() end
  end, { node = client })
  local answer
  client:spawn(function(os)
    local conn = os.tcp()
    conn:sendto(text, "server", 5010, { fastopen = true })
    answer = conn:read()
    conn:close()
  end)
  hs.run "2s"
  watch:cancel()
  return answer
end
local function seen(text)
  local n = 0
  for _, request in ipairs(disk.log) do n = n + (request == text and 1 or 0) end
  return n
end
hs.note {
  en = "A client asks for its balance (and gets a cookie), then pays 10 with a SYN that carries the request.",
  zh = "客户端查询余额（同时得到 cookie），然后用带着请求的 SYN 支付 10。",
}
hs.expect_equal("100 in the account", ask "balance", "100")
hs.expect_equal("paid", ask "pay 10", "done")
hs.expect_equal("asked once more, in a SYN", ask "balance", "90")
hs.expect_equal("once each", { seen "pay 10", disk.account }, { 1, 90 })

hs.note {
  en = "The server restarts. Then copies of both SYNs arrive which the network had kept.",
  zh = "服务器重启。随后网络中留存的两个 SYN 的副本到达。",
}
server:power(false)
server:power(true)
boot()
local raw = attic:raw "eth0"
hs.run "1s"
local before = #disk.log
raw:send(syns["pay 10"])
hs.run "2s"
raw:send(syns["balance"])
hs.run "2s"
hs.expect_equal("both requests were delivered again", #disk.log - before, 2)
hs.expect_equal("the payment was seen twice", seen "pay 10", 2)
hs.expect_equal("and made twice: it was not idempotent", disk.account, 80)
hs.expect_equal("to ask for the balance again has done no harm", seen "balance", 3)
hs.expect_equal("the client has sent each SYN once, and has no connection for the answers", #client:sockets "ESTABLISHED", 0)

hs.note { en = "Plain TCP for comparison: a doubled SYN without data delivers nothing.", zh = "与普通 TCP 比较：重复的 SYN 不带数据，什么也不交付。" }
before = #disk.log
attic:forge { src = client, to = server, sport = 40000, dport = 5010, seq = 1, flags = "S", data = "pay 10" }
hs.run "2s"
hs.expect_equal("no cookie, no request", #disk.log - before, 0)

hs.translate("zh", {
  ["100 in the account"] = "账户里有 100",
  ["paid"] = "已支付",
  ["asked once more, in a SYN"] = "再问一次，用 SYN",
  ["once each"] = "各一次",
  ["both requests were delivered again"] = "两个请求又被交付了一次",
  ["the payment was seen twice"] = "支付出现了两次",
  ["and made twice: it was not idempotent"] = "也做了两次：它不是幂等的",
  ["to ask for the balance again has done no harm"] = "再次查询余额没有害处",
  ["the client has sent each SYN once, and has no connection for the answers"] = "客户端每个 SYN 各发送一次，没有连接来接收应答",
  ["no cookie, no request"] = "没有 cookie，没有请求",
})
