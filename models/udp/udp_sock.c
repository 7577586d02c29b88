/* A socket: its addresses, sending, its receive queue (Linux inet_bind, ip4_datagram_connect, udp_sendmsg,
 * udp_recvmsg, __udp_enqueue_schedule_skb).
 *
 * Processes run as root here: ports below 1024 are for everybody. Nothing waits on the sending side: a
 * datagram leaves for the device's queue at once, so sndbuf is kept and not enforced. */
#include <errno.h>
#include <string.h>

#include "models/udp/udp_priv.h"
#include "models/wire/eth.h"
#include "sim/packet/checksum.h"

#define RMEM_DEFAULT 212992 /* net.core.rmem_default, wmem_default */
#define SKB_PAD 64
#define SKB_SHARED_INFO 320
#define SKB_SMALL_HEAD 576
#define SKB_STRUCT 256

/* ---- life ---- */

UdpSock *udpsock_new(Udp *u)
{
    UdpSock *s = g_new0(UdpSock, 1);

    s->udp = u;
    s->opt = (UdpSockOpt){.rcvbuf = RMEM_DEFAULT, .sndbuf = RMEM_DEFAULT, .mtu_discover = PMTUDISC_WANT};
    s->all_next = u->all;
    if (u->all)
        u->all->all_prev = s;
    u->all = s;
    return s;
}

static UdpWaiting *ring_pop(UdpSock *s)
{
    UdpWaiting *w;

    if (!s->ring_len)
        return NULL;
    w = &s->ring[s->ring_head];
    s->ring_head = (s->ring_head + 1) & (s->ring_cap - 1);
    s->ring_len--;
    s->rmem -= w->truesize;
    return w;
}

static void end_membership(const UdpSock *s, UdpMembership **at)
{
    UdpMembership *m = *at;
    Ip4If *ifp = ip4_if_by_index(s->udp->ip, m->ifindex);

    *at = m->next;
    if (ifp)
        ip4_group_leave(ifp, m->group);
    g_free(m);
}

void udpsock_close(UdpSock *s)
{
    UdpWaiting *w;

    if (!s)
        return;
    if (s->local_port)
        udptable_remove(s->udp, s);
    while ((w = ring_pop(s)))
        packet_unref(w->pkt);
    while (s->groups) /* ip_mc_drop_socket */
        end_membership(s, &s->groups);
    if (s->all_prev)
        s->all_prev->all_next = s->all_next;
    else
        s->udp->all = s->all_next;
    if (s->all_next)
        s->all_next->all_prev = s->all_prev;
    g_free(s->ring);
    g_free(s->v6);
    g_free(s);
}

UdpSockOpt *udpsock_opt(UdpSock *s)
{
    return &s->opt;
}

void udpsock_on_wake(UdpSock *s, UdpWakeFn fn, void *user)
{
    s->wake = fn;
    s->wake_user = user;
}

void udpsock_on_icmp(UdpSock *s, UdpIcmpFn fn, void *user)
{
    s->icmp = fn;
    s->icmp_user = user;
}

UdpAddr udpsock_local(const UdpSock *s)
{
    return (UdpAddr){s->local_ip, s->local_port};
}

UdpAddr udpsock_peer(const UdpSock *s)
{
    return (UdpAddr){s->peer_ip, s->peer_port};
}

int udpsock_take_error(UdpSock *s)
{
    int err = s->err;

    s->err = 0;
    return err;
}

/* ---- addresses ---- */

static int take_port(UdpSock *s, uint32_t ip, uint16_t port)
{
    Udp *u = s->udp;

    if (!port) {
        port = udptable_ephemeral(u, s, ip);
        if (!port)
            return -EADDRINUSE;
    } else if (udptable_conflicts(u, s, ip, port)) {
        return -EADDRINUSE;
    }
    s->local_port = port;
    udptable_insert(u, s);
    return 0;
}

static bool is_group(Ip4 *ip, uint32_t addr)
{
    Ip4Flow f;

    return ipv4_addr_is_multicast(addr) || addr == IPV4_BROADCAST ||
           (ip4_route_get(ip, addr, 0, NULL, &f) == 0 && f.type == IP4_ROUTE_BROADCAST);
}

int udpsock_bind(UdpSock *s, UdpAddr a)
{
    bool to_group = false;
    int err;

    if (s->local_port)
        return -EINVAL;
    if (a.ip && !ip4_is_local(s->udp->ip, a.ip)) {
        to_group = is_group(s->udp->ip, a.ip);
        if (!to_group)
            return -EADDRNOTAVAIL;
    }
    err = take_port(s, a.ip, a.port);
    if (err)
        return a.port ? err : -EADDRINUSE;
    s->local_ip = a.ip;
    s->source_ip = to_group ? 0 : a.ip; /* a group cannot be a source */
    s->has_bound_ip = a.ip != 0;
    s->has_bound_port = a.port != 0;
    return 0;
}

int udpsock_autobind(UdpSock *s)
{
    return s->local_port ? 0 : take_port(s, s->local_ip, 0) ? -EAGAIN : 0;
}

/* __udp_disconnect: what connect chose is forgotten, what bind said stays. */
static void disconnect(UdpSock *s)
{
    s->peer_ip = 0;
    s->peer_port = 0;
    s->is_connected = false;
    if (!s->has_bound_ip)
        s->local_ip = s->source_ip = 0;
    if (s->v6) {
        s->v6->peer = (Ipv6Addr){0};
        if (!s->has_bound_ip) {
            s->v6->local = s->v6->source = s->v6->peer;
            s->v6->is_mapped = false;
        }
    }
    if (!s->has_bound_port && s->local_port) {
        udptable_remove(s->udp, s);
        s->local_port = 0;
    }
}

int udpsock_connect(UdpSock *s, UdpAddr a)
{
    Ip4Flow f;
    int err;

    if (!a.ip && !a.port) {
        disconnect(s);
        return 0;
    }
    err = udpsock_autobind(s);
    if (!err)
        err = ip4_route_get(s->udp->ip, a.ip, s->source_ip, s->opt.bound_dev, &f);
    if (err)
        return err;
    if (f.type == IP4_ROUTE_BROADCAST && !s->opt.broadcast)
        return -EACCES;
    if (!a.ip)
        a.ip = f.next_hop; /* Linux: this host */
    if (!s->source_ip)
        s->source_ip = f.src;
    if (!s->local_ip)
        s->local_ip = f.src;
    s->peer_ip = a.ip;
    s->peer_port = a.port;
    s->is_connected = true;
    return 0;
}

/* ---- groups (Linux ip_mc_join_group, ip_mc_leave_group) ---- */

static int find_group_dev(const UdpSock *s, uint32_t group, Ip4If **ifp)
{
    Ip4Flow f;

    if (!ipv4_addr_is_multicast(group))
        return -EINVAL;
    if (*ifp)
        return 0;
    if (ip4_route_get(s->udp->ip, group, 0, NULL, &f) < 0)
        return -ENODEV;
    *ifp = f.dev;
    return 0;
}

static UdpMembership **find_membership(UdpSock *s, uint32_t group, const Ip4If *ifp)
{
    UdpMembership **at = &s->groups;

    while (*at && !((*at)->group == group && (*at)->ifindex == ip4_if_dev(ifp)->ifindex))
        at = &(*at)->next;
    return at;
}

int udpsock_join(UdpSock *s, uint32_t group, Ip4If *ifp)
{
    int err = find_group_dev(s, group, &ifp);
    UdpMembership **at;

    if (err)
        return err;
    at = find_membership(s, group, ifp);
    if (*at)
        return -EADDRINUSE;
    *at = g_new0(UdpMembership, 1);
    (*at)->ifindex = ip4_if_dev(ifp)->ifindex;
    (*at)->group = group;
    ip4_group_join(ifp, group);
    return 0;
}

int udpsock_leave(UdpSock *s, uint32_t group, Ip4If *ifp)
{
    int err = find_group_dev(s, group, &ifp);
    UdpMembership **at;

    if (err)
        return err;
    at = find_membership(s, group, ifp);
    if (!*at)
        return -EADDRNOTAVAIL;
    end_membership(s, at);
    return 0;
}

/* ---- sending ---- */

static void attach_packet(Packet *p, const Packet *from, uint32_t len)
{
    uint32_t in_buf = HS_MIN(packet_header_len(from), len);

    if (in_buf <= (uint32_t)(PKT_BUF - p->tail))
        memcpy(packet_put(p, in_buf), packet_cdata(from), in_buf);
    else
        packet_add_bytes(p, packet_cdata(from), in_buf);
    packet_add_payload_of(p, from, 0, len - in_buf);
}

static void attach(Packet *p, const UdpSend *m)
{
    if (m->packet)
        attach_packet(p, m->packet, m->len);
    else if (!m->bytes)
        packet_add_synthetic(p, m->synthetic_off, m->len);
    else if (m->len <= (uint32_t)(PKT_BUF - p->tail))
        memcpy(packet_put(p, m->len), m->bytes, m->len); /* no chunk for small ones */
    else
        packet_add_bytes(p, m->bytes, m->len);
}

Packet *udpsock_build(UdpSock *s, const UdpSend *m, uint16_t to_port)
{
    Node *node = s->udp->node;
    Packet *p = packet_new(ip4_pool(s->udp->ip), node->id, node->birth_next++, PKT_HEADROOM);
    uint8_t *h = packet_put(p, UDP_HDR_LEN);

    p->l4 = p->head;
    wire_put16(h, s->local_port);
    wire_put16(h + 2, to_port);
    wire_put16(h + 4, (uint16_t)(UDP_HDR_LEN + m->len));
    wire_put16(h + UDP_CHECKSUM_OFF, 0);
    attach(p, m);
    return p;
}

uint32_t udpsock_refused_mtu(const UdpSock *s)
{
    return s->refused_mtu;
}

static int sent(Udp *u, UdpSock *s, int err)
{
    if (err == -ENOBUFS) { /* the device's queue is full: told with IP_RECVERR only */
        u->mib[MIB_UdpSndbufErrors]++;
        if (!s->opt.recverr)
            err = 0;
    }
    if (!err)
        u->mib[MIB_UdpOutDatagrams]++;
    return err;
}

int udpsock_send(UdpSock *s, const UdpSend *m)
{
    Udp *u = s->udp;
    UdpAddr to;
    Ip4Flow f;
    Ip4Tx tx = {.proto = IP_PROTO_UDP};
    uint32_t mtu, total;
    Packet *p;
    int err;

    s->refused_mtu = 0;
    if (HS_UNLIKELY(m->len > UINT16_MAX))
        return -EMSGSIZE;
    if (m->to) {
        to = *m->to;
        if (HS_UNLIKELY(!to.port))
            return -EINVAL;
    } else {
        if (HS_UNLIKELY(!s->is_connected))
            return -EDESTADDRREQ;
        to = udpsock_peer(s);
    }
    err = udpsock_autobind(s);
    if (!err)
        err = ip4_route_get(u->ip, to.ip, s->source_ip, s->opt.bound_dev, &f);
    if (HS_UNLIKELY(err))
        return err;
    if (HS_UNLIKELY(f.type == IP4_ROUTE_BROADCAST && !s->opt.broadcast))
        return -EACCES;
    if (HS_UNLIKELY(!to.ip))
        to.ip = f.next_hop;
    total = IPV4_MIN_HDR_LEN + UDP_HDR_LEN + m->len;
    err = ip4_choose_df(u->ip, s->opt.mtu_discover, total, &f, &tx.df, &mtu);
    if (HS_UNLIKELY(err || (m->is_whole && total > mtu))) {
        s->refused_mtu = m->is_whole ? 0 : mtu;
        return -EMSGSIZE;
    }
    if (HS_UNLIKELY(s->err)) /* sock_alloc_send_skb: only now */
        return -udpsock_take_error(s);
    p = udpsock_build(s, m, to.port);
    if (!s->opt.no_check)
        ip4_l4_csum(p, f.src, to.ip, IP_PROTO_UDP, UDP_CHECKSUM_OFF);
    tx.src = s->source_ip; /* as looked up above: IP finds the same entry of its cache */
    tx.dst = to.ip;
    tx.tos = m->has_tos ? m->tos : s->opt.tos;
    tx.ttl = m->ttl ? m->ttl : s->opt.ttl;
    tx.allow_broadcast = s->opt.broadcast;
    tx.oif = s->opt.bound_dev;
    tx.by_dev_mtu = s->opt.mtu_discover >= PMTUDISC_PROBE;
    if (probe_wanted(u->node, PROBE_UDP))
        probe_emit(
            u->node, &udp_probe_send, NULL, p,
            (ProbeValue[]){{.u = f.src}, {.u = s->local_port}, {.u = to.ip}, {.u = to.port}, {.u = m->len}});
    /* Nothing of the socket may be used behind this but its counters: over the loopback the answer may come
     * at once. */
    return sent(u, s, ip4_output(u->ip, p, &tx));
}

/* ---- receiving ---- */

/* What the allocator of skb heads gives for n bytes: one of the small heads, or kmalloc's powers of two. */
static uint32_t kmalloc_size(uint32_t n)
{
    uint32_t size = 1024;

    if (n <= SKB_SMALL_HEAD)
        return SKB_SMALL_HEAD;
    while (size < n)
        size *= 2;
    return size;
}

/* Of a frame of so many bytes from the link's header on: NET_SKB_PAD before it, skb_shared_info behind it. */
static uint32_t frame_truesize(uint32_t frame)
{
    return kmalloc_size(((SKB_PAD + frame + 63) & ~63u) + SKB_SHARED_INFO) + SKB_STRUCT;
}

uint32_t udp_truesize(uint32_t payload_len)
{
    return frame_truesize(ETH_HDR_LEN + IPV4_MIN_HDR_LEN + UDP_HDR_LEN + payload_len);
}

uint32_t udp_rcvbuf_for(uint32_t k, uint32_t payload_len)
{
    return k * udp_truesize(payload_len);
}

static void ring_push(UdpSock *s, UdpWaiting w)
{
    if (HS_UNLIKELY(s->ring_len == s->ring_cap)) {
        uint32_t cap = s->ring_cap ? 2 * s->ring_cap : 4;
        UdpWaiting *ring = g_new(UdpWaiting, cap);

        for (uint32_t i = 0; i < s->ring_len; i++)
            ring[i] = s->ring[(s->ring_head + i) & (s->ring_cap - 1)];
        g_free(s->ring);
        s->ring = ring;
        s->ring_head = 0;
        s->ring_cap = cap;
    }
    s->ring[(s->ring_head + s->ring_len++) & (s->ring_cap - 1)] = w;
}

bool udpsock_enqueue(UdpSock *s, Packet *pkt, uint32_t len, const Ip4If *in)
{
    const NetDev *dev = ip4_if_dev(in);
    uint32_t link_len = dev->flags & NETDEV_POINTOPOINT ? 0 : ETH_HDR_LEN;
    uint32_t truesize = frame_truesize(link_len + (uint32_t)(pkt->head - pkt->l3) + UDP_HDR_LEN + len);

    if (HS_UNLIKELY(s->rmem + truesize > s->opt.rcvbuf && s->rmem)) /* an empty queue takes anything */
        return false;
    s->rmem += truesize;
    ring_push(s, (UdpWaiting){pkt, node_now(s->udp->node), len, truesize, dev->ifindex});
    return true;
}

int udpsock_error(const UdpSock *s)
{
    return s->err;
}

void udpsock_set_error(UdpSock *s, int err)
{
    s->err = err;
}

bool udpsock_waiting(const UdpSock *s)
{
    return s->ring_len != 0;
}

bool udpsock_readable(const UdpSock *s)
{
    return s->ring_len != 0 || s->err != 0;
}

uint32_t udpsock_first_len(const UdpSock *s)
{
    return s->ring_len ? s->ring[s->ring_head].len : 0;
}

uint64_t udpsock_drops(const UdpSock *s)
{
    return s->drops;
}

uint32_t udpsock_rmem(const UdpSock *s)
{
    return s->rmem;
}

/* The next datagram out of the queue, described. */
static int take(UdpSock *s, UdpWaiting *out, UdpRecv *info)
{
    UdpWaiting *w;
    const uint8_t *ip, *h;

    if (HS_UNLIKELY(s->err))
        return -udpsock_take_error(s);
    w = ring_pop(s);
    if (!w)
        return -EAGAIN;
    ip = w->pkt->buf + w->pkt->l3;
    h = packet_cdata(w->pkt);
    *out = *w;
    if (HS_UNLIKELY(ip[0] >> 4 == 6)) { /* for the addresses, udp6sock_next */
        s->udp->mib[MIB_Udp6InDatagrams]++;
        if (info)
            *info = (UdpRecv){.from.port = udp_src_port(h),
                              .to.port = udp_dst_port(h),
                              .len = w->len,
                              .copied = w->len,
                              .tos = (uint8_t)(wire_get16(ip) >> 4),
                              .ttl = ipv6_hop_limit(ip),
                              .ifindex = w->ifindex,
                              .time = w->time};
        return 0;
    }
    s->udp->mib[MIB_UdpInDatagrams]++; /* as Linux: when it is read */
    if (info) {
        *info = (UdpRecv){
            .from = {ipv4_src(ip), udp_src_port(h)},
            .to = {ipv4_dst(ip), udp_dst_port(h)},
            .len = w->len,
            .copied = w->len,
            .tos = ipv4_tos(ip),
            .ttl = ipv4_ttl(ip),
            .ifindex = w->ifindex,
            .time = w->time,
        };
    }
    return 0;
}

int udpsock_recv(UdpSock *s, void *buf, uint32_t size, UdpRecv *info)
{
    UdpWaiting w = {0};
    int err = take(s, &w, info);
    uint32_t n;

    if (err)
        return err;
    n = HS_MIN(size, w.len);
    packet_copy_raw(w.pkt, UDP_HDR_LEN, buf, n);
    packet_unref(w.pkt);
    if (info)
        info->copied = n;
    return (int)n;
}

int udpsock_recv_packet(UdpSock *s, Packet **pkt, UdpRecv *info)
{
    UdpWaiting w = {0};
    int err = take(s, &w, info);

    if (err)
        return err;
    *pkt = packet_own(w.pkt);
    packet_pull(*pkt, UDP_HDR_LEN);
    return (int)w.len;
}
