/* A scenario's life as the command sees it: exit codes, errors with file and line, expectations, parameters,
 * limits, captures. */
#include <glib.h>
#include <glib/gstdio.h>
#include <malloc.h>
#include <string.h>

#include "lua/scenario.h"
#include "models/node/net.h"

typedef struct Run {
    char *dir, *path;
    Scenario *s;
    int code;
    GString *said;
    int starts, ready;
    unsigned wishes;
    int stop_at;
} Run;

enum { STOP_NEVER, STOP_AT_START, STOP_WHEN_READY };

static void on_print(void *user, const char *line)
{
    Run *r = user;

    g_string_append_printf(r->said, "%s\n", line);
}

static bool on_start(void *user, Scenario *s)
{
    Run *r = user;

    g_assert_cmpuint(net_host_count(scenario_net(s)), ==, 0);
    g_assert_cmpstr(r->said->str, ==, "");
    r->starts++;
    return r->stop_at != STOP_AT_START;
}

static void on_wish(void *user, Scenario *s)
{
    Run *r = user;

    g_assert_cmpuint(scenario_capture_count(s), ==, ++r->wishes);
}

static bool on_ready(void *user, Scenario *s)
{
    Run *r = user;

    (void)s;
    r->ready++;
    return r->stop_at != STOP_WHEN_READY;
}

static Run run_and_stop(const char *text, const ScenarioConfig *more, int stop_at)
{
    Run r = {.stop_at = stop_at, .dir = g_dir_make_tmp("hopscope-XXXXXX", NULL), .said = g_string_new(NULL)};
    g_autofree char *full = g_strconcat("local hs = require 'hopscope'\n", text, NULL);
    ScenarioConfig c = more ? *more : (ScenarioConfig){.until = SIM_NEVER};

    r.path = g_build_filename(r.dir, "s.lua", NULL);
    g_assert_true(g_file_set_contents(r.path, full, -1, NULL));
    c.path = r.path;
    c.print = on_print;
    c.on_start = on_start;
    c.on_wish = on_wish;
    c.on_ready = on_ready;
    c.user = &r;
    r.s = scenario_new(&c);
    r.code = scenario_run(r.s);
    return r;
}

static Run run_with(const char *text, const ScenarioConfig *more)
{
    return run_and_stop(text, more, STOP_NEVER);
}

static void end(Run *r)
{
    scenario_free(r->s);
    g_unlink(r->path);
    g_rmdir(r->dir);
    g_free(r->dir);
    g_free(r->path);
    g_string_free(r->said, TRUE);
}

/* The error without the folder in front. */
static const char *error_of(const Run *r)
{
    const char *error = scenario_error(r->s);

    g_assert_nonnull(error);
    return g_str_has_prefix(error, r->dir) ? error + strlen(r->dir) + 1 : error;
}

static void expect_error(const char *text, int code, const char *error)
{
    Run r = run_with(text, NULL);

    g_assert_cmpint(r.code, ==, code);
    g_assert_cmpstr(error_of(&r), ==, error);
    end(&r);
}

static void test_expectations(void)
{
    Run r = run_with("local n = 0\n"
                     "hs.expect('later', function() return n == 2, n end)\n"
                     "hs.at('1s', function() n = 1 end)\n"
                     "hs.expect_equal('at once', { a = { 1, 2 } }, { a = { 1, 3 } })\n"
                     "hs.run '2s'\n"
                     "hs.expect_near('clock', hs.now(), '2s', 0)\n",
                     NULL);
    ScenarioExpect e;

    g_assert_cmpint(r.code, ==, SCENARIO_FAILED);
    g_assert_cmpint(r.ready, ==, 1);
    g_assert_cmpuint(scenario_expect_count(r.s), ==, 3);
    scenario_expect(r.s, 0, &e);
    g_assert_cmpstr(e.name, ==, "later");
    g_assert_false(e.ok);
    g_assert_true(g_str_has_suffix(e.detail, "s.lua:3: saw 1"));
    scenario_expect(r.s, 1, &e);
    g_assert_true(g_str_has_suffix(e.detail, "s.lua:5: a[2]: got 2, expected 3"));
    scenario_expect(r.s, 2, &e);
    g_assert_true(e.ok);
    g_assert_cmpstr(e.detail, ==, "");
    end(&r);
}

/* Each names the line, the value and what was expected; 2 is the scenario's mistake, 3 a limit. */
static void test_errors(void)
{
    expect_error("hs.lnk()", 2, "s.lua:2: hopscope has no \"lnk\" (did you mean \"link\"?)");
    expect_error("hs.host 'a' hs.host 'a'", 2, "s.lua:2: the name \"a\" is taken already");
    expect_error("hs.link(hs.host 'a', hs.host 'b', { rate = '10 Mbs' })", 2,
                 "s.lua:2: bad option \"rate\" for hs.link: \"10 Mbs\" is not a rate: unknown unit \"Mbs\" "
                 "(expected bps, kbps, Mbps, Gbps, Tbps, or B/s, kB/s, MB/s, GB/s for bytes)");
    expect_error("hs.link(hs.host 'a', hs.host 'b', { queue = { 'dropptail' } })", 2,
                 "s.lua:2: unknown queue \"dropptail\" for hs.link (did you mean \"droptail\"?)");
    expect_error(
        "local l = hs.link(hs.host 'a', hs.host 'b')\nl:rule(function() return 'dorp' end)\nl.a:ping 'b'", 2,
        "s.lua:3: this rule returned \"dorp\" (did you mean \"drop\"?)");
    expect_error("local l = hs.link(hs.host 'a', hs.host 'b')\n"
                 "hs.on('frame.tx', function() l:down() end)\nl.a:ping 'b'",
                 2,
                 "s.lua:3: an observer or congestion controller must only look: use hs.after(0, function) to "
                 "change something");
    expect_error(
        "local k\nlocal l = hs.link(hs.host 'a', hs.host 'b')\nl:rule(function(p) k = p end)\n"
        "l.a:ping 'b'\nprint(k.len)",
        2, "s.lua:6: this packet was used after its rule or observer had returned: keep it with p:keep()");
    expect_error("hs.host('a'):udp { port = 4 }:recv()", 2,
                 "s.lua:2: nothing is left to happen in the network: this call waits forever");
    expect_error("while true do end", 3,
                 "s.lua:2: the scenario took more than 500000000 instructions in one event");
}

typedef struct Watcher {
    ProbeSink sink;
    unsigned n_tx, n_drop;
} Watcher;

static void on_frame(ProbeSink *sink, const ProbeRecord *r)
{
    Watcher *w = (Watcher *)sink;

    if (r->time > 0)
        return;
    w->n_tx += r->desc == &probe_frame_tx;
    w->n_drop += r->desc == &probe_frame_drop;
}

static bool attach_watcher(void *user, Scenario *s)
{
    probes_attach(net_probes(scenario_net(s)), user);
    return true;
}

/* Frames that the main part sends before any time has passed are seen by whoever looks on: two are sent;
 * of five before a stopped card two find a place in the queue. */
static void test_frames_before_time(void)
{
    g_autofree char *dir = g_dir_make_tmp("hopscope-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "s.lua", NULL);
    Watcher w = {
        .sink = {.mask = PROBE_BIT(PROBE_FRAME_TX) | PROBE_BIT(PROBE_FRAME_DROP), .record = on_frame}};
    ScenarioConfig c = {.until = SIM_NEVER, .path = path, .on_start = attach_watcher, .user = &w};
    Scenario *s;

    g_assert_true(g_file_set_contents(path,
                                      "local hs = require 'hopscope'\n"
                                      "local a, b = hs.host 'a', hs.host 'b'\n"
                                      "local l = hs.link(a, b, { queue = 2, delay = '1ms' })\n"
                                      "a:raw():send(('x'):rep(60))\n"
                                      "a:arp_set('b', b:dev().mac)\n"
                                      "a:udp():sendto('x', 'b', 7)\n"
                                      "l:dir(a):pause(true)\n"
                                      "for _ = 1, 5 do a:udp():sendto('x', 'b', 7) end\n"
                                      "hs.run '1s'\n",
                                      -1, NULL));
    s = scenario_new(&c);
    g_assert_cmpint(scenario_run(s), ==, 0);
    g_assert_cmpuint(w.n_tx, ==, 2);
    g_assert_cmpuint(w.n_drop, ==, 3);
    probes_detach(net_probes(scenario_net(s)), &w.sink);
    scenario_free(s);
    g_unlink(path);
    g_rmdir(dir);
}

/* An observer of everything may log without being told of its own log. */
static void test_observer_logs(void)
{
    Run r = run_with("local a = hs.host 'a'\nhs.link(a, hs.host 'b')\nlocal n = 0\n"
                     "hs.on('*', function(e) n = n + 1 hs.log(e.probe) end)\n"
                     "a:ping('b', { count = 1 })\n"
                     "hs.expect('some', n > 4 and n < 100, n)\n",
                     NULL);

    g_assert_cmpint(r.code, ==, 0);
    end(&r);
}

/* p:keep() gives the packet as it was at that moment: what the router does to it afterwards (TTL - 1, here in
 * the very same buffer) does not show. */
static void test_kept_packets(void)
{
    Run r = run_with(
        "local a, r, b = hs.host 'a', hs.router 'r', hs.host 'b'\n"
        "hs.link(a, r)\nhs.link(r, b)\n"
        "local kept = {}\n"
        "hs.on('ip.rcv', function(e) kept[#kept + 1] = e.packet:keep() end, { node = r })\n"
        "hs.on('ip.local_deliver', function(e) kept[#kept + 1] = e.packet:keep() end, { node = b })\n"
        "a:ping('b', { count = 1 })\n"
        "hs.log(kept[1].ip.ttl, kept[2].ip.ttl, kept[2].icmp.type)\n",
        NULL);

    g_assert_cmpint(r.code, ==, SCENARIO_OK);
    g_assert_nonnull(strstr(r.said->str, "] 64 63 8\n"));
    end(&r);
}

static void test_parameters(void)
{
    const char *const good[] = {"n=4", "rate=2.5", "on=yes", NULL}, *const bad[] = {"lss=1", NULL};
    const char text[] = "local n, rate, on = hs.param('n', 3), hs.param('rate', 1.0), hs.param('on', false)\n"
                        "hs.param('loss', '1%', 'share')\n"
                        "hs.log(n, rate, on)\n";
    Run r = run_with(text, &(ScenarioConfig){.until = SIM_NEVER, .params = good});
    ScenarioParam p;

    g_assert_cmpint(r.code, ==, SCENARIO_OK);
    g_assert_cmpstr(r.said->str, ==, "[0.000000000] 4 2.5 true\n");
    g_assert_cmpuint(scenario_param_count(r.s), ==, 4);
    scenario_param(r.s, 0, &p);
    g_assert_cmpstr(p.value, ==, "4");
    g_assert_cmpstr(p.standard, ==, "3");
    end(&r);

    r = run_with(text, &(ScenarioConfig){.until = SIM_NEVER, .params = bad});
    g_assert_cmpint(r.code, ==, SCENARIO_WRONG);
    g_assert_true(g_str_has_suffix(scenario_error(r.s), "has no parameter \"lss\" (did you mean \"loss\"?)"));
    end(&r);
}

static void test_limits(void)
{
    Run r = run_with("hs.every('1ms', function() end)\nhs.run '10s'",
                     &(ScenarioConfig){.until = SIM_NEVER, .max_events = 100});

    g_assert_cmpint(r.code, ==, SCENARIO_LIMIT);
    g_assert_cmpstr(scenario_error(r.s), ==, "the limit of 100 events was reached at 0.100000000 s");
    end(&r);

    /* --until ends time, not the scenario: what comes after hs.run is still done. */
    r = run_with("hs.run '10s'\nhs.log('done')", &(ScenarioConfig){.until = SIM_SEC});
    g_assert_cmpint(r.code, ==, SCENARIO_OK);
    g_assert_cmpstr(r.said->str, ==, "[1.000000000] done\n");
    end(&r);

    r = run_with("hs.title('a')\nhs.note('b')\nhs.log('c')",
                 &(ScenarioConfig){.until = SIM_NEVER, .quiet = true});
    g_assert_cmpstr(r.said->str, ==, "[0.000000000] c\n");
    end(&r);
}

/* What is said in two languages is printed in English; both are recorded, the English text first. */
static void test_two_languages(void)
{
    Run r = run_with(
        "hs.on('scenario.*', function(e) hs.log(e.probe, e.lang, e.kind, e.text) end)\n"
        "hs.title { en = 'one', zh = '一' }\n"
        "hs.note { en = 'two' }\n"
        "hs.note({ zh = '%s %d %s', en = '%s %d %s' }, { en = 'three', zh = '三' }, 3, { en = '!' })\n"
        "hs.log({ en = '%d lost', zh = '丢失 %d' }, 4)\n"
        "hs.host('a'):log { en = 'up', zh = '启动' }\n"
        "hs.log(hs.show { 1 }, { 2 } ~= nil)",
        NULL);

    g_assert_cmpint(r.code, ==, SCENARIO_OK);
    g_assert_cmpstr(r.said->str, ==,
                    "one\n\n[0.000000000] scenario.log nil title one\n"
                    "[0.000000000] scenario.translation zh title 一\n"
                    "  two\n[0.000000000] scenario.log nil note two\n"
                    "  three 3 !\n[0.000000000] scenario.log nil note three 3 !\n"
                    "[0.000000000] scenario.translation zh note 三 3 !\n"
                    "[0.000000000] 4 lost\n[0.000000000] scenario.log nil log 4 lost\n"
                    "[0.000000000] scenario.translation zh log 丢失 4\n"
                    "[0.000000000] a: up\n[0.000000000] scenario.log nil log up\n"
                    "[0.000000000] scenario.translation zh log 启动\n"
                    "[0.000000000] { 1 } true\n[0.000000000] scenario.log nil log { 1 } true\n");
    end(&r);
    /* What names of expectations are in Chinese is kept in the order of the names. */
    r = run_with("hs.translate('zh', { two = '二', one = '一', three = '三' })", NULL);
    g_assert_cmpuint(scenario_word_count(r.s), ==, 3);
    for (unsigned i = 0; i < 3; i++) {
        static const char *const words[3][2] = {{"one", "一"}, {"three", "三"}, {"two", "二"}};
        const char *en, *zh;

        scenario_word(r.s, i, &en, &zh);
        g_assert_cmpstr(en, ==, words[i][0]);
        g_assert_cmpstr(zh, ==, words[i][1]);
    }
    end(&r);
    expect_error("hs.translate('de', {})", SCENARIO_WRONG,
                 "s.lua:2: unknown language \"de\" for hs.translate: there are zh");
    expect_error("hs.note { zh = '一' }", SCENARIO_WRONG,
                 "s.lua:2: option \"en\" for hs.note is missing: expected a string");
    expect_error("hs.log { zh = '一' }", SCENARIO_WRONG,
                 "s.lua:2: option \"en\" for hs.log is missing: expected a string");
    expect_error("hs.title { en = 'one', german = 'eins' }", SCENARIO_WRONG,
                 "s.lua:2: unknown option \"german\" for hs.title: its options are en, zh");
}

/* Processes: order of events at one time, arguments, ends, and a host that loses its power. */
static void test_processes(void)
{
    Run r = run_with(
        "local a = hs.host 'a'\n"
        "local one = a:spawn(function(os, x, y) os.sleep '1ms' hs.log(x, y) end, 'x', 2)\n"
        "local two = a:spawn(function(os) one:join() hs.log 'joined' os.sleep(9) hs.log 'never' end)\n"
        "hs.at('1ms', function() hs.log 'first' end)\n"
        "hs.at('2s', function() a:power(false) end)\n"
        "hs.run()\n"
        "hs.log(two.is_running, a:power())\n",
        NULL);

    g_assert_cmpint(r.code, ==, SCENARIO_OK);
    g_assert_cmpstr(
        r.said->str, ==,
        "[0.001000000] first\n[0.001000000] x 2\n[0.001000000] joined\n[2.000000000] false false\n");
    end(&r);
}

/* One host sends, the other answers; the second datagram is lost by a rule, the third changed and its
 * checksum made right. */
static void test_network(void)
{
    Run r = run_with("local a, b = hs.host 'a', hs.host 'b'\n"
                     "local l = hs.link(a, b, { delay = '1ms' })\n"
                     "l:dir(a):rule(function(p)\n"
                     "  if not p.udp then return end\n"
                     "  if p.ip.ttl == 50 then return 'drop' end\n"
                     "  if p.ip.ttl == 51 then p.ip.ttl = 7 end\n"
                     "end)\n"
                     "b:udp { port = 9, on_datagram = function(d, from, port, info) hs.log(d, from == "
                     "a:addr(), info.ttl) end }\n"
                     "local s = a:udp()\n"
                     "s:sendto('one', b, 9)\n"
                     "s:sendto('two', 'b', 9, { ttl = 50 })\n"
                     "s:sendto('three', 'b:9', { ttl = 51 })\n"
                     "hs.run '1s'\n"
                     "hs.log(b:counter 'UdpInDatagrams', b:counter 'IpInHdrErrors')\n",
                     NULL);

    g_assert_cmpint(r.code, ==, SCENARIO_OK);
    g_assert_cmpstr(r.said->str, ==,
                    "[0.003000000] one true 64\n[0.003000000] three true 7\n[1.000000000] 2 0\n");
    end(&r);
}

static void test_captures(void)
{
    Run r = run_with("local a, b = hs.host 'a', hs.host 'b'\n"
                     "local l = hs.link(a, b)\n"
                     "hs.capture { file = 'a.pcapng', a, snaplen = 96 }\n"
                     "hs.capture { file = 'l.pcapng', l, drops = true }\n",
                     NULL);
    ScenarioCapture c;

    g_assert_cmpint(r.code, ==, SCENARIO_OK);
    g_assert_cmpuint(scenario_capture_count(r.s), ==, 2);
    scenario_capture(r.s, 0, &c);
    g_assert_cmpstr(c.file, ==, "a.pcapng");
    g_assert_cmpuint(c.n_points, ==, 1);
    g_assert_cmpuint(c.snaplen, ==, 96);
    scenario_capture(r.s, 1, &c);
    g_assert_cmpuint(c.n_points, ==, 2);
    g_assert_true(c.drops);
    end(&r);
    expect_error("hs.capture { file = '../x' }", 2,
                 "s.lua:2: bad option \"file\" for hs.capture: got \"../x\", expected a name inside the "
                 "output folder");
    expect_error("hs.capture { file = 'x', hs.host 'a' }", 2,
                 "s.lua:2: hs.capture has no interface to capture from: it comes after the links");
}

/* They hear of a run before its first line, of each wish, and when time is about to pass; a refusal stops
 * the run before anything else happens. */
static void test_observers(void)
{
    const char *text = "local a = hs.host 'a'\nhs.link(a, hs.host 'b')\n"
                       "hs.capture { file = 'a.pcapng', a }\nhs.log 'built'\nhs.run '1s'\nhs.log 'over'\n";
    Run r = run_with(text, NULL);

    g_assert_cmpint(r.code, ==, SCENARIO_OK);
    g_assert_cmpint(r.starts, ==, 1);
    g_assert_cmpuint(r.wishes, ==, 1);
    g_assert_cmpint(r.ready, ==, 1);
    end(&r);

    r = run_and_stop(text, NULL, STOP_AT_START);
    g_assert_cmpint(r.code, ==, SCENARIO_WRONG);
    g_assert_cmpstr(r.said->str, ==, "");
    g_assert_cmpint(r.ready, ==, 0);
    end(&r);

    r = run_and_stop(text, NULL, STOP_WHEN_READY);
    g_assert_cmpint(r.code, ==, SCENARIO_WRONG);
    g_assert_cmpstr(r.said->str, ==, "[0.000000000] built\n");
    g_assert_cmpuint(sim_events(net_sim(scenario_net(r.s))), ==, 0);
    end(&r);
}

/* What is dropped above the link has no link header, and perhaps no longer its IP header in front: it is
 * shown from the IP header on. */
static void test_dropped_datagrams(void)
{
    Run r = run_with(
        "local a, b = hs.host 'a', hs.host 'b'\n"
        "hs.link(a, b, { delay = '1ms' })\n"
        "local seen = {}\n"
        "hs.on('frame.drop', function(e)\n"
        "  local p = e.packet\n"
        "  seen[#seen + 1] = e.node .. ' ' .. e.reason .. ' ' .. p.ip.dst .. ' ' .. p.udp.dport\n"
        "end)\n"
        "a:udp():sendto('x', 'b', 9)\n"
        "a:udp():sendto('x', '10.0.0.77', 8)\n"
        "hs.run '5s'\n"
        "hs.expect_equal('drops', seen, { 'b no socket 10.0.0.2 9', 'a neighbour not found 10.0.0.77 8' })\n",
        NULL);

    g_assert_cmpstr(scenario_error(r.s), ==, NULL);
    g_assert_cmpint(r.code, ==, SCENARIO_OK);
    end(&r);
}

/* A long run does not keep what is over: sockets that were closed, processes that have ended. */
static void test_memory(void)
{
    size_t before = mallinfo2().uordblks;
    Run r = run_with("local a = hs.host 'a'\n"
                     "local kept = a:udp()\n"
                     "kept:close()\n"
                     "for i = 1, 100000 do a:udp():close() end\n"
                     "local first, n = nil, 0\n"
                     "for i = 1, 1000 do\n"
                     "  for k = 1, 30 do\n"
                     "    local p = a:spawn(function(os) os.udp() os.sleep '1ms' n = n + 1 end)\n"
                     "    first = first or p\n"
                     "    if k == 3 then a:spawn(function() p:join() n = n + 1 end) end\n"
                     "    if k == 4 then p:kill() end\n"
                     "  end\n"
                     "  hs.run '2ms'\n"
                     "end\n"
                     "hs.log(n, kept.is_open, first.is_running, (first:join()))\n"
                     "hs.log(select(2, kept:send 'x'))\n",
                     NULL);

    g_assert_cmpstr(scenario_error(r.s), ==, NULL);
    g_assert_cmpstr(r.said->str, ==, "[2.000000000] 30000 false false true\n[2.000000000] EBADF\n");
    /* 100 000 sockets alone would be 10 MB. */
    g_assert_cmpuint(mallinfo2().uordblks, <, before + (3 << 20));
    end(&r);
}

static void test_results(void)
{
    Run r = run_with(
        "local n = 0\n"
        "hs.at('1s', function() n = 7 end)\n"
        "hs.result('later', function() return n end, { unit = 'bit/s', help = 'what comes later' })\n"
        "hs.run '2s'\n"
        "hs.result('now', 2.5)\n"
        "hs.result('list', { 1, 2, 6 })\n"
        "hs.result('none', nil)\n"
        "hs.result('nan', 0 / 0)\n"
        "hs.result('inf', function() return math.huge end)\n"
        "hs.result('empty', {})\n",
        NULL);
    static const struct {
        const char *name, *missing;
        double value;
        unsigned n_samples;
    } want[] = {{"later", NULL, 7, 0},        {"now", NULL, 2.5, 0},         {"list", NULL, 3, 3},
                {"none", "nil", 0, 0},        {"nan", "not a number", 0, 0}, {"inf", "infinite", 0, 0},
                {"empty", "no samples", 0, 0}};
    ScenarioResult q;

    g_assert_cmpint(r.code, ==, SCENARIO_OK);
    g_assert_cmpuint(scenario_result_count(r.s), ==, G_N_ELEMENTS(want));
    for (unsigned i = 0; i < G_N_ELEMENTS(want); i++) {
        scenario_result(r.s, i, &q);
        g_assert_cmpstr(q.name, ==, want[i].name);
        g_assert_cmpstr(q.missing, ==, want[i].missing);
        g_assert_cmpuint(q.n_samples, ==, want[i].n_samples);
        if (!q.missing)
            g_assert_cmpfloat(q.value, ==, want[i].value);
    }
    scenario_result(r.s, 0, &q);
    g_assert_cmpstr(q.unit, ==, "bit/s");
    g_assert_cmpstr(q.help, ==, "what comes later");
    scenario_result(r.s, 2, &q);
    g_assert_cmpfloat(q.samples[2], ==, 6);
    end(&r);

    r = run_with("hs.result('late', function() return 1 end)\nhs.run '1s'\nerror 'gave up'\n", NULL);
    scenario_result(r.s, 0, &q);
    g_assert_cmpstr(q.missing, ==, "the run did not come to its end");
    end(&r);

    expect_error("hs.result('seed', 1)\n", SCENARIO_WRONG,
                 "s.lua:2: result \"seed\": every table of runs has a column of that name; take another one");
    expect_error("hs.param('a', 1)\nhs.result('a', 1)\n", SCENARIO_WRONG,
                 "s.lua:3: result \"a\": there is a parameter of that name");
    expect_error("hs.result('a', 1)\nhs.result('a', 1)\n", SCENARIO_WRONG,
                 "s.lua:3: result \"a\" is told twice");
    expect_error("hs.result('a')\n", SCENARIO_WRONG,
                 "s.lua:2: result \"a\" has no value: give a number, a list of numbers or a function");
    expect_error("hs.result('a', 'x')\n", SCENARIO_WRONG,
                 "s.lua:2: result \"a\": got \"x\", expected a number or a list of numbers");
    expect_error("hs.result('a', function() return { 1, 0 / 0 } end)\n", SCENARIO_WRONG,
                 "s.lua:2: result \"a\": sample 2 is not a number, expected a finite number");
}

static void test_missing_file(void)
{
    Scenario *s = scenario_new(&(ScenarioConfig){.path = "no-such.lua", .until = SIM_NEVER});

    g_assert_cmpint(scenario_run(s), ==, SCENARIO_WRONG);
    g_assert_cmpstr(scenario_error(s), ==,
                    "no-such.lua: cannot read the scenario: No such file or directory");
    scenario_free(s);
}

/* A call on a host that loses its power ends, also if the main part waits for it. */
static void test_calls_without_power(void)
{
    Run r = run_with("local a, b = hs.host 'a', hs.host 'b'\n"
                     "hs.link(a, b, { delay = '10ms' })\n"
                     "b:tftp_server { files = { f = 'x' } }\n"
                     "for _, call in ipairs { 'ping', 'traceroute', 'mtr', 'tftp_get' } do\n"
                     "  hs.after('15ms', function() a:power(false) end)\n"
                     "  local since = hs.now_ns()\n"
                     "  local got, why = a[call](a, 'b', call == 'tftp_get' and 'f' or nil)\n"
                     "  print(call, got, why, (hs.now_ns() - since) // 1000000)\n"
                     "  got, why = a[call](a, 'b', call == 'tftp_get' and 'f' or nil)\n"
                     "  print(call, got, why)\n"
                     "  a:power(true)\n"
                     "end\n",
                     NULL);

    g_assert_cmpint(r.code, ==, SCENARIO_OK);
    g_assert_cmpstr(r.said->str, ==,
                    "ping\tnil\tENETDOWN\t15\nping\tnil\tENETDOWN\n"
                    "traceroute\tnil\tENETDOWN\t15\ntraceroute\tnil\tENETDOWN\n"
                    "mtr\tnil\tENETDOWN\t15\nmtr\tnil\tENETDOWN\n"
                    "tftp_get\tnil\tENETDOWN\t15\ntftp_get\tnil\tENETDOWN\n");
    end(&r);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/lua/scenario/frames-before-time", test_frames_before_time);
    g_test_add_func("/lua/scenario/observer-logs", test_observer_logs);
    g_test_add_func("/lua/scenario/expectations", test_expectations);
    g_test_add_func("/lua/scenario/errors", test_errors);
    g_test_add_func("/lua/scenario/kept-packets", test_kept_packets);
    g_test_add_func("/lua/scenario/parameters", test_parameters);
    g_test_add_func("/lua/scenario/limits", test_limits);
    g_test_add_func("/lua/scenario/two-languages", test_two_languages);
    g_test_add_func("/lua/scenario/processes", test_processes);
    g_test_add_func("/lua/scenario/calls-without-power", test_calls_without_power);
    g_test_add_func("/lua/scenario/network", test_network);
    g_test_add_func("/lua/scenario/captures", test_captures);
    g_test_add_func("/lua/scenario/dropped-datagrams", test_dropped_datagrams);
    g_test_add_func("/lua/scenario/observers", test_observers);
    g_test_add_func("/lua/scenario/memory", test_memory);
    g_test_add_func("/lua/scenario/results", test_results);
    g_test_add_func("/lua/scenario/missing-file", test_missing_file);
    return g_test_run();
}
