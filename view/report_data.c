/* The run as the page reads it. One object; columns instead of rows, and times as distances in nanoseconds,
 * because there may be a hundred thousand of each.
 *
 *   title scenario version seed lang end cut from to
 *   params [[name, value]]   expects [[name, ok, detail]]   words [[text, in Chinese]]   lanes [node]
 *   nodes  [[name, kind]]    points [[node, name]]          addresses [[node, dev, address]]
 *   links  [[name, [node, node], [rate, rate], [delay, delay]]]
 *   flows  [[proto, [addr, addr], [port, port], [node, node], [isn, isn], [wscale, wscale]]]
 *   conns  [[node, id, flow, side, local port, remote address, remote port]]
 *   packets {…}   one entry for each packet with other bytes; report_packets.c
 *   flights {p, a, b, l, r}  packet, points, link, reason (a string); b and l -1: none, r -1: not lost
 *   moments {t, k, i}        what happened, in order: k 0 flight i sent, 1 received, 2 lost, 3 event i
 *   events [[type, node, …]] see EVENT_TITLE and the others below
 *   series                   report_series.c
 *   strings                  everything that is told by number
 */
#include "view/report_data.h"

#include <string.h>

#include "models/wire/tcp.h"
#include "view/report_packets.h"
#include "view/report_series.h"
#include "view/story_segment.h"

/* Of more timers only those that fire are told: long runs arm one with each segment. */
#define MAX_TIMERS 40000

enum { MOMENT_SENT, MOMENT_RECEIVED, MOMENT_LOST, MOMENT_EVENT };

/* Names of the types of events, with their values behind [type, node]. */
enum {
    EVENT_TITLE,    /* text, text in Chinese or -1 */
    EVENT_NOTE,     /* likewise */
    EVENT_LOG,      /* likewise */
    EVENT_STATE,    /* conn, old, new */
    EVENT_TIMER,    /* conn, timer, what, at (ns; -1 never) */
    EVENT_RECOVERY, /* conn, what */
    EVENT_REFUSED,  /* conn (-1: none), reason */
    EVENT_LINK,     /* point, up */
    EVENT_DROP,     /* packet, reason: inside the node */
};

typedef struct Writer {
    const Story *story;
    const ReportConfig *config;
    ReportJson *j;
    ReportStrings strings;
    ReportPackets *packets;
    GArray *flight_of; /* story's -> ours + 1, 0: none */
    GArray *fp, *fa, *fb, *fl, *fr;
    GArray *mt, *mk, *mi;
    GArray *events; /* int64_t, each with its length in front */
    int64_t n_events;
    int64_t n_timers; /* records of timers */
    /* For each side of each flow, whether its first SYN-ACK was told, and the SYN-RECEIVED that it began. */
    bool *has_answered;
    const StoryRecord **received;
    guint last_say; /* place in events of the Chinese of what was said last; 0: nothing was */
} Writer;

static GArray *numbers(void)
{
    return g_array_new(FALSE, FALSE, sizeof(int64_t));
}

static void push(GArray *a, int64_t v)
{
    g_array_append_val(a, v);
}

/* ---- moments ---- */

static void add_moment(Writer *w, SimTime time, int kind, int64_t index)
{
    push(w->mt, time);
    push(w->mk, kind);
    push(w->mi, index);
}

static void add_event(Writer *w, const StoryRecord *r, int type, const int64_t *value, unsigned n)
{
    push(w->events, n + 2);
    push(w->events, type);
    push(w->events, r->node);
    for (unsigned i = 0; i < n; i++)
        push(w->events, value[i]);
    add_moment(w, r->time, MOMENT_EVENT, w->n_events++);
}

static int64_t string(Writer *w, const char *text)
{
    return report_strings_add(&w->strings, text);
}

static void add_flight_end(Writer *w, const StoryRecord *r)
{
    const StoryFlight *f = r->flight == STORY_NONE ? NULL : story_flight(w->story, r->flight);
    bool is_drop = story_is(r, "frame.drop");
    const StoryRecord *tx = f && f->tx != STORY_NONE ? story_record(w->story, f->tx) : NULL;
    /* On a shared medium, whose points know no link, a drop at another point comes after the arrival there.
     */
    bool is_inside = is_drop && (!tx || (tx->link == STORY_NONE && tx->point != r->point));
    int64_t known = f ? g_array_index(w->flight_of, int64_t, r->flight) : 0;

    if (!known && !is_inside && tx &&
        tx->time >= w->config->from) { /* one more receiver on a shared medium */
        known = (int64_t)w->fp->len + 1;
        g_array_index(w->flight_of, int64_t, r->flight) = known;
        push(w->fp, report_packets_add(w->packets, f->packet));
        push(w->fa, story_record(w->story, f->tx)->point);
        push(w->fb, -1);
        push(w->fl, -1);
        push(w->fr, -1);
    }
    if (known && !is_inside) {
        g_array_index(w->fb, int64_t, known - 1) = is_drop ? -1 : r->point;
        if (is_drop)
            g_array_index(w->fr, int64_t, known - 1) = string(w, story_str(r, "reason"));
        add_moment(w, r->time, is_drop ? MOMENT_LOST : MOMENT_RECEIVED, known - 1);
    } else if (is_inside) {
        int64_t value[] = {report_packets_add(w->packets, r->packet), string(w, story_str(r, "reason"))};

        add_event(w, r, EVENT_DROP, value, 2);
    }
}

static bool shows_flow(const Writer *w, int32_t flow)
{
    return !w->config->shows_flow || (flow != STORY_NONE && w->config->shows_flow[flow]);
}

/* As in Linux a connection comes to be when the handshake is complete, and its first state is then told; but
 * the request was remembered since its SYN was answered, and `ss` shows it as SYN-RECV. Told then, unless the
 * answer was a SYN cookie, which is there to remember nothing. */
static int64_t state_side(const Writer *w, const StoryRecord *r)
{
    int32_t conn = story_is(r, "tcp.state") && !strcmp(story_str(r, "new"), "SYN-RECEIVED") &&
                           !strcmp(story_str(r, "old"), "CLOSED")
                       ? story_conn_of(w->story, r)
                       : STORY_NONE;
    const StoryConn *c = conn == STORY_NONE ? NULL : story_conn(w->story, conn);

    return c && c->flow != STORY_NONE ? 2 * (int64_t)c->flow + c->side : -1;
}

static void add_state(Writer *w, const StoryRecord *r, SimTime time)
{
    int64_t value[] = {story_conn_of(w->story, r), string(w, story_str(r, "old")),
                       string(w, story_str(r, "new"))};

    add_event(w, r, EVENT_STATE, value, 3);
    g_array_index(w->mt, int64_t, w->mt->len - 1) = time;
}

static void add_answer(Writer *w, const StoryRecord *r)
{
    const StoryPacket *p = story_packet(w->story, r->packet);
    int64_t side = p->flow == STORY_NONE ? -1 : 2 * (int64_t)p->flow + p->side;
    StorySegment seg;

    if (side < 0 || w->has_answered[side] || p->is_cookie || r->node != p->birth_node ||
        !story_segment(p, &seg) || !seg.has_ports || (seg.flags & (TCP_SYN | TCP_ACK)) != (TCP_SYN | TCP_ACK))
        return;
    w->has_answered[side] = true;
    if (w->received[side])
        add_state(w, w->received[side], r->time);
}

static void add_frame(Writer *w, const StoryRecord *r)
{
    if (!shows_flow(w, story_packet(w->story, r->packet)->flow))
        return;
    if (!story_is(r, "frame.tx")) {
        add_flight_end(w, r);
        return;
    }
    g_array_index(w->flight_of, int64_t, r->flight) = (int64_t)w->fp->len + 1;
    push(w->fp, report_packets_add(w->packets, r->packet));
    push(w->fa, r->point);
    push(w->fb, -1);
    push(w->fl, r->link);
    push(w->fr, -1);
    add_moment(w, r->time, MOMENT_SENT, (int64_t)w->fp->len - 1);
    add_answer(w, r);
}

static void add_saying(Writer *w, const StoryRecord *r)
{
    const char *kind = story_str(r, "kind");
    int type = !strcmp(kind, "title") ? EVENT_TITLE : !strcmp(kind, "note") ? EVENT_NOTE : EVENT_LOG;

    add_event(w, r, type, (int64_t[]){string(w, story_str(r, "text")), -1}, 2);
    w->last_say = w->events->len - 1;
}

/* Of what was said right before, if that is within the time that is shown. */
static void add_translation(Writer *w, const StoryRecord *r)
{
    if (w->last_say && !strcmp(story_str(r, "lang"), "zh"))
        g_array_index(w->events, int64_t, w->last_say) = string(w, story_str(r, "text"));
    w->last_say = 0;
}

static void add_tcp(Writer *w, const StoryRecord *r)
{
    int64_t value[4] = {story_conn_of(w->story, r)};
    const ProbeValue *at;

    if (!shows_flow(w, value[0] == STORY_NONE ? STORY_NONE : story_conn(w->story, (int32_t)value[0])->flow))
        return;
    if (story_is(r, "tcp.state")) {
        int64_t side = state_side(w, r);

        if (side < 0 || !w->has_answered[side] || w->received[side] != r)
            add_state(w, r, r->time);
    } else if (story_is(r, "tcp.timer")) {
        if (w->n_timers > MAX_TIMERS && strcmp(story_str(r, "what"), "fired") != 0)
            return;
        at = story_value(r, "at", NULL);
        value[1] = string(w, story_str(r, "timer"));
        value[2] = string(w, story_str(r, "what"));
        value[3] = at && at->i >= 0 && at->i != SIM_NEVER ? at->i : -1;
        add_event(w, r, EVENT_TIMER, value, 4);
    } else if (story_is(r, "tcp.recovery")) {
        value[1] = string(w, story_str(r, "what"));
        add_event(w, r, EVENT_RECOVERY, value, 2);
    } else if (story_is(r, "tcp.drop")) {
        value[1] = string(w, story_str(r, "reason"));
        add_event(w, r, EVENT_REFUSED, value, 2);
    }
}

static void add_record(Writer *w, const StoryRecord *r)
{
    switch (r->desc->cls) {
    case PROBE_FRAME_TX:
    case PROBE_FRAME_RX:
    case PROBE_FRAME_DROP:
        if (r->packet != STORY_NONE)
            add_frame(w, r);
        break;
    case PROBE_LOG:
        add_saying(w, r);
        break;
    case PROBE_TRANSLATION:
        add_translation(w, r);
        break;
    case PROBE_TCP:
        add_tcp(w, r);
        break;
    case PROBE_LINK:
        if (story_is(r, "link.state"))
            add_event(w, r, EVENT_LINK, (int64_t[]){r->point, story_value(r, "up", NULL)->u != 0}, 2);
        break;
    default:
        break;
    }
}

/* ---- lists ---- */

static void write_pair(ReportJson *j, int64_t a, int64_t b)
{
    report_json_begin(j, '[');
    report_json_int(j, a);
    report_json_int(j, b);
    report_json_end(j, ']');
}

/* Nodes that the bus knows nothing of, hubs for instance, are at the ends of links. */
static void write_silent_nodes(const Writer *w)
{
    GHashTable *told = g_hash_table_new(g_str_hash, g_str_equal);

    for (unsigned i = 0; i < 2 * w->config->n_links; i++) {
        const ReportLink *l = &w->config->link[i / 2];

        if (story_node_by_name(w->story, l->end[i % 2]) != STORY_NONE ||
            !g_hash_table_add(told, (gpointer)l->end[i % 2]))
            continue;
        report_json_begin(w->j, '[');
        report_json_str(w->j, l->end[i % 2]);
        report_json_str(w->j, l->kind[i % 2]);
        report_json_end(w->j, ']');
    }
    g_hash_table_destroy(told);
}

static void write_nodes(const Writer *w)
{
    ReportJson *j = w->j;

    report_json_key(j, "nodes");
    report_json_begin(j, '[');
    for (int32_t i = 0; i < story_node_count(w->story); i++) {
        report_json_begin(j, '[');
        report_json_str(j, story_node(w->story, i)->name);
        report_json_str(j, story_node(w->story, i)->kind);
        report_json_end(j, ']');
    }
    write_silent_nodes(w);
    report_json_end(j, ']');
    report_json_key(j, "points");
    report_json_begin(j, '[');
    for (int32_t i = 0; i < story_point_count(w->story); i++) {
        report_json_begin(j, '[');
        report_json_int(j, story_point(w->story, i)->node);
        report_json_str(j, story_point(w->story, i)->name);
        report_json_end(j, ']');
    }
    report_json_end(j, ']');
}

static void write_links(const Writer *w)
{
    const ReportConfig *c = w->config;
    ReportJson *j = w->j;

    report_json_key(j, "links");
    report_json_begin(j, '[');
    for (unsigned i = 0; i < c->n_links; i++) {
        const ReportLink *l = &c->link[i];

        report_json_begin(j, '[');
        report_json_str(j, l->name);
        report_json_begin(j, '[');
        report_json_str(j, l->end[0]);
        report_json_str(j, l->end[1]);
        report_json_end(j, ']');
        write_pair(j, (int64_t)l->rate_bps[0], (int64_t)l->rate_bps[1]);
        write_pair(j, l->delay[0], l->delay[1]);
        report_json_end(j, ']');
    }
    report_json_end(j, ']');
    report_json_key(j, "addresses");
    report_json_begin(j, '[');
    for (unsigned i = 0; i < c->n_addresses; i++) {
        report_json_begin(j, '[');
        report_json_str(j, c->address[i].node);
        report_json_str(j, c->address[i].dev);
        report_json_str(j, c->address[i].text);
        report_json_end(j, ']');
    }
    report_json_end(j, ']');
}

static void write_flows(const Writer *w)
{
    ReportJson *j = w->j;

    report_json_key(j, "flows");
    report_json_begin(j, '[');
    for (int32_t i = 0; i < story_flow_count(w->story); i++) {
        const StoryFlow *f = story_flow(w->story, i);

        report_json_begin(j, '[');
        report_json_int(j, f->proto);
        report_json_begin(j, '[');
        report_json_str(j, f->addr[0]);
        report_json_str(j, f->addr[1]);
        report_json_end(j, ']');
        write_pair(j, f->port[0], f->port[1]);
        write_pair(j, f->node[0], f->node[1]);
        write_pair(j, f->isn[0], f->isn[1]);
        write_pair(j, f->wscale[0], f->wscale[1]);
        report_json_end(j, ']');
    }
    report_json_end(j, ']');
    report_json_key(j, "conns");
    report_json_begin(j, '[');
    for (int32_t i = 0; i < story_conn_count(w->story); i++) {
        const StoryConn *c = story_conn(w->story, i);

        report_json_begin(j, '[');
        report_json_int(j, c->node);
        report_json_uint(j, c->id);
        report_json_int(j, c->flow);
        report_json_int(j, c->side);
        report_json_int(j, c->local_port);
        report_json_str(j, c->remote);
        report_json_int(j, c->remote_port);
        report_json_end(j, ']');
    }
    report_json_end(j, ']');
}

static void write_config(const Writer *w)
{
    const ReportConfig *c = w->config;
    ReportJson *j = w->j;

    report_json_key(j, "params");
    report_json_begin(j, '[');
    for (unsigned i = 0; i < c->n_params; i++) {
        report_json_begin(j, '[');
        report_json_str(j, c->param[i].name);
        report_json_str(j, c->param[i].value);
        report_json_end(j, ']');
    }
    report_json_end(j, ']');
    report_json_key(j, "expects");
    report_json_begin(j, '[');
    for (unsigned i = 0; i < c->n_expects; i++) {
        report_json_begin(j, '[');
        report_json_str(j, c->expect[i].name);
        report_json_bool(j, c->expect[i].ok);
        report_json_str(j, c->expect[i].detail);
        report_json_end(j, ']');
    }
    report_json_end(j, ']');
    report_json_key(j, "words");
    report_json_begin(j, '[');
    for (unsigned i = 0; i < c->n_words; i++) {
        report_json_begin(j, '[');
        report_json_str(j, c->word[i].en);
        report_json_str(j, c->word[i].zh);
        report_json_end(j, ']');
    }
    report_json_end(j, ']');
    report_json_key(j, "lanes");
    report_json_begin(j, '[');
    for (unsigned i = 0; i < c->n_lanes; i++)
        report_json_int(j, c->lane[i]);
    report_json_end(j, ']');
}

const char *report_data_title(const Story *story, const ReportConfig *config)
{
    if (config->title)
        return config->title;
    for (int32_t i = 0; i < story_record_count(story); i++) {
        const StoryRecord *r = story_record(story, i);

        if (r->desc->cls == PROBE_LOG && !strcmp(story_str(r, "kind"), "title"))
            return story_str(r, "text");
    }
    return config->scenario;
}

static void write_head(const Writer *w)
{
    const ReportConfig *c = w->config;
    ReportJson *j = w->j;
    char seed[24];

    g_snprintf(seed, sizeof(seed), "%" G_GUINT64_FORMAT, c->seed);
    report_json_key(j, "title");
    report_json_str(j, report_data_title(w->story, c));
    report_json_key(j, "own_title");
    report_json_bool(j, c->title != NULL);
    report_json_key(j, "scenario");
    report_json_str(j, c->scenario);
    report_json_key(j, "version");
    report_json_str(j, HS_VERSION);
    report_json_key(j, "seed");
    report_json_str(j, seed);
    report_json_key(j, "lang");
    report_json_str(j, c->lang);
    report_json_key(j, "end");
    report_json_int(j, story_end(w->story));
    report_json_key(j, "cut");
    report_json_bool(j, story_is_cut(w->story));
    report_json_key(j, "from");
    report_json_int(j, c->from);
    report_json_key(j, "to");
    report_json_int(j, c->to == SIM_NEVER ? -1 : c->to);
}

static void write_moments(const Writer *w)
{
    ReportJson *j = w->j;
    const int64_t *e = (const int64_t *)(const void *)w->events->data;

    report_json_key(j, "flights");
    report_json_begin(j, '{');
    report_json_ints(j, "p", w->fp);
    report_json_ints(j, "a", w->fa);
    report_json_ints(j, "b", w->fb);
    report_json_ints(j, "l", w->fl);
    report_json_ints(j, "r", w->fr);
    report_json_end(j, '}');
    report_json_key(j, "linknames");
    report_json_begin(j, '[');
    for (int32_t i = 0; i < story_link_count(w->story); i++)
        report_json_str(j, story_link(w->story, i));
    report_json_end(j, ']');
    report_json_key(j, "moments");
    report_json_begin(j, '{');
    report_json_deltas(j, "t", w->mt);
    report_json_ints(j, "k", w->mk);
    report_json_ints(j, "i", w->mi);
    report_json_end(j, '}');
    report_json_key(j, "events");
    report_json_begin(j, '[');
    for (guint i = 0; i < w->events->len; i += (guint)e[i] + 1) {
        report_json_begin(j, '[');
        for (guint k = 1; k <= (guint)e[i]; k++)
            report_json_int(j, e[i + k]);
        report_json_end(j, ']');
    }
    report_json_end(j, ']');
}

void report_data_write(const Story *story, const ReportConfig *config, ReportJson *j)
{
    Writer w = {.story = story, .config = config, .j = j};
    GArray **columns[] = {&w.flight_of, &w.fp, &w.fa, &w.fb, &w.fl, &w.fr, &w.mt, &w.mk, &w.mi, &w.events};

    for (unsigned i = 0; i < HS_ARRAY_LEN(columns); i++)
        *columns[i] = numbers();
    g_array_set_size(w.flight_of, (guint)story_flight_count(story));
    memset(w.flight_of->data, 0, w.flight_of->len * sizeof(int64_t));
    report_strings_init(&w.strings);
    w.packets = report_packets_new(story, &w.strings);
    w.has_answered = g_new0(bool, 2 * (gsize)story_flow_count(story) + 1);
    w.received = g_new0(const StoryRecord *, 2 * (gsize)story_flow_count(story) + 1);
    for (int32_t i = 0; i < story_record_count(story); i++) {
        const StoryRecord *r = story_record(story, i);
        int64_t side = r->desc->cls == PROBE_TCP ? state_side(&w, r) : -1;

        w.n_timers += story_is(r, "tcp.timer");
        if (side >= 0 && !w.received[side])
            w.received[side] = r;
    }
    for (int32_t i = 0; i < story_record_count(story); i++) {
        const StoryRecord *r = story_record(story, i);

        if (r->time >= config->from && r->time <= config->to)
            add_record(&w, r);
    }
    report_json_begin(j, '{');
    write_head(&w);
    write_config(&w);
    write_nodes(&w);
    write_links(&w);
    write_flows(&w);
    report_packets_write(w.packets, j);
    write_moments(&w);
    report_series_write(story, config, j, &w.strings);
    report_strings_write(&w.strings, j, "strings");
    report_json_end(j, '}');
    report_packets_free(w.packets);
    g_free(w.has_answered);
    g_free(w.received);
    report_strings_clear(&w.strings);
    for (unsigned i = 0; i < HS_ARRAY_LEN(columns); i++)
        g_array_free(*columns[i], TRUE);
}
