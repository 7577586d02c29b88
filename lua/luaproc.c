/* A process is a coroutine that only the host resumes (lua/sandbox_coro.c refuses it to the scenario). A
 * blocking call in a coroutine that the scenario made itself is passed on by that file, from resume to
 * resume, until it arrives here; the results are pushed by the continuation of the call itself, wherever that
 * is. */
#include "lua/luaproc.h"

#include <string.h>

#include "lua/sandbox_private.h"

struct LuaProc {
    Sandbox *sb;
    lua_State *co;
    LuaProcDone done;
    void *user;
    int nargs; /* of the first resume */
    LuaProcPush push;
    void *data;
    bool running, killed;
};

LuaProc *luaproc_new(lua_State *L, int nargs, LuaProcDone done, void *user)
{
    luaL_checkstack(L, 6, NULL);
    sandbox_charge(L, SANDBOX_HOOK_INTERVAL);
    LuaProc *proc = lua_newuserdatauv(L, sizeof *proc, 1);

    *proc = (LuaProc){.sb = sandbox_of(L), .done = done, .user = user, .nargs = nargs};
    proc->co = lua_newthread(L);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &sandbox_key_blocked);
    lua_pushvalue(L, -2);
    lua_pushboolean(L, 1);
    lua_rawset(L, -3);
    lua_pop(L, 1);
    lua_setiuservalue(L, -2, 1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, proc);
    if (!lua_checkstack(proc->co, nargs + LUA_MINSTACK)) {
        lua_pushnil(L);
        lua_rawsetp(L, LUA_REGISTRYINDEX, proc);
        luaerr_raise(L, "too many arguments for a process");
    }
    lua_xmove(L, proc->co, nargs + 1);
    return proc;
}

/* Takes no memory: the key exists. */
static void drop(LuaProc *proc)
{
    lua_State *L = proc->sb->L;

    lua_pushnil(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, proc);
}

static void close_thread(LuaProc *proc)
{
    Sandbox *sb = proc->sb;
    bool could_block = sb->can_block;

    if (!sandbox_enter(sb))
        return;
    sb->can_block = false;
    sandbox_note(sb, lua_resetthread(proc->co));
    sb->can_block = could_block;
    sandbox_leave(sb);
}

static void finish(LuaProc *proc, LuaErr *err)
{
    if (!proc->killed && proc->done)
        proc->done(proc, err->class == LUAERR_NONE ? NULL : err, proc->user);
    luaerr_clear(err);
    drop(proc);
}

/* Returns lua_resume's status; *err is filled unless the process may go on or ended well. */
static int run(LuaProc *proc, LuaErr *err)
{
    Sandbox *sb = proc->sb;
    Sandbox outer = *sb; /* for the fields about blocking */
    int n = 0;

    sb->root = proc->co;
    sb->can_block = true;
    sb->blocking = false;
    sb->proc = proc;
    proc->running = true;
    int status = lua_resume(proc->co, outer.root ? outer.root : sb->L, proc->nargs, &n);

    proc->running = false;
    proc->nargs = 0;
    hs_assert(status != LUA_YIELD || sb->blocking || sb->limit != SANDBOX_LIMIT_NONE);
    sb->root = outer.root;
    sb->can_block = outer.can_block;
    sb->blocking = outer.blocking;
    sb->proc = outer.proc;
    if (status == LUA_YIELD || status == LUA_OK)
        lua_pop(proc->co, n);
    if ((status != LUA_YIELD && status != LUA_OK) || sb->limit != SANDBOX_LIMIT_NONE) {
        if (status == LUA_YIELD || status == LUA_OK)
            lua_pushnil(proc->co);
        luaerr_from_thread(proc->co, status, err);
        if (status == LUA_YIELD)
            status = LUA_ERRRUN;
    }
    return status;
}

void luaproc_resume(LuaProc *proc, LuaProcPush push, void *data)
{
    LuaErr err = {0};

    hs_assert(!proc->running && !proc->killed);
    proc->push = push;
    proc->data = data;
    if (!sandbox_enter(proc->sb)) {
        lua_pushnil(proc->co);
        luaerr_from_thread(proc->co, LUA_OK, &err);
        finish(proc, &err);
        return;
    }
    int status = run(proc, &err);

    sandbox_leave(proc->sb);
    if (status == LUA_YIELD && !proc->killed)
        return;
    if (status != LUA_OK)
        close_thread(proc);
    finish(proc, &err);
}

static int push_error(lua_State *L, void *data)
{
    luaerr_raise(L, "%s", (const char *)data);
}

void luaproc_throw(LuaProc *proc, const char *message)
{
    luaproc_resume(proc, push_error, (void *)message);
}

void luaproc_kill(LuaProc *proc)
{
    proc->killed = true;
    if (proc->running)
        return;
    close_thread(proc);
    drop(proc);
}

bool luaproc_is_running(const LuaProc *proc)
{
    return proc->running;
}

LuaProc *luaproc_current(lua_State *L)
{
    const Sandbox *sb = sandbox_of(L);

    if (!sb->proc)
        luaerr_raise(L, "this call lets time pass: it is possible in a process only");
    if (!sb->can_block || !lua_isyieldable(L))
        luaerr_raise(
            L, "this call lets time pass: it is not possible inside table.sort, string.gsub, a __tostring, "
               "or another function that is called by the library");
    return sb->proc;
}

static int continued(lua_State *L, int status, lua_KContext ctx)
{
    const LuaProc *proc = sandbox_of(L)->proc;

    (void)status, (void)ctx;
    lua_settop(L, 0);
    return proc->push ? proc->push(L, proc->data) : 0;
}

int luaproc_yield(lua_State *L)
{
    const LuaProc *proc = luaproc_current(L);

    hs_assert(proc->running);
    sandbox_of(L)->blocking = true;
    return lua_yieldk(L, 0, 0, continued);
}
