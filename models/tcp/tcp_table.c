/* Who has which port and which four-tuple (Linux inet_hashtables.c, inet_connection_sock.c).
 *
 * One hash by four-tuple holds connections, half-open requests and TIME_WAITs, in a chain each. A second one,
 * by port, holds a TcpBind for each port in use: its owners, its listeners, and the TIME_WAITs that still
 * keep it. */
#include <errno.h>
#include <glib.h>

#include "models/ip/ip4.h"
#include "models/tcp/tcp_life.h"
#include "models/tcp/tcp_sockopt.h"
#include "models/wire/ipv4_addr.h"
#include "sim/base/hash64.h"

#define SLOTS_MIN 16
#define PORT_BUCKETS_MIN 16
#define PERTURB 256 /* INET_TABLE_PERTURB_SIZE is larger; the table only has to be large for its users */

typedef struct Slot {
    TcpConn *conn;
    TcpReq *req;
    TcpTw *tw;
} Slot;

struct TcpBind {
    TcpBind *next;
    TcpConn *owners;
    TcpConn *listeners; /* by hash_next, newest first */
    TcpTw *tws;
    uint16_t port;
    bool is_auto; /* made by connect(): other automatic users may share it, bind(0) does not (fastreuse -1) */
};

typedef struct TcpTable {
    Slot *slots;
    uint32_t mask, n;
    TcpBind **ports;
    uint32_t port_mask, n_binds;
    uint32_t *perturb; /* table_perturb: how far the search for ports has come, by destination */
} TcpTable;

/* ---- four-tuples ---- */

static uint32_t tuple_hash(const InetAddr *local, const InetAddr *remote, uint16_t lport, uint16_t rport)
{
    uint64_t a = (uint64_t)(local->w[0] ^ local->w[2] ^ local->w[3]) << 32 | (local->w[1] ^ remote->w[1]);
    uint64_t b = (uint64_t)(remote->w[0] ^ remote->w[2]) << 32 | remote->w[3];
    uint64_t h = hash64_fold(a ^ HASH64_K1, b ^ HASH64_K2);

    h = hash64_fold(h ^ HASH64_K3, ((uint64_t)lport << 16 | rport) ^ HASH64_K4);
    return (uint32_t)(h ^ h >> 32);
}

#define HASH_OF(x) tuple_hash(&(x)->local, &(x)->remote, (x)->local_port, (x)->remote_port)

void tcp_table_init(Tcp *t)
{
    t->table = g_new0(TcpTable, 1);
    t->table->ports = g_new0(TcpBind *, PORT_BUCKETS_MIN);
    t->table->port_mask = PORT_BUCKETS_MIN - 1;
}

static void free_binds(TcpTable *tab)
{
    for (uint32_t i = 0; i <= tab->port_mask; i++)
        for (TcpBind *b = tab->ports[i], *next; b; b = next) {
            next = b->next;
            g_free(b);
        }
}

void tcp_table_clear(Tcp *t)
{
    if (!t->table)
        return;
    free_binds(t->table);
    g_free(t->table->ports);
    g_free(t->table->slots);
    g_free(t->table->perturb);
    g_free(t->table);
    t->table = NULL;
}

/* Chains keep their order, so that growing cannot be observed. */
static void grow(TcpTable *tab)
{
    uint32_t n = tab->slots ? 2 * (tab->mask + 1) : SLOTS_MIN;
    Slot *old = tab->slots, *slots = g_new0(Slot, n);

#define MOVE(Type, member)                                                                                   \
    do {                                                                                                     \
        Type *rev = NULL, *x, *next;                                                                         \
        for (x = old[i].member; x; x = next) {                                                               \
            next = x->hash_next;                                                                             \
            x->hash_next = rev;                                                                              \
            rev = x;                                                                                         \
        }                                                                                                    \
        for (x = rev; x; x = next) {                                                                         \
            Type **at = &slots[HASH_OF(x) & (n - 1)].member;                                                 \
            next = x->hash_next;                                                                             \
            x->hash_next = *at;                                                                              \
            *at = x;                                                                                         \
        }                                                                                                    \
    } while (0)
    for (uint32_t i = 0; old && i <= tab->mask; i++) {
        MOVE(TcpConn, conn);
        MOVE(TcpReq, req);
        MOVE(TcpTw, tw);
    }
#undef MOVE
    g_free(old);
    tab->slots = slots;
    tab->mask = n - 1;
}

static Slot *slot_for_insert(TcpTable *tab, uint32_t hash)
{
    if (!tab->slots || tab->n > tab->mask)
        grow(tab);
    tab->n++;
    return &tab->slots[hash & tab->mask];
}

#define SAME_TUPLE(x, l, r, lp, rp)                                                                          \
    ((x)->local_port == (lp) && (x)->remote_port == (rp) && inet_eq(&(x)->remote, (r)) &&                    \
     inet_eq(&(x)->local, (l)))

static Slot *slot_of(const TcpTable *tab, const InetAddr *l, const InetAddr *r, uint16_t lp, uint16_t rp)
{
    return tab->slots ? &tab->slots[tuple_hash(l, r, lp, rp) & tab->mask] : NULL;
}

TcpConn *tcp_table_find(Tcp *t, const TcpIn *in, TcpReq **req, TcpTw **tw)
{
    Slot *s = slot_of(t->table, &in->dst, &in->src, in->dst_port, in->src_port);

    *req = NULL;
    *tw = NULL;
    if (!s)
        return NULL;
    for (TcpConn *c = s->conn; c; c = c->hash_next)
        if (SAME_TUPLE(c, &in->dst, &in->src, in->dst_port, in->src_port))
            return c;
    for (TcpReq *r = s->req; r; r = r->hash_next)
        if (SAME_TUPLE(r, &in->dst, &in->src, in->dst_port, in->src_port)) {
            *req = r;
            return NULL;
        }
    for (TcpTw *w = s->tw; w; w = w->hash_next)
        if (SAME_TUPLE(w, &in->dst, &in->src, in->dst_port, in->src_port)) {
            *tw = w;
            return NULL;
        }
    return NULL;
}

#define UNLINK(list, x)                                                                                      \
    do {                                                                                                     \
        for (__typeof__(list) *p_ = &(list); *p_; p_ = &(*p_)->hash_next)                                    \
            if (*p_ == (x)) {                                                                                \
                *p_ = (x)->hash_next;                                                                        \
                (x)->hash_next = NULL;                                                                       \
                break;                                                                                       \
            }                                                                                                \
    } while (0)

void tcp_table_insert(TcpConn *c)
{
    Slot *s;

    if (c->sflags & TCP_S_HASHED)
        return;
    s = slot_for_insert(c->tcp->table, HASH_OF(c));
    c->hash_next = s->conn;
    s->conn = c;
    c->sflags |= TCP_S_HASHED;
}

void tcp_table_insert_req(TcpReq *r)
{
    Slot *s = slot_for_insert(r->tcp->table, HASH_OF(r));

    r->hash_next = s->req;
    s->req = r;
    r->is_hashed = true;
}

void tcp_table_remove_req(TcpReq *r)
{
    TcpTable *tab = r->tcp->table;

    if (!r->is_hashed)
        return;
    UNLINK(tab->slots[HASH_OF(r) & tab->mask].req, r);
    r->is_hashed = false;
    tab->n--;
}

/* ---- ports ---- */

static TcpBind *find_bind(const TcpTable *tab, uint16_t port)
{
    for (TcpBind *b = tab->ports[port & tab->port_mask]; b; b = b->next)
        if (b->port == port)
            return b;
    return NULL;
}

/* A port occurs once, so the order within a bucket means nothing. */
static void grow_ports(TcpTable *tab)
{
    uint32_t n = 2 * (tab->port_mask + 1);
    TcpBind **ports = g_new0(TcpBind *, n);

    for (uint32_t i = 0; i <= tab->port_mask; i++)
        for (TcpBind *b = tab->ports[i], *next; b; b = next) {
            next = b->next;
            b->next = ports[b->port & (n - 1)];
            ports[b->port & (n - 1)] = b;
        }
    g_free(tab->ports);
    tab->ports = ports;
    tab->port_mask = n - 1;
}

static TcpBind *make_bind(TcpTable *tab, uint16_t port)
{
    TcpBind *b = g_new0(TcpBind, 1);

    if (tab->n_binds++ > tab->port_mask)
        grow_ports(tab);
    b->port = port;
    b->next = tab->ports[port & tab->port_mask];
    tab->ports[port & tab->port_mask] = b;
    return b;
}

static void drop_bind_if_empty(TcpTable *tab, TcpBind *b)
{
    if (b->owners || b->tws)
        return;
    for (TcpBind **p = &tab->ports[b->port & tab->port_mask]; *p; p = &(*p)->next)
        if (*p == b) {
            *p = b->next;
            g_free(b);
            tab->n_binds--;
            return;
        }
}

/* inet_bind_hash */
static void own(TcpConn *c, TcpBind *b)
{
    c->bind = b;
    c->bind_prev = NULL;
    c->bind_next = b->owners;
    if (b->owners)
        b->owners->bind_prev = c;
    b->owners = c;
    c->local_port = b->port;
    c->sflags |= TCP_S_BOUND;
}

void tcp_table_unbind(TcpConn *c)
{
    TcpBind *b = c->bind;

    if (!b)
        return;
    if (c->bind_prev)
        c->bind_prev->bind_next = c->bind_next;
    else
        b->owners = c->bind_next;
    if (c->bind_next)
        c->bind_next->bind_prev = c->bind_prev;
    c->bind = NULL;
    c->bind_next = c->bind_prev = NULL;
    c->sflags &= ~(uint32_t)TCP_S_BOUND;
    drop_bind_if_empty(c->tcp->table, b);
}

void tcp_table_bind_child(TcpConn *child, const TcpConn *listener)
{
    TcpTable *tab = child->tcp->table;
    uint16_t port = child->local_port;
    TcpBind *b = listener->bind && listener->bind->port == port ? listener->bind : find_bind(tab, port);

    own(child, b ? b : make_bind(tab, port));
}

void tcp_table_insert_listener(TcpConn *c)
{
    hs_assert(c->bind);
    if (c->sflags & TCP_S_HASHED)
        return;
    c->hash_next = c->bind->listeners;
    c->bind->listeners = c;
    c->sflags |= TCP_S_HASHED;
}

static void unhash(TcpConn *c)
{
    TcpTable *tab = c->tcp->table;
    TcpConn **head;

    if (!(c->sflags & TCP_S_HASHED))
        return;
    /* The state may have changed already: a connection is where its tuple says, a listener at its port. */
    head = c->bind ? &c->bind->listeners : NULL;
    for (TcpConn *l = head ? *head : NULL; l; l = l->hash_next)
        if (l == c) {
            UNLINK(*head, c);
            c->sflags &= ~(uint32_t)TCP_S_HASHED;
            return;
        }
    UNLINK(tab->slots[HASH_OF(c) & tab->mask].conn, c);
    c->sflags &= ~(uint32_t)TCP_S_HASHED;
    tab->n--;
}

void tcp_table_remove(TcpConn *c)
{
    unhash(c);
    if (!(c->sflags & TCP_S_BIND_PORT))
        tcp_table_unbind(c);
}

void tcp_table_insert_tw(TcpTw *tw, TcpConn *c)
{
    TcpTable *tab = tw->tcp->table;
    TcpBind *b = c->bind ? c->bind : find_bind(tab, tw->local_port);
    Slot *s;

    unhash(c); /* the TIME_WAIT takes its place */
    s = slot_for_insert(tab, HASH_OF(tw));
    tw->hash_next = s->tw;
    s->tw = tw;
    if (!b)
        b = make_bind(tab, tw->local_port);
    tw->bind_next = b->tws;
    b->tws = tw;
}

void tcp_table_remove_tw(TcpTw *tw)
{
    TcpTable *tab = tw->tcp->table;
    TcpBind *b = find_bind(tab, tw->local_port);

    UNLINK(tab->slots[HASH_OF(tw) & tab->mask].tw, tw);
    tab->n--;
    for (TcpTw **p = b ? &b->tws : NULL; p && *p; p = &(*p)->bind_next)
        if (*p == tw) {
            *p = tw->bind_next;
            drop_bind_if_empty(tab, b);
            break;
        }
}

/* ---- conflicts ---- */

/* inet_rcv_saddr_equal with wildcards: can a segment to one of them be meant for the other? */
typedef struct Holder {
    const InetAddr *addr;
    bool is_v6, v6only, reuse, reuseport;
    uint8_t state;
    uint32_t dev;
} Holder;

static bool addrs_conflict(const Holder *a, const Holder *b)
{
    bool a4 = !a->is_v6 || inet_is_ip4(a->addr), b4 = !b->is_v6 || inet_is_ip4(b->addr);

    if (a4 == b4)
        return inet_is_any(a->addr) || inet_is_any(b->addr) || inet_eq(a->addr, b->addr);
    if (!a4)
        return inet_is_any(a->addr) && !a->v6only;
    return inet_is_any(b->addr) && !b->v6only;
}

static uint32_t bound_dev(const TcpConn *c)
{
    return c->opts ? c->opts->bound_ifindex : 0;
}

static Holder holder_of(const TcpConn *c)
{
    return (Holder){&c->local,
                    c->sflags & TCP_S_V6,
                    c->sflags & TCP_S_V6ONLY,
                    c->sflags & TCP_S_REUSEADDR,
                    c->sflags & TCP_S_REUSEPORT,
                    c->state,
                    bound_dev(c)};
}

/* inet_bind_conflict. Everybody here is the same user. relax: an explicit port, where SO_REUSEADDR of both
 * suffices unless the other one listens. */
static bool conflicts_with(const Holder *a, const Holder *b, bool relax, bool reuseport_ok)
{
    bool both_reuseport = a->reuseport && b->reuseport;

    if (a->dev && b->dev && a->dev != b->dev)
        return false;
    if (!addrs_conflict(a, b))
        return false;
    if (a->reuse && b->reuse && b->state != TCP_LISTEN)
        return !relax || (!reuseport_ok && both_reuseport);
    return !reuseport_ok || !both_reuseport;
}

static bool bind_conflicts(const TcpConn *c, const TcpBind *b, bool relax, bool reuseport_ok)
{
    Holder me = holder_of(c);

    for (const TcpConn *o = b->owners; o; o = o->bind_next)
        if (o != c) {
            Holder other = holder_of(o);

            if (conflicts_with(&me, &other, relax, reuseport_ok))
                return true;
        }
    for (const TcpTw *w = b->tws; w; w = w->bind_next) {
        Holder other = {&w->local, w->sflag_v6, false, w->has_reuse, w->has_reuseport, TCP_TIME_WAIT, 0};

        if (conflicts_with(&me, &other, relax, reuseport_ok))
            return true;
    }
    return false;
}

static void port_range(const Tcp *t, uint32_t *low, uint32_t *high)
{
    const Ip4Sysctl *s = ip4_sysctl_get(t->ip4);

    *low = s->port_low;
    *high = s->port_high;
}

/* inet_csk_find_open_port: odd ports first (connect prefers even ones); with SO_REUSEADDR the lower half of
 * the range is tried before the upper one. 0: none. */
static uint16_t find_open_port(TcpConn *c)
{
    Tcp *t = c->tcp;
    int half = c->sflags & TCP_S_REUSEADDR ? 1 : 0;

    for (;; half = 2) {
        uint32_t low, high, remaining, offset;

        port_range(t, &low, &high);
        high++;
        if (high - low < 4)
            half = 0;
        if (half) {
            uint32_t middle = low + ((high - low) >> 2 << 1);

            if (half == 1)
                high = middle;
            else
                low = middle;
        }
        remaining = high - low;
        if (remaining > 1)
            remaining &= ~1u;
        offset = (uint32_t)rng_below(t->rng, remaining) | 1;
        for (int parity = 0; parity < 2; parity++, offset--) {
            uint32_t port = low + offset;

            for (uint32_t i = 0; i < remaining; i += 2, port += 2) {
                const TcpBind *b;

                if (port >= high)
                    port -= remaining;
                b = find_bind(t->table, (uint16_t)port);
                if (!b || !bind_conflicts(c, b, false, false))
                    return (uint16_t)port;
            }
        }
        if (half != 1)
            return 0;
    }
}

/* inet_csk_get_port */
int tcp_table_bind(TcpConn *c, uint16_t port)
{
    TcpTable *tab = c->tcp->table;
    TcpBind *b;

    if (!port) {
        if (c->bind) /* listen() on a socket that has its port already */
            return 0;
        port = find_open_port(c);
        if (!port)
            return -EADDRINUSE;
    }
    b = find_bind(tab, port);
    if (b && (b->owners || b->tws) && bind_conflicts(c, b, true, true))
        return -EADDRINUSE;
    if (!b)
        b = make_bind(tab, port);
    else if (!(c->sflags & TCP_S_REUSEADDR) || c->state == TCP_LISTEN)
        b->is_auto = false;
    if (!c->bind)
        own(c, b);
    return 0;
}

/* ---- connecting ---- */

/* __inet_check_established: is the four-tuple free, or held by a TIME_WAIT that may go? */
static bool tuple_is_free(TcpConn *c, uint16_t port, TcpTw **reused)
{
    Slot *s = slot_of(c->tcp->table, &c->local, &c->remote, port, c->remote_port);

    *reused = NULL;
    if (!s)
        return true;
    for (const TcpConn *o = s->conn; o; o = o->hash_next)
        if (SAME_TUPLE(o, &c->local, &c->remote, port, c->remote_port))
            return false;
    for (const TcpReq *r = s->req; r; r = r->hash_next)
        if (SAME_TUPLE(r, &c->local, &c->remote, port, c->remote_port))
            return false;
    for (TcpTw *w = s->tw; w; w = w->hash_next)
        if (SAME_TUPLE(w, &c->local, &c->remote, port, c->remote_port)) {
            if (!tcp_tw_may_reuse(c, w))
                return false;
            *reused = w;
            return true;
        }
    return true;
}

static void take(TcpConn *c, TcpTw *reused)
{
    if (reused) {
        TCP_INC(c->tcp, TcpExtTWRecycled);
        tcp_tw_free(reused);
    }
    tcp_table_insert(c);
}

static int connect_from_bound(TcpConn *c)
{
    TcpTw *reused;

    if (!tuple_is_free(c, c->local_port, &reused))
        return -EADDRNOTAVAIL;
    take(c, reused);
    return 0;
}

/* __inet_hash_connect: from a place that depends on the destination (RFC 6056 algorithm 4, double hash), even
 * ports first. A port that only connections use may be shared, as long as the four-tuple is new. */
int tcp_table_connect_port(TcpConn *c)
{
    TcpTable *tab = c->tcp->table;
    uint32_t low, high, remaining, offset, index;
    uint64_t start;

    if (c->bind)
        return connect_from_bound(c);
    port_range(c->tcp, &low, &high);
    high++;
    remaining = high - low;
    if (remaining > 1)
        remaining &= ~1u;
    if (!tab->perturb)
        tab->perturb = g_new0(uint32_t, PERTURB);
    start = tcp_isn_port_offset(c->tcp, c);
    index = (uint32_t)start & (PERTURB - 1);
    offset = (uint32_t)((tab->perturb[index] + (start >> 32)) % remaining) & ~1u;
    for (int parity = 0; parity < 2; parity++, offset++) {
        uint32_t port = low + offset;

        for (uint32_t i = 0; i < remaining; i += 2, port += 2) {
            TcpTw *reused = NULL;
            uint32_t step;
            TcpBind *b;

            if (port >= high)
                port -= remaining;
            b = find_bind(tab, (uint16_t)port);
            if (b && (!b->is_auto || !tuple_is_free(c, (uint16_t)port, &reused)))
                continue;
            if (!b) {
                b = make_bind(tab, (uint16_t)port);
                b->is_auto = true;
            }
            step = (uint32_t)rng_below(c->tcp->rng, 8) * 2;
            tab->perturb[index] += HS_MAX(i, step) + 2;
            own(c, b); /* before the TIME_WAIT goes, which may be the last to hold the port */
            take(c, reused);
            return 0;
        }
        if (remaining < 2)
            break;
    }
    return -EADDRNOTAVAIL;
}

/* ---- listeners ---- */

/* compute_score: -1: not for it. A specific address outweighs the wildcard, which Linux looks up in a second
 * pass; then a bound device; then the family of the segment. */
static int score(const TcpConn *l, const TcpIn *in)
{
    bool any = inet_is_any(&l->local), is_v6_any = (l->sflags & TCP_S_V6) && any && !inet_is_ip4(&l->local);
    uint32_t dev = bound_dev(l);
    int n = dev ? 4 : 2;

    if (in->is_v6 ? !(l->sflags & TCP_S_V6) : l->sflags & TCP_S_V6 && l->sflags & TCP_S_V6ONLY)
        return -1;
    if (dev && dev != in->ifindex)
        return -1;
    if (any) {
        if (in->is_v6 && !is_v6_any)
            return -1;
    } else {
        if (!inet_eq(&l->local, &in->dst))
            return -1;
        n += 16;
    }
    if (!in->is_v6 && !(l->sflags & TCP_S_V6)) /* PF_INET before a dual-stack socket */
        n++;
    return n;
}

TcpConn *tcp_table_find_listener(Tcp *t, const TcpIn *in)
{
    const TcpBind *b = find_bind(t->table, in->dst_port);
    TcpConn *found = NULL;
    unsigned n_group = 0;
    int best = -1;

    for (TcpConn *l = b ? b->listeners : NULL; l; l = l->hash_next) {
        int n = score(l, in);

        if (n > best) {
            best = n;
            found = l;
            n_group = l->sflags & TCP_S_REUSEPORT ? 1 : 0;
        } else if (n == best && n >= 0 && n_group && l->sflags & TCP_S_REUSEPORT) {
            n_group++;
        }
    }
    if (n_group > 1) { /* reuseport_select_sock: a flow always reaches the same member of the group */
        uint64_t h = tuple_hash(&in->dst, &in->src, in->dst_port, in->src_port);
        uint64_t nth = h * n_group >> 32;

        for (TcpConn *l = b->listeners; l; l = l->hash_next)
            if (l->sflags & TCP_S_REUSEPORT && score(l, in) == best && nth-- == 0)
                return l;
    }
    return found;
}
