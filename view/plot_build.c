/* Which flows and queues are in the picture, what they are called, and what the axes are. */
#include "view/plot_build.h"

#include <string.h>

#include "sim/base/units.h"
#include "sim/trace/eventlog.h"
#include "view/plot_build_priv.h"

#define WHATS_OF_FLOWS (~(PLOT_BIT(PLOT_QUEUE) | PLOT_BIT(PLOT_SOJOURN)) & (PLOT_BIT(PLOT_WHATS) - 1))
#define WHATS_OF_TCP                                                                                         \
    (PLOT_BIT(PLOT_CWND) | PLOT_BIT(PLOT_SSTHRESH) | PLOT_BIT(PLOT_INFLIGHT) | PLOT_BIT(PLOT_SEQUENCE) |     \
     PLOT_BIT(PLOT_RWND) | PLOT_BIT(PLOT_RTT) | PLOT_BIT(PLOT_RTO))
#define TITLE_MAX 60 /* letters of what is shown */
#define MAX_NAMED 6  /* flows that an error message lists */

/* ---- which flows ---- */

/* "client", "client:40000", "*:80" against a node and its port. */
static bool matches_side(const char *pattern, const PlotEnd *e, bool is_remote)
{
    char *name = plotend_name(e, is_remote, false), *full = plotend_name(e, is_remote, true);
    bool ok = g_pattern_match_simple(pattern, name) || g_pattern_match_simple(pattern, full);

    g_free(name);
    g_free(full);
    return ok;
}

static bool matches(const PlotWish *w, const PlotEnd *e)
{
    const char *arrow = w->flow ? strchr(w->flow, '>') : NULL;
    char *sender;
    bool ok;

    if (w->host && !g_pattern_match_simple(w->host, e->node))
        return false;
    if (!w->flow)
        return true;
    sender = arrow ? g_strndup(w->flow, (size_t)(arrow - w->flow)) : g_strdup(w->flow);
    ok = matches_side(g_strstrip(sender), e, false);
    g_free(sender);
    if (ok && arrow) {
        sender = g_strstrip(g_strdup(arrow + 1));
        ok = matches_side(sender, e, true);
        g_free(sender);
    }
    return ok;
}

/* The other end of the connection, also where no frames were looked at. */
static const PlotEnd *peer_of(const PlotSink *s, const PlotEnd *e)
{
    if (e->peer)
        return e->peer;
    for (unsigned i = 0; i < plotsink_end_count(s); i++) {
        const PlotEnd *p = plotsink_end(s, i);

        if (p != e && p->proto == e->proto && p->local_port == e->remote_port &&
            p->remote_port == e->local_port && !strcmp(p->node, e->remote_name) &&
            !strcmp(p->remote_name, e->node))
            return p;
    }
    return NULL;
}

/* Of a connection that side is shown which sends more, unless the user names one. */
static bool is_shown(const PlotSink *s, unsigned i, const PlotWish *w)
{
    const PlotEnd *e = plotsink_end(s, i), *peer;

    if (e->payload == 0 || !matches(w, e))
        return false;
    if (!(w->what & (WHATS_OF_FLOWS & ~WHATS_OF_TCP)) && e->proto != 6)
        return false;
    if (w->host || w->flow)
        return true;
    peer = peer_of(s, e);
    if (!peer || peer->payload != e->payload)
        return !peer || peer->payload < e->payload;
    while (i > 0 && plotsink_end(s, i - 1) != peer)
        i--;
    return i == 0; /* it came first */
}

static void find_flows(PlotBuild *b)
{
    for (unsigned r = 0; r < b->n_runs; r++)
        for (unsigned i = 0; i < plotsink_end_count(b->runs[r].sink); i++) {
            PlotItem item = {.end = plotsink_end(b->runs[r].sink, i), .run = r};

            if (is_shown(b->runs[r].sink, i, b->wish))
                g_array_append_val(b->flows, item);
        }
}

static bool is_queue_wanted(const PlotBuild *b, const PlotQueue *q)
{
    return q->max_packets && (!b->wish->host || eventlog_matches(b->wish->host, q->node, q->device));
}

static void find_queues_of(PlotBuild *b, unsigned r)
{
    const PlotSink *s = b->runs[r].sink;
    uint64_t longest = 0, least;

    for (unsigned i = 0; i < plotsink_queue_count(s); i++)
        if (is_queue_wanted(b, plotsink_queue(s, i)))
            longest = HS_MAX(longest, plotsink_queue(s, i)->max_packets);
    least = HS_MIN(longest, (uint64_t)2);
    if (!b->wish->host)
        least = HS_MAX(least, longest / 4);
    for (unsigned i = 0; i < plotsink_queue_count(s); i++) {
        PlotItem item = {.queue = plotsink_queue(s, i), .run = r};

        if (is_queue_wanted(b, item.queue) && item.queue->max_packets >= least)
            g_array_append_val(b->queues, item);
    }
}

/* Of each run those with more than one packet, if there is any, that are not negligible beside the longest.
 */
static void find_queues(PlotBuild *b)
{
    for (unsigned r = 0; r < b->n_runs; r++)
        find_queues_of(b, r);
}

/* ---- what they are called ---- */

static char *name_flow(const PlotEnd *e, unsigned detail)
{
    char *from = plotend_name(e, false, detail >= 3);
    char *to = plotend_name(e, true, detail >= 2);
    char *name = detail ? g_strdup_printf("%s → %s", from, to) : g_strdup(from);

    g_free(from);
    g_free(to);
    return name;
}

static bool are_distinct(const GArray *items)
{
    GHashTable *seen = g_hash_table_new(g_str_hash, g_str_equal);
    bool ok = true;

    for (unsigned i = 0; i < items->len && ok; i++)
        ok = g_hash_table_add(seen, plotbuild_item(items, i)->label);
    g_hash_table_destroy(seen);
    return ok;
}

static void set_label(const PlotBuild *b, PlotItem *item, char *name, bool is_alone)
{
    const char *run = b->runs[item->run].label;

    g_free(item->label);
    item->label = !*run ? g_strdup(name) : is_alone ? g_strdup(run) : g_strdup_printf("%s: %s", run, name);
    g_free(name);
}

/* Is there at most one of them in each run? */
static bool is_one_a_run(const GArray *items)
{
    for (unsigned i = 1; i < items->len; i++)
        if (plotbuild_item(items, i)->run == plotbuild_item(items, i - 1)->run)
            return false;
    return true;
}

static void name_items(PlotBuild *b, GArray *items)
{
    bool is_alone = is_one_a_run(items);

    for (unsigned detail = items->len > 1 && !is_alone ? 0 : 2; detail <= 3; detail++) {
        for (unsigned i = 0; i < items->len; i++) {
            PlotItem *item = &g_array_index(items, PlotItem, i);

            set_label(b, item,
                      item->end ? name_flow(item->end, detail)
                                : g_strdup_printf("%s:%s", item->queue->node, item->queue->device),
                      is_alone);
        }
        if (are_distinct(items))
            break;
    }
    for (unsigned i = 0; i < items->len; i++) {
        PlotItem *item = &g_array_index(items, PlotItem, i);

        item->rgb = items->len > PLOT_CROWD ? PLOT_BLUE : plot_colour(is_alone ? item->run : i);
    }
}

static void free_items(GArray *items)
{
    for (unsigned i = 0; i < items->len; i++)
        g_free(plotbuild_item(items, i)->label);
    g_array_free(items, TRUE);
}

/* ---- nothing to draw ---- */

static char *list_flows(const PlotBuild *b)
{
    GString *text = g_string_new(NULL);
    unsigned n = 0;

    for (unsigned r = 0; r < b->n_runs; r++)
        for (unsigned i = 0; i < plotsink_end_count(b->runs[r].sink); i++) {
            const PlotEnd *e = plotsink_end(b->runs[r].sink, i);
            char *from = plotend_name(e, false, true), *to = plotend_name(e, true, true);

            if (e->payload && n++ < MAX_NAMED)
                g_string_append_printf(text, "%s%s>%s", n > 1 ? ", " : "", from, to);
            g_free(from);
            g_free(to);
        }
    if (n > MAX_NAMED)
        g_string_append_printf(text, " and %u more", n - MAX_NAMED);
    return g_string_free(text, FALSE);
}

static char *list_queues(const PlotBuild *b)
{
    GString *text = g_string_new(NULL);
    unsigned n = 0;

    for (unsigned r = 0; r < b->n_runs; r++)
        for (unsigned i = 0; i < plotsink_queue_count(b->runs[r].sink); i++, n++) {
            const PlotQueue *q = plotsink_queue(b->runs[r].sink, i);

            if (n < MAX_NAMED)
                g_string_append_printf(text, "%s%s:%s", n ? ", " : "", q->node, q->device);
        }
    if (n > MAX_NAMED)
        g_string_append_printf(text, " and %u more", n - MAX_NAMED);
    return g_string_free(text, FALSE);
}

static bool is_empty(PlotBuild *b)
{
    bool wants_flows = (b->wish->what & WHATS_OF_FLOWS) != 0;
    char *have;

    if (wants_flows && b->flows->len == 0) {
        have = list_flows(b);
        if (!*have)
            b->error = g_strdup_printf("nothing to draw: %s sends data in this run",
                                       b->wish->what & WHATS_OF_TCP ? "no TCP connection" : "nobody");
        else if (b->wish->host || b->wish->flow)
            b->error = g_strdup_printf("no flow matches \"%s\"; there %s %s",
                                       b->wish->flow ? b->wish->flow : b->wish->host,
                                       strchr(have, ',') ? "are" : "is", have);
        else
            b->error =
                g_strdup_printf("nothing to draw: no TCP connection sends data in this run; there %s %s",
                                strchr(have, ',') ? "are" : "is", have);
        g_free(have);
    } else if (!wants_flows && b->queues->len == 0) {
        have = list_queues(b);
        if (!*have)
            b->error = g_strdup("nothing to draw: no packet ever waited in a queue");
        else
            b->error = g_strdup_printf("no queue matches \"%s\"; packets waited at %s",
                                       b->wish->host ? b->wish->host : "*", have);
        g_free(have);
    }
    return b->error != NULL;
}

/* ---- axes, title ---- */

PlotUnit plotunit_time(double seconds)
{
    return seconds >= 1      ? (PlotUnit){1, "s"}
           : seconds >= 1e-3 ? (PlotUnit){1e-3, "ms"}
                             : (PlotUnit){1e-6, "µs"};
}

PlotUnit plotunit_rate(double bps)
{
    return bps >= 1e9   ? (PlotUnit){1e9, "Gbit/s"}
           : bps >= 1e6 ? (PlotUnit){1e6, "Mbit/s"}
           : bps >= 1e3 ? (PlotUnit){1e3, "kbit/s"}
                        : (PlotUnit){1, "bit/s"};
}

PlotUnit plotunit_bytes(double bytes)
{
    return bytes >= 1e9   ? (PlotUnit){1e9, "GB"}
           : bytes >= 2e6 ? (PlotUnit){1e6, "MB"}
           : bytes >= 2e3 ? (PlotUnit){1e3, "kB"}
                          : (PlotUnit){1, "B"};
}

double plotbuild_x(const PlotBuild *b, SimTime t)
{
    return (double)t / b->unit;
}

static void last_time(const PlotSeries *s, SimTime *t)
{
    const PlotPoint *p = plotseries_last(s);

    if (p && p->t > *t)
        *t = p->t;
}

/* The time that was asked for may lie beside all that happened. */
static void tell_nothing(PlotBuild *b)
{
    char from[UNITS_STR_LEN], to[UNITS_STR_LEN];
    SimTime until = 0;

    for (unsigned r = 0; r < b->n_runs; r++)
        until = HS_MAX(until, plotsink_until(b->runs[r].sink));
    units_format_time(until, to);
    if (b->wish->from >= until)
        b->error = g_strdup_printf("nothing to draw from %s on: the run ends at %s",
                                   units_format_time(b->wish->from, from), to);
    else if (b->wish->from || b->wish->to != SIM_NEVER)
        b->error = g_strdup_printf("nothing to draw of %s from %s to %s", b->figure->missing,
                                   units_format_time(b->wish->from, from),
                                   b->wish->to < until ? units_format_time(b->wish->to, to) : to);
    else if (!(b->wish->what & WHATS_OF_FLOWS))
        b->error = g_strdup("nothing to draw: no packet ever waited in a queue");
    else
        b->error = g_strdup_printf("nothing to draw: this run has nothing of %s", b->figure->missing);
}

static void choose_time(PlotBuild *b)
{
    SimTime last = 0;

    for (unsigned i = 0; i < b->flows->len; i++) {
        const PlotEnd *e = plotbuild_item(b->flows, i)->end;

        for (unsigned k = 0; k < PLOT_END_SERIES; k++)
            last_time(&e->s[k], &last);
        last = HS_MAX(last, HS_MAX(e->received.last, e->useful.last));
    }
    for (unsigned i = 0; i < b->queues->len; i++)
        last_time(&plotbuild_item(b->queues, i)->queue->length, &last);
    b->from = b->wish->from;
    b->to = b->wish->to == SIM_NEVER ? last : b->wish->to;
    if (b->to <= b->from)
        b->to = b->from + SIM_MS;
    b->unit = plotunit_time((double)b->to / 1e9).factor * 1e9;
    b->thin = (b->to - b->from) / PLOT_COLUMNS;
    b->figure->min = plotbuild_x(b, b->from);
    b->figure->max = plotbuild_x(b, b->to);
    b->figure->may_extend = b->wish->to == SIM_NEVER;
    b->figure->axis = g_strdup_printf("Time (%s)", plotunit_time((double)b->to / 1e9).name);
}

/* Of one run; of several they would be said several times. */
static void add_notes(PlotBuild *b)
{
    for (unsigned i = 0; i < plotsink_note_count(b->runs[0].sink) && b->n_runs == 1; i++) {
        SimTime t;
        const char *text = plotsink_note(b->runs[0].sink, i, &t);

        if (t >= b->from && t <= b->to)
            plotfigure_add_note(b->figure, plotbuild_x(b, t), text);
    }
}

/* Was the panel that would show it left out? */
static bool is_missing(const PlotBuild *b, PlotWhat what)
{
    const char *panel = what <= PLOT_INFLIGHT                              ? "cwnd"
                        : what == PLOT_RTO && plotbuild_wants(b, PLOT_RTT) ? "rtt"
                                                                           : plot_whats[what].name;

    return b->figure->missing && strstr(b->figure->missing, panel);
}

static char *make_title(const PlotBuild *b)
{
    GString *title = g_string_new(NULL);
    char *stem = g_path_get_basename(b->scenario);
    unsigned n = 0;

    if (g_str_has_suffix(stem, ".lua"))
        stem[strlen(stem) - 4] = 0;
    for (unsigned i = 0; i < PLOT_WHATS; i++) {
        char *name;

        if (!plotbuild_wants(b, (PlotWhat)i) || is_missing(b, (PlotWhat)i))
            continue;
        name = g_strdup(plot_whats[i].title);
        if (n)
            name[0] = g_ascii_tolower(name[0]);
        g_string_append_printf(title, "%s%s", n++ ? ", " : "", strncmp(name, "rTT", 3) ? name : "RTT");
        g_free(name);
    }
    if (b->wish->cdf)
        g_string_append(title, ", distribution");
    if (title->len > TITLE_MAX) /* the panels say what they show */
        g_string_assign(title, stem);
    else
        g_string_append_printf(title, ": %s", stem);
    g_free(stem);
    return g_string_free(title, FALSE);
}

char *plot_what_stem(uint32_t what)
{
    GString *text = g_string_new(NULL);

    for (unsigned i = 0; i < PLOT_WHATS; i++)
        if (what & PLOT_BIT(i))
            g_string_append_printf(text, "%s%s", text->len ? "-" : "", plot_whats[i].name);
    return g_string_free(text, FALSE);
}

static char *name_crowd(unsigned n)
{
    unsigned every = plotbuild_every(n);

    return every > 1 ? g_strdup_printf("%u flows, lines of %u of them", n, (n + every - 1) / every)
                     : g_strdup_printf("%u flows", n);
}

PlotFigure *plot_build(const PlotRun *runs, unsigned n_runs, const char *scenario, char **error)
{
    PlotBuild b = {.runs = runs, .n_runs = n_runs, .wish = plotsink_wish(runs[0].sink), .scenario = scenario};

    b.flows = g_array_new(FALSE, TRUE, sizeof(PlotItem));
    b.queues = g_array_new(FALSE, TRUE, sizeof(PlotItem));
    find_flows(&b);
    find_queues(&b);
    if (!is_empty(&b)) {
        name_items(&b, b.flows);
        name_items(&b, b.queues);
        b.all_flows = b.flows;
        b.all_queues = b.queues;
        b.figure = plotfigure_new();
        plotfigure_set_look(b.figure, &b.wish->look);
        choose_time(&b);
        if (b.flows->len == 1)
            b.figure->subtitle = name_flow(plotbuild_item(b.flows, 0)->end, 2);
        else if (b.flows->len > PLOT_CROWD)
            b.figure->subtitle = name_crowd(b.flows->len);
        if (b.wish->cdf)
            plotcdf_add(&b);
        else {
            plotpanels_add(&b);
            add_notes(&b);
        }
        plotfigure_drop_empty(b.figure);
        if (b.figure->panels->len == 0 && !b.error)
            tell_nothing(&b);
        b.figure->title = b.wish->title ? g_strdup(b.wish->title) : make_title(&b);
        plotfigure_settle(b.figure);
    }
    free_items(b.flows);
    free_items(b.queues);
    if (b.error) {
        plotfigure_free(b.figure);
        *error = b.error;
        return NULL;
    }
    return b.figure;
}
