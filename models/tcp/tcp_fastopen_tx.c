/* Fast Open, the client's part (RFC 7413 4.1; Linux tcp_send_syn_data, tcp_sendmsg_fastopen,
 * tcp_rcv_fastopen_synack, tcp_fastopen_active_*): data in the SYN with a cookie from the metrics, and
 * caution against middleboxes that swallow such SYNs. */
#include <errno.h>
#include <glib.h>
#include <string.h>
#include <sys/socket.h>

#include "models/ip/route_metrics.h"
#include "models/tcp/tcp_ack.h"
#include "models/tcp/tcp_input.h"
#include "models/tcp/tcp_life.h"
#include "models/tcp/tcp_output.h"

#define MAX_OPTION_SPACE 40

/* ---- the cookie ---- */

bool tcp_fastopen_cookie_check(TcpConn *c, uint16_t *mss, TcpFastopenCookie *cookie)
{
    tcp_metrics_fastopen_get(c, mss, cookie);
    if (tcp_fastopen_active_should_disable(c)) {
        cookie->len = TCP_FASTOPEN_NONE;
        return false;
    }
    if (c->tcp->sysctl->tcp_fastopen & TCP_FASTOPEN_CLIENT_NO_COOKIE ||
        c->sflags & TCP_S_FASTOPEN_NO_COOKIE || route_metrics_get(c->metrics, ROUTE_FASTOPEN_NO_COOKIE)) {
        cookie->len = TCP_FASTOPEN_NONE;
        return true;
    }
    if (cookie->len && cookie->len != TCP_FASTOPEN_NONE)
        return true;
    c->fastopen_client_fail = TCP_TFO_COOKIE_UNAVAILABLE;
    return false;
}

void tcp_fastopen_free_tx(TcpConn *c)
{
    g_free(c->fastopen_tx);
    c->fastopen_tx = NULL;
}

/* TCP_FASTOPEN_CONNECT: with a cookie at hand connect() does nothing, and the first write sends the SYN. */
bool tcp_fastopen_defer_connect(TcpConn *c, int *err)
{
    TcpFastopenCookie cookie = {0};
    uint16_t mss = 0;

    if (!(c->sflags & TCP_S_FASTOPEN_CONNECT) || c->fastopen_tx)
        return false;
    if (tcp_fastopen_cookie_check(c, &mss, &cookie)) {
        c->sflags |= TCP_S_DEFER_CONNECT;
        return true;
    }
    /* Not yet: the SYN asks for one. */
    c->fastopen_tx = g_new0(struct TcpFastopenTx, 1);
    c->fastopen_tx->cookie = cookie;
    return false;
}

/* ---- the SYN ---- */

static TcpSeg *make_syn_data(TcpConn *c, const TcpSeg *syn, uint32_t space)
{
    const TcpSend *m = c->fastopen_tx->data;
    TcpSeg *s = tcpsndq_new_control(c, syn->seq, syn->flags);
    uint32_t done = 0;

    s->sent_ns = syn->sent_ns;
    if (!space)
        return s;
    tcpsndq_append(c, s); /* accounts for it; sending moves it on */
    if (m->slices) {
        for (unsigned i = 0; i < m->n_slices && done < space; i++) {
            PktSlice part = m->slices[i];
            uint32_t n;

            part.len = HS_MIN(part.len, space - done);
            n = tcpsndq_add(c, s, NULL, &part, 0, part.len);
            done += n;
            if (n < part.len)
                break;
        }
    } else if (m->has_iov) {
        size_t skip = m->skip;

        for (unsigned i = 0; i < m->n_iov && done < space && m->iov[i].iov_base; i++) {
            size_t len = m->iov[i].iov_len;
            size_t from = HS_MIN(skip, len), n = HS_MIN(len - from, (size_t)(space - done));

            skip -= from;
            if (n)
                done += tcpsndq_add(c, s, (const char *)m->iov[i].iov_base + from, NULL, 0, (uint32_t)n);
        }
    } else {
        done = tcpsndq_add(c, s, m->bytes, NULL, m->synthetic_off, space);
    }
    return s;
}

/* tcp_connect_queue_skb */
static void queue_connect(TcpConn *c, TcpSeg *s)
{
    c->write_seq = s->end_seq;
    c->packets_out += s->pcount ? s->pcount : 1;
}

/* Sends SYN and data in one. What stays for retransmission are two segments, as the SYN alone goes first
 * then. */
static int send_syn_data(TcpConn *c, TcpSeg *syn, uint32_t space)
{
    struct TcpFastopenTx *fo = c->fastopen_tx;
    TcpSeg *data = make_syn_data(c, syn, space);
    int err;

    tcpsndq_set_pcount(data, c->mss_cache);
    fo->copied = tcpseg_len(data);
    if (fo->copied == fo->size)
        fo->data = NULL; /* nothing is left for the caller to wait for */
    queue_connect(c, data);
    if (fo->copied)
        tcp_cwnd_chrono_start(c, 1);
    err = tcp_output_transmit(c, data, true, c->rcv_nxt);
    syn->sent_ns = data->sent_ns;
    syn->has_tx_time = data->has_tx_time;
    data->seq++;
    data->flags = TCP_ACK | TCP_PSH;
    if (err) { /* it waits for the handshake, as if written just now */
        if (!fo->copied)
            tcpsndq_append(c, data);
        c->packets_out -= data->pcount ? data->pcount : 1;
        return err;
    }
    if (fo->copied)
        c->sflags |= TCP_S_SYN_DATA;
    tcpsndq_to_rtx(c, data);
    TCP_INC(c->tcp, TcpExtTCPOrigDataSent);
    return 0;
}

static uint32_t space_in_syn(TcpConn *c)
{
    /* __tcp_mtu_to_mss: options not yet subtracted */
    uint32_t mss = tcp_pmtu_mtu_to_mss(c, c->pmtu_cookie) + c->tcp_header_len - TCP_MIN_HDR_LEN;

    /* Room for all options that a middlebox may add (Linux MAX_TCP_OPTION_SPACE). */
    return mss > MAX_OPTION_SPACE ? mss - MAX_OPTION_SPACE : 0;
}

int tcp_fastopen_connect_syn(TcpConn *c, TcpSeg *syn)
{
    struct TcpFastopenTx *fo = c->fastopen_tx;
    int err = -1;

    c->mss_clamp = c->advmss; /* when no MSS is cached */
    if (tcp_fastopen_cookie_check(c, &c->mss_clamp, &fo->cookie)) {
        if (c->user_mss && c->user_mss < c->mss_clamp)
            c->mss_clamp = c->user_mss;
        tcp_pmtu_sync_mss(c, c->pmtu_cookie);
        err = send_syn_data(c, syn, (uint32_t)HS_MIN((size_t)space_in_syn(c), fo->data ? fo->size : 0));
    }
    if (err) { /* an ordinary SYN that asks for a cookie */
        if (fo->cookie.len && fo->cookie.len != TCP_FASTOPEN_NONE)
            fo->cookie.len = 0;
        err = tcp_output_transmit(c, syn, true, c->rcv_nxt);
        if (err)
            c->sflags &= ~(uint32_t)TCP_S_SYN_FASTOPEN;
    }
    fo->cookie.len = TCP_FASTOPEN_NONE; /* retransmitted SYNs have no such option */
    return err;
}

/* ---- the SYN-ACK ---- */

/* tcp_non_congestion_loss_retransmit: what the server did not take goes again, without a verdict on the path.
 */
static void resend_data(TcpConn *c)
{
    for (TcpSeg *s = c->snd.rtx_head; s; s = s->next)
        tcp_recovery_mark_lost(c, s);
    if (c->rec.ca_state != TCP_CA_LOSS) {
        uint32_t cwnd = c->cc.s.cwnd;

        c->rec.high_seq = c->snd_nxt;
        if (!tcp_in_cwnd_reduction(c)) /* tcp_current_ssthresh */
            c->cc.s.ssthresh = HS_MAX(c->cc.s.ssthresh, (cwnd >> 1) + (cwnd >> 2));
        c->rec.prior_ssthresh = 0;
        c->rec.undo_marker = 0;
        tcp_recovery_set_ca_state(c, TCP_CA_LOSS);
    }
    tcp_retransmit_queue(c);
}

bool tcp_fastopen_rcv_synack(TcpConn *c, TcpIn *in, const TcpFastopenCookie *got)
{
    TcpSeg *data = c->sflags & TCP_S_SYN_DATA ? c->snd.rtx_head : NULL;
    TcpFastopenCookie cookie = {.len = TCP_FASTOPEN_NONE};
    uint16_t mss = c->mss_clamp, try_exp = 0;
    bool syn_drop = false;

    if (got)
        tcp_fastopen_cookie_of(in, &cookie);
    if (mss == c->user_mss) /* cut by TCP_MAXSEG: what the peer really said */
        mss = in->has_opts && in->opt.has_mss ? in->opt.mss : 0;
    if (!(c->sflags & TCP_S_SYN_FASTOPEN)) { /* unasked for */
        cookie.len = TCP_FASTOPEN_NONE;
    } else if (c->stats.total_retrans) {
        /* Probably only the plain SYN came through. */
        syn_drop = cookie.len == TCP_FASTOPEN_NONE && data;
    } else if (cookie.len == TCP_FASTOPEN_NONE && !(c->sflags & TCP_S_SYN_DATA)) {
        /* Asked for a cookie and got none: next time in the other form of the option. */
        try_exp = c->sflags & TCP_S_SYN_FASTOPEN_EXP ? 2 : 1;
    }
    tcp_metrics_fastopen_set(c, mss, &cookie, syn_drop, try_exp);
    if (data) {
        c->fastopen_client_fail = c->stats.total_retrans ? TCP_TFO_SYN_RETRANSMITTED : TCP_TFO_DATA_NOT_ACKED;
        resend_data(c);
        TCP_INC(c->tcp, TcpExtTCPFastOpenActiveFail);
        return true;
    }
    if (c->sflags & TCP_S_SYN_DATA) {
        c->sflags |= TCP_S_SYN_DATA_ACKED;
        TCP_INC(c->tcp, TcpExtTCPFastOpenActive);
        if (c->delivered > 1) /* SYN and data were one packet */
            c->delivered--;
    } else {
        c->sflags &= ~(uint32_t)TCP_S_SYN_DATA_ACKED;
    }
    tcp_fastopen_add_skb(c, in);
    return false;
}

/* ---- sendmsg ---- */

/* tcp_sendmsg_fastopen: also the first write of a deferred connect. */
int64_t tcp_fastopen_sendmsg(TcpConn *c, const TcpSend *m, size_t *copied)
{
    InetEndpoint to = m->to ? *m->to : tcp_remote(c);
    int err;

    *copied = 0;
    if (!(c->tcp->sysctl->tcp_fastopen & TCP_FASTOPEN_CLIENT))
        return -EOPNOTSUPP;
    if (c->fastopen_tx)
        return -EALREADY;
    if (!m->to && c->state == TCP_CLOSE && !(c->sflags & TCP_S_DEFER_CONNECT))
        return -EINVAL; /* connect to where? tcp_v4_connect: an address is too short */
    c->fastopen_tx = g_new0(struct TcpFastopenTx, 1);
    c->fastopen_tx->data = m;
    c->fastopen_tx->size = m->len;
    tcp_conn_hold(c);
    tcp_mstamp_refresh(c);
    if (c->sflags & TCP_S_DEFER_CONNECT) {
        err = tcp_output_connect(c);
        if (err) {
            tcp_set_state(c, TCP_CLOSE);
            c->remote_port = 0;
        }
    }
    err = tcp_connect_from(c, &to, true);
    if (c->fastopen_tx) { /* else the attempt has failed already */
        *copied = c->fastopen_tx->copied;
        tcp_fastopen_free_tx(c);
        c->sflags &= ~(uint32_t)TCP_S_DEFER_CONNECT;
    }
    tcp_conn_let(c);
    return err;
}

/* ---- middleboxes ---- */

static SimTime blackhole_timeout(const Tcp *t)
{
    return (SimTime)t->sysctl->tcp_fastopen_blackhole_timeout_sec * SIM_SEC;
}

static uint32_t blackhole_times(const Tcp *t)
{
    return t->rare ? t->rare->fastopen_blackhole_times : 0;
}

/* No Fast Open from this host for a while: an hour by default when it is on, doubled each time up to 64. */
void tcp_fastopen_active_disable(TcpConn *c)
{
    Tcp *t = c->tcp;

    if (!blackhole_timeout(t))
        return;
    tcp_rare(t)->fastopen_blackhole_stamp = node_now(t->node);
    t->rare->fastopen_blackhole_times++;
    TCP_INC(t, TcpExtTCPFastOpenBlackhole);
}

bool tcp_fastopen_active_should_disable(TcpConn *c)
{
    Tcp *t = c->tcp;
    unsigned times = blackhole_times(t);

    if (!blackhole_timeout(t) || !times)
        return false;
    if (node_now(t->node) <
        t->rare->fastopen_blackhole_stamp + (blackhole_timeout(t) << HS_MIN(times - 1, 6u)))
        return true;
    c->sflags |= TCP_S_SYN_FASTOPEN_CH; /* its success would clear the suspicion */
    return false;
}

/* When a connection ends: a FIN out of order as the only thing ever received is the mark of a middlebox that
 * lost the SYN's data (RFC 7413 7.1). */
void tcp_fastopen_active_disable_ofo_check(TcpConn *c)
{
    if (!(c->sflags & TCP_S_SYN_FASTOPEN))
        return;
    if (!c->stats.data_segs_in) {
        RbNode *first = rbtree_first(&c->rcv.ooo);

        if (first && !rbtree_next(first) && HS_CONTAINER_OF(first, TcpRcvSeg, rb)->flags & TCP_FIN)
            tcp_fastopen_active_disable(c);
    } else if (c->sflags & TCP_S_SYN_FASTOPEN_CH && blackhole_times(c->tcp) && !tcp_ip_is_local(c)) {
        c->tcp->rare->fastopen_blackhole_times = 0;
    }
}

/* Timeouts during or after such a handshake: the third in a row, or the limit, is enough. */
void tcp_fastopen_active_detect_blackhole(TcpConn *c, bool expired)
{
    unsigned timeouts = c->retransmits;

    if (!(c->sflags & (TCP_S_SYN_FASTOPEN | TCP_S_SYN_DATA | TCP_S_SYN_DATA_ACKED)))
        return;
    if (timeouts == 2 || (timeouts < 2 && expired)) {
        tcp_fastopen_active_disable(c);
        TCP_INC(c->tcp, TcpExtTCPFastOpenActiveFail);
    }
}
