-- TCP-CL-06  FIN_WAIT_1 to TIME_WAIT directly.
-- When the peer's FIN and the acknowledgment of our FIN come in one segment, there is nothing to wait for in FIN-WAIT-2: the connection goes
-- from FIN-WAIT-1 to TIME-WAIT (RFC 9293 3.10.7.4: the ACK is looked at first, then the FIN, of the same segment).
local hs = require "hopscope"
hs.title { en = "TCP-CL-06 FIN_WAIT_1 to TIME_WAIT directly", zh = "TCP-CL-06 从 FIN_WAIT_1 直接到 TIME_WAIT" }

local client, server = hs.host "client", hs.host "server"
hs.link(client, server, { delay = "10ms" })
local states = {}
hs.on("tcp.state", function(e) states[#states + 1] = e.new end, { node = client })

local function close(port, delay)
  states = {}
  server:spawn(function(os)
    local conn = os.tcp():bind(port):listen(8):accept()
    conn:write(conn:read()) -- one question, one answer
    conn:read()
    if delay then os.sleep(delay) end
    conn:close()
  end)
  client:spawn(function(os)
    os.sleep "1ms"
    local conn = os.tcp():connect("server", port)
    conn:write "question"
    conn:read()
    os.sleep "100ms"
    conn:close()
  end)
  hs.run "70s"
  return states
end
local direct = close(5000)
hs.note({
  en = "The server closes at once, FIN and ACK in one segment: %s",
  zh = "服务器立刻关闭，FIN 和 ACK 在同一个报文段里：%s",
}, table.concat(direct, ", "))
hs.expect_equal("FIN-WAIT-2 is never visited", direct, { "SYN-SENT", "ESTABLISHED", "FIN-WAIT-1", "TIME-WAIT", "CLOSED" })
local usual = close(5001, "1s")
hs.note({ en = "The server takes a second: %s", zh = "服务器用了一秒钟：%s" }, table.concat(usual, ", "))
hs.expect_equal("it is, when the FIN comes by itself", usual, { "SYN-SENT", "ESTABLISHED", "FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT", "CLOSED" })

hs.translate("zh", {
  ["FIN-WAIT-2 is never visited"] = "从不经过 FIN-WAIT-2",
  ["it is, when the FIN comes by itself"] = "FIN 单独到来时则经过",
})
