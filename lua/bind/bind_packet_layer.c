/* One header of a frame: p.ip, p.tcp, whose fields are found by name. */
#include <string.h>

#include "lua/bind/bind_packet.h"
#include "models/wire/ipv6_addr.h"
#include "models/wire/tcp.h"
#include "sim/base/suggest.h"

static void push_field(lua_State *L, const Dissection *d, const PacketField *f)
{
    char text[IPV6_ADDR_STR_LEN];
    Ipv6Addr addr;

    switch ((WireKind)f->kind) {
    case WIRE_BOOL:
        lua_pushboolean(L, f->value != 0);
        break;
    case WIRE_UINT:
    case WIRE_HEX:
    case WIRE_FLAGS:
        lua_pushinteger(L, (lua_Integer)f->value);
        break;
    case WIRE_MAC:
        bind_push_mac(L, mac_from_u64(f->value));
        break;
    case WIRE_IP4:
        bind_push_ip4(L, (uint32_t)f->value);
        break;
    case WIRE_IP6:
        memcpy(&addr, d->bytes + f->at, sizeof addr);
        lua_pushstring(L, ipv6_addr_format(&addr, text));
        break;
    case WIRE_BYTES:
    case WIRE_TEXT:
        lua_pushlstring(L, (const char *)d->bytes + f->at, (size_t)HS_MIN(f->value, d->len - f->at));
        break;
    }
}

typedef struct LayerView {
    PacketView *v;
    unsigned index;
} LayerView;

static const LayerView *check_layer(lua_State *L, int idx)
{
    const LayerView *lv = lua_touserdata(L, idx);

    bind_packet_check_alive(L, lv->v);
    return lv;
}

_Noreturn void bind_packet_unknown_field(lua_State *L, const Dissection *d, const PacketLayer *layer,
                                         const char *name)
{
    const char *known[PACKET_MAX_FIELDS] = {NULL};
    size_t n = 0;

    for (unsigned i = 0; i < layer->n; i++)
        known[n++] = d->field[layer->first + i].name;
    const char *close = suggest_closest(name, known, n);

    if (close)
        luaerr_raise(L, "%s has no field \"%s\" (did you mean \"%s\"?)", layer->type->name, name, close);
    luaerr_raise(L, "%s has no field \"%s\": it has %s", layer->type->name, name,
                 luaerr_push_names(L, known, n));
}

/* What p.tcp says beside its header's fields; false: no such name. */
static bool push_tcp_fact(lua_State *L, PacketView *v, const char *name)
{
    const TcpSeenFacts *t = &v->facts.tcp;

    if (strcmp(name, "retransmission") == 0 && t->is_known)
        lua_pushboolean(L, t->is_retransmission);
    else if (strcmp(name, "data_nth") == 0 && t->data_nth)
        lua_pushinteger(L, (lua_Integer)t->data_nth);
    else if (strcmp(name, "transmission") == 0 && t->transmission)
        lua_pushinteger(L, t->transmission);
    else if (tcp_field_is_optional(name) || strcmp(name, "retransmission") == 0 ||
             strcmp(name, "data_nth") == 0 || strcmp(name, "transmission") == 0)
        lua_pushnil(L);
    else
        return false;
    return true;
}

static int layer_index(lua_State *L)
{
    const LayerView *lv = check_layer(L, 1);
    const char *name = luaL_checkstring(L, 2);
    const Dissection *d = bind_packet_dissect(lv->v);
    const PacketLayer *layer = &d->layer[lv->index];
    bool is_tcp = layer->type->id == WIRE_LAYER_TCP && layer->depth == 0;
    const PacketField *f =
        bind_packet_find_field(d, layer, is_tcp && strcmp(name, "len") == 0 ? "data_len" : name);

    if (!f && is_tcp && push_tcp_fact(L, lv->v, name))
        return 1;
    if (!f)
        bind_packet_unknown_field(L, d, layer, name);
    push_field(L, d, f);
    return 1;
}

static int layer_newindex(lua_State *L)
{
    const LayerView *lv = check_layer(L, 1);

    bind_packet_set_field(L, lv->v, lv->index, luaL_checkstring(L, 2), 3);
    return 0;
}

static int layer_tostring(lua_State *L)
{
    const LayerView *lv = check_layer(L, 1);

    lua_pushstring(L, bind_packet_dissect(lv->v)->layer[lv->index].type->title);
    return 1;
}

static const char key_layer_meta;

void bind_packet_push_layer(lua_State *L, PacketView *v, int index)
{
    static const luaL_Reg meta[] = {{"__index", layer_index},
                                    {"__newindex", layer_newindex},
                                    {"__tostring", layer_tostring},
                                    {NULL, NULL}};

    if (index < 0) {
        lua_pushnil(L);
        return;
    }
    LayerView *lv = lua_newuserdatauv(L, sizeof *lv, 1);

    *lv = (LayerView){v, (unsigned)index};
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 1);
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &key_layer_meta) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_createtable(L, 0, 4);
        luaL_setfuncs(L, meta, 0);
        bind_set_flag(L, "__metatable", 0);
        lua_pushvalue(L, -1);
        lua_rawsetp(L, LUA_REGISTRYINDEX, &key_layer_meta);
    }
    lua_setmetatable(L, -2);
}
