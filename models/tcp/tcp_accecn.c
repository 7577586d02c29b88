/* Accurate ECN (RFC 9768), as Linux has it (include/net/tcp_ecn.h, tcp_accecn_process).
 *
 * Each side counts the packets and bytes that arrive with each codepoint. The packets with CE are told in
 * every segment, modulo 8, in the ACE field (AE, CWR, ECE), which begins at 5; the bytes in an option of up
 * to three 24-bit counters, when something changed or now and then (the beacon). During the handshake the
 * same three flags reflect the codepoint that the other side's SYN arrived with, so that bleaching and
 * mangling on the path are noticed: then accecn_fail_mode says what is not to be trusted. */
#include "models/tcp/tcp_accecn.h"

#include "models/tcp/tcp_ack.h"
#include "models/tcp/tcp_ecn.h"
#include "models/tcp/tcp_input.h"
#include "models/tcp/tcp_life.h"

#define CEP_INIT 5 /* RFC 9768 3.2.1: the packet counter's first value */
#define ACE_MASK 7u
#define ACE_MAX_DELTA 6 /* so many marks at once: the counter could soon wrap unseen */
#define E1B_INIT 1u     /* byte counters begin at 1, so that zeroing by a middlebox shows; CE's at 0 */
#define E0B_INIT 1u
#define CEB_INIT 0u
#define COUNTER_MASK 0xffffffu
#define BYTES_BEACON_SHIFT 22 /* a counter must be sent before it wraps: at least once in 2^22 bytes */
#define OPTION_TOO_LATE ((1u << 23) - 1)
#define SAFETY_SHIFT 1
#define EWMA_WEIGHT 6    /* of the packets that an ACK acknowledges */
#define EWMA_PRECISION 6 /* binary places */
#define THINNED_ACKS 4

enum { OPTION_DISABLED, OPTION_MINIMUM, OPTION_FULL, OPTION_PERSIST }; /* net.ipv4.tcp_ecn_option */

/* Table 2 read backwards: codepoint that a SYN arrived with, from the flags that reflect it. */
static uint8_t reflected_ect(uint8_t ace)
{
    static const uint8_t ect[8] = {ECN_ECT_0, ECN_ECT_1, ECN_NOT_ECT, ECN_ECT_1,
                                   ECN_ECT_0, ECN_ECT_1, ECN_CE,      ECN_ECT_1};

    return ect[ace & ACE_MASK];
}

uint16_t tcp_ecn_reflector_flags(uint8_t ect)
{
    unsigned ace = ect + 2u + (ect == ECN_CE);

    return (uint16_t)((ace & 4 ? TCP_AE : 0) | (ace & 2 ? TCP_CWR : 0) | (ace & 1 ? TCP_ECE : 0));
}

/* What a path may do to a codepoint: leave it, mark it CE, re-colour ECT; not add or remove ECN, not take CE
 * back. */
static bool is_possible_transition(uint8_t sent, uint8_t received)
{
    if (received == sent)
        return true;
    if (sent == ECN_NOT_ECT || received == ECN_NOT_ECT)
        return false;
    return sent != ECN_CE;
}

static bool feedback_is_sane(TcpConn *c, uint8_t ace, uint8_t sent_ect)
{
    if (!c->tcp->sysctl->tcp_ecn_fallback || is_possible_transition(sent_ect, reflected_ect(ace)))
        return true;
    c->ecn.accecn_fail_mode |= TCP_ACCECN_ACE_FAIL_RECV;
    return false;
}

/* ---- byte counters and the option ---- */

static uint32_t initial_value(uint8_t ect)
{
    return ect == ECN_ECT_1 ? E1B_INIT : ect == ECN_ECT_0 ? E0B_INIT : CEB_INIT;
}

/* The field's place in an option of kind 174 (ECT(1), CE, ECT(0)), counted from 1; Not-ECT is not reported.
 */
static uint8_t option_field(uint8_t ect)
{
    return ect == ECN_ECT_1 ? 1 : ect == ECN_CE ? 2 : ect == ECN_ECT_0 ? 3 : 0;
}

static uint8_t field_ect(uint8_t kind, unsigned i)
{
    static const uint8_t ect[2][3] = {{ECN_ECT_0, ECN_CE, ECN_ECT_1}, {ECN_ECT_1, ECN_CE, ECN_ECT_0}};

    return ect[kind == TCP_OPT_ACCECN1][i];
}

/* The first option of a connection: a counter of ECT(0) or ECT(1) that is zero has been tampered with
 * (3.2.3.2.4). */
static uint8_t judge_first_option(const TcpOptions *o)
{
    if (o->n_accecn == 0)
        return TCP_ACCECN_OPT_EMPTY_SEEN;
    if (o->accecn[0] == 0 || (o->n_accecn == 3 && o->accecn[2] == 0))
        return TCP_ACCECN_OPT_FAIL_SEEN;
    return TCP_ACCECN_OPT_COUNTER_SEEN;
}

static void saw_option(TcpConn *c, uint8_t saw)
{
    c->ecn.saw_accecn_opt = saw;
    if (saw == TCP_ACCECN_OPT_FAIL_SEEN)
        c->ecn.accecn_fail_mode |= TCP_ACCECN_OPT_FAIL_RECV;
}

void tcp_ecn_option_values(const TcpConn *c, uint32_t value[3])
{
    static const uint32_t none[3];
    const uint32_t *bytes = c ? c->ecn.received_ecn_bytes : none;

    for (unsigned i = 0; i < 3; i++) {
        uint8_t ect = field_ect(TCP_OPT_ACCECN1, i);

        value[i] = (bytes[ect - 1] + initial_value(ect)) & COUNTER_MASK;
    }
}

/* Linux tcp_accecn_option_beacon_check */
static bool is_beacon_due(const TcpConn *c)
{
    uint32_t per_rtt = c->tcp->sysctl->tcp_ecn_option_beacon;

    if (!per_rtt)
        return false;
    return (uint64_t)(c->mstamp - c->ecn.accecn_opt_ns) / 1000 * per_rtt >= c->rtt.srtt_us >> 3;
}

bool tcp_ecn_option_due(const TcpConn *c)
{
    uint8_t mode = c->tcp->sysctl->tcp_ecn_option;

    if (!tcp_ecn_is_accecn(c) || mode == OPTION_DISABLED || !c->ecn.saw_accecn_opt)
        return false;
    if (mode < OPTION_PERSIST && c->ecn.accecn_fail_mode & TCP_ACCECN_OPT_FAIL_SEND)
        return false;
    return mode >= OPTION_FULL || c->ecn.accecn_opt_demand || is_beacon_due(c);
}

void tcp_ecn_option_sent(TcpConn *c)
{
    c->ecn.accecn_minlen = 0;
    c->ecn.accecn_opt_ns = c->mstamp;
    c->ecn.accecn_opt_sent_w_dsack = c->rcv.dsack;
    if (c->ecn.accecn_opt_demand)
        c->ecn.accecn_opt_demand--;
}

/* The same segment a second time although our ACK with a D-SACK for it carried the option: something on the
 * path drops such ACKs. */
void tcp_ecn_on_spurious_retrans(TcpConn *c, const TcpIn *in)
{
    if (tcp_ecn_is_accecn(c) && in->seq == c->rcv.duplicate_sack.left && c->ecn.accecn_opt_sent_w_dsack)
        c->ecn.accecn_fail_mode |= TCP_ACCECN_OPT_FAIL_SEND;
}

/* ---- handshake ---- */

static void init_counters(TcpEcn *e)
{
    e->received_ce = 0;
    e->received_ce_pending = 0;
    memset(e->received_ecn_bytes, 0, sizeof e->received_ecn_bytes);
    memset(e->delivered_ecn_bytes, 0, sizeof e->delivered_ecn_bytes);
    e->accecn_minlen = 0;
    e->est_ecnfield = 0;
    e->pkts_acked_ewma = 0;
}

void tcp_accecn_rcv_synack(TcpConn *c, TcpIn *in, bool has_feedback)
{
    TcpEcn *e = &c->ecn;

    init_counters(e);
    tcp_ecn_set_mode(c, TCP_ECN_MODE_ACCECN);
    e->syn_ect_rcv = in->tos & ECN_MASK; /* but prev_ecnfield stays: ECT on the next one is a change */
    tcpin_options(in);
    /* One option in answer to the SYN-ACK's, and one more a little later (3.2.3.2). */
    if (in->opt.has_accecn && e->saw_accecn_opt < TCP_ACCECN_OPT_COUNTER_SEEN) {
        saw_option(c, judge_first_option(&in->opt));
        e->accecn_opt_demand = 2;
    }
    /* Linux looks at the feedback about our SYN only when the path has shown that it marks. */
    if ((in->tos & ECN_MASK) == ECN_CE &&
        (!has_feedback || feedback_is_sane(c, tcp_accecn_ace(in->flags), e->syn_ect_snt))) {
        e->received_ce++;
        e->received_ce_pending++;
    }
}

void tcp_ecn_req_syn_again(TcpReq *r, const TcpIn *in)
{
    if (!r->accecn_ok)
        return;
    /* RFC 9768 3.1.5: what is fed back is the codepoint of the latest SYN; one without the flags means that
     * they do not pass. */
    r->syn_ect_rcv = in->tos & ECN_MASK;
    if (tcp_accecn_ace(in->flags) == 0)
        r->accecn_fail_mode |= TCP_ACCECN_ACE_FAIL_RECV;
}

/* Linux takes ACE as cleared since the second retransmission, be it for a time-out or for a SYN
 * (reqsk_timer_handler, tcp_check_req); a Fast Open child, which there is by then, never learns of it. */
void tcp_ecn_req_sent_again(TcpReq *r)
{
    if (r->accecn_ok && r->num_retrans > 1)
        r->accecn_fail_mode |= TCP_ACCECN_ACE_FAIL_SEND;
}

void tcp_ecn_req_saw_option(TcpReq *r, TcpIn *in)
{
    tcpin_options(in);
    if (!r->accecn_ok || !in->opt.has_accecn || r->saw_accecn_opt >= TCP_ACCECN_OPT_COUNTER_SEEN)
        return;
    r->saw_accecn_opt = judge_first_option(&in->opt);
    if (r->saw_accecn_opt == TCP_ACCECN_OPT_FAIL_SEEN)
        r->accecn_fail_mode |= TCP_ACCECN_OPT_FAIL_RECV;
}

/* Table 4: the handshake's last ACK says how our SYN-ACK arrived. */
static void third_ack(TcpConn *c, const TcpIn *in, uint8_t sent_ect)
{
    uint8_t ace = tcp_accecn_ace(in->flags);
    bool has_sack = in->has_opts && in->opt.n_sack; /* then it is not the handshake's any more */

    switch (ace) {
    case 0: /* no accurate sender begins with it: zeroed on the way; the feedback is not to be used (3.2.2.1)
             */
        if (!has_sack)
            c->ecn.accecn_fail_mode |= TCP_ACCECN_ACE_FAIL_RECV | TCP_ACCECN_OPT_FAIL_RECV;
        break;
    case 1:
    case 5:
    case 7: /* not used now, but legal */
        break;
    default:
        if (in->seq == in->end_seq && !has_sack && feedback_is_sane(c, ace, sent_ect) &&
            reflected_ect(ace) == ECN_CE && !c->delivered_ce)
            c->delivered_ce++;
    }
}

void tcp_ecn_third_ack(TcpConn *child, TcpIn *in)
{
    if (tcp_ecn_is_accecn(child))
        third_ack(child, in, child->ecn.syn_ect_snt);
}

void tcp_accecn_openreq_child(TcpConn *child, TcpReq *r, TcpIn *in)
{
    TcpEcn *e = &child->ecn;

    init_counters(e);
    tcp_ecn_set_mode(child, TCP_ECN_MODE_ACCECN);
    e->syn_ect_snt = r->syn_ect_snt;
    e->syn_ect_rcv = r->syn_ect_rcv;
    if (in->flags & TCP_ACK && !(in->flags & TCP_SYN))
        third_ack(child, in, r->syn_ect_snt);
    e->saw_accecn_opt = r->saw_accecn_opt;
    /* An option that was zeroed is remembered as seen, but Linux does not take over that it is not to be
     * believed (tcp_ecn_openreq_child): later options count. */
    e->accecn_fail_mode |= r->accecn_fail_mode & (TCP_ACCECN_ACE_FAIL_SEND | TCP_ACCECN_ACE_FAIL_RECV);
    e->prev_ecnfield = r->syn_ect_rcv;
    e->accecn_opt_demand = 1;
    tcp_ecn_received_counters(child, in, in->len);
}

/* ---- established: what we tell ---- */

void tcp_accecn_send(TcpConn *c, const TcpSeg *s, uint16_t *flags)
{
    /* A side that gets no feedback must not ask the network for marks. */
    tcp_ecn_xmit(c, !(c->ecn.accecn_fail_mode & (TCP_ACCECN_ACE_FAIL_RECV | TCP_ACCECN_ACE_FAIL_SEND)));
    /* Segments that reflect the handshake bring their flags along. */
    if (!(*flags & (TCP_AE | TCP_CWR | TCP_ECE))) {
        uint32_t ace = c->ecn.received_ce + CEP_INIT;

        *flags |= (uint16_t)((ace & 4 ? TCP_AE : 0) | (ace & 2 ? TCP_CWR : 0) | (ace & 1 ? TCP_ECE : 0));
        c->ecn.received_ce_pending = 0;
    }
}

/* ---- established: what arrives ---- */

void tcp_ecn_received_counters(TcpConn *c, const TcpIn *in, uint32_t payload_len)
{
    TcpEcn *e = &c->ecn;
    uint8_t ect = in->tos & ECN_MASK;
    bool is_ce = ect == ECN_CE, is_edge;

    if (ect != ECN_NOT_ECT) {
        uint32_t marked = is_ce ? HS_MAX(1u, in->gso_segs) : 0;

        if (!tcp_ecn_is_rfc3168(c))
            e->flags |= TCP_ECN_SEEN;
        e->received_ce += marked; /* pure ACKs count as well */
        e->received_ce_pending = (uint8_t)HS_MIN(e->received_ce_pending + marked, 0xfu);
        if (payload_len > 0) {
            uint32_t *bytes = &e->received_ecn_bytes[ect - 1], before = *bytes;

            *bytes += payload_len;
            e->accecn_minlen = HS_MAX(e->accecn_minlen, option_field(ect));
            if ((*bytes ^ before) >> BYTES_BEACON_SHIFT)
                e->accecn_opt_demand = HS_MAX(e->accecn_opt_demand, 1);
        }
    }
    is_edge = e->prev_ecnfield != ect;
    if (is_edge || is_ce) {
        e->prev_ecnfield = ect;
        /* Two options after a change: the second one tells the codepoint since then without ambiguity. */
        if (tcp_ecn_is_accecn(c)) {
            if (is_edge)
                c->ack.pending |= TCP_ACK_NOW;
            e->accecn_opt_demand = 2;
        }
    }
}

/* Brings a counter up to date from its 24 bits; the change may be backwards. */
static int32_t update_bytes(uint32_t *counter, uint32_t field, uint32_t init)
{
    uint32_t delta = ((field - init) - *counter) & COUNTER_MASK;

    if (delta & 0x800000)
        delta |= ~COUNTER_MASK;
    *counter += delta;
    return (int32_t)delta;
}

/* true: the byte counters tell what became of the delivered bytes (tcp_accecn_process_option). */
static bool process_option(TcpConn *c, TcpIn *in, uint32_t delivered_bytes, int flag)
{
    TcpEcn *e = &c->ecn;
    uint8_t estimate = e->est_ecnfield;
    bool is_ambiguous = false, first_changed = false, valid;

    if (e->accecn_fail_mode & TCP_ACCECN_OPT_FAIL_RECV)
        return false;
    if (flag & ACK_SLOWPATH)
        tcpin_options(in);
    if (!(flag & ACK_SLOWPATH) || !in->opt.has_accecn) {
        if (!e->saw_accecn_opt) {
            if (c->stats.bytes_sent >= OPTION_TOO_LATE) /* counters may have wrapped: too late to begin */
                saw_option(c, TCP_ACCECN_OPT_FAIL_SEEN);
            return false;
        }
        if (!estimate)
            return false;
        e->delivered_ecn_bytes[estimate - 1] += delivered_bytes;
        return true;
    }
    if (e->saw_accecn_opt < TCP_ACCECN_OPT_COUNTER_SEEN)
        saw_option(c, judge_first_option(&in->opt));
    valid = estimate != 0;
    for (unsigned i = 0; i < in->opt.n_accecn; i++) {
        uint8_t ect = field_ect(in->opt.accecn_kind, i);
        int32_t delta = update_bytes(&e->delivered_ecn_bytes[ect - 1], in->opt.accecn[i], initial_value(ect));

        if (delta < 0)
            is_ambiguous = true;
        if (delta && ect != estimate) {
            if (!first_changed) {
                e->est_ecnfield = ect;
                first_changed = true;
            } else {
                is_ambiguous = true;
            }
        }
    }
    if (is_ambiguous)
        e->est_ecnfield = 0;
    return valid && !is_ambiguous;
}

/* Packets an ACK, on average: who thins ACKs out makes many of them large, so that a large one is no sign
 * that others were lost (Linux pkts_acked_ewma). */
static void track_thinning(TcpEcn *e, uint32_t delivered)
{
    uint32_t ewma = e->pkts_acked_ewma, sample = delivered << EWMA_PRECISION;

    if (!delivered)
        return;
    ewma = ewma ? ((ewma << EWMA_WEIGHT) - ewma + sample) >> EWMA_WEIGHT : sample;
    e->pkts_acked_ewma = (uint16_t)HS_MIN(ewma, 0xffffu);
}

/* How many packets more were CE-marked, from three bits (RFC 9768 3.2.2.5, appendix A.2): an ACK for more
 * than seven packets may hide a wrap of the field; the option's bytes help to decide, otherwise the worst
 * case that still fits is taken. */
static uint32_t newly_marked(TcpConn *c, TcpIn *in, uint32_t delivered, uint32_t delivered_bytes, int flag)
{
    uint32_t old_ceb = c->ecn.delivered_ecn_bytes[ECN_CE - 1], delta, safe_delta, d_ceb;
    bool option_helps;

    if (!(flag & (ACK_FORWARD_PROGRESS | ACK_TS_PROGRESS))) /* perhaps an old ACK overtaken by a newer one */
        return 0;
    option_helps = process_option(c, in, delivered_bytes, flag);
    track_thinning(&c->ecn, delivered);
    if (!(flag & ACK_SLOWPATH) && delivered <= ACE_MASK)
        return 0;
    /* Linux goes on responding to ACE when it was found to be mangled, where RFC 9768 3.2.2.1 would not; it
     * asks for no marks any more (tcp_accecn_send). */
    /* The field means something else yet. Linux asks for FLAG_SYN_ACKED alone, which the last ACK of a Fast
     * Open handshake lacks: when its timestamp is new, the codepoint that it reflects is taken for marks
     * there. */
    if (flag & ACK_SYN_ACKED || c->state == TCP_SYN_RECV)
        return 0;
    if (c->ecn.received_ce_pending >= ACE_MAX_DELTA)
        c->ack.pending |= TCP_ACK_NOW;
    delta = (tcp_accecn_ace(in->flags) - (uint32_t)CEP_INIT - c->delivered_ce) & ACE_MASK;
    if (delivered <= ACE_MASK)
        return delta;
    safe_delta = delivered - ((delivered - delta) & ACE_MASK);
    if (!option_helps)
        return c->ecn.pkts_acked_ewma > THINNED_ACKS << EWMA_PRECISION ? delta : safe_delta;
    d_ceb = c->ecn.delivered_ecn_bytes[ECN_CE - 1] - old_ceb;
    if (!d_ceb)
        return delta;
    if (delivered >= (ACE_MASK + 1) * 2 &&
        (c->sack.is_sack_ok || c->rec.ca_state == TCP_CA_OPEN || c->rec.ca_state == TCP_CA_CWR)) {
        uint64_t estimate;

        if (delivered_bytes <= d_ceb)
            return safe_delta;
        estimate = ((uint64_t)d_ceb * delivered + delivered_bytes - 1) / delivered_bytes;
        return (uint32_t)HS_MIN((uint64_t)safe_delta, delta + (estimate & ~(uint64_t)ACE_MASK));
    }
    if (d_ceb > delta * c->mss_cache)
        return safe_delta;
    if (d_ceb < safe_delta * c->mss_cache >> SAFETY_SHIFT)
        return delta;
    return safe_delta;
}

uint32_t tcp_ecn_on_ack(TcpConn *c, TcpIn *in, uint32_t delivered_pkts, uint32_t delivered_bytes, int *flag)
{
    uint32_t n = newly_marked(c, in, delivered_pkts, delivered_bytes, *flag);

    if (n > 0) {
        c->delivered_ce += n;
        *flag |= ACK_ECE;
    }
    return n;
}

void tcp_ecn_syn_in_connection(TcpConn *c, const TcpIn *in)
{
    c->ecn.syn_ect_rcv = in->tos & ECN_MASK; /* RFC 9768 3.1.5: of the latest one */
    if (!in->opt.has_accecn || c->ecn.saw_accecn_opt >= TCP_ACCECN_OPT_COUNTER_SEEN)
        return;
    saw_option(c, judge_first_option(&in->opt));
    c->ecn.accecn_opt_demand = HS_MAX(c->ecn.accecn_opt_demand, 1);
}
