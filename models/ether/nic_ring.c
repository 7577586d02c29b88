/* Linux: the card's interrupt handler, napi_schedule, net_rx_action, napi_poll, process_backlog,
 * enqueue_to_backlog.
 *
 * receive → ring → hard interrupt → [interrupt mode: backlog] → soft interrupt: poll, poll, … → nic_deliver.
 *
 * One frame is in work at a time; it is delivered when its cost has passed. A hard interrupt that comes
 * meanwhile makes that later by its own cost. Where we differ: Linux compares the backlog with `<=` and so
 * admits one frame more than netdev_max_backlog says; here the figure is the limit. */
#include "models/ether/nic_ring.h"

#include <glib.h>

const ProbeDesc probe_dma = {
    "nic.dma", "A card wrote a received frame into its ring.", PROBE_IP, 1, {{"ring_frames", PROBE_U64}}};
const ProbeDesc probe_hard = {
    "nic.interrupt", "A card interrupted its host.", PROBE_IP, 1, {{"count", PROBE_U64}}};
const ProbeDesc probe_soft = {"nic.softirq",
                              "A soft interrupt, or ksoftirqd, begins to take frames.",
                              PROBE_IP,
                              1,
                              {{"thread", PROBE_BOOL}}};
const ProbeDesc probe_poll = {"nic.poll",
                              "A poll ended: so many frames were taken.",
                              PROBE_IP,
                              2,
                              {{"frames", PROBE_U64}, {"unmasked", PROBE_BOOL}}};

typedef struct Fifo {
    Packet **slot;
    uint32_t size, head, len;
} Fifo;

struct NicRing {
    Nic *nic;
    NicRingConfig c;
    Fifo ring, backlog;
    bool masked, paused;
    bool hard_busy; /* a hard interrupt is being handled */
    bool soft_busy; /* a soft interrupt is pending or running */
    bool in_thread, in_run;
    Packet *in_work;
    unsigned poll_work, run_work;
    SimTime run_start;
    Timer hard, soft;
    NicRingStats stats;
};

static Node *node_of(const NicRing *r)
{
    return r->nic->dev.node;
}

static void fifo_init(Fifo *f, uint32_t size)
{
    *f = (Fifo){.slot = g_new(Packet *, HS_MAX(size, 1)), .size = size};
}

static void fifo_push(Fifo *f, Packet *pkt)
{
    f->slot[(f->head + f->len++) % f->size] = pkt;
}

static Packet *fifo_pop(Fifo *f)
{
    Packet *pkt = f->slot[f->head];

    f->head = (f->head + 1) % f->size;
    f->len--;
    return pkt;
}

static Fifo *source(NicRing *r)
{
    return r->c.mode == NIC_RING_NAPI ? &r->ring : &r->backlog;
}

static void drop(NicRing *r, Packet *pkt, ProbeDrop reason)
{
    probe_drop(node_of(r), &r->nic->port.point, pkt, reason);
}

/* ---- soft interrupts ---- */

static void poll_ends(NicRing *r, bool unmask)
{
    if (probe_wanted(node_of(r), PROBE_IP))
        probe_emit(node_of(r), &probe_poll, &r->nic->port.point, NULL,
                   (ProbeValue[]){{.u = r->poll_work}, {.u = unmask}});
    r->poll_work = 0;
}

static void begin_run(NicRing *r)
{
    r->in_run = true;
    r->stats.softirqs++;
    r->stats.thread_runs += r->in_thread;
    r->run_work = r->poll_work = 0;
    r->run_start = node_now(node_of(r));
    r->stats.polls++;
    if (probe_wanted(node_of(r), PROBE_IP))
        probe_emit(node_of(r), &probe_soft, &r->nic->port.point, NULL, (ProbeValue[]){{.u = r->in_thread}});
}

static void complete(NicRing *r)
{
    poll_ends(r, r->masked);
    r->masked = r->soft_busy = r->in_run = r->in_thread = false;
}

/* Takes the next frame in work, ends a poll, or ends the run. */
static void soft_step(NicRing *r)
{
    SimTime now = node_now(node_of(r));

    if (r->paused)
        return;
    if (!r->in_run)
        begin_run(r);
    if (r->poll_work == r->c.weight) { /* a full poll may not be the last: look again, if the budget allows */
        poll_ends(r, false);
        if (r->run_work >= r->c.budget || now - r->run_start >= r->c.budget_time) {
            r->stats.squeezes++;
            r->in_run = false;
            r->in_thread = true;
            timer_arm(&r->soft, now + r->c.thread_delay);
            return;
        }
        r->stats.polls++;
    }
    if (source(r)->len == 0) {
        complete(r);
        return;
    }
    r->in_work = fifo_pop(source(r));
    timer_arm(&r->soft, now + r->c.packet_cost + (r->hard_busy ? r->hard.deadline - now : 0));
}

static void on_soft(Timer *t)
{
    NicRing *r = HS_CONTAINER_OF(t, NicRing, soft);
    Packet *pkt = r->in_work;

    r->in_work = NULL;
    if (pkt) {
        r->poll_work++;
        r->run_work++;
        nic_deliver(r->nic, pkt);
    }
    soft_step(r);
}

static void raise_soft(NicRing *r)
{
    if (r->soft_busy)
        return;
    r->soft_busy = true;
    soft_step(r);
}

/* ---- hard interrupts ---- */

static void interrupt(NicRing *r)
{
    SimTime now = node_now(node_of(r));

    r->hard_busy = true;
    r->stats.interrupts++;
    if (r->c.mode == NIC_RING_NAPI)
        r->masked = true;
    if (probe_wanted(node_of(r), PROBE_IP))
        probe_emit(node_of(r), &probe_hard, &r->nic->port.point, NULL,
                   (ProbeValue[]){{.u = r->stats.interrupts}});
    if (timer_is_armed(&r->soft)) /* whatever the processor was doing waits */
        timer_arm(&r->soft, r->soft.deadline + r->c.irq_cost);
    timer_arm(&r->hard, now + r->c.irq_cost);
}

static void to_backlog(NicRing *r, Packet *pkt)
{
    if (r->backlog.len >= r->c.max_backlog) {
        r->stats.backlog_drops++;
        netdev_count(&r->nic->dev)->rx_dropped++;
        drop(r, pkt, DROP_BACKLOG_FULL);
        return;
    }
    fifo_push(&r->backlog, pkt);
    r->stats.backlog_peak = HS_MAX(r->stats.backlog_peak, r->backlog.len);
}

static void on_hard(Timer *t)
{
    NicRing *r = HS_CONTAINER_OF(t, NicRing, hard);

    r->hard_busy = false;
    if (r->c.mode == NIC_RING_INTERRUPT && r->ring.len) {
        to_backlog(r, fifo_pop(&r->ring));
        if (r->ring.len)
            interrupt(r);
    }
    raise_soft(r);
}

void nic_ring_receive(NicRing *r, Packet *pkt)
{
    if (r->ring.len >= r->c.rx_size) {
        r->stats.overruns++;
        netdev_count(&r->nic->dev)->rx_overruns++;
        drop(r, pkt, DROP_RING_FULL);
        return;
    }
    fifo_push(&r->ring, pkt);
    r->stats.ring_peak = HS_MAX(r->stats.ring_peak, r->ring.len);
    if (probe_wanted(node_of(r), PROBE_IP))
        probe_emit(node_of(r), &probe_dma, &r->nic->port.point, pkt, (ProbeValue[]){{.u = r->ring.len}});
    if (!r->masked && !r->hard_busy)
        interrupt(r);
}

void nic_ring_set_paused(NicRing *r, bool paused)
{
    if (r->paused == paused)
        return;
    r->paused = paused;
    if (!paused && r->soft_busy && !timer_is_armed(&r->soft))
        soft_step(r);
}

/* ---- life ---- */

void nic_ring_config_init(NicRingConfig *c)
{
    *c = (NicRingConfig){.mode = NIC_RING_NAPI,
                         .rx_size = 256,
                         .irq_cost = 2 * SIM_US,
                         .packet_cost = 1 * SIM_US,
                         .weight = 64,
                         .budget = 300,
                         .budget_time = 2 * SIM_MS,
                         .max_backlog = 1000};
}

void nic_set_ring(Nic *nic, const NicRingConfig *c)
{
    NicRing *r;

    if (nic_get_ring(nic)) {
        nic_ring_free(nic->live->extra->ring);
        nic->live->extra->ring = NULL;
    }
    if (!c)
        return;
    hs_assert(c->weight > 0 && c->irq_cost >= 0 && c->packet_cost >= 0 && c->thread_delay >= 0);
    nic_extra(nic)->ring = r = g_new0(NicRing, 1);
    r->nic = nic;
    r->c = *c;
    fifo_init(&r->ring, c->rx_size);
    fifo_init(&r->backlog, c->max_backlog);
    timer_init(&r->hard, nic->dev.node, on_hard);
    timer_init(&r->soft, nic->dev.node, on_soft);
}

void nic_ring_flush(NicRing *r)
{
    while (r->ring.len)
        drop(r, fifo_pop(&r->ring), DROP_DEVICE_DOWN);
    while (r->backlog.len)
        drop(r, fifo_pop(&r->backlog), DROP_DEVICE_DOWN);
    if (r->in_work)
        drop(r, r->in_work, DROP_DEVICE_DOWN);
    r->in_work = NULL;
    timer_cancel(&r->hard);
    timer_cancel(&r->soft);
    r->masked = r->hard_busy = r->soft_busy = r->in_run = r->in_thread = false;
}

void nic_ring_free(NicRing *r)
{
    if (!r)
        return;
    nic_ring_flush(r);
    timer_clear(&r->hard);
    timer_clear(&r->soft);
    g_free(r->ring.slot);
    g_free(r->backlog.slot);
    g_free(r);
}

/* ---- looking ---- */

const NicRingStats *nic_ring_stats(const NicRing *r)
{
    return &r->stats;
}

unsigned nic_ring_waiting(const NicRing *r)
{
    return r->ring.len;
}

unsigned nic_ring_backlog(const NicRing *r)
{
    return r->backlog.len;
}

bool nic_ring_is_masked(const NicRing *r)
{
    return r->masked;
}
