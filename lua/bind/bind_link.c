/* hs.link, and a link as a scenario sees it: as a whole, and each of its directions. */
#include "lua/bind/bind_link.h"

/* ---- building ---- */

static int hs_link(lua_State *L)
{
    Scenario *s = scenario_of(L);
    char *error = NULL;

    scenario_may_change(L);
    lua_settop(L, 3);
    Node *a = bind_check_node(L, 1, "first end"), *b = bind_check_node(L, 2, "second end");
    LinkDraft *d = bind_linkdraft_push(L);

    netlinkconfig_init(&d->net);
    d->net.end[0].node = a;
    d->net.end[1].node = b;
    bind_linkdraft_read(L, 3, d);
    for (int i = 0; i < 2; i++) {
        d->net.dir[i] = d->dir[i].config;
        d->net.dir[i].queue = d->dir[i].queue;
        d->net.dir[i].impair = d->dir[i].impair;
        d->dir[i].queue = NULL;
        d->dir[i].impair = NULL;
    }
    NetLink *link = net_link(s->net, &d->net, &error);

    if (!link)
        bind_raise_free(L, error);
    s->is_dirty = true;
    for (unsigned i = 0; i < 2; i++)
        if (d->dir[i].trace && netlink_dir(link, i)) {
            linkdir_follow(netlink_dir(link, i), d->dir[i].trace);
            d->dir[i].trace = NULL;
        }
    if (!d->up)
        netlink_set_up(link, false);
    luaclass_push(L, &bind_link_class, link);
    return 1;
}

static int hs_links(lua_State *L)
{
    const Scenario *s = scenario_of(L);
    unsigned n = net_link_count(s->net);

    lua_createtable(L, (int)n, 0);
    for (unsigned i = 0; i < n; i++) {
        luaclass_push(L, &bind_link_class, net_link_at(s->net, i));
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

/* ---- as a whole ---- */

static NetLink *check_link(lua_State *L)
{
    return luaclass_check(L, 1, &bind_link_class);
}

static LinkDir *dir_of(lua_State *L, NetLink *link, unsigned end)
{
    LinkDir *d = netlink_dir(link, end);

    if (!d)
        luaerr_raise(L, "link %s has no cable of its own: it is unplugged, or the port of a hub",
                     netlink_name(link));
    return d;
}

static int set_up(lua_State *L, bool up)
{
    NetLink *link = check_link(L);

    scenario_may_change(L);
    netlink_set_up(link, up);
    lua_settop(L, 1);
    return 1;
}

static int link_up(lua_State *L)
{
    return set_up(L, true);
}

static int link_down(lua_State *L)
{
    return set_up(L, false);
}

/* The end at which the node at idx is. */
static unsigned check_end(lua_State *L, int idx, NetLink *link)
{
    const Node *node = bind_check_node(L, idx, "end");

    for (unsigned end = 0; end < 2; end++)
        if (netlink_node(link, end) == node)
            return end;
    luaerr_raise(L, "\"%s\" is no end of link %s", node->name, netlink_name(link));
}

/* "impair" takes the place of the whole chain, a short form of what it is short for: loss = 0 ends a loss. */
static void make_room(LinkDir *d, uint64_t set)
{
    static const struct {
        unsigned bit;
        const char *kind;
    } short_forms[] = {{LINK_SET_LOSS, "bernoulli"},
                       {LINK_SET_LOSS, "list"},
                       {LINK_SET_DUPLICATE, "duplicate"},
                       {LINK_SET_CORRUPT, "corrupt"},
                       {LINK_SET_REORDER, "reorder"}};

    if (set >> LINK_SET_IMPAIR & 1)
        linkdir_remove_impairs(d, NULL);
    for (unsigned i = 0; i < HS_ARRAY_LEN(short_forms); i++)
        if (set >> short_forms[i].bit & 1)
            linkdir_remove_impairs(d, impair_ops_by_name(short_forms[i].kind));
}

static void apply(LinkDir *d, LinkDraftDir *draft)
{
    const LinkDirConfig *c = &draft->config;

    if (draft->set >> LINK_SET_RATE & 1)
        linkdir_set_rate(d, c->rate_bps);
    if (draft->set >> LINK_SET_DELAY & 1)
        linkdir_set_delay(d, c->delay);
    if (draft->set >> LINK_SET_MTU & 1)
        linkdir_set_mtu(d, c->mtu);
    if (draft->set >> LINK_SET_JITTER & 1 || draft->set >> LINK_SET_REORDERS & 1)
        linkdir_set_jitter(d, c->jitter, c->jitter_reorders);
    if (draft->queue)
        linkdir_set_queue(d, draft->queue);
    draft->queue = NULL;
    make_room(d, draft->set);
    for (Impair *im = draft->impair; im;) {
        Impair *next = im->next;

        im->next = NULL;
        linkdir_add_impair(d, im);
        im = next;
    }
    draft->impair = NULL;
    if (draft->trace)
        linkdir_follow(d, draft->trace);
    draft->trace = NULL;
}

static int link_set(lua_State *L)
{
    NetLink *link = check_link(L);
    LinkDraft *draft;

    scenario_may_change(L);
    luaL_checktype(L, 2, LUA_TTABLE);
    draft = bind_linkdraft_push(L);
    for (unsigned i = 0; i < 2; i++) {
        dir_of(L, link, i);
        linkdirconfig_init(&draft->dir[i].config);
        bind_linkdraft_read_dir(L, 2, "link:set", &draft->dir[i]);
    }
    for (unsigned i = 0; i < 2; i++)
        apply(dir_of(L, link, i), &draft->dir[i]);
    lua_settop(L, 1);
    return 1;
}

static int link_rule(lua_State *L)
{
    NetLink *link = check_link(L);

    scenario_may_change(L);
    for (unsigned i = 0; i < 2; i++)
        dir_of(L, link, i);
    for (unsigned i = 0; i < 2; i++)
        bind_rule_set(L, link, i, 2);
    lua_settop(L, 1);
    return 1;
}

static int link_method_unplug(lua_State *L)
{
    NetLink *link = check_link(L);

    scenario_may_change(L);
    net_unplug(link);
    bind_observe_replugged(scenario_of(L));
    lua_settop(L, 1);
    return 1;
}

typedef struct PlugOpts {
    const char *dev;
    int mac, address;
} PlugOpts;

static const LuaOpt plug_opts[] = {
    {.name = "dev", .kind = LUAOPT_STRING, .offset = offsetof(PlugOpts, dev)},
    {.name = "mac", .kind = LUAOPT_ANY, .offset = offsetof(PlugOpts, mac)},
    {.name = "address", .kind = LUAOPT_ANY, .offset = offsetof(PlugOpts, address)},
};
const BindOptions bind_plug_options = {"link:plug", plug_opts, HS_ARRAY_LEN(plug_opts)};

/* link:plug(end, node, {…}): the plug that was in `end` goes into another node. */
static int link_method_plug(lua_State *L)
{
    NetLink *link = check_link(L);
    PlugOpts o = {0};
    char *error = NULL;

    scenario_may_change(L);
    unsigned end = check_end(L, 2, link);
    NetEndConfig to = {.node = bind_check_node(L, 3, "new end")};

    luaopt_read(L, 4, "link:plug", plug_opts, HS_ARRAY_LEN(plug_opts), 0, &o);
    to.dev = o.dev;
    if (o.mac) {
        to.mac = bind_check_mac(L, o.mac, "mac");
        to.has_mac = true;
    }
    if (o.address && lua_isboolean(L, o.address)) {
        to.no_addr = !lua_toboolean(L, o.address);
    } else if (o.address) {
        to.addr = bind_check_prefix(L, o.address, "address");
        to.has_addr = true;
    }
    if (!net_replug(link, end, &to, &error))
        bind_raise_free(L, error);
    scenario_of(L)->is_dirty = true;
    bind_observe_replugged(scenario_of(L));
    lua_settop(L, 1);
    return 1;
}

static int link_dir_method(lua_State *L)
{
    NetLink *link = check_link(L);

    luaclass_push(L, &bind_linkdir_class, dir_of(L, link, check_end(L, 2, link)));
    return 1;
}

static void push_stats(lua_State *L, const LinkDir *d)
{
    const LinkDirStats st = linkdir_stats(d);
    const Queue *q = linkdir_queue(d);
    const struct {
        const char *name;
        uint64_t value;
    } fields[] = {
        {"tx_packets", st.tx_packets},
        {"tx_bytes", st.tx_bytes},
        {"delivered_packets", st.delivered_packets},
        {"delivered_bytes", st.delivered_bytes},
        {"duplicate_packets", st.duplicate_packets},
        {"lost_packets", st.lost_packets},
        {"queue_drops", st.queue_drops},
        {"queue_packets", q ? q->packets : 0},
        {"queue_bytes", q ? q->bytes : 0},
        {"queue_peak_packets", q ? q->stats.peak_packets : 0},
        {"queue_peak_bytes", q ? q->stats.peak_bytes : 0},
        {"marked_packets", q ? queue_signals(q).marked_packets : 0},
    };

    lua_createtable(L, 0, HS_ARRAY_LEN(fields) + 1);
    for (size_t i = 0; i < HS_ARRAY_LEN(fields); i++)
        bind_set_int(L, fields[i].name, fields[i].value);
    bind_set_time(L, "busy", st.busy);
}

/* { ab = {…}, ba = {…} } */
static int link_stats(lua_State *L)
{
    NetLink *link = check_link(L);

    lua_createtable(L, 0, 2);
    push_stats(L, dir_of(L, link, 0));
    lua_setfield(L, -2, "ab");
    push_stats(L, dir_of(L, link, 1));
    lua_setfield(L, -2, "ba");
    return 1;
}

static int link_get_name(lua_State *L)
{
    lua_pushstring(L, netlink_name(check_link(L)));
    return 1;
}

static int link_get_is_up(lua_State *L)
{
    const Link *link = netlink_link(check_link(L));

    lua_pushboolean(L, link && link_is_up(link));
    return 1;
}

static int link_get_a(lua_State *L)
{
    bind_push_node(L, netlink_node(check_link(L), 0));
    return 1;
}

static int link_get_b(lua_State *L)
{
    bind_push_node(L, netlink_node(check_link(L), 1));
    return 1;
}

/* The interface at an end that is a host or router. */
static int link_dev(lua_State *L)
{
    NetLink *link = check_link(L);
    NetDev *dev = netlink_dev(link, check_end(L, 2, link));

    if (!dev)
        luaerr_raise(L, "a switch or hub has no interface at that end");
    bind_push_dev(L, dev);
    return 1;
}

static char *describe_link(const void *ptr)
{
    return g_strdup(netlink_name(ptr));
}

static const luaL_Reg link_methods[] = {{"dev", link_dev},     {"dir", link_dir_method},
                                        {"down", link_down},   {"plug", link_method_plug},
                                        {"rule", link_rule},   {"set", link_set},
                                        {"stats", link_stats}, {"unplug", link_method_unplug},
                                        {"up", link_up},       {NULL, NULL}};
static const luaL_Reg link_properties[] = {
    {"a", link_get_a}, {"b", link_get_b}, {"is_up", link_get_is_up}, {"name", link_get_name}, {NULL, NULL}};
const LuaClass bind_link_class = {
    .name = "link", .methods = link_methods, .properties = link_properties, .describe = describe_link};

/* ---- one direction ---- */

static LinkDir *check_dir(lua_State *L)
{
    return luaclass_check(L, 1, &bind_linkdir_class);
}

static int dir_set(lua_State *L)
{
    LinkDir *d = check_dir(L);

    scenario_may_change(L);
    luaL_checktype(L, 2, LUA_TTABLE);
    LinkDraft *draft = bind_linkdraft_push(L);

    linkdirconfig_init(&draft->dir[0].config);
    bind_linkdraft_read_dir(L, 2, "link:dir():set", &draft->dir[0]);
    apply(d, &draft->dir[0]);
    lua_settop(L, 1);
    return 1;
}

static int dir_rule(lua_State *L)
{
    const LinkDir *d = check_dir(L);
    const Scenario *s = scenario_of(L);

    scenario_may_change(L);
    for (unsigned i = 0; i < net_link_count(s->net); i++)
        for (unsigned end = 0; end < 2; end++)
            if (netlink_dir(net_link_at(s->net, i), end) == d) {
                bind_rule_set(L, net_link_at(s->net, i), end, 2);
                lua_settop(L, 1);
                return 1;
            }
    luaerr_raise(L, "this link was unplugged");
}

static int dir_pause(lua_State *L)
{
    LinkDir *d = check_dir(L);

    scenario_may_change(L);
    luaL_checktype(L, 2, LUA_TBOOLEAN);
    linkdir_set_paused(d, lua_toboolean(L, 2));
    lua_settop(L, 1);
    return 1;
}

static int dir_stats(lua_State *L)
{
    push_stats(L, check_dir(L));
    return 1;
}

static int dir_get_mtu(lua_State *L)
{
    lua_pushinteger(L, linkdir_mtu(check_dir(L)));
    return 1;
}

static int dir_get_rate(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)linkdir_rate(check_dir(L)));
    return 1;
}

static int dir_get_delay(lua_State *L)
{
    bind_push_time(L, linkdir_delay(check_dir(L)));
    return 1;
}

static const luaL_Reg dir_methods[] = {
    {"pause", dir_pause}, {"rule", dir_rule}, {"set", dir_set}, {"stats", dir_stats}, {NULL, NULL}};
static const luaL_Reg dir_properties[] = {
    {"delay", dir_get_delay}, {"mtu", dir_get_mtu}, {"rate", dir_get_rate}, {NULL, NULL}};
const LuaClass bind_linkdir_class = {
    .name = "link direction", .methods = dir_methods, .properties = dir_properties};

void bind_link_open(lua_State *L)
{
    static const luaL_Reg functions[] = {{"link", hs_link}, {"links", hs_links}, {NULL, NULL}};

    luaL_setfuncs(L, functions, 0);
}
