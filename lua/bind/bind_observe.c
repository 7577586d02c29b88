/* hs.on("frame.drop", function(e) … end): the probe bus for scenarios. The function gets a table with the
 * probe's fields, `probe`, `time`, `node`, `port` and, where there is a packet, `packet`. Observers only
 * look: what they must not do raises an error. */
#include <string.h>

#include "lua/bind/bind.h"
#include "lua/luaprobe.h"
#include "sim/trace/probe_table.h"

typedef struct Observer {
    Scenario *s;
    char *pattern;        /* a probe's name, or a class: "neigh." */
    const ProbeDesc *hit; /* the last ones that did and did not match: names are compared once */
    const ProbeDesc *miss;
    uint64_t mask;
    int ref;           /* LUA_NOREF: ended */
    const Node *node;  /* only there; NULL: anywhere */
    GPtrArray *points; /* only these; NULL: all */
    TcpSeen *seen;     /* NULL: no frame yet */
} Observer;

/* "neigh.*" and "neigh." stand for all probes whose names begin with "neigh."; returns how much of the
 * pattern is compared. */
static size_t prefix_len(const char *pattern)
{
    size_t len = strlen(pattern);

    if (len && pattern[len - 1] == '*')
        return len - 1;
    return len && pattern[len - 1] == '.' ? len : 0;
}

/* The classes to listen to; raises an error for a probe that nobody emits. */
static uint64_t check_pattern(lua_State *L, int idx, const char *pattern)
{
    size_t len = prefix_len(pattern);
    const ProbeDesc *desc = probe_by_name(pattern);
    uint64_t mask = desc ? PROBE_BIT(desc->cls) : 0;

    if (!mask && (len || strcmp(pattern, "*") == 0))
        mask = probe_classes_of(pattern, len);
    if (!mask)
        bind_raise_unknown_probe(L, "hs.on", pattern);
    return mask;
}

static bool does_match(Observer *o, const ProbeDesc *desc)
{
    if (desc == o->hit)
        return true;
    if (desc == o->miss)
        return false;
    size_t len = prefix_len(o->pattern);
    bool same = len || strcmp(o->pattern, "*") == 0 ? strncmp(desc->name, o->pattern, len) == 0
                                                    : strcmp(desc->name, o->pattern) == 0;

    if (same)
        o->hit = desc;
    else
        o->miss = desc;
    return same;
}

static void push_value(lua_State *L, ProbeKind kind, ProbeValue v)
{
    if (luaprobe_push(L, kind, v))
        return;
    if (kind == PROBE_TIME)
        bind_push_time(L, v.i);
    else if (kind == PROBE_IP4)
        bind_push_ip4(L, (uint32_t)v.u);
    else
        bind_push_mac(L, mac_from_u64(v.u));
}

typedef struct Sighting {
    Observer *o;
    const ProbeRecord *r;
    PacketView *view;
    Packet *datagram; /* ours: what was dropped, from its IP header on */
} Sighting;

/* Dropped above the link (no answer to ARP, no route, no socket): the link header is not there yet or is
 * gone, and perhaps more. */
static bool is_above_link(const Packet *pkt)
{
    return pkt->l3 != 0 && pkt->head >= pkt->l3;
}

/* The node at the other end of the cable in that port; NULL: none, or a hub. The table is made anew when the
 * cables changed. */
static const char *peer_of(Scenario *s, const ProbePoint *point)
{
    unsigned n = net_link_count(s->net);

    if (!s->peers || s->peers_links != n) {
        if (s->peers)
            g_hash_table_destroy(s->peers);
        s->peers = g_hash_table_new(NULL, NULL);
        s->peers_links = n;
        for (unsigned i = 0; i < n; i++) {
            const NetLink *link = net_link_at(s->net, i);

            for (unsigned end = 0; end < 2; end++)
                if (netlink_point(link, end))
                    g_hash_table_insert(s->peers, (gpointer)netlink_point(link, end),
                                        (gpointer)netlink_node(link, !end)->name);
        }
    }
    return g_hash_table_lookup(s->peers, point);
}

void bind_observe_replugged(Scenario *s)
{
    s->peers_links = UINT_MAX;
}

static int call_observer(lua_State *L)
{
    Sighting *e = lua_touserdata(L, 1);
    const ProbeRecord *r = e->r;
    Scenario *s = e->o->s;

    lua_rawgeti(L, LUA_REGISTRYINDEX, e->o->ref);
    lua_createtable(L, 0, (int)r->desc->n_fields + 5);
    bind_set_text(L, "probe", r->desc->name);
    bind_set_time(L, "time", r->time);
    bind_set_text(L, "node", r->node->name);
    if (r->point)
        bind_set_text(L, "port", r->point->name);
    for (unsigned i = 0; i < r->desc->n_fields; i++) {
        push_value(L, r->desc->field[i].kind, r->value[i]);
        lua_setfield(L, -2, r->desc->field[i].name);
    }
    if (r->pkt) {
        bool is_rx = r->desc == &probe_frame_rx, is_tx = r->desc == &probe_frame_tx;
        bool is_frame =
            is_rx || is_tx || (r->desc == &probe_frame_drop && r->point && !is_above_link(r->pkt));
        PacketFacts facts = {.time = r->time, .linktype = is_frame && r->point ? r->point->linktype : 101};
        const Packet *pkt = r->pkt;

        if (is_frame && r->point) {
            if (!e->o->seen)
                e->o->seen = bind_tcp_seen_new();
            bind_tcp_seen_look(e->o->seen, r->point, r->desc, r->pkt, facts.linktype, &facts.tcp);
        }
        if (is_rx || is_tx) {
            facts.from = is_rx ? peer_of(s, r->point) : r->node->name;
            facts.to = is_rx ? r->node->name : peer_of(s, r->point);
        }
        if (r->desc == &probe_frame_drop && is_above_link(pkt) && pkt->head > pkt->l3) {
            e->datagram = packet_clone(pkt);
            e->datagram->head = e->datagram->l3;
            memcpy(e->datagram->buf + pkt->l3, pkt->buf + pkt->l3, pkt->head - pkt->l3);
            pkt = e->datagram;
        }
        e->view = bind_packet_push(L, pkt, &facts);
        lua_setfield(L, -2, "packet");
    }
    lua_call(L, 1, 0);
    return 0;
}

static bool is_wanted(Observer *o, const ProbeRecord *r)
{
    if (o->ref == LUA_NOREF || !(o->mask >> r->desc->cls & 1) || !does_match(o, r->desc))
        return false;
    if (o->node && r->node != o->node)
        return false;
    return !o->points || (r->point && g_ptr_array_find(o->points, r->point, NULL));
}

static void on_record(ProbeSink *sink, const ProbeRecord *r)
{
    Scenario *s = HS_CONTAINER_OF(sink, Scenario, sink);

    /* What an observer logs would be told to it without end. */
    if (s->observing && (r->desc->cls == PROBE_LOG || r->desc->cls == PROBE_TRANSLATION))
        return;
    for (guint i = 0; i < s->observers->len && !s->failed; i++) {
        Observer *o = g_ptr_array_index(s->observers, i);
        Sighting e = {o, r, NULL, NULL};
        LuaErr err = {0};

        if (!is_wanted(o, r))
            continue;
        s->observing++;
        if (!luaerr_protect(s->L, call_observer, &e, &err))
            scenario_fail(s, &err);
        s->observing--;
        if (e.view)
            bind_packet_done(e.view);
        packet_unref(e.datagram);
    }
}

typedef struct OnOpts {
    int node, link;
} OnOpts;

static const LuaOpt on_opts[] = {
    {.name = "node", .kind = LUAOPT_ANY, .offset = offsetof(OnOpts, node)},
    {.name = "link", .kind = LUAOPT_ANY, .offset = offsetof(OnOpts, link)},
};
const BindOptions bind_on_options = {"hs.on", on_opts, HS_ARRAY_LEN(on_opts)};

/* hs.on(probe, function [, { node =, link = }]) */
static int hs_on(lua_State *L)
{
    Scenario *s = scenario_of(L);
    const char *pattern = bind_check_name(L, 1, "probe");
    OnOpts opts = {0};
    uint64_t mask = check_pattern(L, 1, pattern);

    if (lua_type(L, 2) != LUA_TFUNCTION)
        luaerr_arg(L, 2, "observer", NULL, "a function");
    luaopt_read(L, 3, "hs.on", on_opts, HS_ARRAY_LEN(on_opts), 0, &opts);
    const Node *node = opts.node ? bind_check_node(L, opts.node, "node") : NULL;
    const NetLink *link = opts.link ? luaclass_check(L, opts.link, &bind_link_class) : NULL;

    lua_pushvalue(L, 2);
    int ref = luaL_ref(L, LUA_REGISTRYINDEX);
    Observer *o = g_new0(Observer, 1);

    o->s = s;
    o->ref = ref;
    o->pattern = g_strdup(pattern);
    o->mask = mask;
    o->node = node;
    if (link) {
        o->points = g_ptr_array_new();
        for (unsigned end = 0; end < 2; end++)
            if (netlink_point(link, end))
                g_ptr_array_add(o->points, (gpointer)netlink_point(link, end));
    }
    g_ptr_array_add(s->observers, o);
    if (s->sink.mask)
        probes_detach(net_probes(s->net), &s->sink);
    s->sink.mask |= o->mask;
    s->sink.record = on_record;
    probes_attach(net_probes(s->net), &s->sink);
    luaclass_push(L, &bind_observer_class, o);
    return 1;
}

static int observer_cancel(lua_State *L)
{
    Observer *o = luaclass_check(L, 1, &bind_observer_class);

    luaL_unref(L, LUA_REGISTRYINDEX, o->ref);
    o->ref = LUA_NOREF;
    return 0;
}

void bind_observe_free(Scenario *s)
{
    if (s->sink.mask)
        probes_detach(net_probes(s->net), &s->sink);
    for (guint i = 0; i < s->observers->len; i++) {
        Observer *o = g_ptr_array_index(s->observers, i);

        if (o->points)
            g_ptr_array_free(o->points, true);
        bind_tcp_seen_free(o->seen);
        g_free(o->pattern);
        g_free(o);
    }
    g_ptr_array_free(s->observers, true);
    if (s->peers)
        g_hash_table_destroy(s->peers);
}

static const luaL_Reg methods[] = {{"cancel", observer_cancel}, {NULL, NULL}};
const LuaClass bind_observer_class = {.name = "observer", .methods = methods};

void bind_observe_open(lua_State *L)
{
    lua_pushcfunction(L, hs_on);
    lua_setfield(L, -2, "on");
}
