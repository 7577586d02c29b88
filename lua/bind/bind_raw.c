/* host:raw("eth0"): frames as bytes, in and out of a card (AF_PACKET, SOCK_RAW). */
#include "lua/bind/bind.h"

#define QUEUE_MAX 1000 /* frames that wait to be read; more are lost, and counted */

typedef struct Raw {
    ScnHost *host;
    Nic *nic; /* NULL: closed */
    NicTap tap;
    GQueue frames; /* Packet */
    Proc *reader;
    uint64_t drops;
    bool outgoing;
} Raw;

static void on_frame(NicTap *tap, Nic *nic, const Packet *pkt, bool outgoing)
{
    Raw *r = HS_CONTAINER_OF(tap, Raw, tap);

    (void)nic;
    if (outgoing && !r->outgoing)
        return;
    if (g_queue_get_length(&r->frames) >= QUEUE_MAX) {
        r->drops++;
        return;
    }
    g_queue_push_tail(&r->frames, packet_ref((Packet *)pkt));
    if (r->reader)
        proc_wake(r->reader);
}

static void close_raw(Raw *r)
{
    if (r->nic)
        nic_remove_tap(r->nic, &r->tap);
    r->nic = NULL;
    while (!g_queue_is_empty(&r->frames))
        packet_unref(g_queue_pop_head(&r->frames));
    if (r->reader)
        proc_wake(r->reader);
}

static void release(void *ptr)
{
    close_raw(ptr);
    g_free(ptr);
}

typedef struct RawOpts {
    int64_t ethertype;
    bool outgoing;
} RawOpts;

static const LuaOpt raw_opts[] = {
    {.name = "ethertype", .kind = LUAOPT_INT, .offset = offsetof(RawOpts, ethertype), .min = 0, .max = 65535},
    {.name = "outgoing", .kind = LUAOPT_BOOL, .offset = offsetof(RawOpts, outgoing)},
};
const BindOptions bind_raw_options = {"host:raw", raw_opts, HS_ARRAY_LEN(raw_opts)};

int bind_raw_new(lua_State *L)
{
    ScnHost *h = bind_check_host(L, 1);
    const char *name = lua_isnoneornil(L, 2) ? "eth0" : bind_check_name(L, 2, "interface");
    NetDev *dev = host_dev(h->host, name);
    RawOpts o = {0};

    scenario_may_change(L);
    if (!dev || !bind_dev_nic(dev))
        luaerr_arg(L, 2, "interface", NULL, "the name of an Ethernet card of this host, such as \"eth0\"");
    luaopt_read(L, 3, "host:raw", raw_opts, HS_ARRAY_LEN(raw_opts), 0, &o);
    Raw *r = g_new0(Raw, 1);

    r->host = h;
    r->nic = nic_of_dev(dev);
    r->outgoing = o.outgoing;
    r->tap.frame = on_frame;
    r->tap.ethertype = (uint16_t)o.ethertype;
    g_queue_init(&r->frames);
    luaclass_push_owned(L, &bind_raw_class, r);
    nic_add_tap(r->nic, &r->tap);
    return 1;
}

static Raw *check(lua_State *L)
{
    return luaclass_check(L, 1, &bind_raw_class);
}

static int raw_send(lua_State *L)
{
    Raw *r = check(L);
    size_t len;
    const char *bytes = luaL_checklstring(L, 2, &len);
    Node *node = r->host->node;

    scenario_may_change(L);
    if (len < 14 || len > 65535)
        luaerr_arg(L, 2, "frame", NULL, "14 to 65535 bytes: a whole Ethernet frame");
    if (!r->nic)
        return bind_push_errno(L, -EBADF);
    scenario_prepare(L);
    Packet *pkt = packet_from_bytes(net_packets(r->host->s->net), node->id, node->birth_next++,
                                    (const uint8_t *)bytes, len);

    nic_send_raw(r->nic, pkt);
    lua_pushinteger(L, (lua_Integer)len);
    return 1;
}

static bool recv_ready(void *data)
{
    const Raw *r = data;

    return !r->nic || r->frames.length > 0;
}

static int recv_push(lua_State *L, void *data)
{
    Raw *r = data;

    if (!r->nic)
        return bind_push_errno(L, -EBADF);
    if (g_queue_is_empty(&r->frames))
        return bind_push_errno(L, -EAGAIN);
    Packet *pkt = g_queue_pop_head(&r->frames);
    uint32_t len = packet_len(pkt);
    luaL_Buffer b;
    char *room = luaL_buffinitsize(L, &b, len);

    packet_copy(pkt, 0, room, len);
    packet_unref(pkt);
    luaL_pushresultsize(&b, len);
    return 1;
}

static void recv_left(void *data)
{
    ((Raw *)data)->reader = NULL;
}

static int raw_recv(lua_State *L)
{
    Raw *r = check(L);
    SimTime timeout = bind_opt_time(L, 2, "timeout", -1);

    scenario_may_change(L);
    if (recv_ready(r) || timeout == 0)
        return recv_push(L, r);
    Proc *p = proc_current(L);

    if (r->reader)
        luaerr_raise(L, "another process waits on this socket already");
    r->reader = p;
    return proc_block(L, p, timeout, &(ProcWait){recv_ready, recv_push, recv_left, r});
}

static int raw_close(lua_State *L)
{
    close_raw(check(L));
    return 0;
}

static int get_drops(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)check(L)->drops);
    return 1;
}

static const luaL_Reg methods[] = {
    {"close", raw_close}, {"recv", raw_recv}, {"send", raw_send}, {NULL, NULL}};
static const luaL_Reg properties[] = {{"drops", get_drops}, {NULL, NULL}};

const LuaClass bind_raw_class = {
    .name = "raw socket", .methods = methods, .properties = properties, .release = release};
