-- hs.frames: a recorder of frames, to be asked afterwards.
local hs, private = ...

local methods = {}
local known = { "link", "node", "filter", "on" }

--- Frames of a link (or node), as they are sent. Options: link, node, filter = function(p), on = "tx", "rx" or "drop".
function hs.frames(options)
  options = options or {}
  if type(options) ~= "table" then private.raise("bad options for hs.frames: got " .. hs.show(options) .. ", expected a table") end
  for key in pairs(options) do
    local ok = false
    for _, name in ipairs(known) do ok = ok or name == key end
    if not ok then private.raise_unknown("hs.frames", tostring(key), known) end
  end
  local recorder = setmetatable({}, methods)
  local filter = options.filter
  local where = { link = options.link, node = options.node }
  hs.on("frame." .. (options.on or "tx"), function(e)
    local p = e.packet
    if filter and not filter(p, e) then return end
    recorder[#recorder + 1] = {
      time = e.time, from = p.from, to = p.to, node = e.node, port = e.port, reason = e.reason, len = p.len,
      summary = p:summary(), packet = p:keep(),
    }
  end, where)
  return recorder
end

methods.__index = {
  --- Those for which the function says yes.
  select = function(self, fn)
    local found = setmetatable({}, methods)
    for _, frame in ipairs(self) do
      if fn(frame.packet, frame) then found[#found + 1] = frame end
    end
    return found
  end,
  --- How many, of those for which the function says yes.
  count = function(self, fn)
    return fn and #self:select(fn) or #self
  end,
  summaries = function(self)
    local list = {}
    for i, frame in ipairs(self) do list[i] = frame.summary end
    return list
  end,
  --- Logs one line for each frame.
  print = function(self)
    for _, frame in ipairs(self) do
      print(string.format("%12.6f  %s > %s  %s", frame.time, frame.from or "?", frame.to or "?", frame.summary))
    end
  end,
}
