-- TCP-FC-18  Send buffer autotuning.
-- net.ipv4.tcp_wmem has three values: the least (4096), what a connection begins with (16384), the most (4194304). Linux lets the buffer
-- grow with the congestion window, to twice of what the window holds, so that the next round trip finds data (tcp_sndbuf_expand). What
-- returns after the ACK, and in idleness, is the memory in use; the limit stays. SO_SNDBUF turns autotuning off.
-- tshark-allow: Previous segment(s) not captured (what a queue loses never arrives)
-- tshark-allow: This frame is a (suspected) out-of-order segment (repetitions of what was lost come late)
local hs = require "hopscope"
hs.title { en = "TCP-FC-18 Send buffer autotuning", zh = "TCP-FC-18 发送缓冲区的自动调节" }

local rate, rtt, queue = 100e6, 0.040, 100
local bdp = rate / 8 * rtt
-- In the buffer a segment of 1448 bytes takes 2304 bytes of memory: data, room for headers, and the kernel's administration.
local payload, truesize = 1448, 2304

-- Transfers 6 MB and looks every millisecond.
local function run(name, wmem, sndbuf)
  local client = hs.host("client-" .. name, { sysctl = { ["net.ipv4.tcp_wmem"] = wmem, ["net.ipv4.tcp_no_metrics_save"] = 1 } })
  local server = hs.host("server-" .. name, { sysctl = { ["net.core.rmem_max"] = 16777216 } })
  hs.link(client, server, { rate = rate, delay = rtt / 2, queue = queue })
  client:ping(server, { count = 1 })
  server:tcp_sink { port = 7100, rcvbuf = "8MB" }
  local r = { smallest = math.huge, largest = 0, memory = 0, cwnd = 0 }
  local conn = client:tcp { congestion = "cubic", sndbuf = sndbuf }
  r.before = conn:getopt "SO_SNDBUF"
  conn:connect(server, 7100)
  local start = hs.now()
  client:spawn(function(os)
    conn:write(hs.payload "6MB")
    r.seconds = os.now() - start
  end)
  hs.every("1ms", function()
    local limit = conn:getopt "SO_SNDBUF"
    r.smallest, r.largest = math.min(r.smallest, limit), math.max(r.largest, limit)
    r.memory, r.cwnd = math.max(r.memory, client:sockstat().mem * 4096), math.max(r.cwnd, conn:info().snd_cwnd)
    return hs.now() < start + 4
  end)
  hs.run "20s"
  r.after, r.memory_after = conn:getopt "SO_SNDBUF", client:sockstat().mem * 4096
  hs.note({
    en = "%s: SO_SNDBUF is %d at first, %d at most, %d at the end; memory in use %d at most, %d at the end; cwnd %d at most; 6 MB in %.2f s.",
    zh = "%s：SO_SNDBUF 起初是 %d，最大 %d，结束时 %d；占用的内存最多 %d，结束时 %d；cwnd 最大 %d；6 MB 用了 %.2f s。",
  }, name, r.before, r.largest, r.after, r.memory, r.memory_after, r.cwnd, r.seconds or 99)
  return r
end
local auto = run("auto", "4096 16384 4194304")
local capped = run("capped", "4096 16384 200000")
local fixed = run("fixed", "4096 16384 4194304", 50000)

hs.expect_equal("it begins with the second value", auto.before, 16384)
hs.expect("it stays between the first and the third", auto.smallest >= 4096 and auto.largest <= 4194304)
-- Connected, it holds twice the initial window of 10 segments.
hs.expect_equal("connected: twice the initial window", auto.smallest, 2 * 10 * truesize)
hs.expect_between("it reaches about twice what the path holds, queue included", auto.largest / truesize * payload, 2 * bdp, 2.2 * (bdp + queue * 1514))
hs.expect_near("that is twice the congestion window", auto.largest / truesize, 2 * auto.cwnd, 0.1 * 2 * auto.cwnd)
hs.expect_equal("after the last ACK no memory is in use", auto.memory_after, 0)
hs.expect_equal("though the limit has stayed", auto.after, auto.largest)
hs.expect_equal("it never grows above the third value", capped.largest, 200000)
hs.expect_equal("with SO_SNDBUF it does not move (Linux doubles what is asked for)", { fixed.smallest, fixed.largest }, { 100000, 100000 })
hs.expect("too small a buffer costs time", capped.seconds > 2 * auto.seconds and fixed.seconds > 2 * auto.seconds)

hs.translate("zh", {
  ["it begins with the second value"] = "它从第二个值开始",
  ["it stays between the first and the third"] = "它保持在第一个和第三个之间",
  ["connected: twice the initial window"] = "连接之后：初始窗口的两倍",
  ["it reaches about twice what the path holds, queue included"] = "它达到路径（含队列）容量的约两倍",
  ["that is twice the congestion window"] = "也就是拥塞窗口的两倍",
  ["after the last ACK no memory is in use"] = "最后的 ACK 之后不占用内存",
  ["though the limit has stayed"] = "尽管上限仍在",
  ["it never grows above the third value"] = "它从不超过第三个值",
  ["with SO_SNDBUF it does not move (Linux doubles what is asked for)"] = "用了 SO_SNDBUF 它就不动（Linux 把所要求的加倍）",
  ["too small a buffer costs time"] = "缓冲区太小会耗费时间",
})
