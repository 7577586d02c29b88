-- TCP-HS-02  What each segment proves.
-- The first segment proves to the server that the way from client to server works. The second proves to the client that both ways
-- work: its SYN was heard, and it hears. The third proves the same to the server (RFC 9293 3.5). Two segments would leave the server
-- ignorant of its own way to the client.
local hs = require "hopscope"
hs.title { en = "TCP-HS-02 What each segment proves", zh = "TCP-HS-02 每个报文段各证明了什么" }

local client, server = hs.host "client", hs.host "server"
local link = hs.link(client, server, { delay = "10ms" })
client:arp_set("server", server:dev().mac)
server:arp_set("client", client:dev().mac)

-- who knows which way to work, and since when
local knows = { client = {}, server = {} }
local function learn(node, way, time) knows[node][way] = knows[node][way] or time end
hs.on("frame.rx", function(e)
  local t = e.packet and e.packet.tcp
  if not t then return end
  if e.node == "server" then
    learn("server", "to server", e.time) -- something came
    if t.ack then learn("server", "to client", e.time) end -- and it speaks of what the server sent
  else
    learn("client", "to client", e.time)
    if t.ack then learn("client", "to server", e.time) end
  end
end)

local listener = server:tcp():bind(5010):listen(128)
client:spawn(function(os)
  os.tcp():connect("server", 5010)
  os.sleep "1s"
end)
hs.note {
  en = "10 ms: the SYN arrives. The server knows that the way to it works; of the way back it knows nothing.",
  zh = "10 ms：SYN 到达。服务器知道通向自己的方向是通的；对返回的方向则一无所知。",
}
hs.note { en = "20 ms: the SYN-ACK arrives. The client knows both ways.", zh = "20 ms：SYN-ACK 到达。客户端知道两个方向都通。" }
hs.note { en = "30 ms: the ACK arrives. The server knows both ways, too.", zh = "30 ms：ACK 到达。服务器也知道两个方向都通了。" }
hs.run "900ms"
hs.expect_equal("the server learns the one way from segment 1, the other from segment 3", knows.server, { ["to server"] = 0.01, ["to client"] = 0.03 })
hs.expect_equal("the client learns both from segment 2", knows.client, { ["to client"] = 0.02, ["to server"] = 0.02 })
hs.expect("accept has a connection", listener:accept(0))
hs.run "1s"

hs.note {
  en = "Now the way from server to client is cut. SYNs still arrive, nothing comes back.",
  zh = "现在切断从服务器到客户端的方向。SYN 仍能到达，却什么也回不来。",
}
link:dir(server):set { loss = 1 }
knows = { client = {}, server = {} }
local result
client:spawn(function(os) result = { os.tcp():connect("server", 5010) } end)
hs.run "200s" -- longer than both sides try
hs.expect("the server knows that it can hear", knows.server["to server"])
hs.expect_equal("and never learns that it is heard", knows.server["to client"], nil)
hs.expect_equal("the client knows nothing", knows.client, {})
hs.expect_equal("so the server never completes", { listener:accept(0) }, { nil, "EAGAIN" })
hs.expect_equal("no entry is left", #server:sockets "SYN-RECEIVED", 0)
hs.expect_equal("and the client's connect fails", result, { nil, "ETIMEDOUT" })

hs.translate("zh", {
  ["the server learns the one way from segment 1, the other from segment 3"] = "服务器从报文段 1 得知一个方向，从报文段 3 得知另一个方向",
  ["the client learns both from segment 2"] = "客户端从报文段 2 得知两个方向",
  ["accept has a connection"] = "accept 得到一条连接",
  ["the server knows that it can hear"] = "服务器知道自己听得见",
  ["and never learns that it is heard"] = "却永远不知道自己被听见",
  ["the client knows nothing"] = "客户端一无所知",
  ["so the server never completes"] = "所以服务器永远完不成",
  ["no entry is left"] = "没有留下连接项",
  ["and the client's connect fails"] = "客户端的 connect 失败",
})
