/* coroutine: stock semantics, except that limit errors pass through, that coroutines are charged for, and
 * that a blocking call (luaproc_yield) made inside a scenario's own coroutine blocks the whole process: the
 * yield is passed outwards through every resume until it reaches the host, and the way back inwards when the
 * process goes on. Only a process itself has nobody to coroutine.yield to: that is an error. */
#include "lua/sandbox_private.h"

enum { MODE_RESUME, MODE_WRAP };

static bool is_blocked(lua_State *L, lua_State *co)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &sandbox_key_blocked);
    lua_pushthread(co);
    if (co != L)
        lua_xmove(co, L, 1);
    bool blocked = lua_rawget(L, -2) != LUA_TNIL;

    lua_pop(L, 2);
    return blocked;
}

/* co's own stack needs a free slot: every thread has LUA_MINSTACK of them where we call this. */
static void set_blocked(lua_State *L, lua_State *co, bool blocked)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &sandbox_key_blocked);
    luaL_checkstack(co, 1, NULL);
    lua_pushthread(co);
    lua_xmove(co, L, 1);
    if (blocked)
        lua_pushboolean(L, 1);
    else
        lua_pushnil(L);
    lua_rawset(L, -3);
    lua_pop(L, 1);
}

static lua_State *check_coroutine(lua_State *L)
{
    lua_State *co = lua_tothread(L, 1);

    luaL_argexpected(L, co, 1, "coroutine");
    return co;
}

static int finish_failed(lua_State *L, lua_State *co, lua_KContext mode)
{
    if (mode == MODE_RESUME) {
        lua_pushboolean(L, 0);
        lua_insert(L, -2);
        return 2;
    }
    int status = lua_status(co);

    if (status != LUA_OK && status != LUA_YIELD) {
        status = lua_resetthread(co); /* runs its close handlers */
        sandbox_check(L, status);
        lua_pop(L, 1);
        lua_xmove(co, L, 1);
    }
    return lua_error(L);
}

static int resume_continued(lua_State *L, int status, lua_KContext mode);

/* Runs co with the nargs values on top of L. In MODE_RESUME, the coroutine is L's first value. */
static int run(lua_State *L, lua_State *co, int nargs, lua_KContext mode)
{
    Sandbox *sb = sandbox_of(L);
    bool could_block = sb->can_block;
    int n = 0;

    sandbox_charge(L, 10);
    if (!lua_checkstack(co, nargs)) {
        lua_pushliteral(L, "too many arguments to resume");
        return finish_failed(L, co, mode);
    }
    lua_xmove(L, co, nargs);
    sb->can_block = could_block && lua_isyieldable(L);
    int status = lua_resume(co, L, nargs, &n);

    sb->can_block = could_block;
    if (status == LUA_YIELD && sb->blocking) {
        set_blocked(L, co, true);
        lua_settop(L, mode == MODE_RESUME ? 1 : 0);
        return lua_yieldk(L, 0, mode, resume_continued);
    }
    sandbox_check(L, status == LUA_YIELD ? LUA_OK : status);
    if (status != LUA_OK && status != LUA_YIELD) {
        lua_xmove(co, L, 1);
        return finish_failed(L, co, mode);
    }
    if (!lua_checkstack(L, n + 1)) {
        lua_pop(co, n);
        lua_pushliteral(L, "too many results to resume");
        return finish_failed(L, co, mode);
    }
    if (mode == MODE_RESUME)
        lua_pushboolean(L, 1);
    lua_xmove(co, L, n);
    return n + (mode == MODE_RESUME);
}

/* The process goes on: so does the coroutine that blocked it. */
static int resume_continued(lua_State *L, int status, lua_KContext mode)
{
    lua_State *co = lua_tothread(L, mode == MODE_RESUME ? 1 : lua_upvalueindex(1));

    (void)status;
    set_blocked(L, co, false);
    lua_settop(L, mode == MODE_RESUME ? 1 : 0);
    return run(L, co, 0, mode);
}

static int coro_resume(lua_State *L)
{
    lua_State *co = check_coroutine(L);

    if (is_blocked(L, co)) {
        lua_pushliteral(L, "cannot resume a coroutine that waits in a blocking call");
        return finish_failed(L, co, MODE_RESUME);
    }
    return run(L, co, lua_gettop(L) - 1, MODE_RESUME);
}

static int wrap_call(lua_State *L)
{
    lua_State *co = lua_tothread(L, lua_upvalueindex(1));

    if (is_blocked(L, co))
        return luaL_error(L, "cannot resume a coroutine that waits in a blocking call");
    return run(L, co, lua_gettop(L), MODE_WRAP);
}

static int coro_create(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TFUNCTION);
    sandbox_charge(L, SANDBOX_HOOK_INTERVAL);
    lua_State *co = lua_newthread(L);

    lua_pushvalue(L, 1);
    lua_xmove(L, co, 1);
    return 1;
}

static int coro_wrap(lua_State *L)
{
    coro_create(L);
    lua_pushcclosure(L, wrap_call, 1);
    return 1;
}

static int coro_yield(lua_State *L)
{
    if (L == sandbox_of(L)->root)
        return luaL_error(L, "coroutine.yield outside of a coroutine: a process has nobody to yield to "
                             "(its blocking calls let simulated time pass)");
    return lua_yield(L, lua_gettop(L));
}

static int coro_isyieldable(lua_State *L)
{
    lua_State *co = lua_isthread(L, 1) ? lua_tothread(L, 1) : L;

    lua_pushboolean(L, co != sandbox_of(L)->root && lua_isyieldable(co));
    return 1;
}

static int coro_close(lua_State *L)
{
    lua_State *co = check_coroutine(L);
    lua_Debug ar;

    if (co == L || (lua_status(co) == LUA_OK && lua_getstack(co, 0, &ar)))
        return luaL_error(L, "cannot close a running coroutine");
    if (is_blocked(L, co))
        return luaL_error(L, "cannot close a coroutine that waits in a blocking call");
    int status = lua_resetthread(co);

    sandbox_check(L, status);
    lua_pushboolean(L, status == LUA_OK);
    if (status == LUA_OK)
        return 1;
    lua_xmove(co, L, 1);
    return 2;
}

void sandbox_coro_install(lua_State *L)
{
    static const luaL_Reg ours[] = {
        {"close", coro_close},
        {"create", coro_create},
        {"isyieldable", coro_isyieldable},
        {"resume", coro_resume},
        {"wrap", coro_wrap},
        {"yield", coro_yield},
        {NULL, NULL},
    };

    luaL_setfuncs(L, ours, 0);
}
