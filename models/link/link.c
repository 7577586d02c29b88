/* The cable. See link.h for the picture and the times.
 *
 * Paths: linkdir_send → (idle) linkdir_transmit → linkdir_propagate → event on_arrival → the port's receive.
 *        linkdir_send → (busy) queue → event on_tx_free → linkdir_transmit → …
 * Frames with impairments, rules or jitter pass linkdir_judge on the way; the others never see that code. */
#include "models/link/link.h"

#include <glib.h>
#include <string.h>

#include "models/link/link_dir.h"
#include "models/wire/eth.h"

#define NS_PER_SEC UINT64_C(1000000000)
#define RING_MIN 8
#define LINK_HEADER_MAX 22 /* Ethernet with two VLAN tags */
#define MTU_DEFAULT 1500

static const ProbeDesc probe_queue_len = {"queue.length",
                                          "A frame joined or left the queue in front of a link.",
                                          PROBE_QUEUE,
                                          2,
                                          {{"packets", PROBE_U64}, {"bytes", PROBE_U64}}};
static const ProbeDesc probe_link_state = {
    "link.state", "A link went up or down.", PROBE_LINK, 1, {{"up", PROBE_BOOL}}};
static const ProbeDesc probe_link_rate = {"link.settings",
                                          "A link's rate or delay was changed.",
                                          PROBE_LINK,
                                          2,
                                          {{"rate_bps", PROBE_U64}, {"delay", PROBE_TIME}}};

static void on_tx_free(void *arg);
static void on_arrival(void *arg);

static Node *sender(const LinkDir *d)
{
    return (Node *)d->from->point.node;
}

/* ---- the queue ---- */

static void note_queue(const LinkDir *d)
{
    if (probe_wanted(sender(d), PROBE_QUEUE))
        probe_emit(sender(d), &probe_queue_len, &d->from->point, NULL,
                   (ProbeValue[]){{.u = d->queue->packets}, {.u = d->queue->bytes}});
}

static void on_queue_drop(void *user, Packet *pkt)
{
    LinkDir *d = user;

    d->stats.queue_drops++;
    probe_drop(sender(d), &d->from->point, pkt, DROP_AQM);
}

static void adopt_queue(LinkDir *d, Queue *q)
{
    d->queue = q;
    q->drop = on_queue_drop;
    q->user = d;
    if (q->ops->set_rng)
        q->ops->set_rng(q, node_rng(sender(d), q->ops->name));
}

static void wait_in_queue(LinkDir *d, Packet *pkt)
{
    QueueVerdict v;

    if (HS_UNLIKELY(!d->queue)) {
        const double limit = LINK_QUEUE_DEFAULT;
        adopt_queue(d, queue_new(queue_ops_by_name("droptail"), (const double[]){limit, 0, 0},
                                 (const bool[]){true, false, false}, NULL));
    }
    v = queue_enqueue(d->queue, pkt, node_now(sender(d)));
    if (HS_UNLIKELY(v != QUEUE_OK)) {
        d->stats.queue_drops++;
        probe_drop(sender(d), &d->from->point, pkt, v == QUEUE_FULL ? DROP_QUEUE_FULL : DROP_AQM);
        return;
    }
    note_queue(d);
}

/* Takes the next frame from the queue, or arranges to be called when there may be one. */
void linkdir_kick(LinkDir *d)
{
    SimTime now = node_now(sender(d)), next;
    Packet *pkt;

    if (d->tx_armed || d->paused || !d->up || d->opportunity || !d->queue || !d->queue->packets)
        return;
    if (now >= d->busy_until) {
        pkt = queue_dequeue(d->queue, now);
        if (pkt) {
            note_queue(d);
            linkdir_transmit(d, pkt);
        }
        if (!d->queue->packets)
            return;
    }
    next = HS_MAX(d->busy_until, d->queue->ops->next(d->queue, now));
    if (next == SIM_NEVER)
        return;
    d->tx_armed = true;
    node_at(sender(d), HS_MAX(next, now), on_tx_free, d);
}

static void on_tx_free(void *arg)
{
    LinkDir *d = arg;

    d->tx_armed = false;
    linkdir_kick(d);
}

/* ---- sending ---- */

static void linkdir_send(LinkTx *tx, Packet *pkt)
{
    LinkDir *d = HS_CONTAINER_OF(tx, LinkDir, tx);

    if (HS_UNLIKELY(!d->up)) {
        probe_drop(sender(d), &d->from->point, pkt, DROP_LINK_DOWN);
        return;
    }
    if (HS_UNLIKELY(packet_len(pkt) > d->max_frame)) {
        probe_drop(sender(d), &d->from->point, pkt, DROP_MTU);
        return;
    }
    if (HS_LIKELY(node_now(sender(d)) >= d->busy_until && !d->paused && !d->opportunity) &&
        (!d->queue || (d->queue->packets == 0 && d->queue->ops->can_bypass))) {
        linkdir_transmit(d, pkt);
        return;
    }
    wait_in_queue(d, pkt);
    if (HS_UNLIKELY(d->opportunity != NULL))
        linkopportunity_send(d);
    else
        linkdir_kick(d);
}

/* Advances busy_until by the time that len bytes take, exactly: the remainder is carried while frames follow each other
 * without a pause. */
static void occupy(LinkDir *d, uint32_t len, SimTime now)
{
    SimTime ns;

    if (now > d->busy_until) {
        d->busy_until = now;
        d->busy_frac = 0;
    }
    if (d->rate_bps == 0)
        return;
    if (HS_UNLIKELY(len != d->timed_len)) {
        uint64_t num = (uint64_t)(len + d->overhead_bytes) * 8 * NS_PER_SEC;

        d->timed_len = len;
        d->timed_ns = (SimTime)(num / d->rate_bps);
        d->timed_frac = num % d->rate_bps;
    }
    ns = d->timed_ns;
    d->busy_frac += d->timed_frac;
    if (d->busy_frac >= d->rate_bps) {
        d->busy_frac -= d->rate_bps;
        ns++;
    }
    d->busy_until += ns;
    d->stats.busy += ns;
}

void linkdir_transmit(LinkDir *d, Packet *pkt)
{
    ImpairVerdict v;
    uint32_t len = packet_len(pkt);
    SimTime departure;

    d->stats.tx_packets++;
    d->stats.tx_bytes += len;
    occupy(d, len, node_now(sender(d)));
    departure = d->busy_until - d->gap;
    probe_tx(&d->from->point, pkt);
    if (HS_LIKELY(!d->slow)) {
        linkdir_propagate(d, pkt, departure, 0, false);
        return;
    }
    pkt = linkdir_judge(d, pkt, &v);
    if (!pkt)
        return;
    for (unsigned i = 0; i < v.copies; i++) {
        probe_tx(&d->from->point, pkt);
        linkdir_propagate(d, packet_ref(pkt), departure, v.delay + (i + 1) * v.copy_gap, v.may_overtake);
    }
    linkdir_propagate(d, pkt, departure, v.delay, v.may_overtake);
}

Packet *linkdir_judge(LinkDir *d, Packet *pkt, ImpairVerdict *v)
{
    ImpairFrame f = {pkt, d->stats.tx_packets, packet_len(pkt), node_now(sender(d))};

    *v = (ImpairVerdict){.flip_bit = -1};
    if (d->rule) {
        pkt = d->rule(d->rule_user, d, pkt, &f, v);
        f.pkt = pkt;
        f.len = packet_len(pkt);
    }
    for (Impair *im = d->impair; im && v->drop == DROP_NONE; im = im->next)
        im->ops->apply(im, &f, v);
    if (v->drop != DROP_NONE) {
        d->stats.lost_packets++;
        probe_drop(sender(d), &d->from->point, pkt, v->drop);
        return NULL;
    }
    if (d->jitter) {
        v->delay += rng_range(d->jitter_rng, 0, d->jitter);
        v->may_overtake |= d->jitter_reorders;
    }
    if (v->flip_bit >= 0) {
        pkt = packet_own(pkt);
        packet_flip_bit(pkt, (uint32_t)(v->flip_bit % ((int64_t)packet_len(pkt) * 8)));
        if (v->fcs_fixed)
            pkt->flags &= (uint8_t)~PKT_HAS_FCS;
    }
    return pkt;
}

/* ---- in flight ---- */

static void ring_grow(LinkDir *d)
{
    uint32_t cap = d->ring_cap ? 2 * d->ring_cap : RING_MIN;
    Flight *ring = g_new(Flight, cap);

    for (uint32_t i = 0; i < d->ring_len; i++)
        ring[i] = d->ring[(d->ring_head + i) & (d->ring_cap - 1)];
    g_free(d->ring);
    d->ring = ring;
    d->ring_cap = cap;
    d->ring_head = 0;
}

static void deliver(LinkDir *d, Packet *pkt)
{
    LinkPort *to = d->to;

    d->stats.delivered_packets++;
    d->stats.delivered_bytes += packet_len(pkt);
    probe_rx(&to->point, pkt);
    to->ops->receive(to, pkt);
}

static void on_stray(void *arg)
{
    Stray *s = arg;
    LinkDir *d = s->dir;
    Packet *pkt = s->pkt;
    bool lost = s->epoch != d->epoch;

    g_free(s);
    if (lost) {
        d->stats.lost_packets++;
        probe_drop(d->to->point.node, &d->to->point, pkt, DROP_LINK_DOWN);
        return;
    }
    deliver(d, pkt);
}

void linkdir_propagate(LinkDir *d, Packet *pkt, SimTime departure, SimTime extra, bool may_overtake)
{
    Partition *part = sender(d)->part;
    SimTime arrival = departure + d->delay + extra;
    uint64_t key = node_take_key(sender(d));
    Flight *f;

    if (HS_UNLIKELY(may_overtake)) {
        Stray *s = g_new(Stray, 1);
        *s = (Stray){d, pkt, d->epoch};
        evqueue_push(&part->queue, HS_MAX(arrival, part->now), key, on_stray, s);
        return;
    }
    /* First in, first out: a frame that would overtake arrives with the one before it. */
    arrival = HS_MAX(HS_MAX(arrival, d->last_arrival), part->now);
    d->last_arrival = arrival;
    if (HS_UNLIKELY(d->ring_len == d->ring_cap))
        ring_grow(d);
    f = &d->ring[(d->ring_head + d->ring_len) & (d->ring_cap - 1)];
    *f = (Flight){pkt, arrival, key};
    if (d->ring_len++ == 0)
        d->arrival_ev = evqueue_push(&part->queue, arrival, key, on_arrival, d);
}

static void on_arrival(void *arg)
{
    LinkDir *d = arg;
    Packet *pkt = d->ring[d->ring_head].pkt;

    d->ring_head = (d->ring_head + 1) & (d->ring_cap - 1);
    if (--d->ring_len) {
        const Flight *f = &d->ring[d->ring_head];
        d->arrival_ev = evqueue_push(&sender(d)->part->queue, f->arrival, f->key, on_arrival, d);
    } else {
        d->arrival_ev = NULL;
    }
    deliver(d, pkt);
}

static void lose_flight(LinkDir *d)
{
    d->epoch++;
    if (d->arrival_ev)
        evqueue_cancel(&sender(d)->part->queue, d->arrival_ev);
    d->arrival_ev = NULL;
    while (d->ring_len) {
        Packet *pkt = d->ring[d->ring_head].pkt;

        d->ring_head = (d->ring_head + 1) & (d->ring_cap - 1);
        d->ring_len--;
        d->stats.lost_packets++;
        probe_drop(sender(d), &d->from->point, pkt, DROP_LINK_DOWN);
    }
}

/* ---- making and changing ---- */

void linkdirconfig_init(LinkDirConfig *c)
{
    *c = (LinkDirConfig){.overhead_bytes = LINK_OVERHEAD_ETHERNET, .gap_bytes = LINK_GAP_ETHERNET, .mtu = MTU_DEFAULT};
}

static void set_gap(LinkDir *d)
{
    d->timed_len = UINT32_MAX;
    d->gap = d->rate_bps ? (SimTime)((uint64_t)d->gap_bytes * 8 * NS_PER_SEC / d->rate_bps) : 0;
}

void linkdir_update_slow(LinkDir *d)
{
    d->slow = d->rule || d->impair || d->jitter;
}

static void describe(const LinkTx *tx, LinkTxInfo *info)
{
    const LinkDir *d = (const LinkDir *)tx;

    *info = (LinkTxInfo){.rate_bps = d->rate_bps,
                         .mtu = d->mtu,
                         .tx_packets = d->stats.tx_packets,
                         .tx_bytes = d->stats.tx_bytes,
                         .queue_drops = d->stats.queue_drops,
                         .queue_packets = d->queue ? d->queue->packets : 0,
                         .queue_bytes = d->queue ? d->queue->bytes : 0};
}

static void dir_init(LinkDir *d, Link *l, LinkPort *from, LinkPort *to, unsigned i, const LinkDirConfig *c)
{
    Node *node = (Node *)from->point.node;

    d->tx.send = linkdir_send;
    d->tx.describe = describe;
    d->from = from;
    d->to = to;
    d->link = l;
    d->rate_bps = c->rate_bps;
    d->overhead_bytes = c->overhead_bytes;
    d->gap_bytes = c->gap_bytes;
    d->delay = c->delay;
    d->jitter = c->jitter;
    d->jitter_reorders = c->jitter_reorders;
    d->up = true;
    linkdir_set_mtu(d, c->mtu ? c->mtu : MTU_DEFAULT);
    set_gap(d);
    if (c->jitter) {
        char *purpose = g_strdup_printf("%s/jitter", from->point.name);
        d->jitter_rng = node_rng(node, purpose);
        g_free(purpose);
    }
    if (c->queue)
        adopt_queue(d, c->queue);
    for (Impair *im = c->impair, *next; im; im = next) {
        next = im->next;
        im->next = NULL;
        linkdir_add_impair(d, im);
    }
    linkdir_update_slow(d);
    from->tx = &d->tx;
}

static void set_carrier(LinkPort *port, bool up)
{
    if (port->carrier == up)
        return;
    port->carrier = up;
    if (port->ops->carrier)
        port->ops->carrier(port, up);
}

Link *link_new(LinkPort *a, LinkPort *b, const LinkDirConfig c[2])
{
    Link *l = g_new0(Link, 1);

    hs_assert(!a->tx && !b->tx && a != b);
    l->up = true;
    dir_init(&l->dir[0], l, a, b, 0, &c[0]);
    dir_init(&l->dir[1], l, b, a, 1, &c[1]);
    set_carrier(a, true);
    set_carrier(b, true);
    return l;
}

static void flush_queue(LinkDir *d)
{
    Packet *pkt;

    while (d->queue && d->queue->packets && (pkt = queue_dequeue(d->queue, SIM_NEVER - 1)))
        probe_drop(sender(d), &d->from->point, pkt, DROP_LINK_DOWN);
}

void link_unplug(Link *l)
{
    link_set_up(l, false);
    for (int i = 0; i < 2; i++)
        if (l->dir[i].from->tx == &l->dir[i].tx)
            l->dir[i].from->tx = NULL;
}

void link_free(Link *l)
{
    if (!l)
        return;
    link_unplug(l);
    for (int i = 0; i < 2; i++) {
        LinkDir *d = &l->dir[i];

        hs_assert(!sim_is_running(node_sim(sender(d)))); /* events may still point here */
        linkfollow_clear(d);
        queue_free(d->queue);
        while (d->impair) {
            Impair *im = d->impair;
            d->impair = im->next;
            impair_free(im);
        }
        g_free(d->ring);
    }
    g_free(l);
}

void link_set_up(Link *l, bool up)
{
    if (l->up == up)
        return;
    l->up = up;
    for (int i = 0; i < 2; i++) {
        LinkDir *d = &l->dir[i];

        d->up = up;
        if (!up) {
            lose_flight(d);
            flush_queue(d);
        }
        if (probe_wanted(sender(d), PROBE_LINK))
            probe_emit(sender(d), &probe_link_state, &d->from->point, NULL, (ProbeValue[]){{.u = up}});
    }
    set_carrier(l->dir[0].from, up);
    set_carrier(l->dir[1].from, up);
}

bool link_is_up(const Link *l)
{
    return l->up;
}

static void note_settings(const LinkDir *d)
{
    if (probe_wanted(sender(d), PROBE_LINK))
        probe_emit(sender(d), &probe_link_rate, &d->from->point, NULL,
                   (ProbeValue[]){{.u = d->rate_bps}, {.i = d->delay}});
}

void linkdir_set_rate(LinkDir *d, uint64_t rate_bps)
{
    d->rate_bps = rate_bps;
    d->busy_frac = 0; /* its unit was the old rate; less than a nanosecond is lost, once per change */
    set_gap(d);
    note_settings(d);
}

void linkdir_set_delay(LinkDir *d, SimTime delay)
{
    d->delay = delay;
    note_settings(d);
}

void linkdir_set_mtu(LinkDir *d, uint32_t mtu)
{
    d->mtu = mtu;
    d->max_frame = mtu + LINK_HEADER_MAX;
}

void linkdir_set_paused(LinkDir *d, bool paused)
{
    d->paused = paused;
    linkdir_kick(d);
}

void linkdir_set_queue(LinkDir *d, Queue *q)
{
    Queue *old = d->queue;
    SimTime now = node_now(sender(d));
    Packet *pkt;

    adopt_queue(d, q);
    while (old && (pkt = queue_dequeue(old, now)))
        wait_in_queue(d, pkt);
    queue_free(old);
    linkdir_kick(d);
}

void linkdir_add_impair(LinkDir *d, Impair *im)
{
    Impair **at = &d->impair;
    unsigned n = 1;
    char *purpose;

    for (; *at; at = &(*at)->next)
        n += (*at)->ops == im->ops;
    *at = im;
    purpose = g_strdup_printf("%s/%s#%u", d->from->point.name, im->ops->name, n);
    im->rng = node_rng(sender(d), purpose);
    g_free(purpose);
    linkdir_update_slow(d);
}

void linkdir_set_rule(LinkDir *d, LinkRuleFn fn, void *user)
{
    d->rule = fn;
    d->rule_user = user;
    linkdir_update_slow(d);
}

/* ---- looking ---- */

LinkPort *link_port(const Link *l, unsigned end)
{
    return l->dir[end].from;
}

LinkDir *link_dir(const Link *l, unsigned i)
{
    return (LinkDir *)&l->dir[i];
}

Queue *linkdir_queue(const LinkDir *d)
{
    return d->queue;
}

const LinkDirStats *linkdir_stats(const LinkDir *d)
{
    return &d->stats;
}

uint32_t linkdir_mtu(const LinkDir *d)
{
    return d->mtu;
}

uint64_t linkdir_rate(const LinkDir *d)
{
    return d->rate_bps;
}

SimTime linkdir_delay(const LinkDir *d)
{
    return d->delay;
}

const LinkPort *linkdir_from(const LinkDir *d)
{
    return d->from;
}

size_t link_bytes(const Link *l)
{
    size_t n = sizeof *l;

    for (int i = 0; i < 2; i++)
        n += l->dir[i].ring_cap * sizeof(Flight) + (l->dir[i].queue ? l->dir[i].queue->ops->size : 0);
    return n;
}
