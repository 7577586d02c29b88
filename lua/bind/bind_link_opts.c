/* The options of hs.link and link:set, read into a draft. A draft is a value of Lua's: what it holds (queues,
 * impairments) is released when an error ends the call. */
#include <string.h>

#include "lua/bind/bind_link.h"

static void release(void *ptr)
{
    LinkDraft *d = ptr;

    for (int i = 0; i < 2; i++) {
        queue_free(d->dir[i].queue);
        bind_impair_free_chain(d->dir[i].impair);
        linktrace_free(d->dir[i].trace);
    }
    g_free(d);
}

static const LuaClass draft_class = {.name = "link draft", .release = release};

LinkDraft *bind_linkdraft_push(lua_State *L)
{
    LinkDraft *d = g_new0(LinkDraft, 1);

    luaclass_push_owned(L, &draft_class, d);
    return d;
}

/* ---- one direction ---- */

typedef struct DirOpts {
    uint64_t rate;
    SimTime delay, jitter;
    bool jitter_reorders;
    int64_t mtu, overhead, gap;
    int queue, impair, loss, duplicate, corrupt, reorder;
    const char *trace, *mahimahi;
} DirOpts;

#define DIR_OPTS                                                                                             \
    {.name = "rate", .kind = LUAOPT_RATE, .offset = offsetof(DirOpts, rate)},                                \
        {.name = "delay", .kind = LUAOPT_TIME, .offset = offsetof(DirOpts, delay)},                          \
        {.name = "jitter", .kind = LUAOPT_TIME, .offset = offsetof(DirOpts, jitter)},                        \
        {.name = "jitter_reorders", .kind = LUAOPT_BOOL, .offset = offsetof(DirOpts, jitter_reorders)},      \
        {.name = "mtu", .kind = LUAOPT_INT, .offset = offsetof(DirOpts, mtu), .min = 68, .max = 65535},      \
        {.name = "overhead", .kind = LUAOPT_INT, .offset = offsetof(DirOpts, overhead), .max = 65535},       \
        {.name = "gap", .kind = LUAOPT_INT, .offset = offsetof(DirOpts, gap), .max = 65535},                 \
        {.name = "queue", .kind = LUAOPT_ANY, .offset = offsetof(DirOpts, queue)},                           \
        {.name = "impair", .kind = LUAOPT_TABLE, .offset = offsetof(DirOpts, impair)},                       \
        {.name = "loss", .kind = LUAOPT_ANY, .offset = offsetof(DirOpts, loss)},                             \
        {.name = "duplicate", .kind = LUAOPT_ANY, .offset = offsetof(DirOpts, duplicate)},                   \
        {.name = "corrupt", .kind = LUAOPT_ANY, .offset = offsetof(DirOpts, corrupt)},                       \
        {.name = "reorder", .kind = LUAOPT_ANY, .offset = offsetof(DirOpts, reorder)},                       \
        {.name = "trace", .kind = LUAOPT_STRING, .offset = offsetof(DirOpts, trace)},                        \
    {                                                                                                        \
        .name = "mahimahi", .kind = LUAOPT_STRING, .offset = offsetof(DirOpts, mahimahi)                     \
    }

enum {
    DIR_RATE,
    DIR_DELAY,
    DIR_JITTER,
    DIR_REORDERS,
    DIR_MTU,
    DIR_OVERHEAD,
    DIR_GAP,
    DIR_QUEUE,
    DIR_IMPAIR,
    DIR_LOSS,
    DIR_DUPLICATE,
    DIR_CORRUPT,
    DIR_REORDER,
    DIR_TRACE,
    DIR_MAHIMAHI,
    DIR_END
};
_Static_assert((int)LINK_SET_END == (int)DIR_END, "the bits of LinkDraftDir.set are the options");

static const LuaOpt dir_opts[] = {DIR_OPTS};
const BindOptions bind_linkdir_options = {"linkdir:set", dir_opts, HS_ARRAY_LEN(dir_opts)};

static void short_form(lua_State *L, int idx, const char *who, const char *kind, LinkDraftDir *d)
{
    if (idx)
        bind_impair_short(L, idx, who, kind, &d->impair);
}

/* Takes over what the options hold; those that are absent leave the draft as it is. */
static void store(lua_State *L, const char *who, const DirOpts *o, uint64_t set, LinkDraftDir *d)
{
    LinkDirConfig *c = &d->config;

    if (o->queue) {
        Queue *q = bind_queue_read(L, o->queue, who);

        queue_free(d->queue);
        d->queue = q;
    }
    if (set >> DIR_IMPAIR & 1 || set >> DIR_LOSS & 1 || set >> DIR_DUPLICATE & 1 || set >> DIR_CORRUPT & 1 ||
        set >> DIR_REORDER & 1) {
        bind_impair_free_chain(d->impair);
        d->impair = NULL;
        if (o->impair)
            bind_impair_read(L, o->impair, who, &d->impair);
        short_form(L, o->loss, who, "bernoulli", d);
        short_form(L, o->duplicate, who, "duplicate", d);
        short_form(L, o->corrupt, who, "corrupt", d);
        short_form(L, o->reorder, who, "reorder", d);
    }
    if (o->trace && o->mahimahi)
        luaerr_raise(L, "%s: \"trace\" and \"mahimahi\" exclude each other", who);
    if (o->trace || o->mahimahi) {
        LinkTrace *trace = bind_trace_read(L, o->trace ? o->trace : o->mahimahi,
                                           o->trace ? LINKTRACE_SCHEDULE : LINKTRACE_OPPORTUNITIES);

        linktrace_free(d->trace);
        d->trace = trace;
    }
    if (set >> DIR_RATE & 1)
        c->rate_bps = o->rate;
    if (set >> DIR_DELAY & 1)
        c->delay = o->delay;
    if (set >> DIR_JITTER & 1)
        c->jitter = o->jitter;
    if (set >> DIR_REORDERS & 1)
        c->jitter_reorders = o->jitter_reorders;
    if (set >> DIR_MTU & 1)
        c->mtu = (uint32_t)o->mtu;
    if (set >> DIR_OVERHEAD & 1)
        c->overhead_bytes = (uint32_t)o->overhead;
    if (set >> DIR_GAP & 1)
        c->gap_bytes = (uint32_t)o->gap;
    else if (c->gap_bytes > c->overhead_bytes)
        c->gap_bytes = c->overhead_bytes;
    if (c->gap_bytes > c->overhead_bytes)
        luaerr_raise(L, "%s: a gap of %d bytes is more than the overhead of %d, of which it is a part", who,
                     (int)c->gap_bytes, (int)c->overhead_bytes);
    d->set |= set & ((UINT64_C(1) << DIR_END) - 1);
}

void bind_linkdraft_read_dir(lua_State *L, int idx, const char *who, LinkDraftDir *d)
{
    DirOpts o = {0};
    uint64_t set = luaopt_read(L, idx, who, dir_opts, HS_ARRAY_LEN(dir_opts), 0, &o);

    store(L, who, &o, set, d);
}

/* ---- both ---- */

typedef struct LinkOpts {
    DirOpts dir; /* first */
    int ab, ba, address, mac, dev;
    const char *subnet, *kind;
    bool up;
} LinkOpts;

static const LuaOpt link_opts[] = {
    DIR_OPTS,
    {.name = "ab", .kind = LUAOPT_TABLE, .offset = offsetof(LinkOpts, ab)},
    {.name = "ba", .kind = LUAOPT_TABLE, .offset = offsetof(LinkOpts, ba)},
    {.name = "subnet", .kind = LUAOPT_STRING, .offset = offsetof(LinkOpts, subnet)},
    {.name = "address", .kind = LUAOPT_TABLE, .offset = offsetof(LinkOpts, address)},
    {.name = "mac", .kind = LUAOPT_TABLE, .offset = offsetof(LinkOpts, mac)},
    {.name = "dev", .kind = LUAOPT_TABLE, .offset = offsetof(LinkOpts, dev)},
    {.name = "kind", .kind = LUAOPT_STRING, .offset = offsetof(LinkOpts, kind)},
    {.name = "up", .kind = LUAOPT_BOOL, .offset = offsetof(LinkOpts, up)},
};
const BindOptions bind_link_options = {"hs.link", link_opts, HS_ARRAY_LEN(link_opts)};

/* Pushes the value for a node in a table keyed by node names: address = { client = "10.0.0.1/24" }. */
static bool get_for_node(lua_State *L, int idx, const Node *node)
{
    return idx && bind_get_field(L, idx, node->name);
}

/* Every key must name one of the two ends. */
static void check_keys(lua_State *L, int idx, const char *option, const LinkDraft *d)
{
    const char *unknown = NULL;

    if (!idx)
        return;
    lua_pushnil(L);
    while (lua_next(L, idx)) { /* of several wrong ones the first in byte order is told */
        const char *key = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "";

        lua_pop(L, 1);
        if (strcmp(key, d->net.end[0].node->name) != 0 && strcmp(key, d->net.end[1].node->name) != 0 &&
            (!unknown || strcmp(key, unknown) < 0))
            unknown = key;
    }
    if (unknown)
        luaerr_raise(
            L, "bad option \"%s\" for hs.link: \"%s\" is no end of this link, which joins \"%s\" and \"%s\"",
            option, unknown, d->net.end[0].node->name, d->net.end[1].node->name);
}

static void read_end(lua_State *L, const LinkOpts *o, NetEndConfig *end)
{
    if (get_for_node(L, o->address, end->node)) {
        if (lua_isboolean(L, -1) && !lua_toboolean(L, -1)) {
            end->no_addr = true;
        } else {
            end->addr = bind_check_prefix(L, -1, "address");
            end->has_addr = true;
        }
    }
    if (get_for_node(L, o->mac, end->node)) {
        end->mac = bind_check_mac(L, -1, "mac");
        end->has_mac = true;
    }
    if (get_for_node(L, o->dev, end->node))
        end->dev = bind_check_name(L, -1, "dev"); /* stays on the stack: borrowed */
}

void bind_linkdraft_read(lua_State *L, int idx, LinkDraft *d)
{
    LinkOpts o = {.up = true};
    DirOpts *dir = &o.dir;
    uint64_t set = luaopt_read(L, idx, "hs.link", link_opts, HS_ARRAY_LEN(link_opts), 0, &o);

    for (int i = 0; i < 2; i++) {
        linkdirconfig_init(&d->dir[i].config);
        store(L, "hs.link", dir, set, &d->dir[i]);
    }
    if (o.ab)
        bind_linkdraft_read_dir(L, o.ab, "hs.link's \"ab\"", &d->dir[0]);
    if (o.ba)
        bind_linkdraft_read_dir(L, o.ba, "hs.link's \"ba\"", &d->dir[1]);
    check_keys(L, o.address, "address", d);
    check_keys(L, o.mac, "mac", d);
    check_keys(L, o.dev, "dev", d);
    for (int i = 0; i < 2; i++)
        read_end(L, &o, &d->net.end[i]);
    if (o.subnet) {
        lua_pushstring(L, o.subnet);
        d->net.subnet = bind_check_prefix(L, -1, "subnet");
        d->net.has_subnet = true;
    }
    if (o.kind && g_str_equal(o.kind, "ppp"))
        d->net.kind = NET_LINK_PPP;
    else if (o.kind && !g_str_equal(o.kind, "ethernet"))
        luaerr_raise(L, "bad option \"kind\" for hs.link: got \"%s\", expected \"ethernet\" or \"ppp\"",
                     o.kind);
    d->up = o.up;
}

/* ---- trace files ---- */

LinkTrace *bind_trace_read(lua_State *L, const char *file, LinkTraceKind kind)
{
    Scenario *s = scenario_of(L);
    char *text = NULL, *path;
    size_t len = 0;
    GError *error = NULL;
    LinkTrace *trace;

    if (g_path_is_absolute(file) || strstr(file, ".."))
        luaerr_raise(L, "trace file \"%s\": expected a file beside the scenario, or in a folder there", file);
    path = g_build_filename(s->dir, file, NULL);
    int why = scenario_read(s, path, (size_t)64 << 20, &text, &len);

    g_free(path);
    if (why != 0)
        luaerr_raise(L, "cannot read the trace file \"%s\": %s", file, g_strerror(why));
    trace = kind == LINKTRACE_SCHEDULE ? linktrace_parse_schedule(text, len, file, &error)
                                       : linktrace_parse_opportunities(text, len, file, &error);
    g_free(text);
    if (!trace) {
        char *message = g_strdup(error->message);

        g_error_free(error);
        bind_raise_free(L, message);
    }
    return trace;
}
