/* The way of a frame through one direction of a link. See link.h for the picture and the times.
 *
 * Paths: linkdir_send → (idle) transmit → launch → propagate → event on_arrival → the port's receive.
 *        linkdir_send → (busy) queue → event on_tx_free → transmit → …
 * Frames with impairments, rules or jitter pass judge on the way; the others never see that code. */
#include <glib.h>

#include "models/link/link_dir.h"
#include "models/link/linkmark.h"
#include "models/wire/eth.h"

#define NS_PER_SEC UINT64_C(1000000000)
#define RING_MIN 8

static const ProbeDesc probe_queue_len = {"queue.length",
                                          "A frame joined or left the queue in front of a link.",
                                          PROBE_QUEUE,
                                          2,
                                          {{"packets", PROBE_U64}, {"bytes", PROBE_U64}}};

static void transmit(LinkDir *d, Packet *pkt);
static void propagate(LinkDir *d, Packet *pkt, SimTime arrival, bool may_overtake);

/* ---- sending ---- */

/* Longer than an MTU of payload behind its link header? Each VLAN tag makes the header four bytes longer, as
 * in Linux. */
static bool is_too_long(const LinkDir *d, const Packet *pkt)
{
    const uint8_t *p = packet_cdata(pkt);
    uint32_t max = d->max_frame;
    unsigned have = packet_header_len(pkt);

    if (d->header_bytes == ETH_HDR_LEN) {
        for (unsigned off = ETH_TYPE_OFF; have >= off + 2; off += 4) {
            uint16_t type = wire_get16(p + off);

            if (type != ETH_TYPE_VLAN && type != ETH_TYPE_QINQ)
                break;
            max += 4;
        }
    }
    return packet_len(pkt) > max;
}

void linkdir_send(LinkTx *tx, Packet *pkt)
{
    LinkDir *d = (LinkDir *)tx;

    if (HS_UNLIKELY(d->stop & LINK_STOP_DOWN)) {
        probe_drop(linkdir_node(d), &d->from->point, pkt, DROP_LINK_DOWN);
        return;
    }
    if (HS_UNLIKELY(packet_len(pkt) > d->max_frame) && is_too_long(d, pkt)) {
        probe_drop(linkdir_node(d), &d->from->point, pkt, DROP_MTU);
        return;
    }
    /* Frames that wait go first, also at the very instant at which the transmitter becomes free. */
    if (node_now(linkdir_node(d)) >= d->busy_until && !d->stop &&
        (!d->queue || (d->queue->packets == 0 && d->queue->ops->can_bypass))) {
        transmit(d, pkt);
        return;
    }
    linkdir_enqueue(d, pkt);
    linkdir_kick(d);
}

/* Advances busy_until by the time that len bytes take, exactly: the remainder is carried while frames follow
 * each other without a pause. */
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

static void transmit(LinkDir *d, Packet *pkt)
{
    occupy(d, packet_len(pkt), node_now(linkdir_node(d)));
    /* The last bit leaves a gap before busy_until: exactly, then rounded down. */
    linkdir_launch(d, pkt, d->busy_until - d->gap_ns - (d->busy_frac < d->gap_frac));
}

/* Impairments and rule for a frame that starts now; NULL when it is lost (and reported). */
static Packet *judge(LinkDir *d, Packet *pkt, ImpairVerdict *v)
{
    Node *node = linkdir_node(d);
    LinkExtra *x = d->extra;
    ImpairFrame f = {pkt, d->stats.tx_packets, packet_len(pkt), node_now(node)};

    impair_verdict_init(v);
    if (x->rule) {
        pkt = x->rule(x->rule_user, d, pkt, &f, v);
        f.pkt = pkt;
        f.len = packet_len(pkt);
    }
    if (x->follow && v->drop == DROP_NONE && linkfollow_has_loss(x->follow) && linkfollow_loses(x->follow))
        v->drop = DROP_LOSS;
    for (Impair *im = x->impair; im && v->drop == DROP_NONE; im = im->next)
        im->ops->apply(im, &f, v);
    if (x->jitter) { /* drawn for lost frames too: a loss does not change the others' fate */
        v->delay += rng_range(x->jitter_rng, 0, x->jitter);
        v->may_overtake |= x->jitter_reorders;
    }
    if (v->drop == DROP_NONE && HS_UNLIKELY(d->stop & LINK_STOP_DOWN)) /* the rule pulled the cable */
        v->drop = DROP_LINK_DOWN;
    if (v->drop != DROP_NONE) {
        d->stats.lost_packets++;
        probe_drop(node, &d->from->point, pkt, v->drop);
        return NULL;
    }
    if (v->n_flips && packet_len(pkt)) {
        pkt = packet_own(pkt);
        for (unsigned i = 0; i < v->n_flips; i++)
            packet_flip_bit(pkt, v->flip[i] % (packet_len(pkt) * 8));
        if (v->fcs_fixed)
            pkt->flags &= (uint8_t)~PKT_HAS_FCS;
    }
    return pkt;
}

void linkdir_launch(LinkDir *d, Packet *pkt, SimTime departure)
{
    SimTime arrival = departure + d->delay;
    ImpairVerdict v;

    d->stats.tx_packets++;
    d->stats.tx_bytes += packet_len(pkt);
    probe_tx(&d->from->point, pkt);
    if (HS_LIKELY(!d->slow)) {
        propagate(d, pkt, arrival, false);
        return;
    }
    pkt = judge(d, pkt, &v);
    if (!pkt)
        return;
    arrival += v.delay;
    for (unsigned i = 0; i < v.copies; i++)
        packet_ref(pkt);
    propagate(d, pkt, arrival, v.may_overtake);
    for (unsigned i = 0; i < v.copies; i++) {
        d->stats.duplicate_packets++;
        probe_tx(&d->from->point, pkt);
        arrival += v.copy_gap;
        /* A late copy does not hold up the frames behind it. */
        propagate(d, pkt, arrival, v.may_overtake || v.copy_gap > 0);
    }
}

/* ---- the queue ---- */

static void note_queue(const LinkDir *d)
{
    if (probe_wanted(linkdir_node(d), PROBE_QUEUE))
        probe_emit(linkdir_node(d), &probe_queue_len, &d->from->point, NULL,
                   (ProbeValue[]){{.u = d->queue->packets}, {.u = d->queue->bytes}});
}

static void on_queue_drop(void *user, Packet *pkt)
{
    LinkDir *d = user;

    d->stats.queue_drops++;
    probe_drop(linkdir_node(d), &d->from->point, pkt, DROP_AQM);
}

void linkdir_adopt_queue(LinkDir *d, Queue *q)
{
    d->queue = q;
    q->drop = on_queue_drop;
    q->user = d;
    q->mark = linkmark_ce;
    if (q->ops->set_rng) {
        char *purpose = g_strdup_printf("%s/%s", d->from->point.name, q->ops->name);

        q->ops->set_rng(q, node_rng(linkdir_node(d), purpose));
        g_free(purpose);
    }
}

void linkdir_enqueue(LinkDir *d, Packet *pkt)
{
    QueueVerdict v;

    if (HS_UNLIKELY(!d->queue))
        linkdir_adopt_queue(d, queue_new_default(LINK_QUEUE_DEFAULT));
    v = queue_enqueue(d->queue, pkt, node_now(linkdir_node(d)));
    if (HS_UNLIKELY(v != QUEUE_OK)) {
        d->stats.queue_drops++;
        probe_drop(linkdir_node(d), &d->from->point, pkt, v == QUEUE_FULL ? DROP_QUEUE_FULL : DROP_AQM);
        return;
    }
    note_queue(d);
}

Packet *linkdir_dequeue(LinkDir *d)
{
    Packet *pkt = queue_dequeue(d->queue, node_now(linkdir_node(d)));

    if (pkt)
        note_queue(d);
    return pkt;
}

static void on_tx_free(void *arg)
{
    LinkDir *d = arg;

    d->tx_ev = NULL;
    linkdir_kick(d);
}

void linkdir_kick(LinkDir *d)
{
    Node *node = linkdir_node(d);
    SimTime now = node_now(node), next;
    Packet *pkt;

    if (HS_UNLIKELY(d->stop)) {
        if (d->stop == LINK_STOP_OPPORTUNITY)
            linkopportunity_send(d);
        return;
    }
    if (!d->queue || !d->queue->packets)
        return;
    if (now >= d->busy_until && !(d->tx_ev && d->tx_ev->time == now)) {
        pkt = linkdir_dequeue(d);
        if (pkt)
            transmit(d, pkt);
        if (!d->queue->packets || d->stop)
            return;
    }
    next = HS_MAX(d->queue->ops->next(d->queue, now), now);
    next = HS_MAX(next, d->busy_until);
    if (d->tx_ev) {
        if (d->tx_ev->time <= next)
            return;
        linkdir_unkick(d); /* it can go earlier than thought: another queue, another frame */
    }
    if (next != SIM_NEVER)
        d->tx_ev = evqueue_push(&node->part->queue, next, node_take_key(node), on_tx_free, d);
}

void linkdir_unkick(LinkDir *d)
{
    if (d->tx_ev)
        evqueue_cancel(&linkdir_node(d)->part->queue, d->tx_ev);
    d->tx_ev = NULL;
}

/* ---- in flight ---- */

static EvQueue *arrival_queue(const LinkDir *d)
{
    return &d->to->point.node->part->queue;
}

static inline Flight *ring_at(const LinkDir *d, uint32_t i)
{
    return &d->ring[i & (d->ring_cap - 1)];
}

static void ring_grow(LinkDir *d)
{
    uint32_t cap = d->ring_cap ? 2 * d->ring_cap : RING_MIN;
    Flight *ring = g_new(Flight, cap);

    for (uint32_t i = d->ring_head; i != d->ring_tail; i++)
        ring[i & (cap - 1)] = *ring_at(d, i);
    g_free(d->ring);
    d->ring = ring;
    d->ring_cap = cap;
}

static void deliver(LinkDir *d, Packet *pkt)
{
    LinkPort *to = d->to;

    d->stats.delivered_packets++;
    d->stats.delivered_bytes += packet_len(pkt);
    probe_rx(&to->point, pkt);
    to->ops->receive(to, pkt);
}

static void on_arrival(void *arg)
{
    LinkDir *d = arg;
    Packet *pkt = ring_at(d, d->ring_head++)->pkt;

    d->arrival_ev = NULL;
    if (d->ring_head != d->ring_tail) {
        const Flight *f = ring_at(d, d->ring_head);

        d->arrival_ev = evqueue_push(arrival_queue(d), f->arrival, f->key, on_arrival, d);
    }
    deliver(d, pkt);
}

/* Takes a stray out of the list of those in flight and returns its packet. */
static Packet *stray_end(Stray *s)
{
    LinkExtra *x = s->dir->extra;

    *(s->prev ? &s->prev->next : &x->strays) = s->next;
    *(s->next ? &s->next->prev : &x->strays_last) = s->prev;
    s->next = x->strays_free;
    x->strays_free = s;
    return s->pkt;
}

static void on_stray(void *arg)
{
    LinkDir *d = ((Stray *)arg)->dir;

    deliver(d, stray_end(arg));
}

static void propagate_stray(LinkDir *d, Packet *pkt, SimTime arrival)
{
    LinkExtra *x = d->extra;
    Stray *s = x->strays_free;

    if (s)
        x->strays_free = s->next;
    else
        s = g_new(Stray, 1);
    *s = (Stray){d, pkt, NULL, x->strays_last, NULL};
    *(s->prev ? &s->prev->next : &x->strays) = s;
    x->strays_last = s;
    s->ev = evqueue_push(arrival_queue(d), arrival, node_take_key(linkdir_node(d)), on_stray, s);
}

static void propagate(LinkDir *d, Packet *pkt, SimTime arrival, bool may_overtake)
{
    uint64_t key;

    if (HS_UNLIKELY(may_overtake)) {
        propagate_stray(d, pkt, arrival);
        return;
    }
    /* First in, first out: a frame that would overtake arrives with the one before it. */
    arrival = HS_MAX(arrival, d->last_arrival);
    d->last_arrival = arrival;
    key = node_take_key(linkdir_node(d));
    if (HS_UNLIKELY(d->ring_tail - d->ring_head == d->ring_cap))
        ring_grow(d);
    *ring_at(d, d->ring_tail) = (Flight){pkt, arrival, key};
    if (d->ring_tail++ == d->ring_head)
        d->arrival_ev = evqueue_push(arrival_queue(d), arrival, key, on_arrival, d);
}

static void lose(LinkDir *d, Packet *pkt)
{
    d->stats.lost_packets++;
    probe_drop(linkdir_node(d), &d->from->point, pkt, DROP_LINK_DOWN);
}

void linkdir_lose_all(LinkDir *d)
{
    SimTime now = node_now(linkdir_node(d));
    Packet *pkt;

    linkdir_unkick(d);
    if (d->arrival_ev)
        evqueue_cancel(arrival_queue(d), d->arrival_ev);
    d->arrival_ev = NULL;
    while (d->ring_head != d->ring_tail)
        lose(d, ring_at(d, d->ring_head++)->pkt);
    if (d->extra) {
        while (d->extra->strays) {
            evqueue_cancel(arrival_queue(d), d->extra->strays->ev);
            lose(d, stray_end(d->extra->strays));
        }
        linkfollow_on_down(d);
    }
    /* Nothing in flight holds up what is sent on the new carrier, and the frame that was being sent is cut
     * off. */
    d->last_arrival = 0;
    if (d->busy_until > now) {
        d->stats.busy -= d->busy_until - now;
        d->busy_until = now;
        d->busy_frac = 0;
    }
    while (d->queue && (pkt = queue_take(d->queue, now))) {
        note_queue(d);
        d->stats.queue_drops++;
        probe_drop(linkdir_node(d), &d->from->point, pkt, DROP_LINK_DOWN);
    }
}

/* ---- the rare things ---- */

LinkExtra *linkdir_extra(LinkDir *d)
{
    if (!d->extra)
        d->extra = g_new0(LinkExtra, 1);
    return d->extra;
}

void linkdir_update_slow(LinkDir *d)
{
    const LinkExtra *x = d->extra;

    d->slow = x && (x->rule || x->impair || x->jitter || (x->follow && linkfollow_has_loss(x->follow)));
}
