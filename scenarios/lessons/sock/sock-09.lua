-- SOCK-09  Ephemeral port choice.
-- connect() without bind() picks a free local port from net.ipv4.ip_local_port_range (32768–60999 today, 28232 ports; once
-- 32768–61000). Linux begins at an offset hashed from the destination (RFC 6056, algorithm 3) and takes even ports first; odd
-- ones are left for bind(). Where no port is left for a destination, connect fails with EADDRNOTAVAIL.
local hs = require "hopscope"
hs.title { en = "SOCK-09 Ephemeral port choice", zh = "SOCK-09 临时端口的选择" }

local client, server, other, sw = hs.host "client", hs.host "server", hs.host "other", hs.switch "sw"
for _, h in ipairs { client, server, other } do hs.link(h, sw, { delay = "1ms" }) end
local kept = {}
for _, h in ipairs { server, other } do
  h:tcp():bind(5678):listen(128):on_accept(function(_, conn) kept[#kept + 1] = conn end)
end
hs.expect_equal("the range by default: 28232 ports", client:sysctl "net.ipv4.ip_local_port_range", "32768\t60999")

local function connect_some(os, n, to)
  local ports, failed = {}, nil
  for _ = 1, n do
    local sock, why = os.tcp():connect(to, 5678)
    if sock then ports[#ports + 1] = select(2, sock:local_addr()) else failed = why end
  end
  return ports, failed
end

client:spawn(function(os)
  hs.note {
    en = "A hundred connections to one server: a hundred different ports from the range, all even.",
    zh = "到一台服务器的一百条连接：范围内一百个不同的端口，全是偶数。",
  }
  local ports = connect_some(os, 100, "server")
  local seen, in_range, even = {}, 0, 0
  for _, port in ipairs(ports) do
    seen[port] = true
    if port >= 32768 and port <= 60999 then in_range = in_range + 1 end
    if port % 2 == 0 then even = even + 1 end
  end
  local unique = 0
  for _ in pairs(seen) do unique = unique + 1 end
  hs.expect_equal("in the range, different, even", { in_range, unique, even }, { 100, 100, 100 })

  hs.note {
    en = "With the books' range 32768-61000 there is one port more; what is chosen stays inside.",
    zh = "用书上的范围 32768-61000，多出一个端口；所选的仍在范围之内。",
  }
  client:sysctl("net.ipv4.ip_local_port_range", "32768 61000")
  local lowest, highest = 65535, 0
  for _, port in ipairs((connect_some(os, 100, "other"))) do lowest, highest = math.min(lowest, port), math.max(highest, port) end
  hs.expect("inside 32768-61000", lowest >= 32768 and highest <= 61000, { lowest, highest })

  hs.note {
    en = "Now the range is ten ports small. Ten connections get them all, the even ones first; the eleventh gets none.",
    zh = "现在范围只有十个端口。十条连接把它们全部占用，偶数的在先；第十一条什么也得不到。",
  }
  client:sysctl("net.ipv4.ip_local_port_range", "61000 61009")
  local few, failed = connect_some(os, 11, "server")
  local first, rest = { few[1], few[2], few[3], few[4], few[5] }, { few[6], few[7], few[8], few[9], few[10] }
  table.sort(first)
  table.sort(rest)
  hs.expect_equal("first the five even ports", first, { 61000, 61002, 61004, 61006, 61008 })
  hs.expect_equal("then the five odd ones", rest, { 61001, 61003, 61005, 61007, 61009 })
  hs.expect_equal("number range+1 to one server fails", failed, "EADDRNOTAVAIL")

  hs.note { en = "Toward another server the same ten ports are free.", zh = "对另一台服务器，同样的十个端口都是空闲的。" }
  local more, none = connect_some(os, 10, "other")
  hs.expect_equal("ten more to another server", { #more, none }, { 10, nil })
end)
hs.run "5s"

hs.translate("zh", {
  ["the range by default: 28232 ports"] = "默认的范围：28232 个端口",
  ["in the range, different, even"] = "在范围内，各不相同，都是偶数",
  ["inside 32768-61000"] = "在 32768-61000 之内",
  ["first the five even ports"] = "首先是五个偶数端口",
  ["then the five odd ones"] = "然后是五个奇数端口",
  ["number range+1 to one server fails"] = "到一台服务器的第“范围+1”条失败",
  ["ten more to another server"] = "到另一台服务器又是十条",
})
