/* hs.capture { file = "client.pcapng", client, … }: a wish that whoever writes files fulfils
 * (scenario_capture). */
#include <string.h>

#include "lua/bind/bind.h"

typedef struct CaptureOpts {
    const char *file;
    bool drops;
    uint64_t snaplen;
} CaptureOpts;

static const LuaOpt capture_opts[] = {
    {.name = "file", .kind = LUAOPT_STRING, .offset = offsetof(CaptureOpts, file), .required = true},
    {.name = "drops", .kind = LUAOPT_BOOL, .offset = offsetof(CaptureOpts, drops)},
    {.name = "snaplen", .kind = LUAOPT_SIZE, .offset = offsetof(CaptureOpts, snaplen), .max = 262144},
};
const BindOptions bind_capture_options = {"hs.capture", capture_opts, HS_ARRAY_LEN(capture_opts)};

/* Every interface of a node; of a link, both its ends. */
static void add_points(lua_State *L, int idx, GPtrArray *points)
{
    Scenario *s = scenario_of(L);
    const NetLink *link = luaclass_test(L, idx, &bind_link_class);
    const NetDev *dev = luaclass_test(L, idx, &bind_dev_class);

    if (link) {
        for (unsigned end = 0; end < 2; end++)
            if (netlink_point(link, end))
                g_ptr_array_add(points, (gpointer)netlink_point(link, end));
        return;
    }
    if (dev) {
        if (!dev->point)
            luaerr_raise(L, "interface \"%s\" has no wire to capture from", dev->name);
        g_ptr_array_add(points, (gpointer)dev->point);
        return;
    }
    const Node *node = bind_check_node(L, idx, "what to capture");

    for (unsigned i = 0; i < probes_point_count(net_probes(s->net)); i++) {
        const ProbePoint *point = probes_point(net_probes(s->net), i);

        if (point && point->node == node)
            g_ptr_array_add(points, (gpointer)point);
    }
}

/* Who asks for another kind of compression than there is must not get a plain file of that name. */
static void check_suffix(lua_State *L, const char *file)
{
    static const char *const others[] = {".gz", ".zst", ".xz", ".bz2"};

    for (unsigned i = 0; i < HS_ARRAY_LEN(others); i++)
        if (g_str_has_suffix(file, others[i]))
            luaerr_raise(
                L,
                "bad option \"file\" for hs.capture: got \"%s\", expected a name like \"x.pcapng\", or "
                "\"x.pcapng.lz4\" for a compressed capture",
                file);
}

static int hs_capture(lua_State *L)
{
    Scenario *s = scenario_of(L);
    CaptureOpts o = {0};

    luaL_checktype(L, 1, LUA_TTABLE);
    int n = (int)lua_rawlen(L, 1);

    if (s->is_ready)
        luaerr_raise(L, "hs.capture comes before the first hs.run");
    luaopt_read(L, 1, "hs.capture", capture_opts, HS_ARRAY_LEN(capture_opts), n, &o);
    if (*o.file == '\0' || g_path_is_absolute(o.file) || strstr(o.file, ".."))
        luaerr_raise(
            L, "bad option \"file\" for hs.capture: got \"%s\", expected a name inside the output folder",
            o.file);
    check_suffix(L, o.file);
    Capture *c = g_new0(Capture, 1);

    g_ptr_array_add(s->captures, c);
    c->file = g_strdup(o.file);
    c->points = g_ptr_array_new();
    c->drops = o.drops;
    c->snaplen = (uint32_t)o.snaplen;
    for (int i = 1; i <= n; i++) {
        lua_rawgeti(L, 1, i);
        add_points(L, lua_gettop(L), c->points);
        lua_pop(L, 1);
    }
    if (n && !c->points->len) /* none would mean all */
        luaerr_raise(L, "hs.capture has no interface to capture from: it comes after the links");
    if (s->config.on_wish)
        s->config.on_wish(s->config.user, s);
    return 0;
}

void bind_capture_open(lua_State *L)
{
    lua_pushcfunction(L, hs_capture);
    lua_setfield(L, -2, "capture");
}
