/* A frame as rules and observers see it: p.ip.ttl, p.tcp.syn, p.len, p:summary(). The view of a rule or
 * observer is good during the call only; p:keep() gives one that lasts. */
#include "lua/bind/bind_packet.h"

#include "models/wire/eth.h"
#include "sim/packet/checksum.h"

#define LINKTYPE_PPP 9 /* what captures of serial lines say; the codecs know its framed form */

/* ---- life ---- */

static void release_view(PacketView *v)
{
    bind_packet_undissect(v->s, v->d);
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

void bind_packet_check_alive(lua_State *L, const PacketView *v)
{
    if (!v->pkt)
        luaerr_raise(L,
                     "this packet was used after its rule or observer had returned: keep it with p:keep()");
}

PacketView *bind_packet_check(lua_State *L, int idx)
{
    PacketView *v = luaclass_check(L, idx, &bind_packet_class);

    bind_packet_check_alive(L, v);
    return v;
}

/* ---- layers ---- */

#define LAYER(stem, ID)                                                                                      \
    static int get_##stem(lua_State *L)                                                                      \
    {                                                                                                        \
        PacketView *v = bind_packet_check(L, 1);                                                             \
                                                                                                             \
        bind_packet_push_layer(L, v, bind_packet_find_layer(bind_packet_dissect(v), WIRE_LAYER_##ID, 0));    \
        return 1;                                                                                            \
    }
LAYER(arp, ARP)
LAYER(bpdu, BPDU)
LAYER(data, DATA)
LAYER(eth, ETH)
LAYER(icmp, ICMP)
LAYER(icmp6, ICMP6)
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
    PacketView *v = bind_packet_check(L, 1);
    const Dissection *d = bind_packet_dissect(v);
    bool is_any = false;

    lua_createtable(L, 0, 2);
    for (unsigned i = 0; i < d->n_layers; i++) {
        if (d->layer[i].depth != 1)
            continue;
        bind_packet_push_layer(L, v, (int)i);
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
    const PacketView *v = bind_packet_check(L, 1);

    lua_pushinteger(L, v->d ? v->d->len : packet_len(v->pkt));
    return 1;
}

static int get_nth(lua_State *L)
{
    const PacketView *v = bind_packet_check(L, 1);

    if (v->facts.nth)
        lua_pushinteger(L, (lua_Integer)v->facts.nth);
    else
        lua_pushnil(L);
    return 1;
}

static int get_time(lua_State *L)
{
    bind_push_time(L, bind_packet_check(L, 1)->facts.time);
    return 1;
}

static int get_from(lua_State *L)
{
    lua_pushstring(L, bind_packet_check(L, 1)->facts.from);
    return 1;
}

static int get_to(lua_State *L)
{
    lua_pushstring(L, bind_packet_check(L, 1)->facts.to);
    return 1;
}

static int get_malformed(lua_State *L)
{
    lua_pushboolean(L, bind_packet_dissect(bind_packet_check(L, 1))->is_malformed);
    return 1;
}

/* Which buffer the packet lives in: numbered as scenarios meet them. */
static int get_buffer(lua_State *L)
{
    const PacketView *v = bind_packet_check(L, 1);
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
    lua_pushinteger(L, bind_packet_check(L, 1)->pkt->head);
    return 1;
}

/* Where and when it was born: the same for a packet at every hop. */
static int get_id(lua_State *L)
{
    const PacketView *v = bind_packet_check(L, 1);

    lua_pushfstring(L, "%I:%I", (LUAI_UACINT)v->pkt->birth_node, (LUAI_UACINT)v->pkt->birth_id);
    return 1;
}

/* ---- methods ---- */

static int packet_summary(lua_State *L)
{
    PacketView *v = bind_packet_check(L, 1);
    const Dissection *d = bind_packet_dissect(v);
    char text[256];

    lua_pushstring(L, dissect_summary(text, sizeof text, (WireLinkType)v->facts.linktype, d->bytes, d->len));
    return 1;
}

static int packet_bytes(lua_State *L)
{
    const Dissection *d = bind_packet_dissect(bind_packet_check(L, 1));

    lua_pushlstring(L, (const char *)d->bytes, d->len);
    return 1;
}

/* The check sequence that follows the frame, in order of transmission, and whether it fits the frame: of a
 * frame that was damaged on its way it does not. nil: not Ethernet. */
static int packet_method_fcs(lua_State *L)
{
    PacketView *v = bind_packet_check(L, 1);
    const Dissection *d = bind_packet_dissect(v);
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
    PacketView *v = bind_packet_check(L, 1);
    /* A copy, not a reference: inside a host the packet's owner goes on changing it (TTL, head). */
    PacketView *copy = bind_packet_push(L, packet_clone(v->pkt), &v->facts);

    copy->is_kept = true;
    copy->in_call = false;
    return 1;
}

static int packet_layers(lua_State *L)
{
    const Dissection *d = bind_packet_dissect(bind_packet_check(L, 1));
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
    bind_set_text(L, "layer", layer->name);
    bind_set_text(L, "name", f->name);
    bind_set_text(L, "label", f->label);
    bind_set_text(L, "text", f->text);
    bind_set_text(L, "note", f->note);
    lua_rawseti(L, -2, ++t->n);
}

/* Every field with what it means, for people. */
static int packet_fields(lua_State *L)
{
    PacketView *v = bind_packet_check(L, 1);
    const Dissection *d = bind_packet_dissect(v);
    Telling t = {L, 0};
    const WireSink sink = {.user = &t, .field = tell_field};

    lua_createtable(L, 32, 0);
    luaL_checkstack(L, 8, NULL);
    wire_dissect((WireLinkType)v->facts.linktype, d->bytes, d->len, &sink);
    return 1;
}

static char *describe(const void *ptr)
{
    const PacketView *v = ptr;
    char text[256];

    if (!v->pkt)
        return g_strdup("packet (gone)");
    const Dissection *d = bind_packet_dissect((PacketView *)v);

    return g_strdup(dissect_summary(text, sizeof text, (WireLinkType)v->facts.linktype, d->bytes, d->len));
}

static const luaL_Reg methods[] = {
    {"bytes", packet_bytes},   {"fcs", packet_method_fcs}, {"fields", packet_fields},   {"keep", packet_keep},
    {"layers", packet_layers}, {"set", bind_packet_set},   {"summary", packet_summary}, {NULL, NULL}};
static const luaL_Reg properties[] = {
    {"arp", get_arp},   {"bpdu", get_bpdu},     {"buffer", get_buffer},
    {"data", get_data}, {"eth", get_eth},       {"from", get_from},
    {"icmp", get_icmp}, {"icmp6", get_icmp6},   {"id", get_id},
    {"igmp", get_igmp}, {"ip", get_ip},         {"ip6", get_ip6},
    {"len", get_len},   {"llc", get_llc},       {"malformed", get_malformed},
    {"nth", get_nth},   {"offset", get_offset}, {"padding", get_padding},
    {"ppp", get_ppp},   {"quoted", get_quoted}, {"tcp", get_tcp},
    {"tftp", get_tftp}, {"time", get_time},     {"to", get_to},
    {"udp", get_udp},   {"vlan", get_vlan},     {NULL, NULL}};

const LuaClass bind_packet_class = {
    .name = "packet", .methods = methods, .properties = properties, .describe = describe, .release = release};
