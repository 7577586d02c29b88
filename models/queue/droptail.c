/* Drop-tail: first in, first out; what does not fit is refused. The limit is in packets, in bytes (frame
 * lengths without FCS), or both (Linux pfifo and bfifo). With `ecn`, packets that join a queue of that many
 * packets or more are marked Congestion Experienced if they are ECN-capable (a step mark, as DCTCP's switches
 * do; RFC 8257 section 3.1). */
#include <glib.h>

#include "models/queue/pktring.h"
#include "models/queue/queue.h"

enum { PACKETS, BYTES, ECN };

#define PACKETS_DEFAULT 1000 /* Linux txqueuelen */

typedef struct Droptail {
    Queue q;
    PktRing ring;
    uint32_t limit_packets, limit_bytes, mark_packets;
} Droptail;

/* Each host that ever sent two frames at once keeps one. Malloc gives 8 more than multiples of 16. */
_Static_assert(sizeof(Droptail) <= 104, "Droptail has grown");

static bool droptail_init(Queue *q, const double *values, const bool *set, char **error)
{
    Droptail *d = (Droptail *)q;

    /* An `ecn` of 0 would have to mark frames that find the transmitter idle, which never come here. */
    for (int i = 0; i < 3; i++) {
        if (set[i] && !(values[i] >= 1 && values[i] <= UINT32_MAX)) {
            *error = g_strdup_printf("a droptail queue of %.15g %s makes no sense (expected 1 or more)",
                                     values[i], i == BYTES ? "bytes" : "packets");
            return false;
        }
    }
    d->limit_bytes = set[BYTES] ? (uint32_t)values[BYTES] : UINT32_MAX;
    d->limit_packets = set[PACKETS] ? (uint32_t)values[PACKETS] : set[BYTES] ? UINT32_MAX : PACKETS_DEFAULT;
    d->mark_packets = set[ECN] ? (uint32_t)values[ECN] : UINT32_MAX;
    return true;
}

static void droptail_clear(Queue *q)
{
    pktring_clear(&((Droptail *)q)->ring);
}

static QueueVerdict droptail_enqueue(Queue *q, Packet *p, SimTime now)
{
    Droptail *d = (Droptail *)q;
    uint32_t len = packet_len(p);

    if (q->packets >= d->limit_packets || len > d->limit_bytes - HS_MIN(q->bytes, d->limit_bytes)) {
        queue_count(q)->dropped_packets++;
        queue_count(q)->dropped_bytes += len;
        return QUEUE_FULL;
    }
    if (HS_UNLIKELY(q->packets >= d->mark_packets))
        queue_mark(q, &p);
    pktring_push(&d->ring, p);
    q->packets++;
    q->bytes += len;
    q->stats.enqueued_packets++;
    q->stats.enqueued_bytes += len;
    q->stats.peak_packets = HS_MAX(q->stats.peak_packets, q->packets);
    q->stats.peak_bytes = HS_MAX(q->stats.peak_bytes, q->bytes);
    return QUEUE_OK;
}

static Packet *droptail_dequeue(Queue *q, SimTime now)
{
    Droptail *d = (Droptail *)q;
    Packet *p = pktring_pop(&d->ring);

    if (p) {
        q->packets--;
        q->bytes -= packet_len(p);
    }
    return p;
}

static SimTime droptail_next(const Queue *q, SimTime now)
{
    return q->packets ? now : SIM_NEVER;
}

const QueueOps queue_droptail_ops = {
    .name = "droptail",
    .help = "first in, first out; refuses what does not fit",
    .size = sizeof(Droptail),
    .can_bypass = true,
    .params =
        (const QueueParam[]){{"packets", QUEUE_PARAM_PACKETS, "at most so many packets (1000)"},
                             {"bytes", QUEUE_PARAM_BYTES, "at most so many bytes"},
                             {"ecn", QUEUE_PARAM_PACKETS, "mark packets that join so many waiting ones"},
                             {NULL}},
    .init = droptail_init,
    .clear = droptail_clear,
    .enqueue = droptail_enqueue,
    .dequeue = droptail_dequeue,
    .next = droptail_next,
};
