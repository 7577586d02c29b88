-- ARCH-05  Unreliable IP under a reliable service.
-- IP promises nothing: packets may be lost, doubled, overtaken or damaged on the way (RFC 791 1.2). UDP passes all that on to the
-- program; only damage it turns into loss, as the checksums find it. A reliable service on top (TCP, or TFTP's numbered and
-- repeated blocks) hides it: the reader gets every byte once and in order, or a report of failure. More nobody can promise.
-- tshark-allow: Bad checksum (the link corrupts on purpose)
-- tshark-allow: Previous segment(s) not captured (lost segments)
-- tshark-allow: This frame is a (suspected) out-of-order segment (delayed on purpose)
-- tshark-allow: D-SACK (the receiver tells of what came twice)
local hs = require "hopscope"
hs.title { en = "ARCH-05 Unreliable IP under a reliable service", zh = "ARCH-05 不可靠的 IP 之上的可靠服务" }

local lines = {}
for i = 1, 1000 do lines[i] = string.format("%07d\n", i) end
local file = table.concat(lines) -- 8000 bytes: 15 blocks of 512 and one of 320

-- Each fault on a network of its own, always on the same three of the frames with a number: the 3rd, the 7th and the 12th.
local hit = { [3] = true, [7] = true, [12] = true }
local faults = {
  { name = "loss", verdict = "drop" },
  { name = "duplication", verdict = "duplicate" },
  { name = "reordering", verdict = { "delay", "25ms", overtake = true } }, -- the next two datagrams, 10 ms apart, overtake it
  { name = "corruption", verdict = "corrupt" },
}

local function network(name, verdict)
  local a, b = hs.host(name .. "-a"), hs.host(name .. "-b")
  local n = 0
  local link = hs.link(a, b, { rate = "10Mbps", delay = "5ms" })
  link:dir(a):rule(function(p)
    if not p.udp then return end
    n = n + 1
    if hit[n] then return verdict end
  end)
  return a, b
end

-- UDP: twenty numbered datagrams, 10 ms apart; what the program on b reads.
for _, f in ipairs(faults) do
  local a, b = network("udp-" .. f.name, f.verdict)
  f.read, f.b = {}, b
  b:udp { port = 9, on_datagram = function(data) f.read[#f.read + 1] = math.tointeger(tonumber(data)) end }
  a:spawn(function(os)
    local sock = os.udp():connect(b, 9)
    for i = 1, 20 do
      sock:send(tostring(i))
      os.sleep "10ms"
    end
  end)
  -- And a file: from a to b, so that the data blocks suffer.
  local fa, fb = network("file-" .. f.name, f.verdict)
  fa:tftp_server { files = { ["file"] = file } }
  fb:spawn(function(os) f.file = os.tftp_get(fa, "file") end)
end
hs.note {
  en = "Four networks with one kind of fault each, on the 3rd, 7th and 12th datagram. Twenty numbered datagrams go over each.",
  zh = "四个网络，各有一种故障，发生在第 3、第 7 和第 12 个数据报上。每个网络上都有二十个编了号的数据报经过。",
}
hs.run "60s"

local function without(list)
  local want = {}
  for i = 1, 20 do if not list[i] then want[#want + 1] = i end end
  return want
end
for _, f in ipairs(faults) do print(string.format("    %-12s %s", f.name, table.concat(f.read, " "))) end
local loss, duplication, reordering, corruption = table.unpack(faults)
hs.expect_equal("under loss the UDP reader misses exactly those three", loss.read, without(hit))
hs.expect_equal("under duplication it gets them twice", duplication.read,
  { 1, 2, 3, 3, 4, 5, 6, 7, 7, 8, 9, 10, 11, 12, 12, 13, 14, 15, 16, 17, 18, 19, 20 })
hs.expect_equal("under reordering they come after the two that followed them", reordering.read,
  { 1, 2, 4, 5, 3, 6, 8, 9, 7, 10, 11, 13, 14, 12, 15, 16, 17, 18, 19, 20 })
hs.expect_equal("corruption shows as loss: nothing wrong is delivered", corruption.read, without(hit))
hs.expect_equal("the card has counted three damaged frames", corruption.b:dev():stats().rx_crc_errors, 3)

hs.note {
  en = "The same faults under a file transfer that numbers its blocks, waits for acknowledgments and repeats itself: it is whole.",
  zh = "文件传送在同样的故障之上给块编号、等待确认并且重发：文件是完整的。",
}
for _, f in ipairs(faults) do
  hs.expect("under " .. f.name .. " alone the reader of the file gets the identical bytes", f.file.ok and f.file.data == file,
    f.file.error)
end
hs.note {
  en = "What it costs is time: each lost block is noticed only when somebody has waited for it long enough.",
  zh = "代价是时间：每个丢失的块都要等到有人等得够久了才会被发现。",
}
hs.expect_between("three lost blocks cost a second each", loss.file.time - duplication.file.time, 3, 3.1)

hs.note {
  en = "And under TCP, on the same frames: its reader gets an identical stream of bytes, every time.",
  zh = "换成 TCP，故障落在同样的帧上：每一次，它的读者得到的字节流都完全相同。",
}
for _, f in ipairs(faults) do
  local a, b = hs.host("tcp-" .. f.name .. "-a"), hs.host("tcp-" .. f.name .. "-b")
  local link, n = hs.link(a, b, { rate = "10Mbps", delay = "5ms" }), 0
  link:dir(a):rule(function(p)
    if not (p.tcp and p.tcp.len > 0) then return end
    n = n + 1
    if hit[n] then return f.verdict end
  end)
  f.stream = {}
  b:spawn(function(os)
    local conn = os.tcp():bind(5678):listen(1):accept()
    for data in function() return conn:read() end do f.stream[#f.stream + 1] = data end
    conn:close()
  end)
  a:spawn(function(os)
    local sock = os.tcp({ nodelay = true }):connect(b.name, 5678)
    for i = 1, 20 do
      sock:write(lines[i])
      os.sleep "10ms"
    end
    sock:close()
  end)
  f.tcp_link = link
end
hs.run "30s"
for _, f in ipairs(faults) do
  hs.expect_equal("under " .. f.name .. " the TCP reader gets the identical byte stream", table.concat(f.stream), table.concat(lines, "", 1, 20))
end
hs.expect_equal("under loss three segments were lost", faults[1].tcp_link:stats().ab.lost_packets, 3)

hs.translate("zh", {
  ["under loss the UDP reader misses exactly those three"] = "有丢失时，UDP 的读者正好缺那三个",
  ["under duplication it gets them twice"] = "有重复时，它得到它们两次",
  ["under reordering they come after the two that followed them"] = "有失序时，它们在后面的两个之后到来",
  ["corruption shows as loss: nothing wrong is delivered"] = "损坏表现为丢失：没有交付错误的内容",
  ["the card has counted three damaged frames"] = "网卡计入三个损坏的帧",
  ["under loss alone the reader of the file gets the identical bytes"] = "只有丢失时，文件的读者得到完全相同的字节",
  ["under duplication alone the reader of the file gets the identical bytes"] = "只有重复时，文件的读者得到完全相同的字节",
  ["under reordering alone the reader of the file gets the identical bytes"] = "只有失序时，文件的读者得到完全相同的字节",
  ["under corruption alone the reader of the file gets the identical bytes"] = "只有损坏时，文件的读者得到完全相同的字节",
  ["three lost blocks cost a second each"] = "三个丢失的块各花一秒",
  ["under loss the TCP reader gets the identical byte stream"] = "有丢失时，TCP 的读者得到完全相同的字节流",
  ["under duplication the TCP reader gets the identical byte stream"] = "有重复时，TCP 的读者得到完全相同的字节流",
  ["under reordering the TCP reader gets the identical byte stream"] = "有失序时，TCP 的读者得到完全相同的字节流",
  ["under corruption the TCP reader gets the identical byte stream"] = "有损坏时，TCP 的读者得到完全相同的字节流",
  ["under loss three segments were lost"] = "有丢失时丢了三个报文段",
})
