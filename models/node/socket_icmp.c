/* ICMP echo sockets (SOCK_DGRAM; Linux net/ipv4/ping.c, net/ipv6/ping.c): the kernel fills in identifier and
 * checksum, and hands up the replies to that identifier. And raw sockets (net/ipv4/raw.c, net/ipv6/raw.c):
 * all that arrives for a protocol, over IPv4 with its IP header, and whatever is to be sent.
 *
 * Both speak the family of the socket only. */
#include <netinet/in.h>

#include "models/node/socket_dgram.h"
#include "models/wire/icmp6.h"
#include "sim/packet/checksum.h"

#define SKB_ROOM (64 + 320) /* before and behind the packet in its buffer, and the sk_buff */
#define SKB_STRUCT 256
#define SKB_MIN 576

static Ip6 *ip6_of(const Dgram *d)
{
    return host_ip6(d->file->sh->host);
}

/* ---- what arrives ---- */

static uint32_t truesize(uint32_t len)
{
    uint32_t need = SKB_ROOM + len, size = 1024;

    while (size < need)
        size *= 2;
    return (need <= SKB_MIN ? SKB_MIN : size) + SKB_STRUCT;
}

/* sock_queue_rcv_skb: takes the packet. */
static void enqueue(Dgram *d, Packet *pkt, DgramInfo info)
{
    DgramWaiting *w;

    if (d->rmem >= d->own.rcvbuf) {
        d->drops++;
        packet_unref(pkt);
        return;
    }
    w = g_new(DgramWaiting, 1);
    info.len = packet_len(pkt);
    *w = (DgramWaiting){.pkt = pkt, .truesize = truesize(info.len), .info = info};
    d->rmem += w->truesize;
    g_queue_push_tail(&d->queue, w);
    sockfile_wake(d->file, EPOLLIN | EPOLLRDNORM);
}

bool dgram_icmp_pop(Dgram *d, DgramWaiting *out)
{
    DgramWaiting *w = g_queue_pop_head(&d->queue);

    if (!w)
        return false;
    *out = *w;
    d->rmem -= w->truesize;
    g_free(w);
    return true;
}

static DgramInfo info4(const Ip4Rx *rx)
{
    return (DgramInfo){.from.addr = inet_from_ip4(rx->src),
                       .to = inet_from_ip4(rx->dst),
                       .ttl = rx->ttl,
                       .tos = rx->tos,
                       .ifindex = ip4_if_dev(rx->in)->ifindex};
}

static DgramInfo info6(const Ip6Rx *rx)
{
    return (DgramInfo){.from = {.addr = inet_from_ip6(&rx->src), .is_v6 = true},
                       .to = inet_from_ip6(&rx->dst),
                       .ttl = rx->hop_limit,
                       .tos = rx->tclass,
                       .is_ip6 = true,
                       .ifindex = ip4_if_dev(rx->in)->ifindex};
}

static bool is_for_us(const Dgram *d, const DgramInfo *i)
{
    if (!inet_is_any(&d->local) && !inet_eq(&d->local, &i->to))
        return false;
    return !d->own.bound_dev || ip4_if_dev(d->own.bound_dev)->ifindex == i->ifindex;
}

/* ---- errors ---- */

/* ping_err, raw_err, rawv6_err: with RECVERR every error; else the hard ones, if connected. */
static bool concerns(const Dgram *d, bool recverr, bool hard)
{
    return recverr || (hard && !inet_is_any(&d->peer));
}

static void on_error4(void *user, const Ip4Error *e)
{
    Dgram *d = user;
    bool hard = e->hard;

    if (e->icmp_type == ICMP_DEST_UNREACH && e->icmp_code == ICMP_UNREACH_NEEDFRAG)
        hard = d->own.mtu_discover != PMTUDISC_DONT;
    if (!concerns(d, d->own.recverr, hard))
        return;
    if (d->own.recverr)
        dgram_queue_error4(d, e, e->l4_len);
    d->err = e->err;
    dgram_wake_error(d);
}

static void on_error6(void *user, const Ip6Error *e)
{
    Dgram *d = user;
    bool hard = e->hard;

    if (e->icmp_type == ICMP6_PACKET_TOO_BIG)
        hard = d->own6.mtu_discover == PMTUDISC_DO;
    if (!concerns(d, d->own6.recverr, hard))
        return;
    if (d->own6.recverr)
        dgram_queue_error6(d, e, e->l4_len);
    d->err = e->err;
    dgram_wake_error(d);
}

/* ---- ICMP echo ---- */

static void on_reply4(void *user, Packet *reply, const Ip4Rx *rx)
{
    DgramInfo i = info4(rx);

    if (icmp_type(packet_cdata(reply)) == ICMP_ECHO_REPLY && is_for_us(user, &i))
        enqueue(user, reply, i);
    else
        packet_unref(reply);
}

static void on_reply6(void *user, Packet *reply, const Ip6Rx *rx)
{
    DgramInfo i = info6(rx);

    if (is_for_us(user, &i))
        enqueue(user, reply, i);
    else
        packet_unref(reply);
}

/* ping_get_port */
static int take_id(Dgram *d, uint16_t id)
{
    if (d->id)
        return 0;
    d->id = d->file->is_v6 ? ip6_echo_open(ip6_of(d), id, on_reply6, on_error6, d)
                           : icmp4_echo_open(d->ip, id, on_reply4, on_error4, d);
    return d->id ? 0 : -EADDRINUSE;
}

/* ---- raw ---- */

/* The four-tuple without ports (raw_v4_match, raw_v6_match). */
static bool matches(const Dgram *d, const DgramInfo *i)
{
    return is_for_us(d, i) && (inet_is_any(&d->peer) || inet_eq(&d->peer, &i->from.addr));
}

static bool is_filtered(const Dgram *d, unsigned type)
{
    return d->filter[type / 32] >> type % 32 & 1;
}

static bool on_raw4(void *user, const Packet *pkt, const Ip4Rx *rx)
{
    DgramInfo i = info4(rx);
    Dgram *d = user;
    unsigned hdr_len;
    Packet *copy;

    if (!matches(d, &i))
        return false;
    if (d->protocol == IPPROTO_ICMP && packet_header_len(pkt) && packet_cdata(pkt)[0] < 32 &&
        is_filtered(d, packet_cdata(pkt)[0]))
        return true;
    copy = packet_clone(pkt);
    packet_fill_csum(copy);
    hdr_len = (unsigned)(pkt->head - pkt->l3); /* what is before the head was not cloned */
    memcpy(packet_push(copy, hdr_len), pkt->buf + pkt->l3, hdr_len);
    enqueue(d, copy, i);
    return true;
}

/* rawv6_rcv: what fails the checksum that was asked for is lost. */
static bool checksum_ok(const Dgram *d, const Packet *pkt, const Ip6Rx *rx)
{
    uint32_t len = packet_len(pkt), sum;

    if (d->checksum_off < 0 || pkt->csum == PKT_CSUM_PARTIAL)
        return true;
    sum = ipv6_pseudo_sum(rx->src.b, rx->dst.b, rx->proto, len);
    return checksum_fold(checksum_combine(sum, packet_sum(pkt, pkt->head, len))) == 0xffff;
}

static bool on_raw6(void *user, const Packet *pkt, const Ip6Rx *rx)
{
    DgramInfo i = info6(rx);
    Dgram *d = user;
    Packet *copy;

    if (!matches(d, &i))
        return false;
    if (d->protocol == IPPROTO_ICMPV6 && packet_header_len(pkt) && is_filtered(d, packet_cdata(pkt)[0]))
        return true;
    if (!checksum_ok(d, pkt, rx)) {
        d->drops++;
        return true;
    }
    copy = packet_clone(pkt);
    packet_fill_csum(copy);
    enqueue(d, copy, i);
    return true;
}

static bool sent_by_us(const Dgram *d, const InetAddr *src, const InetAddr *dst)
{
    return (inet_is_any(&d->local) || inet_eq(&d->local, src)) &&
           (inet_is_any(&d->peer) || inet_eq(&d->peer, dst));
}

static void on_raw_error4(void *user, const Ip4Error *e)
{
    InetAddr src = inet_from_ip4(e->src), dst = inet_from_ip4(e->dst);

    if (sent_by_us(user, &src, &dst))
        on_error4(user, e);
}

static void on_raw_error6(void *user, const Ip6Error *e)
{
    InetAddr src = inet_from_ip6(&e->src), dst = inet_from_ip6(&e->dst);

    if (!sent_by_us(user, &src, &dst))
        return;
    if (e->icmp_type == ICMP6_PACKET_TOO_BIG)
        ip6_pmtu_update(ip6_of(user), &e->dst, e->info);
    on_error6(user, e);
}

/* One of the other family is never asked. */
static bool ignore4(void *user, const Packet *pkt, const Ip4Rx *rx)
{
    (void)user, (void)pkt, (void)rx;
    return false;
}

void dgram_raw_open(Dgram *d, int protocol)
{
    d->protocol = protocol;
    d->hdrincl = protocol == IPPROTO_RAW;
    if (d->file->is_v6 && protocol == IPPROTO_ICMPV6)
        d->checksum_off = ICMP6_CHECKSUM_OFF;
    d->tap = g_new0(RawTap, 1);
    *d->tap = (RawTap){.proto = protocol,
                       .input4 = d->file->is_v6 ? ignore4 : on_raw4,
                       .input6 = on_raw6,
                       .error4 = on_raw_error4,
                       .error6 = on_raw_error6,
                       .user = d};
    if (d->file->is_v6)
        ip6_raw_add(ip6_of(d), d->tap);
    else
        ip4_raw_add(d->ip, d->tap);
}

/* ---- life and addresses ---- */

void dgram_icmp_close(Dgram *d)
{
    DgramWaiting w;

    if (d->tap && d->file->is_v6)
        ip6_raw_remove(ip6_of(d), d->tap);
    else if (d->tap)
        ip4_raw_remove(d->ip, d->tap);
    g_free(d->tap);
    if (d->id && d->file->is_v6)
        ip6_echo_close(ip6_of(d), d->id);
    else if (d->id)
        icmp4_echo_close(d->ip, d->id);
    while (dgram_icmp_pop(d, &w))
        packet_unref(w.pkt);
}

static bool is_our_address(Dgram *d, const InetAddr *a)
{
    Ipv6Addr six = inet_ip6(a);

    if (inet_is_any(a))
        return true;
    return d->file->is_v6 ? ip6_is_local(ip6_of(d), &six) : ip4_is_local(d->ip, inet_ip4(a));
}

/* ping_bind, raw_bind, rawv6_bind */
int dgram_icmp_bind(Dgram *d, const InetEndpoint *a)
{
    int err;

    if (d->id || (d->tap && !inet_is_any(&d->peer)))
        return -EINVAL;
    if (!is_our_address(d, &a->addr))
        return -EADDRNOTAVAIL;
    err = d->tap ? 0 : take_id(d, a->port);
    if (err)
        return err;
    d->is_bound = !inet_is_any(&a->addr);
    d->local = d->is_bound ? a->addr : (InetAddr){{0}};
    return 0;
}

/* __ip4_datagram_connect, __ip6_datagram_connect, __udp_disconnect */
int dgram_icmp_connect(Dgram *d, const InetEndpoint *a)
{
    Ip4Flow f4;
    Ip6Flow f6;
    Ipv6Addr to;
    int err;

    if (!a) {
        d->peer = (InetAddr){{0}};
        if (!d->is_bound)
            d->local = (InetAddr){{0}};
        return 0;
    }
    err = d->tap ? 0 : take_id(d, 0);
    if (err)
        return err;
    to = inet_ip6(&a->addr);
    if (d->file->is_v6 && inet_is_ip4(&a->addr))
        return -ENETUNREACH;
    err = d->file->is_v6 ? ip6_route_get(ip6_of(d), &to, NULL, d->own.bound_dev, &f6)
                         : ip4_route_get(d->ip, inet_ip4(&a->addr), 0, d->own.bound_dev, &f4);
    if (err)
        return err;
    d->peer = a->addr;
    if (inet_is_any(&d->local))
        d->local = d->file->is_v6 ? inet_from_ip6(&f6.src) : inet_from_ip4(f4.src);
    return 0;
}

/* ---- sending ---- */

static Packet *make_packet(Dgram *d, const uint8_t *bytes, size_t n)
{
    Node *node = ip4_node(d->ip);
    Packet *p = packet_new(ip4_pool(d->ip), node->id, node->birth_next++, PKT_HEADROOM);
    size_t in_buf = HS_MIN(n, (size_t)IPV6_HDR_LEN);

    memcpy(packet_put(p, (unsigned)in_buf), bytes, in_buf);
    p->l4 = p->head;
    if (n > in_buf)
        packet_add_bytes(p, bytes + in_buf, n - in_buf);
    return p;
}

static int refused(Dgram *d, bool recverr, int err, uint32_t mtu)
{
    if (err == -EMSGSIZE && recverr)
        dgram_queue_local_error(d, EMSGSIZE, mtu);
    return err;
}

static int send4(Dgram *d, const uint8_t *bytes, size_t total, const InetAddr *to, const DgramSendOpts *opts)
{
    Ip4Tx tx = {.proto = d->tap ? (uint8_t)d->protocol : IP_PROTO_ICMP,
                .src = inet_ip4(&d->local),
                .dst = inet_ip4(to),
                .ttl = opts->ttl ? opts->ttl : d->own.ttl,
                .tos = opts->has_tos ? opts->tos : d->own.tos,
                .oif = d->own.bound_dev,
                .allow_broadcast = d->own.broadcast,
                .header_included = d->hdrincl,
                .by_dev_mtu = d->own.mtu_discover >= PMTUDISC_PROBE};
    uint32_t mtu;
    Ip4Flow f;
    int err;

    err = ip4_route_get(d->ip, tx.dst, tx.src, tx.oif, &f);
    if (err)
        return err;
    if (d->hdrincl) { /* raw_send_hdrinc */
        mtu = f.mtu;
        err = total > mtu ? -EMSGSIZE : 0;
        if (!err && total < IPV4_MIN_HDR_LEN)
            return -EINVAL;
        if (!err && d->shut & 2)
            return -EPIPE;
        if (!err && ipv4_hdr_len(bytes) < IPV4_MIN_HDR_LEN)
            return -EINVAL;
    } else {
        err = ip4_choose_df(d->ip, d->own.mtu_discover, IPV4_MIN_HDR_LEN + (uint32_t)total, &f, &tx.df, &mtu);
    }
    if (err)
        return refused(d, d->own.recverr, err, mtu);
    if (!d->tap)
        return icmp4_send_query(d->ip, make_packet(d, bytes, total), &tx);
    return ip4_output(d->ip, make_packet(d, bytes, total), &tx);
}

static int send6(Dgram *d, const uint8_t *bytes, size_t total, const InetAddr *to, const DgramSendOpts *opts)
{
    Ip6Tx tx = {.proto = d->tap ? (uint8_t)d->protocol : IP_PROTO_ICMPV6,
                .src = inet_ip6(&d->local),
                .dst = inet_ip6(to),
                .tclass = opts->has_tos ? opts->tos : d->own6.tclass,
                .oif = d->own.bound_dev,
                .by_dev_mtu = d->own6.mtu_discover >= PMTUDISC_PROBE};
    int hops = opts->has_ttl ? opts->ttl : d->own6.hop_limit, err;
    Ip6 *ip6 = ip6_of(d);
    Packet *p;
    Ip6Flow f;

    tx.hop_limit = hops < 0 ? 0 : (uint8_t)hops;
    tx.is_last_hop = hops == 0;
    err = ip6_route_get(ip6, &tx.dst, &tx.src, tx.oif, &f);
    if (err)
        return err;
    if (d->hdrincl) {
        if (total > f.mtu)
            return refused(d, d->own6.recverr, -EMSGSIZE, f.mtu);
        if (total < IPV6_HDR_LEN)
            return -EINVAL;
        if (d->shut & 2)
            return -EPIPE;
        tx.header_included = true;
        return ip6_output(ip6, make_packet(d, bytes, total), &tx);
    }
    if (d->tap && d->checksum_off >= 0 && (size_t)d->checksum_off + 2 > total)
        return -EINVAL; /* rawv6_push_pending_frames */
    err = ip6_choose_mtu(d->own6.mtu_discover, !d->own6.dontfrag && !opts->dontfrag, d->own6.frag_mtu,
                         IPV6_HDR_LEN + (uint32_t)total, &f, &tx.frag_mtu);
    if (err)
        return refused(d, d->own6.recverr, err, tx.frag_mtu);
    p = make_packet(d, bytes, total);
    if (!d->tap || d->protocol == IPPROTO_ICMPV6)
        return ip6_send_query(ip6, p, &tx);
    if (d->checksum_off >= 0)
        ip6_l4_csum(p, &f.src, &tx.dst, tx.proto, (unsigned)d->checksum_off);
    return ip6_output(ip6, p, &tx);
}

/* ping_common_sendmsg; raw sockets send what they are given. */
static int check_message(const Dgram *d, const uint8_t *bytes, size_t total)
{
    uint8_t echo = d->file->is_v6 ? ICMP6_ECHO : ICMP_ECHO;

    if (d->tap)
        return d->hdrincl || total >= 2 || (d->protocol != IPPROTO_ICMP && d->protocol != IPPROTO_ICMPV6)
                   ? 0
                   : -EFAULT; /* raw_probe_proto_opt */
    return bytes[0] == echo && bytes[1] == 0 ? 0 : -EINVAL;
}

static int take_dest(const SockCall *c, const Dgram *d, InetAddr *to)
{
    const SockAddr *a = dgram_dest(c);
    InetEndpoint e;
    int err;

    if (!a || (a->family == AF_UNSPEC && d->tap)) {
        *to = d->peer;
        return inet_is_any(to) ? -EDESTADDRREQ : 0;
    }
    err = dgram_take_addr(d->file, a, &e);
    if (err)
        return err;
    if (d->file->is_v6 && d->tap && e.port && e.port != d->protocol)
        return -EINVAL; /* rawv6_sendmsg: the port stands for the protocol */
    if (d->file->is_v6 && inet_is_ip4(&e.addr))
        return d->tap ? -ENETUNREACH : -EINVAL;
    *to = e.addr;
    return 0;
}

int dgram_icmp_send(SockCall *c, Dgram *d, size_t total)
{
    int flags = c->op != SYS_WRITE && c->op != SYS_WRITEV ? c->flags : 0, err;
    uint8_t *free_me, *copy;
    const uint8_t *bytes;
    DgramSendOpts opts;
    InetAddr to;

    if (total > 65535 && !(d->tap && d->file->is_v6)) /* rawv6_sendmsg looks at it last */
        return -EMSGSIZE;
    if (!d->tap && total < ICMP_HDR_LEN)
        return -EINVAL;
    if (flags & MSG_OOB)
        return -EOPNOTSUPP;
    bytes = dgram_bytes_of(c, total, &free_me);
    err = d->tap ? 0 : check_message(d, bytes, total);
    if (!err)
        err = take_dest(c, d, &to);
    if (!err && d->tap)
        err = check_message(d, bytes, total);
    if (!err)
        err = dgram_take_cmsgs(c, d->file->is_v6, &opts);
    if (!err && !d->tap)
        err = d->shut & 2 ? -EPIPE : take_id(d, 0);
    if (!err) {
        copy = g_malloc(HS_MAX(total, (size_t)1));
        if (total)
            memcpy(copy, bytes, total);
        if (!d->tap)
            wire_put16(copy + 4, d->id);
        err = d->file->is_v6 ? send6(d, copy, total, &to, &opts) : send4(d, copy, total, &to, &opts);
        g_free(copy);
    }
    g_free(free_me);
    return err;
}
