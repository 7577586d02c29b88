-- SW-02  Learning.
-- A switch is told nothing: it reads the SOURCE address of every frame, whatever the frame is, and notes the port it came
-- in by (IEEE 802.1D clause 7.8). One frame from a is enough; it need not be an answer to anything. When a moves, its next
-- frame moves the entry; until then the old entry leads frames astray.
local hs = require "hopscope"
hs.title "SW-02 Learning"

--   a ──┐                          (a moves from west to east)
--       west ──── core ──── east ──── b
--   c ──┘           └── d
local core, west, east = hs.switch "core", hs.switch "west", hs.switch "east"
local a, b, c, d = hs.host "a", hs.host "b", hs.host "c", hs.host "d"
local fast = { rate = "1Gbps", delay = "1us" }
local cable = hs.link(a, west, fast)
local to_b = hs.link(b, east, fast)
local to_c = hs.link(c, west, fast)
local to_d = hs.link(d, core, fast)
hs.link(west, core, fast)
hs.link(core, east, fast)

local function mac_bytes(text) return (text:gsub("(%x%x):?", function(x) return string.char(tonumber(x, 16)) end)) end
-- A frame of an experimental EtherType, so that nothing answers it and no ARP is in the way.
local function frame(from, to)
  from:raw():send(mac_bytes(to:dev().mac) .. mac_bytes(from:dev().mac) .. "\x88\xb5" .. ("x"):rep(46))
  hs.run "1ms"
end
-- Frames that came down the cable to a host since the last time it was asked.
local before = {}
local function arrived(link, host)
  local n = link:dev(host):stats().rx_packets + link:dev(host):stats().rx_not_for_me
  local new = n - (before[host.name] or 0)
  before[host.name] = n
  return new
end
local function arrivals() return { a = arrived(cable, a), c = arrived(to_c, c), d = arrived(to_d, d) } end

hs.note "All tables are empty. a sends one frame to b, who has never spoken: it goes everywhere, but the switches now know a."
hs.expect_equal("at first no switch knows anybody", { #core:macs(), #west:macs(), #east:macs() }, { 0, 0, 0 })
frame(a, b)
hs.expect_equal("core has learnt a from a frame that nobody answered", core:lookup(a:dev().mac), core:port(west).name)
hs.expect_equal("and so has west, at its own port", west:lookup(a:dev().mac), west:port(a).name)
arrivals()

hs.note "b sends to a. The frame leaves only the ports on the way to a."
frame(b, a)
hs.expect_equal("traffic to a leaves only a's port: c and d hear nothing", arrivals(), { a = 1, c = 0, d = 0 })

hs.note "a is carried over to the switch east. West feels that the cable is gone and forgets; core feels nothing."
cable:unplug()
cable:plug(west, east)
hs.expect_equal("west has forgotten a with its cable", west:lookup(a:dev().mac), nil)
hs.expect_equal("core still believes that a is in the west", core:lookup(a:dev().mac), core:port(west).name)
frame(d, a)
hs.expect_equal("a frame from d follows the old entry and misses a", arrivals(), { a = 0, c = 1, d = 0 })

hs.note "a speaks to b, next to it: east already knows b, so core does not even hear of it. Only a frame that passes core teaches core."
frame(a, b)
hs.expect_equal("east has learnt a at its new port", east:lookup(a:dev().mac), east:port(a).name)
hs.expect_equal("core has not heard from a", core:lookup(a:dev().mac), core:port(west).name)

hs.note "One frame from a to d, and core is right again."
frame(a, d)
hs.expect_equal("core has moved the entry", core:lookup(a:dev().mac), core:port(east).name)
hs.expect_equal("exactly one entry was moved there", core:stats().moved, 1)
arrivals()
frame(d, a)
hs.expect_equal("traffic to a leaves only the new port", arrivals(), { a = 1, c = 0, d = 0 })
