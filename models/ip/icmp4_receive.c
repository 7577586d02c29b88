/* Errors that arrive (Linux icmp_unreach, icmp_socket_deliver): what they mean, and who sent the packet that
 * they quote. */
#include <errno.h>

#include "models/ip/icmp4_priv.h"
#include "models/ip/ip4_priv.h"

/* Linux's icmp_err_convert[]: the errno of each code of "destination unreachable", and whether it ends a
 * connection. */
static const struct {
    int err;
    bool hard;
} unreach[] = {
    [ICMP_UNREACH_NET] = {ENETUNREACH, false},
    [ICMP_UNREACH_HOST] = {EHOSTUNREACH, false},
    [ICMP_UNREACH_PROTO] = {ENOPROTOOPT, true},
    [ICMP_UNREACH_PORT] = {ECONNREFUSED, true},
    [ICMP_UNREACH_NEEDFRAG] = {EMSGSIZE, false},
    [ICMP_UNREACH_SRCROUTE] = {EOPNOTSUPP, false},
    [ICMP_UNREACH_NET_UNKNOWN] = {ENETUNREACH, true},
    [ICMP_UNREACH_HOST_UNKNOWN] = {EHOSTDOWN, true},
    [ICMP_UNREACH_ISOLATED] = {ENONET, true},
    [ICMP_UNREACH_NET_ADMIN] = {ENETUNREACH, true},
    [ICMP_UNREACH_HOST_ADMIN] = {EHOSTUNREACH, true},
    [ICMP_UNREACH_NET_TOS] = {ENETUNREACH, false},
    [ICMP_UNREACH_HOST_TOS] = {EHOSTUNREACH, false},
    [ICMP_UNREACH_ADMIN] = {EHOSTUNREACH, true},
    [14] = {EHOSTUNREACH, true}, /* host precedence violation */
    [15] = {EHOSTUNREACH, true}, /* precedence cutoff */
};

bool icmp4_quote(const Packet *pkt, uint8_t *buf, uint32_t *len)
{
    uint32_t n = packet_copy_raw(pkt, ICMP_HDR_LEN, buf, ICMP4_QUOTE_MAX);

    /* Linux: the header, and 8 bytes behind it (RFC 792's 64 bits). */
    if (n < IPV4_MIN_HDR_LEN || ipv4_hdr_len(buf) < IPV4_MIN_HDR_LEN || buf[0] >> 4 != 4 ||
        n < ipv4_hdr_len(buf) + 8)
        return false;
    *len = n;
    return true;
}

static void bad(Icmp4 *ic, Packet *pkt, const Ip4Rx *rx)
{
    icmp4_count(ic, MIB_IcmpInErrors);
    icmp4_drop(ic, pkt, rx, DROP_L4_HEADER);
}

/* RFC 1191; Linux's ip_no_pmtu_disc: 1 believes that the path shrank, but not how far (min_pmtu is taken), 2
 * believes nothing, 3 only what the quoted protocol can check. TCP looks at the quoted sequence number first
 * and updates the path MTU itself (RFC 5927 7). */
static bool pmtu_report(Icmp4 *ic, uint32_t dst, uint8_t proto, uint16_t *mtu)
{
    uint8_t mode = ip4_sysctl_get(ic->ip)->ip_no_pmtu_disc;

    if (mode == 2 || (mode == 3 && proto != IP_PROTO_TCP))
        return false;
    if (mode == 1)
        *mtu = 0;
    if (proto != IP_PROTO_TCP)
        ip4_pmtu_update(ic->ip, dst, *mtu);
    return true;
}

/* Fills in what the type means; false: nobody is told. */
static bool meaning(Icmp4 *ic, const uint8_t *h, uint8_t proto, Ip4Error *e)
{
    switch (e->icmp_type) {
    case ICMP_DEST_UNREACH:
        if (e->icmp_code >= HS_ARRAY_LEN(unreach))
            return false;
        e->err = unreach[e->icmp_code].err;
        e->hard = unreach[e->icmp_code].hard;
        if (e->icmp_code == ICMP_UNREACH_NEEDFRAG) {
            e->mtu = wire_get16(h + 6);
            return pmtu_report(ic, e->dst, proto, &e->mtu);
        }
        return true;
    case ICMP_SOURCE_QUENCH: /* RFC 6633: ignored. Without an errno: it asks, it does not fail anything */
        return ip4_sysctl_get(ic->ip)->source_quench;
    case ICMP_TIME_EXCEEDED:
        e->err = EHOSTUNREACH;
        return e->icmp_code != ICMP_EXCEEDED_REASSEMBLY;
    default:
        e->err = EPROTO;
        e->hard = true;
        return true;
    }
}

void icmp4_count_unclaimed(Ip4 *ip)
{
    icmp4_count(ip4_icmp(ip), MIB_IcmpInErrors);
}

static void count_in(Icmp4 *ic, uint8_t type)
{
    icmp4_count(ic, type == ICMP_DEST_UNREACH    ? MIB_IcmpInDestUnreachs
                    : type == ICMP_SOURCE_QUENCH ? MIB_IcmpInSrcQuenchs
                    : type == ICMP_TIME_EXCEEDED ? MIB_IcmpInTimeExcds
                                                 : MIB_IcmpInParmProbs);
}

void icmp4_receive_error(Icmp4 *ic, Packet *pkt, const Ip4Rx *rx)
{
    const uint8_t *h = packet_cdata(pkt);
    uint8_t quote[ICMP4_QUOTE_MAX];
    const Ip4Proto *proto;
    uint32_t len;
    Ip4Error e;

    count_in(ic, icmp_type(h));
    if (!icmp4_quote(pkt, quote, &len)) {
        bad(ic, pkt, rx);
        return;
    }
    e = (Ip4Error){
        .src = ipv4_src(quote),
        .dst = ipv4_dst(quote),
        .reporter = rx->src,
        .to = rx->dst,
        .tos = rx->tos,
        .ttl = rx->ttl,
        .len = (uint32_t)(pkt->head - pkt->l3) + packet_len(pkt),
        .in = rx->in,
        .icmp_type = icmp_type(h),
        .icmp_code = icmp_code(h),
        .l4 = quote + ipv4_hdr_len(quote),
        .l4_len = len - ipv4_hdr_len(quote),
    };
    /* Nobody can complain about what we never sent. */
    if (!ip4_is_local(ic->ip, e.src)) {
        bad(ic, pkt, rx);
        return;
    }
    /* Linux icmp_ignore_bogus_error_responses: routers that answer broadcasts with errors. */
    if (e.dst == IPV4_BROADCAST || !meaning(ic, h, ipv4_proto(quote), &e)) {
        packet_unref(pkt);
        return;
    }
    packet_unref(pkt);
    if (ipv4_proto(quote) == IP_PROTO_RAW) { /* icmp_socket_deliver: nobody is to receive anything there */
        icmp4_count(ic, MIB_IcmpInErrors);
        return;
    }
    ip4_raw_error(ic->ip, ipv4_proto(quote), &e);
    proto = ip4_proto(ic->ip, ipv4_proto(quote));
    if (proto && proto->error)
        proto->error(proto->user, &e);
}
