/* Errors, options, classes and processes: what bindings stand on. */
#include <stddef.h>

#include "lua/luaclass.h"
#include "lua/luaopt.h"
#include "lua/luaproc.h"
#include "sim/base/simtime.h"
#include "tests/unit/luatest.h"

typedef struct Options {
    const char *name;
    bool on;
    int64_t count;
    double number, ratio;
    SimTime delay;
    uint64_t rate, size;
    int table, fn;
} Options;

static const LuaOpt specs[] = {
    {"name", LUAOPT_STRING, offsetof(Options, name)},
    {"on", LUAOPT_BOOL, offsetof(Options, on)},
    {"count", LUAOPT_INT, offsetof(Options, count), 1, 100},
    {"number", LUAOPT_NUMBER, offsetof(Options, number)},
    {"loss", LUAOPT_RATIO, offsetof(Options, ratio)},
    {"delay", LUAOPT_TIME, offsetof(Options, delay)},
    {"rate", LUAOPT_RATE, offsetof(Options, rate)},
    {"size", LUAOPT_SIZE, offsetof(Options, size)},
    {"table", LUAOPT_TABLE, offsetof(Options, table)},
    {"fn", LUAOPT_FUNCTION, offsetof(Options, fn)},
};

static Options options;

static int bind_options(lua_State *L)
{
    options = (Options){.delay = 7};
    uint64_t mask = luaopt_read(L, 1, "hs.link", specs, G_N_ELEMENTS(specs), 1, &options);

    if (options.table)
        g_assert_cmpint(lua_type(L, options.table), ==, LUA_TTABLE);
    if (options.fn)
        g_assert_cmpint(lua_type(L, options.fn), ==, LUA_TFUNCTION);
    lua_pushinteger(L, (lua_Integer)mask);
    return 1;
}

static void test_options(void)
{
    static const struct {
        const char *text, *message;
    } wrong[] = {
        {"opt { dleay = 1 }", "t.lua:1: unknown option \"dleay\" for hs.link (did you mean \"delay\"?)"},
        {"opt { zzzzzz = 1, yyyyyyyy = 2 }",
         "unknown option \"yyyyyyyy\" for hs.link: its options are name, on,"},
        {"opt { rate = '10 Mbs' }", "t.lua:1: bad option \"rate\" for hs.link: \"10 Mbs\" is not a rate"},
        {"opt { rate = {} }", "got a table, expected a rate such as \"10Mbps\""},
        {"opt { rate = -1 }", "got -1, expected a rate"},
        {"opt { delay = 0/0 }", "expected a time"},
        {"opt { delay = '-1s' }", "not negative"},
        {"opt { delay = 1e300 }", "expected a time"},
        {"opt { count = 101 }", "out of range: got 101, expected a whole number, between 1 and 100"},
        {"opt { count = 1.5 }", "got 1.5, expected a whole number"},
        {"opt { loss = 1.5 }", "a ratio from 0 to 1"},
        {"opt { on = 1 }", "got 1, expected true or false"},
        {"opt { name = 'a\\0b' }", "expected a string"},
        {"opt { fn = 'x' }", "got \"x\", expected a function"},
        {"opt { 1, 2 }", "values without a name"},
        {"opt 'x'", "got \"x\", expected a table"},
    };
    LuaTest t;

    luatest_init(&t, 0, 0);
    lua_register(t.L, "opt", bind_options);
    luatest_expect(
        &t,
        "opt { 'first', name = 'n', on = true, count = 5, number = 2, loss = '1%', delay = '20ms', rate = "
        "'10Mbps', size = '64KiB', table = {}, fn = print }",
        "");
    g_assert_true(options.on && options.count == 5 && options.number == 2.0 && options.ratio == 0.01);
    g_assert_true(options.delay == 20 * SIM_MS && options.rate == 10000000 && options.size == 65536);
    luatest_expect(&t, "print(opt { delay = 0.001, rate = 1e9, size = 1500, loss = 1 })", "240\n");
    g_assert_true(options.delay == SIM_MS && options.rate == 1000000000 && options.size == 1500 &&
                  options.ratio == 1);
    luatest_expect(&t, "print(opt(), opt {}, opt(nil))", "0\t0\t0\n");
    g_assert_cmpint(options.delay, ==, 7);
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++)
        luatest_expect_error(&t, wrong[i].text, LUAERR_SCENARIO, wrong[i].message);
    luatest_clear(&t);
}

static int bind_arg(lua_State *L)
{
    luaerr_arg(L, 1, "rate", NULL, "a rate such as \"10Mbps\"");
}

static void test_errors(void)
{
    LuaTest t;

    luatest_init(&t, 0, 0);
    lua_register(t.L, "arg", bind_arg);
    luatest_expect_error(
        &t, "\n\nlocal function inner()\narg '10 Mbs'\nend\ninner()", LUAERR_SCENARIO,
        "t.lua:4: bad argument #1 (rate): got \"10 Mbs\", expected a rate such as \"10Mbps\"");
    g_assert_cmpstr(t.err.traceback, ==, "  t.lua:4: in function 'inner'\n  t.lua:6: in the main chunk\n");
    g_assert_cmpint(luaerr_exit_code(&t.err), ==, 2);
    luatest_expect(&t, "print(pcall(arg, 1))",
                   "false\tt.lua:1: bad argument #1 (rate): got 1, expected a rate such as "
                   "\"10Mbps\"\n");
    /* Through a module of the host: the place is the scenario's. */
    sandbox_add_module_text(t.sb, "lib", "return { f = function(x) arg(x) end }");
    luatest_expect_error(&t, "local lib = require 'lib'\nlib.f(true)\nprint()", LUAERR_SCENARIO,
                         "t.lua:2: bad argument #1 (rate): got true");
    luatest_clear(&t);
}

typedef struct Thing {
    const char *name;
} Thing;

extern const LuaClass thing_class;

static int thing_hello(lua_State *L)
{
    const Thing *thing = luaclass_check(L, 1, &thing_class);

    lua_pushfstring(L, "hello %s", thing->name);
    return 1;
}

static int thing_name(lua_State *L)
{
    lua_pushstring(L, ((const Thing *)luaclass_check(L, 1, &thing_class))->name);
    return 1;
}

static char *thing_describe(const void *ptr)
{
    return g_strdup_printf("thing %s", ((const Thing *)ptr)->name);
}

static const luaL_Reg thing_methods[] = {{"hello", thing_hello}, {NULL, NULL}};
static const luaL_Reg thing_properties[] = {{"name", thing_name}, {NULL, NULL}};
const LuaClass thing_class = {"thing", thing_methods, thing_properties, thing_describe, g_free};
static Thing things[2] = {{"a"}, {"b"}};

static int bind_thing(lua_State *L)
{
    luaclass_push(L, &thing_class, &things[luaL_checkinteger(L, 1)]);
    return 1;
}

static int bind_owned(lua_State *L)
{
    Thing *thing = g_new(Thing, 1);

    *thing = things[0];
    luaclass_push_owned(L, &thing_class, thing);
    return 1;
}

static void test_class(void)
{
    LuaTest t;

    luatest_init(&t, 0, 0);
    lua_register(t.L, "thing", bind_thing);
    lua_register(t.L, "owned", bind_owned);
    luatest_expect(
        &t,
        "x = thing(0) y = thing(1) print(x, x.name, x:hello(), x == thing(0), x == y, rawequal(x, "
        "thing(0)))\n"
        "print(owned():hello()) local o = {} for k in pairs {[y] = 1, [x] = 1} do o[#o + 1] = k.name end\n"
        "print(table.concat(o), getmetatable(x))",
        "thing a\ta\thello a\ttrue\tfalse\ttrue\nhello a\nab\tfalse\n");
    luatest_expect_error(&t, "x:helo()", LUAERR_SCENARIO,
                         "t.lua:1: a thing has no \"helo\" (did you mean \"hello\"?)");
    luatest_expect_error(&t, "return x.qqqqqqq", LUAERR_SCENARIO, "it has hello, name");
    luatest_expect_error(&t, "x.name = 1", LUAERR_SCENARIO, "\"name\" of a thing cannot be assigned");
    luatest_expect_error(&t, "x.hello(5)", LUAERR_SCENARIO, "bad argument #1: got 5, expected a thing");
    luatest_expect_error(&t, "x.hello {}", LUAERR_SCENARIO, "got a table, expected a thing");
    luaclass_invalidate(t.L, &thing_class, &things[0]);
    luatest_expect_error(&t, "x:hello()", LUAERR_SCENARIO, "used after the run");
    luatest_expect(&t, "print(x, y:hello(), thing(0) == x)", "thing (gone)\thello b\tfalse\n");
    luaclass_invalidate_all(t.L, &thing_class);
    luatest_expect_error(&t, "return y.name", LUAERR_SCENARIO, "used after the run");
    luatest_clear(&t);
}

typedef struct Waiting {
    LuaProc *proc;
    int n_done;
    LuaErr err;
    lua_Integer value;
} Waiting;

static Waiting waiting;

static void on_done(LuaProc *proc, const LuaErr *err, void *user)
{
    waiting.n_done++;
    luaerr_clear(&waiting.err);
    if (err)
        waiting.err = (LuaErr){err->class, g_strdup(err->message), g_strdup(err->traceback)};
}

static int bind_spawn(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    waiting.proc = luaproc_new(L, lua_gettop(L) - 1, on_done, NULL);
    return 0;
}

static int bind_wait(lua_State *L)
{
    waiting.proc = luaproc_current(L);
    return luaproc_yield(L);
}

static int push_value(lua_State *L, void *data)
{
    lua_pushinteger(L, *(lua_Integer *)data);
    lua_pushliteral(L, "woken");
    return 2;
}

static void wake(lua_Integer value)
{
    luaproc_resume(waiting.proc, push_value, &value);
}

static void start(LuaTest *t, const char *text)
{
    if (!luatest_run(t, text))
        g_error("%s", t->err.message);
    waiting.n_done = 0;
    luaproc_resume(waiting.proc, NULL, NULL);
}

static void proc_init(LuaTest *t)
{
    luatest_init(t, 0, 10000000);
    luaerr_clear(&waiting.err);
    waiting = (Waiting){0};
    lua_register(t->L, "spawn", bind_spawn);
    lua_register(t->L, "wait", bind_wait);
}

static void test_process(void)
{
    LuaTest t;

    proc_init(&t);
    start(&t, "spawn(function(a, b) print(a, b) print(wait()) print(pcall(wait)) end, 1, 2)");
    g_assert_cmpstr(t.printed->str, ==, "1\t2\n");
    wake(5);
    wake(6);
    g_assert_cmpstr(t.printed->str, ==, "1\t2\n5\twoken\ntrue\t6\twoken\n");
    g_assert_cmpint(waiting.n_done, ==, 1);
    g_assert_cmpint(waiting.err.class, ==, LUAERR_NONE);

    /* An error raised by the call it waits in can be caught there … */
    start(&t, "spawn(function()\nprint(pcall(function()\nwait() end)) wait()\nend)");
    g_string_truncate(t.printed, 0);
    luaproc_throw(waiting.proc, "ETIMEDOUT");
    g_assert_cmpstr(t.printed->str, ==, "false\tt.lua:3: ETIMEDOUT\n");
    /* … or ends it, with the file and line of the call. */
    luaproc_throw(waiting.proc, "ECONNRESET");
    g_assert_cmpint(waiting.n_done, ==, 1);
    g_assert_cmpstr(waiting.err.message, ==, "t.lua:3: ECONNRESET");
    g_assert_nonnull(strstr(waiting.err.traceback, "t.lua:3: in "));

    start(&t, "spawn(function()\nerror {}\nend)");
    g_assert_cmpstr(waiting.err.message, ==, "t.lua:2: error object that is no text (a table value)");
    start(&t, "spawn(function() coroutine.yield(1) end)");
    g_assert_nonnull(strstr(waiting.err.message, "t.lua:1: coroutine.yield outside of a coroutine"));
    luatest_expect_error(&t, "\nwait()", LUAERR_SCENARIO,
                         "t.lua:2: this call lets time pass: it is possible in a process");
    start(&t, "spawn(function() table.sort({2, 1}, function() wait() end) end)");
    g_assert_nonnull(strstr(waiting.err.message, "not possible inside table.sort"));
    luatest_clear(&t);
    luaerr_clear(&waiting.err);
}

/* A blocking call in a coroutine of the scenario's own blocks the process, not the coroutine. */
static void test_process_nested(void)
{
    LuaTest t;

    proc_init(&t);
    start(&t, "spawn(function()\n"
              "local gen = coroutine.wrap(function() for i = 1, 2 do local v = wait() coroutine.yield('y' .. "
              "v) end end)\n"
              "print(gen(), gen())\n"
              "local co = coroutine.create(function() local inner = coroutine.wrap(function() "
              "print(pcall(wait)) return 9 "
              "end) return inner() end)\n"
              "kept = co\n"
              "print(coroutine.resume(co)) end)");
    wake(1);
    wake(2);
    g_assert_cmpstr(t.printed->str, ==, "y1\ty2\n");
    /* Meanwhile nobody else may resume or close it. */
    luatest_expect(&t, "print(coroutine.resume(kept)) print(pcall(coroutine.close, kept))",
                   "false\tcannot resume a coroutine that waits in a blocking call\n"
                   "false\tcannot close a coroutine that waits in a blocking call\n");
    g_string_truncate(t.printed, 0);
    luaproc_throw(waiting.proc, "boom");
    g_assert_cmpstr(t.printed->str, ==, "false\tt.lua:4: boom\ntrue\t9\n");
    g_assert_cmpint(waiting.n_done, ==, 1);
    start(&t, "spawn(function() ('x'):gsub('x', coroutine.wrap(function() wait() end)) end)");
    g_assert_nonnull(strstr(waiting.err.message, "not possible inside"));
    luatest_clear(&t);
    luaerr_clear(&waiting.err);
}

static void test_process_end(void)
{
    LuaTest t;

    proc_init(&t);
    start(&t, "spawn(function() local c <close> = setmetatable({}, {__close = function() print 'closed' "
              "end}) wait() end)");
    luaproc_kill(waiting.proc);
    g_assert_cmpstr(t.printed->str, ==, "closed\n");
    g_assert_cmpint(waiting.n_done, ==, 0);
    /* Still waiting when the sandbox goes. */
    start(&t, "spawn(function() wait() end)");
    luatest_clear(&t);

    proc_init(&t);
    start(&t, "spawn(function() wait() while true do pcall(function() while true do end end) end end)");
    wake(1);
    g_assert_cmpint(waiting.n_done, ==, 1);
    g_assert_cmpint(waiting.err.class, ==, LUAERR_LIMIT);
    g_assert_nonnull(
        strstr(waiting.err.message, "t.lua:1: the scenario took more than 10000000 instructions"));
    luatest_clear(&t);
    luaerr_clear(&waiting.err);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/lua/glue/options", test_options);
    g_test_add_func("/lua/glue/errors", test_errors);
    g_test_add_func("/lua/glue/class", test_class);
    g_test_add_func("/lua/glue/process", test_process);
    g_test_add_func("/lua/glue/process-nested", test_process_nested);
    g_test_add_func("/lua/glue/process-end", test_process_end);
    return g_test_run();
}
