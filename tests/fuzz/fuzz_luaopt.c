/* The option reader against tables that a scenario could write: the input is what stands between { and }. It
 * reads them or raises an error; what it read is within the bounds asked for. */
#include <glib.h>
#include <math.h>
#include <string.h>

#include "lua/luaerr.h"
#include "lua/luaopt.h"
#include "lua/sandbox.h"
#include "sim/base/simtime.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX 4096
#define WHO "fuzz"

typedef struct Opts {
    const char *string;
    bool flag;
    int64_t count;
    double number, ratio;
    SimTime delay, jitter;
    uint64_t rate, size;
    int table, fn, any;
} Opts;

static const LuaOpt opts[] = {
    {.name = "string", .kind = LUAOPT_STRING, .offset = offsetof(Opts, string)},
    {.name = "flag", .kind = LUAOPT_BOOL, .offset = offsetof(Opts, flag)},
    {.name = "count", .kind = LUAOPT_INT, .offset = offsetof(Opts, count), .min = 1, .max = 65535},
    {.name = "number", .kind = LUAOPT_NUMBER, .offset = offsetof(Opts, number), .min = -1, .max = 1},
    {.name = "ratio", .kind = LUAOPT_RATIO, .offset = offsetof(Opts, ratio)},
    {.name = "delay", .kind = LUAOPT_TIME, .offset = offsetof(Opts, delay)},
    {.name = "jitter", .kind = LUAOPT_TIME, .offset = offsetof(Opts, jitter), .max = 3600},
    {.name = "rate", .kind = LUAOPT_RATE, .offset = offsetof(Opts, rate)},
    {.name = "size", .kind = LUAOPT_SIZE, .offset = offsetof(Opts, size), .min = 68, .max = 65535},
    {.name = "table", .kind = LUAOPT_TABLE, .offset = offsetof(Opts, table)},
    {.name = "fn", .kind = LUAOPT_FUNCTION, .offset = offsetof(Opts, fn)},
    {.name = "any", .kind = LUAOPT_ANY, .offset = offsetof(Opts, any)},
};

static int read_options(lua_State *L)
{
    Opts o = {.count = 1, .size = 68};
    uint64_t had;

    had = luaopt_read(L, 1, WHO, opts, HS_ARRAY_LEN(opts), 1, &o);
    hs_assert(had >> HS_ARRAY_LEN(opts) == 0);
    hs_assert(!(had & 1) || strlen(o.string) < INPUT_MAX * 1024);
    hs_assert(o.count >= 1 && o.count <= 65535);
    hs_assert(isfinite(o.number) && o.number >= -1 && o.number <= 1);
    hs_assert(o.ratio >= 0 && o.ratio <= 1);
    hs_assert(o.delay >= 0 && o.jitter >= 0 && o.jitter <= 3600 * SIM_SEC);
    hs_assert(o.size >= 68 && o.size <= 65535);
    hs_assert(!o.table || lua_istable(L, o.table));
    hs_assert(!o.fn || lua_isfunction(L, o.fn));
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SandboxConfig config = {
        .memory_max_bytes = 8 << 20, .event_instructions_max = 100000, .total_instructions_max = 100000};
    g_autofree char *text = NULL;
    char *error = NULL;
    LuaErr err = {0};

    if (size > INPUT_MAX)
        return 0;
    text = g_strdup_printf("return {%.*s\n}", (int)size, (const char *)data);
    Sandbox *sb = sandbox_new(&config, &error);

    hs_assert(sb);
    lua_State *L = sandbox_lua(sb);

    if (luaerr_load(L, text, strlen(text), "@f.lua", &err) && luaerr_call(L, 0, 1, &err) &&
        lua_istable(L, -1)) {
        lua_pushcfunction(L, read_options);
        lua_insert(L, -2);
        if (!luaerr_call(L, 1, 0, &err))
            hs_assert(err.class != LUAERR_NONE && *err.message);
    }
    luaerr_clear(&err);
    sandbox_free(sb);
    return 0;
}
