/* Plans of sequences; see pcapng_lz4_plan.h. Slow, and seldom called: a flow has shown after a few packets
 * what changes in it. */
#include "sim/trace/pcapng_lz4_plan.h"

#include <string.h>

#include "sim/trace/lz4frame.h"

/* A sequence takes three bytes, and time: for less it is not worth while. */
#define WORTH_A_MATCH 6u
#define TIME_BYTES 4u
#define LENGTHS_BYTES 8u /* captured and original, between time and headers */
/* Up to 15 + 254 have one byte more. */
#define MATCH_MAX (LZ4_MIN_MATCH + 15u + 254u)

/* What is made: a plan, and its bytes so far. */
typedef struct Maker {
    PcapngLz4Plan *plan;
    unsigned n_seqs;
    unsigned out;
    uint64_t *behind; /* where bytes that are no literals go, */
    unsigned n;       /* and how many there are already */
} Maker;

static void put_byte(Maker *m, unsigned v)
{
    *m->behind |= (uint64_t)v << 8 * m->n++;
    m->out++;
}

/* The header bytes `from` … are the literals. */
static void add_seq(Maker *m, unsigned from, unsigned n_literals, unsigned n_match)
{
    const unsigned code = n_match - LZ4_MIN_MATCH, most = LZ4_PLAN_STEP_LITERALS;
    PcapngLz4Step *s;

    hs_assert(n_match >= LZ4_MIN_MATCH && n_match <= MATCH_MAX);
    put_byte(m, HS_MIN(n_literals, 15u) << 4 | HS_MIN(code, 15u));
    if (n_literals >= 15)
        put_byte(m, n_literals - 15);
    for (;; n_literals -= most, from += most) {
        unsigned now = HS_MIN(n_literals, most);

        s = &m->plan->step[m->plan->n_steps++];
        *s = (PcapngLz4Step){.from = (uint16_t)from, .literals_at = (uint16_t)m->out};
        m->out += now;
        s->distance_at = (uint16_t)m->out;
        if (now == n_literals)
            break;
    }
    m->n_seqs++;
    m->out += 2;
    m->behind = &s->behind;
    m->n = 2;
    if (code >= 15)
        put_byte(m, code - 15);
}

/* Laps of the payload behind the first one, and the beginning of what matches the options. */
static bool make_tail(PcapngLz4Plan *plan, unsigned n_more, unsigned n_options)
{
    uint8_t *p = plan->tail;

    if (n_more) {
        unsigned code = n_more - LZ4_MIN_MATCH;

        if (code / 255 + 8 > LZ4_PLAN_TAIL_BYTES)
            return false;
        *p++ = (uint8_t)HS_MIN(code, 15u);
        lz4_put16(p, PAYLOAD_PERIOD);
        p += 2;
        if (code >= 15) {
            for (code -= 15; code >= 255; code -= 255)
                *p++ = 255;
            *p++ = (uint8_t)code;
        }
    }
    *p++ = (uint8_t)(n_options - LZ4_MIN_MATCH);
    plan->n_tail = (uint8_t)(p - plan->tail);
    return true;
}

/* Where the next match worth its sequence begins, or n. At the end of the headers a short one is worth it if
 * it goes on behind them. */
static unsigned next_match(const PcapngLz4Plan *plan, unsigned at, unsigned n, bool goes_on)
{
    const unsigned n_known = HS_MIN(n, LZ4_PLAN_BYTES);

    for (unsigned i = at; i < n_known; i++) {
        if (!plan->same[i])
            at = i + 1;
        else if (i + 1 - at >= WORTH_A_MATCH)
            return at;
    }
    return goes_on && n_known == n ? at : n;
}

static unsigned count_same(const PcapngLz4Plan *plan, unsigned at, unsigned n)
{
    unsigned end = at;

    while (end < HS_MIN(n, LZ4_PLAN_BYTES) && plan->same[end])
        end++;
    return end - at;
}

static void make(PcapngLz4Plan *plan, const PcapngLz4Shape *shape)
{
    const unsigned n = shape->n_headers, lap = HS_MIN(shape->n_payload, (unsigned)PAYLOAD_PERIOD);
    const unsigned n_more = shape->n_payload - lap;
    unsigned at = count_same(plan, 0, n);
    uint64_t token = 0;
    Maker m = {plan, 0, 0, &token, 0};
    bool done = at == n && !lap;

    plan->n_steps = plan->n_tail = 0;
    plan->csum_out = 0;
    if ((lap && lap < LZ4_MIN_MATCH) || (n_more && n_more < LZ4_MIN_MATCH) ||
        (lap && !make_tail(plan, n_more, shape->n_options)) || shape->csum_at + 1 == n)
        return;
    add_seq(&m, 0, TIME_BYTES, LENGTHS_BYTES + at + (done ? shape->n_options : 0));
    plan->token = (uint8_t)token;
    while (!done) {
        const unsigned from = at, first = plan->n_steps;
        unsigned n_match;

        at = m.n_seqs == LZ4_PLAN_SEQS - 1 ? n : next_match(plan, at, n, !lap);
        n_match = count_same(plan, at, n);
        done = lap ? at == n : at + n_match == n;
        add_seq(&m, from, at - from, done ? (lap ? lap : n_match + shape->n_options) : n_match);
        if (shape->csum_at >= from && shape->csum_at < at)
            plan->csum_out = (uint16_t)(plan->step[first].literals_at + shape->csum_at - from);
        at += n_match;
    }
    plan->size = (uint16_t)m.out;
}

void pcapng_lz4_plan_init(PcapngLz4Plan *plan, const PcapngLz4Shape *shape)
{
    const unsigned n = HS_MIN(shape->n_headers, LZ4_PLAN_BYTES);

    plan->n_steps = 0;
    memset(plan->same, 0, LZ4_PLAN_BYTES);
    memset(plan->same, 0xff, n);
    for (unsigned i = shape->csum_at; i < n && i < shape->csum_at + 2; i++)
        plan->same[i] = 0;
}

void pcapng_lz4_plan_learn(PcapngLz4Plan *plan, const PcapngLz4Shape *shape, const uint8_t *known,
                           const uint8_t before[LZ4_PLAN_BYTES], const uint8_t now[LZ4_PLAN_BYTES])
{
    bool is_new = !plan->n_steps;

    for (unsigned i = 0; i < LZ4_PLAN_BYTES; i++) {
        if (before[i] == now[i] && (!known || known[i]))
            continue;
        is_new |= plan->same[i];
        plan->same[i] = 0;
    }
    if (is_new)
        make(plan, shape);
}
