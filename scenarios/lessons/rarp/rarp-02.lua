-- RARP-02  RARP needs a server on the link.
-- A RARP question is a bare Ethernet broadcast, not an IP packet: no router forwards it. So every link needs a server of its own,
-- with an entry for every device. Without a server, or without the entry, nobody answers and the device stays without an address
-- (RFC 903; relaying it was one of the reasons to make BOOTP, RFC 951, which runs over UDP).
local hs = require "hopscope"
hs.title { en = "RARP-02 RARP needs a server on the link", zh = "RARP-02 RARP 需要链路上有服务器" }

-- lonely --- r --- server --- (switch) --- known, stranger
local lonely, r, server, sw = hs.host "lonely", hs.router "r", hs.host "server", hs.switch "sw"
local known, stranger = hs.host "known", hs.host "stranger"
local left = hs.link(lonely, r, { subnet = "10.0.1.0/24", address = { lonely = false } })
local right = hs.link(r, sw, { subnet = "10.0.2.0/24" })
hs.link(server, sw)
hs.link(known, sw, { address = { known = false } })
hs.link(stranger, sw, { address = { stranger = false } })

local rarp = server:rarp_server {
  [lonely:dev().mac] = "10.0.1.50", -- known by name, but on another link
  [known:dev().mac] = "10.0.2.50",
}
local function is_rarp(p) return p.eth and p.eth.type == 0x8035 end
local on_left = hs.frames { link = left, filter = is_rarp }
local on_right = hs.frames { link = right, filter = function(p, e) return is_rarp(p) and e.node == "r" end }

local got = {}
local function boot(host)
  host:spawn(function(os)
    local address, err = os.rarp { tries = 4 }
    got[host.name] = address or err
  end)
end

hs.note {
  en = "\"lonely\" is alone with the router r. The server behind r has an entry for it, but never hears the question.",
  zh = "“lonely”独自与路由器 r 在一起。r 后面的服务器有它的表项，却从来听不到询问。",
}
boot(lonely)
hs.run "60s"
local times = {}
for i, f in ipairs(on_left) do times[i] = f.time end
hs.note({ en = "It asked at %s s, and gave up.", zh = "它在 %s s 时询问，最后放弃。" }, table.concat(times, " s, "))
hs.expect_equal("the device behind the router asks again and again (2, 4, 8 s apart)", times, { 0, 2, 6, 14 })
hs.expect_equal("and stays unconfigured", { got.lonely, lonely:addr() }, { "ETIMEDOUT", nil })
hs.expect_equal("no question crossed the router", #on_right, 0)
hs.expect_equal("the server was never reached", rarp.requests, 0)

hs.note {
  en = "\"stranger\" shares the server's link, but is not in its table: the server hears it and keeps silent.",
  zh = "“stranger”与服务器在同一条链路上，但不在它的表里：服务器听见了，保持沉默。",
}
boot(stranger)
hs.run "60s"
hs.expect_equal("the server heard all 4 questions and answered none", { rarp.requests, rarp.answers }, { 4, 0 })
hs.expect_equal("without a table entry there is no address", { got.stranger, stranger:addr() }, { "ETIMEDOUT", nil })

hs.note { en = "\"known\" has both, a server on its link and an entry in its table.", zh = "“known”两样都有：链路上有服务器，表里有表项。" }
boot(known)
hs.run "60s"
hs.expect_equal("with both there is", got.known, "10.0.2.50")
hs.expect_equal("at the first question", { rarp.requests, rarp.answers }, { 5, 1 })

hs.translate("zh", {
  ["the device behind the router asks again and again (2, 4, 8 s apart)"] = "路由器后面的设备一再询问（相隔 2、4、8 s）",
  ["and stays unconfigured"] = "始终没有配置",
  ["no question crossed the router"] = "没有询问越过路由器",
  ["the server was never reached"] = "从未到达服务器",
  ["the server heard all 4 questions and answered none"] = "服务器听到全部 4 个询问，一个也没有应答",
  ["without a table entry there is no address"] = "没有表项就没有地址",
  ["with both there is"] = "两样都有就有地址",
  ["at the first question"] = "在第一次询问时",
})
