/* The way of a frame through one direction of a link. See link.h for the picture and the times.
 *
 * Paths: linkdir_send → (idle) transmit → launch → propagate → event on_arrival → the port's receive.
 *        linkdir_send → (busy) queue → event on_tx_free → transmit → …
 * Frames with impairments, rules or jitter pass judge on the way; the others never see that code. */
#include <glib.h>
#include <string.h>

#include "models/link/link_dir.h"
#include "models/link/linkmark.h"
#include "models/wire/eth.h"

#define RING_MIN_LOG2 3

const ProbeDesc probe_queue_len = {"queue.length",
                                   "A frame joined or left the queue in front of a link.",
                                   PROBE_QUEUE,
                                   2,
                                   {{"packets", PROBE_U64}, {"bytes", PROBE_U64}}};

static void transmit(LinkDir *d, LinkMoving *m, Packet *pkt);
static void propagate(LinkDir *d, LinkMoving *m, Packet *pkt, SimTime arrival);
static void propagate_stray(LinkDir *d, Packet *pkt, SimTime arrival);

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
    LinkMoving *m = linkdir_moving(d);

    if (HS_UNLIKELY(d->stop & LINK_STOP_DOWN)) {
        probe_drop(linkdir_node(d), &d->from->point, pkt, DROP_LINK_DOWN);
        return;
    }
    if (HS_UNLIKELY(packet_len(pkt) > d->max_frame) && is_too_long(d, pkt)) {
        probe_drop(linkdir_node(d), &d->from->point, pkt, DROP_MTU);
        return;
    }
    /* Frames that wait go first, also at the very instant at which the transmitter becomes free. */
    if (node_now(linkdir_node(d)) >= m->busy_until && !d->stop &&
        (!d->queue || (d->queue->packets == 0 && d->queue->ops->can_bypass))) {
        transmit(d, m, pkt);
        return;
    }
    linkdir_enqueue(d, pkt);
    linkdir_kick(d);
}

/* Advances busy_until by the time that len bytes take, exactly: the remainder is carried while frames follow
 * each other without a pause. */
static void occupy(const LinkDir *d, LinkMoving *m, uint32_t len, SimTime now)
{
    const LinkTime *t;
    SimTime ns;

    if (now > m->busy_until) {
        m->busy_until = now;
        m->busy_frac = 0;
    }
    if (d->timing->rate_bps == 0)
        return;
    t = linktiming_frame(d->timing, len);
    ns = t->ns;
    m->busy_frac += t->frac;
    if (m->busy_frac >= d->timing->rate_bps) {
        m->busy_frac -= d->timing->rate_bps;
        ns++;
    }
    m->busy_until += ns;
    m->busy += ns;
}

/* Impairments and rule for a frame that starts now; NULL when it is lost (and reported). */
static Packet *judge(LinkDir *d, Packet *pkt, ImpairVerdict *v)
{
    Node *node = linkdir_node(d);
    LinkExtra *x = d->m->extra;
    ImpairFrame f = {pkt, d->m->tx_packets, packet_len(pkt), node_now(node)};

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
        linkdir_extra(d)->lost_packets++;
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

static void launch_slowly(LinkDir *d, Packet *pkt, SimTime arrival)
{
    ImpairVerdict v;
    bool may_overtake;

    pkt = judge(d, pkt, &v);
    if (!pkt)
        return;
    arrival += v.delay;
    for (unsigned i = 0; i < v.copies; i++)
        packet_ref(pkt);
    may_overtake = v.may_overtake;
    for (unsigned i = 0;; i++) {
        if (may_overtake)
            propagate_stray(d, pkt, arrival);
        else
            propagate(d, d->m, pkt, arrival);
        if (i == v.copies)
            break;
        linkdir_extra(d)->duplicate_packets++;
        probe_tx_copy(&d->from->point, pkt);
        arrival += v.copy_gap;
        /* A late copy does not hold up the frames behind it. */
        may_overtake = v.may_overtake || v.copy_gap > 0;
    }
}

static inline void launch(LinkDir *d, LinkMoving *m, Packet *pkt, SimTime departure)
{
    m->tx_packets++;
    m->tx_bytes += packet_len(pkt);
    probe_tx(&d->from->point, pkt);
    if (HS_LIKELY(!m->slow))
        propagate(d, m, pkt, departure + d->timing->delay);
    else
        launch_slowly(d, pkt, departure + d->timing->delay);
}

void linkdir_launch(LinkDir *d, Packet *pkt, SimTime departure)
{
    launch(d, d->m, pkt, departure);
}

static void transmit(LinkDir *d, LinkMoving *m, Packet *pkt)
{
    const LinkTime *gap = &d->timing->gap;

    occupy(d, m, packet_len(pkt), node_now(linkdir_node(d)));
    /* The last bit leaves a gap before busy_until: exactly, then rounded down. */
    launch(d, m, pkt, m->busy_until - gap->ns - (m->busy_frac < gap->frac));
}

void linkdir_transmit(LinkDir *d, Packet *pkt)
{
    transmit(d, d->m, pkt);
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

    linkdir_extra(d)->queue_drops++;
    probe_drop(linkdir_node(d), &d->from->point, pkt, DROP_AQM);
}

static const QueueOwner queue_owner = {.drop = on_queue_drop, .mark = linkmark_ce};

void linkdir_adopt_queue(LinkDir *d, Queue *q)
{
    d->queue = q;
    q->owner = &queue_owner;
    q->user = d;
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
        linkdir_extra(d)->queue_drops++;
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

    d->m->tx_ev = NULL;
    linkdir_kick(d);
}

void linkdir_kick(LinkDir *d)
{
    Node *node = linkdir_node(d);
    SimTime now = node_now(node), next;
    LinkMoving *m;
    Packet *pkt;

    if (HS_UNLIKELY(d->stop)) {
        if (d->stop == LINK_STOP_OPPORTUNITY)
            linkopportunity_send(d);
        else if (d->stop & LINK_STOP_RING && !(d->stop & LINK_STOP_DOWN))
            linkring_kick(d);
        return;
    }
    if (!d->queue || !d->queue->packets)
        return;
    m = linkdir_moving(d); /* a queue may come with packets in it */
    if (now >= m->busy_until && !(m->tx_ev && m->tx_ev->time == now)) {
        pkt = linkdir_dequeue(d);
        if (pkt)
            transmit(d, m, pkt);
        if (!d->queue->packets || d->stop)
            return;
    }
    next = HS_MAX(d->queue->ops->next(d->queue, now), now);
    next = HS_MAX(next, m->busy_until);
    if (m->tx_ev) {
        if (m->tx_ev->time <= next)
            return;
        linkdir_unkick(d); /* it can go earlier than thought: another queue, another frame */
    }
    if (next != SIM_NEVER)
        m->tx_ev = evqueue_push(&node->part->queue, next, node_take_key(node), on_tx_free, d);
}

void linkdir_unkick(LinkDir *d)
{
    if (!d->m || !d->m->tx_ev)
        return;
    evqueue_cancel(&linkdir_node(d)->part->queue, d->m->tx_ev);
    d->m->tx_ev = NULL;
}

/* ---- in flight ---- */

static EvQueue *arrival_queue(const LinkDir *d)
{
    return &d->to->point.node->part->queue;
}

static inline Flight *ring_at(const LinkMoving *m, uint32_t i)
{
    return &m->ring[i & ((1u << m->ring_log2) - 1)];
}

static void ring_grow(LinkMoving *m, PacketPool *pool)
{
    Blocks *b = packetpool_blocks(pool);
    uint8_t log2 = m->ring ? m->ring_log2 + 1 : HS_MAX(m->ring_log2, RING_MIN_LOG2);
    Flight *ring = blocks_take(b, sizeof *ring << log2);

    for (uint32_t i = m->ring_head; i != m->ring_tail; i++)
        ring[i & ((1u << log2) - 1)] = *ring_at(m, i);
    blocks_give(b, m->ring, sizeof *ring << m->ring_log2);
    m->ring = ring;
    m->ring_log2 = log2;
}

/* The last frame has left: so many links share what few of them need at a time. */
static inline void ring_give_back(LinkMoving *m, PacketPool *pool)
{
    blocks_give(packetpool_blocks(pool), m->ring, sizeof *m->ring << m->ring_log2);
    m->ring = NULL;
}

static inline void deliver(LinkDir *d, LinkMoving *m, Packet *pkt)
{
    LinkPort *to = d->to;

    m->delivered_bytes += packet_len(pkt);
    probe_rx(&to->point, pkt);
    to->ops->receive(to, pkt);
}

static void on_arrival(void *arg)
{
    LinkDir *d = arg;
    LinkMoving *m = d->m;
    Packet *pkt = ring_at(m, m->ring_head++)->pkt;

    m->arrival_ev = NULL;
    if (m->ring_head != m->ring_tail) {
        const Flight *f = ring_at(m, m->ring_head);

        m->arrival_ev = evqueue_push(arrival_queue(d), f->arrival, f->key, on_arrival, d);
        packet_prefetch(f->pkt);
    } else {
        ring_give_back(m, pkt->pool);
    }
    deliver(d, m, pkt);
}

/* Takes a stray out of the list of those in flight and returns its packet. */
static Packet *stray_end(Stray *s)
{
    LinkExtra *x = s->dir->m->extra;

    *(s->prev ? &s->prev->next : &x->strays) = s->next;
    *(s->next ? &s->next->prev : &x->strays_last) = s->prev;
    s->next = x->strays_free;
    x->strays_free = s;
    x->n_strays--;
    return s->pkt;
}

static void on_stray(void *arg)
{
    LinkDir *d = ((Stray *)arg)->dir;

    deliver(d, d->m, stray_end(arg));
}

static void propagate_stray(LinkDir *d, Packet *pkt, SimTime arrival)
{
    LinkExtra *x = d->m->extra;
    Stray *s = x->strays_free;

    if (s)
        x->strays_free = s->next;
    else
        s = g_new(Stray, 1);
    *s = (Stray){d, pkt, NULL, x->strays_last, NULL};
    *(s->prev ? &s->prev->next : &x->strays) = s;
    x->strays_last = s;
    x->n_strays++;
    s->ev = evqueue_push(arrival_queue(d), arrival, node_take_key(linkdir_node(d)), on_stray, s);
}

static void propagate(LinkDir *d, LinkMoving *m, Packet *pkt, SimTime arrival)
{
    uint64_t key;

    if (m->ring) /* First in, first out: a frame that would overtake arrives with the one before it. */
        arrival = HS_MAX(arrival, ring_at(m, m->ring_tail - 1)->arrival);
    key = node_take_key(linkdir_node(d));
    if (HS_UNLIKELY(!m->ring || (m->ring_tail - m->ring_head) >> m->ring_log2))
        ring_grow(m, pkt->pool);
    *ring_at(m, m->ring_tail) = (Flight){pkt, arrival, key};
    if (m->ring_tail++ == m->ring_head)
        m->arrival_ev = evqueue_push(arrival_queue(d), arrival, key, on_arrival, d);
}

static void lose(LinkDir *d, Packet *pkt)
{
    linkdir_extra(d)->lost_packets++;
    probe_drop(linkdir_node(d), &d->from->point, pkt, DROP_LINK_DOWN);
}

void linkdir_lose_all(LinkDir *d)
{
    SimTime now = node_now(linkdir_node(d));
    LinkMoving *m = d->m;
    Packet *pkt;

    if (!m)
        return;
    linkdir_unkick(d);
    if (m->arrival_ev)
        evqueue_cancel(arrival_queue(d), m->arrival_ev);
    m->arrival_ev = NULL;
    while (m->ring_head != m->ring_tail) {
        pkt = ring_at(m, m->ring_head++)->pkt;
        if (m->ring_head == m->ring_tail)
            ring_give_back(m, pkt->pool);
        lose(d, pkt);
    }
    if (m->extra) {
        while (d->m->extra->strays) {
            evqueue_cancel(arrival_queue(d), d->m->extra->strays->ev);
            lose(d, stray_end(d->m->extra->strays));
        }
        linkfollow_on_down(d);
        linkring_on_down(d);
    }
    /* The frame that was being sent is cut off. */
    if (m->busy_until > now) {
        m->busy -= m->busy_until - now;
        m->busy_until = now;
        m->busy_frac = 0;
    }
    while (d->queue && (pkt = queue_take(d->queue, now))) {
        note_queue(d);
        linkdir_extra(d)->queue_drops++;
        probe_drop(linkdir_node(d), &d->from->point, pkt, DROP_LINK_DOWN);
    }
}

/* ---- the rare things ---- */

LinkExtra *linkdir_extra(LinkDir *d)
{
    LinkMoving *m = linkdir_moving(d);

    if (!m->extra)
        m->extra = g_new0(LinkExtra, 1);
    return m->extra;
}

LinkMoving *linkdir_moving_new(LinkDir *d)
{
    d->m = cells_take(&linkdir_node(d)->part->cells, sizeof *d->m);
    return d->m;
}

void linkdir_update_slow(LinkDir *d)
{
    const LinkExtra *x = linkdir_has_extra(d);

    if (d->m)
        d->m->slow =
            x && (x->rule || x->impair || x->jitter || (x->follow && linkfollow_has_loss(x->follow)));
}
