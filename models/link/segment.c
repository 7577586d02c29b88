/* CSMA/CD: IEEE 802.3 clause 4.2.3.2, table 4-2.
 *
 * send → queue → next_frame → attempt (silence, gap) → start → [collide] → on_timer: acquired → on_timer: end
 * → deliver, or back off → attempt …
 *
 * The gap has two parts (4.2.3.2.1): a station that has heard silence for two thirds of it sends at its end,
 * whatever it hears meanwhile. Without this the last sender, who is the first to know of his frame's end,
 * would keep the medium for ever.
 *
 * A station hears another's first bit after `delay`, but never in the same instant (1 ns at least), so that
 * two stations which waited for the same silence do collide on a cable without length. Whether a transmission
 * collides is known when everybody has heard it for the gap's last third: `window` after its first bit.
 *
 * FRAME_TX is reported when the station has acquired the medium, `window` after the first bit; failed
 * attempts are no frames. Each other station then reports FRAME_RX: one frame sent, many received.
 *
 * From 1 Gbit/s on a slot has 4096 bits and short frames are extended to it (802.3z); bursts are not
 * modelled. */
#include "models/link/segment.h"

#include <glib.h>

#include "models/queue/queue.h"
#include "sim/base/rng.h"
#include "sim/engine/timer.h"

#define SLOT_BITS 512
#define SLOT_BITS_GIGABIT 4096
#define PREAMBLE_BITS 64
#define JAM_BITS 32
#define GAP_BITS 96
#define GAP_PART1_BITS 64
#define FCS_BYTES 4
#define BACKOFF_LIMIT 10 /* the range of slots doubles ten times */
#define HEADER_MAX 22    /* Ethernet with two VLAN tags */

typedef enum State { IDLE, DEFERRING, COMMITTED, STARTING, SENDING } State;

typedef struct Station {
    LinkTx tx; /* first */
    Segment *seg;
    LinkPort *port; /* NULL: gone */
    Queue *queue;
    Packet *pkt; /* to be sent next, or being sent */
    unsigned attempts;
    State state;
    bool collided, has_deferred;
    SimTime not_before;       /* end of the backoff */
    SimTime tx_start, tx_end; /* of the latest transmission */
    Timer timer;
    Rng *rng;
    SegmentPortStats stats;
} Station;

struct Segment {
    Node node; /* first */
    SegmentConfig c;
    SimTime reach; /* delay, at least 1 ns */
    SimTime slot, gap, gap_part1, jam, preamble, window;
    GPtrArray *stations; /* never removed: those that left have no port */
    /* The frame that is arriving: a slot is longer than the way, so there is only one. */
    Packet *flying;
    const Station *flying_from;
    SegmentStats stats;
};

static void start(Station *st);

static SimTime bits(const Segment *s, uint64_t n)
{
    return (SimTime)(n * UINT64_C(1000000000) / s->c.rate_bps);
}

static Station *station(const Segment *s, unsigned i)
{
    return s->stations->pdata[i];
}

/* ---- deferring ---- */

/* Since when the medium has been silent, or when it will be, as far as the station can hear now. */
static SimTime silent_since(const Station *st)
{
    const Segment *s = st->seg;
    SimTime now = node_now(&s->node), t = st->tx_end;

    for (unsigned i = 0; i < s->stations->len; i++) {
        const Station *o = station(s, i);

        if (o != st && o->tx_start + s->reach <= now)
            t = HS_MAX(t, o->tx_end + s->reach);
    }
    return t;
}

/* When to look again, or (state COMMITTED) to send. */
static void defer(Station *st)
{
    const Segment *s = st->seg;
    SimTime now = node_now(&s->node), silent = silent_since(st), ready = silent + s->gap;

    st->state = DEFERRING;
    if (silent > now && !st->has_deferred) {
        st->has_deferred = true;
        st->stats.deferred++;
    }
    if (st->not_before > ready) {
        timer_arm(&st->timer, st->not_before);
    } else if (now < silent + s->gap_part1) {
        timer_arm(&st->timer, silent + s->gap_part1);
    } else {
        st->state = COMMITTED;
        timer_arm(&st->timer, HS_MAX(ready, now));
    }
}

static void attempt(Station *st)
{
    SimTime now = node_now(&st->seg->node);

    if (now >= st->not_before && now >= silent_since(st) + st->seg->gap)
        start(st);
    else
        defer(st);
}

/* The station will hear, or hears, somebody else: it stops early. A collision in the preamble does not cut
 * that short (4.2.3.2.4: the jam follows it). */
static void collide(Station *st, SimTime heard)
{
    Segment *s = st->seg;
    SimTime end = HS_MAX(heard, st->tx_start + s->preamble) + s->jam;

    if (st->collided && st->tx_end <= end)
        return;
    st->collided = true;
    st->tx_end = end;
    st->state = SENDING;
    timer_arm(&st->timer, end);
    /* Who waits for the end of the frame now waits for that of the jam. */
    for (unsigned i = 0; i < s->stations->len; i++)
        if (station(s, i)->state == DEFERRING)
            defer(station(s, i));
}

static void start(Station *st)
{
    Segment *s = st->seg;
    SimTime now = node_now(&s->node);
    uint64_t n = 8 * (uint64_t)(packet_len(st->pkt) + FCS_BYTES);
    bool new_collision = true;

    st->state = STARTING;
    st->collided = false;
    st->tx_start = now;
    st->tx_end = now + s->preamble + HS_MAX(bits(s, n), s->slot);
    timer_arm(&st->timer, now + s->window);
    for (unsigned i = 0; i < s->stations->len; i++) {
        Station *o = station(s, i);

        if (o == st || (o->state != STARTING && o->state != SENDING) || o->tx_end <= now)
            continue;
        new_collision &= !o->collided;
        collide(o, now + s->reach);
        collide(st, HS_MAX(now, o->tx_start + s->reach));
    }
    s->stats.collisions += st->collided && new_collision;
}

static void next_frame(Station *st)
{
    st->state = IDLE;
    st->attempts = 0;
    st->has_deferred = false;
    st->pkt = queue_dequeue(st->queue, node_now(&st->seg->node));
    if (st->pkt)
        attempt(st);
}

/* ---- sending ---- */

static void on_arrival(void *arg)
{
    Segment *s = arg;
    Packet *pkt = s->flying;
    const Station *from = s->flying_from;
    unsigned n = s->stations->len;

    s->flying = NULL;
    for (unsigned i = 0; i < n; i++) {
        Station *o = station(s, i);

        if (o == from || !o->port)
            continue;
        probe_rx(&o->port->point, pkt);
        o->port->ops->receive(o->port, packet_ref(pkt));
    }
    packet_unref(pkt);
}

static void on_sent(Station *st)
{
    Segment *s = st->seg;
    uint32_t len = packet_len(st->pkt);

    st->stats.tx_frames++;
    st->stats.tx_bytes += len;
    st->stats.single += st->attempts == 1;
    st->stats.multiple += st->attempts > 1;
    s->stats.delivered_frames++;
    s->stats.delivered_bytes += len;
    s->stats.busy += st->tx_end - st->tx_start;
    hs_assert(!s->flying);
    s->flying = st->pkt;
    s->flying_from = st;
    node_after(&s->node, s->c.delay, on_arrival, s);
    next_frame(st);
}

static void on_collided(Station *st)
{
    Segment *s = st->seg;

    st->stats.collisions++;
    if (++st->attempts >= s->c.attempts) {
        st->stats.excessive_collisions++;
        probe_drop(st->port->point.node, &st->port->point, st->pkt, DROP_COLLISION);
        next_frame(st);
        return;
    }
    st->not_before =
        node_now(&s->node) +
        (SimTime)rng_below(st->rng, UINT64_C(1) << HS_MIN(st->attempts, BACKOFF_LIMIT)) * s->slot;
    attempt(st);
}

static void on_timer(Timer *t)
{
    Station *st = HS_CONTAINER_OF(t, Station, timer);

    switch (st->state) {
    case DEFERRING:
        attempt(st);
        break;
    case COMMITTED:
        start(st);
        break;
    case STARTING: /* everybody has heard us */
        st->state = SENDING;
        probe_tx(&st->port->point, st->pkt);
        timer_arm(t, st->tx_end);
        break;
    case SENDING:
        if (st->collided)
            on_collided(st);
        else
            on_sent(st);
        break;
    case IDLE:
        break;
    }
}

static void segment_send(LinkTx *tx, Packet *pkt)
{
    Station *st = (Station *)tx;
    LinkPort *port = st->port;

    if (packet_len(pkt) > st->seg->c.mtu + HEADER_MAX) {
        probe_drop(port->point.node, &port->point, pkt, DROP_MTU);
        return;
    }
    if (queue_enqueue(st->queue, pkt, node_now(&st->seg->node)) != QUEUE_OK) {
        st->stats.queue_drops++;
        probe_drop(port->point.node, &port->point, pkt, DROP_QUEUE_FULL);
        return;
    }
    if (st->state == IDLE)
        next_frame(st);
}

static void describe(const LinkTx *tx, LinkTxInfo *info)
{
    const Station *st = (const Station *)tx;

    *info = (LinkTxInfo){.rate_bps = st->seg->c.rate_bps,
                         .half_duplex = true,
                         .mtu = st->seg->c.mtu,
                         .tx_packets = st->stats.tx_frames,
                         .tx_bytes = st->stats.tx_bytes,
                         .queue_drops = st->stats.queue_drops,
                         .queue_packets = st->queue->packets,
                         .queue_bytes = st->queue->bytes,
                         .collisions = st->stats.collisions,
                         .excessive_collisions = st->stats.excessive_collisions};
}

/* ---- plugging ---- */

static void set_carrier(LinkPort *port, bool up)
{
    port->carrier = up;
    if (port->ops->carrier)
        port->ops->carrier(port, up);
}

void segment_join(Segment *s, LinkPort *port)
{
    Station *st = g_new0(Station, 1);
    char *purpose = g_strdup_printf("%s/backoff", port->point.name);

    hs_assert(!port->tx);
    st->tx = (LinkTx){.send = segment_send, .describe = describe};
    st->seg = s;
    st->port = port;
    st->tx_start = st->tx_end = -SIM_SEC; /* long ago */
    st->queue = queue_new(queue_ops_by_name("droptail"), (const double[]){s->c.queue_packets, 0, 0},
                          (const bool[]){true, false, false}, NULL);
    st->rng = node_rng((Node *)port->point.node, purpose);
    timer_init(&st->timer, &s->node, on_timer);
    g_ptr_array_add(s->stations, st);
    g_free(purpose);
    port->tx = &st->tx;
    set_carrier(port, true);
}

/* What the station was sending breaks off; a frame that is complete still arrives. */
static void leave(Station *st)
{
    LinkPort *port = st->port;
    SimTime now = node_now(&st->seg->node);
    Packet *pkt;

    timer_clear(&st->timer);
    st->tx_end = HS_MIN(st->tx_end, now);
    st->state = IDLE;
    if (st->pkt)
        probe_drop(port->point.node, &port->point, st->pkt, DROP_LINK_DOWN);
    st->pkt = NULL;
    while ((pkt = queue_dequeue(st->queue, now)))
        probe_drop(port->point.node, &port->point, pkt, DROP_LINK_DOWN);
    st->port = NULL;
    port->tx = NULL;
    set_carrier(port, false);
}

void segment_leave(Segment *s, LinkPort *port)
{
    for (unsigned i = 0; i < s->stations->len; i++)
        if (station(s, i)->port == port)
            leave(station(s, i));
}

/* ---- life ---- */

void segmentconfig_init(SegmentConfig *c)
{
    *c = (SegmentConfig){
        .rate_bps = 10000000, .delay = 1 * SIM_US, .mtu = 1500, .queue_packets = 1000, .attempts = 16};
}

Segment *segment_new(Sim *sim, const char *name, const SegmentConfig *c, char **error)
{
    Segment *s = g_new0(Segment, 1);

    hs_assert(c->rate_bps > 0 && c->delay >= 0 && c->attempts > 0);
    s->c = *c;
    s->reach = HS_MAX(c->delay, 1);
    s->slot = bits(s, c->rate_bps >= UINT64_C(1000000000) ? SLOT_BITS_GIGABIT : SLOT_BITS);
    s->gap = bits(s, GAP_BITS);
    s->gap_part1 = bits(s, GAP_PART1_BITS);
    s->window = s->reach + s->gap - s->gap_part1;
    s->jam = bits(s, JAM_BITS);
    s->preamble = bits(s, PREAMBLE_BITS);
    /* A collision must be heard while the shortest frame is still being sent. */
    if (2 * s->reach > s->slot) {
        *error = g_strdup_printf("a shared segment of %" G_GUINT64_FORMAT " bit/s cannot be %" G_GINT64_FORMAT
                                 " ns long; at most half a slot time, %" G_GINT64_FORMAT " ns",
                                 c->rate_bps, c->delay, s->slot / 2);
        g_free(s);
        return NULL;
    }
    node_init(&s->node, sim, name);
    s->stations = g_ptr_array_new();
    return s;
}

void segment_free(Segment *s)
{
    if (!s)
        return;
    hs_assert(!sim_is_running(node_sim(&s->node)));
    for (unsigned i = 0; i < s->stations->len; i++) {
        Station *st = station(s, i);

        if (st->port)
            leave(st);
        queue_free(st->queue);
        g_free(st);
    }
    packet_unref(s->flying);
    g_ptr_array_free(s->stations, TRUE);
    node_clear(&s->node);
    g_free(s);
}

/* ---- looking ---- */

Node *segment_node(Segment *s)
{
    return &s->node;
}

SimTime segment_slot(const Segment *s)
{
    return s->slot;
}

const SegmentStats *segment_stats(const Segment *s)
{
    return &s->stats;
}

const SegmentPortStats *segment_port_stats(const Segment *s, const LinkPort *port)
{
    for (unsigned i = 0; i < s->stations->len; i++)
        if (station(s, i)->port == port)
            return &station(s, i)->stats;
    return NULL;
}
