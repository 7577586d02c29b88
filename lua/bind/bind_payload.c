/* hs.payload "10MB": bytes that are a pattern and a length, usable wherever data is sent; what arrives of
 * them can be checked without being stored (sim/packet/payload.h). */
#include <string.h>

#include "lua/bind/bind.h"

#define BYTES_MAX ((uint64_t)64 << 20) /* that a scenario may turn into a string at once */

typedef struct Payload {
    uint64_t off, len;
} Payload;

void bind_push_payload(lua_State *L, uint64_t off, uint64_t len)
{
    Payload *p = g_new(Payload, 1);

    *p = (Payload){off, len};
    luaclass_push_owned(L, &bind_payload_class, p);
}

/* hs.payload(size [, offset]) */
static int hs_payload(lua_State *L)
{
    static const LuaOpt size = {.name = "size", .kind = LUAOPT_SIZE},
                        offset = {.name = "offset", .kind = LUAOPT_SIZE};
    uint64_t len = 0, off = 0;

    luaopt_value(L, 1, "hs.payload", &size, &len);
    if (!lua_isnoneornil(L, 2))
        luaopt_value(L, 2, "hs.payload", &offset, &off);
    bind_push_payload(L, off, len);
    return 1;
}

BindData bind_check_data(lua_State *L, int idx, const char *name)
{
    const Payload *p = luaclass_test(L, idx, &bind_payload_class);
    size_t len;

    if (p)
        return (BindData){NULL, p->off, p->len};
    if (lua_type(L, idx) != LUA_TSTRING)
        luaerr_arg(L, idx, name, NULL, "a string, or a payload (hs.payload)");
    const char *bytes = lua_tolstring(L, idx, &len);

    return (BindData){(const uint8_t *)bytes, 0, len};
}

void bind_push_packet_data(lua_State *L, const Packet *pkt, uint32_t len)
{
    bool is_synthetic = packet_header_len(pkt) == 0 && pkt->n_slices == 1 && !pkt->slice[0].chunk &&
                        len > 0 && len <= pkt->payload_len;

    if (is_synthetic) {
        bind_push_payload(L, pkt->slice[0].off, len);
        return;
    }
    luaL_Buffer b;
    char *room = luaL_buffinitsize(L, &b, len);

    luaL_pushresultsize(&b, packet_copy_raw(pkt, 0, room, len));
}

static Payload *check(lua_State *L, int idx)
{
    return luaclass_check(L, idx, &bind_payload_class);
}

static void push_bytes(lua_State *L, const Payload *p)
{
    luaL_Buffer b;

    if (p->len > BYTES_MAX)
        luaerr_raise(L, "a payload of %I bytes is too large for a string: work with parts of it (p:sub)",
                     (LUAI_UACINT)p->len);
    sandbox_charge(L, p->len / 16);
    char *room = luaL_buffinitsize(L, &b, p->len);

    payload_fill((uint8_t *)room, p->off, p->len);
    luaL_pushresultsize(&b, p->len);
}

static int payload_bytes(lua_State *L)
{
    push_bytes(L, check(L, 1));
    return 1;
}

/* p:matches(what): the same bytes? what is a string or payload; nothing: the stream from its begin. */
static int payload_is_match(lua_State *L)
{
    const Payload *p = check(L, 1);
    bool same = p->off % PAYLOAD_PERIOD == 0;

    if (!lua_isnoneornil(L, 2)) {
        BindData d = bind_check_data(L, 2, "data");

        same = d.len == p->len && (d.bytes ? payload_matches(d.bytes, p->off, d.len)
                                           : d.off % PAYLOAD_PERIOD == p->off % PAYLOAD_PERIOD || d.len == 0);
    }
    lua_pushboolean(L, same);
    return 1;
}

/* As string.sub. */
static int payload_part(lua_State *L)
{
    const Payload *p = check(L, 1);
    lua_Integer len = (lua_Integer)p->len, from = luaL_checkinteger(L, 2), to = luaL_optinteger(L, 3, -1);

    if (from < 0)
        from = HS_MAX(len + from + 1, 1);
    if (to < 0)
        to = len + to + 1;
    from = HS_MAX(from, 1);
    to = HS_MIN(to, len);
    bind_push_payload(L, p->off + (uint64_t)(from - 1), to >= from ? (uint64_t)(to - from + 1) : 0);
    return 1;
}

static int get_len(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)check(L, 1)->len);
    return 1;
}

static int get_offset(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)check(L, 1)->off);
    return 1;
}

static char *describe(const void *ptr)
{
    const Payload *p = ptr;

    return g_strdup_printf("payload of %" G_GUINT64_FORMAT " bytes from %" G_GUINT64_FORMAT, p->len, p->off);
}

static const luaL_Reg methods[] = {
    {"bytes", payload_bytes}, {"matches", payload_is_match}, {"sub", payload_part}, {NULL, NULL}};
static const luaL_Reg properties[] = {{"len", get_len}, {"offset", get_offset}, {NULL, NULL}};

const LuaClass bind_payload_class = {.name = "payload",
                                     .methods = methods,
                                     .properties = properties,
                                     .describe = describe,
                                     .release = g_free,
                                     .length = get_len};

void bind_payload_open(lua_State *L)
{
    lua_pushcfunction(L, hs_payload);
    lua_setfield(L, -2, "payload");
}
