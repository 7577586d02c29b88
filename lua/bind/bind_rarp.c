/* host:rarp_server and host:rarp: RARP, by which a device without a disk learns its IP address (RFC 903). One
 * of the two per interface: both want the frames of EtherType 0x8035. */
#include "lua/bind/bind.h"

#include "models/ether/rarp.h"
#include "models/wire/eth.h"

#define TRIES_DEFAULT 5

struct ScnRarp {
    Ip4If *ifp; /* NULL: stopped */
    Proc *p;
    RarpServer server;
    RarpClient client;
    bool is_client, is_done;
    uint32_t addr, from;
};

static void stop(ScnRarp *r)
{
    if (!r->ifp)
        return;
    ip4_if_set_tap(r->ifp, ETH_TYPE_RARP, NULL, NULL);
    r->ifp = NULL;
    if (r->is_client)
        rarpclient_clear(&r->client);
    else
        rarpserver_clear(&r->server);
}

void bind_rarps_free(Scenario *s)
{
    for (guint i = 0; i < s->rarps->len; i++) {
        ScnRarp *r = g_ptr_array_index(s->rarps, i);

        stop(r);
        g_free(r);
    }
    g_ptr_array_free(s->rarps, true);
}

/* The interface named by the option, on which nobody speaks RARP yet. */
static Ip4If *check_if(lua_State *L, const ScnHost *h, const char *name)
{
    Ip4If *ifp = ip4_if_by_name(host_ip4(h->host), name ? name : "eth0");

    if (!ifp || !ip4_if_dev(ifp)->point || ip4_if_dev(ifp)->point->linktype != 1)
        luaerr_raise(L, "host \"%s\" has no Ethernet card \"%s\"", h->node->name, name ? name : "eth0");
    for (guint i = 0; i < h->s->rarps->len; i++)
        if (((const ScnRarp *)g_ptr_array_index(h->s->rarps, i))->ifp == ifp)
            luaerr_raise(L, "%s:%s speaks RARP already", h->node->name, ip4_if_dev(ifp)->name);
    return ifp;
}

static void on_frame(void *user, Ip4If *ifp, Packet *pkt)
{
    ScnRarp *r = user;

    (void)ifp;
    if (r->is_client)
        rarpclient_input(&r->client, pkt);
    else
        rarpserver_input(&r->server, pkt);
}

/* ---- server ---- */

/* host:rarp_server({ ["02:00:00:00:00:01"] = "10.0.0.9", … } [, interface]) */
int bind_host_rarp_server(lua_State *L)
{
    ScnHost *h = bind_check_host(L, 1);
    const char *name = lua_isnoneornil(L, 3) ? NULL : bind_check_name(L, 3, "interface");

    scenario_may_change(L);
    luaL_checktype(L, 2, LUA_TTABLE);
    scenario_prepare(L);
    Ip4If *ifp = check_if(L, h, name);

    for (lua_pushnil(L); lua_next(L, 2); lua_pop(L, 1)) { /* all is checked before anything is made */
        lua_pushvalue(L, -2);
        bind_check_mac(L, -1, "table of the server");
        bind_check_addr(L, -2, "table of the server", h);
        lua_pop(L, 1);
    }
    ScnRarp *r = g_new0(ScnRarp, 1);

    g_ptr_array_add(h->s->rarps, r);
    r->ifp = ifp;
    rarpserver_init(&r->server, ip4_if_dev(ifp), ip4_primary_addr(ifp));
    for (lua_pushnil(L); lua_next(L, 2); lua_pop(L, 1)) {
        lua_pushvalue(L, -2);
        rarpserver_set(&r->server, bind_check_mac(L, -1, "mac"), bind_check_addr(L, -2, "address", h));
        lua_pop(L, 1);
    }
    ip4_if_set_tap(ifp, ETH_TYPE_RARP, on_frame, r);
    luaclass_push(L, &bind_rarp_class, r);
    return 1;
}

static int server_requests(lua_State *L)
{
    const ScnRarp *r = luaclass_check(L, 1, &bind_rarp_class);

    lua_pushinteger(L, (lua_Integer)r->server.requests);
    return 1;
}

static int server_answers(lua_State *L)
{
    const ScnRarp *r = luaclass_check(L, 1, &bind_rarp_class);

    lua_pushinteger(L, (lua_Integer)r->server.answers);
    return 1;
}

static int server_stop(lua_State *L)
{
    scenario_may_change(L);
    stop(luaclass_check(L, 1, &bind_rarp_class));
    return 0;
}

static const luaL_Reg methods[] = {{"stop", server_stop}, {NULL, NULL}};
static const luaL_Reg properties[] = {
    {"answers", server_answers}, {"requests", server_requests}, {NULL, NULL}};
const LuaClass bind_rarp_class = {.name = "rarp server", .methods = methods, .properties = properties};

/* ---- client ---- */

typedef struct RarpOpts {
    int64_t tries;
    const char *dev;
} RarpOpts;

static const LuaOpt rarp_opts[] = {
    {.name = "tries", .kind = LUAOPT_INT, .offset = offsetof(RarpOpts, tries), .min = 1, .max = 1e6},
    {.name = "dev", .kind = LUAOPT_STRING, .offset = offsetof(RarpOpts, dev)},
};
const BindOptions bind_rarp_options = {"host:rarp", rarp_opts, HS_ARRAY_LEN(rarp_opts)};

static void on_answer(void *user, uint32_t addr, uint32_t server)
{
    ScnRarp *r = user;

    r->addr = addr;
    r->from = server;
    r->is_done = true;
    if (r->p)
        proc_wake(r->p);
}

static bool is_ready(void *data)
{
    return ((const ScnRarp *)data)->is_done;
}

static int push(lua_State *L, void *data)
{
    const ScnRarp *r = data;

    if (r->addr == 0)
        return bind_push_errno(L, -ETIMEDOUT);
    bind_push_ip4(L, r->addr);
    bind_push_ip4(L, r->from);
    return 2;
}

static void left(void *data)
{
    ScnRarp *r = data;

    r->p = NULL;
    stop(r);
}

/* host:rarp({ tries = 5, dev = "eth0" }): blocks; address, server or nil, "ETIMEDOUT". Does not configure the
 * address. */
int bind_host_rarp(lua_State *L)
{
    ScnHost *h = bind_check_host(L, 1);
    RarpOpts o = {.tries = TRIES_DEFAULT};

    scenario_may_change(L);
    luaopt_read(L, 2, "host:rarp", rarp_opts, HS_ARRAY_LEN(rarp_opts), 0, &o);
    scenario_prepare(L);
    Ip4If *ifp = check_if(L, h, o.dev);
    Proc *p = proc_current(L);

    if (!host_is_on(h->host))
        return bind_push_errno(L, -ENETDOWN);
    ScnRarp *r = g_new0(ScnRarp, 1);

    g_ptr_array_add(h->s->rarps, r);
    r->ifp = ifp;
    r->p = p;
    r->is_client = true;
    rarpclient_init(&r->client, ip4_if_dev(ifp), on_answer, r);
    ip4_if_set_tap(ifp, ETH_TYPE_RARP, on_frame, r);
    rarpclient_start(&r->client, (unsigned)o.tries);
    return proc_block(L, p, -1, &(ProcWait){is_ready, push, left, r});
}
