/* TCP traffic that runs by itself: host:tcp_source and host:tcp_sink. Each lives until it is stopped, or its
 * host loses its power. */
#include <string.h>

#include "lua/bind/bind_tcp.h"
#include "models/app/tcp_sink.h"
#include "models/app/tcp_source.h"

struct ScnTcpApp {
    ScnHost *host;
    TcpSource *source;
    TcpSink *sink;
    char *congestion;
    TcpSourceResult source_end; /* after it was stopped */
    TcpSinkResult sink_end;
};

static void stop(ScnTcpApp *a)
{
    if (a->source) {
        tcp_source_result(a->source, &a->source_end);
        tcp_source_free(a->source);
    }
    if (a->sink) {
        tcp_sink_result(a->sink, &a->sink_end);
        tcp_sink_free(a->sink);
    }
    a->source = NULL;
    a->sink = NULL;
}

void bind_tcp_apps_stop_host(ScnHost *h)
{
    for (guint i = 0; i < h->s->tcp_apps->len; i++) {
        ScnTcpApp *a = g_ptr_array_index(h->s->tcp_apps, i);

        if (a->host == h)
            stop(a);
    }
}

static void release(void *ptr)
{
    ScnTcpApp *a = ptr;

    stop(a);
    g_free(a->congestion);
    g_free(a);
}

void bind_tcp_apps_free(Scenario *s)
{
    g_ptr_array_set_free_func(s->tcp_apps, release);
    g_ptr_array_free(s->tcp_apps, true);
}

static ScnHost *check_on(lua_State *L)
{
    ScnHost *h = bind_check_host(L, 1);

    scenario_may_change(L);
    scenario_prepare(L);
    if (!host_is_on(h->host))
        luaerr_raise(L, "host \"%s\" is switched off", h->node->name);
    return h;
}

static int finish(lua_State *L, ScnTcpApp *a, const LuaClass *class)
{
    g_ptr_array_add(a->host->s->tcp_apps, a);
    bind_host_hear_power(a->host);
    luaclass_push(L, class, a);
    return 1;
}

static void set_int(lua_State *L, const char *name, uint64_t value)
{
    lua_pushinteger(L, (lua_Integer)value);
    lua_setfield(L, -2, name);
}

/* A time that is not known yet (negative) is left out. */
static void set_time(lua_State *L, const char *name, SimTime t)
{
    if (t < 0)
        return;
    bind_push_time(L, t);
    lua_setfield(L, -2, name);
}

/* ---- source ---- */

typedef struct SourceOpts {
    int to;
    int64_t port;
    uint64_t bytes, write, sndbuf, rcvbuf;
    SimTime start;
    const char *congestion;
    bool keep_open;
} SourceOpts;

static const LuaOpt source_opts[] = {
    {.name = "to", .kind = LUAOPT_ANY, .offset = offsetof(SourceOpts, to), .required = true},
    {.name = "port",
     .kind = LUAOPT_INT,
     .offset = offsetof(SourceOpts, port),
     .required = true,
     .min = 1,
     .max = 65535},
    {.name = "bytes", .kind = LUAOPT_SIZE, .offset = offsetof(SourceOpts, bytes)},
    {.name = "start", .kind = LUAOPT_TIME, .offset = offsetof(SourceOpts, start)},
    {.name = "write", .kind = LUAOPT_SIZE, .offset = offsetof(SourceOpts, write)},
    {.name = "congestion", .kind = LUAOPT_STRING, .offset = offsetof(SourceOpts, congestion)},
    {.name = "sndbuf", .kind = LUAOPT_SIZE, .offset = offsetof(SourceOpts, sndbuf)},
    {.name = "rcvbuf", .kind = LUAOPT_SIZE, .offset = offsetof(SourceOpts, rcvbuf)},
    {.name = "keep_open", .kind = LUAOPT_BOOL, .offset = offsetof(SourceOpts, keep_open)},
};
const BindOptions bind_tcp_source_options = {"host:tcp_source", source_opts, HS_ARRAY_LEN(source_opts)};

/* host:tcp_source { to = "server", port = 5001, bytes = "10MB" } */
int bind_host_tcp_source(lua_State *L)
{
    ScnHost *h = check_on(L);
    SourceOpts o = {0};

    luaL_checktype(L, 2, LUA_TTABLE);
    luaopt_read(L, 2, "host:tcp_source", source_opts, HS_ARRAY_LEN(source_opts), 0, &o);
    TcpSourceOptions so = {.to = bind_tcp_check_address(L, o.to, h),
                           .start = o.start,
                           .bytes = o.bytes,
                           .write_bytes = (uint32_t)HS_MIN(o.write, (uint64_t)1 << 30),
                           .sndbuf = (uint32_t)HS_MIN(o.sndbuf, INT32_MAX),
                           .rcvbuf = (uint32_t)HS_MIN(o.rcvbuf, INT32_MAX),
                           .congestion = o.congestion,
                           .keep_open = o.keep_open};

    so.to.port = (uint16_t)o.port;
    ScnTcpApp *a = g_new0(ScnTcpApp, 1);

    a->host = h;
    a->congestion = g_strdup(o.congestion);
    so.congestion = a->congestion;
    a->source = tcp_source_new(host_tcp(h->host), h->node, &so, NULL, NULL);
    if (!a->source) {
        release(a);
        luaerr_raise(L, "bad option \"congestion\" for host:tcp_source: no congestion control \"%s\"",
                     o.congestion);
    }
    return finish(L, a, &bind_tcp_source_class);
}

static int source_stats(lua_State *L)
{
    const ScnTcpApp *a = luaclass_check(L, 1, &bind_tcp_source_class);
    TcpSourceResult r = a->source_end;

    if (a->source)
        tcp_source_result(a->source, &r);
    lua_createtable(L, 0, 4);
    set_int(L, "written", r.written);
    set_time(L, "connected", r.connected);
    set_time(L, "ended", r.ended);
    if (r.err) {
        lua_pushstring(L, bind_errno_name(-r.err));
        lua_setfield(L, -2, "error");
    }
    return 1;
}

/* TCP_INFO of its connection; nil before it began and after it was closed. */
static int source_info(lua_State *L)
{
    const ScnTcpApp *a = luaclass_check(L, 1, &bind_tcp_source_class);
    TcpConn *c = a->source ? tcp_source_conn(a->source) : NULL;

    if (!c)
        lua_pushnil(L);
    else
        bind_tcp_push_info(L, c);
    return 1;
}

/* Closes: what it has written still goes out. */
static int source_stop(lua_State *L)
{
    ScnTcpApp *a = luaclass_check(L, 1, &bind_tcp_source_class);

    scenario_may_change(L);
    if (a->source)
        tcp_source_stop(a->source);
    return 0;
}

static const luaL_Reg source_methods[] = {
    {"info", source_info}, {"stats", source_stats}, {"stop", source_stop}, {NULL, NULL}};
const LuaClass bind_tcp_source_class = {.name = "tcp source", .methods = source_methods};

/* ---- sink ---- */

typedef struct SinkOpts {
    int64_t port, backlog;
    uint64_t rcvbuf;
    bool check;
} SinkOpts;

static const LuaOpt sink_opts[] = {
    {.name = "port",
     .kind = LUAOPT_INT,
     .offset = offsetof(SinkOpts, port),
     .required = true,
     .min = 1,
     .max = 65535},
    {.name = "backlog",
     .kind = LUAOPT_INT,
     .offset = offsetof(SinkOpts, backlog),
     .min = 1,
     .max = INT32_MAX},
    {.name = "rcvbuf", .kind = LUAOPT_SIZE, .offset = offsetof(SinkOpts, rcvbuf)},
    {.name = "check", .kind = LUAOPT_BOOL, .offset = offsetof(SinkOpts, check)},
};
const BindOptions bind_tcp_sink_options = {"host:tcp_sink", sink_opts, HS_ARRAY_LEN(sink_opts)};

/* host:tcp_sink(5001), host:tcp_sink { port = 5001, rcvbuf = "64KB" } */
int bind_host_tcp_sink(lua_State *L)
{
    ScnHost *h = check_on(L);
    SinkOpts o = {.check = true};
    int err;

    if (lua_istable(L, 2))
        luaopt_read(L, 2, "host:tcp_sink", sink_opts, HS_ARRAY_LEN(sink_opts), 0, &o);
    else
        o.port = bind_check_port(L, 2, "port");
    TcpSinkOptions so = {.at = {.addr = inet_from_ip4(0), .port = (uint16_t)o.port},
                         .backlog = (int)o.backlog,
                         .rcvbuf = (uint32_t)HS_MIN(o.rcvbuf, INT32_MAX),
                         .check = o.check};
    ScnTcpApp *a = g_new0(ScnTcpApp, 1);

    a->host = h;
    a->sink = tcp_sink_new(host_tcp(h->host), h->node, &so, &err);
    if (!a->sink) {
        release(a);
        return bind_push_errno(L, err);
    }
    return finish(L, a, &bind_tcp_sink_class);
}

static int sink_stats(lua_State *L)
{
    const ScnTcpApp *a = luaclass_check(L, 1, &bind_tcp_sink_class);
    TcpSinkResult r = a->sink_end;

    if (a->sink)
        tcp_sink_result(a->sink, &r);
    lua_createtable(L, 0, 6);
    set_int(L, "connections", r.connections);
    set_int(L, "closed", r.closed);
    set_int(L, "bytes", r.bytes);
    set_int(L, "wrong_bytes", r.wrong_bytes);
    set_time(L, "first", r.bytes ? r.first : -1);
    set_time(L, "last", r.bytes ? r.last : -1);
    return 1;
}

static int sink_stop(lua_State *L)
{
    scenario_may_change(L);
    stop(luaclass_check(L, 1, &bind_tcp_sink_class));
    return 0;
}

static const luaL_Reg sink_methods[] = {{"stats", sink_stats}, {"stop", sink_stop}, {NULL, NULL}};
const LuaClass bind_tcp_sink_class = {.name = "tcp sink", .methods = sink_methods};
