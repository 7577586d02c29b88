/* hs.ip4: IPv4 addresses, prefixes and headers as a scenario calculates with them (models/wire/ipv4_addr.h,
 * ipv4.h).
 *
 * An address is a text ("10.0.0.1") or a whole number from 0 to 2^32 - 1. Text that is no address, mask or
 * header is nothing wrong with the scenario: the answer is then nil and a sentence that says why. */
#include <string.h>

#include "lua/bind/bind.h"
#include "models/wire/ipv4.h"

static int push_problem(lua_State *L, const char *problem)
{
    lua_pushnil(L);
    lua_pushstring(L, problem);
    return 2;
}

/* ---- addresses ---- */

static uint32_t check_addr(lua_State *L, int idx, const char *name)
{
    uint32_t addr = 0;
    int is_int = 0;
    lua_Integer n = lua_type(L, idx) == LUA_TNUMBER ? lua_tointegerx(L, idx, &is_int) : 0;

    if (is_int && n >= 0 && n <= UINT32_MAX)
        return (uint32_t)n;
    if (lua_type(L, idx) != LUA_TSTRING || !ipv4_addr_parse(bind_check_name(L, idx, name), &addr))
        luaerr_arg(L, idx, name, NULL, "an address such as \"10.0.0.1\", or a whole number of 32 bits");
    return addr;
}

/* hs.ip4.parse("10.0.0.1") → 167772161 */
static int ip4_parse(lua_State *L)
{
    const char *text = bind_check_name(L, 1, "address");
    uint32_t addr;

    if (!ipv4_addr_parse(text, &addr))
        return push_problem(L, "an address is four numbers of 0 to 255, separated by dots");
    lua_pushinteger(L, addr);
    return 1;
}

static int ip4_format(lua_State *L)
{
    bind_push_ip4(L, check_addr(L, 1, "address"));
    return 1;
}

/* The class, and the prefix length that it implies ("C", 24). Classes D and E have none. */
static int ip4_class(lua_State *L)
{
    uint32_t addr = check_addr(L, 1, "address");
    const char name[2] = {ipv4_addr_class(addr), '\0'};
    unsigned len = ipv4_addr_class_len(addr);

    lua_pushstring(L, name);
    if (len)
        lua_pushinteger(L, len);
    else
        lua_pushnil(L);
    return 2;
}

static int ip4_is_private(lua_State *L)
{
    lua_pushboolean(L, ipv4_addr_is_private(check_addr(L, 1, "address")));
    return 1;
}

static int ip4_is_multicast(lua_State *L)
{
    lua_pushboolean(L, ipv4_addr_is_multicast(check_addr(L, 1, "address")));
    return 1;
}

static int ip4_is_loopback(lua_State *L)
{
    lua_pushboolean(L, ipv4_addr_is_loopback(check_addr(L, 1, "address")));
    return 1;
}

/* ---- prefixes and masks ---- */

/* hs.ip4.mask(24) → "255.255.255.0" */
static int ip4_mask(lua_State *L)
{
    int is_int = 0;
    lua_Integer len = lua_type(L, 1) == LUA_TNUMBER ? lua_tointegerx(L, 1, &is_int) : -1;

    if (!is_int || len < 0 || len > 32)
        luaerr_arg(L, 1, "prefix length", NULL, "a whole number from 0 to 32");
    bind_push_ip4(L, ipv4_mask((unsigned)len));
    return 1;
}

/* hs.ip4.mask_length("255.255.255.0") → 24 */
static int ip4_mask_length(lua_State *L)
{
    uint32_t mask = check_addr(L, 1, "mask");

    if (!ipv4_mask_is_contiguous(mask))
        return push_problem(L, "a mask is ones, then zeros: RFC 4632 knows no holes");
    lua_pushinteger(L, ipv4_mask_len(mask));
    return 1;
}

static void push_prefix(lua_State *L, Ipv4Prefix p)
{
    uint32_t network = ipv4_prefix_network(p), last = ipv4_prefix_broadcast(p);
    bool has_broadcast = p.len < 31; /* RFC 3021: both addresses of a /31 are hosts' */
    char buf[IPV4_PREFIX_STR_LEN];

    lua_createtable(L, 0, 10);
    bind_set_ip4(L, "address", p.addr);
    bind_set_int(L, "length", p.len);
    bind_set_ip4(L, "mask", ipv4_mask(p.len));
    bind_set_ip4(L, "network", network);
    bind_set_ip4(L, "host", p.addr & ~ipv4_mask(p.len));
    bind_set_ip4(L, "first", network + has_broadcast);
    bind_set_ip4(L, "last", last - has_broadcast);
    bind_set_int(L, "hosts", ((uint64_t)1 << (32 - p.len)) - (has_broadcast ? 2 : 0));
    if (has_broadcast)
        bind_set_ip4(L, "broadcast", last);
    bind_set_text(L, "text", ipv4_prefix_format((Ipv4Prefix){network, p.len}, buf));
}

/* hs.ip4.prefix("10.100.122.2/24"), or the address and a mask or length as the second argument: everything
 * that follows from them. */
static int ip4_prefix(lua_State *L)
{
    Ipv4Prefix p;

    if (lua_isnoneornil(L, 2)) {
        if (!ipv4_prefix_parse(bind_check_name(L, 1, "prefix"), &p))
            return push_problem(L, "a prefix is an address, a slash and a length of 0 to 32");
        push_prefix(L, p);
        return 1;
    }
    p.addr = check_addr(L, 1, "address");
    if (lua_isinteger(L, 2)) {
        lua_Integer len = lua_tointeger(L, 2);

        if (len < 0 || len > 32)
            luaerr_arg(L, 2, "prefix length", NULL, "a whole number from 0 to 32, or a mask");
        p.len = (uint8_t)len;
    } else {
        uint32_t mask = check_addr(L, 2, "mask");

        if (!ipv4_mask_is_contiguous(mask))
            return push_problem(L, "a mask is ones, then zeros: RFC 4632 knows no holes");
        p.len = (uint8_t)ipv4_mask_len(mask);
    }
    push_prefix(L, p);
    return 1;
}

/* hs.ip4.contains("10.0.0.0/24", "10.0.0.7") */
static int ip4_contains(lua_State *L)
{
    Ipv4Prefix p = bind_check_prefix(L, 1, "prefix");

    lua_pushboolean(L, ipv4_prefix_contains(p, check_addr(L, 2, "address")));
    return 1;
}

/* ---- headers ---- */

typedef struct HeaderOpts {
    int64_t tos, len, id, frag_offset, ttl, proto;
    int src, dst, options;
    bool df, mf;
} HeaderOpts;

static const LuaOpt header_opts[] = {
    {.name = "tos", .kind = LUAOPT_INT, .offset = offsetof(HeaderOpts, tos), .max = 255},
    {.name = "len", .kind = LUAOPT_INT, .offset = offsetof(HeaderOpts, len), .max = 65535},
    {.name = "id", .kind = LUAOPT_INT, .offset = offsetof(HeaderOpts, id), .max = 65535},
    {.name = "frag_offset", .kind = LUAOPT_INT, .offset = offsetof(HeaderOpts, frag_offset), .max = 65528},
    {.name = "ttl", .kind = LUAOPT_INT, .offset = offsetof(HeaderOpts, ttl), .max = 255},
    {.name = "proto", .kind = LUAOPT_INT, .offset = offsetof(HeaderOpts, proto), .max = 255},
    {.name = "src", .kind = LUAOPT_ANY, .offset = offsetof(HeaderOpts, src), .required = true},
    {.name = "dst", .kind = LUAOPT_ANY, .offset = offsetof(HeaderOpts, dst), .required = true},
    {.name = "options", .kind = LUAOPT_ANY, .offset = offsetof(HeaderOpts, options)},
    {.name = "df", .kind = LUAOPT_BOOL, .offset = offsetof(HeaderOpts, df)},
    {.name = "mf", .kind = LUAOPT_BOOL, .offset = offsetof(HeaderOpts, mf)},
};
const BindOptions bind_ip4_encode_options = {"hs.ip4.encode", header_opts, HS_ARRAY_LEN(header_opts)};

/* hs.ip4.encode{ src =, dst =, … } → the header's bytes with its right checksum; len: of the header and
 * what follows, by default the header alone. */
static int ip4_encode(lua_State *L)
{
    HeaderOpts o = {.len = -1, .ttl = 64, .proto = IP_PROTO_UDP};
    uint8_t bytes[IPV4_MAX_HDR_LEN];
    const char *options = "";
    size_t options_len = 0;

    luaL_checktype(L, 1, LUA_TTABLE);
    luaopt_read(L, 1, "hs.ip4.encode", header_opts, HS_ARRAY_LEN(header_opts), 0, &o);
    if (o.options)
        options = luaL_checklstring(L, o.options, &options_len);
    if (options_len > IPV4_MAX_OPTIONS_LEN)
        luaerr_raise(L, "bad option \"options\" for hs.ip4.encode: got %d bytes, expected at most 40",
                     (int)options_len);
    if (o.frag_offset % 8)
        luaerr_raise(L, "bad option \"frag_offset\" for hs.ip4.encode: got %I, expected a multiple of 8",
                     (LUAI_UACINT)o.frag_offset);
    Ipv4Hdr h = {.tos = (uint8_t)o.tos,
                 .ttl = (uint8_t)o.ttl,
                 .proto = (uint8_t)o.proto,
                 .id = (uint16_t)o.id,
                 .frag_offset = (uint16_t)o.frag_offset,
                 .df = o.df,
                 .mf = o.mf,
                 .src = check_addr(L, o.src, "src"),
                 .dst = check_addr(L, o.dst, "dst"),
                 .options_len = (uint8_t)options_len};

    memcpy(h.options, options, options_len);
    h.total_len = (uint16_t)(o.len >= 0 ? (size_t)o.len : ipv4_encoded_len(&h));
    lua_pushlstring(L, (const char *)bytes, ipv4_encode(bytes, &h));
    return 1;
}

static const char *header_problem(int err)
{
    switch (err) {
    case WIRE_BAD_VERSION:
        return "the version is not 4";
    case WIRE_BAD_LENGTH:
        return "the header length is below 20, or above the total length";
    default:
        return "there are fewer bytes than the header announces";
    }
}

/* hs.ip4.decode(bytes) → what hs.ip4.encode takes, and version, hdr_len, proto_name, checksum, checksum_ok.
 * The bytes may end behind the header. */
static int ip4_decode(lua_State *L)
{
    size_t len;
    const uint8_t *bytes = (const uint8_t *)luaL_checklstring(L, 1, &len);
    Ipv4Hdr h;
    int hdr_len = ipv4_decode_quoted(&h, bytes, len);

    if (hdr_len < 0)
        return push_problem(L, header_problem(hdr_len));
    lua_createtable(L, 0, 16);
    bind_set_int(L, "version", 4);
    bind_set_int(L, "hdr_len", (uint64_t)hdr_len);
    bind_set_int(L, "tos", h.tos);
    bind_set_int(L, "len", h.total_len);
    bind_set_int(L, "id", h.id);
    bind_set_int(L, "frag_offset", h.frag_offset);
    bind_set_int(L, "ttl", h.ttl);
    bind_set_int(L, "proto", h.proto);
    bind_set_text(L, "proto_name", wire_name(ip_proto_names, h.proto)); /* NULL: nil */
    bind_set_int(L, "checksum", h.checksum);
    bind_set_ip4(L, "src", h.src);
    bind_set_ip4(L, "dst", h.dst);
    lua_pushlstring(L, (const char *)h.options, h.options_len);
    lua_setfield(L, -2, "options");
    bind_set_flag(L, "df", h.df);
    bind_set_flag(L, "mf", h.mf);
    bind_set_flag(L, "checksum_ok", ipv4_check(bytes) == WIRE_OK);
    return 1;
}

void bind_ip4_open(lua_State *L)
{
    static const luaL_Reg functions[] = {{"class", ip4_class},
                                         {"contains", ip4_contains},
                                         {"decode", ip4_decode},
                                         {"encode", ip4_encode},
                                         {"format", ip4_format},
                                         {"is_loopback", ip4_is_loopback},
                                         {"is_multicast", ip4_is_multicast},
                                         {"is_private", ip4_is_private},
                                         {"mask", ip4_mask},
                                         {"mask_length", ip4_mask_length},
                                         {"parse", ip4_parse},
                                         {"prefix", ip4_prefix},
                                         {NULL, NULL}};

    lua_createtable(L, 0, HS_ARRAY_LEN(functions));
    luaL_setfuncs(L, functions, 0);
    lua_setfield(L, -2, "ip4");
}
