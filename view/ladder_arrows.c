/* Arrows out of crossings. A frame that runs through nodes without a lane (a switch, a router) is one arrow
 * from the last lane that it left to the next one that it reached; where it was lost between them, the arrow
 * ends there. A flood is one arrow for each receiver, with a common beginning. */
#include <string.h>

#include "models/wire/ipv4.h"
#include "view/ladder_label.h"

#define REACH_MIN 0.15
#define REACH_MAX 0.85
#define SCAN_MAX 4096 /* crossings of one frame that are looked through: it may circle in a storm */

typedef struct Build {
    Ladder *l;
    const Story *s;
    LadderMark *marks;
    GArray **trips;    /* of each birth: its flights (int32_t), in order */
    uint32_t *part_of; /* packet -> where in its datagram it begins; 0: no later fragment */
    int32_t *trip_of;  /* packet -> trip */
    unsigned n_trips;
    int32_t *arrow_of; /* first flight -> the arrow that began with it; -1 */
    int32_t *ending;   /* flight -> the arrow that it ended; -1 */
} Build;

/* ---- which flights belong together ---- */

static void index_trips(Build *b)
{
    int32_t n = story_packet_count(b->s);
    GHashTable *births = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);

    b->trip_of = g_new(int32_t, n + 1);
    b->part_of = g_new(uint32_t, n + 1);
    for (int32_t i = 0; i < n; i++) {
        const StoryPacket *p = story_packet(b->s, i);
        gint64 key = (gint64)p->birth * (story_node_count(b->s) + 1) + p->birth_node;
        gpointer known = g_hash_table_lookup(births, &key);
        StorySegment seg;

        if (!known) {
            known = GINT_TO_POINTER((gint)++b->n_trips);
            g_hash_table_insert(births, g_memdup2(&key, sizeof(key)), known);
        }
        b->trip_of[i] = GPOINTER_TO_INT(known) - 1;
        b->part_of[i] = story_segment(p, &seg) ? seg.fragment_offset : 0;
    }
    g_hash_table_destroy(births);
    b->trips = g_new0(GArray *, b->n_trips + 1);
    for (int32_t i = 0; i < story_flight_count(b->s); i++) {
        GArray **trip = &b->trips[b->trip_of[story_flight(b->s, i)->packet]];

        if (!*trip)
            *trip = g_array_new(FALSE, FALSE, sizeof(int32_t));
        g_array_append_val(*trip, i);
    }
}

static int32_t place_at(const Build *b, int32_t record)
{
    return story_record(b->s, record)->node;
}

/* Where a flight stands in its trip; flights are numbered in order. */
static guint position_in(const GArray *trip, int32_t flight)
{
    guint low = 0, high = trip->len;

    while (low < high) {
        guint middle = (low + high) / 2;

        if (g_array_index(trip, int32_t, middle) < flight)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The crossing that brought the packet to the node, before that record; the last one, and of fragments, which
 * have one birth, the last one of the same part of the datagram if there is one: a router may have cut it. */
static int32_t arrival_before(const Build *b, int32_t flight, int32_t node, int32_t record)
{
    int32_t packet = story_flight(b->s, flight)->packet, any = STORY_NONE;
    const GArray *trip = b->trips[b->trip_of[packet]];
    guint at = position_in(trip, flight), stop = at > SCAN_MAX ? at - SCAN_MAX : 0;

    while (at-- > stop) {
        int32_t other = g_array_index(trip, int32_t, at);
        const StoryFlight *f = story_flight(b->s, other);

        if (f->end == STORY_NONE || f->is_lost || f->end >= record || place_at(b, f->end) != node)
            continue;
        if (b->part_of[f->packet] == b->part_of[packet])
            return other;
        if (any == STORY_NONE)
            any = other;
    }
    return any;
}

static bool goes_on(const Build *b, int32_t flight)
{
    const StoryFlight *f = story_flight(b->s, flight);
    const GArray *trip = b->trips[b->trip_of[f->packet]];
    guint at = position_in(trip, flight), stop = HS_MIN(at + SCAN_MAX, trip->len);

    for (; at < stop; at++) {
        const StoryFlight *g = story_flight(b->s, g_array_index(trip, int32_t, at));
        int32_t begin = g->tx != STORY_NONE ? g->tx : g->end;

        if (begin > f->end && place_at(b, begin) == place_at(b, f->end))
            return true;
    }
    return false;
}

/* Back to the crossing that left a lane. NONE: the packet was born where no lane is. */
static int32_t first_flight(const Build *b, int32_t flight, unsigned *hops)
{
    *hops = 0;
    while (flight != STORY_NONE) {
        const StoryFlight *f = story_flight(b->s, flight);
        int32_t node;

        if (f->tx == STORY_NONE || *hops > 64)
            return STORY_NONE;
        node = place_at(b, f->tx);
        if (ladder_lane_of(b->l, node) != STORY_NONE)
            return flight;
        flight = arrival_before(b, flight, node, f->tx);
        ++*hops;
    }
    return STORY_NONE;
}

/* ---- where a lost frame was heading ---- */

static int32_t far_lane(const Build *b, const StoryRecord *tx)
{
    return tx->point == STORY_NONE ? STORY_NONE : ladder_lane_of(b->l, story_point(b->s, tx->point)->far);
}

static int32_t heading(const Build *b, const LadderArrow *a, const StoryRecord *tx)
{
    StorySegment seg;
    int32_t lane = STORY_NONE;

    if (story_segment(story_packet(b->s, a->packet), &seg)) {
        gpointer owner = g_hash_table_lookup(b->l->owner_of, seg.dst);

        if (owner)
            lane = ladder_lane_of(b->l, GPOINTER_TO_INT(owner) - 1);
    }
    if ((lane == STORY_NONE || lane == a->from) && tx)
        lane = far_lane(b, tx);
    if (lane == STORY_NONE || lane == a->from)
        lane = a->from + 1 < ladder_lane_count(b->l) ? a->from + 1 : a->from - 1;
    return lane;
}

/* ---- arrows ---- */

static void add_event(Build *b, LadderEventKind kind, int32_t arrow, int32_t lane, int32_t order,
                      SimTime time, const char *text)
{
    LadderEvent e = {time, order, kind, arrow, lane, LADDER_PLAIN, text};

    if (arrow != STORY_NONE)
        e.tone = LADDER_AT(b->l->arrows, LadderArrow, arrow)->tone;
    if (kind == LADDER_EV_DROP)
        e.tone = LADDER_LOST;
    g_array_append_val(b->l->events, e);
}

static bool is_wanted(const Build *b, int32_t packet, SimTime sent)
{
    return ladder_shows_packet(b->l, story_packet(b->s, packet)) && sent >= b->l->config.from &&
           sent <= b->l->config.to;
}

static void put_words(Build *b, LadderArrow *a, bool is_copy)
{
    LadderLabel label = {.text = g_string_new(NULL)};

    ladder_label(b->l, a->packet, &b->marks[a->packet], &label);
    if (is_copy) {
        char *newline = strchr(label.text->str, '\n');

        g_string_insert(label.text, newline ? newline - label.text->str : -1, ", duplicate");
        label.is_marked = true;
    }
    a->label = ladder_keep(b->l, label.text->str);
    a->tone = label.tone;
    a->payload = label.payload;
    a->is_marked |= label.is_marked;
    g_string_free(label.text, TRUE);
}

/* A link sent it a second time: the same packet left the same place in the same instant. */
static bool is_copy(const Build *b, int32_t flight)
{
    const StoryFlight *f = story_flight(b->s, flight);
    const GArray *trip = b->trips[b->trip_of[f->packet]];

    guint at = position_in(trip, flight), stop = at > SCAN_MAX ? at - SCAN_MAX : 0;

    for (guint i = stop; i < at; i++) {
        const StoryFlight *g = story_flight(b->s, g_array_index(trip, int32_t, i));

        if (g->tx != STORY_NONE && g->tx != f->tx && g->packet == f->packet &&
            story_record(b->s, g->tx)->point == story_record(b->s, f->tx)->point &&
            story_record(b->s, g->tx)->link != STORY_NONE &&
            story_record(b->s, g->tx)->time == story_record(b->s, f->tx)->time)
            return true;
    }
    return false;
}

static int32_t add_arrow(Build *b, LadderArrow *a, int32_t first, int32_t flight)
{
    const StoryFlight *f = story_flight(b->s, flight);
    int32_t index = (int32_t)b->l->arrows->len;

    a->flow = story_packet(b->s, a->packet)->flow;
    a->lead = first == STORY_NONE ? STORY_NONE : b->arrow_of[first];
    a->end = f->end;
    a->ended = f->end == STORY_NONE ? story_end(b->s) : story_record(b->s, f->end)->time;
    a->is_marked |= a->is_lost || a->is_open;
    if (!a->loss)
        a->loss = "";
    if (a->lead == STORY_NONE) {
        put_words(b, a, first != STORY_NONE && is_copy(b, first));
    } else {
        LadderArrow *lead = LADDER_AT(b->l->arrows, LadderArrow, a->lead);

        a->label = "";
        a->tone = lead->tone;
        a->payload = lead->payload;
        lead->is_marked |= a->is_marked;
    }
    g_array_append_val(b->l->arrows, *a);
    if (first != STORY_NONE && b->arrow_of[first] == STORY_NONE)
        b->arrow_of[first] = index;
    b->ending[flight] = index;
    if (a->lead == STORY_NONE)
        add_event(b, LADDER_EV_SEND, index, a->from, a->tx, a->sent, a->label);
    add_event(b, LADDER_EV_END, index, a->to,
              f->end == STORY_NONE ? story_record_count(b->s) + index : f->end, a->ended, a->loss);
    return index;
}

static double clamp_reach(double reach)
{
    return reach < REACH_MIN ? REACH_MIN : reach > REACH_MAX ? REACH_MAX : reach;
}

static const char *loss_words(Build *b, const StoryRecord *drop, bool is_between)
{
    const char *reason = story_str(drop, "reason");

    if (is_between)
        return ladder_keep_printf(b->l, "%s at %s", reason, story_node(b->s, drop->node)->name);
    return ladder_keep(b->l, reason);
}

/* Dropped where it was made, before it was sent. */
static void add_stillborn(Build *b, int32_t flight)
{
    const StoryFlight *f = story_flight(b->s, flight);
    const StoryRecord *drop = story_record(b->s, f->end);
    LadderArrow a = {.packet = f->packet,
                     .from = ladder_lane_of(b->l, drop->node),
                     .tx = f->end,
                     .sent = drop->time,
                     .is_lost = true,
                     .reach = REACH_MIN};

    if (a.from == STORY_NONE || !is_wanted(b, f->packet, a.sent))
        return;
    a.to = heading(b, &a, drop);
    a.loss = loss_words(b, drop, false);
    add_arrow(b, &a, STORY_NONE, flight);
}

static bool is_broadcast(const StoryPacket *p)
{
    return p->linktype == 1 && p->kept >= 6 && p->bytes[0] & 1;
}

static bool was_sent_by(const Build *b, int32_t flight, int32_t node)
{
    const GArray *trip = b->trips[b->trip_of[story_flight(b->s, flight)->packet]];
    const StoryFlight *first = story_flight(b->s, g_array_index(trip, int32_t, 0));

    return first->tx != STORY_NONE && place_at(b, first->tx) == node;
}

/* Inside a node that it had reached: a host, or a router on the way. Returns false if it had reached none. */
static bool add_inner_drop(Build *b, int32_t flight)
{
    const StoryFlight *f = story_flight(b->s, flight);
    const StoryRecord *drop = story_record(b->s, f->end);
    int32_t before = arrival_before(b, flight, drop->node, f->end), lane = ladder_lane_of(b->l, drop->node);
    const char *reason = story_str(drop, "reason");
    LadderArrow a = {.is_lost = true};
    int32_t first;
    unsigned hops, total;

    if (before == STORY_NONE) {
        if (lane == STORY_NONE || !was_sent_by(b, flight, drop->node))
            return false;
        if (is_wanted(b, f->packet, drop->time)) /* its own copy of a broadcast */
            add_event(b, LADDER_EV_DROP, STORY_NONE, lane, f->end, drop->time, ladder_keep(b->l, reason));
        return true;
    }
    if (lane != STORY_NONE) {
        int32_t arrow = b->ending[before];

        if (arrow == STORY_NONE)
            return true;
        if (!strcmp(reason, probe_drop_name(DROP_NOT_FOR_ME))) {
            LadderArrow *seen = LADDER_AT(b->l->arrows, LadderArrow, arrow);

            seen->is_hidden |= !is_broadcast(story_packet(b->s, seen->packet)) && !b->l->config.hops;
            return true;
        }
        LADDER_AT(b->l->arrows, LadderArrow, arrow)->is_marked = true;
        add_event(b, LADDER_EV_DROP, arrow, lane, f->end, drop->time, ladder_keep(b->l, reason));
        return true;
    }
    first = first_flight(b, before, &hops);
    if (first == STORY_NONE) {
        b->l->n_hidden++;
        return true;
    }
    a.tx = story_flight(b->s, first)->tx;
    a.packet = story_flight(b->s, first)->packet;
    a.from = ladder_lane_of(b->l, place_at(b, a.tx));
    a.sent = story_record(b->s, a.tx)->time;
    if (!is_wanted(b, a.packet, a.sent))
        return true;
    a.to = heading(b, &a, story_record(b->s, a.tx));
    total = ladder_distance(b->l, a.from, a.to);
    a.reach = clamp_reach((double)(hops + 1) / (double)HS_MAX(total, hops + 2));
    a.loss = loss_words(b, drop, true);
    add_arrow(b, &a, first, flight);
    return true;
}

/* Frames collided and this sending came to nothing; the station tries again. */
static bool is_collision(const Build *b, int32_t flight)
{
    const StoryFlight *f = story_flight(b->s, flight);
    const GArray *trip = b->trips[b->trip_of[f->packet]];

    if (f->end != STORY_NONE || story_record(b->s, f->tx)->link != STORY_NONE)
        return false;
    for (guint i = position_in(trip, flight); i < trip->len; i++) {
        const StoryFlight *g = story_flight(b->s, g_array_index(trip, int32_t, i));

        if (g->tx > f->tx && story_record(b->s, g->tx)->point == story_record(b->s, f->tx)->point)
            return true;
    }
    return false;
}

static void add_flight(Build *b, int32_t flight)
{
    const StoryFlight *f = story_flight(b->s, flight);
    const StoryRecord *end = f->end == STORY_NONE ? NULL : story_record(b->s, f->end);
    LadderArrow a = {.is_lost = f->is_lost, .is_open = !end, .reach = 1};
    const StoryRecord *last;
    unsigned hops, total;
    int32_t first;

    if (f->is_lost && (f->tx == STORY_NONE || (end->node != place_at(b, f->tx) &&
                                               arrival_before(b, flight, end->node, f->end) != STORY_NONE))) {
        if (!add_inner_drop(b, flight))
            add_stillborn(b, flight);
        return;
    }
    if (f->tx == STORY_NONE)
        return; /* it was sent before anybody looked */
    first = first_flight(b, flight, &hops);
    if (first == STORY_NONE) {
        b->l->n_hidden += hops == 0 || !end;
        return;
    }
    a.tx = story_flight(b->s, first)->tx;
    a.packet = story_flight(b->s, first)->packet;
    a.from = ladder_lane_of(b->l, place_at(b, a.tx));
    a.sent = story_record(b->s, a.tx)->time;
    if (!is_wanted(b, a.packet, a.sent))
        return;
    last = story_record(b->s, f->tx);
    if (end && !f->is_lost) {
        a.to = ladder_lane_of(b->l, end->node);
        if (a.to == STORY_NONE)
            b->l->n_hidden += !goes_on(b, flight);
        if (a.to == STORY_NONE || a.to == a.from)
            return;
    } else {
        a.to = heading(b, &a, last);
        total = ladder_distance(b->l, a.from, a.to);
        a.reach = clamp_reach((hops + 0.5) / (double)HS_MAX(total, hops + 1));
        if (f->is_lost)
            a.loss = loss_words(b, end, hops > 0);
        else if (is_collision(b, flight)) {
            a.is_lost = true;
            a.is_open = false;
            a.loss = "collision";
        } else
            a.loss = b->l->config.is_running ? "on its way" : "on its way when the run ended";
    }
    add_arrow(b, &a, first, flight);
}

static void drop_events_of_unseen(Ladder *l)
{
    bool *leads = g_new0(bool, l->arrows->len + 1);
    guint kept = 0;

    for (guint i = 0; i < l->arrows->len; i++) {
        const LadderArrow *a = LADDER_AT(l->arrows, LadderArrow, i);

        if (a->lead != STORY_NONE && !a->is_hidden)
            leads[a->lead] = true;
    }
    for (guint i = 0; i < l->events->len; i++) {
        LadderEvent e = g_array_index(l->events, LadderEvent, i);

        if (e.arrow != STORY_NONE && LADDER_AT(l->arrows, LadderArrow, e.arrow)->is_hidden) {
            /* The others of a broadcast still need its beginning. */
            if (e.kind != LADDER_EV_SEND || !leads[e.arrow])
                continue;
        }
        g_array_index(l->events, LadderEvent, kept++) = e;
    }
    g_array_set_size(l->events, kept);
    g_free(leads);
}

/* TCP connections that are seen, in their order, for the legend and the numbers in front of words. A UDP
 * datagram's words tell its ports. */
static void choose_legend(Build *b)
{
    bool *is_seen = g_new0(bool, story_flow_count(b->s) + 1);

    for (int32_t i = 0; i < story_flight_count(b->s); i++) {
        const StoryFlight *f = story_flight(b->s, i);
        const StoryRecord *r = story_record(b->s, f->tx != STORY_NONE ? f->tx : f->end);
        int32_t flow = story_packet(b->s, f->packet)->flow;

        if (flow != STORY_NONE && story_flow(b->s, flow)->proto == IP_PROTO_TCP &&
            is_wanted(b, f->packet, r->time) && ladder_lane_of(b->l, r->node) != STORY_NONE)
            is_seen[flow] = true;
    }
    for (int32_t i = 0; i < story_flow_count(b->s); i++)
        if (is_seen[i])
            g_array_append_val(b->l->legend, i);
    g_free(is_seen);
}

void ladder_add_arrows(Ladder *l)
{
    int32_t n = story_flight_count(l->story);
    Build b = {.l = l, .s = l->story, .marks = ladder_marks(l->story)};

    b.arrow_of = g_new(int32_t, n + 1);
    b.ending = g_new(int32_t, n + 1);
    for (int32_t i = 0; i < n; i++)
        b.arrow_of[i] = b.ending[i] = STORY_NONE;
    index_trips(&b);
    choose_legend(&b);
    for (int32_t i = 0; i < n && ladder_lane_count(l) >= 2; i++)
        add_flight(&b, i);
    drop_events_of_unseen(l);
    for (unsigned i = 0; i < b.n_trips; i++)
        if (b.trips[i])
            g_array_free(b.trips[i], TRUE);
    g_free(b.trips);
    g_free(b.trip_of);
    g_free(b.part_of);
    g_free(b.arrow_of);
    g_free(b.ending);
    g_free(b.marks);
}
