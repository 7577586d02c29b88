-- TCP-HDR-07  Sequence wraparound.
-- Numbers run modulo 2^32: after 4 294 967 295 comes 0, in the middle of a transfer as well. Which of two numbers is the later one is
-- asked of their difference, not of their size (RFC 9293 3.4).
local hs = require "hopscope"
hs.title { en = "TCP-HDR-07 Sequence wraparound", zh = "TCP-HDR-07 序号回绕" }

local M = 2 ^ 32 // 1 | 0
local function transfer(isn)
  local client, server = hs.host("client-" .. isn), hs.host("server-" .. isn)
  local link = hs.link(client, server, { rate = "10Mbps", delay = "10ms" })
  client:arp_set(server, server:dev().mac)
  server:arp_set(client, client:dev().mac)
  for _, h in ipairs { client, server } do
    h:sysctl("hopscope.tcp_isn", 2)
    h:sysctl("hopscope.tcp_isn_fixed", isn)
  end
  local r = { got = 0, right = true, seqs = {} }
  hs.on("frame.tx", function(e)
    if e.packet.tcp and e.packet.tcp.len > 0 then r.seqs[#r.seqs + 1] = e.packet.tcp.seq end
  end, { node = client })
  local begin = hs.now()
  server:spawn(function(os)
    local conn = os.tcp():bind(5010):listen(8):accept()
    for data in function() return conn:read() end do
      if not hs.payload(#data, r.got):matches(data) then r.right = false end
      r.got = r.got + #data
    end
    r.time = hs.now() - begin
  end)
  client:spawn(function(os)
    local conn = os.tcp():connect(server, 5010)
    conn:write(hs.payload "10kB")
    conn:close()
  end)
  hs.run "5s"
  r.retransmitted = client:counter "TcpRetransSegs"
  return r
end

hs.note {
  en = "A transfer of 10 000 bytes whose first number is 1000 before the end of all numbers.",
  zh = "传送 10 000 字节，第一个编号距离所有编号的末尾还有 1000。",
}
local near = transfer(M - 1000)
local plain = transfer(1000)
-- SYN has 2^32-1000, so the first byte has 2^32-999: 999 bytes are left before 0
hs.expect_equal("the first byte has the number 2^32-999", near.seqs[1], M - 999)
hs.expect_equal("the second segment, 1448 bytes later, begins again from 0: 1448 - 999", near.seqs[2], 449)
hs.expect_equal("all bytes arrive, in order", { near.got, near.right }, { 10000, true })
hs.expect_near("no stall: it takes as long as one in the middle of the numbers", near.time, plain.time, 1e-9)
hs.expect_equal("and nothing is repeated", { near.retransmitted, plain.retransmitted }, { 0, 0 })
hs.expect_equal("4 GiB later every number comes again", M, 4 * 1024 ^ 3 // 1 | 0)

hs.translate("zh", {
  ["the first byte has the number 2^32-999"] = "第一个字节的编号是 2^32-999",
  ["the second segment, 1448 bytes later, begins again from 0: 1448 - 999"] = "第二个报文段，1448 字节之后，又从 0 开始：1448 - 999",
  ["all bytes arrive, in order"] = "所有字节按序到达",
  ["no stall: it takes as long as one in the middle of the numbers"] = "没有停顿：用时与编号中段的传送一样",
  ["and nothing is repeated"] = "没有任何重传",
  ["4 GiB later every number comes again"] = "4 GiB 之后每个编号都会再来一次",
})
