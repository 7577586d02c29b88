#include "models/tcp/tcp_probes.h"

#include "models/tcp/tcp_info.h"
#include "models/tcp/tcp_life.h"

const ProbeDesc tcp_probe_state = {
    .name = "tcp.state",
    .help = "A connection changes its state.",
    .cls = PROBE_TCP,
    .n_fields = 6,
    .field = {{"conn", PROBE_U64},
              {"local_port", PROBE_U64},
              {"remote", PROBE_STR},
              {"remote_port", PROBE_U64},
              {"old", PROBE_STR},
              {"new", PROBE_STR}},
};

const ProbeDesc tcp_probe_cwnd = {
    .name = "tcp.cwnd",
    .help = "The congestion window and its surroundings, after an ACK or another event that may change them.",
    .cls = PROBE_TCP,
    .n_fields = 8,
    .field = {{"conn", PROBE_U64},
              {"cwnd", PROBE_U64},
              {"ssthresh", PROBE_U64},
              {"inflight", PROBE_U64},
              {"ca_state", PROBE_STR},
              {"delivered", PROBE_U64},
              {"lost", PROBE_U64},
              {"pacing_bytes_per_s", PROBE_U64}},
};

const ProbeDesc tcp_probe_rtt = {
    .name = "tcp.rtt",
    .help =
        "A round-trip time was measured; the estimate and the retransmission timeout that follow from it.",
    .cls = PROBE_TCP,
    .n_fields = 5,
    .field = {{"conn", PROBE_U64},
              {"sample_us", PROBE_I64},
              {"srtt_us", PROBE_U64},
              {"rttvar_us", PROBE_U64},
              {"rto_ms", PROBE_U64}},
};

#define SEG_FIELDS                                                                                           \
    {"conn", PROBE_U64}, {"seq", PROBE_U64}, {"length_bytes", PROBE_U64},                                    \
    {                                                                                                        \
        "flags", PROBE_U64                                                                                   \
    }

const ProbeDesc tcp_probe_send = {
    .name = "tcp.send",
    .help = "A connection sends a segment for the first time.",
    .cls = PROBE_TCP,
    .n_fields = 5,
    .field = {SEG_FIELDS, {"segments", PROBE_U64}},
};

const ProbeDesc tcp_probe_retransmit = {
    .name = "tcp.retransmit",
    .help = "A connection sends a segment again.",
    .cls = PROBE_TCP,
    .n_fields = 6,
    .field = {SEG_FIELDS, {"segments", PROBE_U64}, {"ca_state", PROBE_STR}},
};

const ProbeDesc tcp_probe_timer = {
    .name = "tcp.timer",
    .help = "A connection's timer is armed, stopped or fires.",
    .cls = PROBE_TCP,
    .n_fields = 4,
    .field = {{"conn", PROBE_U64}, {"timer", PROBE_STR}, {"what", PROBE_STR}, {"at", PROBE_TIME}},
};

const ProbeDesc tcp_probe_drop = {
    .name = "tcp.drop",
    .help = "An arriving segment is not accepted.",
    .cls = PROBE_TCP,
    .n_fields = 6,
    .field = {{"conn", PROBE_U64},
              {"remote", PROBE_STR},
              {"remote_port", PROBE_U64},
              {"local_port", PROBE_U64},
              {"seq", PROBE_U64},
              {"reason", PROBE_STR}},
};

const ProbeDesc tcp_probe_window = {
    .name = "tcp.window",
    .help = "The windows of both directions and the buffers behind them.",
    .cls = PROBE_TCP,
    .n_fields = 5,
    .field = {{"conn", PROBE_U64},
              {"rcv_wnd", PROBE_U64},
              {"snd_wnd", PROBE_U64},
              {"rcvbuf", PROBE_U64},
              {"sndbuf", PROBE_U64}},
};

const ProbeDesc tcp_probe_recovery = {
    .name = "tcp.recovery",
    .help = "Loss recovery begins, ends or is undone.",
    .cls = PROBE_TCP,
    .n_fields = 5,
    .field = {{"conn", PROBE_U64},
              {"what", PROBE_STR},
              {"snd_una", PROBE_U64},
              {"high_seq", PROBE_U64},
              {"cwnd", PROBE_U64}},
};

static const char *const ca_names[] = {"open", "disorder", "cwr", "recovery", "loss"};

static const char *ca_name(const TcpConn *c)
{
    hs_assert(c->rec.ca_state < HS_ARRAY_LEN(ca_names));
    return ca_names[c->rec.ca_state];
}

static void emit_state(const Tcp *t, uint32_t id, uint16_t local_port, const InetAddr *remote_addr,
                       uint16_t remote_port, TcpState old, TcpState new_state)
{
    char remote[INET_STR_LEN];

    if (!tcp_wants_probe(t))
        return;
    probe_emit(t->node, &tcp_probe_state, NULL, NULL,
               (ProbeValue[]){{.u = id},
                              {.u = local_port},
                              {.s = inet_format(remote_addr, remote)},
                              {.u = remote_port},
                              {.s = tcp_state_name(old)},
                              {.s = tcp_state_name(new_state)}});
}

void tcp_probes_state(const TcpConn *c, TcpState old, TcpState new_state)
{
    emit_state(c->tcp, c->id, c->local_port, &c->remote, c->remote_port, old, new_state);
}

void tcp_probes_tw(const TcpTw *tw, TcpState old, TcpState new_state)
{
    InetAddr remote = tcp_tw_remote(tw);

    emit_state(tw->tcp, tw->id, tw->local_port, &remote, tw->remote_port, old, new_state);
}

void tcp_probes_cwnd(const TcpConn *c)
{
    if (!tcp_wants_probe(c->tcp))
        return;
    probe_emit(c->tcp->node, &tcp_probe_cwnd, NULL, NULL,
               (ProbeValue[]){{.u = c->id},
                              {.u = c->cc.s.cwnd},
                              {.u = c->cc.s.ssthresh},
                              {.u = tcp_packets_in_flight(c)},
                              {.s = ca_name(c)},
                              {.u = c->delivered},
                              {.u = c->lost},
                              {.u = c->pacing_rate_bps8}});
    probe_emit(c->tcp->node, &tcp_probe_window, NULL, NULL,
               (ProbeValue[]){{.u = c->id},
                              {.u = c->win.rcv_wnd},
                              {.u = c->snd_wnd},
                              {.u = c->win.rcvbuf},
                              {.u = c->win.sndbuf}});
}

void tcp_probes_rtt(const TcpConn *c, int64_t sample_us)
{
    if (!tcp_wants_probe(c->tcp))
        return;
    probe_emit(c->tcp->node, &tcp_probe_rtt, NULL, NULL,
               (ProbeValue[]){{.u = c->id},
                              {.i = sample_us},
                              {.u = c->rtt.srtt_us >> 3},
                              {.u = c->rtt.rttvar_us >> 2},
                              {.u = c->rtt.rto_ms}});
}

void tcp_probes_send(const TcpConn *c, const TcpSeg *s, bool is_retrans)
{
    if (!tcp_wants_probe(c->tcp))
        return;
    probe_emit(c->tcp->node, is_retrans ? &tcp_probe_retransmit : &tcp_probe_send, NULL, NULL,
               (ProbeValue[]){{.u = c->id},
                              {.u = s->seq},
                              {.u = tcpseg_len(s)},
                              {.u = s->flags},
                              {.u = s->pcount},
                              {.s = ca_name(c)}});
}

void tcp_probes_recovery(const TcpConn *c, const char *event)
{
    if (!tcp_wants_probe(c->tcp))
        return;
    probe_emit(
        c->tcp->node, &tcp_probe_recovery, NULL, NULL,
        (ProbeValue[]){
            {.u = c->id}, {.s = event}, {.u = c->snd_una}, {.u = c->rec.high_seq}, {.u = c->cc.s.cwnd}});
}

void tcp_probes_timer(const TcpConn *c, const char *name, const char *event, SimTime at)
{
    if (!tcp_wants_probe(c->tcp))
        return;
    probe_emit(c->tcp->node, &tcp_probe_timer, NULL, NULL,
               (ProbeValue[]){{.u = c->id}, {.s = name}, {.s = event}, {.i = at}});
}

/* Linux tcp_drop_reason, sk_drops_skbadd: the connection, or the listener, counts it too. */
void tcp_probes_drop(Tcp *t, TcpConn *c, TcpIn *in, const char *reason)
{
    char remote[INET_STR_LEN];

    if (c)
        c->rcv.drops += HS_MAX(in->gso_segs, 1);
    if (!tcp_wants_probe(t))
        return;
    probe_emit(t->node, &tcp_probe_drop, NULL, in->pkt,
               (ProbeValue[]){{.u = c ? c->id : 0},
                              {.s = inet_format(&in->src, remote)},
                              {.u = in->src_port},
                              {.u = in->dst_port},
                              {.u = in->seq},
                              {.s = reason}});
}
