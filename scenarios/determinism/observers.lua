-- Determinism: a busy network and many who look at it.
-- Twelve hosts on two switches and a router, links with jitter, reordering, duplicates and corruption, packet rules, processes that
-- wait for each other, timers at the same moment, cables that are pulled, a host that reboots. And observers: they look at every
-- frame, but nothing may depend on them (run with --set watch=false: the digest of frames must be the same).
-- tshark-allow: Bad checksum (links corrupt on purpose)
-- tshark-allow: Duplicate IP address configured (a moved host asks on the other segment, and the router answers there too: arp_ignore 0)
local hs = require "hopscope"
hs.title "A busy network"

local watch = hs.param("watch", true, "whether observers look")

local router = hs.router "router"
local switches, hosts, links = {}, {}, {}
for i = 1, 2 do
  switches[i] = hs.switch("sw" .. i)
  hs.link(switches[i], router, { rate = "100Mbps", delay = "100us", jitter = "200us" })
end
for i = 1, 12 do
  hosts[i] = hs.host(string.format("h%02d", i))
  links[i] = hs.link(hosts[i], switches[1 + i % 2], {
    rate = "20Mbps", delay = "200us", jitter = "1ms", jitter_reorders = i % 3 == 0, queue = { "droptail", packets = 30 },
    loss = i % 4 == 0 and "2%" or nil, duplicate = i % 4 == 1 and "2%" or nil, corrupt = i % 4 == 2 and "1%" or nil,
    reorder = i % 4 == 3 and { probability = 0.05, delay = "2ms" } or nil })
end

-- Rules: drop, delay, duplicate, and one that changes what it lets pass.
local ruled = 0
links[1]:rule(function(p)
  if p.icmp and p.nth % 5 == 0 then
    ruled = ruled + 1
    return "drop"
  end
end)
links[2]:dir(hosts[2]):rule(function(p) if p.udp and p.nth % 7 == 0 then return { "delay", "3ms", overtake = true } end end)
links[3]:rule(function(p) if p.ip and p.nth % 3 == 0 then p.ip.tos = 0x20 end end)
links[5]:rule(function(p) if p.udp and p.nth % 11 == 0 then return { "duplicate", copies = 2, gap = "10us" } end end)

-- Observers: recorders of frames, of drops and of everything else.
local seen, drops, events, tx, rx = nil, 0, 0, 0, 0
if watch then
  seen = hs.frames { link = links[1] }
  hs.on("frame.tx", function(e) tx = tx + e.packet.len end)
  hs.on("frame.rx", function(e) if e.packet:summary() ~= "" then rx = rx + 1 end end)
  hs.on("frame.drop", function(e) if #e.packet:fields() > 0 then drops = drops + 1 end end)
  hs.on("neigh.*", function() events = events + 1 end)
  hs.on("*", function() events = events + 1 end)
  hs.every("37ms", function() return #hs.show(hosts[1]:counters()) > 0 and hs.now() < 3 end)
end

-- Servers that answer, clients that ask two others each and send what they heard on.
local answers, pings = {}, {}
for i, host in ipairs(hosts) do
  answers[i] = {}
  host:spawn(function(os)
    local sock = os.udp():bind(7000)
    while true do
      local data, address, port = sock:recvfrom()
      if data then sock:sendto(data .. "<" .. host.name, address, port) end
    end
  end)
  host:spawn(function(os)
    local sock, rng = os.udp():bind(8000), hs.rng("pauses of " .. host.name)
    for round = 1, 25 do
      for _, step in ipairs { 1, 5 } do
        sock:sendto(string.format("%s asks %d", host.name, round), hosts[1 + (i + step - 1) % #hosts], 7000)
      end
      for _ = 1, 2 do
        local data = sock:recv "50ms"
        if data then table.insert(answers[i], data) end
      end
      os.sleep(rng:exponential(0.02))
    end
  end)
  host:spawn(function(os)
    os.sleep(0.1)
    pings[i] = os.ping(hosts[1 + i % #hosts], { count = 10, interval = "50ms", size = 56 + 100 * i, timeout = "1s" })
  end)
  if i % 3 == 1 then host:udp_source { to = hosts[#hosts + 1 - i], port = 9, size = 900, rate = "8Mbps", start = "300ms", count = 300 } end
  if i % 3 == 0 then host:udp_sink(9) end
end

-- What goes wrong.
hs.at("400ms", function() links[4]:down() end)
hs.at("600ms", function() links[4]:up() end)
hs.at("700ms", function() links[6]:unplug() end)
hs.at("900ms", function() links[6]:plug(switches[1], switches[2]) end)
hs.at("1s", function() hosts[9]:power(false) end)
hs.at("1200ms", function() hosts[9]:power(true) end)
for i = 1, 12 do hs.at("500ms", function() hosts[i]:udp():sendto("all at once", hosts[13 - i], 9) end) end
hs.run "5s"

local n_answers, n_pings, alien = 0, 0, 0
for i = 1, #hosts do
  n_answers = n_answers + #answers[i]
  n_pings = n_pings + (pings[i] and pings[i].received or 0)
  for _, data in ipairs(answers[i]) do
    if not data:find("^" .. hosts[i].name .. " asks %d+<h%d%d$") then alien = alien + 1 end
  end
end
hs.log(n_answers, "answers", n_pings, "pings", ruled, "dropped by a rule")
-- 12 hosts * 25 rounds * 2 questions; the links lose a few per cent, and some hosts were away for a while.
hs.expect_between("most questions were answered", n_answers, 12 * 25 * 2 * 0.7, 12 * 25 * 2 * 1.1)
hs.expect_between("most pings too", n_pings, 12 * 10 * 0.5, 12 * 10)
hs.expect_equal("corruption never reaches a program", alien, 0)
hs.expect("rules were used", ruled > 0)
if watch then
  hs.expect("and there was something to see", #seen > 100 and drops > 10 and events > 1000 and tx > 0 and rx > 0, { #seen, drops, events })
end
