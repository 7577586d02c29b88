-- What a process gets: the calls of its host, and those that let time pass.
local hs, private = ...

local own = {
  now = hs.now,
  sleep = hs.sleep,
  payload = hs.payload,
}
-- Calls that are methods of the host.
local of_host = {
  "addr",
  "arp",
  "arp_claim",
  "counter",
  "counters",
  "dev",
  "epoll",
  "forge",
  "fork",
  "log",
  "mtr",
  "netstat",
  "ping",
  "rarp",
  "rarp_server",
  "raw",
  "route_get",
  "sockstat",
  "sockets",
  "spawn",
  "sysctl",
  "tcp",
  "tcp_sink",
  "tcp_source",
  "tftp_get",
  "tftp_server",
  "traceroute",
  "udp",
  "udp_echo",
  "udp_sink",
  "udp_source",
  "ulimit",
}

local function unknown(_, name)
  local names = {}
  for key in pairs(own) do names[#names + 1] = key end
  for _, key in ipairs(of_host) do names[#names + 1] = key end
  names[#names + 1] = "host"
  table.sort(names)
  private.raise_unknown("os", tostring(name), names)
end

function private.make_os(host)
  local os = { host = host }
  for name, fn in pairs(own) do os[name] = fn end
  for _, name in ipairs(of_host) do
    local method = host[name]
    os[name] = function(...) return method(host, ...) end
  end
  return setmetatable(os, {
    __index = unknown,
    __newindex = function() private.raise("os is the same for all processes of a host: use a local variable") end,
    __metatable = false,
  })
end

function private.set_sysctls(host, values)
  for name, value in pairs(values) do host:sysctl(name, value) end
end

function private.unknown_counter(host, name)
  local names = {}
  for key in pairs(host:counters()) do names[#names + 1] = key end
  private.raise_unknown("host:counter", name, names)
end
