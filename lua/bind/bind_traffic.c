/* Traffic that runs by itself: host:udp_echo, host:udp_sink, host:udp_source, host:tftp_server. */
#include <string.h>

#include "lua/bind/bind_app.h"
#include "models/app/tftp.h"
#include "models/app/udp_echo.h"
#include "models/app/udp_sink.h"
#include "models/app/udp_source.h"

/* Pushes it, or nil and an errno if the port is taken. */
static int begin(lua_State *L, ScnApp *a)
{
    if (a->run)
        return bind_app_begin(L, a);
    bind_app_free(a);
    return bind_push_errno(L, -EADDRINUSE);
}

/* ---- echo ---- */

typedef struct EchoApp {
    ScnApp app;
    uint64_t count;
} EchoApp;

static void look_echo(ScnApp *a)
{
    ((EchoApp *)a)->count = udp_echo_count(a->run);
}

static void end_echo(ScnApp *a)
{
    udp_echo_free(a->run);
}

static const ScnAppKind echo_kind = {&bind_echo_class, sizeof(EchoApp), look_echo, end_echo, NULL};

int bind_host_udp_echo(lua_State *L)
{
    ScnHost *h = bind_app_check_host(L);
    uint16_t port = lua_isnoneornil(L, 2) ? 7 : bind_check_port(L, 2, "port");
    EchoApp *a = bind_app_new(h, &echo_kind);

    a->app.run = udp_echo_new(host_udp(h->host), port);
    return begin(L, &a->app);
}

static int echo_count(lua_State *L)
{
    const EchoApp *a = bind_app_look(L, &bind_echo_class);

    lua_pushinteger(L, (lua_Integer)a->count);
    return 1;
}

static int echo_stop(lua_State *L)
{
    return bind_app_stop(L, &bind_echo_class);
}

static const luaL_Reg echo_methods[] = {{"stop", echo_stop}, {NULL, NULL}};
static const luaL_Reg echo_properties[] = {{"count", echo_count}, {NULL, NULL}};
const LuaClass bind_echo_class = {.name = "udp echo", .methods = echo_methods, .properties = echo_properties};

/* ---- sink ---- */

typedef struct SinkApp {
    ScnApp app;
    UdpSinkResult result;
} SinkApp;

static void look_sink(ScnApp *a)
{
    udp_sink_result(a->run, &((SinkApp *)a)->result);
}

static void end_sink(ScnApp *a)
{
    udp_sink_free(a->run);
}

static const ScnAppKind sink_kind = {&bind_sink_class, sizeof(SinkApp), look_sink, end_sink, NULL};

int bind_host_udp_sink(lua_State *L)
{
    ScnHost *h = bind_app_check_host(L);
    uint16_t port = bind_check_port(L, 2, "port");
    SinkApp *a = bind_app_new(h, &sink_kind);

    a->app.run = udp_sink_new(host_udp(h->host), port, NULL, NULL);
    return begin(L, &a->app);
}

static int sink_stats(lua_State *L)
{
    const SinkApp *a = bind_app_look(L, &bind_sink_class);
    const UdpSinkResult *r = &a->result;

    lua_createtable(L, 0, 7);
    bind_set_int(L, "received", r->received);
    bind_set_int(L, "bytes", r->bytes);
    bind_set_int(L, "lost", r->lost);
    bind_set_int(L, "reordered", r->reordered);
    if (r->received) {
        bind_set_time(L, "first", r->first);
        bind_set_time(L, "last", r->last);
        bind_set_time(L, "longest_gap", r->longest_gap);
    }
    return 1;
}

static int sink_stop(lua_State *L)
{
    return bind_app_stop(L, &bind_sink_class);
}

static const luaL_Reg sink_methods[] = {{"stats", sink_stats}, {"stop", sink_stop}, {NULL, NULL}};
const LuaClass bind_sink_class = {.name = "udp sink", .methods = sink_methods};

/* ---- source ---- */

typedef struct SourceApp {
    ScnApp app;
    UdpSourceResult result;
} SourceApp;

static void look_source(ScnApp *a)
{
    udp_source_result(a->run, &((SourceApp *)a)->result);
}

static void end_source(ScnApp *a)
{
    udp_source_free(a->run);
}

static const ScnAppKind source_kind = {&bind_source_class, sizeof(SourceApp), look_source, end_source, NULL};

typedef struct SourceOpts {
    int to;
    int64_t port, size, count, local_port, tos;
    SimTime gap, start, on, off;
    uint64_t rate;
    bool exponential;
} SourceOpts;

static const LuaOpt source_opts[] = {
    {.name = "to", .kind = LUAOPT_ANY, .offset = offsetof(SourceOpts, to), .required = true},
    {.name = "port",
     .kind = LUAOPT_INT,
     .offset = offsetof(SourceOpts, port),
     .min = 1,
     .max = 65535,
     .required = true},
    {.name = "size", .kind = LUAOPT_INT, .offset = offsetof(SourceOpts, size), .min = 0, .max = 65507},
    {.name = "gap", .kind = LUAOPT_TIME, .offset = offsetof(SourceOpts, gap)},
    {.name = "rate", .kind = LUAOPT_RATE, .offset = offsetof(SourceOpts, rate)},
    {.name = "count", .kind = LUAOPT_INT, .offset = offsetof(SourceOpts, count), .min = 1, .max = 1e15},
    {.name = "start", .kind = LUAOPT_TIME, .offset = offsetof(SourceOpts, start)},
    {.name = "on", .kind = LUAOPT_TIME, .offset = offsetof(SourceOpts, on)},
    {.name = "off", .kind = LUAOPT_TIME, .offset = offsetof(SourceOpts, off)},
    {.name = "exponential", .kind = LUAOPT_BOOL, .offset = offsetof(SourceOpts, exponential)},
    {.name = "local_port",
     .kind = LUAOPT_INT,
     .offset = offsetof(SourceOpts, local_port),
     .min = 0,
     .max = 65535},
    {.name = "tos", .kind = LUAOPT_INT, .offset = offsetof(SourceOpts, tos), .min = 0, .max = 255},
};
const BindOptions bind_source_options = {"host:udp_source", source_opts, HS_ARRAY_LEN(source_opts)};

/* A rate is that of the payload. */
static SimTime gap_for(lua_State *L, const SourceOpts *o)
{
    if ((o->gap > 0) == (o->rate > 0))
        luaerr_raise(L, "host:udp_source wants either \"gap\" (from one datagram to the next) or \"rate\" "
                        "(of the payload)");
    if (o->gap > 0)
        return o->gap;
    uint64_t gap = (uint64_t)o->size * 8 * SIM_SEC / o->rate;

    if (gap == 0)
        luaerr_raise(L,
                     "host:udp_source: datagrams of %d bytes at that rate are less than a nanosecond apart",
                     (int)o->size);
    return (SimTime)gap;
}

int bind_host_udp_source(lua_State *L)
{
    ScnHost *h = bind_app_check_host(L);
    SourceOpts o = {.size = 1000};

    luaL_checktype(L, 2, LUA_TTABLE);
    luaopt_read(L, 2, "host:udp_source", source_opts, HS_ARRAY_LEN(source_opts), 0, &o);
    UdpSourceOptions so = {.to = {bind_check_addr(L, o.to, "to", h), (uint16_t)o.port},
                           .port = (uint16_t)o.local_port,
                           .size = (uint32_t)o.size,
                           .gap = gap_for(L, &o),
                           .count = (uint64_t)o.count,
                           .start = o.start,
                           .on = o.on,
                           .off = o.off,
                           .exponential = o.exponential,
                           .tos = (uint8_t)o.tos};
    SourceApp *a = bind_app_new(h, &source_kind);

    a->app.run = udp_source_new(host_udp(h->host), host_ip4(h->host), &so, NULL, NULL);
    return begin(L, &a->app);
}

static int source_stats(lua_State *L)
{
    const SourceApp *a = bind_app_look(L, &bind_source_class);
    const UdpSourceResult *r = &a->result;

    lua_createtable(L, 0, 5);
    bind_set_int(L, "sent", r->sent);
    bind_set_int(L, "failed", r->failed);
    if (r->err)
        bind_set_text(L, "error", bind_errno_name(r->err < 0 ? r->err : -r->err));
    bind_set_time(L, "gap", r->gap);
    bind_set_int(L, "quenched", r->quenched);
    return 1;
}

static int source_stop(lua_State *L)
{
    return bind_app_stop(L, &bind_source_class);
}

static const luaL_Reg source_methods[] = {{"stats", source_stats}, {"stop", source_stop}, {NULL, NULL}};
const LuaClass bind_source_class = {.name = "udp source", .methods = source_methods};

/* ---- TFTP ---- */

typedef struct TftpApp {
    ScnApp app;
    TftpServerStats stats;
    GPtrArray *files; /* contents that the server lends; GBytes */
} TftpApp;

static void look_tftp(ScnApp *a)
{
    tftp_server_stats(a->run, &((TftpApp *)a)->stats);
}

static void end_tftp(ScnApp *a)
{
    tftp_server_free(a->run);
}

static void release_tftp(ScnApp *app)
{
    TftpApp *a = (TftpApp *)app;

    if (a->files)
        g_ptr_array_free(a->files, true);
}

static const ScnAppKind tftp_kind = {&bind_tftp_server_class, sizeof(TftpApp), look_tftp, end_tftp,
                                     release_tftp};

typedef struct TftpOpts {
    int files;
    int64_t port;
    SimTime timeout;
} TftpOpts;

static const LuaOpt tftp_opts[] = {
    {.name = "files", .kind = LUAOPT_TABLE, .offset = offsetof(TftpOpts, files), .required = true},
    {.name = "port", .kind = LUAOPT_INT, .offset = offsetof(TftpOpts, port), .min = 1, .max = 65535},
    {.name = "timeout", .kind = LUAOPT_TIME, .offset = offsetof(TftpOpts, timeout)},
};
const BindOptions bind_tftp_server_options = {"host:tftp_server", tftp_opts, HS_ARRAY_LEN(tftp_opts)};

/* The table of files: names and contents. Raises before anything is made. */
static void check_files(lua_State *L, int idx)
{
    lua_pushnil(L);
    while (lua_next(L, idx)) {
        if (lua_type(L, -2) != LUA_TSTRING)
            luaerr_raise(L,
                         "bad option \"files\" for host:tftp_server: expected names of files as keys, such "
                         "as { [\"boot.img\"] = hs.payload(\"10KiB\") }");
        bind_check_data(L, -1, "files");
        lua_pop(L, 1);
    }
}

static void add_files(lua_State *L, int idx, TftpApp *a)
{
    a->files = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    lua_pushnil(L);
    while (lua_next(L, idx)) {
        BindData d = bind_check_data(L, -1, "files");
        uint8_t *copy = d.bytes || d.off ? g_malloc(d.len + 1) : NULL;

        if (copy && d.bytes)
            memcpy(copy, d.bytes, d.len);
        else if (copy)
            payload_fill(copy, d.off, d.len);
        tftp_server_add_file(a->app.run, lua_tostring(L, -2), copy, d.len);
        if (copy)
            g_ptr_array_add(a->files, g_bytes_new_take(copy, d.len));
        lua_pop(L, 1);
    }
}

int bind_host_tftp_server(lua_State *L)
{
    ScnHost *h = bind_app_check_host(L);
    TftpOpts o = {0};

    luaL_checktype(L, 2, LUA_TTABLE);
    luaopt_read(L, 2, "host:tftp_server", tftp_opts, HS_ARRAY_LEN(tftp_opts), 0, &o);
    check_files(L, o.files);
    TftpApp *a = bind_app_new(h, &tftp_kind);

    a->app.run = tftp_server_new(host_udp(h->host), host_ip4(h->host), (uint16_t)o.port, o.timeout);
    if (a->app.run)
        add_files(L, o.files, a);
    return begin(L, &a->app);
}

static int tftp_stats(lua_State *L)
{
    const TftpApp *a = bind_app_look(L, &bind_tftp_server_class);
    const TftpServerStats *r = &a->stats;

    lua_createtable(L, 0, 5);
    bind_set_int(L, "requests", r->requests);
    bind_set_int(L, "completed", r->completed);
    bind_set_int(L, "aborted", r->aborted);
    bind_set_int(L, "errors", r->errors);
    bind_set_int(L, "retransmits", r->retransmits);
    return 1;
}

static int tftp_stop(lua_State *L)
{
    return bind_app_stop(L, &bind_tftp_server_class);
}

static const luaL_Reg tftp_methods[] = {{"stats", tftp_stats}, {"stop", tftp_stop}, {NULL, NULL}};
const LuaClass bind_tftp_server_class = {.name = "tftp server", .methods = tftp_methods};
