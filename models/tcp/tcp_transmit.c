/* Building one segment and handing it to the network (Linux __tcp_transmit_skb). Everything that a segment
 * says about us at the moment of sending is put in here: acknowledgment, window, options, ECN, urgent
 * pointer, timestamp. */
#include <errno.h>

#include "models/tcp/tcp_ack.h"
#include "models/tcp/tcp_ecn.h"
#include "models/tcp/tcp_errq.h"
#include "models/tcp/tcp_input.h"
#include "models/tcp/tcp_life.h"
#include "models/tcp/tcp_output.h"
#include "models/tcp/tcp_probes.h"
#include "models/tcp/tcp_sockopt.h"
#include "models/wire/tcp.h"
#include "models/wire/ipv4.h"
#include "models/wire/ipv6.h"

/* The urgent pointer counts from this segment's first byte, if it reaches (RFC 6093: it points behind the
 * urgent byte). */
static uint16_t urgent_pointer(const TcpConn *c, uint32_t seq, bool *is_urg)
{
    *is_urg = false;
    if (!c->urg || c->snd_una == c->urg->snd_up || !tcp_before(seq, c->urg->snd_up))
        return 0;
    if (tcp_before(c->urg->snd_up, seq + 0x10000)) {
        *is_urg = true;
        return (uint16_t)(c->urg->snd_up - seq);
    }
    if (tcp_after(seq + 0xffff, c->snd_nxt)) {
        *is_urg = true;
        return 0xffff;
    }
    return 0;
}

static void put_header(TcpConn *c, uint8_t *p, const TcpSeg *s, uint32_t ack, uint16_t flags, uint16_t window,
                       unsigned hdr_len)
{
    bool is_urg;
    uint16_t urgent = urgent_pointer(c, s->seq, &is_urg);

    if (is_urg)
        flags |= TCP_URG;
    wire_put16(p + TCP_SRC_PORT_OFF, c->local_port);
    wire_put16(p + TCP_DST_PORT_OFF, c->remote_port);
    wire_put32(p + TCP_SEQ_OFF, s->seq);
    wire_put32(p + TCP_ACK_OFF, ack);
    wire_put16(p + TCP_FLAGS_OFF, (uint16_t)((hdr_len / 4) << 12 | (flags & 0x1ff)));
    wire_put16(p + TCP_WINDOW_OFF, window);
    wire_put16(p + TCP_CHECKSUM_OFF, 0);
    wire_put16(p + TCP_URGENT_OFF, urgent);
}

static void sign(TcpConn *c, Packet *pkt, const TcpMd5Key *key)
{
    /* behind two NOPs, kind and length */
    uint8_t *digest = packet_data(pkt) + TCP_MIN_HDR_LEN + 4;

    tcp_md5_sign(digest, key, &c->local, &c->remote, c->sflags & TCP_S_WIRE_V6, pkt, pkt->head);
}

static Packet *build(TcpConn *c, TcpSeg *s, uint32_t rcv_nxt, uint8_t *ip_ecn)
{
    bool is_syn = s->flags & TCP_SYN;
    uint32_t len = tcpseg_len(s);
    Packet *pkt = tcp_ip_new_packet(c->tcp);
    uint16_t flags, window;
    unsigned hdr_len;
    TcpOptOut opts;

    if (is_syn) {
        hdr_len = TCP_MIN_HDR_LEN + tcp_opt_out_syn(c, s, &opts);
    } else {
        hdr_len = TCP_MIN_HDR_LEN + tcp_opt_out_established(c, s, &opts);
    }
    flags = s->flags;
    /* Linux: so that the receiver's GRO does not wait for more. Of this copy only: a retransmission is as it
     * was written. */
    if (!is_syn && s->pcount > 1)
        flags |= TCP_PSH;
    if (is_syn) {
        window = (uint16_t)HS_MIN(c->win.rcv_wnd, 65535u); /* never scaled (RFC 7323 2.2) */
        *ip_ecn = c->ecn.snd_ect;
    } else {
        window = tcp_window_select(c);
        tcp_ecn_send(c, s, len, &flags, ip_ecn);
    }

    uint8_t *p = packet_put(pkt, hdr_len);

    put_header(c, p, s, flags & TCP_ACK ? rcv_nxt : 0, flags, window, hdr_len);
    tcp_opt_out_write(p + TCP_MIN_HDR_LEN, &opts);
    if (len)
        tcpsndq_payload_to(s, 0, len, pkt);
    if (s->pcount > 1) {
        pkt->gso_size = s->mss;
        pkt->gso_segs = s->pcount;
        if (tcp_ecn_is_accecn(c)) /* each frame carries the counter (Linux SKB_GSO_TCP_ACCECN) */
            pkt->flags |= PKT_ACCECN;
    }
    if (opts.md5)
        sign(c, pkt, opts.md5);
    return pkt;
}

static void count_sent(TcpConn *c, const TcpSeg *s, uint32_t rcv_nxt)
{
    uint32_t len = tcpseg_len(s);

    if (s->flags & TCP_ACK)
        tcp_delack_event_ack_sent(c, rcv_nxt);
    if (len) {
        if (tcp_packets_in_flight(c) == 0)
            tcp_cc_event(c, CC_EVENT_TX_START);
        c->lsndtime = c->mstamp;
        tcp_delack_event_data_sent(c);
        c->stats.data_segs_out += s->pcount;
        c->stats.bytes_sent += len;
    }
    /* retransmissions have a counter of their own */
    if (tcp_after(s->end_seq, c->snd_nxt) || s->seq == s->end_seq)
        TCP_ADD(c->tcp, TcpOutSegs, s->pcount);
    c->stats.segs_out += s->pcount;
}

int tcp_output_transmit(TcpConn *c, TcpSeg *s, bool clone, uint32_t rcv_nxt)
{
    SimTime prior_wstamp = c->pace_wstamp, edt;
    uint8_t ip_ecn = 0;
    uint32_t headers = 0;
    Packet *pkt;
    int err;

    tcp_mstamp_refresh(c);
    c->pace_wstamp = HS_MAX(c->pace_wstamp, c->mstamp);
    tcp_probes_send(c, s, s->has_tx_time);
    s->sent_ns = c->pace_wstamp;
    s->n_write = c->write_at == c->mstamp ? c->n_write : 0;
    if (!s->pcount)
        s->pcount = 1;
    pkt = build(c, s, rcv_nxt, &ip_ecn);
    count_sent(c, s, rcv_nxt);
    if (HS_UNLIKELY(c->has_errq))
        headers =
            tcp_hdr_len(pkt->buf + pkt->head) + (c->sflags & TCP_S_WIRE_V6 ? IPV6_HDR_LEN : IPV4_MIN_HDR_LEN);
    edt = c->mstamp;
    if (c->tcp->sysctl->pacing_qdisc_fq) {
        /* fq takes over from our timer as soon as it sees the flow */
        c->pacing_on = 2;
        edt = s->sent_ns;
        if (c->opts)
            edt += c->opts->tx_delay_us * SIM_US;
    }
    err = tcp_ip_send(c, pkt, ip_ecn, edt);
    if (err == -ENOBUFS) {
        tcp_recovery_enter_cwr(c);
        err = 1;
    }
    if (!err && clone) {
        s->has_tx_time = true;
        tcp_pace_on_sent(c, s, prior_wstamp);
        tcpsndq_tsort_to_tail(c, s);
        tcp_rate_on_sent(c, s);
        tcp_errq_on_sent(c, s, headers);
    }
    return err;
}
