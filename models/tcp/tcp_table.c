/* Who has which four-tuple, and who listens (Linux inet_hashtables.c). One hash by four-tuple holds
 * connections, half-open requests and TIME_WAITs, in a chain each; listeners hang on their port
 * (tcp_ports.c). */
#include <glib.h>

#include "models/tcp/tcp_table_priv.h"
#include "sim/base/hash64.h"

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

static uint32_t tw_hash(const TcpTw *w)
{
    InetAddr local = tcp_tw_local(w), remote = tcp_tw_remote(w);

    return tuple_hash(&local, &remote, w->local_port, w->remote_port);
}

static TcpSlot *slot_at(TcpTable *tab, uint32_t hash)
{
    return tab->mask ? &tab->slots.many[hash & tab->mask] : &tab->slots.one;
}

void tcp_table_clear(Tcp *t)
{
    tcp_ports_clear(t);
    if (t->table.mask)
        g_free(t->table.slots.many);
    t->table = (TcpTable){.mask = 0};
}

size_t tcp_table_bytes(const Tcp *t)
{
    const TcpTable *tab = &t->table;

    return (tab->mask ? (tab->mask + 1) * sizeof *tab->slots.many : 0) +
           (tab->port_mask ? (tab->port_mask + 1) * sizeof *tab->ports.many : 0) +
           tab->n_binds * sizeof(TcpBind) + tcp_ports_search_bytes(tab);
}

/* Chains keep their order, so that growing cannot be observed. */
static void grow(TcpTable *tab)
{
    uint32_t n = 2 * (tab->mask + 1);
    TcpSlot *slots = g_new0(TcpSlot, n);

#define MOVE(Type, member, hash_of)                                                                          \
    do {                                                                                                     \
        Type *rev = NULL, *x, *next;                                                                         \
        for (x = old->member; x; x = next) {                                                                 \
            next = x->hash_next;                                                                             \
            x->hash_next = rev;                                                                              \
            rev = x;                                                                                         \
        }                                                                                                    \
        for (x = rev; x; x = next) {                                                                         \
            Type **at = &slots[hash_of(x) & (n - 1)].member;                                                 \
            next = x->hash_next;                                                                             \
            x->hash_next = *at;                                                                              \
            *at = x;                                                                                         \
        }                                                                                                    \
    } while (0)
    for (uint32_t i = 0; i <= tab->mask; i++) {
        const TcpSlot *old = slot_at(tab, i);

        MOVE(TcpConn, conn, HASH_OF);
        MOVE(TcpReq, req, HASH_OF);
        MOVE(TcpTw, tw, tw_hash);
    }
#undef MOVE
    if (tab->mask)
        g_free(tab->slots.many);
    tab->slots.many = slots;
    tab->mask = n - 1;
}

static TcpSlot *slot_for_insert(TcpTable *tab, uint32_t hash)
{
    if (tab->n > tab->mask)
        grow(tab);
    tab->n++;
    return slot_at(tab, hash);
}

#define SAME_TUPLE(x, l, r, lp, rp)                                                                          \
    ((x)->local_port == (lp) && (x)->remote_port == (rp) && inet_eq(&(x)->remote, (r)) &&                    \
     inet_eq(&(x)->local, (l)))

static bool is_tw_of(const TcpTw *w, const InetAddr *l, const InetAddr *r, uint16_t lp, uint16_t rp)
{
    InetAddr local, remote;

    if (w->local_port != lp || w->remote_port != rp)
        return false;
    local = tcp_tw_local(w);
    remote = tcp_tw_remote(w);
    return inet_eq(&remote, r) && inet_eq(&local, l);
}

static TcpSlot *slot_of(Tcp *t, const InetAddr *l, const InetAddr *r, uint16_t lp, uint16_t rp)
{
    return t->table.mask ? slot_at(&t->table, tuple_hash(l, r, lp, rp)) : &t->table.slots.one;
}

TcpConn *tcp_table_find(Tcp *t, const TcpIn *in, TcpReq **req, TcpTw **tw)
{
    TcpSlot *s = slot_of(t, &in->dst, &in->src, in->dst_port, in->src_port);

    *req = NULL;
    *tw = NULL;
    for (TcpConn *c = s->conn; c; c = c->hash_next)
        if (SAME_TUPLE(c, &in->dst, &in->src, in->dst_port, in->src_port))
            return c;
    for (TcpReq *r = s->req; r; r = r->hash_next)
        if (SAME_TUPLE(r, &in->dst, &in->src, in->dst_port, in->src_port)) {
            *req = r;
            return NULL;
        }
    for (TcpTw *w = s->tw; w; w = w->hash_next)
        if (is_tw_of(w, &in->dst, &in->src, in->dst_port, in->src_port)) {
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
    s = slot_for_insert(&c->tcp->table, HASH_OF(c));
    c->hash_next = s->conn;
    s->conn = c;
    c->sflags |= TCP_S_HASHED;
}

void tcp_table_insert_req(TcpReq *r)
{
    TcpSlot *s = slot_for_insert(&r->tcp->table, HASH_OF(r));

    r->hash_next = s->req;
    s->req = r;
    r->is_hashed = true;
}

void tcp_table_remove_req(TcpReq *r)
{
    TcpTable *tab = &r->tcp->table;

    if (!r->is_hashed)
        return;
    UNLINK(slot_at(tab, HASH_OF(r))->req, r);
    r->is_hashed = false;
    tab->n--;
    tcp_ports_freed(tab);
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
    TcpTable *tab = &c->tcp->table;
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
    UNLINK(slot_at(tab, HASH_OF(c))->conn, c);
    c->sflags &= ~(uint32_t)TCP_S_HASHED;
    tab->n--;
}

void tcp_table_remove(TcpConn *c)
{
    if (c->sflags & TCP_S_HASHED)
        tcp_ports_freed(&c->tcp->table);
    unhash(c);
    if (!(c->sflags & TCP_S_BIND_PORT))
        tcp_table_unbind(c);
}

void tcp_table_insert_tw(TcpTw *tw, TcpConn *c)
{
    TcpTable *tab = &tw->tcp->table;
    TcpBind *b = c->bind ? c->bind : tcp_ports_find(tab, tw->local_port);
    TcpSlot *s;

    unhash(c); /* the TIME_WAIT takes its place: nothing becomes free */
    s = slot_for_insert(tab, tw_hash(tw));
    tw->hash_next = s->tw;
    s->tw = tw;
    if (!b)
        b = tcp_ports_make(tw->tcp, tw->local_port);
    tw->bind_next = b->tws;
    if (b->tws)
        b->tws->bind_prev = tw;
    b->tws = tw;
}

void tcp_table_remove_tw(TcpTw *tw)
{
    TcpTable *tab = &tw->tcp->table;
    TcpBind *b = tcp_ports_find(tab, tw->local_port);

    UNLINK(slot_at(tab, tw_hash(tw))->tw, tw);
    tab->n--;
    tcp_ports_freed(tab);
    if (tw->bind_next)
        tw->bind_next->bind_prev = tw->bind_prev;
    if (tw->bind_prev)
        tw->bind_prev->bind_next = tw->bind_next;
    else if (b && b->tws == tw)
        b->tws = tw->bind_next;
    if (b)
        tcp_ports_drop_if_empty(tw->tcp, b);
}

/* __inet_check_established: is the four-tuple free, or held by a TIME_WAIT that may go? */
bool tcp_table_is_free(TcpConn *c, uint16_t port, TcpTw **reused)
{
    TcpSlot *s = slot_of(c->tcp, &c->local, &c->remote, port, c->remote_port);

    *reused = NULL;
    for (const TcpConn *o = s->conn; o; o = o->hash_next)
        if (SAME_TUPLE(o, &c->local, &c->remote, port, c->remote_port))
            return false;
    for (const TcpReq *r = s->req; r; r = r->hash_next)
        if (SAME_TUPLE(r, &c->local, &c->remote, port, c->remote_port))
            return false;
    for (TcpTw *w = s->tw; w; w = w->hash_next)
        if (is_tw_of(w, &c->local, &c->remote, port, c->remote_port)) {
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
    const TcpBind *b = tcp_ports_find(&t->table, in->dst_port);
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
