-- SW-04  Table ageing.
-- What a switch has learnt it does not keep for ever: a device may be gone. An entry whose device has been silent for 300 s
-- (the default of IEEE 802.1D, table 7-5) is removed; the next frame to it is flooded until it speaks again. Only frames
-- FROM a device keep its entry young; frames TO it prove nothing.
local hs = require "hopscope"
hs.title { en = "SW-04 Table ageing", zh = "SW-04 表项老化" }

local switch = hs.switch "switch"
local a, b, c = hs.host "a", hs.host "b", hs.host "c"
hs.link(a, switch, { rate = "100Mbps" })
hs.link(b, switch, { rate = "100Mbps" })
hs.link(c, switch, { rate = "100Mbps" })

local function mac_bytes(text) return (text:gsub("(%x%x):?", function(x) return string.char(tonumber(x, 16)) end)) end
local function frame(from, to)
  from:raw():send(mac_bytes(to:dev().mac) .. mac_bytes(from:dev().mac) .. "\x88\xb5" .. ("x"):rep(46))
end
local copies = 0
hs.on("frame.tx", function() copies = copies + 1 end, { node = switch })
local aged_at
hs.on("switch.age", function(event) aged_at = event.time end)

-- A frame of 60 bytes has its last bit (60 + 8 + 4) * 8 / 100 Mbit/s = 5.76 us after its first.
local HEARD = hs.seconds "5.76us"

hs.note { en = "0 s: b says one word and falls silent. The switch knows it from now on.", zh = "0 s：b 说了一句话，然后沉默。从现在起交换机认识它。" }
frame(b, a)
hs.run "1s"
hs.expect_equal("b is in the table", switch:lookup(b:dev().mac), switch:port(b).name)
copies = 0

hs.at("299s", function()
  hs.note { en = "299 s: a frame to b. The entry is old, but it is there: one copy.", zh = "299 s：一个给 b 的帧。表项虽旧，但还在：一份副本。" }
  frame(a, b)
end)
hs.run_until "300s"
hs.expect_equal("at 299 s the frame is unicast", copies, 1)
hs.expect_equal("the switch still knows b at 300 s: it was heard 5.76 us later", switch:lookup(b:dev().mac), switch:port(b).name)
copies = 0

hs.at("301s", function()
  hs.note {
    en = "301 s: another frame to b. That of 299 s has not kept the entry alive: this one is flooded.",
    zh = "301 s：又一个给 b 的帧。299 s 的那个并没有使表项保持有效：这一个泛洪。",
  }
  frame(a, b)
end)
hs.run_until "302s"
hs.expect_equal("at 301 s the frame is flooded: to b and to c", copies, 2)
hs.expect_equal("b is no longer in the table", switch:lookup(b:dev().mac), nil)
hs.expect_equal("a, who spoke at 299 s, is", switch:lookup(a:dev().mac), switch:port(a).name)
hs.expect_equal("one entry has aged", switch:stats().aged, 1)
hs.log({ en = "the entry was found dead at %s", zh = "发现表项失效的时刻：%s" }, aged_at)
copies = 0

hs.note {
  en = "One word from b, and it is known again. Another switch can be told another age: 10 s here.",
  zh = "b 说一句话，它就又为人所知。可以给另一台交换机规定别的老化时间：这里是 10 s。",
}
frame(b, a)
hs.run "1ms"
copies = 0
frame(a, b)
hs.run "1ms"
hs.expect_equal("b spoke: unicast again", copies, 1)
switch:set { ageing = "10s" }
hs.run "11s"
hs.expect_equal("with an age of 10 s, b is forgotten after 11 s", switch:lookup(b:dev().mac), nil)
hs.expect("the entry could not die before 300 s of silence", aged_at and aged_at >= 300 + HEARD, aged_at)

hs.translate("zh", {
  ["b is in the table"] = "b 在表里",
  ["at 299 s the frame is unicast"] = "299 s 时帧是单播",
  ["the switch still knows b at 300 s: it was heard 5.76 us later"] = "300 s 时交换机仍认识 b：它是在 5.76 us 之后才被听到的",
  ["at 301 s the frame is flooded: to b and to c"] = "301 s 时帧被泛洪：给 b 和 c",
  ["b is no longer in the table"] = "b 不再在表里",
  ["a, who spoke at 299 s, is"] = "299 s 时说过话的 a 还在",
  ["one entry has aged"] = "一个表项老化了",
  ["b spoke: unicast again"] = "b 说话了：又是单播",
  ["with an age of 10 s, b is forgotten after 11 s"] = "老化时间为 10 s，b 在 11 s 之后被忘记",
  ["the entry could not die before 300 s of silence"] = "表项不可能在 300 s 的沉默之前失效",
})
