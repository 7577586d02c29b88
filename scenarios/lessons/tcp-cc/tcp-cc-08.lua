-- TCP-CC-08  Fast recovery.
-- After the third duplicate ACK the window is ssthresh + 3: three segments have left the network, since each duplicate tells of one. So it
-- grows by one with every further duplicate; the first ACK that is new sets it back to ssthresh, and congestion avoidance goes on
-- (RFC 5681 3.2, recovery style 2). With several losses in a window that ends recovery too early: NewReno stays in it at a partial ACK and
-- repeats the next hole (RFC 6582, style 3). Linux does not inflate: PRR lets out segments as others arrive (RFC 6937, RFC 9937).
local hs = require "hopscope"
hs.title "TCP-CC-08 Fast recovery"

local rtt = 0.1
-- A window of 12, of which some are lost; of the duplicate ACKs only the first `duplicates` arrive.
local function run(name, style, lost, duplicates)
  local client = hs.host(name .. "-client", { sysctl = { ["hopscope.tcp_recovery_style"] = style, ["net.ipv4.tcp_early_retrans"] = 0 } })
  local server = hs.host(name .. "-server")
  local link = hs.link(client, server, { delay = rtt / 2 })
  hs.prepare()
  client:route_replace { to = client:routes()[1].to, dev = "eth0", initcwnd = 12 }
  -- A window of fixed size: an ACK that changes the window is no duplicate.
  server:route_replace { to = server:routes()[1].to, dev = "eth0", quickack = 1, window = 60000 }
  client:dev():tso(false)
  client:ping(server, { count = 1 })
  server:tcp_sink(7100)
  local first, dups
  link:dir(client):rule(function(p)
    if not p.tcp or p.tcp.len == 0 or p.tcp.retransmission then return end
    if p.tcp.data_nth == 1 then first, dups = p.tcp.seq, 0 end
    if lost[p.tcp.data_nth] then return "drop" end
  end)
  link:dir(server):rule(function(p)
    if p.tcp and p.tcp.ackno == first then
      dups = dups + 1
      if dups > duplicates then return "drop" end
    end
  end)
  local r = { cwnd = {}, state = {}, counts = {}, again = 0, largest = 0 }
  local done
  hs.on("tcp.cwnd", function(e)
    if not first or #r.cwnd >= 30 then return end
    r.cwnd[#r.cwnd + 1], r.state[#r.state + 1] = e.cwnd, e.ca_state
    if e.ca_state == "recovery" then r.largest = math.max(r.largest, e.cwnd) elseif #r.cwnd > 3 then done = done or e.time end
  end, { node = client })
  hs.on("tcp.retransmit", function() r.again = r.again + 1 end, { node = client })
  hs.on("frame.tx", function(e)
    local tcp = e.packet.tcp
    if not done or not tcp or tcp.len == 0 then return end
    local round = math.floor((e.time - done) / rtt + 1e-6) + 1
    r.counts[round] = (r.counts[round] or 0) + 1
  end, { node = client })
  client:tcp_source { to = server, port = 7100, congestion = "reno" }
  hs.run(rtt * 7.5)
  r.timeouts = client:counter "TcpExtTCPTimeouts"
  client:power(false)
  return r
end
local one = run("one-loss", 2, { true }, 5)
print(hs.show(one))
local reno = run("two-reno", 2, { true, [5] = true }, 99)
print(hs.show(reno))
local newreno = run("two-newreno", 3, { true, [5] = true }, 99)
print(hs.show(newreno))
local linux = run("two-linux", 0, { true, [5] = true }, 99)
print(hs.show(linux))
