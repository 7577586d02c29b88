/* Names of events and members follow those of QUIC (draft-ietf-quic-qlog-quic-events) where the thing is the
 * same, so that one tool can read both; where its later drafts have other names than those that qvis looks
 * for (metrics_updated, loss_timer_updated), the older ones. "frames" are what TCP's header says in QUIC's
 * terms: the stream's bytes, what was acknowledged, and how much may be sent. Categories are those of the
 * older drafts, by which qvis finds events.
 *
 * Files are long: what every packet of a connection has in common (addresses, ports) is in connection_started
 * only, and what says nothing is left out. */
#include "view/qlog_event.h"

#include <string.h>

#include "models/wire/tcp.h"

#define CONNECTIVITY "connectivity"
#define TRANSPORT "transport"
#define RECOVERY "recovery"

#define SSTHRESH_INFINITE 0x7fffffffu /* as Linux has it: never reduced */

static GString *begin(QlogFlow *f, SimTime time, const char *name, const char *category)
{
    return qlog_begin(f->file, time, name, category, f->group);
}

/* ---- packets ---- */

const char *qlog_event_packet_type(const StorySegment *seg)
{
    if (seg->flags & TCP_RST)
        return "rst";
    if (seg->flags & TCP_SYN)
        return seg->flags & TCP_ACK ? "syn_ack" : "syn";
    if (seg->flags & TCP_FIN)
        return "fin";
    return seg->payload_len ? "data" : "ack";
}

static void append_flags(GString *s, uint16_t flags)
{
    char text[TCP_FLAGS_STR_LEN];
    char **names = g_strsplit(flags ? tcp_flags_format(flags, text) : "", ", ", -1);

    qlog_array(s, "flags");
    for (char **name = names; *name; name++)
        g_string_append_printf(s, "%s\"%s\"", name == names ? "" : ",", *name);
    g_string_append_c(s, ']');
    g_strfreev(names);
}

/* What a SYN negotiates is in parameters_set. */
static bool has_options(const TcpOptions *o, QlogLevel level)
{
    return o && (o->has_fastopen || o->n_sack ||
                 (level >= QLOG_EXTRA &&
                  (o->has_mss || o->has_wscale || o->has_sack_permitted || o->has_timestamps)));
}

static void append_options(GString *s, const TcpOptions *o, QlogLevel level)
{
    if (!has_options(o, level))
        return;
    qlog_object(s, "options");
    if (o->has_mss && level >= QLOG_EXTRA)
        qlog_u64(s, "mss", o->mss);
    if (o->has_wscale && level >= QLOG_EXTRA)
        qlog_u64(s, "window_scale", o->wscale);
    if (o->has_sack_permitted && level >= QLOG_EXTRA)
        qlog_bool(s, "sack_permitted", true);
    if (o->has_timestamps && level >= QLOG_EXTRA) {
        qlog_u64(s, "timestamp_value", o->ts_val);
        qlog_u64(s, "timestamp_echo", o->ts_ecr);
    }
    if (o->has_fastopen)
        qlog_u64(s, "fast_open_cookie_length", o->fastopen_cookie_len);
    if (o->n_sack) {
        qlog_array(s, "sack");
        for (unsigned i = 0; i < o->n_sack; i++)
            g_string_append_printf(s, "%s[%u,%u]", i ? "," : "", o->sack[i].left, o->sack[i].right);
        g_string_append_c(s, ']');
    }
    g_string_append_c(s, '}');
}

static void append_ecn(GString *s, const QlogPacket *p)
{
    static const char *const names[] = {"Not-ECT", "ECT(1)", "ECT(0)", "CE"};
    const uint8_t *h = p->packet->bytes + p->seg->l3;
    unsigned tos = h[0] >> 4 == 4 ? h[1] : (unsigned)(h[0] << 4 | h[1] >> 4);

    if (tos & 3)
        qlog_str(s, "ecn", names[tos & 3]);
}

static void append_header(GString *s, const QlogFlow *f, const QlogPacket *p)
{
    qlog_object(s, "header");
    qlog_str(s, "packet_type", qlog_event_packet_type(p->seg));
    qlog_u64(s, "packet_number", p->number);
    qlog_u64(s, "sequence_number", p->seg->seq);
    if (p->seg->flags & TCP_ACK)
        qlog_u64(s, "acknowledgment_number", p->seg->ack);
    append_flags(s, p->seg->flags);
    qlog_u64(s, "window", p->seg->window);
    append_ecn(s, p);
    append_options(s, p->options, f->level);
    g_string_append_c(s, '}');
}

static void append_raw(GString *s, const StorySegment *seg)
{
    qlog_object(s, "raw");
    qlog_u64(s, "length", seg->l4 - seg->l3 + TCP_MIN_HDR_LEN + seg->options_len + seg->payload_len);
    if (seg->payload_len)
        qlog_u64(s, "payload_length", seg->payload_len);
    g_string_append_c(s, '}');
}

/* A stream's offsets begin with the first byte behind the SYN. */
static void append_frames(GString *s, QlogFlow *f, const QlogPacket *p)
{
    const StorySegment *seg = p->seg;
    unsigned side = !p->is_sent;
    bool has_stream = seg->payload_len || seg->flags & TCP_FIN;

    if (!has_stream && !*p->acked && !p->new_limit)
        return;
    qlog_array(s, "frames");
    if (has_stream) {
        qlog_object(s, NULL);
        qlog_str(s, "frame_type", "stream");
        qlog_u64(s, "stream_id", 0);
        if (f->has_isn[side])
            qlog_u64(s, "offset", qlog_flow_offset(f, side, seg->seq + (seg->flags & TCP_SYN ? 1 : 0)));
        qlog_u64(s, "length", seg->payload_len);
        if (seg->flags & TCP_FIN)
            qlog_bool(s, "fin", true);
        g_string_append_c(s, '}');
    }
    if (*p->acked) {
        qlog_object(s, NULL);
        qlog_str(s, "frame_type", "ack");
        qlog_array(s, "acked_ranges");
        g_string_append_printf(s, "%s]}", p->acked);
    }
    if (p->new_limit) {
        qlog_object(s, NULL);
        qlog_str(s, "frame_type", "max_data");
        qlog_u64(s, "maximum", p->new_limit);
        g_string_append_c(s, '}');
    }
    g_string_append_c(s, ']');
}

void qlog_event_packet(QlogFlow *f, const QlogPacket *p)
{
    GString *s = begin(f, p->time, p->is_sent ? "tcp:packet_sent" : "tcp:packet_received", TRANSPORT);

    append_header(s, f, p);
    append_frames(s, f, p);
    append_raw(s, p->seg);
    if (p->is_retransmission)
        qlog_bool(s, "is_retransmission", true);
    qlog_end(f->file);
}

void qlog_event_packet_dropped(QlogFlow *f, const QlogPacket *p, const char *reason)
{
    GString *s;

    if (f->level < QLOG_BASE)
        return;
    s = begin(f, p->time, "tcp:packet_dropped", TRANSPORT);
    append_header(s, f, p);
    append_raw(s, p->seg);
    qlog_str(s, "trigger", reason);
    qlog_end(f->file);
}

void qlog_event_refused(QlogFlow *f, const ProbeRecord *r)
{
    GString *s;

    if (f->level < QLOG_BASE)
        return;
    s = begin(f, r->time, "tcp:packet_dropped", TRANSPORT);
    qlog_object(s, "header");
    if (r->pkt)
        qlog_u64(s, "packet_number", r->pkt->birth_id);
    qlog_u64(s, "sequence_number", qlog_event_field(r, "seq").u);
    g_string_append_c(s, '}');
    qlog_str(s, "trigger", qlog_event_field(r, "reason").s);
    qlog_end(f->file);
}

void qlog_event_lost(QlogFlow *f, SimTime time, const QlogSent *sent, const char *trigger)
{
    GString *s = begin(f, time, "tcp:packet_lost", RECOVERY);

    qlog_object(s, "header");
    qlog_str(s, "packet_type", sent->type);
    qlog_u64(s, "packet_number", sent->number);
    qlog_u64(s, "sequence_number", sent->seq);
    g_string_append_c(s, '}');
    qlog_str(s, "trigger", trigger);
    qlog_end(f->file);
}

/* ---- connections ---- */

void qlog_event_started(QlogFlow *f, const QlogPacket *p)
{
    const StorySegment *seg = p->seg;
    GString *s = begin(f, p->time, "tcp:connection_started", CONNECTIVITY);

    qlog_str(s, "ip_version", strchr(seg->src, ':') ? "v6" : "v4");
    qlog_str(s, "protocol", "TCP");
    qlog_str(s, "src_ip", p->is_sent ? seg->src : seg->dst);
    qlog_str(s, "dst_ip", p->is_sent ? seg->dst : seg->src);
    qlog_u64(s, "src_port", p->is_sent ? seg->src_port : seg->dst_port);
    qlog_u64(s, "dst_port", p->is_sent ? seg->dst_port : seg->src_port);
    qlog_end(f->file);
}

void qlog_event_parameters(QlogFlow *f, const QlogPacket *p)
{
    GString *s = begin(f, p->time, "tcp:parameters_set", TRANSPORT);

    qlog_str(s, "initiator", p->is_sent ? "local" : "remote");
    qlog_str(s, "owner", p->is_sent ? "local" : "remote"); /* its name in older drafts */
    qlog_u64(s, "initial_sequence_number", p->seg->seq);
    qlog_u64(s, "initial_max_data", p->seg->window); /* not scaled yet */
    if (p->options) {
        if (p->options->has_mss)
            qlog_u64(s, "mss", p->options->mss);
        if (p->options->has_wscale)
            qlog_u64(s, "window_scale", p->options->wscale);
        qlog_bool(s, "sack_permitted", p->options->has_sack_permitted);
        qlog_bool(s, "timestamps", p->options->has_timestamps);
    }
    qlog_end(f->file);
}

/* "FIN-WAIT-1" -> "fin_wait_1" */
static void append_state(GString *s, const char *name, const char *state)
{
    char *text = g_ascii_strdown(state, -1);

    qlog_str(s, name, g_strdelimit(text, "-", '_'));
    g_free(text);
}

void qlog_event_state(QlogFlow *f, const ProbeRecord *r)
{
    GString *s;

    if (f->level < QLOG_BASE)
        return;
    s = begin(f, r->time, "tcp:connection_state_updated", CONNECTIVITY);
    append_state(s, "old", qlog_event_field(r, "old").s);
    append_state(s, "new", qlog_event_field(r, "new").s);
    qlog_end(f->file);
}

static bool is_loss_timer(const char *name)
{
    static const char *const names[] = {"rto", "tlp", "reo", "probe0"};

    for (unsigned i = 0; i < HS_ARRAY_LEN(names); i++)
        if (!strcmp(names[i], name))
            return true;
    return false;
}

void qlog_event_timer(QlogFlow *f, const ProbeRecord *r)
{
    const char *timer = qlog_event_field(r, "timer").s, *what = qlog_event_field(r, "what").s;
    bool is_loss = is_loss_timer(timer), has_fired = !strcmp(what, "fired");
    GString *s;

    if (f->level < (is_loss && has_fired ? QLOG_BASE : QLOG_EXTRA))
        return;
    s = begin(f, r->time, is_loss ? "tcp:loss_timer_updated" : "tcp:timer_updated",
              is_loss ? RECOVERY : CONNECTIVITY);
    qlog_str(s, "timer_type", timer);
    if (!strcmp(what, "armed")) {
        qlog_str(s, "event_type", "set");
        qlog_ms(s, "delta", qlog_event_field(r, "at").i - r->time);
    } else {
        qlog_str(s, "event_type", has_fired ? "expired" : "cancelled");
    }
    qlog_end(f->file);
}

/* ---- metrics: what has changed ---- */

static bool change(uint64_t *known, uint64_t value)
{
    bool changed = *known != value;

    *known = value;
    return changed;
}

/* Linux's states know nothing of slow start: below ssthresh it is. */
static const char *cc_state(const char *ca_state, uint64_t cwnd, uint64_t ssthresh)
{
    if (strcmp(ca_state, "open") && strcmp(ca_state, "disorder"))
        return ca_state;
    return cwnd < ssthresh ? "slow_start" : "congestion_avoidance";
}

static void cc_state_changed(QlogFlow *f, SimTime time, const char *state)
{
    GString *s;

    if (f->level < QLOG_BASE || (f->cc_state && !strcmp(f->cc_state, state)))
        return;
    s = begin(f, time, "tcp:congestion_state_updated", RECOVERY);
    if (f->cc_state)
        qlog_str(s, "old", f->cc_state);
    qlog_str(s, "new", state);
    qlog_end(f->file);
    f->cc_state = state;
}

static void append_rtt(GString *s, QlogFlow *f)
{
    if (f->rtt.sample_us >= 0) {
        qlog_ms(s, "latest_rtt", f->rtt.sample_us * SIM_US);
        if (!f->min_rtt_us || f->rtt.sample_us < f->min_rtt_us) {
            f->min_rtt_us = f->rtt.sample_us;
            qlog_ms(s, "min_rtt", f->rtt.sample_us * SIM_US);
        }
    }
    if (change(&f->srtt_us, f->rtt.srtt_us))
        qlog_ms(s, "smoothed_rtt", (int64_t)f->rtt.srtt_us * SIM_US);
    if (change(&f->rttvar_us, f->rtt.rttvar_us))
        qlog_ms(s, "rtt_variance", (int64_t)f->rtt.rttvar_us * SIM_US);
    f->rtt.is_pending = false;
}

void qlog_event_flush(QlogFlow *f)
{
    if (!f->rtt.is_pending)
        return;
    append_rtt(begin(f, f->rtt.time, "tcp:metrics_updated", RECOVERY), f);
    qlog_end(f->file);
}

void qlog_event_rtt(QlogFlow *f, const ProbeRecord *r)
{
    qlog_event_flush(f);
    f->rtt = (QlogRtt){.is_pending = true,
                       .time = r->time,
                       .sample_us = qlog_event_field(r, "sample_us").i,
                       .srtt_us = qlog_event_field(r, "srtt_us").u,
                       .rttvar_us = qlog_event_field(r, "rttvar_us").u};
}

void qlog_event_cwnd(QlogFlow *f, const ProbeRecord *r)
{
    uint64_t cwnd = qlog_event_field(r, "cwnd").u, ssthresh = qlog_event_field(r, "ssthresh").u;
    uint64_t inflight = qlog_event_field(r, "inflight").u, mss = qlog_flow_mss(f);
    uint64_t pacing = qlog_event_field(r, "pacing_bytes_per_s").u;
    bool new_cwnd = change(&f->cwnd, cwnd), new_ssthresh = change(&f->ssthresh, ssthresh);
    bool new_inflight = change(&f->inflight, inflight), new_pacing = change(&f->pacing, pacing);
    GString *s;

    if (f->rtt.is_pending && f->rtt.time != r->time)
        qlog_event_flush(f);
    cc_state_changed(f, r->time, cc_state(qlog_event_field(r, "ca_state").s, cwnd, ssthresh));
    if (!new_cwnd && !new_ssthresh && !new_inflight && !new_pacing) {
        qlog_event_flush(f);
        return;
    }
    s = begin(f, r->time, "tcp:metrics_updated", RECOVERY);
    if (f->rtt.is_pending)
        append_rtt(s, f);
    if (new_cwnd)
        qlog_u64(s, "congestion_window", cwnd * mss);
    if (new_inflight) {
        qlog_u64(s, "bytes_in_flight", inflight * mss);
        qlog_u64(s, "packets_in_flight", inflight);
    }
    if (new_ssthresh && ssthresh < SSTHRESH_INFINITE)
        qlog_u64(s, "ssthresh", ssthresh * mss);
    if (new_pacing && pacing <= UINT64_MAX / 8) /* beyond: not paced */
        qlog_u64(s, "pacing_rate", pacing * 8);
    qlog_end(f->file);
}

void qlog_event_window(QlogFlow *f, const ProbeRecord *r)
{
    uint64_t rcv = qlog_event_field(r, "rcv_wnd").u, snd = qlog_event_field(r, "snd_wnd").u;
    bool new_rcv = change(&f->rcv_wnd, rcv), new_snd = change(&f->snd_wnd, snd);
    GString *s;

    if (f->level < QLOG_EXTRA || (!new_rcv && !new_snd))
        return;
    s = begin(f, r->time, "tcp:window_updated", TRANSPORT);
    if (new_rcv)
        qlog_u64(s, "receive_window", rcv);
    if (new_snd)
        qlog_u64(s, "send_window", snd);
    qlog_end(f->file);
}

ProbeValue qlog_event_field(const ProbeRecord *r, const char *name)
{
    for (unsigned i = 0; i < r->desc->n_fields; i++)
        if (!strcmp(r->desc->field[i].name, name))
            return r->value[i];
    hs_assert(!"the record has the field");
    return (ProbeValue){0};
}
