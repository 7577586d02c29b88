/* hs.cc: congestion controllers written in Lua. Each test is a scenario whose expectations are asked at the
 * end; mistakes of controllers are in tests/errors/cases.txt. */
#include <glib.h>
#include <glib/gstdio.h>

#include "lua/scenario.h"

/* Two hosts, a client's connection of which the controller is called "mine", a server that only reads. */
#define PRELUDE                                                                                              \
    "local hs = require 'hopscope'\n"                                                                        \
    "local a, b = hs.host 'a', hs.host 'b'\n"                                                                \
    "local link = hs.link(a, b, { rate = '100Mbps', delay = '10ms', queue = 10000 })\n"                      \
    "local sink = b:tcp_sink(1)\n"                                                                           \
    "local function start(bytes, more)\n"                                                                    \
    "  return a:spawn(function(os)\n"                                                                        \
    "    local c = os.tcp { congestion = more or 'mine' }:connect('b', 1)\n"                                 \
    "    c:write(hs.payload(bytes))\n"                                                                       \
    "    os.sleep '1h'\n"                                                                                    \
    "  end)\n"                                                                                               \
    "end\n"

static void expect_true(const char *text)
{
    g_autofree char *dir = g_dir_make_tmp("hopscope-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "s.lua", NULL);
    g_autofree char *full = g_strconcat(PRELUDE, text, NULL);
    ScenarioConfig c = {.until = SIM_NEVER, .path = path};

    g_assert_true(g_file_set_contents(path, full, -1, NULL));
    Scenario *s = scenario_new(&c);
    int code = scenario_run(s);

    if (scenario_error(s))
        g_test_message("%s", scenario_error(s));
    g_assert_cmpuint(scenario_expect_count(s), >, 0);
    for (unsigned i = 0; i < scenario_expect_count(s); i++) {
        ScenarioExpect e;

        scenario_expect(s, i, &e);
        if (!e.ok)
            g_test_message("%s: %s", e.name, e.detail);
        g_assert_true(e.ok);
    }
    g_assert_cmpint(code, ==, SCENARIO_OK);
    scenario_free(s);
    g_unlink(path);
    g_rmdir(dir);
}

/* The window that init and on_ack set is the one that TCP uses, as TCP_INFO and the wire show. */
static void test_window(void)
{
    expect_true("hs.cc { name = 'mine', init = function(v, st) st.cwnd, st.ssthresh = 7, 5 end,\n"
                "  on_ack = function(v, s, st) if st.cwnd < 12 then st.cwnd = st.cwnd + 0.5 end end }\n"
                "local flight = {}\n"
                "hs.on('tcp.cwnd', function(e) flight[#flight + 1] = e.inflight end, { node = a })\n"
                "local conn\n"
                "a:spawn(function(os)\n"
                "  conn = os.tcp { congestion = 'mine' }:connect('b', 1)\n"
                "  hs.expect_equal('init ran when the connection was established', conn:info().snd_cwnd, 7)\n"
                "  hs.expect_equal('with its threshold', conn:info().snd_ssthresh, 5)\n"
                "  hs.expect_equal('by its name', conn:getopt 'TCP_CONGESTION', 'mine')\n"
                "  conn:write(hs.payload '1MB')\n"
                "  hs.expect_equal('twelve after ten halves', conn:info().snd_cwnd, 12)\n"
                "  os.sleep '5s'\n"
                "end)\n"
                "hs.run '5s'\n"
                "local most = 0\n"
                "for _, n in ipairs(flight) do most = math.max(most, n) end\n"
                "hs.expect_equal('a window in flight, less what was just acknowledged', most, 11)\n"
                "hs.expect_equal('all arrives', sink:stats().bytes, 1000000)\n");
}

/* What a connection's table holds, no other connection sees; it goes with the connection. */
static void test_state(void)
{
    expect_true("local made, tables = 0, {}\n"
                "hs.cc { name = 'mine',\n"
                "  init = function(v, st) made = made + 1; st.mine = made; st.acks = 0 end,\n"
                "  on_ack = function(v, s, st)\n"
                "    st.acks = st.acks + 1\n"
                "    tables[st.mine] = tables[st.mine] or st\n"
                "    hs.expect(nil or 'the same table', tables[st.mine] == st)\n"
                "  end }\n"
                "start '20kB' start '40kB'\n"
                "hs.run '2s'\n"
                "hs.expect_equal('two connections', made, 2)\n"
                "hs.expect('two tables', tables[1] ~= tables[2])\n"
                "hs.expect('two counts', tables[1].acks >= 5 and tables[2].acks > tables[1].acks)\n");
}

/* A connection's table goes with it: in all they would need more than the memory that a scenario has. */
static void test_freed(void)
{
    expect_true("local made = 0\n"
                "hs.cc { name = 'mine', on_ack = function() end,\n"
                "  init = function(v, st) made = made + 1; st.big = ('x'):rep((2 << 20) + made) end }\n"
                "a:spawn(function(os)\n"
                "  for _ = 1, 300 do\n"
                "    local c = os.tcp { congestion = 'mine' }:connect('b', 1)\n"
                "    c:setopt('SO_LINGER', 0)\n"
                "    c:close()\n"
                "  end\n"
                "end)\n"
                "hs.run '30s'\n"
                "hs.expect_equal('made', made, 300)\n");
}

/* A lost packet: ssthresh is asked, on_loss is told, and PRR leads the window to what was answered. */
static void test_loss(void)
{
    expect_true(
        "local said = {}\n"
        "hs.cc { name = 'mine', init = function(v, st) st.cwnd = 20 end, on_ack = function() end,\n"
        "  ssthresh = function(v, st) said[#said + 1] = 'ssthresh ' .. st.cwnd; return 15.9 end,\n"
        "  on_loss = function(v, kind, st) said[#said + 1] = kind .. ' ' .. st.ssthresh end }\n"
        "local n, conn = 0\n"
        "link:dir(a):rule(function(p) if p.len > 1000 then n = n + 1 return n == 30 and 'drop' or nil end "
        "end)\n"
        "a:spawn(function(os)\n"
        "  conn = os.tcp { congestion = 'mine' }:connect('b', 1)\n"
        "  conn:write(hs.payload '200kB')\n"
        "  os.sleep '3s'\n"
        "  hs.expect_equal('window', conn:info().snd_cwnd, 15)\n"
        "  hs.expect_equal('threshold', conn:info().snd_ssthresh, 15)\n"
        "end)\n"
        "hs.run '5s'\n"
        "hs.expect_equal('calls', said, { 'ssthresh 20', 'recovery 15.0' })\n"
        "hs.expect_equal('all arrives', sink:stats().bytes, 200000)\n");
    /* everything lost for a while: a timeout, after which the window is one packet */
    expect_true("local said = {}\n"
                "hs.cc { name = 'mine', on_ack = function() end,\n"
                "  on_loss = function(v, kind, st) said[#said + 1] = kind .. ' ' .. st.cwnd end }\n"
                "link:dir(a):rule(function(p) return p.len > 1000 and hs.now() < 0.5 and 'drop' or nil end)\n"
                "start(1448)\n"
                "hs.run '5s'\n"
                "hs.expect_equal('calls', said[1], 'timeout 1')\n"
                "hs.expect_equal('all arrives', sink:stats().bytes, 1448)\n");
}

/* A reordering that looked like a loss: the window goes back to what undo answers. */
static void test_undo(void)
{
    expect_true("local asked = 0\n"
                "hs.cc { name = 'mine', init = function(v, st) st.cwnd = 20 end, on_ack = function() end,\n"
                "  undo = function(v, st) asked = asked + 1; return v.prior_cwnd + 3 end }\n"
                "local n = 0\n"
                "link:dir(a):rule(function(p)\n"
                "  if p.len > 1000 then\n"
                "    n = n + 1\n"
                "    if n == 30 then return { 'delay', '18ms', overtake = true } end\n"
                "  end\n"
                "end)\n"
                "a:spawn(function(os)\n"
                "  local conn = os.tcp { congestion = 'mine' }:connect('b', 1)\n"
                "  conn:write(hs.payload '200kB')\n"
                "  os.sleep '3s'\n"
                "  hs.expect_equal('window', conn:info().snd_cwnd, 23)\n"
                "end)\n"
                "hs.run '5s'\n"
                "hs.expect_equal('asked once', asked, 1)\n");
}

/* ecn = true: negotiated although the sysctl does not ask, ECT on SYN, pure ACKs and data; marks are told. */
static void test_ecn(void)
{
    expect_true(
        "local losses, marked = {}, 0\n"
        "hs.cc { name = 'mine', ecn = true, on_ack = function() end,\n"
        "  ssthresh = function(v, st) return 8 end,\n"
        "  on_loss = function(v, kind, st) losses[#losses + 1] = kind; marked = v.delivered_ce end }\n"
        "b:sysctl('net.ipv4.tcp_congestion_control', 'mine')\n"
        "b:tcp_sink(2)\n"
        "local not_ect, n = 0, 0\n"
        "link:dir(a):rule(function(p)\n"
        "  if not p.tcp then return end\n"
        "  if p.ip.tos & 3 ~= 2 then not_ect = not_ect + 1 end\n"
        "  if p.len > 1000 then n = n + 1; if n == 8 then p.ip.tos = p.ip.tos | 3 end end\n"
        "end)\n"
        "a:tcp_source { to = 'b', port = 2, congestion = 'mine', bytes = '100kB' }\n"
        "hs.run '5s'\n"
        "hs.expect_equal('everything is ECN-capable', not_ect, 0)\n"
        "hs.expect_equal('one mark, one reduction', losses, { 'mark' })\n"
        "hs.expect_between('of one packet', marked, 1, 2)\n");
    /* a route's congctl is as good as the listener's own */
    expect_true("hs.cc { name = 'mine', ecn = true, on_ack = function() end }\n"
                "hs.prepare()\n"
                "b:route { to = a:addr() .. '/32', dev = 'eth0', congctl = 'mine' }\n"
                "local grants = 0\n"
                "link:dir(b):rule(function(p) if p.tcp and p.tcp.syn and p.tcp.ece then grants = grants + 1 "
                "end end)\n"
                "start '100kB'\n"
                "hs.run '5s'\n"
                "hs.expect_equal('granted to a SYN that is itself ECN-capable', grants, 1)\n");
    /* without it, nothing is */
    expect_true("hs.cc { name = 'mine', on_ack = function() end }\n"
                "local ect = 0\n"
                "link:dir(a):rule(function(p) if p.tcp and p.ip.tos & 3 ~= 0 then ect = ect + 1 end end)\n"
                "start '100kB'\n"
                "hs.run '5s'\n"
                "hs.expect_equal('nothing is ECN-capable', ect, 0)\n");
}

/* exact_ce: the receiver's ECE is that of the data, not a reminder until CWR; no ACK covers both kinds. */
static void test_exact_ce(void)
{
    expect_true(
        "hs.cc { name = 'mine', exact_ce = true, on_ack = function() end,\n"
        "  ssthresh = function(v, st) return st.cwnd end }\n"
        "b:sysctl('net.ipv4.tcp_congestion_control', 'mine')\n"
        "b:tcp_sink(2)\n"
        "local n, base, marked = 0, nil, {}\n"
        "link:dir(a):rule(function(p)\n"
        "  if p.tcp and p.tcp.syn then base = p.tcp.seq + 1 end\n"
        "  if p.len < 1000 then return end\n"
        "  n = n + 1\n"
        "  local is_marked = n % 20 >= 7 and n % 20 <= 9 or n % 20 == 15\n"
        "  if is_marked then p.ip.tos = p.ip.tos | 3 end\n"
        "  marked[p.tcp.seq] = is_marked\n"
        "end)\n"
        "local acked, acks, wrong, not_ect = nil, 0, {}, 0\n"
        "link:dir(b):rule(function(p)\n"
        "  if not p.tcp then return end\n"
        "  if p.ip.tos & 3 ~= 2 then not_ect = not_ect + 1 end\n"
        "  acked = acked or base\n"
        "  acks = acks + 1\n"
        "  while acked + 1448 <= p.tcp.ackno do\n"
        "    if marked[acked] ~= p.tcp.ece then wrong[#wrong + 1] = (acked - base) // 1448 end\n"
        "    acked = acked + 1448\n"
        "  end\n"
        "end)\n"
        "a:tcp_source { to = 'b', port = 2, congestion = 'mine', bytes = 1448 * 200, keep_open = true }\n"
        "hs.run '5s'\n"
        "hs.expect_equal('each ACK tells the truth', wrong, {})\n"
        "hs.expect_equal('about all of them', acked - base, 1448 * 200)\n"
        "hs.expect_equal('the SYN-ACK and ACKs are ECN-capable', not_ect, 0)\n");
}

/* pacing: 1448-byte packets at 144800 bytes a second (counted with their headers, as Linux does: 66 bytes of
 * Ethernet, IP and TCP headers) are 100 in a second less that share. */
static void test_pacing(void)
{
    expect_true("hs.cc { name = 'mine', pacing = true,\n"
                "  init = function(v, st) st.pacing_rate = 151400 end,\n"
                "  on_ack = function(v, s, st) st.cwnd = 100 end }\n"
                "local times = {}\n"
                "hs.on('frame.tx', function(e)\n"
                "  if e.packet and e.packet.len > 1000 then times[#times + 1] = hs.now() end\n"
                "end, { node = a })\n"
                "start '200kB'\n"
                "hs.run '5s'\n"
                "local late = 0\n"
                "for i = 41, #times do late = math.max(late, times[i] - times[i - 40]) end\n"
                "hs.expect_between('forty packets in 0.4 s', times[100] - times[60], 0.37, 0.43)\n"
                "hs.expect_equal('all arrives', sink:stats().bytes, 200000)\n");
}

/* control: for each ACK with a rate sample, also while packets are lost, and nobody else moves the window. */
static void test_control(void)
{
    expect_true(
        "local calls, during, rate, others = 0, 0, 0, 0\n"
        "hs.cc { name = 'mine',\n"
        "  control = function(v, s, st)\n"
        "    if calls > 0 and st.cwnd ~= 40 then others = others + 1 end\n"
        "    calls = calls + 1\n"
        "    if v.ca_state == 'recovery' then during = during + 1 end\n"
        "    if s.delivered and s.interval > 0 and not s.is_app_limited then\n"
        "      rate = math.max(rate, s.delivered * v.mss / s.interval)\n"
        "    end\n"
        "    st.cwnd = 40\n"
        "  end }\n"
        "local n = 0\n"
        "link:dir(a):rule(function(p) if p.len > 1000 then n = n + 1 return n == 301 and 'drop' or nil "
        "end end)\n"
        "start '2MB'\n"
        "hs.run '5s'\n"
        "hs.expect('it is asked during recovery', during > 3)\n"
        "hs.expect_equal('nobody else moves the window', others, 0)\n"
        "-- 40 packets in each round trip of 20 ms and their time on the link\n"
        "hs.expect_near('delivery rate', rate, 40 * 1448 / 0.0202, 0.05 * 40 * 1448 / 0.0202)\n");
}

/* All the ways to choose it. */
static void test_choice(void)
{
    expect_true("hs.cc { name = 'mine', help = 'of ours', on_ack = function() end }\n"
                "hs.expect_equal('known', a:sysctl 'net.ipv4.tcp_available_congestion_control', 'cubic reno "
                "mine')\n"
                "a:sysctl('net.ipv4.tcp_congestion_control', 'mine')\n"
                "hs.expect_equal('by the sysctl', a:tcp():getopt 'TCP_CONGESTION', 'mine')\n"
                "local later = a:tcp { congestion = 'reno' }\n"
                "later:setopt('TCP_CONGESTION', 'mine')\n"
                "hs.expect_equal('by the option', later:getopt 'TCP_CONGESTION', 'mine')\n"
                "local source = a:tcp_source { to = 'b', port = 1, congestion = 'mine', bytes = 5000 }\n"
                "hs.run '2s'\n"
                "hs.expect_equal('by a source', sink:stats().bytes, 5000)\n");
    /* and away from it again while it runs */
    expect_true("local n = 0\n"
                "hs.cc { name = 'mine', on_ack = function() n = n + 1 end }\n"
                "a:spawn(function(os)\n"
                "  local c = os.tcp { congestion = 'mine' }:connect('b', 1)\n"
                "  c:write(hs.payload '20kB')\n"
                "  os.sleep '1s'\n"
                "  local before = n\n"
                "  c:setopt('TCP_CONGESTION', 'cubic')\n"
                "  c:write(hs.payload '20kB')\n"
                "  os.sleep '1s'\n"
                "  hs.expect('it was asked', before > 0)\n"
                "  hs.expect_equal('and no more', n, before)\n"
                "  c:setopt('TCP_CONGESTION', 'mine')\n"
                "  c:write(hs.payload '20kB')\n"
                "  os.sleep '1s'\n"
                "  hs.expect('and again', n > before)\n"
                "end)\n"
                "hs.run '5s'\n");
}

/* Connections that are alive when the scenario ends, or fails, find nothing that is gone. */
static void test_end(void)
{
    expect_true("hs.cc { name = 'mine', on_ack = function() end }\n"
                "b:sysctl('net.ipv4.tcp_congestion_control', 'mine')\n"
                "start '100MB' start '100MB'\n"
                "hs.run '1s'\n"
                "hs.at('1500ms', function() a:power(false) end)\n"
                "hs.run '1s'\n"
                "hs.expect('running', sink:stats().bytes > 0)\n");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/lua/cc/window", test_window);
    g_test_add_func("/lua/cc/state", test_state);
    g_test_add_func("/lua/cc/freed", test_freed);
    g_test_add_func("/lua/cc/loss", test_loss);
    g_test_add_func("/lua/cc/undo", test_undo);
    g_test_add_func("/lua/cc/ecn", test_ecn);
    g_test_add_func("/lua/cc/exact-ce", test_exact_ce);
    g_test_add_func("/lua/cc/pacing", test_pacing);
    g_test_add_func("/lua/cc/control", test_control);
    g_test_add_func("/lua/cc/choice", test_choice);
    g_test_add_func("/lua/cc/end", test_end);
    return g_test_run();
}
