/* host:ping(to, {…}): blocks until ping has ended, and returns its statistics. */
#include <string.h>

#include "lua/bind/bind.h"
#include "models/app/ping.h"

typedef struct PingOpts {
    int64_t count, size, ttl, tos, id, first_seq;
    SimTime interval, timeout;
    bool df, print;
    int src;
} PingOpts;

static const LuaOpt ping_opts[] = {
    {.name = "count", .kind = LUAOPT_INT, .offset = offsetof(PingOpts, count), .min = 1, .max = 1e9},
    {.name = "interval", .kind = LUAOPT_TIME, .offset = offsetof(PingOpts, interval)},
    {.name = "size", .kind = LUAOPT_INT, .offset = offsetof(PingOpts, size), .min = 0, .max = 65507},
    {.name = "timeout", .kind = LUAOPT_TIME, .offset = offsetof(PingOpts, timeout)},
    {.name = "ttl", .kind = LUAOPT_INT, .offset = offsetof(PingOpts, ttl), .min = 1, .max = 255},
    {.name = "tos", .kind = LUAOPT_INT, .offset = offsetof(PingOpts, tos), .min = 0, .max = 255},
    {.name = "df", .kind = LUAOPT_BOOL, .offset = offsetof(PingOpts, df)},
    {.name = "id", .kind = LUAOPT_INT, .offset = offsetof(PingOpts, id), .min = 1, .max = 65535},
    {.name = "first_seq",
     .kind = LUAOPT_INT,
     .offset = offsetof(PingOpts, first_seq),
     .min = 0,
     .max = 65535},
    {.name = "src", .kind = LUAOPT_ANY, .offset = offsetof(PingOpts, src)},
    {.name = "print", .kind = LUAOPT_BOOL, .offset = offsetof(PingOpts, print)},
};
const BindOptions bind_ping_options = {"host:ping", ping_opts, HS_ARRAY_LEN(ping_opts)};

typedef struct PingCall {
    ScnCall call;
    Ping *ping;
    PingResult result;
    GPtrArray *lines;
    GArray *replies; /* PingReply */
    char *name;
    bool print;
} PingCall;

static void on_line(void *user, const char *text)
{
    PingCall *c = user;

    g_ptr_array_add(c->lines, g_strdup(text));
    if (c->print)
        scenario_print(c->call.host->s, text);
}

static void on_reply(void *user, const PingReply *r)
{
    PingCall *c = user;

    g_array_append_vals(c->replies, r, 1);
}

static void on_done(void *user, const PingResult *r)
{
    PingCall *c = user;

    c->result = *r;
    bind_call_done(&c->call);
}

static void push_reply(lua_State *L, const PingReply *r)
{
    lua_createtable(L, 0, 8);
    bind_set_int(L, "seq", r->seq);
    bind_set_int(L, "ttl", r->ttl);
    bind_set_int(L, "len", r->len);
    bind_set_ip4(L, "from", r->from);
    if (r->icmp_type) {
        bind_set_int(L, "icmp_type", r->icmp_type);
        bind_set_int(L, "icmp_code", r->icmp_code);
        if (r->mtu)
            bind_set_int(L, "mtu", r->mtu);
        return;
    }
    bind_set_time(L, "rtt", r->rtt);
    bind_set_flag(L, "duplicate", r->is_dup);
}

/* { sent, received, duplicates, errors, loss, time, rtt = { min, avg, max, mdev }, replies = {…}, lines = {…}
 * } */
static int call_push(lua_State *L, void *data)
{
    const PingCall *c = data;
    const PingResult *r = &c->result;

    if (c->call.is_cut)
        return bind_push_errno(L, -ENETDOWN);
    if (r->err)
        return bind_push_errno(L, r->err < 0 ? r->err : -r->err);
    lua_createtable(L, 0, 10);
    bind_set_int(L, "sent", r->sent);
    bind_set_int(L, "received", r->received);
    bind_set_int(L, "duplicates", r->duplicates);
    bind_set_int(L, "errors", r->errors);
    bind_set_number(L, "loss", r->loss);
    bind_set_time(L, "time", r->time);
    lua_createtable(L, 0, 4);
    if (r->received > 0) {
        bind_set_time(L, "min", r->rtt_min);
        bind_set_time(L, "avg", r->rtt_avg);
        bind_set_time(L, "max", r->rtt_max);
        bind_set_time(L, "mdev", r->rtt_mdev);
    }
    lua_setfield(L, -2, "rtt");
    lua_createtable(L, (int)c->replies->len, 0);
    for (guint i = 0; i < c->replies->len; i++) {
        push_reply(L, &g_array_index(c->replies, PingReply, i));
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, "replies");
    lua_createtable(L, (int)c->lines->len, 0);
    for (guint i = 0; i < c->lines->len; i++) {
        lua_pushstring(L, g_ptr_array_index(c->lines, i));
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, "lines");
    return 1;
}

static void call_stop(ScnCall *call)
{
    PingCall *c = (PingCall *)call;

    ping_free(c->ping);
    c->ping = NULL;
}

static void call_left(void *data)
{
    PingCall *c = data;

    bind_call_left(&c->call);
    ping_free(c->ping);
    g_ptr_array_free(c->lines, true);
    g_array_free(c->replies, true);
    g_free(c->name);
    g_free(c);
}

int bind_host_ping(lua_State *L)
{
    ScnHost *h = bind_check_host(L, 1);
    PingOpts o = {.count = 4, .size = PING_DEFAULT_SIZE, .first_seq = 1};
    PingOptions po = PING_DEFAULTS;
    char text[IPV4_ADDR_STR_LEN];

    scenario_may_change(L);
    po.dst = bind_check_addr(L, 2, "destination", h);
    luaopt_read(L, 3, "host:ping", ping_opts, HS_ARRAY_LEN(ping_opts), 0, &o);
    if (o.src)
        po.src = bind_check_addr(L, o.src, "src", h);
    Proc *p = proc_current(L);

    if (!host_is_on(h->host))
        return bind_push_errno(L, -ENETDOWN);
    PingCall *c = g_new0(PingCall, 1);

    c->call = (ScnCall){.host = h, .stop = call_stop};
    c->print = o.print && !h->s->config.quiet;
    c->name = g_strdup(lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : ipv4_addr_format(po.dst, text));
    c->lines = g_ptr_array_new_with_free_func(g_free);
    c->replies = g_array_new(false, false, sizeof(PingReply));
    po.name = c->name;
    po.count = (uint64_t)o.count;
    po.interval = o.interval;
    po.size = (uint32_t)o.size;
    po.timeout = o.timeout;
    po.ttl = (uint8_t)o.ttl;
    po.tos = (uint8_t)o.tos;
    po.df = o.df;
    po.id = (uint16_t)o.id;
    po.first_seq = (uint16_t)o.first_seq;
    host_icmp4(h->host);
    c->ping = ping_new(host_ip4(h->host), &po, &(PingEvents){on_line, on_reply, on_done, c});
    if (!c->ping) {
        call_left(c);
        return bind_push_errno(L, -EADDRINUSE);
    }
    return bind_call_block(L, &c->call, p, call_push, call_left);
}
