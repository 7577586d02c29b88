/* hs.qlog { host = client, file = "client.sqlog" }: a wish that whoever writes files fulfils (scenario_qlog),
 * as with captures. */
#include <string.h>

#include "lua/bind/bind.h"

#define SUFFIX ".sqlog" /* what draft-ietf-quic-qlog-main-schema gives to JSON text sequences */

typedef struct QlogOpts {
    const char *file, *role, *level;
    int host;
    int64_t port;
} QlogOpts;

static const LuaOpt qlog_opts[] = {
    {.name = "file", .kind = LUAOPT_STRING, .offset = offsetof(QlogOpts, file), .required = true},
    {.name = "host", .kind = LUAOPT_ANY, .offset = offsetof(QlogOpts, host), .required = true},
    {.name = "role", .kind = LUAOPT_STRING, .offset = offsetof(QlogOpts, role)},
    {.name = "port", .kind = LUAOPT_INT, .offset = offsetof(QlogOpts, port), .min = 1, .max = 65535},
    {.name = "level", .kind = LUAOPT_STRING, .offset = offsetof(QlogOpts, level)},
};
const BindOptions bind_qlog_options = {"hs.qlog", qlog_opts, HS_ARRAY_LEN(qlog_opts)};

static void check_file(lua_State *L, const char *file)
{
    if (*file == '\0' || g_path_is_absolute(file) || strstr(file, "..") || !g_str_has_suffix(file, SUFFIX) ||
        !strcmp(file, SUFFIX))
        luaerr_raise(
            L,
            "bad option \"file\" for hs.qlog: got \"%s\", expected a name inside the output folder that ends "
            "in " SUFFIX,
            file);
}

static void check_new(lua_State *L, const Scenario *s, const char *file)
{
    for (unsigned i = 0; i < s->qlogs->len; i++)
        if (!strcmp(((const QlogFileWish *)s->qlogs->pdata[i])->file, file))
            luaerr_raise(L, "bad option \"file\" for hs.qlog: \"%s\" is asked for twice", file);
}

static void check_word(lua_State *L, const char *option, const char *word, const char *const *words,
                       const char *expected)
{
    if (word && !g_strv_contains(words, word))
        luaerr_raise(L, "bad option \"%s\" for hs.qlog: got \"%s\", expected %s", option, word, expected);
}

static int hs_qlog(lua_State *L)
{
    static const char *const roles[] = {"client", "server", NULL};
    static const char *const levels[] = {"core", "base", "extra", NULL};
    Scenario *s = scenario_of(L);
    QlogOpts o = {0};
    const Node *host;
    QlogFileWish *w;

    luaL_checktype(L, 1, LUA_TTABLE);
    if (s->is_ready)
        luaerr_raise(L, "hs.qlog comes before the first hs.run");
    luaopt_read(L, 1, "hs.qlog", qlog_opts, HS_ARRAY_LEN(qlog_opts), 0, &o);
    check_file(L, o.file);
    check_new(L, s, o.file);
    check_word(L, "role", o.role, roles, "\"client\" or \"server\"");
    check_word(L, "level", o.level, levels, "\"core\", \"base\" or \"extra\"");
    host = bind_check_node(L, o.host, "host");
    w = g_new0(QlogFileWish, 1);
    w->file = g_strdup(o.file);
    w->host = g_strdup(host->name);
    w->role = g_strdup(o.role);
    w->level = g_strdup(o.level);
    w->port = (uint16_t)o.port;
    g_ptr_array_add(s->qlogs, w);
    if (s->config.on_wish)
        s->config.on_wish(s->config.user, s);
    return 0;
}

void bind_qlog_open(lua_State *L)
{
    lua_pushcfunction(L, hs_qlog);
    lua_setfield(L, -2, "qlog");
}
