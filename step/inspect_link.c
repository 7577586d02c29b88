/* Links and the queues in front of them. */
#include <inttypes.h>
#include <string.h>

#include "sim/base/units.h"
#include "step/inspect.h"

static void append_dir(GString *out, const NetLink *l, unsigned from)
{
    const LinkDir *d = netlink_dir(l, from);
    const Queue *q = d ? linkdir_queue(d) : NULL;
    char rate[UNITS_STR_LEN], delay[UNITS_STR_LEN];
    const char *dev = netlink_point(l, from) ? netlink_point(l, from)->name : "";

    if (!d)
        return;
    g_string_append_printf(out, "  %s:%s -> %s  %s %s", netlink_node(l, from)->name, dev,
                           netlink_node(l, !from)->name,
                           linkdir_rate(d) ? units_format_rate(linkdir_rate(d), rate) : "any rate",
                           units_format_time(linkdir_delay(d), delay));
    if (q)
        g_string_append_printf(out, ", queue %s: %" PRIu32 " packets, %" PRIu32 " bytes", q->ops->name,
                               q->packets, q->bytes);
    g_string_append_c(out, '\n');
}

void stepinspect_link(const NetLink *l, GString *out)
{
    const Link *link = netlink_link(l);

    g_string_append_printf(out, "%-12s link    %s - %s%s\n", netlink_name(l), netlink_node(l, 0)->name,
                           netlink_node(l, 1)->name, link && !link_is_up(link) ? " (down)" : "");
    append_dir(out, l, 0);
    append_dir(out, l, 1);
}

static void append_waiting(GString *out, const Queue *q)
{
    const QueueSignals signals = queue_signals(q);

    g_string_append_printf(out,
                           "  queue %s: %" PRIu32 " packets (%" PRIu32 " bytes) wait; at most %" PRIu32
                           " packets did, %" PRIu64 " came in, %" PRIu64 " were dropped, %" PRIu64
                           " marked\n",
                           q->ops->name, q->packets, q->bytes, q->stats.peak_packets,
                           q->stats.enqueued_packets, signals.dropped_packets, signals.marked_packets);
}

static void append_queue(GString *out, const NetLink *l, unsigned from)
{
    const LinkDir *d = netlink_dir(l, from);
    const Queue *q = linkdir_queue(d);
    const LinkDirStats s = linkdir_stats(d);
    char rate[UNITS_STR_LEN], delay[UNITS_STR_LEN], busy[UNITS_STR_LEN];
    uint64_t in_flight = s.tx_packets + s.duplicate_packets - s.delivered_packets - s.lost_packets;

    g_string_append_printf(out, "%s:%s -> %s, link %s, %s, %s\n", netlink_node(l, from)->name,
                           netlink_point(l, from)->name, netlink_node(l, !from)->name, netlink_name(l),
                           linkdir_rate(d) ? units_format_rate(linkdir_rate(d), rate) : "any rate",
                           units_format_time(linkdir_delay(d), delay));
    if (q)
        append_waiting(out, q);
    else
        g_string_append(out, "  queue: nothing has waited yet\n");
    g_string_append_printf(out,
                           "  wire: %" PRIu64 " packet%s (%" PRIu64 " bytes) sent, %" PRIu64
                           " arrived, %" PRIu64 " lost, %" PRIu64 " in flight; busy for %s\n",
                           s.tx_packets, s.tx_packets == 1 ? "" : "s", s.tx_bytes, s.delivered_packets,
                           s.lost_packets, in_flight, units_format_time(s.busy, busy));
}

/* Of the link's name, its sender's name, or "node:device". */
static bool is_meant(const NetLink *l, unsigned from, const char *place)
{
    const char *node = netlink_node(l, from)->name;
    size_t len = strlen(node);

    if (!place || !strcmp(place, netlink_name(l)) || !strcmp(place, node))
        return true;
    return !strncmp(place, node, len) && place[len] == ':' &&
           !strcmp(place + len + 1, netlink_point(l, from)->name);
}

bool stepinspect_queue(const StepInspect *w, const char *place, GString *out)
{
    gsize before = out->len;

    for (unsigned i = 0; i < net_link_count(w->net); i++) {
        const NetLink *l = net_link_at(w->net, i);

        for (unsigned from = 0; from < 2; from++)
            if (netlink_dir(l, from) && netlink_point(l, from) && is_meant(l, from, place))
                append_queue(out, l, from);
    }
    if (out->len > before)
        return true;
    if (!place) {
        g_string_append(out, "There are no links.\n");
        return true;
    }
    g_string_append_printf(
        out, "there is no queue at \"%s\"; expected a node, NODE:DEVICE or a link such as a-b", place);
    return false;
}
