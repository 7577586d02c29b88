/* A frame as rules and observers see it: p.ip.ttl, p.tcp.syn, p.len, p:summary().
 *
 * A view costs almost nothing until somebody asks for a header: then the true bytes are copied and dissected
 * once (models/wire), and every field is found by name in that list. The view of a rule or observer is good
 * during the call only; p:keep() gives one that lasts.
 *
 *   PacketView ── Dissection (pooled by the Scenario): bytes, layers, fields
 *        ↑
 *   LayerView (p.ip): keeps its PacketView by a user value
 *
 * Changing a field changes the copy of the bytes; checksums that were right before are made right again at
 * the end. */
#include <string.h>

#include "lua/bind/bind.h"
#include "models/wire/dissect.h"
#include "models/wire/eth.h"
#include "models/wire/ipv6_addr.h"
#include "models/wire/tcp.h"
#include "models/wire/udp.h"
#include "sim/base/suggest.h"
#include "sim/packet/checksum.h"

#define MAX_FIELDS 192
#define MAX_LAYERS 24
#define LINKTYPE_PPP 9 /* what captures of serial lines say; the codecs know its framed form */

typedef struct Field {
    const char *name;
    uint64_t value;
    uint32_t bit_off, bit_len;
    uint32_t at; /* bytes: where in the frame */
    uint8_t kind;
} Field;

typedef struct Layer {
    const WireLayer *type;
    uint32_t off, len;
    uint16_t first, n;
    uint8_t depth;
} Layer;

typedef struct Dissection {
    struct Dissection *next; /* in the pool */
    uint8_t *bytes;
    uint32_t len, cap;
    unsigned n_fields, n_layers;
    bool is_malformed;
    Layer layer[MAX_LAYERS];
    Field field[MAX_FIELDS];
} Dissection;

struct PacketView {
    Scenario *s;
    const Packet *pkt; /* NULL: the call is over */
    bool is_kept;      /* pkt is our reference */
    bool is_altered, keep_sums;
    bool in_call, is_orphan; /* the rule or observer runs; Lua has collected its value meanwhile */
    PacketFacts facts;
    Dissection *d;
};

/* ---- dissecting ---- */

static Dissection *dissection_new(Scenario *s)
{
    Dissection *d = s->free_dissections;

    if (d)
        s->free_dissections = d->next;
    else
        d = g_new0(Dissection, 1);
    d->n_fields = d->n_layers = 0;
    d->is_malformed = false;
    return d;
}

static void dissection_free(Scenario *s, Dissection *d)
{
    if (!d)
        return;
    d->next = s->free_dissections;
    s->free_dissections = d;
}

void bind_packets_free(Scenario *s)
{
    if (s->buffers)
        g_hash_table_destroy(s->buffers);
    while (s->free_dissections) {
        Dissection *d = s->free_dissections;

        s->free_dissections = d->next;
        g_free(d->bytes);
        g_free(d);
    }
}

static void on_layer(void *user, const WireLayer *layer, size_t off, size_t len, int depth)
{
    Dissection *d = user;

    if (d->n_layers < MAX_LAYERS)
        d->layer[d->n_layers++] = (Layer){.type = layer,
                                          .off = (uint32_t)off,
                                          .len = (uint32_t)len,
                                          .first = (uint16_t)d->n_fields,
                                          .depth = (uint8_t)HS_MIN(depth, 255)};
}

static void on_field(void *user, const WireLayer *layer, const WireField *f)
{
    Dissection *d = user;

    if (d->n_fields == MAX_FIELDS || d->n_layers == 0 || d->layer[d->n_layers - 1].type != layer)
        return;
    d->field[d->n_fields++] = (Field){.name = f->name,
                                      .value = f->value,
                                      .bit_off = f->bit_off,
                                      .bit_len = f->bit_len,
                                      .at = f->bytes ? (uint32_t)(f->bytes - d->bytes) : 0,
                                      .kind = (uint8_t)f->kind};
    d->layer[d->n_layers - 1].n++;
}

static void on_malformed(void *user, const WireLayer *layer, size_t off, WireError err, const char *why)
{
    ((Dissection *)user)->is_malformed = true;
}

static void dissect_bytes(Dissection *d, uint16_t linktype)
{
    const WireSink sink = {
        .user = d, .no_text = true, .begin_layer = on_layer, .field = on_field, .malformed = on_malformed};

    d->n_fields = d->n_layers = 0;
    wire_dissect((WireLinkType)linktype, d->bytes, d->len, &sink);
}

static Dissection *dissection_of(PacketView *v)
{
    Dissection *d = v->d;

    if (d)
        return d;
    d = v->d = dissection_new(v->s);
    d->len = packet_len(v->pkt);
    if (d->cap < d->len) {
        d->cap = HS_MAX(d->len, 2048);
        d->bytes = g_realloc(d->bytes, d->cap);
    }
    packet_copy(v->pkt, 0, d->bytes, d->len);
    dissect_bytes(d, v->facts.linktype);
    return d;
}

/* The first layer of that type outside (depth 0) or inside (depth 1) an ICMP error. */
static int find_layer(const Dissection *d, WireLayerId id, unsigned depth)
{
    for (unsigned i = 0; i < d->n_layers; i++)
        if (d->layer[i].type->id == id && d->layer[i].depth == depth)
            return (int)i;
    return -1;
}

static const Field *find_field(const Dissection *d, const Layer *layer, const char *name)
{
    for (unsigned i = layer->first; i < layer->first + layer->n; i++)
        if (strcmp(d->field[i].name, name) == 0)
            return &d->field[i];
    return NULL;
}

static void push_field(lua_State *L, const Dissection *d, const Field *f)
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

/* ---- life ---- */

static void release_view(PacketView *v)
{
    dissection_free(v->s, v->d);
    v->d = NULL;
    if (v->is_kept)
        packet_unref((Packet *)v->pkt);
    v->is_kept = false;
    v->pkt = NULL;
}

static void release(void *ptr)
{
    PacketView *v = ptr;

    if (v->in_call) {
        v->is_orphan = true;
        return;
    }
    release_view(v);
    g_free(v);
}

PacketView *bind_packet_push(lua_State *L, const Packet *pkt, const PacketFacts *facts)
{
    PacketView *v = g_new0(PacketView, 1);

    *v = (PacketView){.s = scenario_of(L), .pkt = pkt, .facts = *facts, .in_call = true};
    if (facts->linktype == LINKTYPE_PPP)
        v->facts.linktype = WIRE_LINK_PPP;
    luaclass_push_owned(L, &bind_packet_class, v);
    return v;
}

void bind_packet_done(PacketView *v)
{
    release_view(v);
    v->in_call = false;
    if (v->is_orphan)
        g_free(v);
}

static PacketView *check_view(lua_State *L, int idx)
{
    PacketView *v = luaclass_check(L, idx, &bind_packet_class);

    if (!v->pkt)
        luaerr_raise(L,
                     "this packet was used after its rule or observer had returned: keep it with p:keep()");
    return v;
}

/* ---- layers ---- */

typedef struct LayerView {
    PacketView *v;
    unsigned index;
} LayerView;

static const LayerView *check_layer(lua_State *L, int idx)
{
    const LayerView *lv = lua_touserdata(L, idx);

    if (!lv->v->pkt)
        luaerr_raise(L,
                     "this packet was used after its rule or observer had returned: keep it with p:keep()");
    return lv;
}

_Noreturn static void unknown_field(lua_State *L, const Dissection *d, const Layer *layer, const char *name)
{
    const char *known[MAX_FIELDS] = {NULL};
    size_t n = 0;

    for (unsigned i = 0; i < layer->n; i++)
        known[n++] = d->field[layer->first + i].name;
    const char *close = suggest_closest(name, known, n);
    luaL_Buffer list;

    if (close)
        luaerr_raise(L, "%s has no field \"%s\" (did you mean \"%s\"?)", layer->type->name, name, close);
    luaL_buffinit(L, &list);
    for (size_t i = 0; i < n; i++) {
        luaL_addstring(&list, i ? ", " : "");
        luaL_addstring(&list, known[i]);
    }
    luaL_pushresult(&list);
    luaerr_raise(L, "%s has no field \"%s\": it has %s", layer->type->name, name, lua_tostring(L, -1));
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
    const Dissection *d = dissection_of(lv->v);
    const Layer *layer = &d->layer[lv->index];
    bool is_tcp = layer->type->id == WIRE_LAYER_TCP && layer->depth == 0;
    const Field *f = find_field(d, layer, is_tcp && strcmp(name, "len") == 0 ? "data_len" : name);

    if (!f && is_tcp && push_tcp_fact(L, lv->v, name))
        return 1;
    if (!f)
        unknown_field(L, d, layer, name);
    push_field(L, d, f);
    return 1;
}

static int layer_newindex(lua_State *L);

static int layer_tostring(lua_State *L)
{
    const LayerView *lv = check_layer(L, 1);

    lua_pushstring(L, dissection_of(lv->v)->layer[lv->index].type->title);
    return 1;
}

static const char key_layer_meta;

static void push_layer(lua_State *L, PacketView *v, int index)
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
        lua_pushboolean(L, 0);
        lua_setfield(L, -2, "__metatable");
        lua_pushvalue(L, -1);
        lua_rawsetp(L, LUA_REGISTRYINDEX, &key_layer_meta);
    }
    lua_setmetatable(L, -2);
}

#define LAYER(stem, ID)                                                                                      \
    static int get_##stem(lua_State *L)                                                                      \
    {                                                                                                        \
        PacketView *v = check_view(L, 1);                                                                    \
                                                                                                             \
        push_layer(L, v, find_layer(dissection_of(v), WIRE_LAYER_##ID, 0));                                  \
        return 1;                                                                                            \
    }
LAYER(arp, ARP)
LAYER(bpdu, BPDU)
LAYER(data, DATA)
LAYER(eth, ETH)
LAYER(icmp, ICMP)
LAYER(igmp, IGMP)
LAYER(ip, IP)
LAYER(ip6, IP6)
LAYER(llc, LLC)
LAYER(padding, PADDING)
LAYER(ppp, PPP)
LAYER(tcp, TCP)
LAYER(tftp, TFTP)
LAYER(udp, UDP)
LAYER(vlan, VLAN)

/* What an ICMP error quotes: a table of its layers, or nil. */
static int get_quoted(lua_State *L)
{
    PacketView *v = check_view(L, 1);
    const Dissection *d = dissection_of(v);
    bool is_any = false;

    lua_createtable(L, 0, 2);
    for (unsigned i = 0; i < d->n_layers; i++) {
        if (d->layer[i].depth != 1)
            continue;
        push_layer(L, v, (int)i);
        lua_setfield(L, -2, d->layer[i].type->name);
        is_any = true;
    }
    if (!is_any)
        lua_pushnil(L);
    return 1;
}

/* ---- facts ---- */

static int get_len(lua_State *L)
{
    const PacketView *v = check_view(L, 1);

    lua_pushinteger(L, v->d ? v->d->len : packet_len(v->pkt));
    return 1;
}

static int get_nth(lua_State *L)
{
    const PacketView *v = check_view(L, 1);

    if (v->facts.nth)
        lua_pushinteger(L, (lua_Integer)v->facts.nth);
    else
        lua_pushnil(L);
    return 1;
}

static int get_time(lua_State *L)
{
    bind_push_time(L, check_view(L, 1)->facts.time);
    return 1;
}

static int get_from(lua_State *L)
{
    lua_pushstring(L, check_view(L, 1)->facts.from);
    return 1;
}

static int get_to(lua_State *L)
{
    lua_pushstring(L, check_view(L, 1)->facts.to);
    return 1;
}

static int get_malformed(lua_State *L)
{
    lua_pushboolean(L, dissection_of(check_view(L, 1))->is_malformed);
    return 1;
}

/* Which buffer the packet lives in: numbered as scenarios meet them. */
static int get_buffer(lua_State *L)
{
    const PacketView *v = check_view(L, 1);
    GHashTable *known = v->s->buffers;

    if (!known)
        known = v->s->buffers = g_hash_table_new(NULL, NULL);
    if (!g_hash_table_contains(known, v->pkt))
        g_hash_table_insert(known, (gpointer)v->pkt, GUINT_TO_POINTER(g_hash_table_size(known) + 1));
    lua_pushinteger(L, GPOINTER_TO_UINT(g_hash_table_lookup(known, v->pkt)));
    return 1;
}

/* Where in its buffer the packet begins, as seen by the layer that has it now. */
static int get_offset(lua_State *L)
{
    lua_pushinteger(L, check_view(L, 1)->pkt->head);
    return 1;
}

/* Where and when it was born: the same for a packet at every hop. */
static int get_id(lua_State *L)
{
    const PacketView *v = check_view(L, 1);

    lua_pushfstring(L, "%I:%I", (LUAI_UACINT)v->pkt->birth_node, (LUAI_UACINT)v->pkt->birth_id);
    return 1;
}

/* ---- methods ---- */

static int packet_summary(lua_State *L)
{
    PacketView *v = check_view(L, 1);
    const Dissection *d = dissection_of(v);
    char text[256];

    lua_pushstring(L, dissect_summary(text, sizeof text, (WireLinkType)v->facts.linktype, d->bytes, d->len));
    return 1;
}

static int packet_bytes(lua_State *L)
{
    const Dissection *d = dissection_of(check_view(L, 1));

    lua_pushlstring(L, (const char *)d->bytes, d->len);
    return 1;
}

/* The check sequence that follows the frame, in order of transmission, and whether it fits the frame: of a
 * frame that was damaged on its way it does not. nil: not Ethernet. */
static int packet_method_fcs(lua_State *L)
{
    PacketView *v = check_view(L, 1);
    const Dissection *d = dissection_of(v);
    uint32_t fits = checksum_crc32(0, d->bytes, d->len), fcs = fits;
    uint8_t bytes[ETH_FCS_LEN];

    if (v->facts.linktype != WIRE_LINK_ETHERNET)
        return 0;
    if (v->pkt->flags & PKT_HAS_FCS && !v->is_altered)
        fcs = v->pkt->fcs;
    wire_put32le(bytes, fcs);
    lua_pushlstring(L, (const char *)bytes, sizeof bytes);
    lua_pushboolean(L, fcs == fits);
    return 2;
}

static int packet_keep(lua_State *L)
{
    PacketView *v = check_view(L, 1);
    /* A copy, not a reference: inside a host the packet's owner goes on changing it (TTL, head). */
    PacketView *copy = bind_packet_push(L, packet_clone(v->pkt), &v->facts);

    copy->is_kept = true;
    copy->in_call = false;
    return 1;
}

static int packet_layers(lua_State *L)
{
    const Dissection *d = dissection_of(check_view(L, 1));
    int n = 0;

    lua_createtable(L, (int)d->n_layers, 0);
    for (unsigned i = 0; i < d->n_layers; i++) {
        if (d->layer[i].depth != 0)
            continue;
        lua_pushstring(L, d->layer[i].type->name);
        lua_rawseti(L, -2, ++n);
    }
    return 1;
}

typedef struct Telling {
    lua_State *L;
    int n;
} Telling;

static void tell_field(void *user, const WireLayer *layer, const WireField *f)
{
    Telling *t = user;
    lua_State *L = t->L;

    lua_createtable(L, 0, 5);
    lua_pushstring(L, layer->name);
    lua_setfield(L, -2, "layer");
    lua_pushstring(L, f->name);
    lua_setfield(L, -2, "name");
    lua_pushstring(L, f->label);
    lua_setfield(L, -2, "label");
    lua_pushstring(L, f->text);
    lua_setfield(L, -2, "text");
    lua_pushstring(L, f->note);
    lua_setfield(L, -2, "note");
    lua_rawseti(L, -2, ++t->n);
}

/* Every field with what it means, for people. */
static int packet_fields(lua_State *L)
{
    PacketView *v = check_view(L, 1);
    const Dissection *d = dissection_of(v);
    Telling t = {L, 0};
    const WireSink sink = {.user = &t, .field = tell_field};

    lua_createtable(L, 32, 0);
    luaL_checkstack(L, 8, NULL);
    wire_dissect((WireLinkType)v->facts.linktype, d->bytes, d->len, &sink);
    return 1;
}

/* ---- changing ---- */

static void put_bits(uint8_t *p, uint32_t bit_off, uint32_t bit_len, uint64_t value)
{
    for (uint32_t i = 0; i < bit_len; i++) {
        uint32_t at = bit_off + i;
        uint8_t mask = (uint8_t)(0x80 >> (at & 7));

        if (value >> (bit_len - 1 - i) & 1)
            p[at >> 3] |= mask;
        else
            p[at >> 3] = (uint8_t)(p[at >> 3] & ~mask);
    }
}

static uint64_t value_for(lua_State *L, int idx, const Field *f, const char *name)
{
    int is_int = 0;
    lua_Integer n;

    switch ((WireKind)f->kind) {
    case WIRE_MAC:
        return mac_to_u64(bind_check_mac(L, idx, name));
    case WIRE_IP4:
        return bind_check_addr(L, idx, name, NULL);
    case WIRE_BOOL:
        if (lua_isboolean(L, idx))
            return (uint64_t)lua_toboolean(L, idx);
        break;
    default:
        break;
    }
    n = lua_type(L, idx) == LUA_TNUMBER ? lua_tointegerx(L, idx, &is_int) : 0;
    if (!is_int || n < 0 || (f->bit_len < 63 && n >> f->bit_len != 0))
        luaerr_raise(L, "bad value for %s: got %s, expected a whole number of %d bits", name,
                     luaerr_describe(L, idx), (int)f->bit_len);
    return (uint64_t)n;
}

static void set_field(lua_State *L, PacketView *v, unsigned index, const char *name, int value_idx)
{
    Dissection *d = dissection_of(v);
    const Layer *layer = &d->layer[index];
    const Field *f = find_field(d, layer, name);

    if (!f)
        unknown_field(L, d, layer, name);
    if (f->bit_len == 0)
        luaerr_raise(L, "%s.%s is derived from other fields: it cannot be set", layer->type->name, name);
    if (f->kind == WIRE_BYTES || f->kind == WIRE_TEXT || f->kind == WIRE_IP6) {
        size_t len;
        const char *bytes = luaL_checklstring(L, value_idx, &len);

        if (len != f->bit_len / 8)
            luaerr_raise(L, "bad value for %s: got %d bytes, expected %d", name, (int)len,
                         (int)(f->bit_len / 8));
        memcpy(d->bytes + f->at, bytes, len);
    } else {
        put_bits(d->bytes + layer->off, f->bit_off, f->bit_len, value_for(L, value_idx, f, name));
    }
    v->is_altered = true;
    /* A checksum that is set by hand stays as it was set. */
    if (strcmp(name, "checksum") == 0)
        v->keep_sums = true;
    dissect_bytes(d, v->facts.linktype);
}

static int layer_newindex(lua_State *L)
{
    const LayerView *lv = check_layer(L, 1);

    set_field(L, lv->v, lv->index, luaL_checkstring(L, 2), 3);
    return 0;
}

/* p:set("ip.ttl", 3 [, { checksums = false }]) */
static int packet_set(lua_State *L)
{
    PacketView *v = check_view(L, 1);
    const char *path = bind_check_name(L, 2, "field"), *dot = strchr(path, '.');
    bool checksums = true;
    static const LuaOpt opts[] = {{.name = "checksums", .kind = LUAOPT_BOOL}};

    luaL_checkany(L, 3);
    luaopt_read(L, 4, "p:set", opts, 1, 0, &checksums);
    const char *layer = lua_pushlstring(L, path, dot ? (size_t)(dot - path) : strlen(path));
    const WireLayer *type = wire_layer_by_name(layer);
    int index = type ? find_layer(dissection_of(v), type->id, 0) : -1;

    if (!dot || !type)
        luaerr_arg(L, 2, "field", NULL, "layer and field, such as \"ip.ttl\"");
    if (index < 0)
        luaerr_raise(L, "this packet has no %s layer", layer);
    set_field(L, v, (unsigned)index, dot + 1, 3);
    if (!checksums)
        v->keep_sums = true;
    lua_settop(L, 1);
    return 1;
}

/* Makes the checksums right: outermost IP header, and what it carries unless that is a fragment. */
static void fix_checksums(Dissection *d)
{
    int ip = find_layer(d, WIRE_LAYER_IP, 0);
    unsigned field_off = 0, l4_off, l4_len;
    uint8_t *h;
    uint32_t sum = 0;

    if (ip < 0 || d->layer[ip].len < 20)
        return;
    h = d->bytes + d->layer[ip].off;
    wire_put16(h + 10, 0);
    wire_put16(h + 10, checksum_finish(checksum_add(0, h, d->layer[ip].len)));
    if ((unsigned)ip + 1 >= d->n_layers || wire_get16(h + 6) & 0x3fff)
        return;
    const Layer *l4 = &d->layer[ip + 1];

    l4_off = l4->off;
    if (wire_get16(h + 2) < d->layer[ip].len || d->layer[ip].off + wire_get16(h + 2) > d->len)
        return;
    l4_len = wire_get16(h + 2) - d->layer[ip].len;
    if (l4->type->id == WIRE_LAYER_UDP && l4_len >= 8 && wire_get16(d->bytes + l4_off + 6) != 0)
        field_off = 6;
    else if (l4->type->id == WIRE_LAYER_TCP && l4_len >= 20)
        field_off = 16;
    else if (l4->type->id == WIRE_LAYER_ICMP && l4_len >= 4)
        field_off = 2;
    else
        return;
    if (l4->type->id != WIRE_LAYER_ICMP) {
        uint8_t rest[4] = {0, h[9], (uint8_t)(l4_len >> 8), (uint8_t)l4_len};

        sum = checksum_add(checksum_add(0, h + 12, 8), rest, 4);
    }
    wire_put16(d->bytes + l4_off + field_off, 0);
    uint16_t value = checksum_finish(checksum_add(sum, d->bytes + l4_off, l4_len));

    wire_put16(d->bytes + l4_off + field_off, value == 0 && field_off == 6 ? 0xffff : value);
}

Packet *bind_packet_altered(PacketView *v, PacketPool *pool)
{
    if (!v->is_altered)
        return NULL;
    if (!v->keep_sums)
        fix_checksums(v->d);
    return packet_from_bytes(pool, v->pkt->birth_node, v->pkt->birth_id, v->d->bytes, v->d->len);
}

static char *describe(const void *ptr)
{
    const PacketView *v = ptr;
    char text[256];

    if (!v->pkt)
        return g_strdup("packet (gone)");
    const Dissection *d = dissection_of((PacketView *)v);

    return g_strdup(dissect_summary(text, sizeof text, (WireLinkType)v->facts.linktype, d->bytes, d->len));
}

static const luaL_Reg methods[] = {
    {"bytes", packet_bytes},   {"fcs", packet_method_fcs}, {"fields", packet_fields},   {"keep", packet_keep},
    {"layers", packet_layers}, {"set", packet_set},        {"summary", packet_summary}, {NULL, NULL}};
static const luaL_Reg properties[] = {{"arp", get_arp},         {"bpdu", get_bpdu},
                                      {"buffer", get_buffer},   {"data", get_data},
                                      {"eth", get_eth},         {"from", get_from},
                                      {"icmp", get_icmp},       {"id", get_id},
                                      {"igmp", get_igmp},       {"ip", get_ip},
                                      {"ip6", get_ip6},         {"len", get_len},
                                      {"llc", get_llc},         {"malformed", get_malformed},
                                      {"nth", get_nth},         {"offset", get_offset},
                                      {"padding", get_padding}, {"ppp", get_ppp},
                                      {"quoted", get_quoted},   {"tcp", get_tcp},
                                      {"tftp", get_tftp},       {"time", get_time},
                                      {"to", get_to},           {"udp", get_udp},
                                      {"vlan", get_vlan},       {NULL, NULL}};

const LuaClass bind_packet_class = {
    .name = "packet", .methods = methods, .properties = properties, .describe = describe, .release = release};
