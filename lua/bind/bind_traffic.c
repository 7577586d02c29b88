/* Traffic that runs by itself: host:udp_echo, host:udp_sink, host:udp_source, host:tftp_server. Each lives
 * until it is stopped, or its host loses its power. */
#include <string.h>

#include "lua/bind/bind.h"
#include "models/app/tftp.h"
#include "models/app/udp_echo.h"
#include "models/app/udp_sink.h"
#include "models/app/udp_source.h"

struct ScnApp {
    ScnHost *host;
    UdpEcho *echo;
    UdpSink *sink;
    UdpSource *source;
    TftpServer *tftp;
    GPtrArray *files;       /* contents that the TFTP server lends; GBytes */
    UdpSinkResult sink_end; /* after it was stopped */
    UdpSourceResult source_end;
    TftpServerStats tftp_end;
    uint64_t echo_end;
};

static void stop(ScnApp *a)
{
    if (a->echo) {
        a->echo_end = udp_echo_count(a->echo);
        udp_echo_free(a->echo);
    }
    if (a->sink) {
        udp_sink_result(a->sink, &a->sink_end);
        udp_sink_free(a->sink);
    }
    if (a->source) {
        udp_source_result(a->source, &a->source_end);
        udp_source_free(a->source);
    }
    if (a->tftp) {
        tftp_server_stats(a->tftp, &a->tftp_end);
        tftp_server_free(a->tftp);
    }
    a->echo = NULL;
    a->sink = NULL;
    a->source = NULL;
    a->tftp = NULL;
}

void bind_apps_stop_host(ScnHost *h)
{
    for (guint i = 0; i < h->s->apps->len; i++) {
        ScnApp *a = g_ptr_array_index(h->s->apps, i);

        if (a->host == h)
            stop(a);
    }
}

static void release(void *ptr)
{
    ScnApp *a = ptr;

    stop(a);
    if (a->files)
        g_ptr_array_free(a->files, true);
    g_free(a);
}

void bind_apps_free(Scenario *s)
{
    g_ptr_array_set_free_func(s->apps, release);
    g_ptr_array_free(s->apps, true);
}

/* Pushes it, or nil and an errno if the port is taken. */
static int finish(lua_State *L, ScnApp *a, bool ok, const LuaClass *class)
{
    if (!ok) {
        release(a);
        return bind_push_errno(L, -EADDRINUSE);
    }
    g_ptr_array_add(a->host->s->apps, a);
    bind_host_hear_power(a->host);
    luaclass_push(L, class, a);
    return 1;
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

static void set_int(lua_State *L, const char *name, uint64_t value)
{
    lua_pushinteger(L, (lua_Integer)value);
    lua_setfield(L, -2, name);
}

static void set_time(lua_State *L, const char *name, SimTime t)
{
    bind_push_time(L, t);
    lua_setfield(L, -2, name);
}

/* ---- echo ---- */

int bind_host_udp_echo(lua_State *L)
{
    ScnHost *h = check_on(L);
    uint16_t port = lua_isnoneornil(L, 2) ? 7 : bind_check_port(L, 2, "port");
    ScnApp *a = g_new0(ScnApp, 1);

    a->host = h;
    a->echo = udp_echo_new(host_udp(h->host), port);
    return finish(L, a, a->echo != NULL, &bind_echo_class);
}

static int echo_count(lua_State *L)
{
    const ScnApp *a = luaclass_check(L, 1, &bind_echo_class);

    lua_pushinteger(L, (lua_Integer)(a->echo ? udp_echo_count(a->echo) : a->echo_end));
    return 1;
}

static int echo_stop(lua_State *L)
{
    scenario_may_change(L);
    stop(luaclass_check(L, 1, &bind_echo_class));
    return 0;
}

static const luaL_Reg echo_methods[] = {{"stop", echo_stop}, {NULL, NULL}};
static const luaL_Reg echo_properties[] = {{"count", echo_count}, {NULL, NULL}};
const LuaClass bind_echo_class = {.name = "udp echo", .methods = echo_methods, .properties = echo_properties};

/* ---- sink ---- */

int bind_host_udp_sink(lua_State *L)
{
    ScnHost *h = check_on(L);
    uint16_t port = bind_check_port(L, 2, "port");
    ScnApp *a = g_new0(ScnApp, 1);

    a->host = h;
    a->sink = udp_sink_new(host_udp(h->host), port, NULL, NULL);
    return finish(L, a, a->sink != NULL, &bind_sink_class);
}

static int sink_stats(lua_State *L)
{
    const ScnApp *a = luaclass_check(L, 1, &bind_sink_class);
    UdpSinkResult r = a->sink_end;

    if (a->sink)
        udp_sink_result(a->sink, &r);
    lua_createtable(L, 0, 7);
    set_int(L, "received", r.received);
    set_int(L, "bytes", r.bytes);
    set_int(L, "lost", r.lost);
    set_int(L, "reordered", r.reordered);
    if (r.received) {
        set_time(L, "first", r.first);
        set_time(L, "last", r.last);
        set_time(L, "longest_gap", r.longest_gap);
    }
    return 1;
}

static int sink_stop(lua_State *L)
{
    scenario_may_change(L);
    stop(luaclass_check(L, 1, &bind_sink_class));
    return 0;
}

static const luaL_Reg sink_methods[] = {{"stats", sink_stats}, {"stop", sink_stop}, {NULL, NULL}};
const LuaClass bind_sink_class = {.name = "udp sink", .methods = sink_methods};

/* ---- source ---- */

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
    ScnHost *h = check_on(L);
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
    ScnApp *a = g_new0(ScnApp, 1);

    a->host = h;
    a->source = udp_source_new(host_udp(h->host), host_ip4(h->host), &so, NULL, NULL);
    return finish(L, a, a->source != NULL, &bind_source_class);
}

static int source_stats(lua_State *L)
{
    const ScnApp *a = luaclass_check(L, 1, &bind_source_class);
    UdpSourceResult r = a->source_end;

    if (a->source)
        udp_source_result(a->source, &r);
    lua_createtable(L, 0, 5);
    set_int(L, "sent", r.sent);
    set_int(L, "failed", r.failed);
    if (r.err) {
        lua_pushstring(L, bind_errno_name(r.err < 0 ? r.err : -r.err));
        lua_setfield(L, -2, "error");
    }
    set_time(L, "gap", r.gap);
    set_int(L, "quenched", r.quenched);
    return 1;
}

static int source_stop(lua_State *L)
{
    scenario_may_change(L);
    stop(luaclass_check(L, 1, &bind_source_class));
    return 0;
}

static const luaL_Reg source_methods[] = {{"stats", source_stats}, {"stop", source_stop}, {NULL, NULL}};
const LuaClass bind_source_class = {.name = "udp source", .methods = source_methods};

/* ---- TFTP ---- */

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

static void add_files(lua_State *L, int idx, ScnApp *a)
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
        tftp_server_add_file(a->tftp, lua_tostring(L, -2), copy, d.len);
        if (copy)
            g_ptr_array_add(a->files, g_bytes_new_take(copy, d.len));
        lua_pop(L, 1);
    }
}

int bind_host_tftp_server(lua_State *L)
{
    ScnHost *h = check_on(L);
    TftpOpts o = {0};

    luaL_checktype(L, 2, LUA_TTABLE);
    luaopt_read(L, 2, "host:tftp_server", tftp_opts, HS_ARRAY_LEN(tftp_opts), 0, &o);
    check_files(L, o.files);
    ScnApp *a = g_new0(ScnApp, 1);

    a->host = h;
    a->tftp = tftp_server_new(host_udp(h->host), host_ip4(h->host), (uint16_t)o.port, o.timeout);
    if (a->tftp)
        add_files(L, o.files, a);
    return finish(L, a, a->tftp != NULL, &bind_tftp_server_class);
}

static int tftp_stats(lua_State *L)
{
    const ScnApp *a = luaclass_check(L, 1, &bind_tftp_server_class);
    TftpServerStats r = a->tftp_end;

    if (a->tftp)
        tftp_server_stats(a->tftp, &r);
    lua_createtable(L, 0, 5);
    set_int(L, "requests", r.requests);
    set_int(L, "completed", r.completed);
    set_int(L, "aborted", r.aborted);
    set_int(L, "errors", r.errors);
    set_int(L, "retransmits", r.retransmits);
    return 1;
}

static int tftp_stop(lua_State *L)
{
    scenario_may_change(L);
    stop(luaclass_check(L, 1, &bind_tftp_server_class));
    return 0;
}

static const luaL_Reg tftp_methods[] = {{"stats", tftp_stats}, {"stop", tftp_stop}, {NULL, NULL}};
const LuaClass bind_tftp_server_class = {.name = "tftp server", .methods = tftp_methods};
