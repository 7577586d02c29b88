-- TCP-TW-05  MSL against TTL.
-- The MSL is a time, but the network counts hops: a packet dies when its TTL is used up, after 64 hops at most here. TIME-WAIT is long enough only if
-- 64 hops take less than the MSL of 30 s (RFC 9293 3.4.3; RFC 791 meant the TTL as seconds). A slow routing loop can break this.
-- tshark-allow: D-SACK Sequence (what came twice is reported)
local hs = require "hopscope"
hs.title { en = "TCP-TW-05 MSL against TTL", zh = "TCP-TW-05 MSL 与 TTL" }

local MSL = 30

-- client - r - x - server, and behind x a router y that sends everything back: a loop while x thinks that y is the way to the server.
-- One crossing between x and y takes `hop`. Returns the greatest age of a packet, and what the second connection's server has read.
local function loop(name, hop, heal_after)
  local client, server = hs.host("client-" .. name), hs.host("server-" .. name)
  local r, x, y = hs.router("r-" .. name), hs.router("x-" .. name), hs.router("y-" .. name)
  hs.link(client, r, { delay = "1ms" })
  hs.link(r, x, { delay = "1ms" })
  hs.link(x, server, { delay = "1ms" })
  local slow = hs.link(x, y, { delay = hop })
  -- another way to the server, for everything that comes later
  local direct = hs.link(r, server, { delay = "1ms" })
  hs.prepare()
  for _, h in ipairs { client, server } do
    h:sysctl("net.ipv4.tcp_timestamps", 0)
    h:sysctl("hopscope.tcp_isn", 2)
    h:sysctl("hopscope.tcp_isn_fixed", 999)
  end
  local to = server:addr "eth0" .. "/32"
  local by_x, by_y = slow:dev(x), slow:dev(y)
  local r_to_x = x:addr "eth0"
  r:route_replace { to = to, via = r_to_x }
  y:route_replace { to = to, via = x:addr(by_x.name) }
  client:ping(server, { count = 1 })
  y:ping(x, { count = 1, timeout = "10s" })

  local born, oldest = {}, 0
  hs.on("frame.tx", function(e)
    local p = e.packet
    if p.ip and p.tcp then born[p.id] = born[p.id] or e.time end
  end, { node = client })
  hs.on("frame.rx", function(e)
    local p = e.packet
    if p.ip and p.tcp and born[p.id] then oldest = math.max(oldest, e.time - born[p.id]) end
  end)
  local read = {}
  server:spawn(function(os)
    local listener = os.tcp():bind(5000):listen(8)
    while true do
      local conn = listener:accept()
      read[#read + 1] = ""
      local n = #read
      while true do
        local data = conn:read()
        if not data then break end
        read[n] = read[n] .. data
      end
      conn:close()
    end
  end)
  local refused = 0
  client:spawn(function(os)
    local conn = os.tcp({ reuseaddr = true }):bind(6000):connect(server, 5000)
    -- The fault: x believes that y is the way to the server. The data segment goes into the loop.
    x:route_replace { to = to, via = y:addr(by_y.name) }
    conn:write(("OLD!"):rep(250))
    os.sleep "100ms"
    -- Everything else goes another way from now on: the repetition of the data gets through.
    r:route_replace { to = to, via = server:addr(direct:dev(server).name) }
    os.sleep "1s"
    conn:close()
    while true do
      os.sleep "1s"
      local again = os.tcp({ reuseaddr = true }):bind(6000)
      local ok = again:connect(server, 5000)
      if ok then
        os.sleep "30s"
        again:write(("new."):rep(250))
        os.sleep "1s"
        return
      end
      refused = refused + 1
      again:close()
    end
  end)
  hs.after(heal_after, function() x:route_del { to = to } end)
  hs.run "120s"
  hs.note({
    en = "%s: hops of %g s; the oldest packet was %.1f s old, the new connection was refused %d times; it delivered \"%s…\".",
    zh = "%s：每跳 %g s；最老的分组已有 %.1f s，新连接被拒绝 %d 次；它交付了“%s…”。",
  }, name, hs.seconds(hop), oldest, refused, (read[2] or ""):sub(1, 8))
  return oldest, read, refused
end

hs.note {
  en = "A loop between two routers with 0.4 s from one to the other: after 64 hops the packet is dead.",
  zh = "两台路由器之间的环路，从一台到另一台 0.4 s：64 跳之后分组就死了。",
}
local oldest, read = loop("fast", "0.4s", "75s")
hs.expect("the greatest age is below the MSL", oldest < MSL, oldest)
hs.expect_near("62 hops of the 64 are in the loop: 62 times 0.4 s", oldest, 62 * 0.4, 0.41)
hs.expect_equal("both connections are all right", { read[1], read[2] }, { ("OLD!"):rep(250), ("new."):rep(250) })

hs.note {
  en = "A loop with 1.3 s for each hop, which is mended after 75 s: the packet comes out of it alive.",
  zh = "每跳 1.3 s 的环路，在 75 s 之后修好：分组活着走了出来。",
}
oldest, read = loop("slow", "1.3s", "75s")
hs.expect("older than the MSL, and than TIME-WAIT", oldest > 2 * MSL, oldest)
hs.expect_equal("the first connection was all right", read[1], ("OLD!"):rep(250))
hs.expect_equal("the next one delivers the old segment's data, as in TCP-TW-02", read[2], ("OLD!"):rep(250))

hs.translate("zh", {
  ["the greatest age is below the MSL"] = "最大的年龄低于 MSL",
  ["62 hops of the 64 are in the loop: 62 times 0.4 s"] = "64 跳中有 62 跳在环路里：62 乘以 0.4 s",
  ["both connections are all right"] = "两条连接都正常",
  ["older than the MSL, and than TIME-WAIT"] = "比 MSL 老，也比 TIME-WAIT 老",
  ["the first connection was all right"] = "第一条连接一切正常",
  ["the next one delivers the old segment's data, as in TCP-TW-02"] = "下一条交付了旧报文段的数据，如同 TCP-TW-02",
})
