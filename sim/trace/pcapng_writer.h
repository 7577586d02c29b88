/* Writes pcapng captures (draft-ietf-opsawg-pcapng) that Wireshark opens: one section, one interface per
 * network card or link end, nanosecond time stamps, comments on packets, names and secrets inside.
 *
 * The file is a function of the calls: always little-endian, and no clock is read. Simulated time zero is
 * written as epoch_ns after 1970-01-01.
 *
 * A file whose name ends in PCAPNG_WRITER_PACKED_SUFFIX is compressed, with LZ4: readers see the same bytes,
 * and the file is a sixteenth as large when payload is synthetic (sim/trace/pcapng_lz4.h).
 *
 * Order of calls: _open; _add_iface any time before the interface's first packet; for each packet
 * _packet_begin, fill the bytes, _packet_end, or _add_packet; _add_names, _add_secrets and _add_iface_stats
 * between packets (secrets before the packets that need them, or readers that go once through the file cannot
 * decrypt); at last _close. Write errors stick and are reported by _close (sim/trace/outfile.h). */
#pragma once

#include <glib.h>

#include "sim/base/base.h"
#include "sim/base/simtime.h"
#include "sim/packet/packet.h"
#include "sim/trace/pcapng.h"
#include "sim/trace/pcapng_lz4.h"

typedef struct PcapngWriter PcapngWriter;

#define PCAPNG_WRITER_PACKED_SUFFIX ".lz4"

/* Strings may be NULL: then the option is left out. */
typedef struct PcapngSection {
    const char *hardware;
    const char *os;
    const char *userappl; /* NULL: "hopscope VERSION" */
    const char *comment;
    SimTime epoch_ns; /* when simulated time zero was, since 1970 */
    uint32_t snaplen; /* of what _add_packet adds so many bytes are captured; 0: all */
    OutHold *hold;    /* for the file (sim/trace/outfile.h) */
} PcapngSection;

typedef struct PcapngIface {
    const char *name;
    const char *description;
    uint16_t linktype;
    uint32_t snaplen;    /* 0: no limit */
    const uint8_t *mac;  /* 6 bytes or NULL */
    const uint8_t *ipv4; /* n_ipv4 times address and mask, 4 bytes each, in network order */
    size_t n_ipv4;
    const uint8_t *ipv6; /* n_ipv6 times address and prefix length, 16 + 1 bytes each */
    size_t n_ipv6;
    uint64_t speed_bps; /* 0: not said */
    uint8_t fcs_len;    /* bytes of FCS at the end of every packet; 0: not said */
} PcapngIface;

/* All that can be said about a packet beside its bytes. Zeroed members are left out. */
typedef struct PcapngPacketNotes {
    uint32_t flags; /* PCAPNG_FLAG_… */
    const char *const *comments;
    size_t n_comments;
    bool has_dropcount;
    bool has_packetid;
    uint64_t dropcount; /* packets lost between the previous one of this interface and this one */
    uint64_t packetid;  /* the same packet seen on several interfaces has the same id */
} PcapngPacketNotes;

typedef struct PcapngName {
    uint8_t address[16]; /* network order; the first 4 bytes for IPv4 */
    bool is_ipv6;
    const char *name;
} PcapngName;

typedef struct PcapngIfaceStats {
    SimTime start;
    SimTime end;
    uint64_t received;
    uint64_t dropped;
    uint64_t delivered;
} PcapngIfaceStats;

PcapngWriter *pcapng_writer_open(const char *path, const PcapngSection *section, GError **error) HS_MUST_USE;
/* Both free w; what they do to the file is OUTFILE_STREAM's in sim/trace/outfile.h. */
bool pcapng_writer_close(PcapngWriter *w, GError **error);
void pcapng_writer_discard(PcapngWriter *w);

/* Returns the interface's number: 0, 1, … in the order of the calls. */
uint32_t pcapng_writer_add_iface(PcapngWriter *w, const PcapngIface *iface);

/* Where the packet's caplen bytes go. len is the length on the wire, caplen <= len. */
uint8_t *pcapng_writer_packet_begin(PcapngWriter *w, uint32_t iface, SimTime time, uint32_t caplen,
                                    uint32_t len);
/* flags 0 and comment NULL are left out. */
void pcapng_writer_packet_end(PcapngWriter *w, uint32_t flags, const char *comment);
void pcapng_writer_packet_end_with(PcapngWriter *w, const PcapngPacketNotes *notes);

/* The packet, cut to the section's snaplen, with flags, not 0, and an id: what most packets are, and quick in
 * compressed captures too. */
void pcapng_writer_add_packet(PcapngWriter *w, uint32_t iface, SimTime time, const Packet *pkt,
                              uint32_t flags, uint64_t packetid);

/* For whoever adds very many: of a compressed capture, to be given packets itself (their time with the
 * section's epoch); NULL otherwise. */
PcapngLz4 *pcapng_writer_packed(const PcapngWriter *w);

void pcapng_writer_add_names(PcapngWriter *w, const PcapngName *names, size_t n_names);
void pcapng_writer_add_iface_stats(PcapngWriter *w, uint32_t iface, SimTime now,
                                   const PcapngIfaceStats *stats);
void pcapng_writer_add_secrets(PcapngWriter *w, uint32_t type, const void *secrets, size_t n);

/* So that a reader who follows the file sees everything up to now. */
void pcapng_writer_flush(PcapngWriter *w);
/* Of the file; of a compressed one without what still waits for its block to be full. */
uint64_t pcapng_writer_size(const PcapngWriter *w);
bool pcapng_writer_has_failed(const PcapngWriter *w);
