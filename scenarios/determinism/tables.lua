-- Determinism: the order of tables reaches the wire.
-- Stock Lua walks through a table in an order that changes from process to process, sorts large lists with pivots taken from the
-- clock, and prints tables by their addresses. Here whatever order pairs, next, table.sort and tostring give is sent as packets:
-- if it changed, the digest would. The order itself is defined, and checked: whole numbers, other numbers, strings by bytes,
-- false, true, then objects by age.
local hs = require "hopscope"
hs.title "The order of tables"

local a, b = hs.host "a", hs.host "b"
hs.link(a, b, { rate = "100Mbps", delay = "1ms", queue = 10000 })
local got = {}
b:udp { port = 9, on_datagram = function(data) got[#got + 1] = data end }
b:udp_sink(10)
a:ping("b", { count = 1 }) -- from here on nothing waits for ARP
local sock = a:udp():connect("b", 9)

-- What is sent is said once more here, so that the scenario knows what must arrive.
local said = {}
local function say(...)
  local text = table.concat({ ... }, " ")
  said[#said + 1] = text
  sock:send(text)
end

-- Keys of all kinds, put in by an order of their own.
local first, second, fn = {}, setmetatable({}, { __name = "second" }), function() end
local mixed = {}
for _, key in ipairs { "pear", 10, 2.5, true, "apple", -3, 1, "Apple", false, 1e300, "", 2, "pear\0seed", 3, -0.5, math.huge } do
  mixed[key] = "value"
end
mixed[second], mixed[first], mixed[fn] = "value", "value", "value"
local function name_of(object)
  return (object == first and "first") or (object == second and "second") or (object == fn and "fn") or tostring(object)
end
local order = {}
for object in pairs(mixed) do
  order[#order + 1] = name_of(object)
  say("pairs", order[#order])
end
hs.expect_equal("pairs: numbers, strings by bytes, booleans", { table.unpack(order, 1, 16) },
  { "-3", "1", "2", "3", "10", "-0.5", "2.5", "1e+300", "inf", "", "Apple", "apple", "pear", "pear\0seed", "false", "true" })
hs.expect_equal("and every object once", #order, 19)

local by_next, key = {}, nil
repeat
  key = next(mixed, key)
  if key ~= nil then by_next[#by_next + 1] = name_of(key) end
until key == nil
hs.expect_equal("next goes the same way", by_next, order)

-- A table that has grown, shrunk and grown again has another shape inside, but the same keys.
local grown = {}
for i = 1, 500 do grown["key " .. i * 7919 % 1000] = i end
for i = 1, 500 do if i % 3 ~= 0 then grown["key " .. i * 7919 % 1000] = nil end end
for i = 1000, 900, -1 do grown[i] = i end
local keys, sorted = {}, true
for k in pairs(grown) do
  keys[#keys + 1] = k
  say("grown", k)
end
for i = 2, #keys do
  local x, y = keys[i - 1], keys[i]
  if type(x) == type(y) then sorted = sorted and x < y else sorted = sorted and type(x) == "number" end
end
hs.expect("a table with a history: still in order", sorted)
hs.expect_equal("and complete: 101 numbers, and every third of 500 strings", #keys, 101 + 166)

-- Sorting: more than the hundred elements from which on stock Lua asks the clock; equal elements keep their order.
local people = {}
for i = 1, 1500 do people[i] = { age = i * 7919 % 50, number = i } end
table.sort(people, function(x, y) return x.age < y.age end)
local stable = true
for i = 2, #people do
  stable = stable and (people[i - 1].age < people[i].age
    or (people[i - 1].age == people[i].age and people[i - 1].number < people[i].number))
end
hs.expect("a sort of 1500 with many equal ones is stable", stable)
for i = 1, #people, 10 do say("sorted", people[i].age, people[i].number) end

-- An order that contradicts itself has no right result, but it must be the same one in every run.
local odd = {}
for i = 1, 300 do odd[i] = i end
pcall(table.sort, odd, function(x, y) return (x * 7 + y * 3) % 5 < 2 end)
say("odd", table.concat(odd, " ", 1, 100))

-- Names of objects, as numbers that a run counts itself; rates and sizes taken from a table of options.
say("names", tostring(first), tostring(second), tostring(fn), tostring(print))
for name, size in pairs { small = 40, middle = 400, large = 1400 } do
  a:udp_source { to = b, port = 10, size = size, gap = "100us", count = 20 }
  say("source", name)
end
-- Timers at the same moment, set by the order of pairs, run in that order.
local rang = {}
for name in pairs { delta = 1, alpha = 1, charlie = 1, bravo = 1 } do
  hs.after("10ms", function()
    rang[#rang + 1] = name
    say("timer", name)
  end)
end
hs.run "2s"

hs.expect_equal("timers of one moment ring in the order in which they were set", rang, { "alpha", "bravo", "charlie", "delta" })
hs.expect_equal("all that was said arrived, in that order", got, said)
