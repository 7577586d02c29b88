-- Expectations: what was seen against what should be, told so that a reader needs nothing else.
local hs, private = ...

local function show(value, depth)
  depth = depth or 0
  if type(value) == "string" then return string.format("%q", value) end
  if math.type(value) == "float" then return string.format("%.9g", value) end
  if type(value) ~= "table" then return tostring(value) end
  if depth == 4 then return "{ … }" end
  local parts, n = {}, #value
  for i = 1, n do parts[#parts + 1] = show(value[i], depth + 1) end
  for key, item in pairs(value) do
    if not (math.type(key) == "integer" and key >= 1 and key <= n) then
      parts[#parts + 1] = (type(key) == "string" and key or "[" .. show(key) .. "]") .. " = " .. show(item, depth + 1)
    end
  end
  return "{ " .. table.concat(parts, ", ") .. " }"
end

-- Equal, or where they first differ.
local function difference(got, want, path)
  if type(got) ~= "table" or type(want) ~= "table" then
    if got == want then return nil end
    return string.format("%sgot %s, expected %s", path == "" and "" or path .. ": ", show(got), show(want))
  end
  for key, item in pairs(want) do
    local at = path .. (math.type(key) and "[" .. tostring(key) .. "]" or (path == "" and "" or ".") .. tostring(key))
    local wrong = difference(got[key], item, at)
    if wrong then return wrong end
  end
  for key, item in pairs(got) do
    if want[key] == nil then
      local at = path .. (math.type(key) and "[" .. tostring(key) .. "]" or (path == "" and "" or ".") .. tostring(key))
      return string.format("%s: got %s, expected nothing", at, show(item))
    end
  end
  return nil
end

-- Where a number was seen, a text with a unit means that number.
local function number_of(value, name)
  if type(value) == "string" then return hs.seconds(value) end
  if type(value) ~= "number" then private.raise(name .. ": got " .. show(value) .. ", expected a number") end
  return value
end

local function like(got, want)
  if math.type(got) and type(want) == "string" then return number_of(want, "expected value") end
  return want
end

--- At the end of the run: hs.expect(name, function() return is_ok [, what was seen] end).
--- At once: hs.expect(name, is_ok [, what was seen]).
function hs.expect(name, what, detail)
  if type(what) == "function" then
    private.expect_later(name, function()
      local ok, seen = what()
      if ok then return true end
      if seen ~= nil then return false, "saw " .. (type(seen) == "string" and seen or show(seen)) end
      return false, "the condition returned " .. show(ok)
    end)
  else
    private.expect(name, what, detail ~= nil and "saw " .. (type(detail) == "string" and detail or show(detail))
      or "got " .. show(what))
  end
end

function hs.expect_equal(name, got, want)
  local wrong = difference(got, like(got, want), "")
  private.expect(name, wrong == nil, wrong)
end

function hs.expect_near(name, got, want, tolerance)
  local target, width = number_of(want, "expected value"), number_of(tolerance, "tolerance")
  local ok = type(got) == "number" and math.abs(got - target) <= width
  private.expect(name, ok, string.format("got %s, expected %s ± %s", show(got), show(want), show(tolerance)))
end

function hs.expect_between(name, got, low, high)
  local ok = type(got) == "number" and got >= number_of(low, "low") and got <= number_of(high, "high")
  private.expect(name, ok, string.format("got %s, expected %s to %s", show(got), show(low), show(high)))
end

--- The function must raise an error whose message contains the text.
function hs.expect_error(name, fn, text)
  local ok, message = pcall(fn)
  if ok then
    private.expect(name, false, "no error was raised")
  else
    private.expect(name, text == nil or string.find(tostring(message), text, 1, true) ~= nil,
      string.format("the error was %s, expected one with %s", show(tostring(message)), show(text)))
  end
end

hs.show = show
