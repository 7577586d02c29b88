#include "models/udp/udp.h"

#include <errno.h>

#include "models/ip/icmp4.h"
#include "models/udp/udp_priv.h"
#include "sim/packet/checksum.h"

#define ADDRS_FIELDS                                                                                         \
    {"src", PROBE_IP4}, {"src_port", PROBE_U64}, {"dst", PROBE_IP4}, {"dst_port", PROBE_U64},                \
    {                                                                                                        \
        "length_bytes", PROBE_U64                                                                            \
    }

const ProbeDesc udp_probe_send = {
    .name = "udp.send",
    .help = "A socket sends a datagram.",
    .cls = PROBE_UDP,
    .n_fields = 5,
    .field = {ADDRS_FIELDS},
};

const ProbeDesc udp_probe_deliver = {
    .name = "udp.deliver",
    .help = "A datagram goes into a socket's receive queue, which then holds so much.",
    .cls = PROBE_UDP,
    .n_fields = 6,
    .field = {ADDRS_FIELDS, {"queued_bytes", PROBE_U64}},
};

const ProbeDesc udp_probe_drop = {
    .name = "udp.drop",
    .help = "A datagram reaches no socket.",
    .cls = PROBE_UDP,
    .n_fields = 6,
    .field = {ADDRS_FIELDS, {"reason", PROBE_STR}},
};

static const char *const mib_names[] = {
#define X(name) #name,
    UDP_MIB(X)
#undef X
};

uint64_t udp_mib(const Udp *u, unsigned i)
{
    hs_assert(i < UDP_MIB_COUNT);
    return u->mib[i];
}

const char *udp_mib_name(unsigned i)
{
    hs_assert(i < UDP_MIB_COUNT);
    return mib_names[i];
}

/* ---- arrival (Linux __udp4_lib_rcv) ---- */

static void emit(const Udp *u, const ProbeDesc *desc, const Packet *pkt, const UdpKey *k, uint32_t len,
                 ProbeValue last)
{
    if (probe_wanted(u->node, PROBE_UDP))
        probe_emit(u->node, desc, NULL, pkt,
                   (ProbeValue[]){{.u = k->remote_ip},
                                  {.u = k->remote_port},
                                  {.u = k->local_ip},
                                  {.u = k->local_port},
                                  {.u = len},
                                  last});
}

static void emit_drop(const Udp *u, const Packet *pkt, const UdpKey *k, uint32_t len, ProbeDrop reason)
{
    emit(u, &udp_probe_drop, pkt, k, len, (ProbeValue){.s = probe_drop_name(reason)});
}

static void drop(Udp *u, Packet *pkt, const Ip4Rx *rx, const UdpKey *k, uint32_t len, ProbeDrop reason)
{
    emit_drop(u, pkt, k, len, reason);
    probe_drop(u->node, rx->in ? ip4_if_dev(rx->in)->point : NULL, pkt, reason);
}

/* Puts the packet into the socket's queue; false: no room (counted). Keeps the caller's reference. */
static bool deliver(Udp *u, UdpSock *s, Packet *pkt, const UdpKey *k, uint32_t len)
{
    if (HS_UNLIKELY(!udpsock_enqueue(s, packet_ref(pkt), len, k->dev))) {
        packet_unref(pkt);
        s->drops++;
        u->mib[MIB_UdpRcvbufErrors]++;
        u->mib[MIB_UdpInErrors]++;
        return false;
    }
    emit(u, &udp_probe_deliver, pkt, k, len, (ProbeValue){.u = s->rmem});
    return true;
}

/* To a group: every matching socket gets it (__udp4_lib_mcast_deliver). First all are served, then they are
 * woken, because what they do then may change the table. */
static void deliver_to_group(Udp *u, Packet *pkt, const Ip4Rx *rx, const UdpKey *k, uint32_t len)
{
    UdpSock *few[16], **served = few, *s = NULL;
    unsigned n = 0, n_matching = 0;

    while ((s = udptable_next_in_group(u, k, s)))
        n_matching++;
    if (!n_matching) {
        u->mib[MIB_UdpIgnoredMulti]++;
        drop(u, pkt, rx, k, len, DROP_NO_SOCKET);
        return;
    }
    if (n_matching > HS_ARRAY_LEN(few))
        served = g_new(UdpSock *, n_matching);
    while ((s = udptable_next_in_group(u, k, s))) {
        if (deliver(u, s, pkt, k, len))
            served[n++] = s;
        else
            emit_drop(u, pkt, k, len, DROP_SOCKET_BUFFER);
    }
    if (n)
        packet_unref(pkt);
    else
        probe_drop(u->node, rx->in ? ip4_if_dev(rx->in)->point : NULL, pkt, DROP_SOCKET_BUFFER);
    for (unsigned i = 0; i < n; i++)
        udpsock_wake(served[i]);
    if (served != few)
        g_free(served);
}

/* Verified here, as a network card with receive offload would, and not when it is read. */
static bool checksum_ok(const Packet *pkt, const Ip4Rx *rx, uint32_t len)
{
    uint32_t sum;

    if (HS_LIKELY(pkt->csum == PKT_CSUM_PARTIAL) || udp_checksum(packet_cdata(pkt)) == 0)
        return true;
    sum = ipv4_pseudo_sum(rx->src, rx->dst, IP_PROTO_UDP, len);
    return checksum_fold(checksum_combine(sum, packet_sum(pkt, pkt->head, len))) == 0xffff;
}

static void on_input(void *user, Packet *pkt, const Ip4Rx *rx)
{
    Udp *u = user;
    const uint8_t *h = packet_cdata(pkt);
    uint32_t have = packet_len(pkt), len;
    UdpKey k = {.local_ip = rx->dst, .remote_ip = rx->src, .dev = rx->in};
    UdpSock *s;

    if (HS_UNLIKELY(packet_header_len(pkt) < UDP_HDR_LEN)) {
        u->mib[MIB_UdpInErrors]++;
        drop(u, pkt, rx, &k, 0, DROP_L4_HEADER);
        return;
    }
    len = udp_len(h);
    k.local_port = udp_dst_port(h);
    k.remote_port = udp_src_port(h);
    if (HS_UNLIKELY(len < UDP_HDR_LEN || len > have)) {
        u->mib[MIB_UdpInErrors]++;
        drop(u, pkt, rx, &k, 0, DROP_L4_HEADER);
        return;
    }
    if (HS_UNLIKELY(len < have)) { /* what is behind the datagram is nobody's */
        pkt = packet_own(pkt);
        packet_trim(pkt, len);
    }
    if (HS_UNLIKELY(!checksum_ok(pkt, rx, len))) {
        u->mib[MIB_UdpInCsumErrors]++;
        u->mib[MIB_UdpInErrors]++;
        drop(u, pkt, rx, &k, len - UDP_HDR_LEN, DROP_L4_CHECKSUM);
        return;
    }
    len -= UDP_HDR_LEN;
    if (HS_UNLIKELY(rx->type == IP4_ROUTE_BROADCAST || rx->type == IP4_ROUTE_MULTICAST)) {
        deliver_to_group(u, pkt, rx, &k, len);
        return;
    }
    s = udptable_lookup(u, &k);
    if (HS_UNLIKELY(!s)) {
        u->mib[MIB_UdpNoPorts]++;
        icmp4_send_error(u->ip, pkt, ICMP_DEST_UNREACH, ICMP_UNREACH_PORT, 0); /* RFC 1122 4.1.3.1 */
        drop(u, pkt, rx, &k, len, DROP_NO_SOCKET);
        return;
    }
    if (HS_UNLIKELY(!deliver(u, s, pkt, &k, len))) {
        drop(u, pkt, rx, &k, len, DROP_SOCKET_BUFFER);
        return;
    }
    packet_unref(pkt);
    udpsock_wake(s);
}

/* ---- ICMP errors about our datagrams (Linux __udp4_lib_err) ---- */

/* Which errno the socket gets; 0: none. */
static int error_for(const UdpSock *s, const Ip4Error *e)
{
    bool hard = e->hard;

    if (e->icmp_type == ICMP_DEST_UNREACH && e->icmp_code == ICMP_UNREACH_NEEDFRAG) {
        if (s->opt.mtu_discover == PMTUDISC_DONT)
            return 0;
        hard = true;
    }
    /* RFC 1122 4.1.3.3 wants all of them told; Linux tells a socket without IP_RECVERR the hard ones if it is
     * connected. */
    return s->opt.recverr || (hard && s->is_connected) ? e->err : 0;
}

static void on_error(void *user, const Ip4Error *e)
{
    Udp *u = user;
    UdpKey k = {.local_ip = e->src, .remote_ip = e->dst};
    UdpSock *s;
    int err;

    if (e->l4_len < UDP_HDR_LEN)
        return;
    k.local_port = udp_src_port(e->l4);
    k.remote_port = udp_dst_port(e->l4);
    s = udptable_lookup(u, &k);
    if (!s) {
        icmp4_count_unclaimed(u->ip);
        return;
    }
    err = error_for(s, e);
    if (err)
        s->err = err;
    if (s->icmp)
        s->icmp(s->icmp_user, s, e);
    else if (err)
        udpsock_wake(s);
}

/* ---- life ---- */

Udp *udp_new(Ip4 *ip)
{
    Udp *u = g_new0(Udp, 1);

    u->ip = ip;
    u->node = ip4_node(ip);
    u->ports = node_rng(u->node, "udp-ports");
    ip4_set_proto(ip, IP_PROTO_UDP, &(Ip4Proto){.input = on_input, .error = on_error, .user = u});
    return u;
}

void udp_foreach(const Udp *u, void (*fn)(void *user, const UdpSock *s), void *user)
{
    const UdpSock *s = u->all;

    while (s && s->all_next)
        s = s->all_next;
    for (; s; s = s->all_prev)
        fn(user, s);
}

void udp_free(Udp *u)
{
    if (!u)
        return;
    while (u->all)
        udpsock_close(u->all);
    ip4_set_proto(u->ip, IP_PROTO_UDP, NULL);
    udp_set_ip6(u, NULL);
    udptable_clear(u);
    g_free(u);
}
