-- UDP-05  Silent loss.
-- UDP sends and forgets. What is lost on the way is neither reported nor repeated; for the sender every call succeeded
-- (RFC 768). There is one exception: if the other host answers "port unreachable" (ICMP 3/3), a connected socket hears of it
-- with its next call, as ECONNREFUSED (RFC 1122 4.1.3.3).
local hs = require "hopscope"
hs.title { en = "UDP-05 Silent loss", zh = "UDP-05 无声的丢失" }

local a, b = hs.host "a", hs.host "b"
local link = hs.link(a, b, { delay = "5ms" })
local read = {}
b:udp { port = 9, on_datagram = function(data) read[#read + 1] = math.tointeger(data) end }

hs.note { en = "Host a sends the numbers 1 to 100. The cable loses every tenth.", zh = "主机 a 发送数字 1 到 100。线路每十个丢失一个。" }
local count = 0
link:dir(a):rule(function(p)
  if not p.udp then return end
  count = count + 1
  if count % 10 == 0 then return "drop" end
end)
local back = hs.frames { node = b, filter = function(p) return p.ip end }
local sent, succeeded = hs.frames { node = a, filter = function(p) return p.udp end }, 0
a:spawn(function(os)
  local sock = os.udp():connect("b", 9)
  for i = 1, 100 do
    if sock:send(tostring(i)) then succeeded = succeeded + 1 end
    os.sleep "1ms"
  end
  os.sleep "10s"
  hs.expect_equal("not even ten seconds later is there an error", sock:error(), nil)
end)
hs.run "20s"
link:dir(a):rule(nil)

local wanted = {}
for i = 1, 100 do if i % 10 ~= 0 then wanted[#wanted + 1] = i end end
hs.note({
  en = "b has read %d numbers; a's %d calls all succeeded, and it has sent %d packets: nothing was repeated.",
  zh = "b 读到了 %d 个数字；a 的 %d 次调用全部成功，它发送了 %d 个分组：没有任何重传。",
}, #read, succeeded, #sent)
hs.expect_equal("10 of 100 are lost: 90 are read", #read, 90)
hs.expect_equal("those that were not lost, in order", read, wanted)
hs.expect_equal("the sender sees success 100 times", succeeded, 100)
hs.expect_equal("nothing is repeated", #sent, 100)
hs.expect_equal("nothing is reported", #back, 0)

hs.note {
  en = "The exception: nobody listens on port 10 of b. The first send succeeds; ICMP comes back; the second call is told.",
  zh = "例外：b 的端口 10 上没有人监听。第一次发送成功；ICMP 回来；第二次调用得知此事。",
}
a:spawn(function(os)
  local sock = os.udp():connect("b", 10)
  local first = sock:send "anybody?"
  os.sleep "1s"
  local second, why = sock:send "hello?"
  hs.expect_equal("the first send succeeds, the second gives ECONNREFUSED", { first, second, why }, { 8, nil, "ECONNREFUSED" })
end)
hs.run "2s"
hs.expect_equal("b has sent one ICMP port unreachable",
  { #back, back[1] and back[1].packet.icmp.type, back[1] and back[1].packet.icmp.code }, { 1, 3, 3 })

hs.translate("zh", {
  ["not even ten seconds later is there an error"] = "十秒之后也没有错误",
  ["10 of 100 are lost: 90 are read"] = "100 个丢失 10 个：读到 90 个",
  ["those that were not lost, in order"] = "没有丢失的那些，按序",
  ["the sender sees success 100 times"] = "发送方看到 100 次成功",
  ["nothing is repeated"] = "没有任何重传",
  ["nothing is reported"] = "没有任何报告",
  ["the first send succeeds, the second gives ECONNREFUSED"] = "第一次发送成功，第二次得到 ECONNREFUSED",
  ["b has sent one ICMP port unreachable"] = "b 发送了一个 ICMP 端口不可达",
})
