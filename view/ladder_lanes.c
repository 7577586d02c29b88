/* Which nodes get a lane, and in which order they stand.
 *
 * Unless the user chose: hosts that carry frames, and whatever else makes IP packets of its own, such as a
 * router that reports an error. Routers and switches that only pass frames on are where arrows run through.
 * Neighbours stand side by side: the order is that of a walk through the network as the frames showed it. */
#include <string.h>

#include "sim/base/suggest.h"
#include "view/ladder_priv.h"

#define LANES_MAX 10 /* of our own choice */
#define LANES_MAX_CHOSEN 16

typedef struct Walk {
    Ladder *l;
    unsigned n;
    GArray **next;   /* for each node: int32_t neighbours, by first appearance */
    bool *is_active; /* sends or receives what is shown */
    bool *makes_ip;
    bool *is_reachable; /* at the other end of a link on which something was sent */
    int32_t first;      /* who sent first; STORY_NONE */
    GArray *order;      /* int32_t: nodes */
    bool *is_seen;
} Walk;

static void add_neighbour(Walk *w, int32_t a, int32_t b)
{
    GArray *list = w->next[a];

    for (guint i = 0; i < list->len; i++)
        if (g_array_index(list, int32_t, i) == b)
            return;
    g_array_append_val(list, b);
}

static bool is_ip(const StoryPacket *p)
{
    StorySegment seg;

    return story_segment(p, &seg);
}

static void look_at_flight(Walk *w, const StoryFlight *f)
{
    const Story *s = w->l->story;
    const StoryPacket *p = story_packet(s, f->packet);
    const StoryRecord *tx = f->tx == STORY_NONE ? NULL : story_record(s, f->tx);
    const StoryRecord *end = f->end == STORY_NONE ? NULL : story_record(s, f->end);
    const StoryRecord *first = tx ? tx : end;

    if (tx && end && !f->is_lost && tx->node != end->node) {
        add_neighbour(w, tx->node, end->node);
        add_neighbour(w, end->node, tx->node);
    }
    if (tx && tx->point != STORY_NONE && story_point(s, tx->point)->far != STORY_NONE) {
        int32_t far = story_point(s, tx->point)->far;

        add_neighbour(w, tx->node, far); /* who may have heard nothing yet */
        add_neighbour(w, far, tx->node);
        w->is_reachable[far] = true;
    }
    if (!first || !ladder_shows_packet(w->l, p) || first->time < w->l->config.from ||
        first->time > w->l->config.to)
        return;
    if (w->first == STORY_NONE && tx)
        w->first = tx->node;
    w->is_active[first->node] = true;
    if (end && !f->is_lost)
        w->is_active[end->node] = true;
    if (p->birth_node != STORY_NONE && !w->makes_ip[p->birth_node])
        w->makes_ip[p->birth_node] = is_ip(p);
}

static void visit(Walk *w, int32_t node)
{
    if (w->is_seen[node])
        return;
    w->is_seen[node] = true;
    g_array_append_val(w->order, node);
    for (guint i = 0; i < w->next[node]->len; i++)
        visit(w, g_array_index(w->next[node], int32_t, i));
}

/* From an end of the network if there is one, the sender's if possible. */
static void walk(Walk *w)
{
    int32_t start = w->first;

    if (start == STORY_NONE || w->next[start]->len != 1)
        for (int32_t i = 0; i < (int32_t)w->n; i++)
            if (w->next[i]->len == 1 && w->is_active[i] &&
                strcmp(story_node(w->l->story, i)->kind, "switch")) {
                start = i;
                break;
            }
    if (start != STORY_NONE)
        visit(w, start);
    for (int32_t i = 0; i < (int32_t)w->n; i++)
        visit(w, i);
}

static bool has_lane(const Walk *w, int32_t node, bool is_generous)
{
    const char *kind = story_node(w->l->story, node)->kind;

    return (w->is_active[node] || (!w->l->config.flow && w->is_reachable[node])) &&
           (is_generous || !*kind || !strcmp(kind, "host") || w->makes_ip[node]);
}

static void add_lane(Ladder *l, int32_t node)
{
    const StoryNode *n = story_node(l->story, node);
    LadderLane lane = {node, n->name, n->kind};

    if (ladder_lane_of(l, node) != STORY_NONE)
        return;
    *LADDER_AT(l->lane_of, int32_t, node) = (int32_t)l->lanes->len;
    g_array_append_val(l->lanes, lane);
}

static void choose(Walk *w, bool is_generous)
{
    Ladder *l = w->l;

    for (guint i = 0; i < w->order->len; i++) {
        int32_t node = g_array_index(w->order, int32_t, i);

        if (!has_lane(w, node, is_generous))
            continue;
        if (l->lanes->len < LANES_MAX)
            add_lane(l, node);
        else
            l->n_lanes_left_out++;
    }
}

/* The nodes on the shortest way between two chosen ones, in its order. */
static void add_way(Walk *w, int32_t from, int32_t to)
{
    int32_t *before = g_new(int32_t, w->n);
    GArray *queue = g_array_new(FALSE, FALSE, sizeof(int32_t)), *way;

    for (unsigned i = 0; i < w->n; i++)
        before[i] = STORY_NONE;
    before[from] = from;
    g_array_append_val(queue, from);
    for (guint i = 0; i < queue->len && before[to] == STORY_NONE; i++) {
        int32_t node = g_array_index(queue, int32_t, i);

        for (guint k = 0; k < w->next[node]->len; k++) {
            int32_t next = g_array_index(w->next[node], int32_t, k);

            if (before[next] == STORY_NONE) {
                before[next] = node;
                g_array_append_val(queue, next);
            }
        }
    }
    way = g_array_new(FALSE, FALSE, sizeof(int32_t));
    for (int32_t node = to; before[to] != STORY_NONE && node != from; node = before[node])
        g_array_prepend_val(way, node);
    for (guint i = 0; i < way->len && w->l->lanes->len < LANES_MAX_CHOSEN; i++)
        add_lane(w->l, g_array_index(way, int32_t, i));
    g_array_free(way, TRUE);
    g_array_free(queue, TRUE);
    g_free(before);
}

static char *unknown_node(const Story *s, const char *name)
{
    unsigned n = (unsigned)story_node_count(s);
    const char **names = g_new(const char *, n + 1), *close;
    char *error;

    for (unsigned i = 0; i < n; i++)
        names[i] = story_node(s, (int32_t)i)->name;
    close = suggest_closest(name, names, n);
    error =
        close ? g_strdup_printf("no node \"%s\" sent or received anything in this run; did you mean \"%s\"?",
                                name, close)
              : g_strdup_printf("no node \"%s\" sent or received anything in this run", name);
    g_free(names);
    return error;
}

static bool take_chosen(Walk *w, char **error)
{
    const Story *s = w->l->story;
    int32_t last = STORY_NONE;

    for (const char *const *name = w->l->config.between; *name; name++) {
        int32_t node = story_node_by_name(s, *name);

        if (node == STORY_NONE) {
            *error = unknown_node(s, *name);
            return false;
        }
        if (w->l->lanes->len == LANES_MAX_CHOSEN) {
            *error = g_strdup_printf("too many nodes: expected at most %d", LANES_MAX_CHOSEN);
            return false;
        }
        if (w->l->config.hops && last != STORY_NONE)
            add_way(w, last, node);
        add_lane(w->l, node);
        last = node;
    }
    if (w->l->lanes->len < 2) {
        *error = g_strdup("expected at least two different nodes between which frames are shown");
        return false;
    }
    return true;
}

/* All distances: BFS from each node over the network that frames showed. */
static void measure(Walk *w)
{
    GArray *queue = g_array_new(FALSE, FALSE, sizeof(int32_t));
    uint16_t *hops;

    g_array_set_size(w->l->hops, w->l->lanes->len * w->n);
    for (guint lane = 0; lane < w->l->lanes->len; lane++) {
        int32_t start = LADDER_AT(w->l->lanes, LadderLane, lane)->node;

        hops = LADDER_AT(w->l->hops, uint16_t, lane * w->n);
        g_array_set_size(queue, 0);
        g_array_append_val(queue, start);
        for (guint i = 0; i < queue->len; i++) {
            int32_t node = g_array_index(queue, int32_t, i);

            for (guint k = 0; k < w->next[node]->len; k++) {
                int32_t next = g_array_index(w->next[node], int32_t, k);

                if (next != start && !hops[next]) {
                    hops[next] = (uint16_t)(hops[node] + 1);
                    g_array_append_val(queue, next);
                }
            }
        }
    }
    g_array_free(queue, TRUE);
}

int32_t ladder_lane_of(const Ladder *l, int32_t node)
{
    return node == STORY_NONE ? STORY_NONE : *LADDER_AT(l->lane_of, int32_t, node);
}

unsigned ladder_distance(const Ladder *l, int32_t from, int32_t to)
{
    return *LADDER_AT(l->hops, uint16_t, (guint)from * l->lane_of->len + (guint)ladder_lane(l, to)->node);
}

static void learn_owners(Ladder *l)
{
    const Story *s = l->story;

    for (int32_t i = 0; i < story_packet_count(s); i++) {
        const StoryPacket *p = story_packet(s, i);
        StorySegment seg;

        if (p->birth_node == STORY_NONE || !story_segment(p, &seg) ||
            g_hash_table_contains(l->owner_of, seg.src))
            continue;
        g_hash_table_insert(l->owner_of, (gpointer)ladder_keep(l, seg.src),
                            GINT_TO_POINTER(p->birth_node + 1));
    }
}

bool ladder_choose_lanes(Ladder *l, char **error)
{
    unsigned n = (unsigned)story_node_count(l->story);
    Walk w = {.l = l, .n = n, .first = STORY_NONE, .order = g_array_new(FALSE, FALSE, sizeof(int32_t))};
    int32_t none = STORY_NONE;
    bool ok = true;

    w.next = g_new(GArray *, n);
    w.is_active = g_new0(bool, n);
    w.makes_ip = g_new0(bool, n);
    w.is_reachable = g_new0(bool, n);
    w.is_seen = g_new0(bool, n);
    for (unsigned i = 0; i < n; i++) {
        w.next[i] = g_array_new(FALSE, FALSE, sizeof(int32_t));
        g_array_append_val(l->lane_of, none);
    }
    for (int32_t i = 0; i < story_flight_count(l->story); i++)
        look_at_flight(&w, story_flight(l->story, i));
    if (l->config.between) {
        ok = take_chosen(&w, error);
    } else {
        walk(&w);
        choose(&w, l->config.hops);
        if (l->lanes->len < 2 && !l->config.hops) { /* switches among themselves */
            l->n_lanes_left_out = 0;
            g_array_set_size(l->lanes, 0);
            for (unsigned i = 0; i < n; i++)
                *LADDER_AT(l->lane_of, int32_t, i) = STORY_NONE;
            choose(&w, true);
        }
    }
    if (ok) {
        measure(&w);
        learn_owners(l);
    }
    for (unsigned i = 0; i < n; i++)
        g_array_free(w.next[i], TRUE);
    g_free(w.next);
    g_free(w.is_active);
    g_free(w.makes_ip);
    g_free(w.is_reachable);
    g_free(w.is_seen);
    g_array_free(w.order, TRUE);
    return ok;
}
