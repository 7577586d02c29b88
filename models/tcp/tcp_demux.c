/* Whose segment is it? Linux tcp_v4_rcv and tcp_v6_rcv; and the two answers that need no connection: a RST
 * (tcp_v4_send_reset, RFC 9293 3.5.2) and a bare ACK (tcp_v4_send_ack). */
#include <string.h>

#include "models/ip/ip4.h"
#include "models/tcp/tcp_input.h"
#include "models/tcp/tcp_life.h"
#include "models/tcp/tcp_output.h"
#include "models/tcp/tcp_probes.h"
#include "models/tcp/tcp_sockopt.h"

void tcpin_options(TcpIn *in)
{
    if (in->has_opts)
        return;
    tcp_options_decode(&in->opt, in->raw + TCP_MIN_HDR_LEN, in->hdr_len - TCP_MIN_HDR_LEN);
    in->has_opts = true;
}

/* ---- answers of nobody in particular ---- */

typedef struct Bare { /* a segment without payload: what its header says */
    uint32_t seq, ack;
    uint16_t flags, window;
    bool has_ts;
    uint32_t tsval, tsecr;
    const TcpMd5Key *md5;
    uint8_t tos;
} Bare;

#define OPT_ROOM (4 + TCP_OPT_TIMESTAMPS_LEN + TCP_OPT_MD5_LEN)

static unsigned put_options(uint8_t *p, const Bare *b)
{
    unsigned n = 0;

    if (b->has_ts) {
        n += (unsigned)tcp_opt_put_nop(p + n);
        n += (unsigned)tcp_opt_put_nop(p + n);
        n += (unsigned)tcp_opt_put_timestamps(p + n, b->tsval, b->tsecr);
    }
    if (b->md5) {
        static const uint8_t nothing_yet[16];

        n += (unsigned)tcp_opt_put_nop(p + n);
        n += (unsigned)tcp_opt_put_nop(p + n);
        n += (unsigned)tcp_opt_put_md5(p + n, nothing_yet);
    }
    return n;
}

static void send_bare(Tcp *t, const TcpIn *in, const Bare *b)
{
    Packet *pkt = tcp_ip_new_packet(t);
    uint8_t options[OPT_ROOM];
    unsigned n = put_options(options, b);
    uint8_t *h = packet_put(pkt, TCP_MIN_HDR_LEN + n);
    TcpHdr hdr = {.src_port = in->dst_port,
                  .dst_port = in->src_port,
                  .seq = b->seq,
                  .ack = b->ack,
                  .flags = b->flags,
                  .window = b->window,
                  .options_len = (uint8_t)n};

    memcpy(hdr.options, options, n);
    tcp_encode(h, &hdr);
    if (b->md5)
        tcp_md5_sign(h + TCP_MIN_HDR_LEN + n - 16, b->md5, &in->dst, &in->src, in->is_v6, pkt, pkt->head);
    TCP_INC(t, TcpOutSegs);
    if (b->flags & TCP_RST)
        TCP_INC(t, TcpOutRsts);
    tcp_ip_send_raw(t, pkt, &(TcpRaw){.src = in->dst, .dst = in->src, .is_v6 = in->is_v6, .tos = b->tos});
}

/* The key to sign a RST with when no connection was found: that of a listener at the port where the segment
 * came from (the peer's, if both ends are the same service), which proves that it came from the peer. false:
 * it does not match, no answer. */
static bool find_listener_key(Tcp *t, const TcpIn *in, const TcpMd5Key **key)
{
    TcpIn at = *in;
    TcpConn *l;
    uint8_t digest[16];

    at.dst_port = in->src_port;
    l = tcp_table_find_listener(t, &at);

    *key = l ? tcp_md5_find(l, &in->src) : NULL;
    if (!*key)
        return false;
    tcp_md5_sign(digest, *key, &in->src, &in->dst, in->is_v6, in->pkt, (unsigned)(in->raw - in->pkt->buf));
    return memcmp(digest, in->opt.md5, sizeof(digest)) == 0;
}

void tcp_demux_send_reset(Tcp *t, const TcpConn *c, const TcpIn *in)
{
    Bare b = {.flags = TCP_RST, .tos = in->tos & (uint8_t)~IP_ECN_MASK};

    if (in->flags & TCP_RST) /* never a reset for a reset */
        return;
    if (!c && in->rx_type != IP4_ROUTE_LOCAL)
        return;
    if (in->hdr_len > TCP_MIN_HDR_LEN) {
        if (tcp_md5_is_bad_header(in))
            return;
        tcpin_options((TcpIn *)in);
    }
    if (c)
        b.md5 = tcp_md5_find(c, &in->src);
    else if (in->has_opts && in->opt.has_md5 && in->pkt && !find_listener_key(t, in, &b.md5))
        return;
    if (in->flags & TCP_ACK) {
        b.seq = in->ack;
    } else {
        b.flags |= TCP_ACK;
        b.ack = in->end_seq;
    }
    send_bare(t, in, &b);
}

void tcp_demux_send_ack(Tcp *t, const TcpIn *in, uint32_t seq, uint32_t ack, uint32_t win, uint32_t tsval,
                        uint32_t tsecr, bool has_ts, const TcpMd5Key *md5, uint8_t tos, uint16_t extra_flags)
{
    /* Linux sends timestamps only when there is one to echo. */
    Bare b = {.seq = seq,
              .ack = ack,
              .flags = TCP_ACK | extra_flags,
              .window = (uint16_t)win,
              .has_ts = has_ts && tsecr,
              .tsval = tsval,
              .tsecr = tsecr,
              .md5 = md5,
              .tos = tos};

    send_bare(t, in, &b);
}

/* ---- finding the owner ---- */

static void to_connection(Tcp *t, TcpConn *c, TcpIn *in)
{
    if (c->opts && (in->is_v6 ? c->opts->min_hopcount : c->opts->min_ttl) > in->ttl) { /* RFC 5082 */
        TCP_INC(t, TcpExtTCPMinTTLDrop);
        tcp_probes_drop(t, c, in, "TCP_MINTTL");
        return;
    }
    if (tcp_md5_is_bad(t, c, in)) {
        tcp_probes_drop(t, c, in, "TCP_MD5");
        return;
    }
    tcp_conn_hold(c);
    tcp_mstamp_refresh(c);
    if (c->state != TCP_LISTEN) { /* tcp_segs_in */
        c->stats.segs_in += in->gso_segs;
        if (in->len)
            c->stats.data_segs_in += in->gso_segs;
    }
    tcp_input_segment(c, in);
    tcp_conn_let(c);
}

/* A half-open connection: the segment completes it, ends it, or is for the listener (which answers a wrong
 * ACK). */
static void to_request(Tcp *t, TcpReq *r, TcpIn *in)
{
    TcpConn *listener = r->listener, *c;
    bool lost_race = false;

    if (tcp_md5_is_bad(t, listener, in)) {
        tcp_probes_drop(t, listener, in, "TCP_MD5");
        return;
    }
    tcp_conn_hold(listener);
    tcp_mstamp_refresh(listener);
    c = tcp_req_check(listener, r, in, false, &lost_race);
    if (c == listener)
        to_connection(t, listener, in);
    else if (c)
        tcp_req_child_process(listener, c, in);
    else
        tcp_probes_drop(t, listener, in, "TCP_REQUEST");
    tcp_conn_let(listener);
}

/* tcp_v4_timewait_ack: the answer to the FIN is as ECN-capable as the connection was, one to what is out of
 * order is not. */
static void ack_of_time_wait(TcpTw *tw, const TcpIn *in, bool is_oow)
{
    Tcp *t = tw->tcp;
    uint32_t tsval = tcp_ts_clock(node_now(t->node)) + tw->ts_offset;

    tcp_demux_send_ack(t, in, tw->snd_nxt, tw->rcv_nxt, tw->rcv_wnd >> tw->rcv_wscale, tsval, tw->ts_recent,
                       tw->ts_recent_stamp != 0, tcp_tw_md5(tw),
                       is_oow ? tw->tos & (uint8_t)~IP_ECN_MASK : tw->tos, 0);
}

/* The listener that a SYN over a TIME_WAIT goes on to, if any. */
static TcpConn *to_time_wait(Tcp *t, TcpTw *tw, TcpIn *in)
{
    uint32_t isn = 0;
    TcpConn *l;

    TcpTwAnswer answer = tcp_tw_process(tw, in, &isn);

    switch (answer) {
    case TCP_TW_SYN:
        l = tcp_table_find_listener(t, in);
        if (l) {
            tcp_tw_free(tw);
            in->tw_isn = isn;
            return l;
        }
        ack_of_time_wait(tw, in, false);
        break;
    case TCP_TW_ACK:
    case TCP_TW_ACK_OOW:
        ack_of_time_wait(tw, in, answer == TCP_TW_ACK_OOW);
        break;
    case TCP_TW_RST:
        tcp_demux_send_reset(t, NULL, in);
        tcp_tw_free(tw);
        break;
    case TCP_TW_SUCCESS:
        break;
    }
    return NULL;
}

void tcp_demux_receive(Tcp *t, TcpIn *in)
{
    TcpReq *req;
    TcpTw *tw;
    TcpConn *c = tcp_table_find(t, in, &req, &tw);

    if (req) {
        to_request(t, req, in);
        return;
    }
    if (tw)
        c = to_time_wait(t, tw, in);
    else if (!c)
        c = tcp_table_find_listener(t, in);
    if (c) {
        to_connection(t, c, in);
        return;
    }
    if (!tw) {
        tcp_demux_send_reset(t, NULL, in);
        tcp_probes_drop(t, NULL, in, "NO_SOCKET");
    }
}
