/* Error objects of a scenario may be anything, with a __tostring that fails or never ends: it is called under
 * protection, or not at all once a limit was hit. */
#include "lua/luaerr.h"

#include <glib.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "lua/sandbox_private.h"

#define MESSAGE_MAX_BYTES 4000
#define FRAMES_SEARCHED 64 /* lua_getstack walks from the top each time */
#define FRAMES_SHOWN 12

void luaerr_clear(LuaErr *err)
{
    g_free(err->message);
    g_free(err->traceback);
    *err = (LuaErr){0};
}

int luaerr_exit_code(const LuaErr *err)
{
    return err->class == LUAERR_NONE ? 0 : err->class == LUAERR_LIMIT ? 3 : 2;
}

static bool is_scenario_frame(const lua_Debug *ar)
{
    return ar->source[0] == '@' && ar->currentline > 0;
}

/* Texts come from untrusted scenarios and go to terminals and reports. */
static char *clean_text(const char *text, size_t len)
{
    g_autofree char *valid = g_utf8_make_valid(text, (gssize)HS_MIN(len, (size_t)MESSAGE_MAX_BYTES));
    GString *out = g_string_new(NULL);

    for (const char *p = valid; *p; p++)
        g_string_append_c(out, (unsigned char)*p < 32 && *p != '\n' && *p != '\t' ? '?' : *p);
    if (len > MESSAGE_MAX_BYTES)
        g_string_append(out, " ...");
    return g_string_free(out, FALSE);
}

/* Gives the text of the value at 1, or nothing if it has none of its own. */
static int convert(lua_State *L)
{
    if (lua_type(L, 1) != LUA_TNUMBER && lua_type(L, 1) != LUA_TBOOLEAN &&
        luaL_getmetafield(L, 1, "__tostring") == LUA_TNIL)
        return 0;
    sandbox_tolstring(L, 1, NULL);
    return 1;
}

/* The error object at idx as text, for g_free. */
static char *object_text(lua_State *L, int idx)
{
    Sandbox *sb = sandbox_of(L);
    size_t len = 0;
    const char *text = NULL;
    int top = lua_gettop(L);

    if (lua_type(L, idx) == LUA_TSTRING) {
        text = lua_tolstring(L, idx, &len);
        return clean_text(text, len);
    }
    if (sb->limit == SANDBOX_LIMIT_NONE && lua_checkstack(L, 2)) {
        lua_pushcfunction(L, convert);
        lua_pushvalue(L, idx);
        int status = lua_pcall(L, 1, 1, 0);

        sandbox_note(sb, status);
        if (status == LUA_OK && lua_type(L, -1) == LUA_TSTRING)
            text = lua_tolstring(L, -1, &len);
    }
    char *result = text ? clean_text(text, len)
                        : g_strdup_printf("error object that is no text (a %s value)", luaL_typename(L, idx));

    lua_settop(L, top);
    return result;
}

static char *compose_traceback(lua_State *L)
{
    GString *out = g_string_new(NULL);
    lua_Debug ar;
    int shown = 0;

    for (int level = 0; lua_getstack(L, level, &ar); level++) {
        if (level == FRAMES_SEARCHED || shown == FRAMES_SHOWN) {
            g_string_append(out, "  ...\n");
            break;
        }
        lua_getinfo(L, "Sln", &ar);
        if (!is_scenario_frame(&ar))
            continue;
        shown++;
        g_string_append_printf(out, "  %s:%d: in ", ar.short_src, ar.currentline);
        if (strcmp(ar.what, "main") == 0)
            g_string_append(out, "the main chunk\n");
        else if (ar.name && ar.name[0] != '?')
            g_string_append_printf(out, "function '%s'\n", ar.name);
        else
            g_string_append_printf(out, "the function at line %d\n", ar.linedefined);
    }
    char *clean = clean_text(out->str, out->len);

    g_string_free(out, TRUE);
    return clean;
}

/* Whether text begins with the place of some frame; *place: that of the innermost scenario frame, for g_free.
 */
static bool has_place(lua_State *L, const char *text, char **place)
{
    lua_Debug ar;

    *place = NULL;
    for (int level = 0; level < FRAMES_SEARCHED && lua_getstack(L, level, &ar); level++) {
        lua_getinfo(L, "Sl", &ar);
        if (!is_scenario_frame(&ar))
            continue;
        if (g_str_has_prefix(text, ar.short_src) && text[strlen(ar.short_src)] == ':')
            return true;
        if (!*place)
            *place = g_strdup_printf("%s:%d: ", ar.short_src, ar.currentline);
    }
    return false;
}

/* "attempt to index a nil value (global 'io')" deserves the reason why there is no io. */
static void add_hint(GString *message)
{
    const char *at = strstr(message->str, "(global '");
    const char *end = at ? strstr(at, "')") : NULL;

    if (!end)
        return;
    at += strlen("(global '");
    g_autofree char *name = g_strndup(at, (gsize)(end - at));
    const char *why = sandbox_name_refused(name);

    if (why)
        g_string_append_printf(message, ": scenarios have no '%s': %s", name, why);
}

/* Fills err from the text of an error, with the frames of L as they were when it was raised. */
static void describe(lua_State *L, const char *text, LuaErr *err)
{
    g_autofree char *place = NULL;
    bool placed = has_place(L, text, &place);
    GString *message = g_string_new(placed || !place ? NULL : place);

    g_string_append(message, text);
    add_hint(message);
    luaerr_clear(err);
    err->class = sandbox_of(L)->limit == SANDBOX_LIMIT_NONE ? LUAERR_SCENARIO : LUAERR_LIMIT;
    err->message = g_string_free(message, FALSE);
    err->traceback = compose_traceback(L);
}

/* When no handler ran, or what it saw was not the last word (a limit that the scenario hit while unwinding).
 */
static void settle_class(Sandbox *sb, const char *fallback, LuaErr *err)
{
    if (sb->limit != SANDBOX_LIMIT_NONE &&
        (err->class != LUAERR_LIMIT || !strstr(err->message, sb->limit_text))) {
        const char *place_end = err->message ? strstr(err->message, ": ") : NULL;
        g_autofree char *place =
            place_end ? g_strndup(err->message, (gsize)(place_end + 2 - err->message)) : g_strdup("");

        g_free(err->message);
        err->message = g_strdup_printf("%sthe scenario took %s", place, sb->limit_text);
        err->class = LUAERR_LIMIT;
    } else if (err->class == LUAERR_NONE) {
        err->class = LUAERR_SCENARIO;
        err->message = clean_text(fallback, strlen(fallback));
    }
    if (!err->traceback)
        err->traceback = g_strdup("");
}

static int handler(lua_State *L)
{
    g_autofree char *text = object_text(L, 1);

    describe(L, text, sandbox_of(L)->catching);
    return 1;
}

bool luaerr_call(lua_State *L, int nargs, int nresults, LuaErr *err)
{
    Sandbox *sb = sandbox_of(L);
    int base = lua_gettop(L) - nargs;

    if (!sandbox_enter(sb) || !lua_checkstack(L, LUA_MINSTACK)) {
        lua_settop(L, base - 1);
        settle_class(sb, "stack overflow", err);
        return false;
    }
    LuaErr *outer = sb->catching;

    sb->catching = err;
    lua_pushcfunction(L, handler);
    lua_insert(L, base);
    int status = lua_pcall(L, nargs, nresults, base);

    sb->catching = outer;
    sandbox_note(sb, status);
    lua_remove(L, base);
    sandbox_leave(sb);
    if (status == LUA_OK && sb->limit == SANDBOX_LIMIT_NONE) {
        luaerr_clear(err); /* of an error that the handler saw, but a C function caught */
        return true;
    }
    settle_class(
        sb, status != LUA_OK && lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "unknown error", err);
    lua_settop(L, base - 1);
    return false;
}

bool luaerr_protect(lua_State *L, lua_CFunction fn, void *data, LuaErr *err)
{
    if (!lua_checkstack(L, 2)) {
        settle_class(sandbox_of(L), "stack overflow", err);
        return false;
    }
    lua_pushcfunction(L, fn);
    lua_pushlightuserdata(L, data);
    return luaerr_call(L, 1, 0, err);
}

bool luaerr_load(lua_State *L, const char *text, size_t len, const char *chunkname, LuaErr *err)
{
    Sandbox *sb = sandbox_of(L);

    if (!sandbox_enter(sb)) {
        settle_class(sb, "", err);
        return false;
    }
    /* The first line may be "#!…", as for the stand-alone interpreter; its end stays, so that lines keep
     * their number. */
    if (len > 0 && text[0] == '#') {
        const char *end = memchr(text, '\n', len);

        len = end ? len - (size_t)(end - text) : 0;
        text = end ? end : "";
    }
    int status;

    if (len > 0 && text[0] == LUA_SIGNATURE[0]) {
        lua_pushfstring(L, "%s: this is compiled Lua; expected its source text", chunkname + 1);
        status = LUA_ERRSYNTAX;
    } else {
        status = luaL_loadbufferx(L, text, len, chunkname, "t");
    }

    sandbox_note(sb, status);
    sandbox_leave(sb);
    if (status == LUA_OK && sb->limit == SANDBOX_LIMIT_NONE)
        return true;
    settle_class(sb, lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "unknown error", err);
    lua_pop(L, 1);
    return false;
}

void luaerr_from_thread(lua_State *co, int status, LuaErr *err)
{
    Sandbox *sb = sandbox_of(co);

    sandbox_note(sb, status);
    if (status != LUA_ERRMEM && lua_checkstack(sb->L, LUA_MINSTACK)) {
        /* The text is made on the main thread: the dead one can run nothing. */
        lua_xmove(co, sb->L, 1);
        g_autofree char *text = object_text(sb->L, lua_gettop(sb->L));

        lua_pop(sb->L, 1);
        describe(co, text, err);
    } else {
        lua_pop(co, 1);
    }
    if (!err->traceback)
        err->traceback = compose_traceback(co);
    settle_class(sb, "unknown error", err);
}

void luaerr_where(lua_State *L)
{
    lua_Debug ar;

    for (int level = 0; level < FRAMES_SEARCHED && lua_getstack(L, level, &ar); level++) {
        lua_getinfo(L, "Sl", &ar);
        if (is_scenario_frame(&ar)) {
            lua_pushfstring(L, "%s:%d: ", ar.short_src, ar.currentline);
            return;
        }
    }
    lua_pushliteral(L, "");
}

void luaerr_raise(lua_State *L, const char *format, ...)
{
    va_list args;

    luaL_checkstack(L, LUA_MINSTACK, NULL);
    luaerr_where(L);
    va_start(args, format);
    lua_pushvfstring(L, format, args);
    va_end(args);
    lua_concat(L, 2);
    lua_error(L);
    abort();
}

const char *luaerr_describe(lua_State *L, int idx)
{
    size_t len;
    const char *text;

    idx = lua_absindex(L, idx);
    luaL_checkstack(L, 4, NULL);
    switch (lua_type(L, idx)) {
    case LUA_TSTRING:
        text = lua_tolstring(L, idx, &len);
        if (len <= 60)
            return lua_pushfstring(L, "\"%s\"", text);
        lua_pushlstring(L, text, 57);
        lua_pushfstring(L, "\"%s...\"", lua_tostring(L, -1));
        lua_remove(L, -2);
        return lua_tostring(L, -1);
    case LUA_TNUMBER:
    case LUA_TBOOLEAN:
    case LUA_TNIL:
        return luaL_tolstring(L, idx, NULL);
    case LUA_TNONE:
        return lua_pushliteral(L, "nothing");
    default:
        if (luaL_getmetafield(L, idx, "__name") == LUA_TSTRING) {
            lua_pushfstring(L, "a %s", lua_tostring(L, -1));
            lua_remove(L, -2);
            return lua_tostring(L, -1);
        }
        return lua_pushfstring(L, "a %s", luaL_typename(L, idx));
    }
}

void luaerr_arg(lua_State *L, int idx, const char *name, const char *got, const char *expected)
{
    lua_Debug ar;

    if (!got)
        got = luaerr_describe(L, idx);
    /* As luaL_argerror: who writes host:dev("eth7") gives one argument, not two. */
    if (idx > 1 && lua_getstack(L, 0, &ar) && lua_getinfo(L, "n", &ar) && strcmp(ar.namewhat, "method") == 0)
        idx--;
    if (idx > 0)
        luaerr_raise(L, "bad argument #%d (%s): got %s, expected %s", idx, name, got, expected);
    luaerr_raise(L, "bad %s: got %s, expected %s", name, got, expected);
}

const char *luaerr_push_names(lua_State *L, const char *const *names, size_t n)
{
    luaL_Buffer list;

    luaL_buffinit(L, &list);
    for (size_t i = 0; i < n; i++) {
        luaL_addstring(&list, i ? ", " : "");
        luaL_addstring(&list, names[i]);
    }
    luaL_pushresult(&list);
    return lua_tostring(L, -1);
}
