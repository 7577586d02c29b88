-- TCP-CC-08  Fast recovery.
-- After the third duplicate ACK the window is ssthresh + 3: three segments have left the network, since each duplicate tells of one. So it
-- grows by one with every further duplicate; the first ACK that is new sets it back to ssthresh, and congestion avoidance goes on
-- (RFC 5681 3.2, recovery style 2). With several losses in a window that ends recovery too early: NewReno stays in it at a partial ACK and
-- repeats the next hole (RFC 6582, style 3). Linux does not inflate: PRR lets out segments as others arrive (RFC 6937, RFC 9937).
-- tshark-allow: Previous segment(s) not captured (what is lost never arrives)
-- tshark-allow: This frame is a (suspected) out-of-order segment (repetitions of what was lost come late)
local hs = require "hopscope"
hs.title { en = "TCP-CC-08 Fast recovery", zh = "TCP-CC-08 快速恢复" }

local rtt = 0.1
-- A window of 12, of which some are lost; of the duplicate ACKs only the first `duplicates` arrive.
local function run(name, style, lost, duplicates)
  local client = hs.host(name .. "-client", { sysctl = { ["hopscope.tcp_recovery_style"] = style, ["net.ipv4.tcp_early_retrans"] = 0 } })
  local server = hs.host(name .. "-server", { sysctl = { ["hopscope.tcp_quirks"] = 0x100 } })
  local link = hs.link(client, server, { rate = "1Gbps", delay = rtt / 2 })
  hs.prepare()
  client:route_replace { to = client:routes()[1].to, dev = "eth0", initcwnd = 12 }
  -- A window of fixed size: an ACK that changes the window is no duplicate.
  server:route_replace { to = server:routes()[1].to, dev = "eth0", quickack = 1, window = 60000 }
  client:dev():tso(false)
  client:ping(server, { count = 1 })
  server:tcp_sink { port = 7100, check = false }
  local first, dups
  link:dir(client):rule(function(p)
    if not p.tcp or p.tcp.len == 0 or p.tcp.retransmission then return end
    if p.tcp.data_nth == 2 then first, dups = p.tcp.seq, 0 end
    if lost[p.tcp.data_nth - 1] then return "drop" end
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
    local round = math.floor((e.time - done) / rtt + 0.01) + 1
    r.counts[round] = (r.counts[round] or 0) + 1
  end, { node = client })
  client:spawn(function(os)
    local conn = os.tcp({ congestion = "reno" }):connect(server, 7100)
    conn:write "hello"  -- its ACK brings the window of the receiver, so that the first duplicate brings nothing new
    os.sleep "150ms"
    conn:write(hs.payload "2MB")
  end)
  hs.run(rtt * 9)
  r.timeouts = client:counter "TcpExtTCPTimeouts"
  client:power(false)
  return r
end
local function show(what, r) hs.note({ en = "%s: cwnd after each ACK %s, …", zh = "%s：每个 ACK 之后的 cwnd %s，…" }, what, table.concat(r.cwnd, ", ", 1, 20)) end
hs.note { en = "A window of 12; the first segment is lost, and five duplicate ACKs arrive.", zh = "窗口为 12；第一个报文段丢失，五个重复确认到达。" }
local one = run("one-loss", 2, { true }, 5)
show("RFC 5681", one)
hs.expect_equal("after each ACK: third duplicate 6 + 3 = 9, two more 10 and 11, the new ACK 6", { table.unpack(one.cwnd, 1, 6) }, { 12, 12, 9, 10, 11, 6 })
hs.expect_equal("recovery from the third duplicate to the new ACK", { table.unpack(one.state, 1, 6) }, { "disorder", "disorder", "recovery", "recovery", "recovery", "open" })
hs.expect_equal("then congestion avoidance: one more each round trip", { one.counts[1], one.counts[2], one.counts[3], one.counts[4] }, { 6, 7, 8, 9 })
hs.expect_equal("one repetition", one.again, 1)

hs.note { en = "Now the first and the fifth are lost, and all duplicates arrive.", zh = "现在第一个和第五个丢失，所有重复确认都到达。" }
local reno, newreno, linux = run("two-reno", 2, { true, [5] = true }, 99), run("two-newreno", 3, { true, [5] = true }, 99), run("two-linux", 0, { true, [5] = true }, 99)
show("Reno", reno)
show("NewReno", newreno)
show("Linux", linux)
local function entries(r)
  local n = 0
  for i = 2, #r.state do
    if r.state[i] == "recovery" and r.state[i - 1] ~= "recovery" then n = n + 1 end
  end
  return n
end
hs.expect("Reno leaves recovery at the partial ACK, and must wait for more duplicates: twice in recovery", entries(reno) == 2, entries(reno))
hs.expect_equal("NewReno stays in it, and repeats the next hole at once", { entries(newreno), newreno.again, newreno.timeouts }, { 1, 2, 0 })
hs.expect("both inflate the window beyond what it was", reno.largest > 12 and newreno.largest > 12)
hs.expect_equal("Linux: once in recovery, two repetitions", { entries(linux), linux.again, linux.timeouts }, { 1, 2, 0 })
hs.expect("Linux never inflates: the window goes down to ssthresh, step by step", linux.largest <= 12, linux.largest)
for name, r in pairs { NewReno = newreno, Linux = linux } do
  local at_end
  for i = 2, #r.state do
    if r.state[i] == "open" and r.state[i - 1] == "recovery" then at_end = r.cwnd[i] end
  end
  hs.expect_equal(name .. ": at the end of recovery cwnd is ssthresh", at_end, 6)
end

hs.translate("zh", {
  ["after each ACK: third duplicate 6 + 3 = 9, two more 10 and 11, the new ACK 6"] = "每个 ACK 之后：第三个重复确认 6 + 3 = 9，再来两个 10 和 11，新的 ACK 6",
  ["recovery from the third duplicate to the new ACK"] = "从第三个重复确认到新的 ACK 是恢复",
  ["then congestion avoidance: one more each round trip"] = "然后是拥塞避免：每个往返多一个",
  ["one repetition"] = "一次重传",
  ["Reno leaves recovery at the partial ACK, and must wait for more duplicates: twice in recovery"] = "Reno 在部分确认时离开恢复，必须等待更多的重复确认：两次进入恢复",
  ["NewReno stays in it, and repeats the next hole at once"] = "NewReno 留在其中，并立刻重传下一个空缺",
  ["both inflate the window beyond what it was"] = "两者都把窗口膨胀到超过原来的大小",
  ["Linux: once in recovery, two repetitions"] = "Linux：进入恢复一次，重传两次",
  ["Linux never inflates: the window goes down to ssthresh, step by step"] = "Linux 从不膨胀：窗口一步步降到 ssthresh",
  ["Linux: at the end of recovery cwnd is ssthresh"] = "Linux：恢复结束时 cwnd 等于 ssthresh",
  ["NewReno: at the end of recovery cwnd is ssthresh"] = "NewReno：恢复结束时 cwnd 等于 ssthresh",
})
