-- UDP-09  Reliability built above UDP.
-- UDP loses, repeats and reorders. Who wants a file intact must add what is missing: numbers, to know old from new and to
-- notice gaps; acknowledgments; a timer, to send again what was not acknowledged; and a limit on what may be under way.
-- The simplest protocol that has them all is stop-and-wait: one block, one acknowledgment (RFC 1350 works like that).
local hs = require "hopscope"
hs.title { en = "UDP-09 Reliability built above UDP", zh = "UDP-09 在 UDP 之上建立可靠性" }

local BLOCK, TIMEOUT = 512, "60ms"
local sender, receiver = hs.host "sender", hs.host "receiver"
-- 20 % are lost in each direction, and every tenth frame comes 100 ms late: later than its own repetition.
hs.link(sender, receiver, { rate = "10Mbps", delay = "10ms", loss = 0.2, reorder = { probability = 0.1, delay = "100ms" } })

local pieces = {}
for i = 1, 10000 do pieces[i] = string.format("%05d, ", i) end
local file = table.concat(pieces) -- 70000 bytes: 136 blocks of 512 and one of 368

local under_way, most_under_way, transmissions, blocks = 0, 0, 0, 0
hs.note {
  en = "The sender: send block n, wait for its number; after 60 ms send it again. Other numbers are old: ignore them.",
  zh = "发送方：发送第 n 块，等待它的编号；60 ms 之后再发一次。其他编号都是旧的：不予理会。",
}
sender:spawn(function(os)
  local sock = os.udp():connect("receiver", 9)
  local at = 1
  repeat
    blocks = blocks + 1
    local data = file:sub(at, at + BLOCK - 1)
    under_way = under_way + 1
    most_under_way = math.max(most_under_way, under_way)
    local acknowledged = false
    while not acknowledged do
      sock:send(string.pack(">I4", blocks) .. data)
      transmissions = transmissions + 1
      local give_up = os.now() + hs.seconds(TIMEOUT)
      repeat
        local answer = sock:recv(math.max(give_up - os.now(), 0))
        acknowledged = answer and string.unpack(">I4", answer) == blocks
      until acknowledged or not answer -- no answer: the 60 ms are over
    end
    under_way = under_way - 1
    at = at + BLOCK
  until #data < BLOCK -- a short block is the last
end)

hs.note {
  en = "The receiver: acknowledge every block by its number; take it only if it is the next one.",
  zh = "接收方：按编号确认每一块；只有正好是下一块时才收下。",
}
local parts, expected, arrived, old, late_ones = {}, 1, 0, 0, 0
receiver:udp { port = 9, on_datagram = function(datagram, address, port, _, sock)
  local n = string.unpack(">I4", datagram)
  arrived = arrived + 1
  if n == expected then
    parts[#parts + 1] = datagram:sub(5)
    expected = expected + 1
  else
    old = old + 1
    if n < expected - 1 then late_ones = late_ones + 1 end
  end
  if n < expected then sock:sendto(string.pack(">I4", n), address, port) end
end }
hs.run "60s"

local got = table.concat(parts)
hs.note({
  en = "%d blocks took %d transmissions; %d arrived, %d of them a second time (%d after a later block).",
  zh = "%d 块用了 %d 次传输；%d 次到达，其中 %d 次是重复的（%d 次在后面的块之后）。",
}, blocks, transmissions, arrived, old, late_ones)
hs.expect_equal("70000 bytes are 137 blocks, the last one short", { #file, blocks }, { 70000, 137 })
hs.expect("the file arrives intact", got == file, #got)
hs.expect_equal("in the right number of blocks", #parts, 137)
hs.expect("blocks were lost: some had to be repeated", transmissions > arrived)
hs.expect("repetitions of blocks whose acknowledgment was lost or late were thrown away", old > 0)
hs.expect("reordering happened: a block came after a later one", late_ones > 0)
-- A round succeeds if block and acknowledgment get through in time: at most 0.8 * 0.8 = 0.64. 137 / 0.64 = 214 on average,
-- with a standard deviation of sqrt(137 * 0.36) / 0.64 = 11: fewer than 170 would be a wonder.
hs.expect("about 137 / (0.8 * 0.8) = 214 transmissions or more", transmissions > 170, transmissions)
hs.expect_equal("the flow is limited: never more than one block under way", most_under_way, 1)

hs.translate("zh", {
  ["70000 bytes are 137 blocks, the last one short"] = "70000 字节是 137 块，最后一块较短",
  ["the file arrives intact"] = "文件完好到达",
  ["in the right number of blocks"] = "块数正确",
  ["blocks were lost: some had to be repeated"] = "有块丢失：有些必须重传",
  ["repetitions of blocks whose acknowledgment was lost or late were thrown away"] = "确认丢失或迟到的块，其重传被丢弃",
  ["reordering happened: a block came after a later one"] = "发生过失序：一个块在后面的块之后到来",
  ["about 137 / (0.8 * 0.8) = 214 transmissions or more"] = "约 137 / (0.8 * 0.8) = 214 次传输或更多",
  ["the flow is limited: never more than one block under way"] = "流量受限：途中从不超过一块",
})
