/* ICMPv6 (RFC 4443; Linux net/ipv6/icmp.c): errors that arrive and errors that we send, echo.
 *
 * What "packet too big" says is not taken on trust here: the protocol that recognises the quoted packet as
 * one of its own calls ip6_pmtu_update (Linux tcp_v6_mtu_reduced, __udp6_lib_err). Where we differ: our
 * errors are not limited in rate. */
#include "models/ip/icmp_quote.h"
#include "models/ip/ip6_priv.h"
#include "sim/packet/checksum.h"

#define QUOTE_IN_MAX 576 /* as much of a quoted packet as is looked at */
#define QUOTE_OUT_MAX (IPV6_MIN_MTU - IPV6_HDR_LEN - ICMP6_HDR_LEN) /* RFC 4443 2.4 (c) */

/* Linux tab_unreach[], icmpv6_err_convert. */
static const struct {
    int err;
    bool hard;
} unreach[] = {
    [ICMP6_UNREACH_NO_ROUTE] = {ENETUNREACH, false}, [ICMP6_UNREACH_ADMIN] = {EACCES, true},
    [ICMP6_UNREACH_SCOPE] = {EHOSTUNREACH, false},   [ICMP6_UNREACH_ADDR] = {EHOSTUNREACH, false},
    [ICMP6_UNREACH_PORT] = {ECONNREFUSED, true},     [ICMP6_UNREACH_POLICY] = {EACCES, true},
    [ICMP6_UNREACH_REJECT] = {EACCES, true},
};

/* ---- in ---- */

static void meaning(Ip6Error *e)
{
    e->err = EPROTO;
    switch (e->icmp_type) {
    case ICMP6_DEST_UNREACH:
        e->hard = true;
        if (e->icmp_code < HS_ARRAY_LEN(unreach)) {
            e->err = unreach[e->icmp_code].err;
            e->hard = unreach[e->icmp_code].hard;
        }
        break;
    case ICMP6_PACKET_TOO_BIG:
        e->err = EMSGSIZE;
        break;
    case ICMP6_PARAM_PROBLEM:
        e->hard = true;
        break;
    case ICMP6_TIME_EXCEEDED:
        e->err = EHOSTUNREACH;
        break;
    default:
        break;
    }
}

static void bad(Ip6 *ip, Packet *pkt, const Ip6Rx *rx, ProbeDrop reason)
{
    ip6_count(ip, MIB_Icmp6InErrors);
    ip6_drop(ip, rx->in, pkt, reason);
}

void ip6_count_unclaimed(Ip6 *ip)
{
    ip6_count(ip, MIB_Icmp6InErrors);
}

static void receive_error(Ip6 *ip, Packet *pkt, const Ip6Rx *rx)
{
    static const unsigned mib[] = {[ICMP6_DEST_UNREACH] = MIB_Icmp6InDestUnreachs,
                                   [ICMP6_PACKET_TOO_BIG] = MIB_Icmp6InPktTooBigs,
                                   [ICMP6_TIME_EXCEEDED] = MIB_Icmp6InTimeExcds,
                                   [ICMP6_PARAM_PROBLEM] = MIB_Icmp6InParmProblems};
    const uint8_t *h = packet_cdata(pkt);
    uint8_t quote[QUOTE_IN_MAX];
    uint32_t len = packet_copy_raw(pkt, ICMP6_HDR_LEN, quote, sizeof quote);
    const Ip6Proto *proto;
    Ip6Error e = {
        .reporter = rx->src,
        .to = rx->dst,
        .tclass = rx->tclass,
        .hop_limit = rx->hop_limit,
        .len = (uint32_t)(pkt->head - pkt->l3) + packet_len(pkt),
        .in = rx->in,
        .icmp_type = icmp6_type(h),
        .icmp_code = icmp6_code(h),
        .info = icmp6_info(h),
    };
    Ipv6Upper up;

    if (e.icmp_type < HS_ARRAY_LEN(mib) && mib[e.icmp_type])
        ip6_count(ip, mib[e.icmp_type]);
    if (len < IPV6_HDR_LEN || quote[0] >> 4 != 6 || ipv6_find_upper(&up, quote, len) != WIRE_OK ||
        len - up.off < 8) {
        bad(ip, pkt, rx, DROP_L4_HEADER);
        return;
    }
    e.src = ipv6_addr_get(quote + IPV6_SRC_OFF);
    e.dst = ipv6_addr_get(quote + IPV6_DST_OFF);
    e.l4 = quote + up.off;
    e.l4_len = len - (uint32_t)up.off;
    if (!ip6_is_local(ip, &e.src)) { /* nobody can complain about what we never sent */
        bad(ip, pkt, rx, DROP_L4_HEADER);
        return;
    }
    packet_unref(pkt);
    meaning(&e);
    if (up.proto == IP_PROTO_RAW) { /* icmpv6_notify: nobody is to receive anything there */
        ip6_count(ip, MIB_Icmp6InErrors);
        return;
    }
    ip6_raw_error(ip, up.proto, &e);
    proto = ip6_proto(ip, up.proto);
    if (proto && proto->error)
        proto->error(proto->user, &e);
}

static void answer_echo(Ip6 *ip, Packet *pkt, const Ip6Rx *rx)
{
    Ip6Tx tx = {.src = rx->dst, .dst = rx->src, .proto = IP_PROTO_ICMPV6, .tclass = rx->tclass};

    ip6_count(ip, MIB_Icmp6InEchos);
    if (ip->sysctl.icmp_echo_ignore_all) {
        ip6_drop(ip, rx->in, pkt, DROP_FILTER);
        return;
    }
    packet_data(pkt)[0] = ICMP6_ECHO_REPLY;
    ip6_l4_csum(pkt, &tx.src, &tx.dst, IP_PROTO_ICMPV6, ICMP6_CHECKSUM_OFF);
    ip6_count(ip, MIB_Icmp6OutMsgs);
    ip6_count(ip, MIB_Icmp6OutEchoReplies);
    ip6_output(ip, pkt, &tx);
}

static void receive_answer(Ip6 *ip, Packet *pkt, const Ip6Rx *rx)
{
    const Ip6Listener *l = ip6_echo_listener(ip, wire_get16(packet_cdata(pkt) + ICMP6_ID_OFF));

    ip6_count(ip, MIB_Icmp6InEchoReplies);
    if (l)
        l->fn(l->user, pkt, rx);
    else
        packet_unref(pkt);
}

/* Linux icmpv6_err, ping_err: an error about an echo request of ours. */
static void on_error(void *user, const Ip6Error *e)
{
    Ip6 *ip = user;
    const Ip6Listener *l = NULL;

    if (icmp6_type(e->l4) == ICMP6_ECHO)
        l = ip6_echo_listener(ip, wire_get16(e->l4 + ICMP6_ID_OFF));
    if (e->icmp_type == ICMP6_PACKET_TOO_BIG)
        ip6_pmtu_update(ip, &e->dst, e->info);
    if (l)
        l->error(l->user, e);
}

static bool checksum_ok(const Packet *pkt, const Ip6Rx *rx)
{
    uint32_t len = packet_len(pkt), sum;

    if (pkt->csum == PKT_CSUM_PARTIAL)
        return true;
    sum = ipv6_pseudo_sum(rx->src.b, rx->dst.b, IP_PROTO_ICMPV6, len);
    return checksum_fold(checksum_combine(sum, packet_sum(pkt, pkt->head, len))) == 0xffff;
}

static void on_input(void *user, Packet *pkt, const Ip6Rx *rx)
{
    Ip6 *ip = user;
    uint8_t type;

    ip6_count(ip, MIB_Icmp6InMsgs);
    if (packet_header_len(pkt) < ICMP6_HDR_LEN) {
        bad(ip, pkt, rx, DROP_L4_HEADER);
        return;
    }
    if (!checksum_ok(pkt, rx)) {
        ip6_count(ip, MIB_Icmp6InCsumErrors);
        bad(ip, pkt, rx, DROP_L4_CHECKSUM);
        return;
    }
    type = icmp6_type(packet_cdata(pkt));
    if (type < ICMP6_INFO) { /* errors of unknown types are handed up as well (RFC 4443 2.4) */
        receive_error(ip, pkt, rx);
    } else if (type == ICMP6_ECHO) {
        answer_echo(ip, pkt, rx);
    } else if (type == ICMP6_ECHO_REPLY) {
        receive_answer(ip, pkt, rx);
    } else {
        ip6_drop(ip, rx->in, pkt, DROP_NO_SOCKET);
    }
}

/* ---- out ---- */

/* RFC 4443 2.4 (e): never about an ICMPv6 error, something sent to many, or a source that is no single host.
 */
static bool may_send(const Packet *pkt, const uint8_t *hdr, uint32_t len)
{
    Ipv6Addr src = ipv6_addr_get(hdr + IPV6_SRC_OFF), dst = ipv6_addr_get(hdr + IPV6_DST_OFF);
    Ipv6Upper up;

    if (pkt->flags & (PKT_BROADCAST | PKT_MULTICAST | PKT_OTHERHOST))
        return false;
    if (ipv6_addr_is_multicast(&dst) || ipv6_addr_is_multicast(&src) || ip6_addr_is_any(&src))
        return false;
    if (ipv6_find_upper(&up, hdr, len) != WIRE_OK || up.frag_offset)
        return false;
    return up.proto != IP_PROTO_ICMPV6 || (up.off < len && !icmp6_is_error(hdr[up.off]));
}

void ip6_send_error(Ip6 *ip, const Packet *pkt, uint8_t type, uint8_t code, uint32_t info)
{
    const uint8_t *hdr = pkt->buf + pkt->l3;
    uint32_t in_buf = (uint32_t)(pkt->tail - pkt->l3), len = in_buf + pkt->payload_len;
    Ip6Tx tx = {.proto = IP_PROTO_ICMPV6};
    Node *node = ip6_node(ip);
    Ipv6Addr to;
    Ip6Flow f;
    Packet *out;
    uint8_t *h;

    if (!may_send(pkt, hdr, in_buf))
        return;
    to = ipv6_addr_get(hdr + IPV6_DST_OFF);
    tx.dst = ipv6_addr_get(hdr + IPV6_SRC_OFF);
    if (ip6_is_local(ip, &to))
        tx.src = to;
    if (ip6_route_get(ip, &tx.dst, &tx.src, NULL, &f))
        return;
    tx.src = f.src;
    len = HS_MIN(len, IPV6_HDR_LEN + (uint32_t)ipv6_payload_len(hdr));
    len = HS_MIN(len, (uint32_t)QUOTE_OUT_MAX);
    out = packet_new(ip6_pool(ip), node->id, node->birth_next++, PKT_HEADROOM);
    h = packet_put(out, ICMP6_HDR_LEN);
    h[0] = type;
    h[1] = code;
    wire_put16(h + ICMP6_CHECKSUM_OFF, 0);
    wire_put32(h + ICMP6_INFO_OFF, info);
    icmp_quote(out, pkt, len);
    out->l4 = out->head;
    ip6_l4_csum(out, &tx.src, &tx.dst, IP_PROTO_ICMPV6, ICMP6_CHECKSUM_OFF);
    ip6_count(ip, MIB_Icmp6OutMsgs);
    if (type == ICMP6_DEST_UNREACH)
        ip6_count(ip, MIB_Icmp6OutDestUnreachs);
    else if (type == ICMP6_PARAM_PROBLEM)
        ip6_count(ip, MIB_Icmp6OutParmProblems);
    ip6_output(ip, out, &tx);
}

void ip6_icmp_init(Ip6 *ip)
{
    ip6_set_proto(ip, IP_PROTO_ICMPV6, &(Ip6Proto){.input = on_input, .error = on_error, .user = ip});
}
