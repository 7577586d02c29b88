-- HOST-09  Copies on the way out.
-- without: TCP (the clone that TCP makes of a segment: one data copy and one clone)
-- On its way out data is copied as rarely as possible: once from the process into the kernel's buffer. A clone is no copy: it
-- is a second descriptor of the same bytes. Only if IP must split a packet are there new buffers, one for each fragment. We
-- count buffers: each that a packet is seen in had to be filled once.
local hs = require "hopscope"
hs.title "HOST-09 Copies on the way out"

local a, b = hs.host "a", hs.host "b"
hs.link(a, b, { rate = "100Mbps" })
a:arp_set("b", b:dev().mac)
local got = 0
b:udp { port = 4242, on_datagram = function(data) got = got + #data end }
local sock = a:udp():connect("b", 4242)
sock:setopt("IP_MTU_DISCOVER", 0) -- IP may cut

local buffers, n_buffers, fragments, stages
hs.on("*", function(e)
  local is_stage = e.probe == "udp.send" or e.probe == "ip.output" or e.probe == "ip.fragment" or e.probe == "frame.tx"
  if not is_stage then return end
  stages[#stages + 1] = e.probe .. " in buffer " .. e.packet.buffer
  if not buffers[e.packet.buffer] then
    buffers[e.packet.buffer] = true
    n_buffers = n_buffers + 1
  end
  fragments = fragments + (e.probe == "ip.fragment" and 1 or 0)
end, { node = a })

local function send(size)
  buffers, n_buffers, fragments, stages, got = {}, 0, 0, {}, 0
  sock:send(hs.payload(size))
  hs.run "10ms"
  for _, s in ipairs(stages) do hs.log(s) end
  return { bytes = got, fragments = fragments, copies = n_buffers }
end

-- 1500 - 20 (IP) - 8 (UDP) = 1472.
hs.note "1472 bytes, the most that fits into one frame: one buffer from the socket to the wire."
hs.expect_equal("within the MTU: 1 copy, from user to kernel", send(1472), { bytes = 1472, fragments = 0, copies = 1 })

hs.note "One byte more, and IP has to split: two fragments, and a buffer for each."
hs.expect_equal("one copy more for each of 2 fragments", send(1473), { bytes = 1473, fragments = 2, copies = 1 + 2 })

-- (8 + 4000) / 1480 = 2.7: three fragments.
hs.note "4000 bytes: three fragments."
hs.expect_equal("an oversized datagram adds one copy per fragment", send(4000), { bytes = 4000, fragments = 3, copies = 1 + 3 })
hs.expect_equal("IP's own counters agree: 2 datagrams were cut, into 5 fragments",
  { a:counter "IpFragOKs", a:counter "IpFragCreates" }, { 2, 5 })

hs.note "How to avoid it: ask for the MTU and send no more than fits. Path MTU discovery does that; IP then refuses to cut, and the process hears EMSGSIZE."
sock:setopt("IP_MTU_DISCOVER", 2)
local ok, err = sock:send(hs.payload(1473))
hs.expect_equal("with DF the process is told", { ok = ok, err = err }, { err = "EMSGSIZE" })
