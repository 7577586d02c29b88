/* Between TCP and the network layers below: routes of connections, sending, arrival, errors. IPv4's
 * half (models/ip/ip4.h) and what is common is here, IPv6's in tcp_ip6.c; nothing else in TCP knows them. */
#include "models/tcp/tcp_ip.h"

#include <errno.h>
#include <glib.h>
#include <string.h>

#include "models/ip/ip4.h"
#include "models/ip/route_metrics.h"
#include "models/tcp/tcp_ack.h"
#include "models/tcp/tcp_errq.h"
#include "models/tcp/tcp_life.h"
#include "models/tcp/tcp_sockopt.h"
#include "models/ip/icmp4.h"
#include "models/wire/icmp.h"
#include "sim/packet/checksum.h"

#define ADVMSS_MIN 256      /* ip_rt_min_advmss */
#define ADVMSS_MAX 0xffd7u  /* 65535 - 40 */
#define LOST_ROUTE_MTU 1500 /* while there is no route */

static bool is_v6(const TcpConn *c)
{
    return c->sflags & TCP_S_WIRE_V6;
}

/* ---- routes ---- */

uint8_t tcp_ip_default_pmtudisc(const TcpConn *c)
{
    return ip4_sysctl_get(c->tcp->ip4)->ip_no_pmtu_disc ? TCP_PMTUDISC_DONT : TCP_PMTUDISC_WANT;
}

uint8_t tcp_ip_pmtudisc(const TcpConn *c)
{
    if (is_v6(c))
        return c->opts ? c->opts->mtu_discover6 : TCP_PMTUDISC_WANT;
    return c->opts ? c->opts->mtu_discover : tcp_ip_default_pmtudisc(c);
}

const Ip4If *tcp_ip_bound_if(const TcpConn *c)
{
    return c->opts && c->opts->bound_ifindex ? ip4_if_by_index(c->tcp->ip4, c->opts->bound_ifindex) : NULL;
}

/* Copies of all metrics that connections of this host have met. A route may go while a connection still looks
 * at them; there are as many as kinds of routes, so they stay until the end. */
struct TcpRouteMetrics {
    struct TcpRouteMetrics *next;
    RouteMetrics m;
};

static const RouteMetrics *keep(Tcp *t, const RouteMetrics *m)
{
    struct TcpRouteMetrics *k;

    if (route_metrics_is_empty(m))
        return NULL;
    for (k = t->rare ? t->rare->route_metrics : NULL; k; k = k->next)
        if (memcmp(&k->m, m, sizeof(*m)) == 0)
            return &k->m;
    k = g_new0(struct TcpRouteMetrics, 1);
    k->m = *m;
    k->next = tcp_rare(t)->route_metrics;
    t->rare->route_metrics = k;
    return &k->m;
}

void tcp_ip_keep_metrics(const TcpConn *c, const RouteMetrics *m, uint32_t gen)
{
    TcpConn *w = (TcpConn *)c; /* a cache */

    if (gen == c->route_gen) /* routes have not changed */
        return;
    w->route_gen = gen;
    w->metrics = keep(c->tcp, m);
}

static int flow4(const TcpConn *c, Ip4Flow *f)
{
    uint32_t src = inet_is_any(&c->local) ? 0 : inet_ip4(&c->local);
    int err = ip4_route_get(c->tcp->ip4, inet_ip4(&c->remote), src, tcp_ip_bound_if(c), f);

    /* SO_DONTROUTE: what is behind a gateway is out of reach (ip_sock_rt_scope) */
    if (!err && c->opts && c->opts->dontroute && f->next_hop != inet_ip4(&c->remote))
        err = -ENETUNREACH;
    if (!err)
        tcp_ip_keep_metrics(c, f->metrics, f->gen);
    return err;
}

/* tcp_ca_dst_init, tcp_ca_openreq_child: the route knows better which congestion controller suits it. */
static void use_congctl(TcpConn *c)
{
    if (c->metrics && c->metrics->congctl[0] && (c->state == TCP_SYN_SENT || c->state == TCP_SYN_RECV))
        tcp_cc_set(c, c->metrics->congctl);
}

static int route4(TcpConn *c)
{
    Ip4Flow f;
    int err = flow4(c, &f);

    if (err)
        return err;
    if (f.type == IP4_ROUTE_BROADCAST || f.type == IP4_ROUTE_MULTICAST) /* tcp_v4_connect */
        return -ENETUNREACH;
    if (inet_is_any(&c->local))
        c->local = inet_from_ip4(f.src);
    return 0;
}

int tcp_ip_route(TcpConn *c)
{
    int err = is_v6(c) ? tcp_ip6_route(c) : route4(c);

    c->is_route_dropped = 0;
    if (!err)
        use_congctl(c);
    return err;
}

uint32_t tcp_ip_header_len(const TcpConn *c)
{
    return is_v6(c) ? 40 : IPV4_MIN_HDR_LEN;
}

uint32_t tcp_ip_mtu(TcpConn *c)
{
    Ip4Flow f;

    if (is_v6(c))
        return tcp_ip6_mtu(c);
    return flow4(c, &f) ? LOST_ROUTE_MTU : f.mtu;
}

bool tcp_ip_mtu_is_locked(TcpConn *c)
{
    Ip4Flow f;

    return !is_v6(c) && !flow4(c, &f) && f.mtu_locked;
}

static uint32_t advmss4(const Ip4Flow *f) /* ipv4_default_advmss */
{
    uint32_t mss = f->mtu > 40 ? f->mtu - 40 : 0;

    if (route_metrics_has(f->metrics, ROUTE_ADVMSS))
        return route_metrics_get(f->metrics, ROUTE_ADVMSS);

    return HS_MIN(HS_MAX(mss, ADVMSS_MIN), ADVMSS_MAX);
}

uint32_t tcp_ip_advmss(const TcpConn *c)
{
    Ip4Flow f;

    if (is_v6(c))
        return tcp_ip6_advmss(c);
    return flow4(c, &f) ? TCP_MSS_DEFAULT : advmss4(&f);
}

bool tcp_ip_path(Tcp *t, const InetAddr *local, const InetAddr *remote, TcpPath *out)
{
    Ip4Flow f;

    *out = (TcpPath){0};
    if (!inet_is_ip4(remote))
        return tcp_ip6_path(t, local, remote, out);
    if (ip4_route_get(t->ip4, inet_ip4(remote), inet_ip4(local), NULL, &f))
        return false;
    out->mtu = f.mtu;
    out->advmss = advmss4(&f);
    out->is_loopback = f.type == IP4_ROUTE_LOCAL;
    out->metrics = f.metrics;
    out->window = route_metrics_get(f.metrics, ROUTE_WINDOW);
    out->initrwnd = route_metrics_get(f.metrics, ROUTE_INITRWND);
    return true;
}

static const RouteMetrics *metrics_to(Tcp *t, const InetAddr *remote, bool is_v6_)
{
    Ip4Flow f;

    if (is_v6_)
        return tcp_ip6_metrics_to(t, remote);
    return !ip4_route_get(t->ip4, inet_ip4(remote), 0, NULL, &f) ? f.metrics : NULL;
}

bool tcp_ip_wants_ecn(Tcp *t, const InetAddr *remote, bool is_v6_)
{
    return route_metrics_get(metrics_to(t, remote, is_v6_), ROUTE_FEATURES) & ROUTE_FEATURE_ECN;
}

bool tcp_ip_cc_needs_ecn(Tcp *t, const InetAddr *remote, bool is_v6_)
{
    const RouteMetrics *m = metrics_to(t, remote, is_v6_);
    const CcOps *ops = m && m->congctl[0] ? cc_ops_find(t->controllers, m->congctl) : NULL;

    return ops && ops->flags & CC_NEEDS_ECN;
}

void tcp_ip_pmtu_update(TcpConn *c, uint32_t mtu)
{
    if (is_v6(c))
        tcp_ip6_pmtu_update(c, mtu);
    else
        ip4_pmtu_update(c->tcp->ip4, inet_ip4(&c->remote), mtu);
}

void tcp_ip_confirm_neigh(TcpConn *c)
{
    Ip4Flow f;

    if (!is_v6(c) && flow4(c, &f) == 0)
        ip4_confirm_neigh(&f);
}

/* dst_negative_advice: another route, please. Routes are looked up for each segment and never stale; but
 * where routers choose among equal paths by the flow label, a new label (sk_rethink_txhash) leads elsewhere.
 */
void tcp_ip_negative_advice(TcpConn *c)
{
    c->txhash_gen++;
}

uint32_t tcp_ip_flow_label(Tcp *t, uint32_t txhash, uint32_t n_rehash)
{
    uint32_t in[2] = {txhash, n_rehash};
    uint32_t label = (uint32_t)siphash(&tcp_isn_keys(t)->port, in, sizeof(in)) & 0xfffff;

    return label ? label : 1;
}

bool tcp_ip_is_local(const TcpConn *c)
{
    if (is_v6(c))
        return tcp_ip6_is_local(c->tcp, &c->remote);
    return ip4_is_local(c->tcp->ip4, inet_ip4(&c->remote));
}

bool tcp_ip_may_bind(Tcp *t, const InetAddr *a)
{
    Ip4Flow f;
    uint32_t ip;

    if (!inet_is_ip4(a))
        return tcp_ip6_is_local(t, a);
    ip = inet_ip4(a);
    if (ip4_is_local(t->ip4, ip) || ipv4_addr_is_multicast(ip) || ip == IPV4_BROADCAST)
        return true;
    return ip4_route_get(t->ip4, ip, 0, NULL, &f) == 0 && f.type == IP4_ROUTE_BROADCAST;
}

/* ---- sending ---- */

Packet *tcp_ip_new_packet(Tcp *t)
{
    return packet_new(t->node->part->packets, t->node->id, t->node->birth_next++, PKT_HEADROOM);
}

static void set_csum4(Packet *pkt, uint32_t src, uint32_t dst)
{
    pkt->l4 = pkt->head;
    ip4_l4_csum(pkt, src, dst, IP_PROTO_TCP, TCP_CHECKSUM_OFF);
}

/* ip_select_ident_segs: a connection counts by itself. */
static uint16_t take_ip_id(TcpConn *c, const Packet *pkt)
{
    uint16_t id;

    if (!c->ip_id)
        c->ip_id = (uint16_t)(node_draw(c->tcp->node, TCP_STREAM) | 1);
    id = c->ip_id;
    c->ip_id = (uint16_t)(c->ip_id + HS_MAX(1, pkt->gso_segs));
    return id;
}

static int send4(TcpConn *c, Packet *pkt, uint8_t ecn_bits)
{
    Tcp *t = c->tcp;
    uint8_t discover = tcp_ip_pmtudisc(c);
    Ip4Tx tx = {.src = inet_ip4(&c->local),
                .dst = inet_ip4(&c->remote),
                .proto = IP_PROTO_TCP,
                .tos = (uint8_t)((c->tos & ~IP_ECN_MASK) | (ecn_bits & IP_ECN_MASK)),
                .ttl = c->opts ? c->opts->ttl : 0,
                .oif = tcp_ip_bound_if(c)};

    if (HS_UNLIKELY(c->opts && c->opts->dontroute)) {
        Ip4Flow f;

        if (flow4(c, &f)) {
            packet_unref(pkt);
            return -EHOSTUNREACH;
        }
    }
    /* ip_dont_fragment */
    tx.df = discover == TCP_PMTUDISC_DO || discover == TCP_PMTUDISC_PROBE ||
            (discover == TCP_PMTUDISC_WANT && !tcp_ip_mtu_is_locked(c));
    if (!ip4_sysctl_get(t->ip4)->ip_id_global) {
        tx.has_id = true;
        tx.id = take_ip_id(c, pkt);
    }
    set_csum4(pkt, tx.src, tx.dst);
    return ip4_output(t->ip4, pkt, &tx);
}

int tcp_ip_send(TcpConn *c, Packet *pkt, uint8_t ecn_bits, SimTime edt)
{
    pkt->stamp = edt;
    c->is_route_dropped = 0;
    if (is_v6(c))
        return tcp_ip6_send(c, pkt, ecn_bits);
    return send4(c, pkt, ecn_bits);
}

void tcp_ip_way_out(const TcpConn *c, TcpErrWay *way)
{
    Ip4Flow f;

    *way = (TcpErrWay){
        .is_known = true, .is_ip6 = is_v6(c), .to_port = c->remote_port, .from = c->local, .to = c->remote};
    if (way->is_ip6) {
        tcp_ip6_way_out(c, way);
        return;
    }
    way->tos = c->tos | c->ecn.snd_ect;
    way->ttl = c->opts && c->opts->ttl ? c->opts->ttl : ip4_sysctl_get(c->tcp->ip4)->ip_default_ttl;
    if (!flow4(c, &f))
        way->ifindex = ip4_if_dev(f.dev)->ifindex;
}

int tcp_ip_send_raw(Tcp *t, Packet *pkt, const TcpRaw *to)
{
    Ip4Tx tx;

    if (to->is_v6)
        return tcp_ip6_send_raw(t, pkt, to);
    tx = (Ip4Tx){.src = inet_ip4(&to->src),
                 .dst = inet_ip4(&to->dst),
                 .proto = IP_PROTO_TCP,
                 .tos = to->tos,
                 .ttl = to->ttl,
                 .df = !ip4_sysctl_get(t->ip4)->ip_no_pmtu_disc};
    set_csum4(pkt, tx.src, tx.dst);
    return ip4_output(t->ip4, pkt, &tx);
}

/* ---- arrival ---- */

/* Payload bytes that lie in buf behind the header (a frame from outside) move to where payload belongs. */
static Packet *split_payload(Tcp *t, Packet *pkt, unsigned hdr_len)
{
    unsigned keep = pkt->head + hdr_len - HS_MIN(pkt->l3, pkt->head),
             extra = packet_header_len(pkt) - hdr_len;
    Packet *p;

    if (!extra)
        return pkt;
    p = packet_new(t->node->part->packets, pkt->birth_node, pkt->birth_id, PKT_BUF - keep);
    memcpy(packet_put(p, keep), pkt->buf + pkt->head + hdr_len - keep, keep);
    p->l3 = p->head;
    packet_pull(p, keep - hdr_len);
    p->l4 = p->head;
    packet_add_bytes(p, pkt->buf + pkt->head + hdr_len, extra);
    packet_add_payload_of(p, pkt, 0, pkt->payload_len);
    p->flags = pkt->flags;
    p->gso_size = pkt->gso_size;
    p->gso_segs = pkt->gso_segs;
    p->stamp = pkt->stamp;
    p->cb = pkt->cb;
    packet_unref(pkt);
    return p;
}

/* Everything that is the same for both families, from the header on. pkt's head is at the TCP header. */
void tcp_ip_receive(Tcp *t, Packet *pkt, TcpIn *in, uint32_t pseudo_sum)
{
    uint32_t len = packet_len(pkt);
    const uint8_t *h;
    unsigned hdr_len;

    TCP_INC(t, TcpInSegs);
    pkt = packet_own(pkt);
    if (!packet_pullup(pkt, TCP_MIN_HDR_LEN) || (hdr_len = tcp_hdr_len(packet_data(pkt))) < TCP_MIN_HDR_LEN ||
        !packet_pullup(pkt, hdr_len)) {
        TCP_INC(t, TcpInErrs);
        packet_unref(pkt);
        return;
    }
    if (pkt->csum != PKT_CSUM_PARTIAL &&
        checksum_fold(checksum_combine(pseudo_sum, packet_sum(pkt, pkt->head, len))) != 0xffff) {
        TCP_INC(t, TcpInCsumErrors);
        TCP_INC(t, TcpInErrs);
        packet_unref(pkt);
        return;
    }
    pkt->csum = PKT_CSUM_FULL; /* verified; the bytes go their own ways from here */
    pkt = split_payload(t, pkt, hdr_len);
    h = packet_data(pkt);
    in->raw = h;
    in->hdr_len = (uint8_t)hdr_len;
    in->src_port = tcp_src_port(h);
    in->dst_port = tcp_dst_port(h);
    in->seq = tcp_seq(h);
    in->ack = wire_get32(h + TCP_ACK_OFF);
    in->flags = tcp_flags(h);
    in->window = wire_get16(h + TCP_WINDOW_OFF);
    in->urgent = wire_get16(h + TCP_URGENT_OFF);
    in->len = len - hdr_len;
    in->end_seq = in->seq + in->len + ((in->flags & TCP_SYN) != 0) + ((in->flags & TCP_FIN) != 0);
    in->gso_size = pkt->gso_size;
    in->gso_segs = HS_MAX(1, pkt->gso_segs);
    in->now = node_now(t->node);
    packet_pull(pkt, hdr_len);
    in->pkt = pkt;
    tcp_demux_receive(t, in);
    packet_unref(in->pkt);
}

static void input4(void *user, Packet *pkt, const Ip4Rx *rx)
{
    Tcp *t = user;
    TcpIn in = {.tos = rx->tos,
                .ttl = rx->ttl,
                .src = inet_from_ip4(rx->src),
                .dst = inet_from_ip4(rx->dst),
                .dev = rx->in,
                .ifindex = ip4_if_dev(rx->in)->ifindex,
                .rx_type = (uint8_t)rx->type};

    if (pkt->flags & (PKT_BROADCAST | PKT_MULTICAST | PKT_OTHERHOST)) { /* RFC 1122 4.2.3.10 */
        packet_unref(pkt);
        return;
    }
    tcp_ip_receive(t, pkt, &in, ipv4_pseudo_sum(rx->src, rx->dst, IP_PROTO_TCP, packet_len(pkt)));
}

static void error4(void *user, const Ip4Error *e)
{
    TcpIcmp i = {.src = inet_from_ip4(e->src),
                 .dst = inet_from_ip4(e->dst),
                 .reporter = inet_from_ip4(e->reporter),
                 .to = inet_from_ip4(e->to),
                 .ttl = e->ttl,
                 .tos = e->tos,
                 .len = e->len,
                 .ifindex = e->in ? ip4_if_dev(e->in)->ifindex : 0,
                 .type = e->icmp_type,
                 .code = e->icmp_code,
                 .err = e->err,
                 .hard = e->hard,
                 .mtu = e->mtu,
                 .is_pmtu = e->icmp_type == ICMP_DEST_UNREACH && e->icmp_code == ICMP_UNREACH_NEEDFRAG,
                 .is_redirect = e->icmp_type == ICMP_REDIRECT};

    if (e->l4_len < 8)
        return;
    i.src_port = tcp_src_port(e->l4);
    i.dst_port = tcp_dst_port(e->l4);
    i.seq = tcp_seq(e->l4);
    if (!tcp_err_icmp(user, &i))
        icmp4_count_unclaimed(((Tcp *)user)->ip4);
}

void tcp_ip_attach(Tcp *t)
{
    ip4_set_proto(t->ip4, IP_PROTO_TCP, &(Ip4Proto){input4, error4, t});
    tcp_ip6_attach(t);
}

void tcp_ip_detach(Tcp *t)
{
    struct TcpRouteMetrics *next;

    ip4_set_proto(t->ip4, IP_PROTO_TCP, NULL);
    tcp_ip6_detach(t);
    for (struct TcpRouteMetrics *k = t->rare ? t->rare->route_metrics : NULL; k; k = next) {
        next = k->next;
        g_free(k);
    }
    if (t->rare)
        t->rare->route_metrics = NULL;
}
