/* Which socket a datagram belongs to (Linux compute_score, __udp_is_mcast_sock), and which ports are free
 * (udp_lib_lport_inuse, udp_lib_get_port).
 *
 * The table is hashed by local port. Within a bucket the socket bound last comes first, so among equals the
 * newest wins, as with Linux's SO_REUSEADDR; with SO_REUSEPORT the four-tuple's hash chooses among all of
 * them. */
#include "models/udp/udp_priv.h"
#include "sim/base/hash64.h"

#define BUCKETS_MIN 4

static UdpSock **bucket(const Udp *u, uint16_t port)
{
    return &u->bucket[port & (u->n_buckets - 1)];
}

static void grow(Udp *u)
{
    UdpSock **old = u->bucket;
    uint32_t n = u->n_buckets;

    u->n_buckets = n ? 4 * n : BUCKETS_MIN;
    u->bucket = g_new0(UdpSock *, u->n_buckets);
    for (uint32_t i = 0; i < n; i++) {
        UdpSock *rev = NULL, *s, *next;

        for (s = old[i]; s; s = next) {
            next = s->next;
            s->next = rev;
            rev = s;
        }
        for (s = rev; s; s = next) { /* oldest first, so that each chain keeps its order */
            UdpSock **b = bucket(u, s->local_port);

            next = s->next;
            s->next = *b;
            *b = s;
        }
    }
    g_free(old);
}

void udptable_insert(Udp *u, UdpSock *s)
{
    UdpSock **b;

    if (u->n_bound >= u->n_buckets)
        grow(u);
    b = bucket(u, s->local_port);
    s->next = *b;
    *b = s;
    u->n_bound++;
}

void udptable_remove(Udp *u, UdpSock *s)
{
    for (UdpSock **p = bucket(u, s->local_port); *p; p = &(*p)->next)
        if (*p == s) {
            *p = s->next;
            s->next = NULL;
            u->n_bound--;
            return;
        }
}

void udptable_clear(Udp *u)
{
    g_free(u->bucket);
    u->bucket = NULL;
    u->n_buckets = 0;
}

static bool takes_ip4(const UdpSock *s)
{
    static const Ipv6Addr any;

    return !s->v6 || s->v6->is_mapped || (!s->v6->opt.is_v6only && ipv6_addr_equal(&s->v6->local, &any));
}

/* What counts alike for both families, added to n; -1: not this one. */
static inline int score_rest(const UdpSock *s, const UdpKey *k, int n)
{
    if (s->peer_port) {
        if (s->peer_port != k->remote_port)
            return -1;
        n += 4;
    }
    if (s->opt.bound_dev) {
        if (k->dev && s->opt.bound_dev != k->dev)
            return -1;
        n += 4;
    }
    return n;
}

/* udp6 compute_score: a datagram over IPv6. */
static int score6(const UdpSock *s, const UdpKey *k)
{
    static const Ipv6Addr any;
    int n = 2;

    if (!s->v6 || s->v6->is_mapped || s->local_port != k->local_port)
        return -1;
    if (!ipv6_addr_equal(&s->v6->local, &any)) {
        if (!ipv6_addr_equal(&s->v6->local, k->local6))
            return -1;
        n += 64;
    }
    if (!ipv6_addr_equal(&s->v6->peer, &any)) {
        if (!ipv6_addr_equal(&s->v6->peer, k->remote6))
            return -1;
        n += 4;
    }
    return score_rest(s, k, n);
}

/* -1: not this one. A bound address outweighs everything, because Linux looks for it in a pass of its own. */
static int score(const UdpSock *s, const UdpKey *k)
{
    int n = 2;

    if (HS_UNLIKELY(k->local6 != NULL))
        return score6(s, k);
    if (s->local_port != k->local_port || (HS_UNLIKELY(s->v6 != NULL) && !takes_ip4(s)))
        return -1;
    if (s->local_ip) {
        if (s->local_ip != k->local_ip)
            return -1;
        n += 64;
    }
    if (s->peer_ip) {
        if (s->peer_ip != k->remote_ip)
            return -1;
        n += 4;
    }
    return score_rest(s, k, n);
}

/* reuseport_select_sock: the same flow always reaches the same member of the group. */
static UdpSock *choose(UdpSock *first, const UdpKey *k, int best, unsigned n)
{
    uint64_t h = hash64_fold(((uint64_t)k->remote_ip << 32 | k->local_ip) ^ HASH64_K1,
                             ((uint64_t)k->remote_port << 16 | k->local_port) ^ HASH64_K2);
    uint64_t nth = (h >> 32) * n >> 32;

    for (UdpSock *s = first; s; s = s->next)
        if (s->opt.reuseport && score(s, k) == best && nth-- == 0)
            return s;
    return first;
}

UdpSock *udptable_lookup(const Udp *u, const UdpKey *k)
{
    UdpSock *found = NULL;
    unsigned n_reuse = 0;
    int best = -1;

    if (HS_UNLIKELY(!u->n_buckets))
        return NULL;
    for (UdpSock *s = *bucket(u, k->local_port); s; s = s->next) {
        int n = score(s, k);

        if (n > best) {
            best = n;
            found = s;
            n_reuse = s->opt.reuseport;
        } else if (n == best && n >= 0 && found->opt.reuseport && s->opt.reuseport) {
            n_reuse++;
        }
    }
    /* A connected socket is nobody's deputy. */
    if (HS_UNLIKELY(n_reuse > 1 && !found->is_connected))
        return choose(found, k, best, n_reuse);
    return found;
}

UdpSock *udptable_next_in_group(const Udp *u, const UdpKey *k, UdpSock *after)
{
    UdpSock *s = after ? after->next : u->n_buckets ? *bucket(u, k->local_port) : NULL;

    while (s && score(s, k) < 0)
        s = s->next;
    return s;
}

static bool is_ip4_only(const UdpSock *s)
{
    return !s->v6 || s->v6->is_mapped;
}

/* Could one datagram be meant for both (inet_rcv_saddr_equal, ipv6_rcv_saddr_equal)? */
static bool do_overlap(const UdpSock *a, uint32_t a_ip, const UdpSock *b)
{
    static const Ipv6Addr any;

    if (is_ip4_only(a) && is_ip4_only(b))
        return !a_ip || !b->local_ip || a_ip == b->local_ip;
    if (is_ip4_only(a) || is_ip4_only(b))
        return is_ip4_only(a) ? takes_ip4(b) : takes_ip4(a);
    return ipv6_addr_equal(&a->v6->local, &any) || ipv6_addr_equal(&b->v6->local, &any) ||
           ipv6_addr_equal(&a->v6->local, &b->v6->local);
}

static bool are_in_conflict(const UdpSock *a, uint32_t a_ip, const UdpSock *b)
{
    if (a->opt.reuseaddr && b->opt.reuseaddr)
        return false;
    if (a->opt.bound_dev && b->opt.bound_dev && a->opt.bound_dev != b->opt.bound_dev)
        return false;
    if (!do_overlap(a, a_ip, b))
        return false;
    return !(a->opt.reuseport && b->opt.reuseport);
}

bool udptable_conflicts(const Udp *u, const UdpSock *s, uint32_t ip, uint16_t port)
{
    if (u->n_buckets)
        for (const UdpSock *o = *bucket(u, port); o; o = o->next)
            if (o != s && o->local_port == port && are_in_conflict(s, ip, o))
                return true;
    return false;
}

uint16_t udptable_ephemeral(Udp *u, const UdpSock *s, uint32_t ip)
{
    const Ip4Sysctl *sys = ip4_sysctl_get(u->ip);
    uint32_t low = sys->port_low, n, first;

    if (sys->port_high < low)
        return 0;
    n = (uint32_t)sys->port_high - low + 1;
    first = (uint32_t)rng_below(u->ports, n);
    for (uint32_t i = 0; i < n; i++) {
        uint16_t port = (uint16_t)(low + (first + i) % n);

        if (port && !udptable_conflicts(u, s, ip, port))
            return port;
    }
    return 0;
}
