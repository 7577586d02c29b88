#include "models/udp/udp6.h"

#include <errno.h>
#include <string.h>

#include "models/udp/udp_priv.h"
#include "models/wire/icmp6.h"
#include "models/wire/ipv6.h"
#include "sim/base/hash64.h"
#include "sim/packet/checksum.h"

#define FLOW_LABEL_MASK 0xfffffu

static const Ipv6Addr any6;

static bool is_any(const Ipv6Addr *a)
{
    return ipv6_addr_equal(a, &any6);
}

static bool is_mapped(const Ipv6Addr *a)
{
    static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};

    return memcmp(a->b, prefix, sizeof prefix) == 0;
}

static uint32_t unmap(const Ipv6Addr *a)
{
    return wire_get32(a->b + 12);
}

static Ipv6Addr mapped(uint32_t ip)
{
    Ipv6Addr a = {{[10] = 0xff, [11] = 0xff}};

    wire_put32(a.b + 12, ip);
    return a;
}

/* ---- arrival (Linux __udp6_lib_rcv) ---- */

/* For the choice among SO_REUSEPORT sockets, which hashes 32 bits. */
static uint32_t fold(const Ipv6Addr *a)
{
    return wire_get32(a->b) ^ wire_get32(a->b + 4) ^ wire_get32(a->b + 8) ^ wire_get32(a->b + 12);
}

static UdpKey key_of(const Ipv6Addr *local, uint16_t local_port, const Ipv6Addr *remote, uint16_t remote_port)
{
    return (UdpKey){.local6 = local,
                    .remote6 = remote,
                    .local_ip = fold(local),
                    .remote_ip = fold(remote),
                    .local_port = local_port,
                    .remote_port = remote_port};
}

static void drop(Udp *u, Packet *pkt, const Ip6Rx *rx, unsigned mib, ProbeDrop reason)
{
    u->mib[mib]++;
    probe_drop(u->node, ip4_if_dev(rx->in)->point, pkt, reason);
}

/* 0 is none, which has to be wished for (RFC 6936): the IPv6 header has none that would protect the
 * addresses. */
static bool checksum_ok(const UdpSock *s, const Packet *pkt, const Ip6Rx *rx, uint32_t len)
{
    uint32_t sum;

    if (pkt->csum == PKT_CSUM_PARTIAL)
        return true;
    if (udp_checksum(packet_cdata(pkt)) == 0)
        return s && s->v6->opt.no_check_rx;
    sum = ipv6_pseudo_sum(rx->src.b, rx->dst.b, IP_PROTO_UDP, len);
    return checksum_fold(checksum_combine(sum, packet_sum(pkt, pkt->head, len))) == 0xffff;
}

static void on_input(void *user, Packet *pkt, const Ip6Rx *rx)
{
    Udp *u = user;
    const uint8_t *h = packet_cdata(pkt);
    uint32_t have = packet_len(pkt), len;
    UdpSock *s;
    UdpKey k;

    if (packet_header_len(pkt) < UDP_HDR_LEN || (len = udp_len(h)) < UDP_HDR_LEN || len > have) {
        drop(u, pkt, rx, MIB_Udp6InErrors, DROP_L4_HEADER);
        return;
    }
    if (len < have) {
        pkt = packet_own(pkt);
        packet_trim(pkt, len);
    }
    h = packet_cdata(pkt);
    k = key_of(&rx->dst, udp_dst_port(h), &rx->src, udp_src_port(h));
    k.dev = rx->in;
    s = udptable_lookup(u, &k);
    if (!checksum_ok(s, pkt, rx, len)) {
        u->mib[MIB_Udp6InCsumErrors]++;
        drop(u, pkt, rx, MIB_Udp6InErrors, DROP_L4_CHECKSUM);
        return;
    }
    if (!s) {
        ip6_send_error(u->ip6, pkt, ICMP6_DEST_UNREACH, ICMP6_UNREACH_PORT, 0);
        drop(u, pkt, rx, MIB_Udp6NoPorts, DROP_NO_SOCKET);
        return;
    }
    if (!udpsock_enqueue(s, pkt, len - UDP_HDR_LEN, rx->in)) {
        s->drops++;
        u->mib[MIB_Udp6RcvbufErrors]++;
        drop(u, pkt, rx, MIB_Udp6InErrors, DROP_SOCKET_BUFFER);
        return;
    }
    udpsock_wake(s);
}

/* __udp6_lib_err */
static void on_error(void *user, const Ip6Error *e)
{
    UdpKey k = key_of(&e->src, udp_src_port(e->l4), &e->dst, udp_dst_port(e->l4));
    bool hard = e->hard;
    Udp *u = user;
    UdpSock *s = udptable_lookup(u, &k);
    const Udp6SockOpt *o;

    if (!s) {
        ip6_count_unclaimed(u->ip6);
        return;
    }
    o = &s->v6->opt;
    if (e->icmp_type == ICMP6_PACKET_TOO_BIG) {
        if (o->mtu_discover >= PMTUDISC_INTERFACE) /* ip6_sk_accept_pmtu */
            return;
        ip6_pmtu_update(u->ip6, &e->dst, e->info);
        hard = o->mtu_discover != PMTUDISC_DONT;
    }
    if (!o->recverr && !(hard && s->is_connected))
        return;
    s->err = e->err;
    if (s->icmp6)
        s->icmp6(s->icmp6_user, s, e);
    else
        udpsock_wake(s);
}

void udp_set_ip6(Udp *u, Ip6 *ip6)
{
    if (u->ip6)
        ip6_set_proto(u->ip6, IP_PROTO_UDP, NULL);
    u->ip6 = ip6;
    if (ip6)
        ip6_set_proto(ip6, IP_PROTO_UDP, &(Ip6Proto){.input = on_input, .error = on_error, .user = u});
}

/* ---- the socket ---- */

UdpSock *udp6sock_new(Udp *u)
{
    UdpSock *s = udpsock_new(u);

    s->v6 = g_new0(UdpSock6, 1);
    s->v6->opt.mtu_discover = PMTUDISC_WANT;
    s->v6->opt.hop_limit = -1;
    return s;
}

void udp6sock_on_icmp(UdpSock *s, Udp6IcmpFn fn, void *user)
{
    s->icmp6 = fn;
    s->icmp6_user = user;
}

Udp6SockOpt *udp6sock_opt(UdpSock *s)
{
    hs_assert(s->v6);
    return &s->v6->opt;
}

int udp6sock_bind(UdpSock *s, const UdpAddr6 *a)
{
    UdpSock6 *v6 = s->v6;
    Udp *u = s->udp;
    int err;

    if (s->local_port)
        return -EINVAL;
    if (is_mapped(&a->ip)) {
        if (v6->opt.is_v6only)
            return -EINVAL;
        v6->is_mapped = true;
        err = udpsock_bind(s, (UdpAddr){unmap(&a->ip), a->port});
        v6->is_mapped = !err;
        return err;
    }
    if (!is_any(&a->ip) && (!u->ip6 || !ip6_is_local(u->ip6, &a->ip)))
        return -EADDRNOTAVAIL;
    v6->local = v6->source = a->ip;
    err = udpsock_bind(s, (UdpAddr){0, a->port});
    if (err)
        v6->local = v6->source = any6;
    else if (!is_any(&a->ip))
        s->has_bound_ip = v6->opt.is_v6only = true; /* __inet6_bind */
    return err;
}

int udp6sock_connect(UdpSock *s, const UdpAddr6 *a)
{
    UdpAddr6 to = *a;
    UdpSock6 *v6 = s->v6;
    Ip6Flow f;
    int err;

    if (is_any(&to.ip))
        to.ip.b[15] = 1; /* "connect to self" (__ip6_datagram_connect) */
    if (is_mapped(&to.ip)) {
        if (v6->opt.is_v6only || !is_any(&v6->local))
            return -ENETUNREACH;
        err = udpsock_connect(s, (UdpAddr){unmap(&to.ip), to.port});
        v6->is_mapped |= !err;
        return err;
    }
    if (v6->is_mapped || !s->udp->ip6)
        return -ENETUNREACH;
    err = udpsock_autobind(s);
    if (!err)
        err = ip6_route_get(s->udp->ip6, &to.ip, &v6->source, s->opt.bound_dev, &f);
    if (err)
        return err;
    if (is_any(&v6->source))
        v6->source = f.src;
    if (is_any(&v6->local))
        v6->local = f.src;
    v6->peer = to.ip;
    s->peer_port = to.port;
    s->is_connected = true;
    return 0;
}

UdpAddr6 udp6sock_local(const UdpSock *s)
{
    return (UdpAddr6){s->v6->is_mapped ? mapped(s->local_ip) : s->v6->local, s->local_port};
}

UdpAddr6 udp6sock_peer(const UdpSock *s)
{
    return (UdpAddr6){s->v6->is_mapped && s->is_connected ? mapped(s->peer_ip) : s->v6->peer, s->peer_port};
}

static int send_mapped(UdpSock *s, const UdpSend *m, const UdpAddr6 *to)
{
    UdpSend m4 = *m;
    UdpAddr to4;

    m4.to = NULL;
    if (to) {
        to4 = (UdpAddr){unmap(&to->ip), to->port};
        m4.to = &to4;
    }
    return udpsock_send(s, &m4);
}

int udp6sock_mtu(const UdpSock *s)
{
    Ip6Flow f;

    if (!s->is_connected || s->v6->is_mapped || !s->udp->ip6 ||
        ip6_route_get(s->udp->ip6, &s->v6->peer, &s->v6->source, s->opt.bound_dev, &f))
        return -ENOTCONN;
    return (int)f.mtu;
}

/* ip6_make_flowlabel: one flow, one label. */
static uint32_t flow_label(const UdpSock *s, const Ipv6Addr *src, const UdpAddr6 *dst)
{
    uint64_t h = hash64_fold(((uint64_t)fold(src) << 32 | fold(&dst->ip)) ^ HASH64_K1,
                             ((uint64_t)s->local_port << 16 | dst->port) ^ HASH64_K2);

    return s->v6->opt.no_flow_label ? 0 : (uint32_t)(h >> 32) & FLOW_LABEL_MASK;
}

int udp6sock_send(UdpSock *s, const UdpSend *m, const UdpAddr6 *to)
{
    UdpSock6 *v6 = s->v6;
    Udp *u = s->udp;
    UdpAddr6 dst;
    Ip6Tx tx = {.proto = IP_PROTO_UDP};
    uint32_t total;
    Ip6Flow f;
    int hops;
    Packet *p;
    int err;

    s->refused_mtu = 0;
    if (!to && !s->is_connected)
        return -EDESTADDRREQ;
    dst = to ? *to : udp6sock_peer(s);
    if (is_mapped(&dst.ip))
        return v6->opt.is_v6only || !is_any(&v6->local) ? -ENETUNREACH : send_mapped(s, m, to);
    if (!dst.port)
        return -EINVAL;
    if (v6->is_mapped || !u->ip6)
        return -ENETUNREACH;
    if (is_any(&dst.ip))
        dst.ip.b[15] = 1;
    err = udpsock_autobind(s);
    if (!err)
        err = ip6_route_get(u->ip6, &dst.ip, &v6->source, s->opt.bound_dev, &f);
    if (err)
        return err;
    total = IPV6_HDR_LEN + UDP_HDR_LEN + m->len;
    err = ip6_choose_mtu(v6->opt.mtu_discover, !v6->opt.dontfrag && !m->dontfrag, v6->opt.frag_mtu, total, &f,
                         &tx.frag_mtu);
    if (err || (m->is_whole && total > tx.frag_mtu)) {
        s->refused_mtu = m->is_whole ? 0 : tx.frag_mtu;
        return -EMSGSIZE;
    }
    if (s->err)
        return -udpsock_take_error(s);
    p = udpsock_build(s, m, dst.port);
    if (!v6->opt.no_check_tx)
        ip6_l4_csum(p, &f.src, &dst.ip, IP_PROTO_UDP, UDP_CHECKSUM_OFF);
    tx.src = v6->source;
    tx.dst = dst.ip;
    tx.flow_label = flow_label(s, &f.src, &dst);
    tx.tclass = m->has_tos ? m->tos : v6->opt.tclass;
    hops = m->ttl || m->has_ttl ? m->ttl : v6->opt.hop_limit;
    tx.hop_limit = hops < 0 ? 0 : (uint8_t)hops;
    tx.is_last_hop = hops == 0;
    tx.oif = s->opt.bound_dev;
    tx.by_dev_mtu = v6->opt.mtu_discover >= PMTUDISC_PROBE;
    err = ip6_output(u->ip6, p, &tx); /* over the loopback the answer may come at once */
    if (err == -ENOBUFS) {
        u->mib[MIB_Udp6SndbufErrors]++;
        if (!v6->opt.recverr)
            err = 0;
    }
    if (!err)
        u->mib[MIB_Udp6OutDatagrams]++;
    return err;
}

bool udp6sock_next(const UdpSock *s, UdpAddr6 *from, UdpAddr6 *to)
{
    const Packet *pkt;
    const uint8_t *ip, *h;

    if (!s->ring_len)
        return false;
    pkt = s->ring[s->ring_head].pkt;
    ip = pkt->buf + pkt->l3;
    h = packet_cdata(pkt);
    if (ip[0] >> 4 == 6) {
        *from = (UdpAddr6){ipv6_addr_get(ip + IPV6_SRC_OFF), udp_src_port(h)};
        *to = (UdpAddr6){ipv6_addr_get(ip + IPV6_DST_OFF), udp_dst_port(h)};
    } else {
        *from = (UdpAddr6){mapped(ipv4_src(ip)), udp_src_port(h)};
        *to = (UdpAddr6){mapped(ipv4_dst(ip)), udp_dst_port(h)};
    }
    return true;
}
