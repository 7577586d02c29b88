/* The capture formats, reading side: what hopscope dissect and hopscope diff stand on. See pcapng_reader.h.
 *
 * One block (or pcap record) at a time is brought into r->data; everything in it is read through
 * bounds-checked offsets. Where the drafts leave room we do as Wireshark does: unknown blocks and options are
 * skipped, an end-of-options may be missing, a captured length above the packet's length is taken as the
 * length. */
#include "sim/trace/pcapng_reader.h"

#include <inttypes.h>
#include <string.h>

#include "sim/trace/pcapng_reader_priv.h"

/* Wireshark's limit (wiretap/pcapng.c); far above any block with one packet. */
#define BLOCK_MAX_BYTES (16u * 1024 * 1024)
/* Memory for a block grows as its bytes arrive, so that a small file cannot ask for much. */
#define READ_STEP_BYTES ((size_t)256 * 1024)

#define PCAP_MAGIC_US 0xa1b2c3d4u
#define PCAP_MAGIC_NS 0xa1b23c4du

G_DEFINE_QUARK(hs_pcapng_reader_error, pcapng_reader_error)

static void clear_iface(void *p)
{
    g_free(((PcapngIface *)p)->name);
}

static PcapngReader *new_reader(const ByteSource *source)
{
    PcapngReader *r = g_new0(PcapngReader, 1);

    r->source = *source;
    r->status = PCAPNG_READ_PACKET;
    r->ifaces = g_array_new(FALSE, TRUE, sizeof(PcapngIface));
    g_array_set_clear_func(r->ifaces, clear_iface);
    r->comments = g_ptr_array_new_with_free_func(g_free);
    return r;
}

PcapngReader *pcapng_reader_open(const char *path, GError **error)
{
    ByteSource source;

    return bytesource_init_file(&source, path, error) ? new_reader(&source) : NULL;
}

PcapngReader *pcapng_reader_new(const void *data, size_t n, const char *name)
{
    ByteSource source;

    bytesource_init_memory(&source, data, n, name);
    return new_reader(&source);
}

void pcapng_reader_free(PcapngReader *r)
{
    if (!r)
        return;
    bytesource_clear(&r->source);
    g_array_unref(r->ifaces);
    g_ptr_array_unref(r->comments);
    g_free(r->data);
    g_free(r);
}

/* --- failing --- */

bool pcapng_reader_fail(PcapngReader *r, uint64_t at, GError **error, const char *fmt, ...)
{
    va_list ap;
    char *what;

    va_start(ap, fmt);
    what = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    g_set_error(error, PCAPNG_READER_ERROR, PCAPNG_READER_ERROR_FORMAT, "%s: byte %" PRIu64 ": %s",
                r->source.name, at, what);
    g_free(what);
    r->status = PCAPNG_READ_ERROR;
    return false;
}

/* --- bringing in bytes --- */

/* Have at least n bytes of the current block. False if the file ends first (status CUT_SHORT) or
 * cannot be read (status ERROR). */
static bool want(PcapngReader *r, size_t n, const char *what, GError **error)
{
    while (r->n_data < n) {
        size_t step = HS_MIN(n - r->n_data, READ_STEP_BYTES);
        ssize_t got;

        if (r->room < r->n_data + step) {
            r->room = HS_MAX(r->n_data + step, 2 * r->room);
            r->data = g_realloc(r->data, r->room);
        }
        got = bytesource_read(&r->source, r->data + r->n_data, step, error);
        if (got < 0) {
            r->status = PCAPNG_READ_ERROR;
            return false;
        }
        r->n_data += (size_t)got;
        if ((size_t)got < step) {
            g_set_error(error, PCAPNG_READER_ERROR, PCAPNG_READER_ERROR_CUT_SHORT,
                        "%s: cut short: the file ends at byte %" PRIu64
                        ", within %s of %zu bytes that begins at byte %" PRIu64,
                        r->source.name, r->offset + r->n_data, what, n, r->offset);
            r->status = PCAPNG_READ_CUT_SHORT;
            return false;
        }
    }
    return true;
}

/* The next block begins where the current one ends. */
static void advance(PcapngReader *r)
{
    r->offset += r->n_data;
    r->n_data = 0;
}

/* ts units of the interface into nanoseconds since 1970; false if that does not fit. */
static bool scale_time(const PcapngIface *iface, uint64_t ts, SimTime *out)
{
    unsigned power = iface->tsresol & 0x7f;
    __int128 ns = ts;

    if (iface->tsresol & 0x80) {
        ns = ns * 1000000000 >> power; /* below 2^94 before the shift */
    } else if (power <= 9) {
        for (unsigned i = power; i < 9; i++)
            ns *= 10;
    } else {
        for (unsigned i = 9; i < power && ns; i++)
            ns /= 10;
    }
    ns += (__int128)iface->tsoffset_s * 1000000000;
    if (ns < INT64_MIN || ns > INT64_MAX)
        return false;
    *out = (SimTime)ns;
    return true;
}

/* --- blocks; each function gets the whole block in r->data, n bytes with the trailing length --- */

/* A block shorter than its own fields. */
static bool check_block(PcapngReader *r, size_t n, size_t least, const char *what, GError **error)
{
    if (n >= least)
        return true;
    return pcapng_reader_fail(r, r->offset + 4, error,
                              "block length %zu is too short for %s: expected at least %zu", n, what, least);
}

static bool on_section(PcapngReader *r, size_t n, GError **error)
{
    uint16_t major;

    if (!check_block(r, n, 28, "a section header block", error))
        return false;
    major = pcapng_reader_get16(r, r->data + 12);
    if (major != 1)
        return pcapng_reader_fail(r, r->offset + 12, error, "pcapng version %u.%u, expected 1.x", major,
                                  pcapng_reader_get16(r, r->data + 14));
    if (!pcapng_options_check(r, 24, n - 4, error))
        return false;
    g_array_set_size(r->ifaces, 0);
    r->section = r->has_section ? r->section + 1 : 0;
    r->has_section = true;
    return true;
}

static bool on_iface(PcapngReader *r, size_t n, GError **error)
{
    PcapngIface iface = {.tsresol = 6}; /* microseconds unless said otherwise */

    if (!check_block(r, n, 20, "an interface description block", error))
        return false;
    iface.linktype = pcapng_reader_get16(r, r->data + 8);
    iface.snaplen = pcapng_reader_get32(r, r->data + 12);
    if (!pcapng_options_iface(r, 16, n - 4, &iface, error)) {
        clear_iface(&iface);
        return false;
    }
    g_array_append_val(r->ifaces, iface);
    return true;
}

static const PcapngIface *find_iface(PcapngReader *r, uint32_t number, size_t at, GError **error)
{
    if (number < r->ifaces->len)
        return &g_array_index(r->ifaces, PcapngIface, number);
    pcapng_reader_fail(r, r->offset + at, error,
                       "a packet names interface %" PRIu32 ", but its section has described %u so far",
                       number, r->ifaces->len);
    return NULL;
}

/* Fill in what all kinds of packets have. */
static void init_packet(PcapngReader *r, PcapngPacket *packet, uint32_t number, const PcapngIface *iface,
                        uint32_t caplen, uint32_t len, size_t bytes_at)
{
    *packet = (PcapngPacket){
        .offset = r->offset,
        .section = r->section,
        .iface = number,
        .iface_name = iface->name,
        .linktype = iface->linktype,
        .fcs_len = iface->fcs_len,
        .caplen = caplen,
        .len = HS_MAX(len, caplen),
        .bytes = r->data + bytes_at,
    };
}

/* The enhanced packet block and its ancestor, which differ in their first eight bytes only. */
static bool on_packet(PcapngReader *r, size_t n, bool is_old, PcapngPacket *packet, GError **error)
{
    const PcapngIface *iface;
    uint32_t number, caplen;

    if (!check_block(r, n, 32, "a packet block", error))
        return false;
    number = is_old ? pcapng_reader_get16(r, r->data + 8) : pcapng_reader_get32(r, r->data + 8);
    caplen = pcapng_reader_get32(r, r->data + 20);
    iface = find_iface(r, number, 8, error);
    if (!iface)
        return false;
    if (caplen > n - 32)
        return pcapng_reader_fail(r, r->offset + 20, error,
                                  "captured length %" PRIu32 ", but the block has only %zu bytes left",
                                  caplen, n - 32);
    init_packet(r, packet, number, iface, caplen, pcapng_reader_get32(r, r->data + 24), 28);
    packet->has_time = scale_time(
        iface, (uint64_t)pcapng_reader_get32(r, r->data + 12) << 32 | pcapng_reader_get32(r, r->data + 16),
        &packet->time);
    if (is_old) {
        uint16_t drops = pcapng_reader_get16(r, r->data + 10);

        packet->has_dropcount = drops != 0xffff; /* 0xffff: not known */
        packet->dropcount = packet->has_dropcount ? drops : 0;
    }
    return pcapng_options_packet(r, 28 + (((size_t)caplen + 3) & ~(size_t)3), n - 4, is_old, packet, error);
}

static bool on_simple_packet(PcapngReader *r, size_t n, PcapngPacket *packet, GError **error)
{
    const PcapngIface *iface;
    uint32_t len, caplen;

    if (!check_block(r, n, 16, "a simple packet block", error))
        return false;
    iface = find_iface(r, 0, 0, error);
    if (!iface)
        return false;
    len = caplen = pcapng_reader_get32(r, r->data + 8);
    if (iface->snaplen)
        caplen = HS_MIN(caplen, iface->snaplen);
    if (caplen > n - 16)
        return pcapng_reader_fail(r, r->offset + 8, error,
                                  "captured length %" PRIu32 ", but the block has only %zu bytes left",
                                  caplen, n - 16);
    init_packet(r, packet, 0, iface, caplen, len, 12);
    return true;
}

/* A block that is none of ours may be of any length: its body is read past, its frame is checked all the
 * same. */
static bool skip_block(PcapngReader *r, uint32_t total, GError **error)
{
    uint64_t begin = r->offset;
    uint32_t left = total - 12, trailer;

    advance(r);
    while (left) {
        size_t step = HS_MIN(left, READ_STEP_BYTES);

        if (!want(r, step, "a block", error))
            return false;
        left -= (uint32_t)step;
        advance(r);
    }
    if (!want(r, 4, "a block's trailing length", error))
        return false;
    trailer = pcapng_reader_get32(r, r->data);
    if (trailer != total)
        return pcapng_reader_fail(r, r->offset, error,
                                  "trailing length %" PRIu32 " differs from length %" PRIu32
                                  " of the block at byte %" PRIu64,
                                  trailer, total, begin);
    return true;
}

/* One block. True: go on; *is_packet if it was one. */
static bool read_block(PcapngReader *r, PcapngPacket *packet, bool *is_packet, GError **error)
{
    uint32_t type, total, trailer;

    if (!want(r, 8, "a block header", error))
        return false;
    type = pcapng_reader_get32(r, r->data);
    if (type == PCAPNG_BLOCK_SECTION) { /* a palindrome: the same in both byte orders */
        uint32_t magic;

        if (!want(r, 12, "a section header", error))
            return false;
        r->swapped = false;
        magic = pcapng_reader_get32(r, r->data + 8);
        r->swapped = magic == GUINT32_SWAP_LE_BE_CONSTANT(PCAPNG_BYTE_ORDER_MAGIC);
        if (!r->swapped && magic != PCAPNG_BYTE_ORDER_MAGIC)
            return pcapng_reader_fail(r, r->offset + 8, error,
                                      "byte-order magic 0x%08" PRIx32 ", expected 0x1a2b3c4d", magic);
    }
    total = pcapng_reader_get32(r, r->data + 4);
    if (total % 4)
        return pcapng_reader_fail(r, r->offset + 4, error, "block length %" PRIu32 " is not a multiple of 4",
                                  total);
    if (total < 12)
        return pcapng_reader_fail(r, r->offset + 4, error, "block length %" PRIu32 ", expected at least 12",
                                  total);
    switch (type) {
    case PCAPNG_BLOCK_SECTION:
    case PCAPNG_BLOCK_IFACE:
    case PCAPNG_BLOCK_OLD_PACKET:
    case PCAPNG_BLOCK_SIMPLE_PACKET:
    case PCAPNG_BLOCK_PACKET:
        break;
    default:
        return skip_block(r, total, error);
    }
    if (total > BLOCK_MAX_BYTES)
        return pcapng_reader_fail(r, r->offset + 4, error, "block length %" PRIu32 ", expected at most %u",
                                  total, BLOCK_MAX_BYTES);
    if (!want(r, total, "a block", error))
        return false;
    trailer = pcapng_reader_get32(r, r->data + total - 4);
    if (trailer != total)
        return pcapng_reader_fail(r, r->offset + total - 4, error,
                                  "trailing length %" PRIu32 " differs from length %" PRIu32
                                  " of the block at byte %" PRIu64,
                                  trailer, total, r->offset);
    switch (type) {
    case PCAPNG_BLOCK_SECTION:
        return on_section(r, total, error);
    case PCAPNG_BLOCK_IFACE:
        return on_iface(r, total, error);
    case PCAPNG_BLOCK_SIMPLE_PACKET:
        *is_packet = true;
        return on_simple_packet(r, total, packet, error);
    default:
        *is_packet = true;
        return on_packet(r, total, type == PCAPNG_BLOCK_OLD_PACKET, packet, error);
    }
}

/* --- classic pcap --- */

static bool read_pcap_header(PcapngReader *r, GError **error)
{
    PcapngIface iface = {.tsresol = 9};
    uint32_t linktype;

    if (!want(r, 24, "a pcap file header", error))
        return false;
    if (pcapng_reader_get16(r, r->data + 4) != 2)
        return pcapng_reader_fail(r, r->offset + 4, error, "pcap version %u.%u, expected 2.4",
                                  pcapng_reader_get16(r, r->data + 4), pcapng_reader_get16(r, r->data + 6));
    linktype = pcapng_reader_get32(r, r->data + 20);
    iface.linktype = (uint16_t)linktype;
    /* Bit 26 says that bits 28 to 31 hold the FCS length in 16-bit units. */
    if (linktype & 1u << 26)
        iface.fcs_len = (uint8_t)(2 * (linktype >> 28));
    g_array_append_val(r->ifaces, iface);
    return true;
}

static bool read_pcap_record(PcapngReader *r, PcapngPacket *packet, GError **error)
{
    const PcapngIface *iface = &g_array_index(r->ifaces, PcapngIface, 0);
    uint32_t caplen;
    uint64_t fraction;

    if (!want(r, 16, "a packet header", error))
        return false;
    caplen = pcapng_reader_get32(r, r->data + 8);
    if (caplen > BLOCK_MAX_BYTES)
        return pcapng_reader_fail(r, r->offset + 8, error, "captured length %" PRIu32 ", expected at most %u",
                                  caplen, BLOCK_MAX_BYTES);
    if (!want(r, 16 + (size_t)caplen, "a packet", error))
        return false;
    fraction = (uint64_t)pcapng_reader_get32(r, r->data + 4) * (r->pcap_is_ns ? 1 : 1000);
    init_packet(r, packet, 0, iface, caplen, pcapng_reader_get32(r, r->data + 12), 16);
    packet->has_time = true;
    packet->time = (SimTime)((uint64_t)pcapng_reader_get32(r, r->data) * 1000000000 + fraction);
    return true;
}

/* --- which format, and the loop --- */

static bool read_magic(PcapngReader *r, GError **error)
{
    uint32_t magic;

    if (!want(r, 4, "a capture file's magic number", error)) {
        /* An empty file was not cut short: it never was a capture. */
        if (r->status == PCAPNG_READ_CUT_SHORT && r->n_data == 0 && !bytesource_is_cut_short(&r->source)) {
            g_clear_error(error);
            return pcapng_reader_fail(r, 0, error, "the file is empty, expected a pcapng or pcap capture");
        }
        return false;
    }
    magic = pcapng_reader_get32(r, r->data);
    if (magic == PCAPNG_BLOCK_SECTION) {
        r->format = PCAPNG_FORMAT_PCAPNG;
        return true;
    }
    if (magic == GUINT32_SWAP_LE_BE_CONSTANT(PCAP_MAGIC_US) ||
        magic == GUINT32_SWAP_LE_BE_CONSTANT(PCAP_MAGIC_NS)) {
        r->swapped = true;
        magic = GUINT32_SWAP_LE_BE(magic);
    }
    if (magic == PCAP_MAGIC_US || magic == PCAP_MAGIC_NS) {
        r->format = PCAPNG_FORMAT_PCAP;
        r->pcap_is_ns = magic == PCAP_MAGIC_NS;
        return read_pcap_header(r, error);
    }
    if (r->data[0] == 0x1f && r->data[1] == 0x8b)
        return pcapng_reader_fail(
            r, 0, error,
            "the file is compressed with gzip, expected a pcapng or pcap capture: unpack it first");
    return pcapng_reader_fail(
        r, 0, error, "magic number %02x %02x %02x %02x, expected 0a 0d 0d 0a (pcapng) or a1 b2 c3 d4 (pcap)",
        r->data[0], r->data[1], r->data[2], r->data[3]);
}

/* Whether the file ends here, between blocks. */
static bool is_at_end(PcapngReader *r, GError **error)
{
    GError *ignored = NULL;

    if (want(r, 1, "a block", &ignored))
        return false;
    if (r->status == PCAPNG_READ_CUT_SHORT && r->n_data == 0 && !bytesource_is_cut_short(&r->source)) {
        g_clear_error(&ignored);
        r->status = PCAPNG_READ_END;
    } else {
        g_propagate_error(error, ignored);
    }
    return true;
}

PcapngReadStatus pcapng_reader_next(PcapngReader *r, PcapngPacket *packet, GError **error)
{
    bool is_packet = false;
    PcapngPacket found;

    g_ptr_array_set_size(r->comments, 0);
    if (r->status != PCAPNG_READ_PACKET) {
        if (r->status != PCAPNG_READ_END)
            g_set_error(error, PCAPNG_READER_ERROR, PCAPNG_READER_ERROR_FORMAT,
                        "%s: byte %" PRIu64 ": nothing can be read beyond this", r->source.name, r->offset);
        return r->status;
    }
    if (r->format == PCAPNG_FORMAT_UNKNOWN) {
        if (!read_magic(r, error))
            return r->status;
        if (r->format == PCAPNG_FORMAT_PCAP)
            advance(r);
    } else {
        advance(r);
    }
    while (!is_packet) {
        bool ok;

        if (is_at_end(r, error))
            return r->status;
        if (r->format == PCAPNG_FORMAT_PCAP) {
            is_packet = true;
            ok = read_pcap_record(r, &found, error);
        } else {
            ok = read_block(r, &found, &is_packet, error);
        }
        if (!ok)
            return r->status;
        if (!is_packet)
            advance(r);
    }
    found.comments = (const char *const *)r->comments->pdata;
    found.n_comments = r->comments->len;
    *packet = found;
    return PCAPNG_READ_PACKET;
}
