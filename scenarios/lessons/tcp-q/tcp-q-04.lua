-- TCP-Q-04  Accept overflow, drop.
-- The third segment of a handshake arrives while the accept queue is full. With tcp_abort_on_overflow 0 (the default) the server
-- discards it and keeps the half-open entry: the client believes that it is connected, the server does not (Linux
-- tcp_v4_syn_recv_sock, tcp_check_req). A bare ACK is never resent by the client; what brings the two together again is the
-- server's next SYN-ACK, or the client's data, which is resent like all data.
local hs = require "hopscope"
hs.title "TCP-Q-04 Accept overflow, drop"

local client, server = hs.host "client", hs.host "server"
hs.link(client, server, { delay = "10ms" })
client:ping("server", { count = 1 })
local t0 = hs.now()
local bare_acks, synacks, data = {}, {}, {}
hs.on("frame.tx", function(e)
  local tcp = e.packet.tcp
  if not tcp then return end
  local time = math.floor((e.time - t0) * 1000 + 0.5)
  if tcp.syn and tcp.ack_flag then synacks[tcp.dport] = synacks[tcp.dport] or {}; table.insert(synacks[tcp.dport], time) end
  if e.packet.from == "client" and not tcp.syn then
    local list = #e.packet.data > 0 and data or bare_acks
    list[tcp.sport] = list[tcp.sport] or {}
    table.insert(list[tcp.sport], time)
  end
end)
hs.run(0)
