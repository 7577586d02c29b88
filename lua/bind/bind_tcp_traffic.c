/* TCP traffic that runs by itself: host:tcp_source and host:tcp_sink. */
#include <string.h>

#include "lua/bind/bind_app.h"
#include "lua/bind/bind_tcp.h"
#include "models/app/tcp_sink.h"
#include "models/app/tcp_source.h"

/* A time that is not known yet (negative) is left out. */
static void set_time(lua_State *L, const char *name, SimTime t)
{
    if (t >= 0)
        bind_set_time(L, name, t);
}

/* ---- source ---- */

typedef struct SourceApp {
    ScnApp app;
    TcpSourceResult result;
    char *congestion;
} SourceApp;

static void look_source(ScnApp *a)
{
    tcp_source_result(a->run, &((SourceApp *)a)->result);
}

static void end_source(ScnApp *a)
{
    tcp_source_free(a->run);
}

static void release_source(ScnApp *app)
{
    g_free(((SourceApp *)app)->congestion);
}

static const ScnAppKind source_kind = {&bind_tcp_source_class, sizeof(SourceApp), look_source, end_source,
                                       release_source};

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
    ScnHost *h = bind_app_check_host(L);
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
    SourceApp *a = bind_app_new(h, &source_kind);

    a->congestion = g_strdup(o.congestion);
    so.congestion = a->congestion;
    a->app.run = tcp_source_new(host_tcp(h->host), h->node, &so, NULL, NULL);
    if (!a->app.run) {
        bind_app_free(&a->app);
        luaerr_raise(L, "bad option \"congestion\" for host:tcp_source: no congestion control \"%s\"",
                     o.congestion);
    }
    return bind_app_begin(L, &a->app);
}

static int source_stats(lua_State *L)
{
    const SourceApp *a = bind_app_look(L, &bind_tcp_source_class);
    const TcpSourceResult *r = &a->result;

    lua_createtable(L, 0, 4);
    bind_set_int(L, "written", r->written);
    set_time(L, "connected", r->connected);
    set_time(L, "ended", r->ended);
    if (r->err)
        bind_set_text(L, "error", bind_errno_name(-r->err));
    return 1;
}

/* TCP_INFO of its connection; nil before it began and after it was closed. */
static int source_info(lua_State *L)
{
    const SourceApp *a = luaclass_check(L, 1, &bind_tcp_source_class);
    TcpConn *c = a->app.run ? tcp_source_conn(a->app.run) : NULL;

    if (!c)
        lua_pushnil(L);
    else
        bind_tcp_push_info(L, c);
    return 1;
}

/* Closes: what it has written still goes out. */
static int source_stop(lua_State *L)
{
    SourceApp *a = luaclass_check(L, 1, &bind_tcp_source_class);

    scenario_may_change(L);
    if (a->app.run)
        tcp_source_stop(a->app.run);
    return 0;
}

static const luaL_Reg source_methods[] = {
    {"info", source_info}, {"stats", source_stats}, {"stop", source_stop}, {NULL, NULL}};
const LuaClass bind_tcp_source_class = {.name = "tcp source", .methods = source_methods};

/* ---- sink ---- */

typedef struct SinkApp {
    ScnApp app;
    TcpSinkResult result;
} SinkApp;

static void look_sink(ScnApp *a)
{
    tcp_sink_result(a->run, &((SinkApp *)a)->result);
}

static void end_sink(ScnApp *a)
{
    tcp_sink_free(a->run);
}

static const ScnAppKind sink_kind = {&bind_tcp_sink_class, sizeof(SinkApp), look_sink, end_sink, NULL};

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
    ScnHost *h = bind_app_check_host(L);
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
    SinkApp *a = bind_app_new(h, &sink_kind);

    a->app.run = tcp_sink_new(host_tcp(h->host), h->node, &so, &err);
    if (!a->app.run) {
        bind_app_free(&a->app);
        return bind_push_errno(L, err);
    }
    return bind_app_begin(L, &a->app);
}

static int sink_stats(lua_State *L)
{
    const SinkApp *a = bind_app_look(L, &bind_tcp_sink_class);
    const TcpSinkResult *r = &a->result;

    lua_createtable(L, 0, 6);
    bind_set_int(L, "connections", r->connections);
    bind_set_int(L, "closed", r->closed);
    bind_set_int(L, "bytes", r->bytes);
    bind_set_int(L, "wrong_bytes", r->wrong_bytes);
    set_time(L, "first", r->bytes ? r->first : -1);
    set_time(L, "last", r->bytes ? r->last : -1);
    return 1;
}

static int sink_stop(lua_State *L)
{
    return bind_app_stop(L, &bind_tcp_sink_class);
}

static const luaL_Reg sink_methods[] = {{"stats", sink_stats}, {"stop", sink_stop}, {NULL, NULL}};
const LuaClass bind_tcp_sink_class = {.name = "tcp sink", .methods = sink_methods};
