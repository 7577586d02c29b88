/* host:tftp_get(server, file, {…}): reads a file by TFTP; blocks until the transfer has ended. */
#include "lua/bind/bind.h"
#include "models/app/tftp.h"

typedef struct TftpGetOpts {
    int64_t port, local_port, blksize, timeout_s;
    const char *mode;
    bool tsize;
} TftpGetOpts;

static const LuaOpt opts[] = {
    {.name = "port", .kind = LUAOPT_INT, .offset = offsetof(TftpGetOpts, port), .min = 1, .max = 65535},
    {.name = "local_port",
     .kind = LUAOPT_INT,
     .offset = offsetof(TftpGetOpts, local_port),
     .min = 1,
     .max = 65535},
    {.name = "mode", .kind = LUAOPT_STRING, .offset = offsetof(TftpGetOpts, mode)},
    {.name = "blksize",
     .kind = LUAOPT_INT,
     .offset = offsetof(TftpGetOpts, blksize),
     .min = TFTP_BLKSIZE_MIN,
     .max = TFTP_BLKSIZE_MAX},
    {.name = "timeout", .kind = LUAOPT_INT, .offset = offsetof(TftpGetOpts, timeout_s), .min = 1, .max = 255},
    {.name = "tsize", .kind = LUAOPT_BOOL, .offset = offsetof(TftpGetOpts, tsize)},
};
const BindOptions bind_tftp_get_options = {"host:tftp_get", opts, HS_ARRAY_LEN(opts)};

typedef struct TftpCall {
    ScnCall call;
    TftpClient *client;
    TftpResult result;
    GByteArray *data;
} TftpCall;

static void on_data(void *user, const uint8_t *p, size_t len)
{
    g_byte_array_append(((TftpCall *)user)->data, p, (guint)len);
}

static void on_done(void *user, const TftpResult *r)
{
    TftpCall *c = user;

    c->result = *r;
    bind_call_done(&c->call);
}

/* { ok, data, bytes, blocks, retransmits, blksize, tsize, error_code, error, time, address, port } */
static int call_push(lua_State *L, void *data)
{
    const TftpCall *c = data;
    const TftpResult *r = &c->result;

    if (c->call.is_cut)
        return bind_push_errno(L, -ENETDOWN);
    lua_createtable(L, 0, 12);
    bind_set_flag(L, "ok", r->ok);
    lua_pushlstring(L, (const char *)c->data->data, c->data->len);
    lua_setfield(L, -2, "data");
    bind_set_int(L, "bytes", (int64_t)r->bytes);
    bind_set_int(L, "blocks", r->blocks);
    bind_set_int(L, "retransmits", r->retransmits);
    bind_set_int(L, "blksize", r->blksize);
    if (r->tsize >= 0)
        bind_set_int(L, "tsize", r->tsize);
    if (r->error_code >= 0) {
        bind_set_int(L, "error_code", r->error_code);
        bind_set_text(L, "error", r->error_msg);
    }
    bind_set_time(L, "time", r->time);
    bind_push_endpoint(L, r->server.ip, r->server.port);
    lua_setfield(L, -3, "port");
    lua_setfield(L, -2, "address");
    return 1;
}

static void call_stop(ScnCall *call)
{
    TftpCall *c = (TftpCall *)call;

    tftp_client_free(c->client);
    c->client = NULL;
}

static void call_left(void *data)
{
    TftpCall *c = data;

    bind_call_left(&c->call);
    tftp_client_free(c->client);
    g_byte_array_free(c->data, true);
    g_free(c);
}

int bind_host_tftp_get(lua_State *L)
{
    ScnHost *h = bind_check_host(L, 1);
    TftpGetOpts o = {0};

    scenario_may_change(L);
    uint32_t server = bind_check_addr(L, 2, "server", h);
    const char *file = bind_check_name(L, 3, "file");

    luaopt_read(L, 4, "host:tftp_get", opts, HS_ARRAY_LEN(opts), 0, &o);
    Proc *p = proc_current(L);

    if (!host_is_on(h->host))
        return bind_push_errno(L, -ENETDOWN);
    TftpGetOptions to = {.server = {server, (uint16_t)o.port},
                         .port = (uint16_t)o.local_port,
                         .filename = file,
                         .mode = o.mode,
                         .blksize = (uint32_t)o.blksize,
                         .timeout_s = (uint32_t)o.timeout_s,
                         .tsize = o.tsize};
    TftpCall *c = g_new0(TftpCall, 1);

    c->call = (ScnCall){.host = h, .stop = call_stop};
    c->data = g_byte_array_new();
    c->client = tftp_get(host_udp(h->host), host_ip4(h->host), &to, &(TftpEvents){on_data, on_done, c});
    if (!c->client) {
        call_left(c);
        return bind_push_errno(L, -EADDRINUSE);
    }
    return bind_call_block(L, &c->call, p, call_push, call_left);
}
