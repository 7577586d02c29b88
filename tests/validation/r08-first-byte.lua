-- R8  When the request leaves the client and when the first byte of the answer arrives, in round trips, with a server that takes no time.
-- TCP; TCP Fast Open with a cookie from an earlier connection.
local hs = require "hopscope"
local ref = require "reference"

local function times(rtt, fastopen)
  local a, b = ref.path { rtt = rtt, rate = "1Gbps", sender = { ["net.ipv4.tcp_fastopen"] = 3 }, receiver = { ["net.ipv4.tcp_fastopen"] = 3 } }
  b:spawn(function(os)
    local listener = os.tcp():bind(80)
    listener:setopt("TCP_FASTOPEN", 16)
    listener:listen(16)
    while true do
      local conn = listener:accept()
      if conn:read() then conn:write(("y"):rep(1000)) end
      conn:close()
    end
  end)
  local request, answer, start
  hs.on("frame.tx", function(e)
    if start and not request and e.packet.tcp and e.packet.tcp.len > 0 then request = hs.now() - start end
  end, { node = a })
  a:spawn(function(os)
    local function once()
      local conn = os.tcp()
      if fastopen then
        conn:sendto("get", b, 80, { fastopen = true })
      else
        conn:connect(b, 80)
        conn:write "get"
      end
      conn:read()
      answer = hs.now() - (start or 0)
      conn:close()
    end
    once() -- asks for the cookie
    os.sleep "1s"
    start = hs.now()
    once()
  end)
  hs.run(8)
  ref.over(a, b)
  return request / rtt, answer / rtt
end

for _, rtt in ipairs { 0.02, 0.1, 0.3 } do
  local at = string.format(", RTT %g ms", rtt * 1000)
  local request, answer = times(rtt, false)
  ref.row { "R8", "TCP" .. at .. ": request leaves at", says = 1, within = 0.01, got = request, unit = "RTT" }
  ref.row { "R8", "TCP" .. at .. ": answer's first byte at", says = 2, within = 0.01, got = answer, unit = "RTT" }
  request, answer = times(rtt, true)
  ref.row { "R8", "Fast Open" .. at .. ": request leaves at", says = 0, within = 0.01, got = request, unit = "RTT" }
  ref.row { "R8", "Fast Open" .. at .. ": answer's first byte at", says = 1, within = 0.01, got = answer, unit = "RTT" }
end
