/* The cage: names, limits that nothing swallows, bombs, and results that do not differ from run to run. */
#include <dlfcn.h>
#include <glib/gstdio.h>
#include <lualib.h>
#include <math.h>

#include "sim/base/base.h"
#include "sim/base/exactmath.h"
#include "tests/unit/luatest.h"

#define MIB ((size_t)1 << 20)

static void check_name(const char *name)
{
    bool allowed = sandbox_name_allowed(name), refused = sandbox_name_refused(name) != NULL;

    if (allowed == refused)
        g_error("'%s' of the standard library is on %s list of lua/sandbox_names.c", name,
                allowed ? "each" : "neither");
}

static void test_names_complete(void)
{
    lua_State *L = luaL_newstate();

    luaL_openlibs(L);
    lua_pushglobaltable(L);
    for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) {
        const char *name = lua_tostring(L, 2);

        check_name(name);
        if (!lua_istable(L, 3) || g_str_equal(name, "_G") || sandbox_name_refused(name))
            continue;
        for (lua_pushnil(L); lua_next(L, 3); lua_pop(L, 1)) {
            g_autofree char *full = g_strdup_printf("%s.%s", name, lua_tostring(L, 4));

            check_name(full);
        }
    }
    lua_close(L);
}

static void test_names_absent(void)
{
    LuaTest t;

    luatest_init(&t, 0, 0);
    luatest_expect(&t,
                   "print(io, os, debug, package, load, loadstring, dofile, loadfile, collectgarbage, "
                   "string.dump, warn)\n"
                   "print(getmetatable(''), getmetatable(_G), ('').dump)",
                   "nil\tnil\tnil\tnil\tnil\tnil\tnil\tnil\tnil\tnil\tnil\nfalse\tnil\tnil\n");
    luatest_expect_error(&t, "\nio.open('/etc/passwd')", LUAERR_SCENARIO,
                         "t.lua:2: attempt to index a nil value");
    g_assert_nonnull(strstr(t.err.message, "scenarios have no 'io': a scenario has no access to files"));
    luatest_expect_error(&t, "setmetatable({}, {__gc = print})", LUAERR_SCENARIO,
                         "t.lua:1: __gc is not available");
    luatest_expect_error(&t, "setmetatable({}, {__mode = 'k'})", LUAERR_SCENARIO, "weak table");
    luatest_expect_error(&t, "math.randomseed(1)", LUAERR_SCENARIO, "--seed");
    g_assert_false(luaerr_load(t.L, "\x1bLua", 4, "@b", &t.err));
    luatest_clear(&t);
}

/* Each must end with a limit, whatever it tries; the limits are small so that it does so soon. */
static void test_bombs(void)
{
    static const char *const bombs[] = {
        "while true do end",
        "::a:: goto a",
        "repeat until false",
        "while true do pcall(function() while true do end end) end",
        "while true do xpcall(function() while true do end end, function() while true do end end) end",
        "local function f() return pcall(f) end while true do f() end",
        "while true do local co = coroutine.wrap(function() while true do end end) pcall(co) end",
        "while true do coroutine.resume(coroutine.create(function() while true do end end)) end",
        "while true do coroutine.wrap(function() end)() end",
        "while true do coroutine.close(coroutine.create(print)) end",
        "do local x <close> = setmetatable({}, {__close = function() while true do end end}) while true do "
        "end end",
        "local t = {} for i = 1, math.huge do t[i] = i end",
        "local t = {} while true do t[#t + 1] = coroutine.create(print) end",
        "local s = 'x' while true do s = s .. s end",
        "local s = 'x' while true do pcall(function() s = s .. s end) end",
        "local ok = pcall(string.rep, 'x', 1e9) while true do end",
        "return ('x'):rep(1e9)",
        "local t = {} while true do pcall(string.rep, 'x', 1e9) end",
        "coroutine.wrap(function() local s = ('x'):rep(1e9) end)()",
        "while true do pcall(coroutine.wrap(function() return ('x'):rep(1e9) end)) end",
        "return ('a'):rep(30):find(('a*'):rep(30) .. 'b')",
        "return ('a'):rep(50000):find('.-.-.-.-b')",
        "while true do pcall(string.gsub, ('a'):rep(1e4), '.-.-.-b', '') end",
        "for _ in ('a'):rep(50000):gmatch('.-.-.-b') do end",
        "table.move({}, 1, 1 << 60, 2)",
        "table.insert(setmetatable({}, {__len = function() return 1 << 60 end}), 1, 1)",
        "table.remove(setmetatable({}, {__len = function() return 1 << 60 end}), 1)",
        "table.concat(setmetatable({}, {__len = function() return 1 << 60 end, __index = tostring}))",
        "table.unpack(setmetatable({}, {__len = function() return 1 << 60 end}))",
        "table.sort({3, 2, 1}, function() while true do end end)",
        "error(setmetatable({}, {__tostring = function() while true do end end}))",
        "local t = {} for i = 1, 1e5 do t[i .. ''] = i end while true do next(t) end",
        "local t = setmetatable({}, {__index = function(t, k) return t[k + 1] end}) while true do "
        "pcall(function() "
        "return t[1] end) end",
        "local f = function() end while true do pcall(pcall, pcall, error, f) end",
        "local function f() local ok, e = xpcall(error, f) return f() end f()",
    };

    for (size_t i = 0; i < HS_ARRAY_LEN(bombs); i++) {
        LuaTest t;

        luatest_init(&t, 16 * MIB, 3000000);
        if (luatest_run(&t, bombs[i]) || t.err.class != LUAERR_LIMIT)
            g_error("'%s' gave: %s", bombs[i], t.err.message);
        g_assert_cmpint(luaerr_exit_code(&t.err), ==, 3);
        g_assert_nonnull(strstr(t.err.message, "more than "));
        g_assert_cmpuint(sandbox_memory_peak_bytes(t.sb), <=, 20 * MIB);
        /* No Lua runs in it any more. */
        luatest_expect_error(&t, "print 'alive'", LUAERR_LIMIT, "the scenario took more than");
        g_assert_cmpstr(t.printed->str, ==, "");
        luatest_clear(&t);
    }
}

/* Each is an error that the scenario may catch, and the sandbox lives. */
static void test_faults(void)
{
    static const struct {
        const char *text, *message;
    } faults[] = {
        {"local function f() return 1 + f() end f()", "stack overflow"},
        {"return ('x'):rep(1 << 62)", "t.lua:1: resulting string too large"},
        {"return string.format('%99999d', 1)", "t.lua:1: invalid"},
        {"local t = setmetatable({}, {}) getmetatable(t).__index = t return t.x", "__index"},
        {"setmetatable({}, {__add = function(a, b) return a + b end}).x = 1 + setmetatable({}, {__add = "
         "function(a, b) "
         "return a + b end})",
         "overflow"},
        {"error()", "t.lua:1: error object that is no text (a nil value)"},
        {"error({})", "t.lua:1: error object that is no text (a table value)"},
        {"error(setmetatable({}, {__tostring = function() error('x') end}))", "no text"},
        {"error(setmetatable({}, {__tostring = function() return {} end}))", "no text"},
        {"error(setmetatable({}, {__tostring = function() return 'mine' end}))", "t.lua:1: mine"},
        {"error('a\\27[31mb\\255', 0)", "t.lua:1: a?[31mb"},
        {"x = = 1", "t.lua:1: unexpected symbol"},
        {"table.sort({1, 1}, function() return true end)", "invalid order function"},
        {"table.sort({1, 'x'})", "attempt to compare"},
        {"return ('x'):find('[a')", "t.lua:1: malformed pattern (missing ']')"},
        {"return ('x'):find(('('):rep(40))", "too many captures"},
        {"return ('x'):gsub('x', '%2')", "invalid capture index"},
        {"math.random(2, 1)", "interval is empty"},
        {"math.sin(1e300)", "2^20"},
        {"coroutine.yield()", "outside a coroutine"},
        {"require 'nothing'", "t.lua:1: module \"nothing\" not found: no module of hopscope"},
        {"require '../x'", "bad module name"},
        {"require '/etc/passwd'", "bad module name"},
        {"nosuch()", "t.lua:1: attempt to call a nil value (global 'nosuch')"},
    };
    LuaTest t;

    luatest_init(&t, 256 * MIB, 100000000);
    for (size_t i = 0; i < HS_ARRAY_LEN(faults); i++)
        luatest_expect_error(&t, faults[i].text, LUAERR_SCENARIO, faults[i].message);
    luatest_expect(&t, "print(pcall(error, 'x'), select('#', pcall(error)), pcall(string.rep))",
                   "false\t2\tfalse\tbad argument #1 to 'string.rep' (string expected, got no value)\n");
    luatest_expect(&t,
                   "local function d(n) if n > 0 then return 1 + d(n - 1) end return 0 end print(d(100000))",
                   "100000\n");
    luatest_clear(&t);
}

static void test_order(void)
{
    static const char text[] =
        "local f, g, h = function() end, {}, coroutine.create(print)\n"
        "local names = {[f] = 'f', [g] = 'g', [h] = 'h', [print] = 'print', [type] = 'type'}\n"
        "local t = {[true] = 1, [false] = 1, b = 1, a = 1, ['a\\0'] = 1, ['\\255'] = 1, [2.5] = 1, [-1] = 1, "
        "[10] = 1,\n"
        "  [2] = 1, [-math.huge] = 1, [g] = 1, [h] = 1, [f] = 1, [print] = 1, [type] = 1}\n"
        "local out = {}\n"
        "for k in pairs(t) do out[#out + 1] = names[k] or (type(k) == 'string' and ('%q'):format(k)) or "
        "tostring(k) end\n"
        "print(table.concat(out, ' '))\n"
        "local again = {}\n"
        "for k in next, t do again[#again + 1] = names[k] or (type(k) == 'string' and ('%q'):format(k)) or "
        "tostring(k) end\n"
        "print(table.concat(again) == table.concat(out))\n"
        "print(next({}), next({b = 1, a = 2}), rawequal(next(t), -1))\n"
        "local big = {} for i = 1, 2000 do big['k' .. i * 7919 % 2003] = i end\n"
        "local last, n = '', 0\n"
        "for k, v in pairs(big) do assert(k > last) last, n = k, n + 1 big[k] = nil end\n"
        "print(n, next(big))\n"
        "local u = {a = 1, b = 2, c = 3} for k in pairs(u) do u.b = nil u.c = 9 io = nil out[#out + 1] = k "
        "end\n"
        "print(out[#out - 1], out[#out])\n"
        "for k, v in pairs(setmetatable({}, {__pairs = function() return function(_, k) if not k then return "
        "1, 2 end "
        "end end})) do print(k, v) end\n"
        "local l = {1, 2, 3} for i in pairs(l) do l[2] = nil end for i, v in pairs({5, 6, x = 7}) do "
        "print(i, v) end";
    const char *expected = "-1 2 10 -inf 2.5 \"a\" \"a\\0\" \"b\" \"\xff\" false true print type f g h\n"
                           "true\nnil\ta\ttrue\n2000\tnil\na\tc\n1\t2\n1\t5\n2\t6\nx\t7\n";

    for (int i = 0; i < 10; i++) {
        LuaTest t;

        luatest_init(&t, 0, 0);
        luatest_expect(&t, text, expected);
        luatest_clear(&t);
    }
}

static void test_text(void)
{
    LuaTest t;

    luatest_init(&t, 0, 0);
    luatest_expect(
        &t,
        "local a, b = {}, function() end\n"
        "print(b, a, b, string.format('%s|%10s|%p|%-4p|%d%%', a, b, a, a, 5))\n"
        "print(coroutine.create(b), 1.5, 10 // 1, 2^53, 1e100, -0.0, 0/0 ~= 0/0, print)\n"
        "print(setmetatable({}, {__name = 'Thing'}), setmetatable({}, {__tostring = function() return 'x' "
        "end}))",
        "function: #2\ttable: #1\tfunction: #2\ttable: #1|function: #2|#1|#1  |5%\n"
        "thread: #3\t1.5\t10\t9.007199254741e+15\t1e+100\t-0.0\ttrue\tfunction: #4\nThing: #5\tx\n");
    luatest_clear(&t);
}

/* 0/0 has a sign bit on x86 and none on ARM; -(0/0) is the other way round. Nothing shows it. */
static void test_nan(void)
{
    LuaTest t;

    luatest_init(&t, 0, 0);
    luatest_expect(
        &t,
        "local inf = math.huge\n"
        "for _, x in ipairs {0/0, -(0/0), inf - inf, -(inf - inf), math.sqrt(-1), math.abs(0/0)} do\n"
        "  print(x, tostring(x), ('%s %5.1f %g %a'):format(x, x, x, x), table.concat({x, 1, x}, ' '))\n"
        "  assert(('d'):pack(x) == ('d'):pack(-x) and ('<f'):pack(x):byte(-1) == 0x7f and x ~= x)\n"
        "  assert(('a.b'):gsub('%.', x) == 'ananb' and ('ab'):gsub('b', function() return x end) == 'anan')\n"
        "end",
        "nan\tnan\tnan   nan nan nan\tnan 1 nan\nnan\tnan\tnan   nan nan nan\tnan 1 nan\n"
        "nan\tnan\tnan   nan nan nan\tnan 1 nan\nnan\tnan\tnan   nan nan nan\tnan 1 nan\n"
        "nan\tnan\tnan   nan nan nan\tnan 1 nan\nnan\tnan\tnan   nan nan nan\tnan 1 nan\n");
    luatest_expect(
        &t,
        "print(table.concat({}), table.concat({1, 'b', 2.5}), table.concat({1, 2, 3}, ', ', 2, 3), "
        "table.concat({'x'}, ',', 2), table.concat({[math.maxinteger] = 'z'}, ',', math.maxinteger, "
        "math.maxinteger))\n"
        "print(pcall(table.concat, {1, {}, 3}))\nprint(pcall(table.concat, 1))\n"
        "print(table.concat(setmetatable({}, {__index = function(_, i) return i end}), '-', 1, 3))",
        "\t1b2.5\t2, 3\t\tz\n"
        "false\tinvalid value (at index 2) in table for 'concat'\n"
        "false\tbad argument #1 to 'table.concat' (table expected, got number)\n1-2-3\n");
    luatest_clear(&t);
}

/* Patterns against what the reference manual says of them. */
static void test_patterns(void)
{
    LuaTest t;

    luatest_init(&t, 0, 0);
    luatest_expect(
        &t,
        "print(('hello world'):find('o w'), ('hello'):find('l+'), ('a.b'):find('.', 1, true))\n"
        "print(('key = value'):match('^(%w+)%s*=%s*(%w+)$'), ('  x '):match('^%s*(.-)%s*$'))\n"
        "print(('abc'):gsub('%w', '%0%0'), ('hello world'):gsub('o', '0', 1), ('abc'):gsub('', '-'))\n"
        "print(('f(a(b)c)d'):match('%b()'), ('THE (quick) fox'):find('%f[%a]%a+%f[%A]', 5))\n"
        "print(('x=1, y=2'):gsub('(%w+)=(%w+)', '%2=%1'), ('$a $b'):gsub('%$(%w+)', {a = 'A'}))\n"
        "print(('abc'):gsub('%w', function(c) if c == 'b' then return 'X' end end), ('ab'):match('()b()'))\n"
        "for k, v in ('a=1, b=2'):gmatch('(%w+)=(%w+)') do print(k, v) end\n"
        "print(('\"hi\" x'):match('([\"\\'])(.-)%1'), ('a-b'):match('[a-]+'), (']'):match('[]]'), "
        "('^'):match('[%^]'))\n"
        "print(('abc'):find('b', -1), ('abc'):find('', 10), ('abc'):find('', 4), ('a\\0b'):find('\\0'))\n"
        "print(('x1y22'):gsub('%d+', function(d) return d * 2 end), ('aaa'):match('a-$'), "
        "('ab'):match('a?b?c?'))",
        "5\t3\t2\t2\nkey\tx\naabbcc\thell0 world\t-a-b-c-\t4\n(a(b)c)\t6\t10\n1=x, 2=y\tA $b\t2\n"
        "aXc\t2\t3\na\t1\nb\t2\n\"\ta-\t]\t^\nnil\tnil\t4\t2\t2\nx2y44\taaa\tab\n");
    luatest_clear(&t);
}

/* The stock matcher is the judge for random patterns: the same results, and errors for the same patterns. */
static const char differential[] =
    "local s, p = ...\n"
    "local function text(ok, ...) if not ok then return 'error' end local t = {...}\n"
    "for i = 1, select('#', ...) do t[i] = tostring(t[i]) end return table.concat(t, ',') end\n"
    "local all = {text(pcall(string.find, s, p)), text(pcall(string.match, s, p, 2)), "
    "text(pcall(string.gsub, s, p, "
    "'<%0>'))}\n"
    "local ok, e = pcall(function() local n = 0 for a, b in s:gmatch(p) do n = n + 1 all[#all + 1] = "
    "text(true, a, b) "
    "end end)\n"
    "all[#all + 1] = tostring(ok) return table.concat(all, ';')";

static char *run_differential(lua_State *L, const char *subject, const char *pattern)
{
    g_assert_cmpint(luaL_loadbuffer(L, differential, strlen(differential), "=d"), ==, LUA_OK);
    lua_pushstring(L, subject);
    lua_pushstring(L, pattern);
    g_assert_cmpint(lua_pcall(L, 2, 1, 0), ==, LUA_OK);
    char *result = g_strdup(lua_tostring(L, -1));

    lua_pop(L, 1);
    return result;
}

static void test_patterns_differential(void)
{
    static const char *const pieces[] = {"a",     "b",     ".",     "%a", "%d", "%s", "%S", "[ab]", "[^a]",
                                         "[a-c]", "*",     "+",     "-",  "?",  "(",  ")",  "()",   "%1",
                                         "%bab",  "%f[a]", "^",     "$",  "%",  "[",  "]",  "1",    "%W",
                                         "c",     "[%d]",  "[]-a]", "%%", "%p", "x"};
    static const char letters[] = "aabbc1 ]%x-";
    lua_State *stock = luaL_newstate();
    GRand *rand = g_rand_new_with_seed(1);
    LuaTest t;

    luaL_openlibs(stock);
    luatest_init(&t, 0, 1000000000000);
    for (int i = 0; i < 20000; i++) {
        GString *pattern = g_string_new(NULL), *subject = g_string_new(NULL);

        for (int n = g_rand_int_range(rand, 0, 7); n > 0; n--)
            g_string_append(pattern, pieces[g_rand_int_range(rand, 0, HS_ARRAY_LEN(pieces))]);
        for (int n = g_rand_int_range(rand, 0, 10); n > 0; n--)
            g_string_append_c(subject, letters[g_rand_int_range(rand, 0, sizeof letters - 1)]);
        g_autofree char *expected = run_differential(stock, subject->str, pattern->str);
        g_autofree char *got = run_differential(t.L, subject->str, pattern->str);

        if (strcmp(expected, got) != 0)
            g_error("'%s' on '%s': expected %s, got %s", pattern->str, subject->str, expected, got);
        g_string_free(pattern, TRUE);
        g_string_free(subject, TRUE);
    }
    g_rand_free(rand);
    lua_close(stock);
    luatest_clear(&t);
}

static void test_sort(void)
{
    LuaTest t;

    luatest_init(&t, 0, 0);
    luatest_expect(
        &t,
        "local t = {} for i = 1, 1000 do t[i] = {k = i * 37 % 10, i = i} end\n"
        "table.sort(t, function(a, b) return a.k < b.k end)\n"
        "for i = 2, 1000 do assert(t[i-1].k < t[i].k or (t[i-1].k == t[i].k and t[i-1].i < t[i].i)) end\n"
        "local s = {'b', 'a', 'c', 'a'} table.sort(s) print(table.concat(s))\n"
        "local n = {3, 1, 2} table.sort(n, function(a, b) return a > b end) print(table.concat(n, ' '))\n"
        "local e = {3, 1, 2} print(pcall(table.sort, e, function() error('x', 0) end), table.concat(e))\n"
        "print(table.concat(table.move({1, 2, 3, 4}, 1, 3, 2), ','), table.unpack({1, 2}))",
        "aabc\n3 2 1\nfalse\t312\n1,1,2,3\t1\t2\n");
    luatest_clear(&t);
}

static bool near(double a, double b)
{
    return fabs(a - b) <= 4 * 0x1p-52 * fmax(fabs(b), 1e-3);
}

static double call_math(LuaTest *t, const char *name, double x)
{
    g_autofree char *text = g_strdup_printf("r = math.%s(%.17g)", name, x);

    g_assert_true(luatest_run(t, text));
    lua_getglobal(t->L, "r");
    double r = lua_tonumber(t->L, -1);

    lua_pop(t->L, 1);
    return r;
}

/* The C library is within an ulp or so of the truth; ours must be near it. */
static void test_math(void)
{
    LuaTest t;

    luatest_init(&t, 0, 0);
    for (int i = -40; i <= 40; i++) {
        double x = i * 0.37 + 0.011, u = i / 41.0;

        g_assert_true(near(call_math(&t, "sin", x), sin(x)));
        g_assert_true(near(call_math(&t, "cos", x), cos(x)));
        g_assert_true(near(call_math(&t, "atan", x), atan(x)));
        g_assert_true(near(call_math(&t, "asin", u), asin(u)));
        g_assert_true(near(call_math(&t, "acos", u), acos(u)));
        g_assert_true(near(call_math(&t, "exp", x), exp(x)) || fabs(x) > 1);
    }
    g_assert_true(fabs(call_math(&t, "sin", 3.141592653589793) - 1.2246467991473532e-16) < 1e-20);
    luatest_expect(&t,
                   "print(math.log(8, 2), math.log(1000, 10), math.log(1), math.exp(0), math.atan(1, -1) == "
                   "3 * math.pi / 4)\n"
                   "for _, x in ipairs {0.1, 1.7, 3, 1e10} do for _, y in ipairs {0.5, -1.3, 3, 1.1} do\n"
                   "assert(x ^ y == math.pow(x, y)) end end print(2 ^ 10, 2 ^ 0.5, 10 ^ -2)",
                   "3.0\t3.0\t0.0\t1.0\ttrue\n1024.0\t1.4142135623731\t0.01\n");
    /* What liblua's `^` is bound to is the program's pow, which is ours. */
    void *program = dlopen(NULL, RTLD_NOW);
    void *found = dlsym(program, "pow");
    Dl_info info, lua_info, ours;

    g_assert_true(dladdr(found, &info) && dladdr((void *)(uintptr_t)sandbox_new, &ours));
    g_assert_true(info.dli_fbase == ours.dli_fbase || !dladdr((void *)(uintptr_t)lua_newstate, &lua_info));
    dlclose(program);
    luatest_clear(&t);
}

static void test_random(void)
{
    LuaTest t;

    luatest_init(&t, 0, 0);
    luatest_expect(
        &t,
        "local seen = {} for i = 1, 1000 do local r = math.random(3, 6) seen[r] = (seen[r] or 0) + 1 end\n"
        "for k, v in pairs(seen) do assert(k >= 3 and k <= 6 and v > 180) end\n"
        "for i = 1, 1000 do local r = math.random() assert(r >= 0 and r < 1) end\n"
        "print(math.type(math.random(0)), math.type(math.random(5)), math.random(7, 7))\n"
        "math.random(math.mininteger, math.maxinteger)",
        "integer\tinteger\t7\n");
    luatest_clear(&t);
}

static int open_answer(lua_State *L)
{
    lua_pushinteger(L, 42);
    return 1;
}

static void test_require(void)
{
    g_autofree char *dir = g_dir_make_tmp("luaboxXXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "mine.lua", NULL),
                    *loop = g_build_filename(dir, "loop.lua", NULL);
    SandboxConfig config = {.module_dir = dir};
    char *error = NULL;
    LuaTest t = {.printed = g_string_new(NULL)};

    config.print = luatest_print;
    config.user = &t;
    t.sb = sandbox_new(&config, &error);
    t.L = sandbox_lua(t.sb);
    sandbox_add_module(t.sb, "answer", open_answer);
    sandbox_add_module_text(t.sb, "lib.text", "local name = ... return { name = name }");
    g_assert_true(g_file_set_contents(path, "n = (n or 0) + 1 return { n = n }", -1, NULL));
    g_assert_true(g_file_set_contents(loop, "return require 'loop'", -1, NULL));
    luatest_expect(&t,
                   "print(require 'answer', require('lib.text').name, require('mine').n, require('mine').n)",
                   "42\tlib.text\t1\t1\n");
    luatest_expect_error(&t, "require 'loop'", LUAERR_SCENARIO, "requires itself");
    luatest_expect_error(&t, "require 'mime'", LUAERR_SCENARIO, "and there is no file");
    g_remove(path);
    g_remove(loop);
    g_rmdir(dir);
    luatest_clear(&t);
}

static void test_budgets(void)
{
    LuaTest t;

    /* Every event has its own budget; the run has one for all. */
    luatest_init(&t, 0, 1000000);
    for (int i = 0; i < 5; i++)
        g_assert_true(luatest_run(&t, "for i = 1, 300000 do end"));
    g_assert_cmpuint(sandbox_instructions(t.sb), >, 1400000);
    luatest_clear(&t);

    SandboxConfig config = {.total_instructions_max = 1000000};
    char *error = NULL;
    int runs = 0;

    t = (LuaTest){.sb = sandbox_new(&config, &error), .printed = g_string_new(NULL)};
    t.L = sandbox_lua(t.sb);
    while (luatest_run(&t, "for i = 1, 300000 do end"))
        runs++;
    g_assert_cmpint(runs, ==, 3);
    g_assert_cmpint(sandbox_limit_hit(t.sb), ==, SANDBOX_LIMIT_TOTAL);
    g_assert_nonnull(strstr(t.err.message, "in one run"));
    luatest_clear(&t);

    config = (SandboxConfig){.memory_max_bytes = 1000};
    g_assert_null(sandbox_new(&config, &error));
    g_assert_nonnull(error);
    g_free(error);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/lua/sandbox/names-complete", test_names_complete);
    g_test_add_func("/lua/sandbox/names-absent", test_names_absent);
    g_test_add_func("/lua/sandbox/bombs", test_bombs);
    g_test_add_func("/lua/sandbox/faults", test_faults);
    g_test_add_func("/lua/sandbox/order", test_order);
    g_test_add_func("/lua/sandbox/text", test_text);
    g_test_add_func("/lua/sandbox/nan", test_nan);
    g_test_add_func("/lua/sandbox/patterns", test_patterns);
    g_test_add_func("/lua/sandbox/patterns-differential", test_patterns_differential);
    g_test_add_func("/lua/sandbox/sort", test_sort);
    g_test_add_func("/lua/sandbox/math", test_math);
    g_test_add_func("/lua/sandbox/random", test_random);
    g_test_add_func("/lua/sandbox/require", test_require);
    g_test_add_func("/lua/sandbox/budgets", test_budgets);
    return g_test_run();
}
