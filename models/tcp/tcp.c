/* A host's TCP: what all its sockets share. */
#include "models/tcp/tcp.h"

#include <glib.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "models/ip/ip4.h"
#include "models/tcp/tcp_input.h"
#include "models/tcp/tcp_life.h"
#include "models/tcp/tcp_timer.h"

static const char *const mib_names[] = {
#define X(name) #name,
    TCP_MIB(X)
#undef X
};

const char *tcp_mib_name(unsigned i)
{
    hs_assert(i < TCP_MIB_COUNT);
    return mib_names[i];
}

uint64_t tcp_mib(const Tcp *t, unsigned i)
{
    hs_assert(i < TCP_MIB_COUNT);
    switch (i) { /* RFC 1213: tcpRtoAlgorithm other (1), and what Linux shows for the others */
    case MIB_TcpRtoAlgorithm:
        return 1;
    case MIB_TcpRtoMin:
        return 200;
    case MIB_TcpRtoMax:
        return 120000;
    case MIB_TcpMaxConn:
        return UINT64_MAX; /* -1 */
    default:
        return (t->rare ? t->rare->mib[i] : 0) + (tcp_mib_hot(i) < 0 ? 0 : t->mib_hot[tcp_mib_hot(i)]);
    }
}

TcpRare *tcp_rare_make(Tcp *t)
{
    t->rare = g_new0(TcpRare, 1);
    return t->rare;
}

static TcpShared *find_shared(PoolSet *set)
{
    TcpShared *sh = poolset_one(set, "tcp.shared", sizeof(TcpShared));

    if (sh->segs)
        return sh;
    sh->segs = poolset_get(set, "tcp.seg", sizeof(TcpSeg), 32);
    sh->rcvsegs = poolset_get(set, "tcp.rcvseg", sizeof(TcpRcvSeg), 32);
    sh->conns = poolset_get(set, "tcp.conn", sizeof(TcpConn), 32);
    sh->reqs = poolset_get(set, "tcp.req", sizeof(TcpReq), 16);
    sh->sacks = poolset_get(set, "tcp.sack", TCP_NUM_SACKS * sizeof(TcpSackBlock), 32);
    sh->timers = poolset_get(set, "tcp.timers", sizeof(struct TcpSeldomTimers), 16);
    return sh;
}

Tcp *tcp_new(struct Ip4 *ip4, struct Ip6 *ip6)
{
    Tcp *t = cells_take(&ip4_node(ip4)->part->cells, sizeof *t);

    t->ip4 = ip4;
    t->ip6 = ip6;
    t->node = ip4_node(ip4);
    t->shared = find_shared(&t->node->part->pools);
    t->sysctl = &tcp_sysctl_default;
    tcp_isn_keys_init(t);
    tcp_ip_attach(t);
    return t;
}

void tcp_free(Tcp *t)
{
    if (!t)
        return;
    /* Nobody is told: what waits in queues is just forgotten, without the resets of a listener that closes.
     */
    for (TcpConn *c = t->all_head; c; c = c->all_next) {
        if (!c->listen)
            continue;
        for (TcpReq *r = c->listen->req_head, *next; r; r = next) {
            next = r->next;
            tcp_req_free(r);
        }
        c->listen->req_head = c->listen->req_tail = NULL;
        c->listen->accept_head = c->listen->accept_tail = NULL;
    }
    while (t->tw_head)
        tcp_tw_free(t->tw_head);
    while (t->all_head) {
        t->all_head->wake = NULL;
        t->all_head->holds = 0;
        t->all_head->sflags |= TCP_S_DEAD;
        tcp_conn_free(t->all_head);
    }
    tcp_table_clear(t);
    tcp_metrics_free(t);
    tcp_ip_detach(t);
    tcp_isn_keys_forget(t);
    for (CcParams **p = t->rare ? t->rare->cc_params : NULL; p && *p; p++)
        cc_params_unref(*p);
    if (t->rare)
        g_free(t->rare->cc_params);
    g_free(t->rare);
    if (t->sysctl != &tcp_sysctl_default)
        g_free((TcpSysctl *)t->sysctl);
    cells_give(&t->node->part->cells, t, sizeof *t);
}

void tcp_set_ip6(Tcp *t, struct Ip6 *ip6)
{
    t->ip6 = ip6;
    tcp_ip_attach(t);
}

const TcpSysctl *tcp_sysctl_get(const Tcp *t)
{
    return t->sysctl;
}

void tcp_set_controllers(Tcp *t, const struct CcSet *set)
{
    t->controllers = set;
}

TcpSysctl *tcp_sysctl(Tcp *t)
{
    if (t->sysctl == &tcp_sysctl_default)
        t->sysctl = g_memdup2(&tcp_sysctl_default, sizeof tcp_sysctl_default);
    return (TcpSysctl *)t->sysctl;
}

CcParams *tcp_cc_params(Tcp *t, const CcOps *ops, bool make)
{
    CcParams **p = t->rare ? t->rare->cc_params : NULL;
    unsigned n = 0;

    for (; p && p[n]; n++)
        if (p[n]->ops == ops)
            return p[n];
    if (!make)
        return NULL;
    p = g_renew(CcParams *, p, n + 2);
    p[n] = cc_params_new(ops);
    p[n + 1] = NULL;
    tcp_rare(t)->cc_params = p;
    return p[n];
}

/* ---- for ss and for lessons ---- */

static InetEndpoint endpoint(InetAddr a, uint16_t port, bool is_v6)
{
    return (InetEndpoint){.addr = a, .port = port, .is_v6 = is_v6};
}

/* Bytes as SIOCINQ and SIOCOUTQ count them: a FIN is none (in ss it is one). */
static uint32_t queued(TcpConn *c, unsigned long what)
{
    int n = 0;

    return tcp_ioctl(c, what, &n) == 0 ? (uint32_t)n : 0;
}

static TcpEntry conn_entry(TcpConn *c)
{
    TcpEntry e = {.state = c->state,
                  .local = tcp_local(c),
                  .remote = tcp_remote(c),
                  .conn = c,
                  .is_orphan = c->is_orphan,
                  .retransmits = c->retransmits,
                  .left_ns = -1};

    if (c->state == TCP_LISTEN && c->listen) {
        e.recv_q = c->listen->ack_backlog;
        e.send_q = c->listen->max_ack_backlog;
    } else {
        e.recv_q = queued(c, FIONREAD);
        e.send_q = queued(c, TIOCOUTQ);
    }
    return e;
}

static TcpEntry req_entry(const TcpReq *r)
{
    return (TcpEntry){.state = TCP_NEW_SYN_RECV,
                      .local = endpoint(r->local, r->local_port, r->is_v6),
                      .remote = endpoint(r->remote, r->remote_port, r->is_v6),
                      .retransmits = r->num_timeout,
                      .left_ns = -1};
}

static TcpEntry tw_entry(const TcpTw *w)
{
    return (TcpEntry){.state = w->substate,
                      .local = endpoint(tcp_tw_local(w), w->local_port, w->is_v6),
                      .remote = endpoint(tcp_tw_remote(w), w->remote_port, w->is_v6),
                      .is_orphan = true,
                      .left_ns = w->end ? w->end->time - node_now(w->tcp->node) : 0};
}

void tcp_foreach(Tcp *t, void (*fn)(void *user, const TcpEntry *e), void *user)
{
    TcpEntry e;

    for (TcpConn *c = t->all_head, *next; c; c = next) {
        next = c->all_next;
        e = conn_entry(c);
        fn(user, &e);
        for (TcpReq *r = c->state == TCP_LISTEN && c->listen ? c->listen->req_head : NULL; r; r = r->next) {
            e = req_entry(r);
            fn(user, &e);
        }
    }
    for (TcpTw *w = t->tw_head; w; w = w->all_next) {
        e = tw_entry(w);
        fn(user, &e);
    }
}

TcpSockstat tcp_sockstat(const Tcp *t)
{
    TcpSockstat out = {.orphan = t->n_orphans,
                       .tw = t->n_tw,
                       .alloc = t->n_conns,
                       .requests = t->n_reqs,
                       .mem_pages = (uint64_t)(t->mem_pages8 + 4095) / 4096};
    uint64_t n_conns;

    for (const TcpConn *c = t->all_head; c; c = c->all_next)
        out.inuse += c->state != TCP_CLOSE;
    out.bytes = tcp_bytes(t, &n_conns) + t->n_conns * sizeof(TcpConn) + t->n_reqs * sizeof(TcpReq);
    return out;
}

size_t tcp_bytes(const Tcp *t, uint64_t *n_conns)
{
    if (!t) {
        *n_conns = 0;
        return 0;
    }
    *n_conns = t->n_conns;
    return sizeof(*t) + tcp_table_bytes(t) + tcp_metrics_bytes(t) + t->n_tw * sizeof(TcpTw) +
           (t->rare ? sizeof *t->rare : 0);
}
