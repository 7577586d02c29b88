/* A pcapng capture inside an LZ4 frame, made so cheaply that it costs less than the plain file. A general
 * compressor reads every byte and looks it up in a table. Here it is known what repeats:
 *
 *   numbers   Packet blocks of one interface and one length differ in time, headers and packet id.
 *   headers   A flow changes some of its bytes, always the same ones: sequence numbers, checksums. All others
 * are matches with its last packet (sim/trace/pcapng_lz4_plan.h).
 *   payload   Synthetic payload (sim/packet/payload.h) is the same as any other, once shifted: it becomes a
 * match without ever being made. Other payload is written as it is.
 *
 * A match takes three bytes, and a byte a quarter of a nanosecond in the kernel's copy: short matches are not
 * made. */
#pragma once

#include <glib.h>

#include "sim/base/base.h"
#include "sim/packet/packet.h"
#include "sim/trace/outfile.h"
#include "sim/trace/pcapng_lz4_wait.h"

typedef struct PcapngLz4 PcapngLz4;

/* The file is lz4frame.h's. Of packets at most `most` bytes are captured. */
PcapngLz4 *pcapng_lz4_open(const char *path, uint32_t most, OutHold *hold, GError **error) HS_MUST_USE;
bool pcapng_lz4_close(PcapngLz4 *z, GError **error);
void pcapng_lz4_discard(PcapngLz4 *z);

/* A packet that cannot wait; all that wait. */
void pcapng_lz4_add_at_once(PcapngLz4 *z, uint32_t where, uint64_t time, const Packet *pkt,
                            uint64_t packetid);
void pcapng_lz4_add_waiting(PcapngLz4 *z);

/* An enhanced packet block: interface and flags (pcapng_wait_where; flags are not 0), time as the block has
 * it, flags and packet id as its options. */
static inline void pcapng_lz4_add_packet(PcapngLz4 *z, uint32_t where, uint64_t time, const Packet *pkt,
                                         uint64_t packetid)
{
    PcapngWaitQueue *queue = (PcapngWaitQueue *)z;
    PcapngWaiting *next;

    if (HS_UNLIKELY(!pcapng_wait_can(pkt))) {
        pcapng_lz4_add_at_once(z, where, time, pkt, packetid);
        return;
    }
    next = pcapng_wait_put(queue->next, pkt, where, time, packetid);
    queue->next = next;
    if (HS_UNLIKELY(next >= queue->end))
        pcapng_lz4_add_waiting(z);
}

/* Other blocks of the capture, at least twelve bytes, as every block has. */
void pcapng_lz4_put(PcapngLz4 *z, const void *bytes, size_t n);

void pcapng_lz4_flush(PcapngLz4 *z);
uint64_t pcapng_lz4_size(const PcapngLz4 *z);
bool pcapng_lz4_has_failed(const PcapngLz4 *z);
