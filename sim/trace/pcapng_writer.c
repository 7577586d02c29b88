/* The pcapng format, writing side (draft-ietf-opsawg-pcapng). Packets are put together in the output buffer
 * itself, so that a packet's bytes are copied once. A block is committed as a whole, so that every flush ends
 * at a block. In a compressed capture only a packet's headers and options are put together: see
 * sim/trace/pcapng_lz4.h. */
#include "sim/trace/pcapng_writer.h"

#include <string.h>

#include "sim/trace/outfile.h"
#include "sim/trace/pcapng_bytes.h"
#include "sim/trace/pcapng_lz4.h"

#define NANOSECONDS 9 /* if_tsresol: 10^-9 */
/* epb_flags, epb_dropcount, epb_packetid, opt_endofopt and the trailing length: always reserved with a
 * packet. */
#define PACKET_TAIL_BYTES (8 + 12 + 12 + 4 + 4)
#define OPTION_MAX_BYTES 65535
/* Name records are put into blocks of about this size: readers keep a whole block in memory. */
#define NAMES_BLOCK_BYTES 60000

struct PcapngWriter {
    OutFile *file;     /* one of the two */
    PcapngLz4 *packed; /* is there */
    SimTime epoch_ns;
    uint32_t n_ifaces;
    uint32_t most;         /* bytes of a packet */
    uint32_t packet_bytes; /* of the packet between _begin and _end */
    bool in_packet;
    GByteArray *block; /* scratch for all blocks but packets, and for these too in a compressed capture */
};

/* --- blocks that are not packets are put together in w->block --- */

static void add(PcapngWriter *w, const void *data, size_t n)
{
    g_byte_array_append(w->block, data, (guint)n);
}

static void add16(PcapngWriter *w, uint16_t v)
{
    uint8_t bytes[2];

    pcapng_put16(bytes, v);
    add(w, bytes, sizeof(bytes));
}

static void add32(PcapngWriter *w, uint32_t v)
{
    uint8_t bytes[4];

    pcapng_put32(bytes, v);
    add(w, bytes, sizeof(bytes));
}

static void add64(PcapngWriter *w, uint64_t v)
{
    uint8_t bytes[8];

    pcapng_put64(bytes, v);
    add(w, bytes, sizeof(bytes));
}

static void add_padding(PcapngWriter *w)
{
    static const uint8_t zeros[4];

    add(w, zeros, -w->block->len & 3);
}

static void add_option(PcapngWriter *w, uint16_t code, const void *data, size_t n)
{
    add16(w, code);
    add16(w, (uint16_t)n);
    add(w, data, n);
    add_padding(w);
}

static void add_option64(PcapngWriter *w, uint16_t code, uint64_t v)
{
    uint8_t bytes[8];

    pcapng_put64(bytes, v);
    add_option(w, code, bytes, sizeof(bytes));
}

/* Strings in pcapng are UTF-8 of at most 65535 bytes. What is not UTF-8 is made so (then the result is to be
 * freed and in *made); what is too long is cut between characters. */
static const char *fit_string(const char *s, size_t *n, char **made)
{
    *n = strlen(s);
    *made = NULL;
    if (!g_utf8_validate(s, (gssize)*n, NULL)) {
        s = *made = g_utf8_make_valid(s, (gssize)*n);
        *n = strlen(s);
    }
    if (*n > OPTION_MAX_BYTES) {
        *n = OPTION_MAX_BYTES;
        while (((uint8_t)s[*n] & 0xc0) == 0x80)
            --*n;
    }
    return s;
}

static void add_option_string(PcapngWriter *w, uint16_t code, const char *s)
{
    char *made;
    size_t n;

    if (!s)
        return;
    s = fit_string(s, &n, &made);
    add_option(w, code, s, n);
    g_free(made);
}

/* Times outside packets' fast path: interface statistics have the halves in this order too. */
static void add_time(PcapngWriter *w, SimTime t)
{
    uint64_t ts = (uint64_t)(w->epoch_ns + t);

    add32(w, (uint32_t)(ts >> 32));
    add32(w, (uint32_t)ts);
}

static void block_begin(PcapngWriter *w, uint32_t type)
{
    hs_assert(!w->in_packet);
    g_byte_array_set_size(w->block, 0);
    add32(w, type);
    add32(w, 0);
}

static void block_end(PcapngWriter *w)
{
    uint32_t total = w->block->len + 4;

    hs_assert(total % 4 == 0);
    add32(w, total);
    pcapng_put32(w->block->data + 4, total);
    if (w->packed)
        pcapng_lz4_put(w->packed, w->block->data, total);
    else
        outfile_write(w->file, w->block->data, total);
}

/* --- section and interfaces --- */

PcapngWriter *pcapng_writer_open(const char *path, const PcapngSection *section, GError **error)
{
    PcapngWriter *w = g_new0(PcapngWriter, 1);

    w->most = section->snaplen ? section->snaplen : UINT32_MAX;
    if (g_str_has_suffix(path, PCAPNG_WRITER_PACKED_SUFFIX))
        w->packed = pcapng_lz4_open(path, w->most, section->hold, error);
    else
        w->file = outfile_open_held(path, section->hold, error);
    if (!w->packed && !w->file) {
        g_free(w);
        return NULL;
    }
    w->epoch_ns = section->epoch_ns;
    w->block = g_byte_array_new();

    block_begin(w, PCAPNG_BLOCK_SECTION);
    add32(w, PCAPNG_BYTE_ORDER_MAGIC);
    add16(w, 1); /* version 1.0 */
    add16(w, 0);
    add64(w, UINT64_MAX); /* section length: not said, it goes to the end of the file */
    add_option_string(w, PCAPNG_SHB_HARDWARE, section->hardware);
    add_option_string(w, PCAPNG_SHB_OS, section->os);
    add_option_string(w, PCAPNG_SHB_USERAPPL, section->userappl ? section->userappl : "hopscope " HS_VERSION);
    add_option_string(w, PCAPNG_OPT_COMMENT, section->comment);
    add_option(w, PCAPNG_OPT_END, NULL, 0);
    block_end(w);
    return w;
}

static void free_writer(PcapngWriter *w)
{
    g_byte_array_unref(w->block);
    g_free(w);
}

bool pcapng_writer_close(PcapngWriter *w, GError **error)
{
    bool ok;

    hs_assert(!w->in_packet);
    ok = w->packed ? pcapng_lz4_close(w->packed, error) : outfile_close(w->file, error);
    free_writer(w);
    return ok;
}

void pcapng_writer_discard(PcapngWriter *w)
{
    if (!w)
        return;
    outfile_discard(w->file);
    pcapng_lz4_discard(w->packed);
    free_writer(w);
}

uint32_t pcapng_writer_add_iface(PcapngWriter *w, const PcapngIface *iface)
{
    const uint8_t resolution = NANOSECONDS;

    block_begin(w, PCAPNG_BLOCK_IFACE);
    add16(w, iface->linktype);
    add16(w, 0);
    add32(w, iface->snaplen);
    add_option_string(w, PCAPNG_IF_NAME, iface->name);
    add_option_string(w, PCAPNG_IF_DESCRIPTION, iface->description);
    for (size_t i = 0; i < iface->n_ipv4; i++)
        add_option(w, PCAPNG_IF_IPV4ADDR, iface->ipv4 + 8 * i, 8);
    for (size_t i = 0; i < iface->n_ipv6; i++)
        add_option(w, PCAPNG_IF_IPV6ADDR, iface->ipv6 + 17 * i, 17);
    if (iface->mac)
        add_option(w, PCAPNG_IF_MACADDR, iface->mac, 6);
    if (iface->speed_bps)
        add_option64(w, PCAPNG_IF_SPEED, iface->speed_bps);
    add_option(w, PCAPNG_IF_TSRESOL, &resolution, 1);
    if (iface->fcs_len)
        add_option(w, PCAPNG_IF_FCSLEN, &iface->fcs_len, 1);
    add_option(w, PCAPNG_OPT_END, NULL, 0);
    block_end(w);
    return w->n_ifaces++;
}

/* --- packets --- */

/* Room for n bytes of a packet's block, of which the first `keep` are there already. */
static uint8_t *packet_room(PcapngWriter *w, size_t keep, size_t n)
{
    if (!w->packed)
        return outfile_grow(w->file, keep, n);
    if (w->block->len < n)
        g_byte_array_set_size(w->block, (guint)n);
    return w->block->data;
}

uint8_t *pcapng_writer_packet_begin(PcapngWriter *w, uint32_t iface, SimTime time, uint32_t caplen,
                                    uint32_t len)
{
    const size_t most = PCAPNG_PACKET_HEAD_BYTES + (size_t)caplen + 3 + PACKET_TAIL_BYTES;
    uint8_t *p = HS_LIKELY(w->file != NULL) ? outfile_reserve(w->file, most) : packet_room(w, 0, most);

    hs_assert(!w->in_packet);
    hs_assert(iface < w->n_ifaces);
    hs_assert(caplen <= len);
    w->in_packet = true;
    w->packet_bytes = caplen;
    return pcapng_put_packet_head(p, 0, iface, (uint64_t)(w->epoch_ns + time), caplen, len);
}

/* The options' end and the trailing length; block is the block's first byte, p what follows its last option.
 */
static void packet_commit(PcapngWriter *w, uint8_t *block, uint8_t *p, bool has_options)
{
    uint32_t total;

    if (has_options)
        p = pcapng_put32(p, PCAPNG_OPT_END);
    total = (uint32_t)(p - block) + 4;
    pcapng_put32(p, total);
    pcapng_put32(block + 4, total);
    if (w->packed)
        pcapng_lz4_put(w->packed, block, total);
    else
        outfile_commit(w->file, total);
    w->in_packet = false;
}

/* Where the options go, after the padding of the packet's bytes. */
static inline uint8_t *packet_pad(const PcapngWriter *w, uint8_t *block)
{
    uint8_t *p = block + PCAPNG_PACKET_HEAD_BYTES + w->packet_bytes;
    const uint32_t zero = 0;

    memcpy(p, &zero, 4);
    return block + PCAPNG_PACKET_HEAD_BYTES + w->packet_bytes + pcapng_padding(w->packet_bytes);
}

void pcapng_writer_packet_end(PcapngWriter *w, uint32_t flags, const char *comment)
{
    uint8_t *block, *p;

    if (comment) {
        pcapng_writer_packet_end_with(
            w, &(PcapngPacketNotes){.flags = flags, .comments = &comment, .n_comments = 1});
        return;
    }
    hs_assert(w->in_packet);
    block = packet_room(w, 0, 0);
    p = packet_pad(w, block);
    if (flags)
        p = pcapng_put_flags(p, flags);
    packet_commit(w, block, p, flags != 0);
}

void pcapng_writer_packet_end_with(PcapngWriter *w, const PcapngPacketNotes *notes)
{
    uint8_t *block = packet_room(w, 0, 0);
    uint8_t *p;

    hs_assert(w->in_packet);
    p = packet_pad(w, block);
    for (size_t i = 0; i < notes->n_comments; i++) {
        size_t used = (size_t)(p - block), n;
        char *made;
        const char *s = fit_string(notes->comments[i], &n, &made);

        block = packet_room(w, used, used + 4 + n + 3 + PACKET_TAIL_BYTES);
        p = pcapng_put16(block + used, PCAPNG_OPT_COMMENT);
        p = pcapng_put16(p, (uint16_t)n);
        memcpy(p, s, n);
        memset(p + n, 0, 3);
        p += (uint32_t)n + pcapng_padding((uint32_t)n);
        g_free(made);
    }
    if (notes->flags)
        p = pcapng_put_flags(p, notes->flags);
    if (notes->has_dropcount)
        p = pcapng_put_option64(p, PCAPNG_EPB_DROPCOUNT, notes->dropcount);
    if (notes->has_packetid)
        p = pcapng_put_option64(p, PCAPNG_EPB_PACKETID, notes->packetid);
    packet_commit(w, block, p,
                  notes->n_comments || notes->flags || notes->has_dropcount || notes->has_packetid);
}

void pcapng_writer_add_packet(PcapngWriter *w, uint32_t iface, SimTime time, const Packet *pkt,
                              uint32_t flags, uint64_t packetid)
{
    const uint32_t len = packet_len(pkt), caplen = HS_MIN(len, w->most);

    if (w->packed && iface < PCAPNG_WAIT_IFACES && flags <= UINT8_MAX) {
        hs_assert(!w->in_packet);
        hs_assert(iface < w->n_ifaces);
        pcapng_lz4_add_packet(w->packed, pcapng_wait_where(iface, flags), (uint64_t)(w->epoch_ns + time), pkt,
                              packetid);
        return;
    }
    packet_copy(pkt, 0, pcapng_writer_packet_begin(w, iface, time, caplen, len), caplen);
    pcapng_writer_packet_end_with(
        w, &(PcapngPacketNotes){.flags = flags, .has_packetid = true, .packetid = packetid});
}

PcapngLz4 *pcapng_writer_packed(const PcapngWriter *w)
{
    return w->packed;
}

/* --- names, statistics, secrets --- */

static void names_end(PcapngWriter *w)
{
    add32(w, 0); /* nrb_record_end */
    block_end(w);
}

void pcapng_writer_add_names(PcapngWriter *w, const PcapngName *names, size_t n_names)
{
    if (!n_names)
        return;
    block_begin(w, PCAPNG_BLOCK_NAMES);
    for (size_t i = 0; i < n_names; i++) {
        uint16_t n_address = names[i].is_ipv6 ? 16 : 4;
        char *made;
        size_t n;
        const char *s = fit_string(names[i].name, &n, &made);

        n = HS_MIN(n, 1024u); /* far beyond a domain name's 255 bytes */
        if (w->block->len > NAMES_BLOCK_BYTES) {
            names_end(w);
            block_begin(w, PCAPNG_BLOCK_NAMES);
        }
        add16(w, names[i].is_ipv6 ? 2 : 1); /* nrb_record_ipv6, nrb_record_ipv4 */
        add16(w, (uint16_t)(n_address + n + 1));
        add(w, names[i].address, n_address);
        add(w, s, n);
        add(w, "", 1);
        add_padding(w);
        g_free(made);
    }
    names_end(w);
}

/* An option holding a time has the high half first, each half in the section's byte order. */
static void add_option_time(PcapngWriter *w, uint16_t code, SimTime t)
{
    add16(w, code);
    add16(w, 8);
    add_time(w, t);
}

void pcapng_writer_add_iface_stats(PcapngWriter *w, uint32_t iface, SimTime now,
                                   const PcapngIfaceStats *stats)
{
    hs_assert(iface < w->n_ifaces);
    block_begin(w, PCAPNG_BLOCK_IFACE_STATS);
    add32(w, iface);
    add_time(w, now);
    add_option_time(w, PCAPNG_ISB_STARTTIME, stats->start);
    add_option_time(w, PCAPNG_ISB_ENDTIME, stats->end);
    add_option64(w, PCAPNG_ISB_IFRECV, stats->received);
    add_option64(w, PCAPNG_ISB_IFDROP, stats->dropped);
    add_option64(w, PCAPNG_ISB_USRDELIV, stats->delivered);
    add_option(w, PCAPNG_OPT_END, NULL, 0);
    block_end(w);
}

void pcapng_writer_add_secrets(PcapngWriter *w, uint32_t type, const void *secrets, size_t n)
{
    hs_assert(n < G_MAXINT32);
    block_begin(w, PCAPNG_BLOCK_SECRETS);
    add32(w, type);
    add32(w, (uint32_t)n);
    add(w, secrets, n);
    add_padding(w);
    block_end(w);
}

void pcapng_writer_flush(PcapngWriter *w)
{
    hs_assert(!w->in_packet);
    if (w->packed)
        pcapng_lz4_flush(w->packed);
    else
        outfile_flush(w->file);
}

uint64_t pcapng_writer_size(const PcapngWriter *w)
{
    return w->packed ? pcapng_lz4_size(w->packed) : outfile_size(w->file);
}

bool pcapng_writer_has_failed(const PcapngWriter *w)
{
    return w->packed ? pcapng_lz4_has_failed(w->packed) : outfile_has_failed(w->file);
}
