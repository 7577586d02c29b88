#include "view/qlog_flow.h"

#include <inttypes.h>

#include "models/wire/tcp.h"

QlogFlow *qlog_flow_new(QlogFile *file, const char *group)
{
    QlogFlow *f = g_new0(QlogFlow, 1);

    f->file = file;
    f->group = g_strdup(group);
    f->sent = g_array_new(FALSE, FALSE, sizeof(QlogSent));
    f->arrived = g_array_new(FALSE, FALSE, sizeof(QlogSent));
    return f;
}

void qlog_flow_free(gpointer flow)
{
    QlogFlow *f = flow;

    g_array_free(f->sent, TRUE);
    g_array_free(f->arrived, TRUE);
    g_free(f->group);
    g_free(f);
}

/* What a peer assumes that sends no MSS option: RFC 9293 3.7.1. */
#define DEFAULT_MSS 536
#define TIMESTAMPS_LEN 12 /* with its padding */

uint32_t qlog_flow_mss(const QlogFlow *f)
{
    uint32_t own = f->mss[0] ? f->mss[0] : DEFAULT_MSS, peer = f->mss[1] ? f->mss[1] : DEFAULT_MSS;
    uint32_t mss = HS_MIN(own, peer);

    return f->has_ts[0] && f->has_ts[1] && mss > TIMESTAMPS_LEN ? mss - TIMESTAMPS_LEN : mss;
}

/* Sequence numbers wrap, offsets do not: the one that is nearest to the last one. */
uint64_t qlog_flow_offset(QlogFlow *f, unsigned side, uint32_t seq)
{
    uint32_t low = seq - f->isn[side] - 1;
    int64_t offset = (int64_t)f->highest[side] + (int32_t)(low - (uint32_t)f->highest[side]);

    if (offset < 0)
        return 0; /* the SYN itself */
    if ((uint64_t)offset > f->highest[side])
        f->highest[side] = (uint64_t)offset;
    return (uint64_t)offset;
}

/* RFC 7323 2.3: scaled if both SYNs say so, and never in a SYN. */
uint64_t qlog_flow_new_limit(QlogFlow *f, unsigned side, const StorySegment *seg)
{
    bool is_scaled = f->has_wscale[0] && f->has_wscale[1] && !(seg->flags & TCP_SYN);
    uint64_t limit;

    if (!(seg->flags & TCP_ACK) || seg->flags & TCP_RST || !f->has_syn[0] || !f->has_syn[1])
        return 0;
    limit =
        qlog_flow_offset(f, !side, seg->ack) + ((uint64_t)seg->window << (is_scaled ? f->wscale[side] : 0));
    if (limit <= f->limit[side])
        return 0;
    f->limit[side] = limit;
    return limit;
}

static bool is_before_or_at(uint32_t a, uint32_t b)
{
    return (int32_t)(b - a) >= 0;
}

static bool is_acked(const QlogSent *p, uint32_t ack, const TcpOptions *options)
{
    if (is_before_or_at(p->end, ack))
        return true;
    for (unsigned i = 0; options && i < options->n_sack; i++)
        if (is_before_or_at(options->sack[i].left, p->seq) && is_before_or_at(p->end, options->sack[i].right))
            return true;
    return false;
}

static void append_range(GString *ranges, uint64_t from, uint64_t to)
{
    if (ranges->len)
        g_string_append_c(ranges, ',');
    if (from == to)
        g_string_append_printf(ranges, "[%" PRIu64 "]", from);
    else
        g_string_append_printf(ranges, "[%" PRIu64 ",%" PRIu64 "]", from, to);
}

/* A packet that was declared lost and then sent again leaves with its successor, which gets the
 * acknowledgment. */
unsigned qlog_flow_acked(GArray *list, uint32_t ack, const TcpOptions *options, GString *ranges)
{
    uint64_t from = 0, to = 0;
    unsigned n = 0, kept = 0;

    for (unsigned i = 0; i < list->len; i++) {
        QlogSent *p = &g_array_index(list, QlogSent, i);

        if (!is_acked(p, ack, options)) {
            g_array_index(list, QlogSent, kept++) = *p;
            continue;
        }
        if (p->is_lost)
            continue;
        if (n && p->number == to + 1) {
            to = p->number;
        } else {
            if (n)
                append_range(ranges, from, to);
            from = to = p->number;
        }
        n++;
    }
    g_array_set_size(list, kept);
    if (n)
        append_range(ranges, from, to);
    return n;
}
