/* What earlier connections learnt about a destination (Linux net/ipv4/tcp_metrics.c; RFC 9040): round-trip
 * time, thresholds, reordering, and Fast Open's cookie. Kept per (source, destination). */
#include <glib.h>
#include <string.h>

#include "models/ip/route_metrics.h"
#include "models/tcp/tcp_ack.h"
#include "models/tcp/tcp_life.h"
#include "sim/base/hash64.h"

#define FALLBACK_MS 3000 /* TCP_TIMEOUT_FALLBACK */
/* What nobody has learnt anything about for so long is learnt anew (TCP_METRICS_TIMEOUT). */
#define LIFETIME (3600 * SIM_SEC)
#define STAMP_BITS 24 /* a stamp counts 2^24 ns, 17 ms: 31 bits of it are more than a year */

typedef struct FastopenMetrics { /* NULL in most entries */
    uint16_t mss, try_exp, syn_loss;
    SimTime last_syn_loss;
    TcpFastopenCookie cookie;
} FastopenMetrics;

typedef struct MetricMore {
    InetAddr local, remote;
    FastopenMetrics *fo;
} MetricMore;

/* Servers know thousands of peers, nearly all by IPv4 and none by Fast Open. */
typedef struct TcpMetric {
    struct TcpMetric *next;     /* of the same bucket */
    uint32_t rtt_us, rttvar_us; /* << 3 and << 2 */
    uint32_t ssthresh, cwnd, reordering;
    uint32_t local4, remote4; /* the key, unless has_more */
    uint32_t has_more : 1;    /* more[0] is there */
    uint32_t stamp : 31;      /* when something was learnt last */
    MetricMore more[];
} Entry;
_Static_assert(sizeof(Entry) <= 40, "what few of them have belongs into MetricMore");

static uint32_t hash_pair(const InetAddr *local, const InetAddr *remote)
{
    Hash64 h;

    hash64_init(&h, 0);
    hash64_update(&h, local, sizeof(*local));
    hash64_update(&h, remote, sizeof(*remote));
    return (uint32_t)hash64_final64(&h);
}

static Entry **bucket_of(TcpMetrics *m, const InetAddr *local, const InetAddr *remote)
{
    return m->mask ? &m->bucket.many[hash_pair(local, remote) & m->mask] : &m->bucket.one;
}

static size_t size_of(bool has_more)
{
    return sizeof(Entry) + (has_more ? sizeof(MetricMore) : 0);
}

static InetAddr local_of(const Entry *e)
{
    return e->has_more ? e->more[0].local : inet_from_ip4(e->local4);
}

static InetAddr remote_of(const Entry *e)
{
    return e->has_more ? e->more[0].remote : inet_from_ip4(e->remote4);
}

static void grow(TcpMetrics *m)
{
    uint32_t n = m->mask + 1;
    Entry *one = m->bucket.one, **old = m->mask ? m->bucket.many : &one;

    m->bucket.many = g_new0(Entry *, 2 * n);
    m->mask = 2 * n - 1;
    for (uint32_t i = 0; i < n; i++)
        for (Entry *e = old[i], *next; e; e = next) {
            InetAddr local = local_of(e), remote = remote_of(e);
            Entry **at = bucket_of(m, &local, &remote);

            next = e->next;
            e->next = *at;
            *at = e;
        }
    if (old != &one)
        g_free(old);
}

/* The place that points to it. */
static Entry **find_at(Tcp *t, const InetAddr *local, const InetAddr *remote)
{
    Entry **at = bucket_of(&t->metrics, local, remote);

    for (; *at; at = &(*at)->next) {
        InetAddr l = local_of(*at), r = remote_of(*at);

        if (inet_eq(&l, local) && inet_eq(&r, remote))
            break;
    }
    return at;
}

static Entry *find(Tcp *t, const InetAddr *local, const InetAddr *remote)
{
    return *find_at(t, local, remote);
}

static uint32_t stamp_of(SimTime t)
{
    return (uint32_t)(t >> STAMP_BITS) & 0x7fffffff;
}

static bool is_old(const Tcp *t, const Entry *e)
{
    return ((stamp_of(node_now(t->node)) - e->stamp) & 0x7fffffff) > stamp_of(LIFETIME);
}

/* What the route says is where learning begins (tcpm_suck_dst). Fast Open's part stays. */
static void begin(Entry *e, const TcpConn *c)
{
    e->stamp = stamp_of(node_now(c->tcp->node));
    e->rtt_us = route_metrics_get(c->metrics, ROUTE_RTT_US) << 3;
    e->rttvar_us = route_metrics_get(c->metrics, ROUTE_RTTVAR_US) << 2;
    e->ssthresh = route_metrics_get(c->metrics, ROUTE_SSTHRESH);
    e->cwnd = route_metrics_get(c->metrics, ROUTE_CWND);
    e->reordering = route_metrics_get(c->metrics, ROUTE_REORDERING);
}

/* tcp_get_metrics, which does not make one */
static Entry *find_for(TcpConn *c)
{
    Entry *e = find(c->tcp, &c->local, &c->remote);

    if (e && is_old(c->tcp, e)) /* tcpm_check_stamp */
        begin(e, c);
    return e;
}

static Entry *find_or_make(TcpConn *c)
{
    Tcp *t = c->tcp;
    Entry *e = find_for(c), **at;
    bool has_more = !inet_is_ip4(&c->local) || !inet_is_ip4(&c->remote);

    if (e)
        return e;
    if (t->metrics.n > t->metrics.mask)
        grow(&t->metrics);
    at = bucket_of(&t->metrics, &c->local, &c->remote);
    e = cells_take(&t->node->part->cells, size_of(has_more));
    e->next = *at;
    *at = e;
    t->metrics.n++;
    e->has_more = has_more;
    if (has_more) {
        e->more[0] = (MetricMore){c->local, c->remote, NULL};
    } else {
        e->local4 = inet_ip4(&c->local);
        e->remote4 = inet_ip4(&c->remote);
    }
    begin(e, c);
    return e;
}

/* What Fast Open knows of it: with that, an entry becomes a larger one. */
static FastopenMetrics *make_fastopen(TcpConn *c)
{
    Cells *cells = &c->tcp->node->part->cells;
    Entry *e = find_or_make(c);

    if (!e->has_more) {
        Entry **at = find_at(c->tcp, &c->local, &c->remote);

        *at = cells_take(cells, size_of(true));
        **at = *e;
        (*at)->has_more = true;
        (*at)->more[0] = (MetricMore){c->local, c->remote, NULL};
        cells_give(cells, e, size_of(false));
        e = *at;
    }
    if (!e->more[0].fo)
        e->more[0].fo = g_new0(FastopenMetrics, 1);
    return e->more[0].fo;
}

void tcp_metrics_free(Tcp *t)
{
    TcpMetrics *m = &t->metrics;

    for (uint32_t i = 0; i <= m->mask; i++)
        for (Entry *e = m->mask ? m->bucket.many[i] : m->bucket.one, *next; e; e = next) {
            next = e->next;
            if (e->has_more)
                g_free(e->more[0].fo);
            cells_give(&t->node->part->cells, e, size_of(e->has_more));
        }
    if (m->mask)
        g_free(m->bucket.many);
    *m = (TcpMetrics){.n = 0};
}

size_t tcp_metrics_bytes(const Tcp *t)
{
    const TcpMetrics *m = &t->metrics;

    return m->n * sizeof(Entry) + (m->mask ? (m->mask + 1) * sizeof *m->bucket.many : 0);
}

void tcp_metrics_flush(Tcp *t)
{
    tcp_metrics_free(t);
}

bool tcp_metrics_peer_is_proven(Tcp *t, const TcpReq *r)
{
    const Entry *e = find(t, &r->local, &r->remote);

    return e && !is_old(t, e) && e->rtt_us;
}

/* ---- at the start of a connection ---- */

/* Locked values of the route stay. */
static uint32_t metric(const TcpConn *c, RouteMetric i, uint32_t learnt)
{
    return route_metrics_is_locked(c->metrics, i) ? route_metrics_get(c->metrics, i) : learnt;
}

static void use_thresholds(TcpConn *c, const Entry *e)
{
    uint32_t ssthresh = metric(c, ROUTE_SSTHRESH, e->ssthresh);
    uint32_t reordering = metric(c, ROUTE_REORDERING, e->reordering);

    if (route_metrics_is_locked(c->metrics, ROUTE_CWND))
        c->snd_cwnd_clamp = route_metrics_get(c->metrics, ROUTE_CWND);
    if (ssthresh && !c->tcp->sysctl->tcp_no_ssthresh_metrics_save)
        c->cc.s.ssthresh = HS_MIN(ssthresh, c->snd_cwnd_clamp);
    if (reordering && c->sack.reordering != reordering)
        c->sack.reordering = reordering;
}

/* tcp_init_metrics */
void tcp_metrics_init(TcpConn *c)
{
    const Entry *e = find_for(c);
    uint32_t crtt = e ? metric(c, ROUTE_RTT_US, e->rtt_us >> 3) << 3 : 0;

    /* The handshake may have reduced it without reason. */
    c->cc.s.ssthresh = TCP_INFINITE_SSTHRESH;
    /* A destination that nothing was learnt about has no metrics, whatever its route says. */
    if (e)
        use_thresholds(c, e);
    if (crtt > c->rtt.srtt_us) {
        /* SYNs are small: the first data takes the RTO of earlier experience, the estimator goes its own way.
         */
        uint32_t crtt_ms = crtt / 8000;

        c->rtt.rto_ms = crtt_ms + HS_MAX(2 * crtt_ms, tcp_rtt_rto_min_us(c) / 1000);
    } else if (!c->rtt.srtt_us) {
        /* RFC 6298 5.7: the handshake gave no sample, probably because of a retransmission: 3 seconds. */
        c->rtt.rttvar_us = FALLBACK_MS * 1000;
        c->rtt.mdev_us = c->rtt.mdev_max_us = c->rtt.rttvar_us;
        c->rtt.rto_ms = FALLBACK_MS;
    }
}

/* ---- at its end ---- */

/* A longer round trip counts at once, a shorter one by an eighth: overestimating is the safe side. */
static void learn_rtt(Entry *e, const TcpConn *c)
{
    int64_t m = (int64_t)e->rtt_us - c->rtt.srtt_us;
    uint32_t dev, rttvar = e->rttvar_us;

    if (m <= 0)
        e->rtt_us = c->rtt.srtt_us;
    else
        e->rtt_us -= (uint32_t)(m >> 3);
    dev = (uint32_t)((m < 0 ? -m : m) >> 1);
    dev = HS_MAX(dev, c->rtt.mdev_us);
    e->rttvar_us = dev >= rttvar ? dev : rttvar - ((rttvar - dev) >> 2);
}

static void learn_windows(Entry *e, const TcpConn *c)
{
    bool saves_ssthresh = !c->tcp->sysctl->tcp_no_ssthresh_metrics_save;
    uint32_t cwnd = c->cc.s.cwnd, ssthresh = c->cc.s.ssthresh;

    if (tcp_in_initial_slowstart(c)) { /* slow start has not found an end */
        if (saves_ssthresh && e->ssthresh && cwnd >> 1 > e->ssthresh)
            e->ssthresh = cwnd >> 1;
        e->cwnd = HS_MAX(e->cwnd, cwnd);
    } else if (!tcp_in_slow_start(c) && c->rec.ca_state == TCP_CA_OPEN) { /* the window can be trusted */
        if (saves_ssthresh)
            e->ssthresh = HS_MAX(cwnd >> 1, ssthresh);
        e->cwnd = (e->cwnd + cwnd) >> 1;
    } else {
        e->cwnd = (e->cwnd + ssthresh) >> 1;
        if (saves_ssthresh && e->ssthresh && ssthresh > e->ssthresh)
            e->ssthresh = ssthresh;
        if (e->reordering < c->sack.reordering && c->sack.reordering != c->tcp->sysctl->tcp_reordering)
            e->reordering = c->sack.reordering;
    }
}

/* tcp_update_metrics */
void tcp_metrics_update(TcpConn *c)
{
    Entry *e;

    if (c->tcp->sysctl->tcp_no_metrics_save)
        return;
    tcp_ip_confirm_neigh(c);
    if (c->rtt.backoff || !c->rtt.srtt_us) { /* nothing came back in time: what we knew is wrong */
        e = find_for(c);
        if (e)
            e->rtt_us = 0;
        return;
    }
    e = find_or_make(c);
    learn_rtt(e, c);
    learn_windows(e, c);
    e->stamp = stamp_of(node_now(c->tcp->node));
}

/* ---- Fast Open, the client ---- */

void tcp_metrics_fastopen_get(TcpConn *c, uint16_t *mss, TcpFastopenCookie *cookie)
{
    const Entry *e = find(c->tcp, &c->local, &c->remote);
    const FastopenMetrics none = {0}, *fo = e && e->has_more && e->more[0].fo ? e->more[0].fo : &none;

    if (!e)
        return;
    if (fo->mss)
        *mss = fo->mss;
    *cookie = fo->cookie;
    if (!cookie->len && fo->try_exp == 1)
        cookie->exp = true;
}

void tcp_metrics_fastopen_set(TcpConn *c, uint16_t mss, const TcpFastopenCookie *cookie, bool syn_lost,
                              uint16_t try_exp)
{
    FastopenMetrics *fo = make_fastopen(c);

    if (mss)
        fo->mss = mss;
    if (cookie && cookie->len && cookie->len != TCP_FASTOPEN_NONE)
        fo->cookie = *cookie;
    else if (try_exp > fo->try_exp && !fo->cookie.len && !fo->cookie.exp)
        fo->try_exp = try_exp;
    if (syn_lost) {
        fo->syn_loss++;
        fo->last_syn_loss = c->mstamp;
    } else {
        fo->syn_loss = 0;
    }
}
