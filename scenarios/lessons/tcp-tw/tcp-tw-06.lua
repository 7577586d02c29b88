-- TCP-TW-06  Restart fails with address in use; SO_REUSEADDR cures it.
-- A server that closes its connections first leaves them in TIME-WAIT, with its port. A new process cannot bind the port as long as one of them
-- is there, 60 s, unless it has set SO_REUSEADDR before bind (and so had the one before; Linux inet_csk_bind_conflict). The option is safe: the old
-- four-tuples stay protected, see TCP-TW-07.
local hs = require "hopscope"
hs.title { en = "TCP-TW-06 Restart fails with address in use; SO_REUSEADDR cures it", zh = "TCP-TW-06 重启因地址在用而失败；SO_REUSEADDR 是解药" }

local function restart(name, options)
  local client, server = hs.host("client-" .. name), hs.host("server-" .. name)
  hs.link(client, server, { delay = "10ms" })
  local r, wait_began = {}, nil
  server:spawn(function(os)
    local listener = os.tcp(options):bind(5000):listen(8)
    local conn = listener:accept()
    conn:close() -- first
    listener:close()
    os.sleep "100ms"
  end)
  client:spawn(function(os)
    local conn = os.tcp():connect(server, 5000)
    conn:read()
    conn:close()
  end)
  local function try(key)
    local sock = server:tcp(options)
    local ok, err = sock:bind(5000)
    if ok then ok, err = sock:listen(8) end
    r[key] = ok and "works" or err
    sock:close()
  end
  hs.run "1s"
  r.waits = #server:sockets "TIME-WAIT"
  try "after 1 s"
  hs.run "58s"
  try "after 59 s"
  hs.run "2s"
  try "after 61 s"
  local function said(key) return r[key] == "works" and { en = "works", zh = "成功" } or r[key] end
  hs.note({
    en = "%s: bind after 1 s: %s, after 59 s: %s, after 61 s: %s",
    zh = "%s：bind 在 1 s 之后：%s，59 s 之后：%s，61 s 之后：%s",
  }, { en = name, zh = name == "with" and "有 SO_REUSEADDR" or "没有 SO_REUSEADDR" }, said "after 1 s", said "after 59 s", said "after 61 s")
  return r
end
local without, with = restart("without", {}), restart("with", { reuseaddr = true })
hs.expect_equal("the server has a connection in TIME-WAIT", { without.waits, with.waits }, { 1, 1 })
hs.expect_equal("without the option bind fails at 1 s", without["after 1 s"], "EADDRINUSE")
hs.expect_equal("up to 60 s", without["after 59 s"], "EADDRINUSE")
hs.expect_equal("and succeeds after the wait", without["after 61 s"], "works")
hs.expect_equal("with SO_REUSEADDR it succeeds at 1 s", with["after 1 s"], "works")

hs.translate("zh", {
  ["the server has a connection in TIME-WAIT"] = "服务器有一条连接处于 TIME-WAIT",
  ["without the option bind fails at 1 s"] = "没有该选项，1 s 时 bind 失败",
  ["up to 60 s"] = "直到 60 s",
  ["and succeeds after the wait"] = "等待之后成功",
  ["with SO_REUSEADDR it succeeds at 1 s"] = "有 SO_REUSEADDR，1 s 时就成功",
})
