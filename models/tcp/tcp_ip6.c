/* TCP over IPv6 (Linux net/ipv6/tcp_ipv6.c): the counterpart of what tcp_ip.c does for IPv4. */
#include <errno.h>
#include <string.h>

#include "models/ip/ip6.h"
#include "models/ip/route_metrics.h"
#include "models/tcp/tcp_errq.h"
#include "models/tcp/tcp_ip.h"
#include "models/tcp/tcp_life.h"
#include "models/tcp/tcp_sockopt.h"

#define HEADERS (IPV6_HDR_LEN + TCP_MIN_HDR_LEN)
#define ADVMSS_MIN (IPV6_MIN_MTU - HEADERS) /* ip6_rt_min_advmss */
#define ADVMSS_MAX (65535 - TCP_MIN_HDR_LEN)
#define ICMP6_PACKET_TOO_BIG 2
#define ICMP6_REDIRECT 137

/* ---- routes ---- */

static int flow6(const TcpConn *c, Ip6Flow *f)
{
    Ipv6Addr dst = inet_ip6(&c->remote), src = inet_ip6(&c->local);
    int err;

    if (!c->tcp->ip6)
        return -ENETUNREACH;
    err = ip6_route_get(c->tcp->ip6, &dst, &src, tcp_ip_bound_if(c), f);
    if (!err)
        tcp_ip_keep_metrics(c, f->metrics, f->gen);
    return err;
}

int tcp_ip6_route(TcpConn *c)
{
    Ip6Flow f;
    int err = flow6(c, &f);

    if (!err && inet_is_any(&c->local))
        c->local = inet_from_ip6(&f.src);
    return err;
}

uint32_t tcp_ip6_mtu(const TcpConn *c)
{
    Ip6Flow f;

    return flow6(c, &f) ? IPV6_MIN_MTU : f.mtu;
}

static uint32_t advmss6(const Ip6Flow *f) /* ip6_default_advmss */
{
    uint32_t mss = f->mtu > HEADERS ? f->mtu - HEADERS : 0;

    if (route_metrics_has(f->metrics, ROUTE_ADVMSS))
        return route_metrics_get(f->metrics, ROUTE_ADVMSS);
    return HS_MIN(HS_MAX(mss, (uint32_t)ADVMSS_MIN), (uint32_t)ADVMSS_MAX);
}

uint32_t tcp_ip6_advmss(const TcpConn *c)
{
    Ip6Flow f;

    return flow6(c, &f) ? ADVMSS_MIN : advmss6(&f);
}

bool tcp_ip6_path(Tcp *t, const InetAddr *local, const InetAddr *remote, TcpPath *out)
{
    Ipv6Addr dst = inet_ip6(remote), src = inet_ip6(local);
    Ip6Flow f;

    *out = (TcpPath){0};
    if (!t->ip6 || ip6_route_get(t->ip6, &dst, &src, NULL, &f))
        return false;
    out->mtu = f.mtu;
    out->advmss = advmss6(&f);
    out->is_loopback = f.type == IP4_ROUTE_LOCAL;
    out->metrics = f.metrics;
    out->window = route_metrics_get(f.metrics, ROUTE_WINDOW);
    out->initrwnd = route_metrics_get(f.metrics, ROUTE_INITRWND);
    return true;
}

const RouteMetrics *tcp_ip6_metrics_to(Tcp *t, const InetAddr *remote)
{
    Ipv6Addr dst = inet_ip6(remote);
    Ip6Flow f;

    return t->ip6 && !ip6_route_get(t->ip6, &dst, NULL, NULL, &f) ? f.metrics : NULL;
}

void tcp_ip6_pmtu_update(TcpConn *c, uint32_t mtu)
{
    Ipv6Addr dst = inet_ip6(&c->remote);

    if (c->tcp->ip6)
        ip6_pmtu_update(c->tcp->ip6, &dst, mtu);
}

bool tcp_ip6_is_local(Tcp *t, const InetAddr *a)
{
    Ipv6Addr addr = inet_ip6(a);

    return t->ip6 && ip6_is_local(t->ip6, &addr);
}

/* ---- sending ---- */

static int output6(Tcp *t, Packet *pkt, const Ip6Tx *tx)
{
    if (!t->ip6) {
        packet_unref(pkt);
        return -ENETUNREACH;
    }
    pkt->l4 = pkt->head;
    ip6_l4_csum(pkt, &tx->src, &tx->dst, IP_PROTO_TCP, TCP_CHECKSUM_OFF);
    return ip6_output(t->ip6, pkt, tx);
}

int tcp_ip6_send(TcpConn *c, Packet *pkt, uint8_t ecn_bits)
{
    Ip6Tx tx = {.src = inet_ip6(&c->local),
                .dst = inet_ip6(&c->remote),
                .proto = IP_PROTO_TCP,
                .tclass = (uint8_t)((c->tclass & ~IP_ECN_MASK) | (ecn_bits & IP_ECN_MASK)),
                .hop_limit = c->opts ? c->opts->unicast_hops : 0,
                .oif = tcp_ip_bound_if(c)};

    if (!c->txhash)
        c->txhash = (uint32_t)node_draw(c->tcp->node, TCP_STREAM) | 1;
    if (!c->opts || !c->opts->autoflowlabel_off)
        tx.flow_label = tcp_ip_flow_label(c->tcp, c->txhash, c->txhash_gen + c->stats.timeout_rehash);
    return output6(c->tcp, pkt, &tx);
}

void tcp_ip6_way_out(const TcpConn *c, TcpErrWay *way)
{
    Ip6Flow f;

    way->tos = c->tclass | c->ecn.snd_ect;
    way->ttl = c->opts && c->opts->unicast_hops ? c->opts->unicast_hops : ip6_sysctl(c->tcp->ip6)->hop_limit;
    way->flowinfo = (uint32_t)way->tos << 20;
    if (!c->opts || !c->opts->autoflowlabel_off)
        way->flowinfo |= tcp_ip_flow_label(c->tcp, c->txhash, c->txhash_gen + c->stats.timeout_rehash);
    if (!flow6(c, &f))
        way->ifindex = ip4_if_dev(f.dev)->ifindex;
}

int tcp_ip6_send_raw(Tcp *t, Packet *pkt, const TcpRaw *to)
{
    Ip6Tx tx = {.src = inet_ip6(&to->src),
                .dst = inet_ip6(&to->dst),
                .proto = IP_PROTO_TCP,
                .tclass = to->tos,
                .hop_limit = to->ttl,
                .flow_label = to->flow_label};

    return output6(t, pkt, &tx);
}

/* ---- arrival ---- */

static uint32_t pseudo_sum(const Ip6Rx *rx, uint32_t len) /* RFC 8200 8.1 */
{
    uint32_t sum = IP_PROTO_TCP + (len >> 16) + (len & 0xffff);

    for (unsigned i = 0; i < 16; i += 2)
        sum += (uint32_t)wire_get16(rx->src.b + i) + wire_get16(rx->dst.b + i);
    return sum;
}

static void input6(void *user, Packet *pkt, const Ip6Rx *rx)
{
    TcpIn in = {.tos = rx->tclass,
                .ttl = rx->hop_limit,
                .is_v6 = true,
                .src = inet_from_ip6(&rx->src),
                .dst = inet_from_ip6(&rx->dst),
                .dev = rx->in,
                .ifindex = ip4_if_dev(rx->in)->ifindex,
                .rx_type = IP4_ROUTE_LOCAL,
                .flow_label = rx->flow_label};

    if (pkt->flags & (PKT_BROADCAST | PKT_MULTICAST | PKT_OTHERHOST) || ipv6_addr_is_multicast(&rx->dst)) {
        packet_unref(pkt);
        return;
    }
    if (inet_is_ip4(&in.src)) { /* mapped addresses must not be on the wire (tcp_v6_conn_request) */
        packet_unref(pkt);
        return;
    }
    tcp_ip_receive(user, pkt, &in, pseudo_sum(rx, packet_len(pkt)));
}

static void error6(void *user, const Ip6Error *e)
{
    TcpIcmp i = {.src = inet_from_ip6(&e->src),
                 .dst = inet_from_ip6(&e->dst),
                 .reporter = inet_from_ip6(&e->reporter),
                 .to = inet_from_ip6(&e->to),
                 .ttl = e->hop_limit,
                 .tos = e->tclass,
                 .len = e->len,
                 .ifindex = e->in ? ip4_if_dev(e->in)->ifindex : 0,
                 .type = e->icmp_type,
                 .code = e->icmp_code,
                 .err = e->err,
                 .hard = e->hard,
                 .mtu = e->info,
                 .is_v6 = true,
                 .is_pmtu = e->icmp_type == ICMP6_PACKET_TOO_BIG,
                 .is_redirect = e->icmp_type == ICMP6_REDIRECT};

    if (e->l4_len < 8)
        return;
    i.src_port = tcp_src_port(e->l4);
    i.dst_port = tcp_dst_port(e->l4);
    i.seq = tcp_seq(e->l4);
    if (!tcp_err_icmp(user, &i))
        ip6_count_unclaimed(((Tcp *)user)->ip6);
}

void tcp_ip6_attach(Tcp *t)
{
    if (t->ip6)
        ip6_set_proto(t->ip6, IP_PROTO_TCP, &(Ip6Proto){input6, error6, t});
}

void tcp_ip6_detach(Tcp *t)
{
    if (t->ip6)
        ip6_set_proto(t->ip6, IP_PROTO_TCP, NULL);
}
