/* A stream of records that resemble earlier ones, as an LZ4 frame: what makes a compressed capture cost less
 * than a plain one. A general compressor reads every byte, and looks for it in a table; here it is known what
 * repeats:
 *
 *   head   a block's numbers and a packet's headers, compared with the head of the last
 *          record of the same flow, else of the same kind, and only what differs is written
 *   body   payload by reference. Synthetic payload is the same as any other of its kind, once shifted; it
 * becomes a match without ever being made. Other payload is written as it is. tail   options and lengths:
 * compared like the head
 *
 * A tail is held back until the next record or put comes, because a block of LZ4 has to end with literals. */
#pragma once

#include <glib.h>

#include "sim/base/base.h"
#include "sim/packet/packet.h"

#define LZ4RECORDS_END 12 /* neither head nor tail has fewer bytes: what a block can end with */
#define LZ4RECORDS_HEAD 128
#define LZ4RECORDS_TAIL 32
#define LZ4RECORDS_FLOW 12

typedef struct Lz4Records Lz4Records;

/* A record to be filled in: its first bytes, its last bytes, and how many. Behind both arrays is room for
 * what is read and written ahead. */
typedef struct Lz4Record {
    uint64_t pos; /* of the stream */
    uint32_t n_head, n_body, n_tail;
    uint32_t
        flow_at; /* LZ4RECORDS_FLOW bytes of the head that tell one flow from another; 0: there are none */
    uint8_t head[LZ4RECORDS_HEAD + 32];
    uint8_t tail[LZ4RECORDS_TAIL + 32];
} Lz4Record;

/* The file is lz4frame.h's. */
Lz4Records *lz4records_open(const char *path, GError **error) HS_MUST_USE;
bool lz4records_close(Lz4Records *s, GError **error);
void lz4records_discard(Lz4Records *s);

/* The next record, to be filled in (all but pos) and added at once. */
Lz4Record *lz4records_next(Lz4Records *s);
/* Its body are n_body bytes of the packet from offset `from` on, checksums filled in, at most PKT_MAX_LEN. */
void lz4records_add(Lz4Records *s, Lz4Record *r, const Packet *pkt, uint32_t from);
/* Bytes that resemble nothing. */
void lz4records_put(Lz4Records *s, const void *bytes, size_t n);

void lz4records_flush(Lz4Records *s);
uint64_t lz4records_size(const Lz4Records *s);
bool lz4records_has_failed(const Lz4Records *s);
