/* impair = { { "bernoulli", p = 0.01 }, … } and the short forms (loss = 0.01), by the tables of
 * models/link/impair. */
#include "lua/bind/bind.h"

#define MAX_PARAMS 16

void bind_impair_free_chain(Impair *chain)
{
    while (chain) {
        Impair *next = chain->next;

        impair_free(chain);
        chain = next;
    }
}

static const ImpairOps *find_ops(lua_State *L, const char *name, const char *who)
{
    const ImpairOps *ops = impair_ops_by_name(name);
    const char *known[64];
    size_t n = 0;

    if (ops)
        return ops;
    for (; impair_ops_table[n] && n < HS_ARRAY_LEN(known); n++)
        known[n] = impair_ops_table[n]->name;
    bind_raise_unknown(L, "impairment", name, who, known, n);
}

typedef union Field {
    double ratio;
    SimTime time;
    int64_t count;
    bool is_true;
    int idx;
} Field;

static LuaOpt option_for(const ImpairParam *param, size_t i)
{
    LuaOpt opt = {.name = param->name, .offset = i * sizeof(Field)};

    switch (param->kind) {
    case IMPAIR_RATIO:
        opt.kind = LUAOPT_RATIO;
        break;
    case IMPAIR_TIME:
        opt.kind = LUAOPT_TIME;
        break;
    case IMPAIR_COUNT:
        opt.kind = LUAOPT_INT;
        opt.max = (double)(INT64_C(1) << 53);
        break;
    case IMPAIR_BOOL:
        opt.kind = LUAOPT_BOOL;
        break;
    case IMPAIR_LIST:
        opt.kind = LUAOPT_TABLE;
        break;
    }
    return opt;
}

/* The list lives in Lua memory on the stack. */
static void read_list(lua_State *L, int idx, const char *who, const char *name, ImpairValue *v)
{
    size_t n = lua_rawlen(L, idx);
    uint64_t *list = lua_newuserdatauv(L, (n + 1) * sizeof *list, 0);
    int is_int;

    for (size_t i = 0; i < n; i++) {
        lua_rawgeti(L, idx, (lua_Integer)i + 1);
        lua_Integer x = lua_tointegerx(L, -1, &is_int);

        if (!is_int || x < 1 || (i > 0 && (uint64_t)x <= list[i - 1]))
            luaerr_raise(L, "bad option \"%s\" for %s: got %s, expected ascending whole numbers from 1", name,
                         who, luaerr_describe(L, -1));
        list[i] = (uint64_t)x;
        lua_pop(L, 1);
    }
    v->list = list;
    v->list_len = n;
}

static void append(Impair **chain, Impair *im)
{
    while (*chain)
        chain = &(*chain)->next;
    *chain = im;
}

/* The table at idx has its name at [1]. */
static void read_one(lua_State *L, int idx, const char *name, const char *who, Impair **chain)
{
    const ImpairOps *ops = find_ops(L, name, who);
    LuaOpt opts[MAX_PARAMS];
    Field fields[MAX_PARAMS] = {0};
    ImpairValue values[MAX_PARAMS] = {0};
    size_t n = 0;
    char *error = NULL;

    for (; ops->params && ops->params[n].name; n++) {
        hs_assert(n < MAX_PARAMS);
        opts[n] = option_for(&ops->params[n], n);
    }
    const char *full = lua_pushfstring(L, "impairment \"%s\" of %s", ops->name, who);
    uint64_t present = luaopt_read(L, idx, full, opts, n, 1, fields);

    for (size_t i = 0; i < n; i++) {
        ImpairValue *v = &values[i];

        v->set = present >> i & 1;
        if (!v->set)
            continue;
        if (ops->params[i].kind == IMPAIR_RATIO)
            v->ratio = fields[i].ratio;
        else if (ops->params[i].kind == IMPAIR_BOOL)
            v->ratio = fields[i].is_true;
        else if (ops->params[i].kind == IMPAIR_LIST)
            read_list(L, fields[i].idx, full, opts[i].name, v);
        else
            v->number = ops->params[i].kind == IMPAIR_TIME ? fields[i].time : fields[i].count;
    }
    Impair *im = impair_new(ops, values, &error);

    if (!im)
        bind_raise_free(L, error);
    append(chain, im);
}

void bind_impair_read(lua_State *L, int idx, const char *who, Impair **chain)
{
    idx = lua_absindex(L, idx);
    int top = lua_gettop(L);
    lua_Integer n = (lua_Integer)lua_rawlen(L, idx);

    for (lua_Integer i = 1; i <= n; i++) {
        lua_rawgeti(L, idx, i);
        int one = lua_gettop(L);

        if (lua_type(L, one) == LUA_TSTRING) {
            lua_createtable(L, 0, 0);
            read_one(L, lua_gettop(L), lua_tostring(L, one), who, chain);
        } else if (lua_type(L, one) == LUA_TTABLE && lua_rawgeti(L, one, 1) == LUA_TSTRING) {
            read_one(L, one, lua_tostring(L, -1), who, chain);
        } else {
            luaerr_raise(L,
                         "bad option \"impair\" for %s: element %I is %s, expected a table such as { "
                         "\"bernoulli\", p = 0.01 }",
                         who, i, luaerr_describe(L, one));
        }
        lua_settop(L, top);
    }
}

/* A number for the kind's first parameter of that sort, or its whole table. */
void bind_impair_short(lua_State *L, int idx, const char *who, const char *kind, Impair **chain)
{
    const ImpairOps *ops;
    int top = lua_gettop(L);

    idx = lua_absindex(L, idx);
    if (lua_type(L, idx) == LUA_TTABLE && lua_rawlen(L, idx) > 0 && g_str_equal(kind, "bernoulli"))
        kind = "list"; /* loss = { 3, 7 } */
    ops = find_ops(L, kind, who);
    if (lua_type(L, idx) == LUA_TTABLE && !g_str_equal(kind, "list")) {
        read_one(L, idx, kind, who, chain);
    } else {
        lua_createtable(L, 0, 1);
        lua_pushvalue(L, idx);
        lua_setfield(L, -2, ops->params[0].name);
        read_one(L, lua_gettop(L), kind, who, chain);
    }
    lua_settop(L, top);
}
