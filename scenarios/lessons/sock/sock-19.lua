-- SOCK-19  Messages run together.
-- What was written in three calls may be read in one: without borders of its own the reader cannot find three messages again. The
-- cures are agreements between the programs: messages of fixed length, a delimiter (escaped where it occurs in the text), or a
-- header with the length.
local hs = require "hopscope"
hs.title { en = "SOCK-19 Messages run together", zh = "SOCK-19 报文连在一起" }

local client, server = hs.host "client", hs.host "server"
hs.link(client, server, { delay = "1ms" })
local messages = { "one;1", "two\\2", "three" }

hs.note { en = "Three writes, and a reader who comes a moment later: one read gets everything.", zh = "三次写入，读者稍后才来：一次读取就得到全部。" }
local joined
server:spawn(function(os)
  local conn = os.tcp():bind(5678):listen(8):accept()
  os.sleep "100ms"
  joined = conn:read()
end)
client:spawn(function(os)
  local sock = os.tcp({ nodelay = true }):connect("server", 5678)
  for _, m in ipairs(messages) do sock:write(m) end
  os.sleep "1s"
end)
hs.run "1s"
hs.expect_equal("three writes arrive as one read", joined, table.concat(messages))

-- Each cure: what goes on the wire, and a reader that is fed piece by piece and gives whole messages.
local cures = {
  {
    name = "fixed length",
    encode = function(m) return m .. (" "):rep(8 - #m) end,
    take = function(buf) if #buf >= 8 then return (buf:sub(1, 8):gsub(" +$", "")), buf:sub(9) end end,
  },
  {
    name = "delimiter with escaping",
    encode = function(m) return m:gsub("[\\;]", "\\%0") .. ";" end,
    take = function(buf)
      local i = 1
      while i <= #buf do
        local c = buf:sub(i, i)
        if c == ";" then return (buf:sub(1, i - 1):gsub("\\(.)", "%1")), buf:sub(i + 1) end
        i = i + (c == "\\" and 2 or 1)
      end
    end,
  },
  {
    name = "length header",
    encode = function(m) return string.format("%04d", #m) .. m end,
    take = function(buf)
      local n = #buf >= 4 and tonumber(buf:sub(1, 4))
      if n and #buf >= 4 + n then return buf:sub(5, 4 + n), buf:sub(5 + n) end
    end,
  },
}

hs.note {
  en = "Now with each cure, under every segmentation: the sender cuts the stream into writes of 1, 2, 3, … bytes, each a segment of its own.",
  zh = "现在试用每种补救办法，在各种分段之下：发送方把流切成 1、2、3、…字节的写入，每次写入自成一个报文段。",
}
for i, cure in ipairs(cures) do
  local wire = ""
  for _, m in ipairs(messages) do wire = wire .. cure.encode(m) end
  local right = 0
  server:spawn(function(os)
    local listener = os.tcp():bind(5678 + i):listen(8)
    while true do
      local conn, buf, got = listener:accept(), "", {}
      for data in function() return conn:read() end do
        buf = buf .. data
        while true do
          local message, rest = cure.take(buf)
          if not message then break end
          got[#got + 1], buf = message, rest
        end
      end
      conn:close()
      if hs.show(got) == hs.show(messages) and buf == "" then right = right + 1 end
    end
  end)
  client:spawn(function(os)
    for size = 1, #wire do
      local sock = os.tcp({ nodelay = true }):connect("server", 5678 + i)
      for at = 1, #wire, size do
        sock:write(wire:sub(at, at + size - 1))
        os.sleep "3ms" -- more than a round trip: the pieces arrive, and are read, apart
      end
      sock:close()
    end
  end)
  hs.run "10s"
  hs.expect_equal(cure.name .. ": exactly three messages for every size of pieces from 1 to " .. #wire, right, #wire)
end

hs.translate("zh", {
  ["three writes arrive as one read"] = "三次写入作为一次读取到达",
  ["fixed length: exactly three messages for every size of pieces from 1 to 24"] = "固定长度：从 1 到 24 的每种片段大小都正好得到三个报文",
  ["delimiter with escaping: exactly three messages for every size of pieces from 1 to 20"] = "带转义的分隔符：从 1 到 20 的每种片段大小都正好得到三个报文",
  ["length header: exactly three messages for every size of pieces from 1 to 27"] = "长度首部：从 1 到 27 的每种片段大小都正好得到三个报文",
})
