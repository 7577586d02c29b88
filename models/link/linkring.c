/* A card's transmit ring, between the queue discipline and the wire (Linux: ndo_start_xmit, the driver's
 * descriptor ring, its clean-up poll; netif_stop_queue when the ring is full).
 *
 *    queue → [slot, slot, …] → transmitter → … completion interrupt: slots are free again
 *
 * A frame takes a slot when it leaves the queue and keeps it until the completion interrupt that follows its
 * transmission; that interrupt comes irq_delay after the first frame it reports, and frees the slots of all
 * frames that have left by then. While no slot is free frames stay in the queue, where the discipline can
 * still choose among them.
 *
 * Optional; without a ring a frame goes straight from the queue to the wire. Where we differ: real rings hold
 * a descriptor for each piece of a frame, here one for each frame. */
#include <glib.h>

#include "models/link/link_dir.h"

const ProbeDesc probe_tx_ring = {"nic.tx_ring",
                                 "A frame took a slot of the card's transmit ring.",
                                 PROBE_IP,
                                 2,
                                 {{"slot", PROBE_U64}, {"used", PROBE_U64}}};
const ProbeDesc probe_tx_complete = {"nic.tx_complete",
                                     "A completion interrupt freed a slot of the transmit ring.",
                                     PROBE_IP,
                                     2,
                                     {{"slot", PROBE_U64}, {"used", PROBE_U64}}};

struct LinkRing {
    LinkDir *dir;
    Packet **slot;
    uint32_t size;
    uint32_t posted, sent, freed; /* count on for ever: freed <= sent <= posted <= freed + size */
    bool is_sending;              /* the frame in slot `sent` is on its way out */
    SimTime irq_delay;
    Timer wire, irq, ready; /* a frame has left; completion; the queue has something for us */
    LinkRingInfo info;
};

static void pump(LinkRing *r);

static void emit(const LinkRing *r, const ProbeDesc *desc, uint32_t n, const Packet *pkt)
{
    const Node *node = linkdir_node(r->dir);

    if (probe_wanted(node, PROBE_IP))
        probe_emit(node, desc, &r->dir->from->point, pkt,
                   (ProbeValue[]){{.u = n % r->size}, {.u = r->posted - r->freed}});
}

/* ---- filling and emptying ---- */

static void fill(LinkRing *r)
{
    LinkDir *d = r->dir;

    while (r->posted - r->freed < r->size && d->queue && d->queue->packets) {
        Packet *pkt = linkdir_dequeue(d);
        SimTime next;

        if (pkt) {
            r->slot[r->posted++ % r->size] = pkt;
            r->info.peak = HS_MAX(r->info.peak, r->posted - r->freed);
            emit(r, &probe_tx_ring, r->posted - 1, pkt);
            continue;
        }
        next = d->queue->ops->next(d->queue, node_now(linkdir_node(d)));
        if (next != SIM_NEVER)
            timer_arm(&r->ready, next);
        return;
    }
}

static void pump(LinkRing *r)
{
    LinkDir *d = r->dir;

    fill(r);
    if (r->is_sending || r->sent == r->posted || d->stop & (LINK_STOP_PAUSED | LINK_STOP_DOWN))
        return;
    r->is_sending = true;
    linkdir_transmit(d, r->slot[r->sent % r->size]);
    if (d->m->extra->ring == r && r->is_sending) /* a rule may have taken the ring or the cable away */
        timer_arm(&r->wire, d->m->busy_until);
}

static void on_wire(Timer *t)
{
    LinkRing *r = HS_CONTAINER_OF(t, LinkRing, wire);

    r->is_sending = false;
    r->sent++;
    if (!timer_is_armed(&r->irq))
        timer_arm_after(&r->irq, r->irq_delay);
    pump(r);
}

static void on_irq(Timer *t)
{
    LinkRing *r = HS_CONTAINER_OF(t, LinkRing, irq);

    r->info.interrupts++;
    while (r->freed != r->sent) {
        r->freed++;
        r->info.completed++;
        emit(r, &probe_tx_complete, r->freed - 1, NULL);
    }
    pump(r);
}

static void on_ready(Timer *t)
{
    pump(HS_CONTAINER_OF(t, LinkRing, ready));
}

void linkring_kick(LinkDir *d)
{
    pump(d->m->extra->ring);
}

/* ---- life ---- */

static void init_timers(LinkRing *r)
{
    timer_init(&r->wire, linkdir_node(r->dir), on_wire);
    timer_init(&r->irq, linkdir_node(r->dir), on_irq);
    timer_init(&r->ready, linkdir_node(r->dir), on_ready);
}

static void clear_timers(LinkRing *r)
{
    timer_clear(&r->wire);
    timer_clear(&r->irq);
    timer_clear(&r->ready);
}

void linkring_on_down(LinkDir *d)
{
    LinkRing *r = d->m->extra->ring;

    if (!r)
        return;
    for (r->sent += r->is_sending; r->sent != r->posted; r->sent++) {
        linkdir_extra(d)->queue_drops++;
        probe_drop(linkdir_node(d), &d->from->point, r->slot[r->sent % r->size], DROP_LINK_DOWN);
    }
    r->freed = r->sent;
    r->is_sending = false;
    timer_cancel(&r->wire);
    timer_cancel(&r->irq);
    timer_cancel(&r->ready);
}

void linkring_on_plug(LinkDir *d)
{
    LinkExtra *x = linkdir_has_extra(d);

    if (!x || !x->ring)
        return;
    clear_timers(x->ring);
    init_timers(x->ring);
}

void linkring_clear(LinkDir *d)
{
    LinkRing *r = linkdir_has_extra(d) ? d->m->extra->ring : NULL;

    if (!r)
        return;
    for (r->sent += r->is_sending; r->sent != r->posted; r->sent++)
        packet_unref(r->slot[r->sent % r->size]);
    clear_timers(r);
    g_free(r->slot);
    g_free(r);
    d->m->extra->ring = NULL;
    d->stop &= (uint8_t)~LINK_STOP_RING;
}

void linkring_drop(LinkDir *d)
{
    if (linkdir_has_extra(d) && d->m->extra->ring)
        linkring_on_down(d);
    linkring_clear(d);
}

bool linkdir_set_ring(LinkDir *d, unsigned slots, SimTime irq_delay)
{
    LinkRing *r;

    hs_assert(irq_delay >= 0);
    if (d->stop & LINK_STOP_OPPORTUNITY)
        return slots == 0;
    linkring_drop(d);
    if (slots) {
        r = g_new0(LinkRing, 1);
        r->dir = d;
        r->slot = g_new(Packet *, slots);
        r->size = r->info.slots = slots;
        r->irq_delay = irq_delay;
        init_timers(r);
        linkdir_extra(d)->ring = r;
        linkdir_unkick(d);
        d->stop |= LINK_STOP_RING;
    }
    linkdir_kick(d);
    return true;
}

LinkRingInfo linkdir_ring_info(const LinkDir *d)
{
    const LinkRing *r = linkdir_has_extra(d) ? d->m->extra->ring : NULL;
    LinkRingInfo info = {0};

    if (!r)
        return info;
    info = r->info;
    info.used = r->posted - r->freed;
    return info;
}

size_t linkring_bytes(const LinkRing *r)
{
    return r ? sizeof *r + r->size * sizeof *r->slot : 0;
}
