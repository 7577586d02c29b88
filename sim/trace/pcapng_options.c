/* The options of pcapng blocks, reading side (draft-ietf-opsawg-pcapng 3.5). Each is checked against the
 * block it is in; an end-of-options may be missing, unknown ones are skipped, as Wireshark does. */
#include "sim/trace/pcapng_reader_priv.h"

typedef struct Option {
    uint16_t code;
    uint16_t n;
    const uint8_t *data;
} Option;

/* The next option between *at and end (offsets into the block). False at the options' end; status tells
 * whether that was an error. */
static bool next_option(PcapngReader *r, size_t *at, size_t end, Option *opt, GError **error)
{
    size_t left = end - *at;

    if (left == 0)
        return false;
    if (left < 4)
        return pcapng_reader_fail(r, r->offset + *at, error,
                                  "%zu bytes left for an option, which takes at least 4", left);
    opt->code = pcapng_reader_get16(r, r->data + *at);
    opt->n = pcapng_reader_get16(r, r->data + *at + 2);
    opt->data = r->data + *at + 4;
    if (opt->code == PCAPNG_OPT_END)
        return false;
    if (opt->n > left - 4)
        return pcapng_reader_fail(r, r->offset + *at, error,
                                  "option %u has length %u, but its block has only %zu bytes left", opt->code,
                                  opt->n, left - 4);
    *at += HS_MIN(left, 4 + (((size_t)opt->n + 3) & ~(size_t)3));
    return true;
}

static bool check_option(PcapngReader *r, const Option *opt, unsigned n, const char *name, GError **error)
{
    if (opt->n == n)
        return true;
    return pcapng_reader_fail(r, r->offset + (uint64_t)(opt->data - r->data), error,
                              "%s has length %u, expected %u", name, opt->n, n);
}

/* A section block has only comments and the like: nothing a packet needs, but it must be well-formed. */
bool pcapng_options_check(PcapngReader *r, size_t at, size_t end, GError **error)
{
    Option opt = {0};

    while (next_option(r, &at, end, &opt, error))
        ;
    return r->status == PCAPNG_READ_PACKET;
}

bool pcapng_options_iface(PcapngReader *r, size_t at, size_t end, PcapngIface *iface, GError **error)
{
    Option opt = {0};

    while (next_option(r, &at, end, &opt, error)) {
        switch (opt.code) {
        case PCAPNG_IF_NAME:
            g_free(iface->name);
            iface->name = g_utf8_make_valid((const char *)opt.data, opt.n);
            break;
        case PCAPNG_IF_TSRESOL:
            if (!check_option(r, &opt, 1, "if_tsresol", error))
                return false;
            iface->tsresol = opt.data[0];
            break;
        case PCAPNG_IF_FCSLEN:
            if (!check_option(r, &opt, 1, "if_fcslen", error))
                return false;
            iface->fcs_len = opt.data[0];
            break;
        case PCAPNG_IF_TSOFFSET:
            if (!check_option(r, &opt, 8, "if_tsoffset", error))
                return false;
            iface->tsoffset_s = (int64_t)pcapng_reader_get64(r, opt.data);
            break;
        default:
            break;
        }
    }
    return r->status == PCAPNG_READ_PACKET;
}

/* Options of both the enhanced and the old packet block: codes 1 and 2 mean the same in both. */
bool pcapng_options_packet(PcapngReader *r, size_t at, size_t end, bool is_old, PcapngPacket *packet,
                           GError **error)
{
    Option opt = {0};

    while (next_option(r, &at, end, &opt, error)) {
        switch (opt.code) {
        case PCAPNG_OPT_COMMENT:
            g_ptr_array_add(r->comments, g_utf8_make_valid((const char *)opt.data, opt.n));
            break;
        case PCAPNG_EPB_FLAGS:
            if (!check_option(r, &opt, 4, "epb_flags", error))
                return false;
            packet->flags = pcapng_reader_get32(r, opt.data);
            if (PCAPNG_FLAG_FCS_LEN_OF(packet->flags))
                packet->fcs_len = PCAPNG_FLAG_FCS_LEN_OF(packet->flags);
            break;
        case PCAPNG_EPB_DROPCOUNT:
            if (is_old)
                break;
            if (!check_option(r, &opt, 8, "epb_dropcount", error))
                return false;
            packet->has_dropcount = true;
            packet->dropcount = pcapng_reader_get64(r, opt.data);
            break;
        case PCAPNG_EPB_PACKETID:
            if (is_old)
                break;
            if (!check_option(r, &opt, 8, "epb_packetid", error))
                return false;
            packet->has_packetid = true;
            packet->packetid = pcapng_reader_get64(r, opt.data);
            break;
        default:
            break;
        }
    }
    return r->status == PCAPNG_READ_PACKET;
}
