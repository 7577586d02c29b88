/* A half-open connection (Linux request_sock): the SYN and its limits (tcp_conn_request), the SYN-ACK and its
 * timer (reqsk_timer_handler), and the segments that follow (tcp_check_req, RFC 9293 3.10.7.4 for
 * SYN-RECEIVED). The child that comes out of it is made in tcp_child.c. */
#include <string.h>

#include "models/ip/ip4.h"
#include "models/tcp/tcp_ack.h"
#include "models/tcp/tcp_ecn.h"
#include "models/tcp/tcp_input.h"
#include "models/tcp/tcp_life.h"
#include "models/tcp/tcp_output.h"
#include "models/tcp/tcp_probes.h"
#include "models/tcp/tcp_sockopt.h"

#define MSS_CLAMP_V6 1220 /* IPV6_MIN_MTU less headers: the peer's MSS when it does not say */

/* ---- the request itself ---- */

static void listen_drop(TcpConn *listener) /* tcp_listendrop */
{
    TCP_INC(listener->tcp, TcpExtListenDrops);
}

static TcpReq *req_new(TcpConn *listener, const TcpIn *in)
{
    Tcp *t = listener->tcp;
    TcpReq *r = pool_alloc(t->shared->reqs);

    memset(r, 0, sizeof(*r));
    r->tcp = t;
    r->listener = listener;
    r->local = in->dst;
    r->remote = in->src;
    r->local_port = in->dst_port;
    r->remote_port = in->src_port;
    r->is_v6 = in->is_v6;
    r->dev = in->dev;
    r->tos = in->tos;
    r->flow_label = in->flow_label;
    r->txhash = in->is_v6 ? (uint32_t)node_draw(t->node, TCP_STREAM) : 0;
    r->rcv_isn = in->seq;
    r->rcv_nxt = in->seq + 1;
    r->timeout_ms = TCP_TIMEOUT_INIT_MS;
    t->n_reqs++;
    return r;
}

void tcp_req_free(TcpReq *r)
{
    if (!r)
        return;
    timer_clear(&r->timer);
    packet_unref(r->saved_syn);
    r->tcp->n_reqs--;
    pool_free(r->tcp->shared->reqs, r);
}

/* tcp_openreq_init: what the SYN's options say, as far as this host is willing. */
static void init_options(TcpReq *r, const TcpConn *listener, const TcpIn *in, bool ignore)
{
    const TcpSysctl *s = r->tcp->sysctl;
    const TcpOptions *o = &in->opt;
    uint16_t mss = in->is_v6 ? MSS_CLAMP_V6 : TCP_MSS_DEFAULT;

    if (o->has_mss && o->mss) {
        mss = o->mss;
        if (listener->user_mss && listener->user_mss < mss)
            mss = listener->user_mss;
    }
    r->mss = mss;
    if (ignore) /* a cookie without timestamps has no room for them (tcp_clear_options); the MSS stays */
        return;
    r->tstamp_ok = o->has_timestamps && s->tcp_timestamps;
    r->ts_recent = r->tstamp_ok ? o->ts_val : 0;
    r->sack_ok = o->has_sack_permitted && s->tcp_sack;
    r->wscale_ok = o->has_wscale && s->tcp_window_scaling;
    r->snd_wscale = r->wscale_ok ? HS_MIN(o->wscale, TCP_MAX_WSCALE) : 0;
}

static uint32_t clamp_mss(const TcpConn *listener, uint32_t mss) /* tcp_mss_clamp */
{
    return listener->user_mss && listener->user_mss < mss ? listener->user_mss : mss;
}

bool tcp_req_init_window(TcpReq *r, TcpConn *listener, bool is_cookie_ack)
{
    uint32_t space = tcp_window_full_space(listener), mss;
    TcpPath path;

    if (!tcp_ip_path(r->tcp, &r->local, &r->remote, &path))
        return false;
    mss = clamp_mss(listener, path.advmss);
    r->window_clamp = listener->win.window_clamp ? listener->win.window_clamp : path.window;
    if (listener->win.is_rcvbuf_locked && (r->window_clamp > space || !r->window_clamp))
        r->window_clamp = space;
    if (path.initrwnd && space < path.initrwnd * mss)
        space = path.initrwnd * mss;
    /* Behind a cookie the peer's own MSS has to do (cookie_v4_check). */
    mss = is_cookie_ack ? r->mss : mss - (r->tstamp_ok ? 12 : 0);
    tcp_window_select_initial(listener, space, mss, &r->rcv_wnd, &r->window_clamp, r->wscale_ok,
                              &r->rcv_wscale, path.initrwnd);
    r->rsk_rcv_wnd = r->rcv_wnd;
    return true;
}

/* ---- its place in the queue ---- */

static void on_timer(Timer *timer)
{
    tcp_req_on_timeout(HS_CONTAINER_OF(timer, TcpReq, timer));
}

static void queue_add(TcpReq *r) /* inet_csk_reqsk_queue_hash_add */
{
    TcpListen *l = r->listener->listen;

    r->prev = l->req_tail;
    if (l->req_tail)
        l->req_tail->next = r;
    else
        l->req_head = r;
    l->req_tail = r;
    l->qlen++;
    l->young++;
    r->is_queued = true;
    tcp_table_insert_req(r);
    timer_init(&r->timer, r->tcp->node, on_timer);
    timer_arm_after(&r->timer, (SimTime)r->timeout_ms * TCP_JIFFY_NS);
}

static void queue_remove(TcpReq *r)
{
    TcpListen *l;

    tcp_table_remove_req(r); /* a child may have taken its place there already */
    if (!r->is_queued)
        return;
    l = r->listener->listen;
    r->is_queued = false;
    if (r->prev)
        r->prev->next = r->next;
    else
        l->req_head = r->next;
    if (r->next)
        r->next->prev = r->prev;
    else
        l->req_tail = r->prev;
    r->next = r->prev = NULL;
    if (r->num_timeout == 0)
        l->young--;
    l->qlen--;
}

void tcp_req_drop(TcpReq *r)
{
    queue_remove(r);
    tcp_req_free(r);
}

/* ---- SYN-ACK ---- */

static uint8_t synack_tos(const TcpConn *listener, const TcpReq *r, uint8_t ecn)
{
    uint8_t tos = r->tcp->sysctl->tcp_reflect_tos ? r->tos : tcp_conn_tos(listener, r->is_v6);

    return (uint8_t)((tos & ~IP_ECN_MASK) | (ecn & IP_ECN_MASK));
}

/* tcp_make_synack. foc: a cookie to hand out; NULL: none. */
static int send_synack(TcpConn *listener, TcpReq *r, bool is_cookie, const TcpFastopenCookie *foc)
{
    Tcp *t = r->tcp;
    SimTime now = node_now(t->node);
    uint8_t options[TCP_MAX_OPTIONS_LEN + 4], ecn = 0;
    uint16_t flags = TCP_SYN | TCP_ACK;
    TcpOptOut out = {0};
    TcpHdr hdr;
    TcpPath path;
    Packet *pkt;
    uint8_t *h;
    unsigned n;

    if (!tcp_ip_path(t, &r->local, &r->remote, &path))
        return -1;
    if (!r->snt_synack)
        r->snt_synack = now;
    tcp_opt_out_synack(r, listener, &out, (uint16_t)clamp_mss(listener, path.advmss), is_cookie, foc);
    if (out.o.has_timestamps) {
        if (!r->ts_first)
            r->ts_first = out.o.ts_val;
        r->ts_last = out.o.ts_val;
    }
    n = tcp_opt_out_write(options, &out);
    tcp_ecn_make_synack(listener, r, &flags, &ecn);
    if (t->sysctl->handshake == 4) /* the ACK went before, on its own */
        flags &= (uint16_t)~TCP_ACK;
    hdr = (TcpHdr){.src_port = r->local_port,
                   .dst_port = r->remote_port,
                   .seq = r->snt_isn,
                   .ack = flags & TCP_ACK ? r->rcv_nxt : 0,
                   .flags = flags,
                   .window = (uint16_t)HS_MIN(r->rcv_wnd, 65535u),
                   .options_len = (uint8_t)n};
    memcpy(hdr.options, options, n);
    pkt = tcp_ip_new_packet(t);
    h = packet_put(pkt, (unsigned)tcp_encoded_len(&hdr));
    tcp_encode(h, &hdr);
    if (out.md5) /* comes first: nop, nop, kind, length, digest */
        tcp_md5_sign(h + TCP_MIN_HDR_LEN + 4, out.md5, &r->local, &r->remote, r->is_v6, pkt, pkt->head);
    TCP_INC(t, TcpOutSegs);
    return tcp_ip_send_raw(t, pkt,
                           &(TcpRaw){.src = r->local,
                                     .dst = r->remote,
                                     .is_v6 = r->is_v6,
                                     .tos = synack_tos(listener, r, ecn),
                                     .flow_label = r->is_v6 ? tcp_ip_flow_label(t, r->txhash, 0) : 0,
                                     .ttl = listener->opts ? listener->opts->ttl : 0});
}

/* tcp_rtx_synack: false when the packet could not leave. */
static bool resend_synack(TcpConn *listener, TcpReq *r)
{
    Tcp *t = r->tcp;

    r->is_again = 1;
    if (r->is_v6)
        r->txhash = (uint32_t)node_draw(t->node, TCP_STREAM); /* by another path, perhaps */
    if (send_synack(listener, r, false, NULL))
        return false;
    TCP_INC(t, TcpRetransSegs);
    TCP_INC(t, TcpExtTCPSynRetrans);
    if (r->child)
        r->child->stats.total_retrans++;
    r->num_retrans++;
    tcp_ecn_req_sent_again(r);
    return true;
}

void tcp_req_retransmit_synack(TcpConn *listener, TcpReq *r)
{
    resend_synack(listener, r);
}

static SimTime timeout_ns(const TcpReq *r) /* tcp_reqsk_timeout */
{
    uint64_t ms = (uint64_t)r->timeout_ms << HS_MIN(r->num_timeout, 20);

    uint32_t max = r->listener ? r->listener->rtt.rto_max_ms : r->tcp->sysctl->tcp_rto_max_ms;

    return (SimTime)HS_MIN(ms, (uint64_t)max) * TCP_JIFFY_NS;
}

/* How often at most. When half of the backlog is taken, old requests have to make room for young ones. */
static int max_retries(const TcpReq *r)
{
    const TcpConn *listener = r->listener;
    const TcpListen *l = listener->listen;
    int max = listener->syn_retries ? listener->syn_retries : r->tcp->sysctl->tcp_synack_retries;

    if (l->qlen << 1 > HS_MAX(8u, l->max_ack_backlog))
        for (uint32_t young = l->young << 1; max > 2 && l->qlen >= young; young <<= 1)
            max--;
    return max;
}

void tcp_req_on_timeout(TcpReq *r)
{
    TcpConn *listener = r->listener;
    uint32_t defer = listener->defer_accept;
    int max = max_retries(r);
    bool expired, resend; /* syn_ack_recalc */

    if (!defer) {
        expired = r->num_timeout >= max;
        resend = true;
    } else {
        expired = r->num_timeout >= max && (!r->acked || r->num_timeout >= defer);
        /* Silent while data is waited for; towards the end a last chance to create the connection. */
        resend = !r->acked || r->num_timeout + 1u >= defer;
    }
    TCP_INC(r->tcp, TcpExtTCPTimeouts);
    tcp_mstamp_refresh(listener);
    if (!expired && (!resend || resend_synack(listener, r) || r->acked)) {
        if (r->num_timeout++ == 0)
            listener->listen->young--;
        timer_arm_after(&r->timer, timeout_ns(r));
        return;
    }
    tcp_req_drop(r);
}

/* ---- a SYN arrives ---- */

/* false: dropped. Who had a connection a moment ago is real, and needs no cookie. */
static bool has_room(TcpConn *listener, bool was_in_time_wait, bool *want_cookie)
{
    Tcp *t = listener->tcp;

    if (!was_in_time_wait && (t->sysctl->tcp_syncookies == 2 || tcp_listen_syn_is_full(listener))) {
        if (!t->sysctl->tcp_syncookies) { /* tcp_syn_flood_action */
            TCP_INC(t, TcpExtTCPReqQFullDrop);
            return false;
        }
        TCP_INC(t, TcpExtTCPReqQFullDoCookies);
        *want_cookie = true;
    }
    if (tcp_listen_accept_is_full(listener)) {
        TCP_INC(t, TcpExtListenOverflows);
        return false;
    }
    return true;
}

/* Without cookies the last quarter of the backlog is for peers that have proven to exist. */
static bool is_reserved(const TcpConn *listener, const TcpReq *r)
{
    const TcpSysctl *s = r->tcp->sysctl;
    int64_t left = (int64_t)s->tcp_max_syn_backlog - listener->listen->qlen;

    return !s->tcp_syncookies && left < s->tcp_max_syn_backlog >> 2 && !tcp_metrics_peer_is_proven(r->tcp, r);
}

/* TCP_SAVE_SYN (tcp_reqsk_record_syn) */
static void record_syn(const TcpConn *listener, TcpReq *r, const TcpIn *in)
{
    if (listener->save_syn && in->pkt)
        r->saved_syn = packet_ref(in->pkt);
}

/* hopscope.tcp_handshake 2: the SYN alone opens the connection, as if the third segment had come with it. */
static void open_unconfirmed(TcpConn *listener, TcpReq *r, const TcpIn *syn)
{
    TcpIn third = *syn;
    TcpConn *child;

    third.flags = TCP_ACK;
    third.seq = third.end_seq = r->rcv_nxt;
    third.ack = r->snt_isn + 1;
    third.len = 0;
    third.window = (uint16_t)(syn->window >> (r->wscale_ok ? r->snd_wscale : 0));
    child = tcp_req_make_child(listener, r, &third);
    if (!child)
        return;
    tcp_req_drop(r);
    tcp_listen_add_child(listener, child);
    tcp_req_child_process(listener, child, &third);
}

/* hopscope.tcp_handshake 4: the SYN is acknowledged by itself, before our own SYN. */
static void ack_apart(const TcpConn *listener, const TcpReq *r, const TcpIn *in)
{
    uint32_t tsval = tcp_ts_clock(node_now(r->tcp->node)) + r->ts_off;

    tcp_demux_send_ack(r->tcp, in, r->snt_isn, r->rcv_nxt, HS_MIN(r->rcv_wnd, 65535u), tsval, r->ts_recent,
                       r->tstamp_ok, tcp_md5_find(listener, &in->src), tcp_conn_tos(listener, r->is_v6), 0);
}

static void answer_syn(TcpConn *listener, TcpReq *r, TcpIn *in, bool want_cookie)
{
    TcpFastopenCookie foc = {.len = TCP_FASTOPEN_NONE};
    TcpConn *child = NULL;

    if (!want_cookie) {
        record_syn(listener, r, in);
        tcp_fastopen_cookie_of(in, &foc);
        child = tcp_fastopen_try(listener, in, r, &foc);
    }
    if (child) {
        send_synack(child, r, false, foc.len == TCP_FASTOPEN_NONE ? NULL : &foc);
        tcp_listen_add_child(listener, child);
        tcp_wake(listener);
        tcp_conn_let(child); /* held by tcp_fastopen_try */
        return;
    }
    r->tfo_listener = false;
    if (!want_cookie)
        queue_add(r);
    if (HS_UNLIKELY(listener->tcp->sysctl->handshake == 4))
        ack_apart(listener, r, in);
    send_synack(listener, r, want_cookie, foc.len == TCP_FASTOPEN_NONE ? NULL : &foc);
    if (want_cookie)
        tcp_req_free(r);
    else if (HS_UNLIKELY(listener->tcp->sysctl->handshake == 2))
        open_unconfirmed(listener, r, in);
}

void tcp_req_on_syn(TcpConn *listener, TcpIn *in)
{
    Tcp *t = listener->tcp;
    uint32_t isn = in->tw_isn;
    bool want_cookie = false;
    TcpReq *r;

    if (in->rx_type != IP4_ROUTE_LOCAL || !has_room(listener, isn != 0, &want_cookie)) {
        listen_drop(listener);
        tcp_probes_drop(t, listener, in, "TCP_LISTEN_OVERFLOW");
        return;
    }
    tcpin_options(in);
    r = req_new(listener, in);
    r->is_cookie = want_cookie;
    init_options(r, listener, in, want_cookie && !(in->opt.has_timestamps && t->sysctl->tcp_timestamps));
    if (!tcp_req_init_window(r, listener, false) || (!want_cookie && !isn && is_reserved(listener, r))) {
        tcp_req_free(r);
        listen_drop(listener);
        return;
    }
    if (r->tstamp_ok)
        r->ts_off = tcp_isn_ts_offset(t, &r->local, &r->remote, r->is_v6);
    if (!want_cookie && !isn)
        isn = tcp_isn(t, &r->local, &r->remote, r->local_port, r->remote_port, r->is_v6);
    tcp_ecn_create_request(r, in, listener);
    if (want_cookie) {
        isn = tcp_cookie_make(listener, in, &r->mss);
        if (!r->tstamp_ok)
            r->ecn_ok = 0;
    }
    r->snt_isn = isn;
    answer_syn(listener, r, in, want_cookie);
}

/* ---- a segment for it ---- */

static bool oow_limited(TcpReq *r, const TcpIn *in)
{
    return tcp_challenge_oow_limited(r->tcp, in, MIB_TcpExtTCPACKSkippedSynRecv, &r->last_oow_ack);
}

/* What the SYN-ACK could tell of the window; an answer cannot know more (tcp_synack_window). */
static uint32_t synack_window(const TcpReq *r)
{
    return HS_MIN(r->rcv_wnd, 65535u);
}

/* tcp_v4_reqsk_send_ack: in the state that the SYN-ACK announced, also for a Fast Open child. */
static void send_ack(const TcpConn *c, TcpReq *r, const TcpIn *in)
{
    uint32_t tsval = tcp_ts_clock(node_now(r->tcp->node)) + r->ts_off;
    uint32_t seq = c->state == TCP_LISTEN ? r->snt_isn + 1 : c->snd_nxt;

    tcp_demux_send_ack(r->tcp, in, seq, r->rcv_nxt, synack_window(r) >> r->rcv_wscale, tsval, r->ts_recent,
                       r->tstamp_ok, tcp_md5_find(c, &in->src), tcp_conn_tos(c, r->is_v6), 0);
}

/* RFC 7323 for a request: PAWS against its SYN, and an echo that lies outside what we sent. */
static void check_ts(TcpReq *r, TcpIn *in, bool fastopen, bool *paws_reject, bool *ecr_reject)
{
    SimTime now = node_now(r->tcp->node);
    TcpTs ts = {.ts_recent = r->ts_recent,
                .tstamp_ok = true,
                .ts_recent_stamp = tcp_ts_seconds(now) - timeout_ns(r) / SIM_SEC};

    *paws_reject = *ecr_reject = false;
    if (in->hdr_len == TCP_MIN_HDR_LEN)
        return;
    tcpin_options(in);
    if (!in->opt.has_timestamps || !r->tcp->sysctl->tcp_timestamps)
        return;
    in->saw_ts = true;
    in->tsval = in->opt.ts_val;
    in->tsecr = in->opt.ts_ecr;
    if (in->tsecr) {
        if (r->tstamp_ok && !fastopen)
            *ecr_reject = !tcp_between(in->tsecr, r->ts_first, r->ts_last);
        in->tsecr -= r->ts_off;
    }
    if (r->tstamp_ok)
        *paws_reject = tcp_paws_reject(&ts, in, in->flags & TCP_RST);
}

/* tcp_in_window */
static bool is_in_window(uint32_t seq, uint32_t end_seq, uint32_t s_win, uint32_t e_win)
{
    if (seq == s_win)
        return true;
    if (tcp_after(end_seq, s_win) && tcp_before(seq, e_win))
        return true;
    return seq == e_win && seq == end_seq;
}

static void on_duplicate_syn(TcpConn *c, TcpReq *r, const TcpIn *in, bool fastopen)
{
    if (oow_limited(r, in))
        return;
    tcp_ecn_req_syn_again(r, in);
    if (resend_synack(c, r) && !fastopen)
        timer_arm_after(&r->timer, timeout_ns(r));
}

static void embryonic_reset(TcpConn *c, TcpReq *r, TcpIn *in, bool fastopen)
{
    Tcp *t = r->tcp;

    if (!(in->flags & TCP_RST)) {
        /* RFC 7413: a Fast Open connection is not reset for a strange SYN alone (below). */
        tcp_demux_send_reset(t, c, in);
    } else if (fastopen) {
        tcp_fastopen_remove_child(r->listener, r, true);
        tcp_input_reset(c, in);
    }
    if (!fastopen) {
        TCP_INC(t, TcpExtEmbryonicRsts);
        tcp_req_drop(r);
    }
}

/* The last ACK is good: the child, or NULL when it has to wait. */
static TcpConn *complete(TcpConn *listener, TcpReq *r, TcpIn *in)
{
    TcpConn *child;

    /* TCP_DEFER_ACCEPT: a bare ACK does not wake the application (deferred for some SYN-ACK timeouts). */
    if (r->num_timeout < listener->defer_accept && in->end_seq == r->rcv_isn + 1) {
        r->acked = 1;
        TCP_INC(r->tcp, TcpExtTCPDeferAcceptDrop);
        return NULL;
    }
    child = tcp_req_make_child(listener, r, in);
    if (!child) {
        if (r->tcp->sysctl->tcp_abort_on_overflow)
            embryonic_reset(listener, r, in, false);
        else
            r->acked = 1;
        return NULL;
    }
    /* Not before: what only asks for the request leaves its timestamp alone. */
    if (in->saw_ts && !tcp_after(in->seq, r->rcv_nxt))
        child->ts.ts_recent = in->tsval;
    tcp_rtt_synack(child, r);
    tcp_req_drop(r);
    tcp_listen_add_child(listener, child);
    return child;
}

TcpConn *tcp_req_check(TcpConn *c, TcpReq *r, TcpIn *in, bool fastopen, bool *lost_race)
{
    uint16_t flags = in->flags & (TCP_RST | TCP_SYN | TCP_ACK);
    bool paws_reject, ecr_reject;

    *lost_race = false;
    check_ts(r, in, fastopen, &paws_reject, &ecr_reject);
    if (in->seq == r->rcv_isn && flags == TCP_SYN && !paws_reject) {
        on_duplicate_syn(c, r, in, fastopen);
        return NULL;
    }
    /* The listener answers with a RST, and the request stays. What a reset acknowledges does not matter. */
    if ((flags & (TCP_ACK | TCP_RST)) == TCP_ACK && !fastopen && in->ack != r->snt_isn + 1)
        return c;
    if (paws_reject || ecr_reject ||
        !is_in_window(in->seq, in->end_seq, r->rcv_nxt, r->rcv_nxt + synack_window(r))) {
        if (!(flags & TCP_RST) && !oow_limited(r, in))
            send_ack(c, r, in);
        if (paws_reject)
            TCP_INC(r->tcp, TcpExtPAWSEstab);
        else if (ecr_reject)
            TCP_INC(r->tcp, TcpExtTSEcrRejected);
        return NULL;
    }
    if (in->seq == r->rcv_isn)
        flags &= (uint16_t)~TCP_SYN; /* lies before the window that begins at rcv_isn + 1 */
    /* RFC 5961 3.2: only the exact sequence number resets */
    if (flags & TCP_RST && in->seq != r->rcv_nxt) {
        if (!tcp_challenge_limited(r->tcp, in->now, MIB_TcpExtTCPACKSkippedChallenge, &r->last_oow_ack)) {
            TCP_INC(r->tcp, TcpExtTCPChallengeACK);
            send_ack(c, r, in);
        }
        return NULL;
    }
    if (flags & (TCP_RST | TCP_SYN)) {
        TCP_INC(r->tcp, TcpAttemptFails);
        embryonic_reset(c, r, in, fastopen);
        return NULL;
    }
    if (!(flags & TCP_ACK))
        return NULL;
    tcp_ecn_req_saw_option(r, in);
    if (fastopen)
        return c; /* the child itself: nothing more to be made */
    return complete(c, r, in);
}

void tcp_req_child_process(TcpConn *listener, TcpConn *child, TcpIn *in)
{
    TcpState before = child->state;

    tcp_conn_hold(listener);
    tcp_conn_hold(child);
    tcp_mstamp_refresh(child);
    child->stats.segs_in += in->gso_segs;
    if (in->len)
        child->stats.data_segs_in += in->gso_segs;
    if (tcp_input_state_process(child, in))
        tcp_demux_send_reset(child->tcp, child, in);
    if (before == TCP_SYN_RECV && child->state != before)
        tcp_wake(listener);
    tcp_conn_let(child);
    tcp_conn_let(listener);
}
