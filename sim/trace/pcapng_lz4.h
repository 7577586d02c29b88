/* A pcapng capture inside an LZ4 frame, made so cheaply that it costs less than the plain file. A general
 * compressor reads every byte and looks it up in a table. Here it is known what repeats:
 *
 *   numbers   Packet blocks of one interface and one length differ in time, headers and packet id.
 *   headers   are compared with those of the last such packet of the same flow, else of the last such packet.
 *   payload   Synthetic payload (sim/packet/payload.h) is the same as any other, once shifted: it becomes a
 * match without ever being made. Other payload is written as it is.
 *
 * A match costs some two nanoseconds, a literal byte a quarter of one in the kernel's copy: short matches are
 * not made. */
#pragma once

#include <glib.h>

#include "sim/base/base.h"
#include "sim/packet/packet.h"

typedef struct PcapngLz4 PcapngLz4;

typedef struct PcapngLz4Packet {
    uint32_t iface;
    uint32_t caplen;
    uint64_t time;  /* as the block has it */
    uint32_t flags; /* of the interface and direction; not 0 */
    uint64_t packetid;
} PcapngLz4Packet;

/* The file is lz4frame.h's. */
PcapngLz4 *pcapng_lz4_open(const char *path, GError **error) HS_MUST_USE;
bool pcapng_lz4_close(PcapngLz4 *z, GError **error);
void pcapng_lz4_discard(PcapngLz4 *z);

/* An enhanced packet block with the two options that it names. */
void pcapng_lz4_add_packet(PcapngLz4 *z, const PcapngLz4Packet *k, const Packet *pkt);
/* Any other bytes of the capture. */
void pcapng_lz4_put(PcapngLz4 *z, const void *bytes, size_t n);

void pcapng_lz4_flush(PcapngLz4 *z);
uint64_t pcapng_lz4_size(const PcapngLz4 *z);
bool pcapng_lz4_has_failed(const PcapngLz4 *z);
