-- TCP-TFO-05  Both sides must support it.
-- net.ipv4.tcp_fastopen is a bit mask: 1 lets the host send data in SYNs, 2 lets it accept them. Unless the client has bit 1, the server
-- bit 2, and a cookie has been fetched, everything is plain TCP, and nothing breaks (RFC 7413 4.1.3).
local hs = require "hopscope"
hs.title { en = "TCP-TFO-05 Both sides must support it", zh = "TCP-TFO-05 双方都必须支持" }

-- Three requests in a row; which of them had data in the SYN, and what the server got.
local function try(client_mask, server_mask)
  local tag = client_mask .. server_mask
  local client, server = hs.host("client" .. tag), hs.host("server" .. tag)
  hs.link(client, server, { delay = "1ms" })
  client:sysctl("net.ipv4.tcp_fastopen", client_mask)
  server:sysctl("net.ipv4.tcp_fastopen", server_mask)
  local r = { got = "", in_syn = {} }
  hs.on("frame.tx", function(e)
    local t = e.packet.tcp
    if t and t.syn and not t.ack then r.in_syn[#r.in_syn + 1] = t.len > 0 end
  end, { node = client })
  server:spawn(function(os)
    local listener = os.tcp():bind(5010)
    listener:setopt("TCP_FASTOPEN", 16)
    listener:listen(16)
    while true do
      local conn = listener:accept()
      for data in function() return conn:read() end do r.got = r.got .. data end
      conn:close()
    end
  end)
  client:spawn(function(os)
    for i = 1, 3 do
      local conn = os.tcp()
      local n, err = conn:sendto("request " .. i .. ";", server, 5010, { fastopen = true })
      if not n then -- as a program does: without the bit the call is not there
        r.error = err
        conn:connect(server, 5010)
        conn:write("request " .. i .. ";")
      end
      conn:shutdown "write"
      conn:read()
      conn:close()
    end
  end)
  hs.run "1s"
  return r
end

hs.note {
  en = "All 16 combinations of the masks 0 to 3 on both sides; three requests each, the first of which can only fetch a cookie.",
  zh = "两端掩码 0 到 3 的全部 16 种组合；每种三次请求，其中第一次只能用来取得 cookie。",
}
for client_mask = 0, 3 do
  for server_mask = 0, 3 do
    local r = try(client_mask, server_mask)
    local both = client_mask & 1 ~= 0 and server_mask & 2 ~= 0
    local name = string.format("client %d, server %d: ", client_mask, server_mask)
    hs.expect_equal(name .. (both and "data in the SYN as soon as there is a cookie" or "never data in a SYN"), r.in_syn, { false, both, both })
    hs.expect_equal(name .. "all requests arrive, once", r.got, "request 1;request 2;request 3;")
    hs.expect_equal(name .. "MSG_FASTOPEN works if the client's bit is set", r.error, client_mask & 1 == 0 and "EOPNOTSUPP" or nil)
  end
end

hs.translate("zh", {
  ["client {}, server {}: never data in a SYN"] = "客户端 {}，服务器 {}：SYN 里从来没有数据",
  ["client {}, server {}: all requests arrive, once"] = "客户端 {}，服务器 {}：所有请求都到达，各一次",
  ["client {}, server {}: MSG_FASTOPEN works if the client's bit is set"] = "客户端 {}，服务器 {}：客户端的位置位时 MSG_FASTOPEN 有效",
  ["client {}, server {}: data in the SYN as soon as there is a cookie"] = "客户端 {}，服务器 {}：一有 cookie，SYN 里就有数据",
})
