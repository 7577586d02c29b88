/* Frames for people: every field with its place, its bytes or bits, its name and its meaning.
 *
 *     frame 1: 60 bytes, 0.001000000 s, client:eth0 outbound
 *       Ethernet (14 bytes)
 *           0  ff ff ff ff ff ff        Destination        ff:ff:ff:ff:ff:ff (broadcast)
 *       Internet Protocol version 4 (20 bytes)
 *          14  0100....                 Version            4
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/dissect.h"
#include "sim/trace/pcapng.h"

#define BYTES_SHOWN 8
#define LABEL_WIDTH 22

typedef struct Printer {
    const DissectFrame *frame;
    const DissectStyle *style;
    size_t layer_off;
    int depth;
    bool malformed;
} Printer;

const char *dissect_direction(const DissectFrame *f)
{
    switch (f->flags & PCAPNG_FLAG_DIRECTION_MASK) {
    case PCAPNG_FLAG_INBOUND:
        return "inbound";
    case PCAPNG_FLAG_OUTBOUND:
        return "outbound";
    default:
        return NULL;
    }
}

static int indent(const Printer *p)
{
    return 2 + 4 * p->depth;
}

static void begin_layer(void *user, const WireLayer *layer, size_t off, size_t len, int depth)
{
    Printer *p = user;

    p->layer_off = off;
    p->depth = depth;
    printf("%*s%s%s (%zu byte%s)\n", indent(p), "", depth ? "quoted: " : "", layer->title, len,
           len == 1 ? "" : "s");
}

/* The bits of the field in their bytes, the others as dots: "....1..." */
static void format_bits(char *out, size_t out_len, const uint8_t *bytes, unsigned first, unsigned n)
{
    size_t at = 0;

    for (unsigned i = 0; i < ((first + n + 7) & ~7u) && at + 3 < out_len; i++) {
        if (i && i % 8 == 0)
            out[at++] = ' ';
        out[at++] = i < first || i >= first + n ? '.' : bytes[i / 8] >> (7 - i % 8) & 1 ? '1' : '0';
    }
    out[at] = 0;
}

static void format_bytes(char *out, size_t out_len, const uint8_t *bytes, size_t n)
{
    size_t at = 0;

    for (size_t i = 0; i < HS_MIN(n, (size_t)BYTES_SHOWN); i++)
        at += (size_t)snprintf(out + at, out_len - at, "%s%02x", i ? " " : "", bytes[i]);
    if (n > BYTES_SHOWN)
        snprintf(out + at, out_len - at, " …");
}

/* Padding counts characters, not bytes: "…" and the labels' "µ" are one. */
static void put_padded(const char *text, int width)
{
    int n = 0;

    for (const char *c = text; *c; c++)
        n += (*c & 0xc0) != 0x80;
    printf("%s%*s", text, HS_MAX(width - n, 1), "");
}

static void field(void *user, const WireLayer *layer, const WireField *f)
{
    Printer *p = user;
    char where[24] = "", raw[64] = "";

    if (f->bit_len) {
        unsigned first = f->bit_off % 8;

        snprintf(where, sizeof(where), "%zu", p->layer_off + f->bit_off / 8);
        if (first || f->bit_len % 8)
            format_bits(raw, sizeof(raw), f->bytes, first, HS_MIN(f->bit_len, 32));
        else
            format_bytes(raw, sizeof(raw), f->bytes, f->bit_len / 8);
    }
    printf("%*s%5s  ", indent(p), "", where);
    put_padded(raw, 26);
    put_padded(f->label, LABEL_WIDTH);
    printf("%s\n", f->text);
    if (p->style->notes && f->note && *f->note)
        printf("%*s%s\n", indent(p) + 7 + 26, "", f->note);
}

static void malformed(void *user, const WireLayer *layer, size_t off, WireError err, const char *why)
{
    Printer *p = user;

    if (dissect_is_cut(p->frame, err)) {
        printf("%*snot captured: %s from byte %zu on\n", indent(p), "", layer->title, off);
        return;
    }
    p->malformed = true;
    printf("%*smalformed: %s at byte %zu: %s (%s)\n", indent(p), "", layer->title, off, why,
           wire_error_str(err));
}

static void print_head(const DissectFrame *f)
{
    char buf[SIMTIME_STR_LEN];
    const char *direction = dissect_direction(f);

    printf("frame %" PRIu64 ": ", f->number);
    if (f->caplen < f->len)
        printf("%" PRIu32 " bytes, %" PRIu32 " of them captured", f->len, f->caplen);
    else
        printf("%" PRIu32 " byte%s", f->len, f->len == 1 ? "" : "s");
    if (f->has_time)
        printf(", %s s", simtime_str(f->time, buf));
    if (f->iface_name)
        printf(", %s", f->iface_name);
    if (direction)
        printf("%s %s", f->iface_name ? "" : ",", direction);
    printf("\n");
    for (size_t i = 0; i < f->n_comments; i++)
        printf("  comment: %s\n", f->comments[i]);
    if (f->flags & PCAPNG_FLAG_CRC_ERROR)
        printf("  received with a wrong frame check sequence\n");
}

static void print_dump(const DissectFrame *f)
{
    for (uint32_t row = 0; row < f->caplen; row += 16) {
        printf("  %04" PRIx32 " ", row);
        for (uint32_t i = 0; i < 16; i++) {
            if (row + i < f->caplen)
                printf("%s%02x", i == 8 ? "  " : " ", f->bytes[row + i]);
            else
                printf("%s  ", i == 8 ? "  " : " ");
        }
        printf("  ");
        for (uint32_t i = 0; i < 16 && row + i < f->caplen; i++) {
            uint8_t c = f->bytes[row + i];

            putchar(c >= 0x20 && c < 0x7f ? c : '.');
        }
        printf("\n");
    }
}

static bool print_summary(const DissectFrame *f)
{
    char line[512], time[SIMTIME_STR_LEN] = "";
    Printer p = {.frame = f};
    const WireSink quiet = {.no_text = true};

    printf("%5" PRIu64 "  ", f->number);
    if (f->has_time)
        printf("%14s  ", simtime_str(f->time, time));
    if (f->iface_name)
        printf("%-14s %s  ", f->iface_name,
               dissect_direction(f) ? f->flags & PCAPNG_FLAG_OUTBOUND ? ">" : "<" : "-");
    printf("%s", dissect_summary(line, sizeof(line), (WireLinkType)f->linktype, f->bytes, f->caplen));
    if (f->caplen == f->len && !wire_dissect((WireLinkType)f->linktype, f->bytes, f->caplen, &quiet))
        p.malformed = true;
    for (size_t i = 0; i < f->n_comments; i++)
        printf("  [%s]", f->comments[i]);
    if (p.malformed)
        printf("  [malformed]");
    printf("\n");
    return !p.malformed;
}

bool dissect_text_frame(const DissectFrame *f, const DissectStyle *style)
{
    Printer p = {.frame = f, .style = style};
    const WireSink sink = {.user = &p, .begin_layer = begin_layer, .field = field, .malformed = malformed};

    if (style->summary)
        return print_summary(f);
    print_head(f);
    if (!wire_link_type_is_known(f->linktype))
        printf("  link type %d is not one that hopscope reads: shown as bytes\n", f->linktype);
    wire_dissect((WireLinkType)f->linktype, f->bytes, f->caplen, &sink);
    if (style->dump)
        print_dump(f);
    printf("\n");
    return !p.malformed;
}
