/* The frame of a probe record, from its first byte and with the link type that its bytes have.
 *
 * A packet that ends inside a host (dropped by a look-up, a full socket) has lost its link header already, or
 * never had one: it is shown from its network header on, as raw IP. */
#pragma once

#include "sim/trace/probe.h"

/* Bytes of no header that a link type names (a datagram before it gets its IP header): LINKTYPE_USER0. */
#define SINKFRAME_BYTES 147

typedef struct SinkFrame {
    uint16_t linktype; /* PCAPNG_LINKTYPE_…, or SINKFRAME_BYTES */
    const Packet *pkt; /* the record's, or &view */
    Packet view; /* valid when pkt points here: the same bytes with another head; never to be released */
} SinkFrame;

/* Returns frame->pkt, to be read before the record's call ends. */
const Packet *sinkframe_find(SinkFrame *frame, const ProbeRecord *r);

static inline const Packet *sinkframe_of(SinkFrame *frame, const ProbeRecord *r)
{
    if (HS_LIKELY(r->desc->cls == PROBE_FRAME_TX || r->desc->cls == PROBE_FRAME_RX) &&
        HS_LIKELY(r->point != NULL)) {
        frame->linktype = r->point->linktype;
        return frame->pkt = r->pkt;
    }
    return sinkframe_find(frame, r);
}
