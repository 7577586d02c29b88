/* TIME_WAIT, and FIN_WAIT2 without an application (Linux net/ipv4/tcp_minisocks.c; RFC 9293 3.10.7.4, RFC
 * 1122 4.2.2.13, RFC 1337, RFC 6191): a connection that is only remembered. */
#include <glib.h>
#include <string.h>

#include "models/ip/ip4.h"
#include "models/tcp/tcp_input.h"
#include "models/tcp/tcp_life.h"
#include "models/tcp/tcp_probes.h"
#include "models/wire/ipv4_addr.h"

#define TW_KILLED_MS 4000

static void on_end(void *arg)
{
    TcpTw *tw = arg;

    tw->end = NULL;
    tcp_tw_free(tw);
}

/* 2 MSL: 60 s in Linux whatever the sysctls say, here also what other systems (and RFC 793) take. */
static uint32_t wait_ms(const Tcp *t)
{
    return t->sysctl->timewait_len_s * 1000;
}

static void arm(TcpTw *tw, uint32_t ms)
{
    Node *node = tw->tcp->node;
    EvQueue *queue = &node->part->queue;

    if (tw->end)
        evqueue_cancel(queue, tw->end);
    tw->end =
        evqueue_push(queue, node_now(node) + (SimTime)ms * TCP_JIFFY_NS, node_take_key(node), on_end, tw);
}

static void list_add(Tcp *t, TcpTw *tw)
{
    tw->all_prev = t->tw_tail;
    if (t->tw_tail)
        t->tw_tail->all_next = tw;
    else
        t->tw_head = tw;
    t->tw_tail = tw;
    t->n_tw++;
}

static size_t size_of(bool has_more)
{
    return sizeof(TcpTw) + (has_more ? sizeof(TcpTwMore) : 0);
}

void tcp_tw_free(TcpTw *tw)
{
    Tcp *t = tw->tcp;

    tcp_probes_tw(tw, tw->substate, TCP_CLOSE);
    if (tw->end)
        evqueue_cancel(&t->node->part->queue, tw->end);
    tcp_table_remove_tw(tw);
    if (tw->all_prev)
        tw->all_prev->all_next = tw->all_next;
    else
        t->tw_head = tw->all_next;
    if (tw->all_next)
        tw->all_next->all_prev = tw->all_prev;
    else
        t->tw_tail = tw->all_prev;
    t->n_tw--;
    if (tw->has_more)
        g_free(tw->more[0].md5);
    cells_give(&t->node->part->cells, tw, size_of(tw->has_more));
}

static TcpTw *tw_new(TcpConn *c, TcpState substate)
{
    Tcp *t = c->tcp;
    const TcpMd5Key *key = tcp_md5_find(c, &c->remote);
    bool has_more = key || !inet_is_ip4(&c->local) || !inet_is_ip4(&c->remote);
    TcpTw *tw = cells_take(&t->node->part->cells, size_of(has_more));

    *tw = (TcpTw){.tcp = t,
                  .local4 = inet_ip4(&c->local),
                  .remote4 = inet_ip4(&c->remote),
                  .has_more = has_more,
                  .local_port = c->local_port,
                  .remote_port = c->remote_port,
                  .substate = (uint8_t)substate,
                  .rcv_wscale = c->win.rcv_wscale,
                  .tos =
                      (uint8_t)((tcp_conn_tos(c, c->sflags & TCP_S_WIRE_V6) & ~IP_ECN_MASK) | c->ecn.snd_ect),
                  .is_v6 = (c->sflags & TCP_S_WIRE_V6) != 0,
                  .sflag_v6 = (c->sflags & TCP_S_V6) != 0,
                  .has_reuse = (c->sflags & TCP_S_REUSEADDR) != 0,
                  .has_reuseport = (c->sflags & TCP_S_REUSEPORT) != 0,
                  .rcv_nxt = c->rcv_nxt,
                  .snd_nxt = c->snd_nxt,
                  .rcv_wnd = tcp_window_receive(c),
                  .ts_recent = c->ts.ts_recent,
                  .ts_recent_stamp = (uint32_t)c->ts.ts_recent_stamp,
                  .ts_offset = c->ts.tsoffset,
                  .id = c->id,
                  .entry_stamp = node_now(t->node)};
    if (has_more)
        tw->more[0] = (TcpTwMore){c->local, c->remote, key ? g_memdup2(key, sizeof *key) : NULL};
    if (key)
        tw->more[0].md5->next = NULL;
    return tw;
}

void tcp_tw_enter(TcpConn *c, TcpState substate, uint32_t timeo_ms)
{
    Tcp *t = c->tcp;
    uint32_t rto = (c->rtt.rto_ms << 2) - (c->rtt.rto_ms >> 1);

    if (t->n_tw < t->sysctl->tcp_max_tw_buckets && (wait_ms(t) > 0 || substate != TCP_TIME_WAIT)) {
        TcpTw *tw = tw_new(c, substate);

        tcp_table_insert_tw(tw, c);
        list_add(t, tw);
        /* Time for retransmissions of the peer's FIN, at least. */
        if (timeo_ms < rto)
            timeo_ms = rto;
        if (substate == TCP_TIME_WAIT)
            timeo_ms = wait_ms(t);
        /* __inet_twsk_schedule: counted where the waiting begins; a short one is "killed" */
        if (timeo_ms <= TW_KILLED_MS)
            TCP_INC(t, TcpExtTWKilled);
        else
            TCP_INC(t, TcpExtTW);
        arm(tw, timeo_ms);
        c->is_remembered = true;
        if (substate != c->state)
            tcp_probes_tw(tw, c->is_passing ? TCP_FIN_WAIT1 : c->state, substate);
    } else if (t->n_tw >= t->sysctl->tcp_max_tw_buckets) {
        TCP_INC(t, TcpExtTCPTimeWaitOverflow);
    }
    tcp_metrics_update(c);
    tcp_conn_done(c);
}

/* ---- segments ---- */

static void take_ts(TcpTw *tw, const TcpIn *in)
{
    if (!in->saw_ts)
        return;
    tw->ts_recent = in->tsval;
    tw->ts_recent_stamp = (uint32_t)tcp_ts_seconds(node_now(tw->tcp->node));
}

static TcpTwAnswer ack_if_not_too_often(TcpTw *tw, const TcpIn *in, int mib)
{
    return tcp_challenge_oow_limited(tw->tcp, in, mib, &tw->last_oow_ack) ? TCP_TW_SUCCESS : TCP_TW_ACK_OOW;
}

static bool is_in_window(const TcpTw *tw, const TcpIn *in) /* tcp_in_window */
{
    uint32_t end = tw->rcv_nxt + tw->rcv_wnd;

    if (in->seq == tw->rcv_nxt)
        return true;
    if (tcp_after(in->end_seq, tw->rcv_nxt) && tcp_before(in->seq, end))
        return true;
    return in->seq == end && in->seq == in->end_seq;
}

static TcpTwAnswer kill_it(TcpTw *tw)
{
    tcp_tw_free(tw);
    return TCP_TW_SUCCESS;
}

/* Without an application: nothing but the peer's FIN is welcome. */
static TcpTwAnswer in_fin_wait2(TcpTw *tw, TcpIn *in, bool paws_reject)
{
    if (paws_reject || !is_in_window(tw, in))
        return ack_if_not_too_often(tw, in, MIB_TcpExtTCPACKSkippedFinWait2);
    if (in->flags & TCP_RST)
        return kill_it(tw);
    if (in->flags & TCP_SYN && !tcp_before(in->seq, tw->rcv_nxt))
        return TCP_TW_RST;
    if (!(in->flags & TCP_ACK) || !tcp_after(in->end_seq, tw->rcv_nxt) || in->end_seq == in->seq)
        return TCP_TW_SUCCESS; /* a duplicate ACK */
    if (!(in->flags & TCP_FIN) || in->end_seq != tw->rcv_nxt + 1)
        return TCP_TW_RST; /* data for nobody (RFC 1122 4.2.2.13) */
    tcp_probes_tw(tw, TCP_FIN_WAIT2, TCP_TIME_WAIT);
    tw->substate = TCP_TIME_WAIT;
    tw->rcv_nxt = in->end_seq;
    tw->entry_stamp = in->saw_ts ? node_now(tw->tcp->node) : tw->entry_stamp;
    take_ts(tw, in);
    arm(tw, wait_ms(tw->tcp));
    return TCP_TW_ACK;
}

/* Only a RST or a bare ACK can be in the window of a connection that is over. */
static TcpTwAnswer exactly_in_order(TcpTw *tw, const TcpIn *in)
{
    if (in->flags & TCP_RST) {
        if (!tw->tcp->sysctl->tcp_rfc1337)
            return kill_it(tw); /* TIME-WAIT assassination */
    } else {
        arm(tw, wait_ms(tw->tcp));
    }
    take_ts(tw, in);
    return TCP_TW_SUCCESS;
}

/* RFC 6191: a SYN that is certainly new, by sequence number or by timestamp. */
static bool is_new_syn(const TcpTw *tw, const TcpIn *in)
{
    return (in->flags & (TCP_SYN | TCP_RST | TCP_ACK)) == TCP_SYN &&
           (tcp_after(in->seq, tw->rcv_nxt) || (in->saw_ts && (int32_t)(tw->ts_recent - in->tsval) < 0));
}

static uint32_t next_isn(const TcpTw *tw)
{
    uint32_t isn = tw->snd_nxt + 65535 + 2;

    return isn ? isn : 1;
}

static bool check_ts(TcpTw *tw, TcpIn *in)
{
    TcpTs ts = {.ts_recent = tw->ts_recent, .ts_recent_stamp = tw->ts_recent_stamp, .tstamp_ok = true};

    if (in->hdr_len == TCP_MIN_HDR_LEN || !tw->ts_recent_stamp)
        return false;
    tcpin_options(in);
    if (!in->opt.has_timestamps || !tw->tcp->sysctl->tcp_timestamps)
        return false;
    in->saw_ts = true;
    in->tsval = in->opt.ts_val;
    in->tsecr = in->opt.ts_ecr ? in->opt.ts_ecr - tw->ts_offset : 0;
    return tcp_paws_reject(&ts, in, in->flags & TCP_RST);
}

TcpTwAnswer tcp_tw_process(TcpTw *tw, TcpIn *in, uint32_t *isn)
{
    bool paws_reject = check_ts(tw, in);

    if (tw->substate == TCP_FIN_WAIT2)
        return in_fin_wait2(tw, in, paws_reject);
    if (!paws_reject && in->seq == tw->rcv_nxt && (in->seq == in->end_seq || in->flags & TCP_RST))
        return exactly_in_order(tw, in);
    if (!paws_reject && is_new_syn(tw, in)) {
        *isn = next_isn(tw);
        return TCP_TW_SYN;
    }
    if (paws_reject)
        TCP_INC(tw->tcp, TcpExtPAWSTimewait);
    if (in->flags & TCP_RST)
        return TCP_TW_SUCCESS;
    /* A SYN without ACK may be an old duplicate or a new connection with an unlucky number: it does not
     * prolong. */
    if (paws_reject || in->flags & TCP_ACK)
        arm(tw, wait_ms(tw->tcp));
    return ack_if_not_too_often(tw, in, MIB_TcpExtTCPACKSkippedTimeWait);
}

/* ---- a new connection over it (tcp_tw_reuse) ---- */

static bool is_loopback(const InetAddr *a)
{
    if (inet_is_ip4(a))
        return ipv4_addr_is_loopback(inet_ip4(a));
    return inet_eq(a, &(InetAddr){{0, 0, 0, 1}});
}

bool tcp_tw_is_reuse_on(const TcpConn *c)
{
    uint8_t reuse = c->tcp->sysctl->tcp_tw_reuse;

    return reuse == 2 ? is_loopback(&c->local) || is_loopback(&c->remote) : reuse != 0;
}

bool tcp_tw_may_reuse(TcpConn *c, TcpTw *tw)
{
    const TcpSysctl *s = tw->tcp->sysctl;
    bool reuse = tcp_tw_is_reuse_on(c) && tw->substate != TCP_FIN_WAIT2;
    SimTime age = node_now(tw->tcp->node) - tw->entry_stamp;

    if (!tw->ts_recent_stamp)
        return false;
    /* Who asks for this very port by bind() gets it at once; the search for a port is more careful. */
    if (!c->bind && (!reuse || age <= (SimTime)s->tcp_tw_reuse_delay_ms * TCP_JIFFY_NS))
        return false;
    c->write_seq = next_isn(tw);
    c->ts.ts_recent = tw->ts_recent;
    c->ts.ts_recent_stamp = tw->ts_recent_stamp;
    return true;
}
