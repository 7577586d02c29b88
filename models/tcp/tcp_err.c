/* ICMP errors about segments of ours (Linux tcp_v4_err, tcp_v6_err; RFC 5461, RFC 5927): an error must quote
 * a sequence number that is in flight; only before the connection is established does it end one; path MTU
 * (RFC 1191); and an unreachable host takes back the timer's back-off (RFC 6069). */
#include <errno.h>
#include <string.h>

#include "models/tcp/tcp_ack.h"
#include "models/tcp/tcp_input.h"
#include "models/tcp/tcp_errq.h"
#include "models/tcp/tcp_life.h"
#include "models/tcp/tcp_output.h"
#include "models/tcp/tcp_sockopt.h"
#include "models/tcp/tcp_timer.h"
#include "models/wire/icmp.h"

#define ICMP6_DEST_UNREACH 1
#define ICMP6_NO_ROUTE 0

/* tcp_ld_RTO_revert: the network says why nothing came back; this is no congestion. */
static void revert_backoff(TcpConn *c, uint32_t seq)
{
    TcpSeg *head = c->snd.rtx_head;
    SimTime rto, since;

    if (seq != c->snd_una || !c->retransmits || !c->rtt.backoff || !head)
        return;
    c->rtt.backoff--;
    if (c->rtt.srtt_us)
        tcp_rtt_set_rto(c);
    else
        c->rtt.rto_ms = TCP_TIMEOUT_INIT_MS;
    c->rtt.rto_ms = (uint32_t)HS_MIN((uint64_t)c->rtt.rto_ms << c->rtt.backoff, (uint64_t)c->rtt.rto_max_ms);
    rto = (SimTime)c->rtt.rto_ms * TCP_JIFFY_NS;
    since = c->mstamp - head->sent_ns;
    tcp_timer_arm_rtx(c, TCP_TIMER_RETRANS, since < rto ? rto - since : 0);
}

/* tcp_req_err: an attempt dies silently, there is nobody to tell. */
static void on_request(TcpReq *r, const TcpIcmp *e)
{
    Tcp *t = r->tcp;
    bool ends = e->is_v6 ? e->hard
                         : e->type == ICMP_PARAM_PROBLEM || e->type == ICMP_TIME_EXCEEDED ||
                               (e->type == ICMP_DEST_UNREACH &&
                                (e->code == ICMP_UNREACH_NET || e->code == ICMP_UNREACH_HOST));

    if (e->seq != r->snt_isn) {
        TCP_INC(t, TcpExtOutOfWindowIcmps);
        return;
    }
    if (!ends)
        return;
    tcp_req_drop(r);
    TCP_INC(t, TcpExtListenDrops);
}

static bool reverts_backoff(const TcpIcmp *e)
{
    if (e->is_v6)
        return e->type == ICMP6_DEST_UNREACH && e->code == ICMP6_NO_ROUTE;
    return e->type == ICMP_DEST_UNREACH && (e->code == ICMP_UNREACH_NET || e->code == ICMP_UNREACH_HOST);
}

/* The application hears of it: at once while connecting or with IP_RECVERR, else when the connection times
 * out. */
static void report(TcpConn *c, const TcpIcmp *e)
{
    bool wants = c->sflags & TCP_S_RECVERR;

    if (wants && !(c->sflags & TCP_S_DEAD)) {
        c->err = e->err;
        tcp_wake(c);
    } else {
        c->err_soft = e->err;
    }
}

static void on_connection(TcpConn *c, const TcpIcmp *e)
{
    TcpReq *tfo = c->fastopen_req;
    /* A Fast Open child's SYN-ACK is in flight, although its snd_una is beyond it. */
    uint32_t snd_una = tfo ? tfo->snt_isn : c->snd_una;

    if (c->state == TCP_CLOSE)
        return;
    if (!tcp_between(e->seq, snd_una, c->snd_nxt)) {
        TCP_INC(c->tcp, TcpExtOutOfWindowIcmps);
        return;
    }
    if (e->is_redirect || (!e->is_v6 && e->type == ICMP_SOURCE_QUENCH)) /* RFC 6633: ignored */
        return;
    if (e->is_pmtu) {
        tcp_pmtu_reduced(c, e->mtu);
        return;
    }
    if (!e->err)
        return;
    if (!tfo && reverts_backoff(e) && c->state != TCP_SYN_RECV)
        revert_backoff(c, e->seq);
    if (c->state == TCP_SYN_SENT || c->state == TCP_SYN_RECV) {
        if (!(tfo && !c->parent)) { /* an accepted Fast Open child counts as connected */
            tcp_errq_icmp(c, e);
            tcp_conn_done_with_error(c, e->err);
            return;
        }
    }
    report(c, e);
}

bool tcp_err_icmp(Tcp *t, const TcpIcmp *e)
{
    /* The quoted segment is ours: its source is the local end. */
    TcpIn key = {.dst = e->src, .src = e->dst, .dst_port = e->src_port, .src_port = e->dst_port};
    TcpReq *req;
    TcpTw *tw;
    TcpConn *c = tcp_table_find(t, &key, &req, &tw);

    if (req) {
        on_request(req, e);
    } else if (c) {
        tcp_conn_hold(c);
        tcp_mstamp_refresh(c);
        on_connection(c, e);
        tcp_conn_let(c);
    }
    return req || c || tw;
}
