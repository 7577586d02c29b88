#include "step/cond_record.h"

#include <glib.h>
#include <lauxlib.h>
#include <string.h>

#include "lua/luaprobe.h"
#include "models/wire/ipv4_addr.h"
#include "models/wire/ipv6_addr.h"
#include "models/wire/mac.h"
#include "sim/trace/probe_table.h"

static const char *const own_names[] = {"dst", "node", "node_id", "payload", "point", "probe", "src", "time"};

void steprecordview_set(StepRecordView *v, const ProbeRecord *r)
{
    v->r = r;
    v->is_dissected = false;
}

void steprecordview_clear(StepRecordView *v)
{
    g_clear_pointer(&v->bytes, g_free);
    v->cap = 0;
}

size_t step_record_names(const char **out, size_t max)
{
    size_t n = 0;

    for (unsigned i = 0; i < HS_ARRAY_LEN(own_names) && n < max; i++)
        out[n++] = own_names[i];
    for (unsigned id = WIRE_LAYER_ETH; id < WIRE_N_LAYERS && n < max; id++)
        out[n++] = wire_layer((WireLayerId)id)->name;
    for (const ProbeDesc *const *d = probe_table; *d; d++)
        for (unsigned i = 0; i < (*d)->n_fields && n < max; i++)
            out[n++] = (*d)->field[i].name;
    return n;
}

/* ---- headers ---- */

static void begin_layer(void *user, const WireLayer *layer, size_t off, size_t len, int depth)
{
    StepRecordView *v = user;

    v->depth = depth;
    if (depth)
        return;
    v->is_over[layer->id] = v->has[layer->id]; /* of two headers of a kind the outer one is meant */
    v->has[layer->id] = true;
    if (layer->id == WIRE_LAYER_DATA)
        v->payload += (uint32_t)len;
}

static void field(void *user, const WireLayer *layer, const WireField *f)
{
    StepRecordView *v = user;

    if (v->depth || v->is_over[layer->id] || v->n == STEP_FIELDS_MAX)
        return;
    v->seen[v->n++] =
        (StepSeen){f->name, layer->id, f->kind, f->value, f->bytes ? (uint32_t)(f->bytes - v->bytes) : 0};
}

static void dissect(StepRecordView *v)
{
    const WireSink sink = {.user = v, .no_text = true, .begin_layer = begin_layer, .field = field};
    SinkFrame frame;
    const Packet *pkt = sinkframe_of(&frame, v->r);

    v->is_dissected = true;
    v->n = 0;
    v->payload = 0;
    v->depth = 0;
    memset(v->has, 0, sizeof(v->has));
    memset(v->is_over, 0, sizeof(v->is_over));
    v->len = packet_len(pkt);
    if (v->len > v->cap) {
        v->cap = v->len;
        v->bytes = g_realloc(v->bytes, v->cap);
    }
    packet_copy(pkt, 0, v->bytes, v->len);
    if (wire_link_type_is_known(frame.linktype))
        wire_dissect((WireLinkType)frame.linktype, v->bytes, v->len, &sink);
}

static void push_ip4(lua_State *L, uint32_t addr)
{
    char text[IPV4_ADDR_STR_LEN];

    lua_pushstring(L, ipv4_addr_format(addr, text));
}

static void push_mac(lua_State *L, uint64_t value)
{
    char text[MAC_STR_LEN];

    lua_pushstring(L, mac_format(mac_from_u64(value), text));
}

static void push_seen(lua_State *L, const StepRecordView *v, const StepSeen *f)
{
    char text[IPV6_ADDR_STR_LEN];
    Ipv6Addr addr;

    switch (f->kind) {
    case WIRE_BOOL:
        lua_pushboolean(L, f->value != 0);
        break;
    case WIRE_UINT:
    case WIRE_HEX:
    case WIRE_FLAGS:
        lua_pushinteger(L, (lua_Integer)f->value);
        break;
    case WIRE_MAC:
        push_mac(L, f->value);
        break;
    case WIRE_IP4:
        push_ip4(L, (uint32_t)f->value);
        break;
    case WIRE_IP6:
        memcpy(&addr, v->bytes + f->at, sizeof(addr));
        lua_pushstring(L, ipv6_addr_format(&addr, text));
        break;
    case WIRE_BYTES:
    case WIRE_TEXT:
        lua_pushlstring(L, (const char *)v->bytes + f->at, (size_t)HS_MIN(f->value, v->len - f->at));
        break;
    }
}

/* tcp.flags is a table of its own (tcp.flags.syn), which also stands for the flags one by one (tcp.syn). */
static void push_layer(lua_State *L, const StepRecordView *v, WireLayerId id)
{
    bool has_flags = false;

    lua_newtable(L);
    for (unsigned i = 0; i < v->n; i++) {
        const StepSeen *f = &v->seen[i];

        if (f->layer != id)
            continue;
        if (f->kind == WIRE_FLAGS && !strcmp(f->name, "flags")) {
            has_flags = true;
            continue;
        }
        push_seen(L, v, f);
        lua_setfield(L, -2, f->name);
    }
    if (!has_flags)
        return;
    lua_newtable(L);
    for (unsigned i = 0; i < v->n; i++)
        if (v->seen[i].layer == id && v->seen[i].kind == WIRE_BOOL) {
            push_seen(L, v, &v->seen[i]);
            lua_setfield(L, -2, v->seen[i].name);
        }
    lua_setfield(L, -2, "flags");
}

/* Making a table of each header of each packet would be most of a search's time: one that is made once asks
 * for the fields that are named. The last one of several counts, as in the tables. */
static int look_up(lua_State *L)
{
    const StepRecordView *v = lua_touserdata(L, lua_upvalueindex(1));
    WireLayerId id = (WireLayerId)lua_tointeger(L, lua_upvalueindex(2));
    bool only_flags = lua_toboolean(L, lua_upvalueindex(3));
    const char *name = lua_tostring(L, 2);

    for (unsigned i = v->n; name && i-- > 0;) {
        const StepSeen *f = &v->seen[i];

        if (f->layer != id || strcmp(f->name, name) != 0 || (only_flags && f->kind != WIRE_BOOL))
            continue;
        if (f->kind == WIRE_FLAGS && !strcmp(name, "flags"))
            lua_rawgeti(L, lua_upvalueindex(4), WIRE_N_LAYERS + (lua_Integer)id);
        else
            push_seen(L, v, f);
        return 1;
    }
    return 0;
}

void steprecordview_open(lua_State *L, StepRecordView *v)
{
    lua_newtable(L);
    for (lua_Integer i = 0; i < 2 * WIRE_N_LAYERS; i++) {
        lua_newtable(L);
        lua_newtable(L);
        lua_pushlightuserdata(L, v);
        lua_pushinteger(L, i % WIRE_N_LAYERS);
        lua_pushboolean(L, i >= WIRE_N_LAYERS);
        lua_pushvalue(L, -6);
        lua_pushcclosure(L, look_up, 4);
        lua_setfield(L, -2, "__index");
        lua_setmetatable(L, -2);
        lua_rawseti(L, -2, i);
    }
    v->lookups = luaL_ref(L, LUA_REGISTRYINDEX);
}

static void push_header(lua_State *L, const StepRecordView *v, WireLayerId id)
{
    if (v->wants_tables) {
        push_layer(L, v, id);
        return;
    }
    lua_rawgeti(L, LUA_REGISTRYINDEX, v->lookups);
    lua_rawgeti(L, -1, id);
    lua_remove(L, -2);
}

static const StepSeen *find(const StepRecordView *v, WireLayerId id, const char *name)
{
    for (unsigned i = 0; i < v->n; i++)
        if (v->seen[i].layer == id && !strcmp(v->seen[i].name, name))
            return &v->seen[i];
    return NULL;
}

static void push_host_or_addr(lua_State *L, const Net *net, uint32_t addr)
{
    const char *name = net_name_of(net, addr);

    if (name)
        lua_pushstring(L, name);
    else
        push_ip4(L, addr);
}

/* Records of other layers have a packet too, so that one frame would be met several times. */
static bool has_frame(const StepRecordView *v)
{
    return v->r->pkt && v->r->desc->cls <= PROBE_FRAME_DROP;
}

/* Who sent the packet, or shall get it, by its network header. */
static void push_end(lua_State *L, StepRecordView *v, bool is_dst)
{
    const ProbeDesc *d = v->r->desc;
    const StepSeen *f = NULL;

    for (unsigned i = 0; i < d->n_fields; i++)
        if (d->field[i].kind == PROBE_IP4 && !strcmp(d->field[i].name, is_dst ? "dst" : "src")) {
            push_host_or_addr(L, v->net, (uint32_t)v->r->value[i].u);
            return;
        }
    if (has_frame(v)) {
        if (!v->is_dissected)
            dissect(v);
        f = find(v, WIRE_LAYER_IP, is_dst ? "dst" : "src");
        if (!f)
            f = find(v, WIRE_LAYER_ARP, is_dst ? "tpa" : "spa");
    }
    if (f)
        push_host_or_addr(L, v->net, (uint32_t)f->value);
    else if (has_frame(v) && (f = find(v, WIRE_LAYER_IP6, is_dst ? "dst" : "src")))
        push_seen(L, v, f);
    else
        lua_pushnil(L);
}

static void push_value(lua_State *L, ProbeKind kind, ProbeValue v)
{
    if (luaprobe_push(L, kind, v))
        return;
    if (kind == PROBE_TIME)
        lua_pushnumber(L, (double)v.i / 1e9);
    else if (kind == PROBE_IP4)
        push_ip4(L, (uint32_t)v.u);
    else
        push_mac(L, v.u);
}

void steprecordview_push(lua_State *L, StepRecordView *v, const char *name)
{
    const ProbeRecord *r = v->r;
    const WireLayer *layer;

    if (!r) {
        lua_pushnil(L);
        return;
    }
    if (!strcmp(name, "src") || !strcmp(name, "dst")) {
        push_end(L, v, *name == 'd');
        return;
    }
    for (unsigned i = 0; i < r->desc->n_fields; i++)
        if (!strcmp(r->desc->field[i].name, name)) {
            push_value(L, r->desc->field[i].kind, r->value[i]);
            return;
        }
    if (!strcmp(name, "probe")) {
        lua_pushstring(L, r->desc->name);
    } else if (!strcmp(name, "node")) {
        lua_pushstring(L, r->node->name);
    } else if (!strcmp(name, "node_id")) {
        lua_pushinteger(L, r->node->id);
    } else if (!strcmp(name, "time")) {
        lua_pushnumber(L, (double)r->time / 1e9);
    } else if (!strcmp(name, "point") && r->point) {
        lua_pushstring(L, r->point->name);
    } else if (has_frame(v) && (layer = wire_layer_by_name(name))) {
        if (!v->is_dissected)
            dissect(v);
        if (v->has[layer->id])
            push_header(L, v, layer->id);
        else
            lua_pushnil(L);
    } else if (has_frame(v) && !strcmp(name, "payload")) {
        if (!v->is_dissected)
            dissect(v);
        lua_pushinteger(L, v->payload);
    } else {
        lua_pushnil(L);
    }
}
