#include "lab/run/kept_series.h"

#include "sim/trace/outfile.h"

#define COLUMNS_MAX 8

/* What stands in one column of a block. */
typedef struct Column {
    const PlotSeries *series;
    bool is_state;
    unsigned next; /* point */
    bool has_value;
    double value;
} Column;

static const PlotEndSeries tcp_series[COLUMNS_MAX] = {PLOT_END_CWND,  PLOT_END_SSTHRESH, PLOT_END_INFLIGHT,
                                                      PLOT_END_STATE, PLOT_END_RTT,      PLOT_END_SRTT,
                                                      PLOT_END_RTO,   PLOT_END_RWND};
#define TCP_HEAD                                                                                             \
    "connection\tflow\ttime_s\tcwnd\tssthresh\tinflight\tstate\trtt_s\tsrtt_s\trto_s\trwnd_bytes\n"
#define QUEUE_HEAD "queue\tplace\ttime_s\tpackets\n"

static const char *state_name(double value)
{
    switch ((PlotState)value) {
    case PLOT_STATE_AVOIDANCE:
        return "avoidance";
    case PLOT_STATE_SLOW_START:
        return "slow_start";
    case PLOT_STATE_CWR:
        return "cwr";
    case PLOT_STATE_RECOVERY:
        return "recovery";
    case PLOT_STATE_LOSS:
    case PLOT_STATES:
        break;
    }
    return "loss";
}

/* The next time at which one of the columns changes; SIM_NEVER: none does. */
static SimTime next_time(const Column *column, unsigned n)
{
    SimTime t = SIM_NEVER;

    for (unsigned i = 0; i < n; i++)
        if (column[i].next < plotseries_count(column[i].series))
            t = HS_MIN(t, plotseries_point(column[i].series, column[i].next)->t);
    return t;
}

static void advance(Column *c, SimTime t)
{
    for (; c->next < plotseries_count(c->series) && plotseries_point(c->series, c->next)->t == t; c->next++) {
        c->value = plotseries_point(c->series, c->next)->y;
        c->has_value = true;
    }
}

static void write_value(OutFile *f, const Column *c)
{
    if (!c->has_value)
        outfile_printf(f, "\tNA");
    else if (c->is_state)
        outfile_printf(f, "\t%s", state_name(c->value));
    else
        outfile_printf(f, "\t%.9g", c->value);
}

/* The rows of one connection or queue. */
static void write_block(OutFile *f, const char *name, Column *column, unsigned n, KeptTable *out)
{
    char time[SIMTIME_STR_LEN];
    SimTime t;

    if (out->blocks++)
        outfile_printf(f, "\n\n");
    for (unsigned i = 0; i < n; i++)
        out->is_thinned |= column[i].series->width > 0;
    while ((t = next_time(column, n)) != SIM_NEVER) {
        outfile_printf(f, "%u\t%s\t%s", out->blocks, name, simtime_str(t, time));
        for (unsigned i = 0; i < n; i++) {
            advance(&column[i], t);
            write_value(f, &column[i]);
        }
        outfile_printf(f, "\n");
        out->rows++;
    }
}

/* The file is there from the first block on. */
static OutFile *begin(OutFile *f, const char *path, const char *head, GError **error)
{
    if (f)
        return f;
    f = outfile_open(path, OUTFILE_WHOLE, error);
    if (f)
        outfile_printf(f, "%s", head);
    return f;
}

static char *flow_name(const PlotEnd *e)
{
    g_autofree char *from = plotend_name(e, false, true), *to = plotend_name(e, true, true);

    return g_strdup_printf("%s>%s", from, to);
}

/* An end that never sent data has nothing to tell but its initial window. */
static bool has_sent(const PlotEnd *e)
{
    return e->payload > 0 && plotseries_count(&e->s[PLOT_END_CWND]) > 0;
}

bool kept_series_tcp(const PlotSink *sink, const char *path, KeptTable *out, GError **error)
{
    OutFile *f = NULL;

    *out = (KeptTable){0};
    for (unsigned i = 0; i < plotsink_end_count(sink); i++) {
        const PlotEnd *e = plotsink_end(sink, i);
        Column column[COLUMNS_MAX] = {{0}};
        g_autofree char *name = NULL;

        if (!has_sent(e))
            continue;
        if (!(f = begin(f, path, TCP_HEAD, error)))
            return false;
        for (unsigned k = 0; k < COLUMNS_MAX; k++)
            column[k] = (Column){.series = &e->s[tcp_series[k]], .is_state = tcp_series[k] == PLOT_END_STATE};
        name = flow_name(e);
        write_block(f, name, column, COLUMNS_MAX, out);
    }
    return !f || outfile_close(f, error);
}

bool kept_series_queues(const PlotSink *sink, const char *path, KeptTable *out, GError **error)
{
    OutFile *f = NULL;

    *out = (KeptTable){0};
    for (unsigned i = 0; i < plotsink_queue_count(sink); i++) {
        const PlotQueue *q = plotsink_queue(sink, i);
        Column column = {.series = &q->length};
        g_autofree char *name = g_strdup_printf("%s:%s", q->node, q->device);

        if (q->max_packets < 2)
            continue;
        if (!(f = begin(f, path, QUEUE_HEAD, error)))
            return false;
        write_block(f, name, &column, 1, out);
    }
    return !f || outfile_close(f, error);
}
