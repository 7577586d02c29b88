/* Who has which port: binding (Linux inet_csk_get_port, inet_csk_bind_conflict), and the search for one when
 * connecting
 * (__inet_hash_connect). A TcpBind for each port in use lists its owners, its listeners, and the TIME_WAITs
 * that still keep it. */
#include <errno.h>
#include <glib.h>

#include "models/ip/ip4.h"
#include "models/tcp/tcp_table_priv.h"

#define PERTURB 256      /* INET_TABLE_PERTURB_SIZE is larger; the table only has to be large for its users */
#define WORTH_NOTING 256 /* ports that were looked at in vain */

/* ---- the table ---- */

static TcpBind **bucket_of(TcpTable *tab, uint16_t port)
{
    return tab->port_mask ? &tab->ports.many[port & tab->port_mask] : &tab->ports.one;
}

void tcp_ports_clear(Tcp *t)
{
    TcpTable *tab = &t->table;

    for (uint32_t i = 0; i <= tab->port_mask; i++)
        for (TcpBind *b = *bucket_of(tab, (uint16_t)i), *next; b; b = next) {
            next = b->next;
            cells_give(&t->node->part->cells, b, sizeof *b);
        }
    if (tab->port_mask)
        g_free(tab->ports.many);
    if (!tab->search)
        return;
    for (uint32_t i = 0; i < tab->search->n; i++)
        g_free(tab->search->perturb[i].full);
    g_free(tab->search->perturb);
    g_free(tab->search);
}

TcpBind *tcp_ports_find(const TcpTable *tab, uint16_t port)
{
    TcpBind *b = tab->port_mask ? tab->ports.many[port & tab->port_mask] : tab->ports.one;

    while (b && b->port != port)
        b = b->next;
    return b;
}

/* A port occurs once, so the order within a bucket means nothing. */
static void grow_ports(TcpTable *tab)
{
    uint32_t n = 2 * (tab->port_mask + 1);
    TcpBind **ports = g_new0(TcpBind *, n);

    for (uint32_t i = 0; i <= tab->port_mask; i++)
        for (TcpBind *b = *bucket_of(tab, (uint16_t)i), *next; b; b = next) {
            next = b->next;
            b->next = ports[b->port & (n - 1)];
            ports[b->port & (n - 1)] = b;
        }
    if (tab->port_mask)
        g_free(tab->ports.many);
    tab->ports.many = ports;
    tab->port_mask = n - 1;
}

TcpBind *tcp_ports_make(Tcp *t, uint16_t port)
{
    TcpBind *b = cells_take(&t->node->part->cells, sizeof *b), **at;

    if (t->table.n_binds++ > t->table.port_mask)
        grow_ports(&t->table);
    at = bucket_of(&t->table, port);
    b->port = port;
    b->next = *at;
    *at = b;
    return b;
}

void tcp_ports_drop_if_empty(Tcp *t, TcpBind *b)
{
    if (b->owners || b->tws)
        return;
    for (TcpBind **p = bucket_of(&t->table, b->port); *p; p = &(*p)->next)
        if (*p == b) {
            *p = b->next;
            cells_give(&t->node->part->cells, b, sizeof *b);
            t->table.n_binds--;
            tcp_ports_freed(&t->table);
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
    tcp_ports_drop_if_empty(c->tcp, b);
}

void tcp_table_bind_child(TcpConn *child, const TcpConn *listener)
{
    TcpTable *tab = &child->tcp->table;
    uint16_t port = child->local_port;
    TcpBind *b = listener->bind && listener->bind->port == port ? listener->bind : tcp_ports_find(tab, port);

    own(child, b ? b : tcp_ports_make(child->tcp, port));
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

static Holder holder_of(const TcpConn *c)
{
    return (Holder){&c->local,
                    c->sflags & TCP_S_V6,
                    c->sflags & TCP_S_V6ONLY,
                    c->sflags & TCP_S_REUSEADDR,
                    c->sflags & TCP_S_REUSEPORT,
                    c->state,
                    tcp_table_bound_dev(c)};
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
        InetAddr local = tcp_tw_local(w);
        Holder other = {&local, w->sflag_v6, false, w->has_reuse, w->has_reuseport, TCP_TIME_WAIT, 0};

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
        offset = (uint32_t)node_draw_below(t->node, TCP_STREAM, remaining) | 1;
        for (int parity = 0; parity < 2; parity++, offset--) {
            uint32_t port = low + offset;

            for (uint32_t i = 0; i < remaining; i += 2, port += 2) {
                const TcpBind *b;

                if (port >= high)
                    port -= remaining;
                b = tcp_ports_find(&t->table, (uint16_t)port);
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
    TcpTable *tab = &c->tcp->table;
    TcpBind *b;

    if (!port) {
        if (c->bind) /* listen() on a socket that has its port already */
            return 0;
        port = find_open_port(c);
        if (!port)
            return -EADDRINUSE;
    }
    b = tcp_ports_find(tab, port);
    if (b && (b->owners || b->tws) && bind_conflicts(c, b, true, true))
        return -EADDRINUSE;
    if (!b)
        b = tcp_ports_make(c->tcp, port);
    else if (!(c->sflags & TCP_S_REUSEADDR) || c->state == TCP_LISTEN)
        b->is_auto = false;
    if (!c->bind)
        own(c, b);
    return 0;
}

/* ---- connecting ---- */

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

    if (!tcp_table_is_free(c, c->local_port, &reused))
        return -EADDRNOTAVAIL;
    take(c, reused);
    return 0;
}

static TcpPerturb *add_perturb(TcpPorts *s, uint32_t slot, uint32_t n)
{
    s->perturb = g_renew(TcpPerturb, s->perturb, s->n + 1);
    s->perturb[s->n] = (TcpPerturb){.slot = slot, .n = n};
    return &s->perturb[s->n++];
}

/* The entry of that slot in the list, which is made with it. */
static TcpPerturb *in_list(TcpTable *tab, uint32_t slot)
{
    TcpPorts *s = tab->search;

    if (!s) {
        s = tab->search = g_new0(TcpPorts, 1);
        if (tab->has_perturb)
            add_perturb(s, tab->perturb_slot, tab->perturb);
    }
    for (uint32_t i = 0; i < s->n; i++)
        if (s->perturb[i].slot == slot)
            return &s->perturb[i];
    return add_perturb(s, slot, 0);
}

static uint32_t *perturb_of(TcpTable *tab, uint32_t slot)
{
    if (tab->search || (tab->has_perturb && tab->perturb_slot != slot))
        return &in_list(tab, slot)->n;
    tab->has_perturb = true;
    tab->perturb_slot = (uint8_t)slot;
    return &tab->perturb;
}

static bool is_known_full(const TcpConn *c, uint32_t slot, uint32_t low, uint32_t high)
{
    TcpTable *tab = &c->tcp->table;
    const TcpPortsFull *f = tab->search ? in_list(tab, slot)->full : NULL;

    return f && f->n_freed == tab->search->n_freed && f->low == low && f->high == high &&
           f->remote_port == c->remote_port && inet_eq(&f->remote, &c->remote) &&
           inet_eq(&f->local, &c->local);
}

/* Not if there are TIME_WAITs that become free by the mere passing of time. */
static void note_full(const TcpConn *c, uint32_t slot, uint32_t low, uint32_t high)
{
    TcpPerturb *p;

    if (high - low < WORTH_NOTING || (c->tcp->n_tw && tcp_tw_is_reuse_on(c)))
        return;
    p = in_list(&c->tcp->table, slot);
    if (!p->full)
        p->full = g_new(TcpPortsFull, 1);
    *p->full = (TcpPortsFull){c->local, c->remote, c->remote_port, low, high, c->tcp->table.search->n_freed};
}

size_t tcp_ports_search_bytes(const TcpTable *tab)
{
    return tab->search ? sizeof *tab->search + tab->search->n * sizeof *tab->search->perturb : 0;
}

/* __inet_hash_connect: from a place that depends on the destination (RFC 6056 algorithm 4, double hash), even
 * ports first. A port that only connections use may be shared, as long as the four-tuple is new. */
int tcp_table_connect_port(TcpConn *c)
{
    TcpTable *tab = &c->tcp->table;
    uint32_t low, high, remaining, offset, slot;
    uint64_t start;

    if (c->bind)
        return connect_from_bound(c);
    port_range(c->tcp, &low, &high);
    high++;
    remaining = high - low;
    if (remaining > 1)
        remaining &= ~1u;
    start = tcp_isn_port_offset(c->tcp, c);
    slot = (uint32_t)start & (PERTURB - 1);
    offset = (uint32_t)((*perturb_of(tab, slot) + (start >> 32)) % remaining) & ~1u;
    for (int parity = 0; parity < 2; parity++, offset++) {
        uint32_t port = low + offset;

        if (parity == 0 && is_known_full(c, slot, low, high))
            continue;

        for (uint32_t i = 0; i < remaining; i += 2, port += 2) {
            TcpTw *reused = NULL;
            uint32_t step;
            TcpBind *b;

            if (port >= high)
                port -= remaining;
            b = tcp_ports_find(tab, (uint16_t)port);
            if (b && (!b->is_auto || !tcp_table_is_free(c, (uint16_t)port, &reused)))
                continue;
            if (!b) {
                b = tcp_ports_make(c->tcp, (uint16_t)port);
                b->is_auto = true;
            }
            step = (uint32_t)node_draw_below(c->tcp->node, TCP_STREAM, 8) * 2;
            *perturb_of(tab, slot) += HS_MAX(i, step) + 2;
            own(c, b); /* before the TIME_WAIT goes, which may be the last to hold the port */
            take(c, reused);
            return 0;
        }
        if (parity == 0)
            note_full(c, slot, low, high);
        if (remaining < 2)
            break;
    }
    return -EADDRNOTAVAIL;
}
