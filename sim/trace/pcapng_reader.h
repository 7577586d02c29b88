/* Reads captures packet by packet: pcapng (draft-ietf-opsawg-pcapng; both byte orders, several sections) and
 * classic pcap (draft-ietf-opsawg-pcap; micro- and nanoseconds, both byte orders). The file is not trusted:
 * every length is checked, memory is bounded by the largest block accepted (16 MiB) and by what the file
 * really holds.
 *
 * Call _next until it says something else than PCAPNG_READ_PACKET. A capture whose writer was killed ends in
 * PCAPNG_READ_CUT_SHORT after its last whole packet; what is wrong inside the file is PCAPNG_READ_ERROR with
 * the offset, what was found and what was expected. After either of the three last statuses reading is over.
 */
#pragma once

#include <glib.h>

#include "sim/base/base.h"
#include "sim/base/simtime.h"
#include "sim/trace/pcapng.h"

typedef struct PcapngReader PcapngReader;

typedef enum PcapngReadStatus {
    PCAPNG_READ_PACKET,
    PCAPNG_READ_END,
    PCAPNG_READ_CUT_SHORT,
    PCAPNG_READ_ERROR,
} PcapngReadStatus;

#define PCAPNG_READER_ERROR (pcapng_reader_error_quark())
GQuark pcapng_reader_error_quark(void);

typedef enum PcapngReaderError {
    PCAPNG_READER_ERROR_FORMAT,    /* not a capture, or a broken one */
    PCAPNG_READER_ERROR_CUT_SHORT, /* comes with PCAPNG_READ_CUT_SHORT: where the file ends and what was due
                                    */
} PcapngReaderError;

/* Pointers hold until the next _next or _free. */
typedef struct PcapngPacket {
    uint64_t offset;        /* of the packet's block in the file */
    uint32_t section;       /* 0, 1, … */
    uint32_t iface;         /* number within the section; 0 in classic pcap */
    const char *iface_name; /* NULL if the file does not say */
    uint16_t linktype;
    uint8_t fcs_len; /* bytes of FCS at the end of the packet, as far as the file says */
    bool has_time;   /* false in simple packets, and if the time does not fit into a SimTime */
    bool has_dropcount;
    bool has_packetid;
    SimTime time; /* since 1970 */
    uint32_t caplen;
    uint32_t len; /* on the wire; never less than caplen */
    const uint8_t *bytes;
    uint32_t flags; /* PCAPNG_FLAG_…, 0 if the file says none */
    uint64_t dropcount;
    uint64_t packetid;
    const char *const *comments; /* valid UTF-8 */
    size_t n_comments;
} PcapngPacket;

PcapngReader *pcapng_reader_open(const char *path, GError **error) HS_MUST_USE;
/* The same for a capture in memory, which must outlive the reader; name stands in messages. */
PcapngReader *pcapng_reader_new(const void *data, size_t n, const char *name);
void pcapng_reader_free(PcapngReader *r);

/* *packet is touched for PCAPNG_READ_PACKET only; error is set for PCAPNG_READ_CUT_SHORT and
 * PCAPNG_READ_ERROR. */
PcapngReadStatus pcapng_reader_next(PcapngReader *r, PcapngPacket *packet, GError **error);
