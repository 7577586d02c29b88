#include "step/cond.h"

#include <glib.h>
#include <inttypes.h>
#include <string.h>

#include "lua/luaerr.h"
#include "models/tcp/tcp_conn.h"
#include "models/tcp/tcp_info.h"
#include "sim/base/suggest.h"
#include "step/cond_fields.h"
#include "step/cond_record.h"

#define MEMORY_MAX ((size_t)64 << 20)
#define RECORD_NAMES_MAX 512
#define INSTRUCTIONS_MAX 1000000 /* of one evaluation */

struct StepCond {
    Net *net;
    Sandbox *sb;
    GPtrArray *exprs;
    GHashTable *record_names; /* a set, for look-ups only */
    StepRecordView view;
};

struct StepExpr {
    StepCond *cond;
    int ref;
    bool is_of_record;
};

/* Names that are not of a record, besides Lua's library. */
static const char *const own_globals[] = {"counter", "event", "info", "now"};

/* ---- what expressions can call ---- */

static StepCond *cond_of(lua_State *L)
{
    return lua_touserdata(L, lua_upvalueindex(1));
}

static Host *check_host(lua_State *L, StepCond *c)
{
    const char *name = luaL_checkstring(L, 1);
    Host *h = net_host_by_name(c->net, name);

    if (!h)
        luaL_error(L, "there is no host \"%s\"", name);
    return h;
}

static int fn_counter(lua_State *L)
{
    Host *h = check_host(L, cond_of(L));
    const char *name = luaL_checkstring(L, 2);
    uint64_t value = 0;

    if (!host_counter(h, name, &value))
        return luaL_error(L, "there is no counter \"%s\"; netstat -s lists them", name);
    lua_pushinteger(L, (lua_Integer)value);
    return 1;
}

typedef struct Nth {
    lua_Integer left;
    const TcpConn *conn;
} Nth;

static void take_nth(void *user, const TcpEntry *e)
{
    Nth *n = user;

    if (e->conn && e->state != TCP_LISTEN && n->left > 0 && --n->left == 0)
        n->conn = e->conn;
}

static int fn_info(lua_State *L)
{
    Host *h = check_host(L, cond_of(L));
    Nth nth = {luaL_optinteger(L, 2, 1), NULL};
    TcpInfo info;
    TcpConn *conn;
    SimTime mstamp;

    if (host_has_tcp(h))
        tcp_foreach(host_tcp(h), take_nth, &nth);
    if (!nth.conn)
        return 0;
    /* Asking refreshes the connection's clock; nothing must be left of that. */
    conn = (TcpConn *)nth.conn;
    mstamp = conn->mstamp;
    tcp_get_info(conn, &info);
    conn->mstamp = mstamp;
    lua_newtable(L);
    for (const TcpInfoField *f = tcp_info_fields; f->name; f++) {
        lua_pushinteger(L, (lua_Integer)f->get(&info));
        lua_setfield(L, -2, f->name);
        if (g_str_has_prefix(f->name, "tcpi_")) {
            lua_pushinteger(L, (lua_Integer)f->get(&info));
            lua_setfield(L, -2, f->name + strlen("tcpi_"));
        }
    }
    return 1;
}

/* __index of the table of globals. */
static int fn_global(lua_State *L)
{
    StepCond *c = cond_of(L);
    const char *name = lua_tostring(L, 2);
    const Sim *sim = net_sim(c->net);

    if (!strcmp(name, "now"))
        lua_pushnumber(L, (double)sim_now(sim) / 1e9);
    else if (!strcmp(name, "event"))
        lua_pushinteger(L, (lua_Integer)sim_events(sim));
    else if (g_hash_table_contains(c->record_names, name))
        steprecordview_push(L, &c->view, name);
    else if (lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS) == LUA_TTABLE)
        lua_getfield(L, -1, name);
    return 1;
}

static int make_env(lua_State *L)
{
    StepCond *c = lua_touserdata(L, 1);
    static const luaL_Reg functions[] = {{"counter", fn_counter}, {"info", fn_info}, {NULL, NULL}};

    steprecordview_open(L, &c->view);
    lua_newtable(L);
    lua_pushlightuserdata(L, c);
    luaL_setfuncs(L, functions, 1);
    lua_newtable(L);
    lua_pushlightuserdata(L, c);
    lua_pushcclosure(L, fn_global, 1);
    lua_setfield(L, -2, "__index");
    lua_setmetatable(L, -2);
    lua_setfield(L, LUA_REGISTRYINDEX, "step.env");
    return 0;
}

StepCond *stepcond_new(Net *net)
{
    StepCond *c = g_new0(StepCond, 1);
    const SandboxConfig config = {.memory_max_bytes = MEMORY_MAX,
                                  .event_instructions_max = INSTRUCTIONS_MAX,
                                  .total_instructions_max = UINT64_MAX >> 1};
    const char *names[RECORD_NAMES_MAX];
    size_t n = step_record_names(names, HS_ARRAY_LEN(names));
    char *error = NULL;
    LuaErr err = {0};

    c->record_names = g_hash_table_new(g_str_hash, g_str_equal);
    for (size_t i = 0; i < n; i++)
        g_hash_table_add(c->record_names, (gpointer)names[i]);
    c->net = net;
    c->view.net = net;
    c->exprs = g_ptr_array_new_with_free_func(g_free);
    c->sb = sandbox_new(&config, &error);
    hs_assert(c->sb);
    bool made = luaerr_protect(sandbox_lua(c->sb), make_env, c, &err);

    hs_assert(made);
    return c;
}

void stepcond_free(StepCond *c)
{
    if (!c)
        return;
    g_ptr_array_free(c->exprs, TRUE);
    sandbox_free(c->sb);
    g_hash_table_destroy(c->record_names);
    steprecordview_clear(&c->view);
    g_free(c);
}

bool stepcond_is_spent(const StepCond *c)
{
    return sandbox_limit_hit(c->sb) != SANDBOX_LIMIT_NONE;
}

/* ---- compiling ---- */

static const char *const keywords[] = {"and",      "or",  "not", "nil",  "true",  "false",
                                       "function", "end", "if",  "then", "else",  "return",
                                       "local",    "for", "in",  "do",   "while", "elseif"};

static bool is_in(const char *word, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!strcmp(list[i], word))
            return true;
    return false;
}

/* Every name that stands alone must be known: a mistyped one would be nil, and the condition never hold. */
static char *check_name(StepExpr *e, const char *name)
{
    const char *known[RECORD_NAMES_MAX + HS_ARRAY_LEN(own_globals)];
    const char *closest;
    size_t n;

    if (is_in(name, keywords, HS_ARRAY_LEN(keywords)) ||
        is_in(name, own_globals, HS_ARRAY_LEN(own_globals)) || sandbox_name_allowed(name))
        return NULL;
    if (g_hash_table_contains(e->cond->record_names, name)) {
        e->is_of_record = true;
        return NULL;
    }
    n = step_record_names(known, RECORD_NAMES_MAX);
    for (unsigned i = 0; i < HS_ARRAY_LEN(own_globals); i++)
        known[n++] = own_globals[i];
    closest = suggest_closest(name, known, n);
    return closest ? g_strdup_printf("unknown name \"%s\"; did you mean \"%s\"?", name, closest)
                   : g_strdup_printf("unknown name \"%s\"; 'help expressions' lists what there is", name);
}

/* Where in tcp.flags.syn we are. */
typedef struct Path {
    const WireLayer *header; /* NULL: in no header */
    bool in_flags;
} Path;

/* The next name of a path that began with a header's. */
static char *check_field(Path *path, const char *name)
{
    const Path was = *path;

    *path = (Path){0};
    if (!was.header)
        return NULL;
    if (!was.in_flags && !strcmp(name, "flags"))
        *path = (Path){was.header, true};
    return stepfields_check(was.header->id, name, was.in_flags);
}

/* The names of the expression that are not in quotes; behind a dot, those that are fields of headers. */
static char *check_names(StepExpr *e, const char *text)
{
    Path path = {0};
    char last = 0;

    for (const char *p = text; *p;) {
        if (*p == '"' || *p == '\'') {
            char quote = *p++;

            while (*p && *p != quote)
                p += *p == '\\' && p[1] ? 2 : 1;
            if (*p)
                p++;
            last = quote;
        } else if (g_ascii_isalpha(*p) || *p == '_') {
            size_t len = strspn(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
            g_autofree char *name = g_strndup(p, len);
            char *error = NULL;

            if (last == '.') {
                error = check_field(&path, name);
            } else {
                path = (Path){wire_layer_by_name(name), false};
                error = last == ':' ? NULL : check_name(e, name);
            }
            if (error)
                return error;
            last = 'a';
            p += len;
        } else if (g_ascii_isdigit(*p)) {
            p += strspn(p, "0123456789abcdefABCDEFxX.");
            last = '0';
        } else {
            if (!g_ascii_isspace(*p))
                last = *p == '.' && last == '.' ? 'o' : *p; /* ".." joins texts */
            p++;
        }
    }
    return NULL;
}

typedef struct Compile {
    StepExpr *e;
    const char *chunk;
    char *error;
} Compile;

static int compile(lua_State *L)
{
    Compile *c = lua_touserdata(L, 1);

    if (luaL_loadbufferx(L, c->chunk, strlen(c->chunk), "=condition", "t") != LUA_OK) {
        const char *text = lua_tostring(L, -1);

        c->error = g_strdup(g_str_has_prefix(text, "condition:1: ") ? text + strlen("condition:1: ") : text);
        return 0;
    }
    lua_getfield(L, LUA_REGISTRYINDEX, "step.env");
    lua_setupvalue(L, -2, 1);
    c->e->ref = luaL_ref(L, LUA_REGISTRYINDEX);
    return 0;
}

static char *tell(LuaErr *err)
{
    char *text = g_strdup(err->message);

    luaerr_clear(err);
    return text;
}

StepExpr *stepcond_compile(StepCond *c, const char *text, char **error)
{
    g_autofree char *chunk = g_strdup_printf("return %s", text);
    StepExpr *e = g_new0(StepExpr, 1);
    Compile job = {e, chunk, NULL};
    LuaErr err = {0};

    e->cond = c;
    e->ref = LUA_NOREF;
    job.error = check_names(e, text);
    if (!job.error && !luaerr_protect(sandbox_lua(c->sb), compile, &job, &err))
        job.error = tell(&err);
    if (job.error) {
        *error = job.error;
        g_free(e);
        return NULL;
    }
    g_ptr_array_add(c->exprs, e);
    return e;
}

void stepcond_forget(StepExpr *e)
{
    if (!e)
        return;
    luaL_unref(sandbox_lua(e->cond->sb), LUA_REGISTRYINDEX, e->ref);
    g_ptr_array_remove_fast(e->cond->exprs, e);
}

bool stepexpr_is_of_record(const StepExpr *e)
{
    return e->is_of_record;
}

/* ---- asking ---- */

typedef struct Ask {
    StepExpr *e;
    bool wants_text, holds;
    char *text;
} Ask;

static int compare_lines(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* A table shows what is in it, in a fixed order. */
static void append_value(lua_State *L, int idx, GString *out, int depth)
{
    GPtrArray *lines;

    if (lua_type(L, idx) != LUA_TTABLE || depth > 1) {
        size_t len;
        const char *text = sandbox_tolstring(L, idx, &len);

        g_string_append_len(out, text, (gssize)len);
        lua_pop(L, 1);
        return;
    }
    lines = g_ptr_array_new_with_free_func(g_free);
    lua_pushnil(L);
    while (lua_next(L, idx)) {
        GString *line = g_string_new(NULL);

        lua_pushvalue(L, -2);
        append_value(L, lua_gettop(L), line, 2);
        lua_pop(L, 1);
        g_string_append(line, " = ");
        append_value(L, lua_gettop(L), line, depth + 1);
        g_ptr_array_add(lines, g_string_free(line, FALSE));
        lua_pop(L, 1);
    }
    g_ptr_array_sort(lines, compare_lines);
    g_string_append_c(out, '{');
    for (unsigned i = 0; i < lines->len; i++)
        g_string_append_printf(out, "%s%s", i ? ", " : " ", (const char *)lines->pdata[i]);
    g_string_append(out, lines->len ? " }" : "}");
    g_ptr_array_free(lines, TRUE);
}

static int ask(lua_State *L)
{
    Ask *a = lua_touserdata(L, 1);

    lua_rawgeti(L, LUA_REGISTRYINDEX, a->e->ref);
    lua_call(L, 0, 1);
    a->holds = lua_toboolean(L, -1);
    if (a->wants_text) {
        GString *out = g_string_new(NULL);

        append_value(L, lua_gettop(L), out, 0);
        a->text = g_string_free(out, FALSE);
    }
    return 0;
}

/* nil was taken for a table or a number: the record does not have what the expression is about. */
static bool is_missing(const char *message)
{
    return strstr(message, "a nil value") || strstr(message, "with nil") || strstr(message, "nil with");
}

static bool evaluate(Ask *a, const ProbeRecord *r, char **error)
{
    StepCond *c = a->e->cond;
    LuaErr err = {0};

    steprecordview_set(&c->view, r);
    c->view.wants_tables = a->wants_text;
    if (luaerr_protect(sandbox_lua(c->sb), ask, a, &err))
        return true;
    if (stepcond_is_spent(c)) {
        if (!*error)
            *error = g_strdup("the expression takes too many instructions or too much memory");
    } else if (!*error && (a->wants_text || !is_missing(err.message))) {
        *error = tell(&err);
    }
    luaerr_clear(&err);
    return false;
}

bool stepcond_holds(StepExpr *e, const ProbeRecord *r, char **error)
{
    Ask a = {.e = e};

    return evaluate(&a, r, error) && a.holds;
}

char *stepcond_text(StepExpr *e, const ProbeRecord *r, char **error)
{
    Ask a = {.e = e, .wants_text = true};

    return evaluate(&a, r, error) ? a.text : NULL;
}
