-- SOCK-16  Echo server example.
-- The textbook program: the server echoes what it reads, through a buffer of 128 bytes; the client sends lines and ends with Q. It
-- takes one read for one message, which TCP does not promise (RFC 9293 3.8: a stream of bytes): the echo of a long line comes in pieces,
-- and a single read by the client may miss some of them.
local hs = require "hopscope"
hs.title { en = "SOCK-16 Echo server example", zh = "SOCK-16 回送服务器的例子" }

local host, other = hs.host "host", hs.host "other" -- everything happens on 127.0.0.1
hs.link(host, other) -- and nothing on the cable
local pieces = {}

host:spawn(function(os)
  local conn = os.tcp():bind("127.0.0.1", 20000):listen(8):accept()
  for data in function() return conn:read(128) end do -- a buffer of 128 bytes
    pieces[#pieces + 1] = #data
    conn:write(data)
  end
  conn:close()
end)

local first_reads, echoed, rest = {}, {}, nil
host:spawn(function(os)
  os.sleep "1ms"
  local sock = os.tcp():connect("127.0.0.1", 20000)
  local long = ("abcdefghij"):rep(30)
  for _, line in ipairs { "hello", long, "bye", "Q" } do
    if line == "Q" then break end
    hs.note({ en = "The client sends a line of %s bytes.", zh = "客户端发送一行 %s 字节。" }, #line)
    sock:write(line)
    local got = sock:read(512) -- the example's single read
    first_reads[#first_reads + 1] = #got
    while #got < #line do got = got .. sock:read(512) end -- what it should have done
    echoed[#echoed + 1] = got == line
  end
  hs.note { en = "Q: the client closes, the server reads end of file and closes too.", zh = "Q：客户端关闭，服务器读到文件结束，也关闭。" }
  sock:shutdown "write"
  rest = sock:read(512)
  sock:close()
end)
hs.run "1s"

local sum, largest = 0, 0
for i = 2, #pieces - 1 do -- all but the pieces of "hello" and "bye"
  sum, largest = sum + pieces[i], math.max(largest, pieces[i])
end
hs.log({
  en = "the server read %s bytes; the client's first reads gave %s",
  zh = "服务器各次读到的字节数：%s；客户端最初几次读到的：%s",
}, table.concat(pieces, ", "), table.concat(first_reads, ", "))
hs.expect_equal("the line of 300 is read and echoed in pieces of at most 128: 128 + 128 + 44", { #pieces, pieces[2], pieces[3], pieces[4] },
  { 5, 128, 128, 44 })
hs.expect_equal("whose sum is 300", { sum, largest }, { 300, 128 })
hs.expect("one read of the client missed a part of it, although its buffer has 512", first_reads[2] < 300, first_reads[2])
hs.expect_equal("a short line fits into one read", first_reads[1], 5)
hs.expect_equal("reading on until all is there gives every line back", echoed, { true, true, true })
hs.expect_equal("after Q comes end of file", rest, nil)

hs.translate("zh", {
  ["the line of 300 is read and echoed in pieces of at most 128: 128 + 128 + 44"] = "300 的一行按最多 128 的片段读取并回送：128 + 128 + 44",
  ["whose sum is 300"] = "它们的和是 300",
  ["one read of the client missed a part of it, although its buffer has 512"] = "客户端的一次读取漏掉了一部分，尽管它的缓冲区有 512",
  ["a short line fits into one read"] = "短的一行一次读完",
  ["reading on until all is there gives every line back"] = "一直读到全部到齐，每一行就都回来了",
  ["after Q comes end of file"] = "Q 之后是文件结束",
})
