-- TCP-KA-09  Host crash for good, data in flight.
-- Nobody acknowledges, and nobody ever will. The sender repeats its data, waiting twice as long each time but never more than 120 s, and in
-- the end gives up: ETIMEDOUT. net.ipv4.tcp_retries2 is 15, but Linux turns that number into a time: that which 15 retransmissions take if
-- the first wait is 200 ms, TCP_RTO_MIN: 0.2 + 0.4 + ... + 102.4 s, ten waits, and six of 120 s: 924.6 s (tcp_write_timeout,
-- retransmits_timed_out). With a longer RTO fewer copies fit.
local hs = require "hopscope"
hs.title { en = "TCP-KA-09 Host crash for good, data in flight", zh = "TCP-KA-09 主机一去不返，数据在途" }

local LIMIT = 0.2 * (2 ^ 10 - 1) + 6 * 120

-- Returns the times of all copies, and that of the error, from the first copy on.
local function crash(name, delay, early)
  local client, server, sw = hs.host("client-" .. name), hs.host("server-" .. name), hs.switch("sw-" .. name)
  hs.link(client, sw)
  hs.link(server, sw, { delay = delay })
  server:arp_set(client, client:dev().mac) -- else it would be EHOSTUNREACH, from ARP
  client:arp_set(server, server:dev().mac)
  server:sysctl("net.ipv4.tcp_early_retrans", early)
  local times, result = {}, nil
  hs.on("tcp.send", function(e) if e.length_bytes > 0 then times[1] = e.time end end, { node = server })
  hs.on("tcp.retransmit", function(e) times[#times + 1] = e.time end, { node = server })
  server:spawn(function(os)
    local conn = os.tcp():bind(5000):listen(8):accept()
    os.sleep "10s"
    conn:write "data for the client"
    local data, err = conn:read()
    result = { data, err, hs.now() }
  end)
  client:spawn(function(os) os.tcp():connect(server, 5000):read() end)
  hs.run "10s"
  client:power(false)
  hs.run "1800s"
  local waits = {}
  for i = 2, #times do waits[i - 1] = times[i] - times[i - 1] end
  local text = {}
  for i, w in ipairs(waits) do text[i] = string.format("%.4g", w) end
  hs.note({
    en = "One way %s: %d retransmissions, after %s s; %s after %.1f s",
    zh = "单程 %s：%d 次重传，在 %s s 之后；%s，在 %.1f s 之后",
  }, delay, #waits, table.concat(text, ", "), result[2], result[3] - times[1])
  return waits, result, result[3] - times[1], times
end

hs.note {
  en = "A short path, so the timeout is 200 ms, and a millisecond because Linux rounds up. Tail loss probes are off (tcp_early_retrans 0): timeouts only.",
  zh = "路径很短，所以超时时间是 200 ms，再加一毫秒，因为 Linux 向上取整。尾部丢失探测已关闭（tcp_early_retrans 0）：只有超时。",
}
local waits, result, took = crash("near", "10us", 0)
hs.expect_equal("15 retransmissions", #waits, 15)
local want, seen = {}, {}
for i = 1, 15 do
  want[i] = math.min(0.201 * 2 ^ (i - 1), 120)
  seen[i] = math.floor(waits[i] * 1000 + 0.5) / 1000
end
hs.expect_equal("doubling waits: 0.201, 0.402, ... 102.9 s, then 120 s", seen, want)
hs.expect_equal("then an error", { result[1], result[2] }, { nil, "ETIMEDOUT" })
-- 0.201 * (2^10 - 1) + 6 * 120 = 925.6: the limit of 924.6 s is over when the timer after the 15th copy fires
hs.expect_near("after 925.6 s, the first moment beyond the limit", took, 0.201 * (2 ^ 10 - 1) + 6 * 120, 0.02)
hs.expect_near("the limit being about 924.6 s", LIMIT, 924.6, 1e-9)

hs.note {
  en = "With tail loss probes, as Linux is by default: one copy more, from the probe.",
  zh = "有尾部丢失探测，这是 Linux 的默认设置：由于探测，多了一份副本。",
}
waits, result = crash("probe", "10us", 3)
hs.expect_equal("16 copies, ETIMEDOUT", { #waits, result[2] }, { 16, "ETIMEDOUT" })

hs.note {
  en = "A path of 3 s: the waits begin with more than 3 s, so that fewer copies fit into the same limit.",
  zh = "3 s 的路径：等待从 3 s 以上开始，所以同样的时限之内容得下的副本较少。",
}
waits, result, took = crash("far", "1500ms", 0)
-- One sample of 3 s, so RTO = 3 + 4 x 1.5 = 9 s (RFC 6298 2.2): the waits after the first retransmission, 18 + 36 + 72 + 6 x 120 = 846 s,
-- are within the limit, the
-- next 120 s are not
hs.expect_equal("fewer copies than 15: 10", #waits, 10)
hs.expect_near("given up after 9 + 846 + 120 = 975 s", took, 975, 0.02)
hs.expect_equal("the same error", result[2], "ETIMEDOUT")
hs.expect_between("not before the limit, and less than one wait after it, counted from the first retransmission", took - waits[1], LIMIT, LIMIT + 120)

hs.translate("zh", {
  ["15 retransmissions"] = "15 次重传",
  ["doubling waits: 0.201, 0.402, ... 102.9 s, then 120 s"] = "等待加倍：0.201、0.402……102.9 s，然后 120 s",
  ["then an error"] = "然后是错误",
  ["after 925.6 s, the first moment beyond the limit"] = "在 925.6 s 之后，即超过时限的第一个时刻",
  ["the limit being about 924.6 s"] = "时限约为 924.6 s",
  ["16 copies, ETIMEDOUT"] = "16 份副本，ETIMEDOUT",
  ["fewer copies than 15: 10"] = "副本少于 15：10",
  ["given up after 9 + 846 + 120 = 975 s"] = "在 9 + 846 + 120 = 975 s 之后放弃",
  ["the same error"] = "同样的错误",
  ["not before the limit, and less than one wait after it, counted from the first retransmission"] = "不早于时限，也不晚于时限之后一次等待，从第一次重传算起",
})
