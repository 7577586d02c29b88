/* What the tests of lua/ share: a sandbox with small limits, and running a piece of scenario in it. */
#pragma once

#include <glib.h>
#include <string.h>

#include "lua/luaerr.h"
#include "lua/sandbox.h"

typedef struct LuaTest {
    Sandbox *sb;
    lua_State *L;
    GString *printed; /* lines, each with its end */
    uint64_t random;
    LuaErr err;
} LuaTest;

static inline void luatest_print(void *user, const char *line, size_t len)
{
    LuaTest *t = user;

    g_string_append_len(t->printed, line, (gssize)len);
    g_string_append_c(t->printed, '\n');
}

static inline uint64_t luatest_draw(void *user)
{
    LuaTest *t = user;

    return t->random = t->random * 6364136223846793005u + 1442695040888963407u;
}

static inline void luatest_init(LuaTest *t, size_t memory, uint64_t instructions)
{
    SandboxConfig config = {.memory_max_bytes = memory,
                            .event_instructions_max = instructions,
                            .print = luatest_print,
                            .draw = luatest_draw,
                            .user = t};
    char *error = NULL;

    *t = (LuaTest){.printed = g_string_new(NULL)};
    t->sb = sandbox_new(&config, &error);
    g_assert_nonnull(t->sb);
    t->L = sandbox_lua(t->sb);
}

static inline void luatest_clear(LuaTest *t)
{
    luaerr_clear(&t->err);
    sandbox_free(t->sb);
    g_string_free(t->printed, TRUE);
}

/* Runs the text as the file t.lua; false with t->err filled when it fails. */
static inline bool luatest_run(LuaTest *t, const char *text)
{
    luaerr_clear(&t->err);
    return luaerr_load(t->L, text, strlen(text), "@t.lua", &t->err) && luaerr_call(t->L, 0, 0, &t->err);
}

static inline void luatest_expect(LuaTest *t, const char *text, const char *printed)
{
    g_string_truncate(t->printed, 0);
    if (!luatest_run(t, text))
        g_error("%s\n%s", t->err.message, t->err.traceback);
    g_assert_cmpstr(t->printed->str, ==, printed);
}

static inline void luatest_expect_error(LuaTest *t, const char *text, LuaErrClass class, const char *message)
{
    if (luatest_run(t, text))
        g_error("'%s' gave no error", text);
    if (!strstr(t->err.message, message))
        g_error("'%s' gave: %s", text, t->err.message);
    g_assert_cmpint(t->err.class, ==, class);
    g_assert_cmpint(lua_gettop(t->L), ==, 0);
}
