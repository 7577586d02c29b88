-- SOCK-18  Stream, not messages.
-- TCP carries bytes in order, and nothing else (RFC 9293 3.8): where the writer's calls began and ended, and where segments were cut, is
-- invisible to the reader, who may read in any sizes.
local hs = require "hopscope"
hs.title { en = "SOCK-18 Stream, not messages", zh = "SOCK-18 是流，不是报文" }

local client, server = hs.host "client", hs.host "server"
hs.link(client, server, { rate = "10Mbps", delay = "5ms" })

local K = 1024
local text = hs.payload(6 * K):bytes()
local sizes = { { "2K, then 3K, then 1K", { 2 * K, 3 * K, K } }, { "all at once", { 6 * K } }, { "single bytes", { 1 } } }
local zh = { ["2K, then 3K, then 1K"] = "2K，然后 3K，再 1K", ["all at once"] = "一次全取", ["single bytes"] = "逐个字节取" }
local results = {}

server:spawn(function(os)
  local listener = os.tcp():bind(5678):listen(8)
  for i, how in ipairs(sizes) do
    local conn = listener:accept()
    os.sleep "1s"
    local got, n, counts = {}, 0, {}
    while true do
      local data = conn:read(how[2][n % #how[2] + 1])
      if not data then break end
      n = n + 1
      got[n], counts[n] = type(data) == "string" and data or data:bytes(), #data
    end
    results[i] = { text = table.concat(got), reads = n, counts = counts }
    conn:close()
  end
end)
local segments = hs.frames { filter = function(p) return p.from == "client" and p.tcp and p.tcp.len > 0 end }
client:spawn(function(os)
  for i, how in ipairs(sizes) do
    local sock = os.tcp():connect("server", 5678)
    hs.note({
      en = "Connection %d: six writes of 1K. The reader takes %s.",
      zh = "连接 %d：六次写入，每次 1K。读者%s。",
    }, i, { en = how[1], zh = zh[how[1]] })
    for k = 1, 6 do sock:write(text:sub((k - 1) * K + 1, k * K)) end
    sock:close()
    os.sleep "2s"
  end
end)
hs.run "8s"

hs.expect_equal("reads of 2K, 3K and 1K: three reads for six writes", results[1].counts, { 2 * K, 3 * K, K })
hs.expect_equal("one read for six writes", results[2].counts, { 6 * K })
hs.expect_equal("6144 reads of one byte", results[3].reads, 6 * K)
local same = 0
for i = 1, 3 do same = same + (results[i].text == text and 1 or 0) end
hs.expect_equal("every way of reading gives the same 6144 bytes", same, 3)
local lengths = {}
for i, frame in ipairs(segments) do lengths[i] = frame.packet.tcp.len end
hs.log({ en = "segments: %s", zh = "报文段：%s" }, table.concat(lengths, " "))
hs.expect("segments were cut elsewhere: some hold more than a write", math.max(table.unpack(lengths)) > K)

hs.translate("zh", {
  ["reads of 2K, 3K and 1K: three reads for six writes"] = "读 2K、3K 和 1K：六次写入用三次读取",
  ["one read for six writes"] = "六次写入用一次读取",
  ["6144 reads of one byte"] = "6144 次一字节的读取",
  ["every way of reading gives the same 6144 bytes"] = "每种读法都得到同样的 6144 字节",
  ["segments were cut elsewhere: some hold more than a write"] = "报文段在别处切开：有些装着不止一次写入",
})
