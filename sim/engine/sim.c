/* The run loop and the list of nodes. */
#include "sim/engine/sim.h"

#include <glib.h>
#include <string.h>

#include "sim/engine/streams.h"
#include "sim/engine/timer.h"

#define STUCK_SAMPLE 1024 /* events whose origins are counted to name the culprit */

struct Sim {
    Partition part;
    uint64_t seed;
    bool running, stop;
    GPtrArray *nodes;
    GHashTable *node_by_name; /* a set of nodes, hashed by name; for look-ups only, never iterated */
    Streams streams;
    GStringChunk *names;
    const Node *stuck;
    uint64_t same_time;
    uint64_t stuck_from;
    uint32_t stuck_origin[STUCK_SAMPLE];
};

static guint node_hash(gconstpointer node)
{
    return g_str_hash(((const Node *)node)->name);
}

static gboolean node_equal(gconstpointer a, gconstpointer b)
{
    return strcmp(((const Node *)a)->name, ((const Node *)b)->name) == 0;
}

Sim *sim_new(uint64_t seed)
{
    Sim *s = g_new0(Sim, 1);

    s->seed = seed;
    s->part.sim = s;
    evqueue_init(&s->part.queue);
    cells_init(&s->part.cells);
    streams_init(&s->streams, seed, &s->part.cells);
    s->nodes = g_ptr_array_new();
    s->node_by_name = g_hash_table_new(node_hash, node_equal);
    s->names = g_string_chunk_new(4096);
    return s;
}

void sim_free(Sim *s)
{
    if (!s)
        return;
    streams_clear(&s->streams);
    evqueue_clear(&s->part.queue);
    poolset_clear(&s->part.pools);
    cells_clear(&s->part.cells);
    g_ptr_array_free(s->nodes, TRUE);
    g_hash_table_destroy(s->node_by_name);
    g_string_chunk_free(s->names);
    g_free(s);
}

/* Counts who scheduled the events at this instant, once there have been suspiciously many; true: enough is
 * known. */
static bool note_stuck(Sim *s, uint32_t origin)
{
    uint64_t i = s->same_time - s->stuck_from;
    unsigned best = 0, best_count = 0;

    s->stuck_origin[i] = origin;
    if (i + 1 < STUCK_SAMPLE)
        return false;
    for (unsigned a = 0; a < STUCK_SAMPLE; a++) {
        unsigned count = 0;
        for (unsigned b = 0; b < STUCK_SAMPLE; b++)
            count += s->stuck_origin[b] == s->stuck_origin[a];
        if (count > best_count)
            best = s->stuck_origin[a], best_count = count;
    }
    s->stuck = sim_node(s, best);
    return true;
}

SimStop sim_run(Sim *s, const SimLimits *limits)
{
    Partition *p = &s->part;
    const uint64_t events_end = limits->events ? p->events + limits->events : UINT64_MAX;
    const uint64_t poll_every =
        limits->poll ? (limits->poll_every ? limits->poll_every : SIM_POLL_DEFAULT) : 0;
    uint64_t poll_at = poll_every ? p->events + poll_every : UINT64_MAX;
    uint64_t check_at = HS_MIN(events_end, poll_at);
    SimStop why = SIM_STOP_IDLE;
    Event *ev;

    hs_assert(!s->running);
    s->running = true;
    s->stop = false;
    s->stuck_from = limits->same_time ? limits->same_time : SIM_SAME_TIME_DEFAULT;
    s->same_time = 0;
    s->stuck = NULL;
    while ((ev = evqueue_pop(&p->queue, limits->until))) {
        EventFn fn = ev->fn;
        void *arg = ev->arg;
        uint64_t key = ev->key;

        if (fn == timer_event && !timer_is_due(arg, ev)) {
            evqueue_recycle(&p->queue, ev);
            timer_move_on(arg);
            continue;
        }
        if (ev->time != p->now) {
            p->now = ev->time;
            s->same_time = 0;
        } else {
            s->same_time++;
        }
        evqueue_recycle(&p->queue, ev);
        p->events++;
        if (HS_UNLIKELY(p->on_event))
            p->on_event(p->on_event_user, p->now, key);
        fn(arg);
        if (HS_UNLIKELY(s->stop)) {
            why = SIM_STOP_REQUEST;
            goto out;
        }
        if (HS_UNLIKELY(s->same_time >= s->stuck_from) && note_stuck(s, event_key_node(key))) {
            why = SIM_STOP_STUCK;
            goto out;
        }
        if (HS_UNLIKELY(p->events >= check_at)) {
            if (p->events >= events_end) {
                why = SIM_STOP_EVENTS;
                goto out;
            }
            if (!limits->poll(limits->user)) {
                why = SIM_STOP_POLL;
                goto out;
            }
            poll_at = p->events + poll_every;
            check_at = HS_MIN(events_end, poll_at);
        }
    }
    if (sim_pending(s))
        why = SIM_STOP_TIME;
    if (limits->until != SIM_NEVER)
        p->now = HS_MAX(p->now, limits->until);
out:
    s->running = false;
    return why;
}

void sim_stop(Sim *s)
{
    s->stop = true;
}

bool sim_is_running(const Sim *s)
{
    return s->running;
}

const Node *sim_stuck_node(const Sim *s)
{
    return s->stuck;
}

SimTime sim_now(const Sim *s)
{
    return s->part.now;
}

const char *sim_intern(Sim *s, const char *name)
{
    return g_string_chunk_insert_const(s->names, name);
}

uint64_t sim_seed(const Sim *s)
{
    return s->seed;
}

uint64_t sim_events(const Sim *s)
{
    return s->part.events;
}

uint64_t sim_pending(const Sim *s)
{
    return evqueue_len(&s->part.queue) - s->part.dormant;
}

Partition *sim_partition(Sim *s, unsigned i)
{
    hs_assert(i == 0);
    return &s->part;
}

void node_init(Node *n, Sim *sim, const char *name)
{
    hs_assert(!sim_node_by_name(sim, name));
    *n = (Node){.part = &sim->part, .id = sim->nodes->len, .name = g_string_chunk_insert(sim->names, name)};
    n->key_next = (uint64_t)n->id << EVENT_SEQ_BITS;
    g_ptr_array_add(sim->nodes, n);
    g_hash_table_add(sim->node_by_name, n);
}

void node_clear(Node *n)
{
    Sim *s = node_sim(n);

    g_hash_table_remove(s->node_by_name, n);
    s->nodes->pdata[n->id] = NULL;
}

unsigned sim_node_count(const Sim *s)
{
    return s->nodes->len;
}

Node *sim_node(const Sim *s, unsigned id)
{
    return id < s->nodes->len ? s->nodes->pdata[id] : NULL;
}

Node *sim_node_by_name(const Sim *s, const char *name)
{
    return g_hash_table_lookup(s->node_by_name, &(Node){.name = name});
}

Rng *node_rng(Node *n, const char *purpose)
{
    return streams_get(&node_sim(n)->streams, n->name, purpose);
}

uint64_t node_draw(Node *n, const char *purpose)
{
    return streams_draw(&node_sim(n)->streams, n->name, purpose, 0);
}

uint64_t node_draw_below(Node *n, const char *purpose, uint64_t below)
{
    hs_assert(below > 0);
    return streams_draw(&node_sim(n)->streams, n->name, purpose, below);
}

uint64_t node_pass_draws(Node *n, const char *purpose, unsigned count)
{
    return streams_pass(&node_sim(n)->streams, n->name, purpose, count);
}

void node_passed_draws(const Node *n, const char *purpose, uint64_t from, uint64_t *out, unsigned count)
{
    Rng rng;

    rng_init(&rng, node_sim(n)->seed, n->name, purpose);
    while (from--)
        rng_next(&rng);
    for (unsigned i = 0; i < count; i++)
        out[i] = rng_next(&rng);
}

uint64_t sim_unseed(const Sim *s)
{
    return streams_hash(&s->streams);
}
