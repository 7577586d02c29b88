/* Sequences of calls that a scenario could make on sockets: TCP, UDP, raw, event loops and processes of two
 * hosts, methods of all of them, arguments of every kind. The input is read by a Lua program, a byte for each
 * choice. A call gives a result, an errno or an error; nothing crashes, hangs, asserts or leaks, and an error
 * never comes out of anything but the call that was wrong. */
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lua/scenario.h"
#include "sim/base/simtime.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX 600
#define EVENTS_MAX 100000

static const char program[] =
    "local hs = require 'hopscope'\n"
    "local a, b = hs.host 'a', hs.host 'b'\n"
    "hs.link(a, b, { rate = '10Mbps', delay = '1ms' })\n"
    "local at, pool = 0, {}\n"
    "local function byte() at = at + 1; return input:byte(at) or 0 end\n"
    "local function pick(t) return t[byte() % #t + 1] end\n"
    "local makers = { 'tcp', 'tcp', 'tcp', 'udp', 'epoll', 'raw', 'tcp_sink', 'udp_sink', 'udp_echo' }\n"
    "local methods = { 'bind', 'listen', 'accept', 'connect', 'read', 'write', 'recv', 'send', 'sendto',\n"
    "  'shutdown', 'close', 'setopt', 'getopt', 'info', 'state', 'poll', 'local_addr', 'peer_addr',\n"
    "  'on_accept', 'on_connect', 'on_data', 'add', 'mod', 'del', 'wait', 'recvfrom', 'on_datagram', "
    "'join',\n"
    "  'leave', 'error', 'stop', 'stats', 'kill', 'fd', 'is_open', 'drops', 'rmem', 'is_running' }\n"
    "local strings = { '', 'a', 'b', '10.0.0.1', '10.0.0.2', '255.255.255.255', '0.0.0.0', '::1', "
    "'::ffff:10.0.0.2',\n"
    "  '10.0.0.2:80', '[::]:80', '224.0.0.1', '10ms', '-1s', '1h', '10kB', 'read', 'write', 'both', 'in', "
    "'out',\n"
    "  'in out et', 'oneshot pri rdhup', 'eth0', ('x'):rep(5000), 'TCP_NODELAY', 'TCP_CORK', 'SO_RCVBUF',\n"
    "  'SO_SNDBUF', 'SO_LINGER', 'SO_RCVLOWAT', 'SO_REUSEADDR', 'SO_KEEPALIVE', 'SO_ERROR', 'SO_OOBINLINE',\n"
    "  'SO_RCVTIMEO', 'TCP_MAXSEG', 'TCP_USER_TIMEOUT', 'TCP_KEEPIDLE', 'TCP_CONGESTION', "
    "'TCP_DEFER_ACCEPT',\n"
    "  'TCP_WINDOW_CLAMP', 'TCP_QUICKACK', 'TCP_FASTOPEN', 'TCP_FASTOPEN_CONNECT', 'TCP_LINGER2', "
    "'TCP_INFO',\n"
    "  'TCP_NOTSENT_LOWAT', 'TCP_MD5SIG', 'TCP_REPAIR', 'TCP_SAVE_SYN', 'TCP_INQ', 'IP_TTL', 'IP_TOS',\n"
    "  'IP_MTU_DISCOVER', 'IP_RECVERR', 'SO_BINDTODEVICE', 'SO_MAX_PACING_RATE', 'reno', 'cubic' }\n"
    "local numbers = { 0, 1, 2, 7, 80, 80, 80, 81, 1000, 65535, 65536, -1, 0.5, 1e18, -2 ^ 63, 2 ^ 53, 0 / "
    "0, 1 / 0 }\n"
    "local keys = { 'timeout', 'size', 'oob', 'peek', 'trunc', 'waitall', 'dontwait', 'more', 'eor', "
    "'fastopen',\n"
    "  'ttl', 'tos', 'port', 'address', 'nonblock', 'v6', 'mss', 'rcvbuf', 'sndbuf', 'reuseaddr', "
    "'reuseport',\n"
    "  'user_timeout', 'congestion', 'nodelay', 'on_datagram', 'ethertype', 'on_data', 1 }\n"
    "local function value(os, depth)\n"
    "  local kind = byte() % 12\n"
    "  if kind < 3 then return pick(strings)\n"
    "  elseif kind < 6 then return pick(numbers)\n"
    "  elseif kind == 6 then return nil\n"
    "  elseif kind == 7 then return byte() % 2 == 0\n"
    "  elseif kind == 8 and depth > 0 then\n"
    "    local t = {}\n"
    "    for _ = 1, byte() % 4 do t[pick(keys)] = value(os, depth - 1) end\n"
    "    return t\n"
    "  elseif kind == 9 then return function(x) pool[#pool + 1] = x end\n"
    "  elseif kind == 10 then return hs.payload(byte() * 100)\n"
    "  elseif #pool > 0 then return pick(pool) end\n"
    "end\n"
    "local function values(os)\n"
    "  local n = byte() % 4\n"
    "  local x, y, z = value(os, 2), n > 1 and value(os, 1) or nil, n > 2 and value(os, 1) or nil\n"
    "  if n == 0 then return end\n"
    "  if n == 1 then return x end\n"
    "  return x, y, z\n"
    "end\n"
    "local function keep(ok, x) if ok and (type(x) == 'userdata' or type(x) == 'table') then pool[#pool + 1] "
    "= x end end\n"
    "local work\n"
    "local function step(os)\n"
    "  local op = byte()\n"
    "  if op < 30 then keep(pcall(os[pick(makers)], values(os)))\n"
    "  elseif op < 60 then -- a pair that works\n"
    "    local port = 80 + op % 3\n"
    "    if op % 2 == 0 then\n"
    "      keep(pcall(function() return os.tcp({ nonblock = op % 4 == 0 }):bind(port):listen(op % 5) end))\n"
    "    else\n"
    "      keep(pcall(function() return os.tcp():connect(op % 7 < 4 and 'a' or 'b', port) end))\n"
    "    end\n"
    "  elseif op < 66 then pcall(os.fork, work)\n"
    "  elseif op < 70 then keep(pcall(os.spawn, work))\n"
    "  elseif op < 76 then os.sleep(byte() * 0.001)\n"
    "  elseif op < 80 then pcall(os.sockets) pcall(os.sockstat) pcall(os.netstat)\n"
    "  elseif #pool > 0 then\n"
    "    local object, name = pick(pool), pick(methods)\n"
    "    local ok, method = pcall(function() return object[name] end)\n"
    "    if ok and type(method) == 'function' then keep(pcall(method, object, values(os))) end\n"
    "  end\n"
    "end\n"
    "work = function(os) for _ = 1, 60 do if at > #input then return end step(os) end end\n"
    "for i = 1, 6 do (i % 2 == 0 and a or b):spawn(work) end\n"
    "hs.run '20s'\n";

static int write_program(const uint8_t *data, size_t size)
{
    GString *text = g_string_new("local input = '");
    int fd = memfd_create("scenario", 0);

    for (size_t i = 0; i < size; i++)
        g_string_append_printf(text, "\\x%02x", data[i]);
    g_string_append(text, "'\n");
    g_string_append(text, program);
    if (fd < 0 || write(fd, text->str, text->len) != (ssize_t)text->len)
        abort();
    g_string_free(text, TRUE);
    return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ScenarioConfig config = {
        .until = 60 * SIM_SEC, .max_events = EVENTS_MAX, .max_memory = 32 << 20, .quiet = true};
    g_autofree char *path = NULL;
    Scenario *s;
    int fd, status;

    if (size > INPUT_MAX)
        return 0;
    fd = write_program(data, size);
    path = g_strdup_printf("/proc/self/fd/%d", fd);
    config.path = path;
    s = scenario_new(&config);
    status = scenario_run(s);
    if (status != SCENARIO_OK && status != SCENARIO_LIMIT) {
        fprintf(stderr, "%s\n%s\n", scenario_error(s), scenario_traceback(s));
        abort();
    }
    scenario_free(s);
    close(fd);
    return 0;
}
