/* Who has which four-tuple, and who listens (Linux inet_hashtables.c). One hash by four-tuple holds
 * connections, half-open requests and TIME_WAITs, in a chain each; listeners hang on their port
 * (tcp_ports.c). */
#include <glib.h>

#include "models/tcp/tcp_table_priv.h"
#include "sim/base/hash64.h"

#define SLOTS_MIN 2

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
    tcp_ports_init(t->table);
}

void tcp_table_clear(Tcp *t)
{
    if (!t->table)
        return;
    tcp_ports_clear(t->table);
    g_free(t->table->slots);
    g_free(t->table);
    t->table = NULL;
}

size_t tcp_table_bytes(const Tcp *t)
{
    const TcpTable *tab = t->table;

    return sizeof *tab + (tab->slots ? (tab->mask + 1) * sizeof *tab->slots : 0) +
           (tab->port_mask + 1) * sizeof *tab->ports + tab->n_binds * sizeof(TcpBind) +
           tab->n_perturb * sizeof *tab->perturb;
}

/* Chains keep their order, so that growing cannot be observed. */
static void grow(TcpTable *tab)
{
    uint32_t n = tab->slots ? 2 * (tab->mask + 1) : SLOTS_MIN;
    TcpSlot *old = tab->slots, *slots = g_new0(TcpSlot, n);

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

static TcpSlot *slot_for_insert(TcpTable *tab, uint32_t hash)
{
    if (!tab->slots || tab->n > tab->mask)
        grow(tab);
    tab->n++;
    return &tab->slots[hash & tab->mask];
}

#define SAME_TUPLE(x, l, r, lp, rp)                                                                          \
    ((x)->local_port == (lp) && (x)->remote_port == (rp) && inet_eq(&(x)->remote, (r)) &&                    \
     inet_eq(&(x)->local, (l)))

static TcpSlot *slot_of(const TcpTable *tab, const InetAddr *l, const InetAddr *r, uint16_t lp, uint16_t rp)
{
    return tab->slots ? &tab->slots[tuple_hash(l, r, lp, rp) & tab->mask] : NULL;
}

TcpConn *tcp_table_find(Tcp *t, const TcpIn *in, TcpReq **req, TcpTw **tw)
{
    TcpSlot *s = slot_of(t->table, &in->dst, &in->src, in->dst_port, in->src_port);

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
    TcpSlot *s;

    if (c->sflags & TCP_S_HASHED)
        return;
    s = slot_for_insert(c->tcp->table, HASH_OF(c));
    c->hash_next = s->conn;
    s->conn = c;
    c->sflags |= TCP_S_HASHED;
}

void tcp_table_insert_req(TcpReq *r)
{
    TcpSlot *s = slot_for_insert(r->tcp->table, HASH_OF(r));

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
    tab->n_removed++;
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
    if (c->sflags & TCP_S_HASHED)
        c->tcp->table->n_removed++;
    unhash(c);
    if (!(c->sflags & TCP_S_BIND_PORT))
        tcp_table_unbind(c);
}

void tcp_table_insert_tw(TcpTw *tw, TcpConn *c)
{
    TcpTable *tab = tw->tcp->table;
    TcpBind *b = c->bind ? c->bind : tcp_ports_find(tab, tw->local_port);
    TcpSlot *s;

    unhash(c); /* the TIME_WAIT takes its place: nothing becomes free */
    s = slot_for_insert(tab, HASH_OF(tw));
    tw->hash_next = s->tw;
    s->tw = tw;
    if (!b)
        b = tcp_ports_make(tab, tw->local_port);
    tw->bind_next = b->tws;
    if (b->tws)
        b->tws->bind_prev = tw;
    b->tws = tw;
}

void tcp_table_remove_tw(TcpTw *tw)
{
    TcpTable *tab = tw->tcp->table;
    TcpBind *b = tcp_ports_find(tab, tw->local_port);

    UNLINK(tab->slots[HASH_OF(tw) & tab->mask].tw, tw);
    tab->n--;
    tab->n_removed++;
    if (tw->bind_next)
        tw->bind_next->bind_prev = tw->bind_prev;
    if (tw->bind_prev)
        tw->bind_prev->bind_next = tw->bind_next;
    else if (b && b->tws == tw)
        b->tws = tw->bind_next;
    if (b)
        tcp_ports_drop_if_empty(tab, b);
}

/* __inet_check_established: is the four-tuple free, or held by a TIME_WAIT that may go? */
bool tcp_table_is_free(TcpConn *c, uint16_t port, TcpTw **reused)
{
    TcpSlot *s = slot_of(c->tcp->table, &c->local, &c->remote, port, c->remote_port);

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

/* ---- listeners ---- */

/* compute_score: -1: not for it. A specific address outweighs the wildcard, which Linux looks up in a second
 * pass; then a bound device; then the family of the segment. */
static int score(const TcpConn *l, const TcpIn *in)
{
    bool any = inet_is_any(&l->local), is_v6_any = (l->sflags & TCP_S_V6) && any && !inet_is_ip4(&l->local);
    uint32_t dev = tcp_table_bound_dev(l);
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
    const TcpBind *b = tcp_ports_find(t->table, in->dst_port);
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
