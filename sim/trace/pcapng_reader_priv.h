/* What the files of the capture reader share. */
#pragma once

#include <glib.h>
#include <string.h>

#include "sim/trace/bytesource.h"
#include "sim/trace/pcapng_reader.h"

typedef enum PcapngFormat {
    PCAPNG_FORMAT_UNKNOWN,
    PCAPNG_FORMAT_PCAPNG,
    PCAPNG_FORMAT_PCAP,
} PcapngFormat;

typedef struct PcapngIface {
    char *name; /* or NULL */
    uint16_t linktype;
    uint8_t fcs_len;
    uint8_t tsresol;
    int64_t tsoffset_s;
    uint32_t snaplen;
} PcapngIface;

struct PcapngReader {
    ByteSource source;
    uint8_t *data; /* the current block or record, from its first byte */
    size_t n_data;
    size_t room;
    uint64_t offset; /* of data in the file */

    PcapngFormat format;
    PcapngReadStatus status; /* PACKET while there may be more */
    bool swapped;
    bool has_section;
    bool pcap_is_ns;
    uint32_t section;
    GArray *ifaces;      /* PcapngIface; of the current section */
    GPtrArray *comments; /* of the current packet */
};

/* Sets the error and the status; false. `at`: where in the file. */
bool pcapng_reader_fail(PcapngReader *r, uint64_t at, GError **error, const char *fmt, ...) HS_PRINTF(4, 5);

/* pcapng_options.c: the options between at and end, offsets into the block. false: an error, told in status.
 */
bool pcapng_options_check(PcapngReader *r, size_t at, size_t end, GError **error);
bool pcapng_options_iface(PcapngReader *r, size_t at, size_t end, PcapngIface *iface, GError **error);
bool pcapng_options_packet(PcapngReader *r, size_t at, size_t end, bool is_old, PcapngPacket *packet,
                           GError **error);

/* Numbers in the file's byte order. */
static inline uint16_t pcapng_reader_get16(const PcapngReader *r, const uint8_t *p)
{
    uint16_t v;

    memcpy(&v, p, 2);
    v = GUINT16_FROM_LE(v);
    return r->swapped ? GUINT16_SWAP_LE_BE(v) : v;
}

static inline uint32_t pcapng_reader_get32(const PcapngReader *r, const uint8_t *p)
{
    uint32_t v;

    memcpy(&v, p, 4);
    v = GUINT32_FROM_LE(v);
    return r->swapped ? GUINT32_SWAP_LE_BE(v) : v;
}

static inline uint64_t pcapng_reader_get64(const PcapngReader *r, const uint8_t *p)
{
    uint64_t v;

    memcpy(&v, p, 8);
    v = GUINT64_FROM_LE(v);
    return r->swapped ? GUINT64_SWAP_LE_BE(v) : v;
}
