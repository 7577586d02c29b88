/* Linux net/core/neighbour.c, by its function names:
 *   __neigh_event_send → event_send; neigh_timer_handler → neigh_on_timer; neigh_update → neigh_update;
 *   neigh_invalidate → fail; neigh_forced_gc and neigh_periodic_work: see neigh_table.c.
 *
 * Differences: no periodic work (stale entries are collected when the table grows, the reachable time is
 * drawn anew when it is next used after 300 s); no app_solicit, no proxy queue. */
#include "models/ether/neigh.h"

#include <glib.h>
#include <string.h>

#include "models/ether/neigh_priv.h"

#define REACHABLE_REDRAW (300 * SIM_SEC) /* neigh_periodic_work */

const NeighParams neigh_params_default = {
    .base_reachable_time = 30 * SIM_SEC,
    .delay_first_probe_time = 5 * SIM_SEC,
    .retrans_time = SIM_SEC,
    .gc_stale_time = 60 * SIM_SEC,
    .locktime = SIM_SEC,
    .unres_qlen_bytes = 212992,
    .gc_thresh1 = 128,
    .gc_thresh2 = 512,
    .gc_thresh3 = 1024,
    .mcast_solicit = 3,
    .ucast_solicit = 3,
};

const ProbeDesc neigh_probe_state = {
    "neigh.state",
    "A neighbour cache entry changes its state or its link address.",
    PROBE_NEIGH,
    5,
    {{"ip", PROBE_IP4}, {"mac", PROBE_MAC}, {"old", PROBE_STR}, {"new", PROBE_STR}, {"due", PROBE_TIME}},
};

#define BIT(s) (1u << (s))
/* NUD_CONNECTED, NUD_VALID, NUD_IN_TIMER */
#define CONNECTED (BIT(NEIGH_PERMANENT) | BIT(NEIGH_NOARP) | BIT(NEIGH_REACHABLE))
#define VALID (CONNECTED | BIT(NEIGH_PROBE) | BIT(NEIGH_STALE) | BIT(NEIGH_DELAY))

static const char *const state_names[NEIGH_STATES] = {"NONE",  "INCOMPLETE", "REACHABLE", "STALE",    "DELAY",
                                                      "PROBE", "FAILED",     "NOARP",     "PERMANENT"};

const char *neigh_state_name(NeighState s)
{
    return (unsigned)s < NEIGH_STATES ? state_names[s] : "?";
}

void neigh_emit_state(Neigh *n, NeighState old, SimTime due)
{
    const NetDev *dev = n->table->dev;

    if (probe_wanted(dev->node, PROBE_NEIGH))
        probe_emit(dev->node, &neigh_probe_state, dev->point, NULL,
                   (ProbeValue[]){{.u = n->key.ip4},
                                  {.u = mac_to_u64(n->mac)},
                                  {.s = state_names[old]},
                                  {.s = state_names[n->state]},
                                  {.i = due}});
}

static SimTime reachable_time(NeighTable *t)
{
    NeighBody *b = t->body;
    SimTime now = neigh_now(t), base = t->params->base_reachable_time;

    if (b->reachable_time == 0 || now >= b->last_draw + REACHABLE_REDRAW) {
        char purpose[32];

        g_snprintf(purpose, sizeof purpose, "neigh:%s", t->dev->name);
        b->last_draw = now;
        /* neigh_rand_reach_time: (prandom % base) + base / 2 */
        b->reachable_time =
            base > 0 ? (SimTime)node_draw_below(t->dev->node, purpose, (uint64_t)base) + base / 2 : 1;
    }
    return b->reachable_time;
}

/* Keeps the fast path's deadline in step with state and confirmation. */
static void set_state(Neigh *n, NeighState s)
{
    const NeighParams *p = n->table->params;

    n->state = (uint8_t)s;
    switch (s) {
    case NEIGH_NOARP:
    case NEIGH_PERMANENT:
        n->usable_until = SIM_NEVER;
        break;
    case NEIGH_REACHABLE:
        /* With a lifetime counted from the last use, each use must be seen. */
        if (p->lifetime)
            n->usable_until = p->lifetime == SIM_NEVER ? SIM_NEVER : 0;
        else
            n->usable_until = n->confirmed + reachable_time(n->table) + 1;
        break;
    default:
        n->usable_until = 0;
    }
}

/* The steps that are due without an event. */
void neigh_catch_up(Neigh *n)
{
    const NeighParams *p = n->table->params;
    SimTime now = neigh_now(n->table), due;

    if (n->state != NEIGH_REACHABLE)
        return;
    if (p->lifetime) {
        if (p->lifetime != SIM_NEVER && now - n->used >= p->lifetime) {
            due = n->used + p->lifetime;
            set_state(n, NEIGH_NONE);
            neigh_emit_state(n, NEIGH_REACHABLE, due);
        }
    } else if (now >= n->usable_until) {
        due = n->usable_until;
        set_state(n, NEIGH_STALE);
        n->updated = due;
        neigh_emit_state(n, NEIGH_REACHABLE, due);
    }
}

NeighState neigh_state(Neigh *n)
{
    if (!n->is_dead)
        neigh_catch_up(n);
    return n->state;
}

/* ---- the timer, and what waits ---- */

static size_t wait_size(const Neigh *n)
{
    return n->has_queue ? sizeof *n->wait : offsetof(NeighWait, last);
}

static NeighWait *wait_of(Neigh *n)
{
    if (!n->wait) {
        n->wait = cells_take(&n->node->part->cells, wait_size(n));
        n->wait->neigh = n;
        timer_init(&n->wait->timer, n->node, neigh_on_timer);
    }
    return n->wait;
}

/* Gives back what is not needed any more. */
static void settle(Neigh *n)
{
    NeighWait *w = n->wait;

    if (!w || (n->has_queue && w->last) || timer_is_armed(&w->timer))
        return;
    timer_clear(&w->timer);
    cells_give(&n->node->part->cells, w, wait_size(n));
    n->wait = NULL;
    n->has_queue = false;
}

static void arm(Neigh *n, SimTime deadline)
{
    timer_arm(&wait_of(n)->timer, deadline);
}

static void disarm(Neigh *n)
{
    if (n->wait)
        timer_cancel(&n->wait->timer);
    settle(n);
}

/* Called before the timer is armed: a timer does not move. */
static void make_queue(Neigh *n)
{
    hs_assert(n->has_queue || !n->wait);
    n->has_queue = true;
    wait_of(n);
}

static Packet *first_waiting(const Neigh *n)
{
    return n->has_queue && n->wait->last ? (Packet *)(uintptr_t)n->wait->last->cb : NULL;
}

static Packet *take_first(Neigh *n)
{
    Packet *p = first_waiting(n);
    NeighWait *w = n->wait;

    if (!p)
        return NULL;
    if (p == w->last)
        w->last = NULL;
    else
        w->last->cb = p->cb;
    p->cb = 0;
    w->queued_bytes -= neigh_truesize(p);
    settle(n);
    return p;
}

static void purge_queue(Neigh *n, ProbeDrop reason)
{
    const NetDev *dev = n->table->dev;
    Packet *p;

    while ((p = take_first(n)))
        probe_drop(dev->node, dev->point, p, reason);
}

void neigh_unref(Neigh *n)
{
    if (!n || --n->ref)
        return;
    hs_assert(n->is_dead && !n->wait);
    cells_give(&n->node->part->cells, n, neigh_size(n->key_len));
}

void neigh_bury(Neigh *n)
{
    disarm(n);
    purge_queue(n, DROP_NEIGH_FAILED);
    n->state = NEIGH_NONE;
    n->usable_until = 0;
    n->is_dead = true;
}

/* ---- the state machine ---- */

static void solicit(Neigh *n)
{
    NeighTable *t = n->table;
    /* arp_solicit: the first ucast_solicit probes go to the address that we believe in. INCOMPLETE starts
     * beyond them. */
    bool unicast = n->probes < t->params->ucast_solicit;

    n->probes++;
    t->ops->solicit(t, n, unicast ? &n->mac : NULL, first_waiting(n));
}

/* neigh_invalidate: nobody answered. */
static void fail(Neigh *n)
{
    NeighTable *t = n->table;
    const NetDev *dev = t->dev;
    Packet *p;

    neightable_trouble(t)->res_failed++;
    neigh_ref(n); /* reports may lead back here */
    while (n->state == NEIGH_FAILED && (p = take_first(n))) {
        if (t->ops->unreachable)
            t->ops->unreachable(t, p);
        else
            probe_drop(dev->node, dev->point, p, DROP_NEIGH_FAILED);
    }
    neigh_unref(n);
}

void neigh_on_timer(Timer *timer)
{
    Neigh *n = HS_CONTAINER_OF(timer, NeighWait, timer)->neigh;
    NeighTable *t = n->table;
    const NeighParams *p = t->params;
    SimTime now = neigh_now(t);
    NeighState old = n->state;
    unsigned max;

    if (old == NEIGH_DELAY) {
        if (now <= n->confirmed + p->delay_first_probe_time) { /* confirmed from above meanwhile */
            n->updated = now;
            set_state(n, NEIGH_REACHABLE);
            settle(n);
            neigh_emit_state(n, old, now);
            return;
        }
        n->updated = now;
        n->probes = 0;
        set_state(n, NEIGH_PROBE);
        neigh_emit_state(n, old, now);
    }
    max = p->ucast_solicit + (n->state == NEIGH_PROBE ? 0u : p->mcast_solicit);
    if (n->probes >= max) {
        old = n->state;
        n->updated = now;
        set_state(n, NEIGH_FAILED);
        settle(n);
        neigh_emit_state(n, old, now);
        fail(n);
        return;
    }
    arm(n, now + HS_MAX(p->retrans_time, 10 * SIM_MS)); /* HZ/100 */
    solicit(n);
}

static void enqueue(Neigh *n, Packet *pkt)
{
    NeighTable *t = n->table;
    NeighWait *w;
    uint32_t size;

    pkt = packet_own(pkt); /* cb is ours alone */
    size = neigh_truesize(pkt);
    while (first_waiting(n) && n->wait->queued_bytes + size > t->params->unres_qlen_bytes) {
        Packet *old = take_first(n); /* the oldest goes */

        neightable_trouble(t)->unresolved_discards++;
        probe_drop(t->dev->node, t->dev->point, old, DROP_NEIGH_QUEUE_FULL);
    }
    make_queue(n);
    w = n->wait;
    pkt->cb = (uintptr_t)(w->last ? first_waiting(n) : pkt);
    if (w->last)
        w->last->cb = (uintptr_t)pkt;
    w->last = pkt;
    w->queued_bytes += size;
}

/* __neigh_event_send. true: the packet may go out now. */
static bool event_send(Neigh *n, Packet *pkt)
{
    NeighTable *t = n->table;
    const NeighParams *p = t->params;
    SimTime now = neigh_now(t);
    NeighState old;

    neigh_catch_up(n);
    n->used = now;
    old = n->state;
    if (BIT(old) & (CONNECTED | BIT(NEIGH_DELAY) | BIT(NEIGH_PROBE)))
        return true;
    if (old == NEIGH_STALE) {
        n->updated = now;
        set_state(n, NEIGH_DELAY);
        arm(n, now + p->delay_first_probe_time);
        neigh_emit_state(n, old, now);
        return true;
    }
    if (old != NEIGH_INCOMPLETE) {
        n->updated = now;
        if (p->mcast_solicit == 0) {
            set_state(n, NEIGH_FAILED);
            probe_drop(t->dev->node, t->dev->point, pkt, DROP_NEIGH_FAILED);
            return false;
        }
        n->probes = p->ucast_solicit;
        set_state(n, NEIGH_INCOMPLETE);
        make_queue(n);
        arm(n, now + HS_MAX(p->retrans_time, 10 * SIM_MS));
        neigh_emit_state(n, old, now);
        enqueue(n, pkt);
        solicit(n);
        return false;
    }
    enqueue(n, pkt);
    return false;
}

void neigh_output_slow(Neigh *n, Packet *pkt)
{
    NeighTable *t = n->table;
    const Node *node = n->node;

    if (n->is_dead) { /* its successor takes over: a route may hold on to us for a while */
        n = t ? neigh_get(t, &n->key) : NULL;
        if (!n) {
            /* -ENOBUFS in Linux: the neighbour table overflows. */
            probe_drop(node, t ? t->dev->point : NULL, pkt, t ? DROP_NEIGH_QUEUE_FULL : DROP_DEVICE_DOWN);
            return;
        }
    }
    if (event_send(n, pkt))
        t->dev->ops->xmit(t->dev, pkt, &n->mac, t->ops->ethertype);
}

void neigh_update(Neigh *n, const MacAddr *mac, NeighState state, unsigned flags)
{
    NeighTable *t = n->table;
    SimTime now = neigh_now(t);
    NeighState old;
    bool old_valid, changed;

    if (n->is_dead)
        return;
    neigh_catch_up(n);
    old = n->state;
    old_valid = BIT(old) & VALID;
    if (!(flags & NEIGH_UPDATE_ADMIN) && (old == NEIGH_NOARP || old == NEIGH_PERMANENT))
        return;
    if (t->params->lifetime) { /* the classic cache knows no doubt, and news are as good as use */
        if (state == NEIGH_STALE)
            state = NEIGH_REACHABLE;
        n->used = now;
    }
    if (!(BIT(state) & VALID)) {
        disarm(n);
        set_state(n, state);
        neigh_emit_state(n, old, now);
        if ((old == NEIGH_INCOMPLETE || old == NEIGH_PROBE) && state == NEIGH_FAILED)
            fail(n);
        return;
    }
    if (!mac) {
        if (!old_valid)
            return;
        mac = &n->mac;
    }
    changed = !old_valid || !mac_equal(*mac, n->mac);
    if (BIT(state) & CONNECTED)
        n->confirmed = now;
    if (old_valid) {
        if (changed && !(flags & NEIGH_UPDATE_OVERRIDE)) {
            if (!(flags & NEIGH_UPDATE_WEAK_OVERRIDE) || !(BIT(old) & CONNECTED)) {
                set_state(n, old);
                return;
            }
            mac = &n->mac;
            changed = false;
            state = NEIGH_STALE;
        } else if (!changed && state == NEIGH_STALE && !(flags & NEIGH_UPDATE_ADMIN)) {
            state = old;
        }
    }
    if (state != old || changed)
        n->updated = now;
    if (changed) {
        n->mac = *mac;
        if (!(BIT(state) & CONNECTED)) /* so that it does not count as confirmed */
            n->confirmed = now - 2 * t->params->base_reachable_time;
    }
    if (state != old) {
        disarm(n);
        if (state == NEIGH_PROBE) {
            n->probes = 0;
            arm(n, now);
        } else if (state == NEIGH_DELAY) {
            arm(n, now);
        }
    }
    set_state(n, state);
    if (state != old || changed)
        neigh_emit_state(n, old, now);
    if (!old_valid && first_waiting(n)) { /* what waited goes out in order */
        Packet *p;

        neigh_ref(n);
        while ((BIT(n->state) & VALID) && (p = take_first(n)))
            neigh_output(n, p);
        neigh_unref(n);
    }
}

Neigh *neigh_on_request(NeighTable *t, const void *key, const MacAddr *mac)
{
    Neigh *n = neigh_get(t, key);

    if (n)
        neigh_update(n, mac, NEIGH_STALE, NEIGH_UPDATE_OVERRIDE);
    return n;
}

void neigh_confirm(Neigh *n)
{
    if (n->is_dead)
        return;
    neigh_catch_up(n);
    n->confirmed = neigh_now(n->table);
    if (n->state == NEIGH_REACHABLE)
        set_state(n, NEIGH_REACHABLE);
}
