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
        if (tcp_mib_hot(i) >= 0)
            return t->mib_hot[tcp_mib_hot(i)];
        return t->mib_seldom ? t->mib_seldom[i] : 0;
    }
}

uint64_t *tcp_mib_make(Tcp *t)
{
    t->mib_seldom = g_new0(uint64_t, TCP_MIB_COUNT);
    return t->mib_seldom;
}

static SipKey draw_key(Rng *rng)
{
    uint64_t k0 = rng_next(rng), k1 = rng_next(rng);

    return (SipKey){k0, k1};
}

static void find_pools(Tcp *t)
{
    PoolSet *set = &t->node->part->pools;

    t->segs = poolset_get(set, "tcp.seg", sizeof(TcpSeg), 32);
    t->rcvsegs = poolset_get(set, "tcp.rcvseg", sizeof(TcpRcvSeg), 32);
    t->conns = poolset_get(set, "tcp.conn", sizeof(TcpConn), 32);
    t->reqs = poolset_get(set, "tcp.req", sizeof(TcpReq), 16);
    t->tws = poolset_get(set, "tcp.tw", sizeof(TcpTw), 16);
    t->sacks = poolset_get(set, "tcp.sack", TCP_NUM_SACKS * sizeof(TcpSackBlock), 32);
    t->timers = poolset_get(set, "tcp.timers", sizeof(struct TcpSeldomTimers), 16);
}

Tcp *tcp_new(struct Ip4 *ip4, struct Ip6 *ip6)
{
    Tcp *t = g_new0(Tcp, 1);

    t->ip4 = ip4;
    t->ip6 = ip6;
    t->node = ip4_node(ip4);
    t->packets = ip4_pool(ip4);
    find_pools(t);
    t->sysctl = &tcp_sysctl_default;
    t->rng = node_rng(t->node, "tcp");
    t->isn_key = draw_key(t->rng);
    t->ts_key = draw_key(t->rng);
    t->port_key = draw_key(t->rng);
    t->cookie_key[0] = draw_key(t->rng);
    t->cookie_key[1] = draw_key(t->rng);
    tcp_table_init(t);
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
    for (CcParams **p = t->cc_params; p && *p; p++)
        cc_params_unref(*p);
    g_free(t->cc_params);
    g_free(t->mib_seldom);
    if (t->sysctl != &tcp_sysctl_default)
        g_free((TcpSysctl *)t->sysctl);
    g_free(t);
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
    unsigned n = 0;

    for (; t->cc_params && t->cc_params[n]; n++)
        if (t->cc_params[n]->ops == ops)
            return t->cc_params[n];
    if (!make)
        return NULL;
    t->cc_params = g_renew(CcParams *, t->cc_params, n + 2);
    t->cc_params[n] = cc_params_new(ops);
    t->cc_params[n + 1] = NULL;
    return t->cc_params[n];
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
                      .local = endpoint(w->local, w->local_port, w->is_v6),
                      .remote = endpoint(w->remote, w->remote_port, w->is_v6),
                      .is_orphan = true,
                      .left_ns = w->timer.deadline - node_now(w->tcp->node)};
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
    out.bytes = tcp_bytes(t, &n_conns) + t->n_conns * sizeof(TcpConn) + t->n_tw * sizeof(TcpTw) +
                t->n_reqs * sizeof(TcpReq);
    return out;
}

size_t tcp_bytes(const Tcp *t, uint64_t *n_conns)
{
    if (!t) {
        *n_conns = 0;
        return 0;
    }
    *n_conns = t->n_conns;
    return sizeof(*t) + tcp_table_bytes(t) + (t->mib_seldom ? TCP_MIB_COUNT * sizeof *t->mib_seldom : 0);
}
