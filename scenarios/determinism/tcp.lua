-- Determinism: TCP.
-- Many connections over a bottleneck that loses, duplicates, reorders and marks (its queue, and a rule by chance): Reno, CUBIC,
-- two controllers written in Lua (one of them scales its window by the share of marks), each style of loss recovery, Fast Open,
-- SYN cookies, connections that are reset.
-- Initial sequence numbers, ephemeral ports, timestamps' offsets and cookies come from keys that the seed gives.
-- tshark-allow: out-of-order segment (a link reorders and loses)
-- tshark-allow: D-SACK Sequence (and duplicates)
-- tshark-allow: Previous segment(s) not captured (lost before they got here)
-- tshark-allow: Connection reset (SO_LINGER 0)
-- tshark-allow: window specified by the receiver is now completely full (the shared sink is busy)
local hs = require "hopscope"
hs.title "TCP connections of all kinds"

local seconds = hs.param("seconds", 12, "how long the bulk transfers run")

-- Additive increase by a whole number of packets, with a random element of its own.
local luck = hs.rng "luck"
hs.cc {
  name = "lucky",
  on_ack = function(view, sample, state)
    if not view.is_cwnd_limited then return end
    local w = state.cwnd
    state.cwnd = w + (w < state.ssthresh and sample.acked or sample.acked * luck:uniform(0.5, 1.5) / w)
  end,
  ssthresh = function(view, state) return math.max(2, state.cwnd * luck:uniform(0.5, 0.7)) end,
}
-- A share of marked packets as a moving average, a round long (as DCTCP); paced.
hs.cc {
  name = "share",
  ecn = true,
  pacing = true,
  init = function(view, state) state.share, state.round, state.delivered, state.marked = 1, view.snd_nxt, 0, 0 end,
  on_ack = function(view, sample, state)
    if view.snd_una >= state.round then
      local delivered, marked = view.delivered - state.delivered, view.delivered_ce - state.marked
      state.share = state.share * 15 / 16 + marked / math.max(1, delivered) / 16
      state.round, state.delivered, state.marked = view.snd_nxt, view.delivered, view.delivered_ce
    end
    state.cwnd = state.cwnd + (state.cwnd < state.ssthresh and sample.acked or sample.acked / state.cwnd)
    if view.srtt then state.pacing_rate = 1.2 * state.cwnd * view.mss / view.srtt end
  end,
  ssthresh = function(view, state) return math.max(2, state.cwnd * (1 - state.share / 2)) end,
}

local left, right = hs.router "left", hs.router "right"
local middle = hs.link(left, right, {
  rate = "20Mbps", delay = "15ms", jitter = "1ms", queue = { "droptail", packets = 60, ecn = 40 },
  impair = {
    { "gilbert_elliott", p = 0.002, r = 0.4 },
    { "duplicate", probability = 0.005 },
    { "reorder", probability = 0.01, delay = "5ms" },
  },
  ba = { loss = "1%" },
})
-- The rule marks one of fifty ECN-capable packets, by chance.
local marks, marker = 0, hs.rng "marker"
middle:dir(left):rule(function(p)
  local ecn = p.ip and p.ip.tos & 3 or 0
  if (ecn == 1 or ecn == 2) and marker:chance(0.02) then
    marks = marks + 1
    p.ip.tos = p.ip.tos | 3
  end
end)

local server = hs.host "server"
hs.link(right, server, { rate = "1Gbps", delay = "1ms" })
server:sysctl("net.ipv4.tcp_ecn", 3)
server:sysctl("net.ipv4.tcp_fastopen", 3)
server:sysctl("net.ipv4.tcp_congestion_control", "share") -- or its listeners would not grant ECN to a SYN that is itself ECN-capable
local sink = server:tcp_sink(5001)
local ports = {} -- of each connection, as the server's side sees them
hs.on("tcp.state", function(e) ports[#ports + 1] = e.remote_port end, { node = server })

local kinds = {
  { "cubic" }, { "reno" }, { "lucky" }, { "share" },
  { "cubic", ecn = 3 }, { "reno", ecn = 1 }, { "cubic", sack = 0 }, { "reno", style = 1 },
  { "reno", style = 3 }, { "lucky", timestamps = 0 }, { "share", ecn = 3 }, { "cubic", style = 4 },
}
local clients = {}
for i, kind in ipairs(kinds) do
  local c = hs.host(string.format("c%02d", i))
  clients[i] = c
  hs.link(c, left, { rate = "100Mbps", delay = i .. "ms", jitter = i % 3 == 0 and "2ms" or nil })
  if kind.ecn then c:sysctl("net.ipv4.tcp_ecn", kind.ecn) end
  if kind.sack then c:sysctl("net.ipv4.tcp_sack", kind.sack) end
  if kind.timestamps then c:sysctl("net.ipv4.tcp_timestamps", kind.timestamps) end
  if kind.style then c:sysctl("hopscope.tcp_recovery_style", kind.style) end
  c:tcp_source { to = "server", port = 5001, congestion = kind[1], start = i / 10 }
end

-- Small questions: one after the other with Fast Open, and a flood that ends in SYN cookies.
local answers = 0
server:spawn(function(os)
  local listener = os.tcp():bind(80)
  listener:setopt("TCP_FASTOPEN", 16)
  listener:listen(4)
  while true do
    local conn = listener:accept()
    os.host:spawn(function()
      local question = conn:read()
      if question then conn:write("answer to " .. question) end
      conn:close()
    end)
  end
end)
local function ask(os, n, options)
  local conn = os.tcp()
  local sent = conn:sendto("question " .. n, "server", 80, options)
  if sent and conn:read(100, "5s") then answers = answers + 1 end
  if n % 5 == 0 then conn:setopt("SO_LINGER", 0) end -- a reset
  conn:close()
end
for i = 1, 3 do
  clients[i]:spawn(function(os)
    for n = 1, 15 do
      ask(os, n, { fastopen = true })
      os.sleep "200ms"
    end
  end)
end
for n = 1, 25 do
  clients[12]:spawn(function(os)
    os.sleep "3s"
    local conn = os.tcp():connect("server", 80)
    if not conn then return end
    conn:write("flood " .. n)
    if conn:read(100, "5s") then answers = answers + 1 end
  end)
end
hs.run(seconds)

local counters = server:counters()
hs.log("bytes", sink:stats().bytes, "marks", marks, "answers", answers)
hs.log("cookies", counters.TcpExtSyncookiesSent, counters.TcpExtSyncookiesRecv, "fast open", counters.TcpExtTCPFastOpenPassive)
hs.expect_equal("every connection delivers", sink:stats().connections, #kinds)
hs.expect("not a byte is wrong", sink:stats().wrong_bytes == 0)
hs.expect("the rule marked", marks > 0)
hs.expect("and the queue", middle:dir(left):stats().marked_packets > 0)
hs.expect("most questions are answered", answers > 40, answers)
hs.expect("some with Fast Open", counters.TcpExtTCPFastOpenPassive > 10)
