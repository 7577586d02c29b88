/* host:forge{...}: one TCP segment that belongs to no socket, with any addresses and numbers, as a raw IP
 * socket sends it (IP_HDRINCL; what hping3 does). The host's own TCP knows nothing of it. */
#include <string.h>

#include "lua/bind/bind.h"
#include "models/ip/ip4.h"
#include "models/wire/tcp.h"

#define MAX_DATA 65000

typedef struct Forge {
    int src, to, data, options; /* where the values are on the stack; 0: not given */
    int64_t sport, dport, seq, ack, window, urgent, ttl, tos;
    const char *flags;
} Forge;

#define AT(n, k, low, high)                                                                                  \
    {                                                                                                        \
        .name = #n, .kind = k, .offset = offsetof(Forge, n), .min = low, .max = high                         \
    }
static const LuaOpt forge_list[] = {
    AT(ack, LUAOPT_INT, 0, UINT32_MAX),
    AT(data, LUAOPT_ANY, 0, 0),
    AT(dport, LUAOPT_INT, 0, 65535),
    AT(flags, LUAOPT_STRING, 0, 0),
    AT(options, LUAOPT_ANY, 0, 0),
    AT(seq, LUAOPT_INT, 0, UINT32_MAX),
    AT(sport, LUAOPT_INT, 0, 65535),
    AT(src, LUAOPT_ANY, 0, 0),
    {"to", LUAOPT_ANY, offsetof(Forge, to), .required = true},
    AT(tos, LUAOPT_INT, 0, 255),
    AT(ttl, LUAOPT_INT, 1, 255),
    AT(urgent, LUAOPT_INT, 0, 65535),
    AT(window, LUAOPT_INT, 0, 65535),
};
const BindOptions bind_forge_options = {"host:forge", forge_list, HS_ARRAY_LEN(forge_list)};

/* tcpdump's letters; "." is ACK. */
static uint16_t check_flags(lua_State *L, const char *text)
{
    static const char letters[] = "FSRP.UEW";
    uint16_t flags = 0;

    for (; *text; text++) {
        const char *at = strchr(letters, *text == 'A' ? '.' : *text);

        if (!at)
            luaerr_raise(
                L, "bad flags for host:forge: got \"%s\", expected letters of S, F, R, P, A (or .), U, E, W",
                text);
        flags |= (uint16_t)(1u << (at - letters));
    }
    return flags;
}

static void take_options(lua_State *L, int idx, TcpHdr *hdr)
{
    size_t len;
    const char *bytes = luaL_checklstring(L, idx, &len);

    if (len > TCP_MAX_OPTIONS_LEN)
        luaerr_raise(L, "bad options for host:forge: got %d bytes, expected at most 40", (int)len);
    memcpy(hdr->options, bytes, len);
    hdr->options_len = (uint8_t)len;
}

static void add_data(lua_State *L, int idx, Packet *pkt)
{
    BindData d = bind_check_data(L, idx, "data");

    if (d.bytes)
        packet_add_bytes(pkt, d.bytes, (size_t)d.len);
    else if (d.len)
        packet_add_synthetic(pkt, d.off, (uint32_t)d.len);
}

int bind_host_forge(lua_State *L)
{
    ScnHost *h = bind_check_host(L, 1);
    Node *node = h->node;
    Forge f = {.sport = 1024, .window = 65535, .flags = "S"};

    scenario_may_change(L);
    luaopt_read(L, 2, "host:forge", forge_list, HS_ARRAY_LEN(forge_list), 0, &f);
    scenario_prepare(L);
    TcpHdr hdr = {.src_port = (uint16_t)f.sport,
                  .dst_port = (uint16_t)f.dport,
                  .seq = (uint32_t)f.seq,
                  .ack = (uint32_t)f.ack,
                  .flags = check_flags(L, f.flags),
                  .window = (uint16_t)f.window,
                  .urgent = (uint16_t)f.urgent};
    Ipv4Hdr ip = {.dst = bind_check_addr(L, f.to, "to", h),
                  .src = f.src ? bind_check_addr(L, f.src, "src", h) : host_addr(h->host),
                  .proto = IP_PROTO_TCP,
                  .ttl = f.ttl ? (uint8_t)f.ttl : 64,
                  .tos = (uint8_t)f.tos,
                  .df = true};

    if (f.options)
        take_options(L, f.options, &hdr);
    if (f.data && bind_check_data(L, f.data, "data").len > MAX_DATA)
        luaerr_raise(L, "bad data for host:forge: expected at most %d bytes", MAX_DATA);
    Packet *pkt = packet_new(net_packets(h->s->net), node->id, node->birth_next++, PKT_HEADROOM);

    tcp_encode(packet_put(pkt, (unsigned)tcp_encoded_len(&hdr)), &hdr);
    if (f.data)
        add_data(L, f.data, pkt);
    ip.total_len = (uint16_t)(packet_len(pkt) + IPV4_MIN_HDR_LEN);
    pkt->l4 = pkt->head;
    ip4_l4_csum(pkt, ip.src, ip.dst, IP_PROTO_TCP, TCP_CHECKSUM_OFF);
    ipv4_encode(packet_push(pkt, IPV4_MIN_HDR_LEN), &ip);
    Ip4Tx tx = {.dst = ip.dst, .header_included = true};
    int rc = host_is_on(h->host) ? ip4_output(host_ip4(h->host), pkt, &tx) : -ENETDOWN;

    if (rc < 0)
        return bind_push_errno(L, rc);
    lua_pushboolean(L, true);
    return 1;
}
