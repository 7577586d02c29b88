/* queue = { "droptail", packets = 100 }: a queue discipline and its parameters, by the tables of
 * models/queue. */
#include "lua/bind/bind.h"

#define MAX_PARAMS 16

static const QueueOps *find_ops(lua_State *L, const char *name, const char *who)
{
    const QueueOps *ops = queue_ops_by_name(name);
    const char *known[64];
    size_t n = 0;

    if (ops)
        return ops;
    for (; queue_ops_table[n] && n < HS_ARRAY_LEN(known); n++)
        known[n] = queue_ops_table[n]->name;
    bind_raise_unknown(L, "queue", name, who, known, n);
}

typedef union Field {
    int64_t count;
    uint64_t size;
    SimTime time;
    double ratio;
    bool is_true;
} Field;

static LuaOpt option_for(const QueueParam *param, size_t i)
{
    LuaOpt opt = {.name = param->name, .offset = i * sizeof(Field)};

    switch (param->kind) {
    case QUEUE_PARAM_PACKETS:
        opt.kind = LUAOPT_INT;
        opt.min = 0;
        opt.max = UINT32_MAX;
        break;
    case QUEUE_PARAM_BYTES:
        opt.kind = LUAOPT_SIZE;
        break;
    case QUEUE_PARAM_TIME:
        opt.kind = LUAOPT_TIME;
        break;
    case QUEUE_PARAM_RATIO:
        opt.kind = LUAOPT_RATIO;
        break;
    case QUEUE_PARAM_BOOL:
        opt.kind = LUAOPT_BOOL;
        break;
    }
    return opt;
}

static double field_value(const QueueParam *param, const Field *f)
{
    switch (param->kind) {
    case QUEUE_PARAM_PACKETS:
        return (double)f->count;
    case QUEUE_PARAM_BYTES:
        return (double)f->size;
    case QUEUE_PARAM_TIME:
        return (double)f->time;
    case QUEUE_PARAM_RATIO:
        return f->ratio;
    case QUEUE_PARAM_BOOL:
        return f->is_true;
    }
    return 0;
}

static Queue *make(lua_State *L, const QueueOps *ops, int idx, const char *who)
{
    LuaOpt opts[MAX_PARAMS];
    Field fields[MAX_PARAMS] = {0};
    double values[MAX_PARAMS] = {0};
    bool set[MAX_PARAMS] = {false};
    size_t n = 0;
    char *error = NULL;

    for (; ops->params && ops->params[n].name; n++) {
        hs_assert(n < MAX_PARAMS);
        opts[n] = option_for(&ops->params[n], n);
    }
    if (idx) {
        uint64_t present =
            luaopt_read(L, idx, lua_pushfstring(L, "queue \"%s\" of %s", ops->name, who), opts, n, 1, fields);

        for (size_t i = 0; i < n; i++) {
            set[i] = present >> i & 1;
            values[i] = field_value(&ops->params[i], &fields[i]);
        }
    }
    Queue *q = queue_new(ops, values, set, &error);

    if (!q)
        bind_raise_free(L, error);
    return q;
}

Queue *bind_queue_read(lua_State *L, int idx, const char *who)
{
    idx = lua_absindex(L, idx);
    if (lua_type(L, idx) == LUA_TSTRING)
        return make(L, find_ops(L, lua_tostring(L, idx), who), 0, who);
    if (lua_type(L, idx) == LUA_TNUMBER) {
        lua_createtable(L, 0, 1);
        lua_pushvalue(L, idx);
        lua_setfield(L, -2, "packets");
        return make(L, find_ops(L, "droptail", who), lua_gettop(L), who);
    }
    if (lua_type(L, idx) == LUA_TTABLE) {
        if (lua_rawgeti(L, idx, 1) == LUA_TSTRING)
            return make(L, find_ops(L, lua_tostring(L, -1), who), idx, who);
        if (lua_isnil(L, -1))
            return make(L, find_ops(L, "droptail", who), idx, who);
    }
    luaerr_raise(L,
                 "bad option \"queue\" for %s: got %s, expected a number of packets, or a table such as "
                 "{ \"droptail\", packets = 100 }",
                 who, luaerr_describe(L, idx));
}
