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
                g_string_append_printf(ranges, "[%" PRIu64 ",%" PRIu64 "],", from, to);
            from = to = p->number;
        }
        n++;
    }
    g_array_set_size(list, kept);
    if (n)
        g_string_append_printf(ranges, "[%" PRIu64 ",%" PRIu64 "]", from, to);
    return n;
}
