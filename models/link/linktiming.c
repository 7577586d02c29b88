#include "models/link/linktiming.h"

#include <glib.h>

#define NS_PER_SEC UINT64_C(1000000000)
#define BUCKETS_MIN 16

struct LinkTimings {
    LinkTiming **bucket; /* chained; for look-ups only, never walked */
    uint32_t n, n_buckets;
};

static uint32_t hash(uint64_t rate_bps, SimTime delay, uint16_t overhead_bytes, uint16_t gap_bytes)
{
    uint64_t h = rate_bps * 0x9e3779b97f4a7c15u;

    h = (h ^ h >> 32 ^ (uint64_t)delay) * 0xc2b2ae3d27d4eb4fu;
    h = (h ^ h >> 32 ^ (uint64_t)overhead_bytes << 16 ^ gap_bytes) * 0x9e3779b97f4a7c15u;
    return (uint32_t)(h >> 32);
}

static LinkTiming **bucket_of(const struct LinkTimings *ts, const LinkTiming *t)
{
    return &ts->bucket[hash(t->rate_bps, t->delay, t->overhead_bytes, t->gap_bytes) & (ts->n_buckets - 1)];
}

static void grow(struct LinkTimings *ts)
{
    struct LinkTimings old = *ts;

    ts->n_buckets = old.n_buckets ? 2 * old.n_buckets : BUCKETS_MIN;
    ts->bucket = g_new0(LinkTiming *, ts->n_buckets);
    for (uint32_t i = 0; i < old.n_buckets; i++)
        for (LinkTiming *t = old.bucket[i], *next; t; t = next) {
            LinkTiming **at = bucket_of(ts, t);

            next = t->next;
            t->next = *at;
            *at = t;
        }
    g_free(old.bucket);
}

void linktiming_compute(const LinkTiming *t, LinkTime *of)
{
    uint64_t num = (uint64_t)(of->len + t->overhead_bytes) * 8 * NS_PER_SEC;

    of->ns = (SimTime)(num / t->rate_bps);
    of->frac = num % t->rate_bps;
}

static LinkTiming *timing_new(Partition *part, uint64_t rate_bps, SimTime delay, uint16_t overhead_bytes,
                              uint16_t gap_bytes)
{
    LinkTiming *t = cells_take(&part->cells, sizeof *t);
    uint64_t num = (uint64_t)gap_bytes * 8 * NS_PER_SEC;

    t->rate_bps = rate_bps;
    t->delay = delay;
    t->overhead_bytes = overhead_bytes;
    t->gap_bytes = gap_bytes;
    if (rate_bps) {
        t->gap.ns = (SimTime)(num / rate_bps);
        t->gap.frac = num % rate_bps;
    }
    for (unsigned i = 0; i < LINKTIMING_LENGTHS; i++)
        t->frame[i].len = UINT32_MAX;
    return t;
}

LinkTiming *linktiming_take(Partition *part, uint64_t rate_bps, SimTime delay, uint16_t overhead_bytes,
                            uint16_t gap_bytes)
{
    struct LinkTimings *ts = part->link_timings;
    uint32_t h = hash(rate_bps, delay, overhead_bytes, gap_bytes);
    LinkTiming *t, **at;

    if (!ts)
        ts = part->link_timings = g_new0(struct LinkTimings, 1);
    if (ts->n >= ts->n_buckets)
        grow(ts);
    at = &ts->bucket[h & (ts->n_buckets - 1)];
    for (t = *at; t; t = t->next)
        if (t->rate_bps == rate_bps && t->delay == delay && t->overhead_bytes == overhead_bytes &&
            t->gap_bytes == gap_bytes)
            break;
    if (!t) {
        t = timing_new(part, rate_bps, delay, overhead_bytes, gap_bytes);
        t->next = *at;
        *at = t;
        ts->n++;
    }
    t->users++;
    return t;
}

void linktiming_give(Partition *part, LinkTiming *t)
{
    struct LinkTimings *ts = part->link_timings;
    LinkTiming **at;

    if (!t || --t->users)
        return;
    for (at = bucket_of(ts, t); *at != t; at = &(*at)->next)
        ;
    *at = t->next;
    cells_give(&part->cells, t, sizeof *t);
    if (--ts->n)
        return;
    g_free(ts->bucket);
    g_free(ts);
    part->link_timings = NULL;
}
