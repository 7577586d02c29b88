/* hopscope dissect: frames out of a capture, a hex dump or the command line, explained by the wire codecs. */
#include "cli/dissect.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/args.h"
#include "cli/commands.h"
#include "sim/trace/hexbytes.h"
#include "sim/trace/pcapng_reader.h"

/* A dump is read as a whole. */
#define DUMP_MAX_BYTES (64u << 20)

static const char *const linktype_names[] = {"ethernet", "ethernet-fcs", "ppp", "raw", "ipv4", "ipv6", NULL};
static const int linktype_values[] = {WIRE_LINK_ETHERNET, WIRE_LINK_ETHERNET_FCS, WIRE_LINK_PPP,
                                      WIRE_LINK_RAW,      WIRE_LINK_IPV4,         WIRE_LINK_IPV6};

typedef struct Dissect {
    const ArgCommand *command;
    DissectStyle style;
    bool json;
    int linktype; /* of dumps; for captures only when has_linktype */
    bool has_linktype;
    uint64_t first, last; /* frames to show */
    uint64_t seen;
    uint64_t n_malformed;
} Dissect;

static bool parse_range(const char *text, uint64_t *first, uint64_t *last)
{
    char *end;

    if (!g_ascii_isdigit(*text))
        return false;
    *first = *last = g_ascii_strtoull(text, &end, 10);
    if (*end == '-') {
        text = end + 1;
        *last = UINT64_MAX;
        if (*text) {
            if (!g_ascii_isdigit(*text))
                return false;
            *last = g_ascii_strtoull(text, &end, 10);
        } else {
            end++;
        }
    }
    return !*end && *first >= 1 && *last >= *first;
}

/* False: no later frame is asked for. */
static bool show(Dissect *d, DissectFrame *f)
{
    f->number = ++d->seen;
    if (f->number < d->first)
        return true;
    if (f->number > d->last)
        return false;
    if (!(d->json ? dissect_json_frame : dissect_text_frame)(f, &d->style))
        d->n_malformed++;
    return f->number < d->last && !ferror(stdout);
}

/* ---- where frames come from ---- */

static int show_dump(Dissect *d, const char *text, size_t n, const char *name, bool is_asked)
{
    GError *error = NULL;
    GPtrArray *packets = hexbytes_parse(text, n, name, &error);
    bool more = true;

    if (!packets) {
        fprintf(stderr, "hopscope dissect: %s%s%s\n", is_asked ? "" : name,
                is_asked ? "" : " is no capture, and as a hex dump: ", error->message);
        g_error_free(error);
        return EXIT_WRONG;
    }
    for (unsigned i = 0; more && i < packets->len; i++) {
        gsize len;
        const uint8_t *bytes = g_bytes_get_data(packets->pdata[i], &len);
        DissectFrame f = {
            .linktype = d->linktype, .bytes = bytes, .caplen = (uint32_t)len, .len = (uint32_t)len};

        more = show(d, &f);
    }
    g_ptr_array_unref(packets);
    return EXIT_OK;
}

static int linktype_of(const Dissect *d, const PcapngPacket *p)
{
    if (d->has_linktype)
        return d->linktype;
    if (p->linktype == PCAPNG_LINKTYPE_PPP)
        return WIRE_LINK_PPP;
    if (p->linktype == PCAPNG_LINKTYPE_ETHERNET &&
        (p->fcs_len == 4 || PCAPNG_FLAG_FCS_LEN_OF(p->flags) == 4) && p->caplen == p->len)
        return WIRE_LINK_ETHERNET_FCS;
    return p->linktype;
}

static int show_capture(Dissect *d, PcapngReader *reader)
{
    GError *error = NULL;
    PcapngReadStatus status;
    PcapngPacket p;

    while ((status = pcapng_reader_next(reader, &p, &error)) == PCAPNG_READ_PACKET) {
        DissectFrame f = {.iface_name = p.iface_name,
                          .linktype = linktype_of(d, &p),
                          .has_time = p.has_time,
                          .time = p.time,
                          .has_packetid = p.has_packetid,
                          .packetid = p.packetid,
                          .flags = p.flags,
                          .bytes = p.bytes,
                          .caplen = p.caplen,
                          .len = p.len,
                          .comments = p.comments,
                          .n_comments = p.n_comments};

        if (!show(d, &f))
            break;
    }
    pcapng_reader_free(reader);
    if (!error)
        return EXIT_OK;
    fflush(stdout);
    fprintf(stderr, "hopscope dissect: %s%s\n", error->message,
            status == PCAPNG_READ_CUT_SHORT ? " (everything before that was shown)" : "");
    g_error_free(error);
    return status == PCAPNG_READ_CUT_SHORT ? EXIT_UNEXPECTED : EXIT_WRONG;
}

static bool is_capture(const uint8_t *p, size_t n)
{
    static const uint8_t magic[][4] = {
        {0x0a, 0x0d, 0x0d, 0x0a}, {0xa1, 0xb2, 0xc3, 0xd4},
        {0xd4, 0xc3, 0xb2, 0xa1}, {0xa1, 0xb2, 0x3c, 0x4d},
        {0x4d, 0x3c, 0xb2, 0xa1}, {0x04, 0x22, 0x4d, 0x18}}; /* LZ4: whatever is inside, it will say */

    for (size_t i = 0; n >= 4 && i < HS_ARRAY_LEN(magic); i++)
        if (!memcmp(p, magic[i], 4))
            return true;
    return false;
}

/* Neither magic nor text: say so, instead of complaining of the first character of a hex dump. */
static bool is_text(const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < HS_MIN(n, 512u); i++)
        if (p[i] < 0x20 && p[i] != '\n' && p[i] != '\r' && p[i] != '\t')
            return false;
    return n > 0;
}

/* Up to max bytes, until the end; NULL after a message. */
static GByteArray *read_all(int fd, const char *name, size_t max)
{
    GByteArray *all = g_byte_array_new();
    uint8_t block[65536];
    ssize_t n;

    while ((n = read(fd, block, sizeof(block))) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 || all->len + (size_t)n > max) {
            fprintf(stderr, "hopscope dissect: cannot read %s: %s\n", name,
                    n < 0 ? g_strerror(errno) : "larger than 64 MiB");
            g_byte_array_unref(all);
            return NULL;
        }
        g_byte_array_append(all, block, (guint)n);
    }
    return all;
}

static int show_bytes(Dissect *d, const GByteArray *all, const char *name)
{
    if (is_capture(all->data, all->len))
        return show_capture(d, pcapng_reader_new(all->data, all->len, name));
    if (!all->len) {
        fprintf(stderr, "hopscope dissect: %s is empty; expected a pcapng or pcap capture, or a hex dump\n",
                name);
        return EXIT_WRONG;
    }
    if (!is_text(all->data, all->len)) {
        fprintf(stderr, "hopscope dissect: %s is neither a pcapng or pcap capture nor a hex dump\n", name);
        return EXIT_WRONG;
    }
    return show_dump(d, (const char *)all->data, all->len, name, false);
}

static int show_fd(Dissect *d, int fd, const char *name)
{
    GByteArray *all = read_all(fd, name, DUMP_MAX_BYTES);
    int status;

    if (!all)
        return EXIT_WRONG;
    status = show_bytes(d, all, name);
    g_byte_array_unref(all);
    return status;
}

/* A capture may be larger than memory: the reader goes through the file itself. */
static int show_file(Dissect *d, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    uint8_t head[4];
    ssize_t n;
    int status;

    if (fd < 0) {
        fprintf(stderr, "hopscope dissect: cannot open %s: %s\n", path, g_strerror(errno));
        return EXIT_WRONG;
    }
    n = pread(fd, head, sizeof(head), 0);
    if (n == 4 && is_capture(head, 4)) {
        GError *error = NULL;
        PcapngReader *reader = pcapng_reader_open(path, &error);

        if (reader) {
            status = show_capture(d, reader);
        } else {
            fprintf(stderr, "hopscope dissect: %s\n", error->message);
            g_error_free(error);
            status = EXIT_WRONG;
        }
    } else {
        status = show_fd(d, fd, path);
    }
    close(fd);
    return status;
}

static int finish(const Dissect *d, int status)
{
    if (status == EXIT_OK && d->first > d->seen && d->seen) {
        fflush(stdout);
        fprintf(stderr, "hopscope dissect: there is no frame %" PRIu64 "; the last one is %" PRIu64 "\n",
                d->first, d->seen);
        return EXIT_WRONG;
    }
    return status == EXIT_OK && d->n_malformed ? EXIT_UNEXPECTED : status;
}

int cmd_dissect(int argc, char **argv)
{
    Dissect d = {.linktype = WIRE_LINK_ETHERNET, .first = 1, .last = UINT64_MAX};
    const char *hex = NULL, *range = NULL, *linktype = NULL, *operand[2];
    const ArgOption options[] = {
        {"hex", 'x', ARG_STRING, "BYTES", "dissect these bytes, in hexadecimal, instead of a file", &hex,
         NULL, NULL},
        {"linktype", 't', ARG_CHOICE, "TYPE",
         "what frames begin with: ethernet (the default of hex), ethernet-fcs (with a frame check sequence "
         "at the "
         "end), ppp, raw (IP of either version), ipv4, ipv6",
         &linktype, &d.has_linktype, linktype_names},
        {"summary", 's', ARG_FLAG, NULL, "one line for each frame", &d.style.summary, NULL, NULL},
        {"frame", 'f', ARG_STRING, "N[-M]", "only frame N, frames N to M, or (N-) from N on", &range, NULL,
         NULL},
        {"explain", 'e', ARG_FLAG, NULL, "say what each field is for", &d.style.notes, NULL, NULL},
        {"bytes", 'b', ARG_FLAG, NULL, "add the bytes of each frame", &d.style.dump, NULL, NULL},
        {"json", 'j', ARG_FLAG, NULL, "one JSON object a line for each frame", &d.json, NULL, NULL},
        {0},
    };
    const ArgCommand command = {
        "dissect",
        "[FILE]",
        "Explains frames field by field. FILE is a pcapng or pcap capture, plain or compressed with LZ4, or "
        "a hex dump as xxd, tcpdump and "
        "Wireshark write it; '-' is standard input. Exit status: 0, 1 if a frame is malformed or the capture "
        "ends in the middle of a block, 2 if it cannot be read.",
        options,
        0,
        1,
        "  hopscope dissect ping.pcapng --summary\n"
        "  hopscope dissect ping.pcapng --frame 3 --explain\n"
        "  hopscope dissect --hex 'ff ff ff ff ff ff 02 00 00 00 00 01 08 06'\n",
    };

    switch (args_parse(&command, argc, argv, operand)) {
    case ARGS_OK:
        break;
    case ARGS_HELPED:
        return EXIT_OK;
    case ARGS_WRONG:
        return EXIT_WRONG;
    }
    if (!hex == !operand[0])
        return args_wrong(&command, hex ? "--hex and a file exclude each other"
                                        : "missing operand; expected FILE, '-' or --hex BYTES");
    if (range && !parse_range(range, &d.first, &d.last))
        return args_wrong(&command, "--frame: \"%s\" is not a frame number N, N-M or N-, counted from 1",
                          range);
    for (unsigned i = 0; linktype && linktype_names[i]; i++)
        if (!strcmp(linktype, linktype_names[i]))
            d.linktype = linktype_values[i];
    if (hex)
        return finish(&d, show_dump(&d, hex, strlen(hex), "--hex", true));
    if (!strcmp(operand[0], "-"))
        return finish(&d, show_fd(&d, STDIN_FILENO, "standard input"));
    return finish(&d, show_file(&d, operand[0]));
}
