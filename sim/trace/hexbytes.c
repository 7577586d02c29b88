/* Hexadecimal input for hopscope dissect; hexbytes.h says what is understood.
 *
 * The difficulty in dumps is where the bytes end and the column of characters begins, since "ab" may be
 * either. The best witness is the next line's offset: it says how many bytes this line has. The last line has
 * no such witness; it ends at the width of the lines above, at "|", at a gap of three blanks, or at a gap of
 * two that is not the one that hexdump -C makes after the eighth byte. */
#include "sim/trace/hexbytes.h"

#include <inttypes.h>
#include <string.h>

typedef struct Parser {
    const char *name;
    const char *line; /* the current line */
    const char *end;  /* its end, without the line break and comment */
    unsigned line_number;
    const char *rest; /* what follows the line */
    const char *text_end;

    bool is_dump;
    bool has_headers;   /* tcpdump's lines between the packets are to be passed over */
    size_t line_bytes;  /* of the first dump line: the width of the lines */
    size_t last_at;     /* where the latest dump line's bytes begin in packet */
    bool repeat;        /* a "*" waits for the next offset */
    GByteArray *packet; /* or NULL */
    GPtrArray *packets; /* GBytes */
} Parser;

G_DEFINE_QUARK(hs_hexbytes_error, hexbytes_error)

static bool fail(const Parser *p, const char *at, GError **error, const char *fmt, ...) HS_PRINTF(4, 5);
static bool fail(const Parser *p, const char *at, GError **error, const char *fmt, ...)
{
    va_list ap;
    char *what;

    va_start(ap, fmt);
    what = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    g_set_error(error, HEXBYTES_ERROR, HEXBYTES_ERROR_SYNTAX, "%s:%u:%zu: %s", p->name, p->line_number,
                (size_t)(at - p->line) + 1, what);
    g_free(what);
    return false;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static const char *skip_blanks(const char *s, const char *end)
{
    while (s < end && is_blank(*s))
        s++;
    return s;
}

static const char *skip_digits(const char *s, const char *end)
{
    while (s < end && g_ascii_isxdigit(*s))
        s++;
    return s;
}

static const char *skip_0x(const char *s, const char *end)
{
    return end - s > 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X') && g_ascii_isxdigit(s[2]) ? s + 2 : s;
}

/* --- lines --- */

static bool next_line(Parser *p)
{
    const char *nl;

    if (p->rest >= p->text_end)
        return false;
    p->line = p->rest;
    nl = memchr(p->line, '\n', (size_t)(p->text_end - p->line));
    p->end = nl ? nl : p->text_end;
    p->rest = nl ? nl + 1 : p->text_end;
    p->line_number++;
    return true;
}

/* A comment ends plain lines; in dumps only a whole line is one, for '#' may stand in the column of
 * characters. */
static void cut_comment(Parser *p)
{
    const char *s = skip_blanks(p->line, p->end);
    const char *hash = p->is_dump && s < p->end && *s != '#' ? NULL : memchr(s, '#', (size_t)(p->end - s));

    if (hash)
        p->end = hash;
}

/* An offset at the beginning of a line: "0x0000:", "00000000:", or three digits and more before a gap. */
typedef struct Offset {
    uint64_t value;
    const char *begin;
    const char *after; /* first character behind it */
    size_t n_digits;
    bool has_colon;
} Offset;

static bool read_offset(const char *line, const char *end, Offset *o)
{
    const char *digits;

    o->begin = skip_blanks(line, end);
    digits = skip_0x(o->begin, end);
    o->after = skip_digits(digits, end);
    o->n_digits = (size_t)(o->after - digits);
    if (o->n_digits < 3 || o->n_digits > 16)
        return false;
    o->value = 0;
    for (const char *s = digits; s < o->after; s++)
        o->value = o->value << 4 | (uint64_t)g_ascii_xdigit_value(*s);
    o->has_colon = o->after < end && *o->after == ':';
    if (o->has_colon)
        o->after++;
    return o->after == end || is_blank(*o->after);
}

/* The first line decides: an offset of zero, and behind it what only a dump has — a colon, a gap of two, or
 * bytes that stand alone after a wider number. */
static bool is_dump_line(const char *line, const char *end)
{
    const char *s;
    Offset o;

    if (!read_offset(line, end, &o) || o.value != 0)
        return false;
    s = skip_blanks(o.after, end);
    if (o.has_colon || o.n_digits % 2)
        return true;
    return s < end && (s - o.after >= 2 || skip_digits(s, end) - s == 2);
}

/* tcpdump writes a line about each packet before its dump; only then lines without an offset are passed over.
 */
static bool has_tcpdump_lines(const char *text, size_t n)
{
    const char *end = text + n;

    for (const char *line = text; line < end;) {
        const char *nl = memchr(line, '\n', (size_t)(end - line));
        const char *line_end = nl ? nl : end;
        Offset o;

        if (read_offset(line, line_end, &o) && o.has_colon && o.value == 0 &&
            skip_0x(o.begin, line_end) != o.begin)
            return true;
        line = line_end + 1;
    }
    return false;
}

/* --- packets --- */

static void finish_packet(Parser *p)
{
    if (p->packet && p->packet->len)
        g_ptr_array_add(p->packets, g_byte_array_free_to_bytes(p->packet));
    else if (p->packet)
        g_byte_array_unref(p->packet);
    p->packet = NULL;
}

static bool add_byte(Parser *p, const char *at, GError **error)
{
    uint8_t byte = (uint8_t)(g_ascii_xdigit_value(at[0]) << 4 | g_ascii_xdigit_value(at[1]));

    if (!p->packet)
        p->packet = g_byte_array_new();
    if (p->packet->len >= HEXBYTES_PACKET_MAX_BYTES)
        return fail(p, at, error, "a packet of more than %d bytes", HEXBYTES_PACKET_MAX_BYTES);
    g_byte_array_append(p->packet, &byte, 1);
    return true;
}

/* A character that cannot be part of the bytes. */
static bool fail_at(const Parser *p, const char *at, GError **error)
{
    if (g_ascii_isprint(*at))
        return fail(p, at, error, "'%c' is not a hexadecimal digit", *at);
    return fail(p, at, error, "byte 0x%02x is not a hexadecimal digit", (uint8_t)*at);
}

/* --- plain --- */

static bool parse_plain(Parser *p, GError **error)
{
    const char *s = p->line;
    bool is_empty = skip_blanks(p->line, p->end) == p->end;

    if (is_empty) {
        /* A line with only a comment separates nothing. */
        if (p->end == p->text_end || *p->end != '#')
            finish_packet(p);
        return true;
    }
    while (s < p->end) {
        const char *digits, *after;

        if (is_blank(*s) || strchr(":,-.;", *s)) {
            if (*s == '\0')
                return fail_at(p, s, error);
            s++;
            continue;
        }
        digits = p->end - s > 2 && s[0] == '\\' && s[1] == 'x' ? s + 2 : skip_0x(s, p->end);
        after = skip_digits(digits, p->end);
        if (after == digits)
            return fail_at(p, digits, error);
        if ((after - digits) % 2)
            return fail(p, digits, error, "'%.*s' has an odd number of hexadecimal digits",
                        (int)HS_MIN(after - digits, 40), digits);
        for (s = digits; s < after; s += 2) {
            if (!add_byte(p, s, error))
                return false;
        }
    }
    return true;
}

/* --- dumps --- */

/* How many bytes the current line has, by the next line's offset; 0 if there is none. */
static size_t bytes_by_next_offset(const Parser *p, uint64_t offset)
{
    const char *nl = memchr(p->rest, '\n', (size_t)(p->text_end - p->rest));
    Offset o;

    if (!read_offset(p->rest, nl ? nl : p->text_end, &o) || o.value <= offset || o.value - offset > 1024)
        return 0;
    return (size_t)(o.value - offset);
}

/* "*": the line above again and again, up to the offset that follows. */
static bool repeat_line(Parser *p, const Offset *o, GError **error)
{
    size_t n = p->packet->len - p->last_at;

    if (o->value < p->packet->len || o->value > HEXBYTES_PACKET_MAX_BYTES || n == 0)
        return fail(p, o->begin, error, "offset 0x%" PRIx64 " cannot follow a repetition that begins at 0x%x",
                    o->value, p->packet->len);
    while (p->packet->len < o->value) {
        uint8_t byte = p->packet->data[p->packet->len - n];

        g_byte_array_append(p->packet, &byte, 1);
    }
    p->repeat = false;
    return true;
}

static bool parse_dump_bytes(Parser *p, const Offset *o, GError **error)
{
    size_t limit = bytes_by_next_offset(p, o->value);
    bool is_certain = limit != 0;
    size_t n = 0;
    const char *s = o->after;
    bool is_grouped = false; /* xxd's groups: no gap among the bytes */

    if (!limit)
        limit = p->line_bytes ? p->line_bytes : 1024;
    while (n < limit) {
        const char *begin = skip_blanks(s, p->end);
        const char *after = skip_digits(begin, p->end);
        size_t gap = (size_t)(begin - s);

        if (begin == p->end)
            break;
        if (!is_certain && n && (gap > 2 || (gap == 2 && (n != 8 || is_grouped))))
            break;
        if (*begin == '|' && n)
            break;
        if (after == begin || (after < p->end && !is_blank(*after)))
            return fail_at(p, after, error);
        if ((after - begin) % 2)
            return fail(p, begin, error, "'%.*s' has an odd number of hexadecimal digits",
                        (int)HS_MIN(after - begin, 40), begin);
        /* hexdump without -C prints words of the machine's byte order behind seven digits. */
        if (o->n_digits == 7 && !o->has_colon && after - begin > 2)
            return fail(p, begin, error,
                        "words as hexdump and od print them have their bytes swapped: use hexdump -C, od -Ax "
                        "-tx1 or xxd");
        is_grouped |= after - begin > 2;
        for (s = begin; s < after; s += 2, n++) {
            if (!add_byte(p, s, error))
                return false;
        }
    }
    if (is_certain && n != limit)
        return fail(p, o->begin, error, "this line has %zu bytes, but the next line's offset calls for %zu",
                    n, limit);
    if (!p->line_bytes)
        p->line_bytes = n;
    return true;
}

static bool parse_dump(Parser *p, GError **error)
{
    const char *s = skip_blanks(p->line, p->end);
    size_t have = p->packet ? p->packet->len : 0;
    Offset o;

    if (s == p->end)
        return true;
    if (*s == '*' && skip_blanks(s + 1, p->end) == p->end && have) {
        p->repeat = true;
        return true;
    }
    if (!read_offset(p->line, p->end, &o))
        return p->has_headers || fail(p, s, error, "expected an offset, as the first line has");
    if (p->repeat) {
        if (!repeat_line(p, &o, error))
            return false;
        have = p->packet->len;
    }
    if (o.value == 0 && have) {
        finish_packet(p);
        have = 0;
        p->line_bytes = 0;
    }
    if (o.value != have) {
        /* A header line of tcpdump's may begin with something like a number. */
        if (p->has_headers && !o.has_colon)
            return true;
        return fail(p, o.begin, error, "offset 0x%" PRIx64 ", expected 0x%zx", o.value, have);
    }
    p->last_at = have;
    return parse_dump_bytes(p, &o, error);
}

GPtrArray *hexbytes_parse(const char *text, size_t n, const char *name, GError **error)
{
    Parser p = {.name = name, .line = text, .rest = text, .text_end = text + n};
    bool ok = true, is_decided = false;

    p.packets = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    p.has_headers = is_decided = p.is_dump = has_tcpdump_lines(text, n);
    while (ok && next_line(&p)) {
        cut_comment(&p);
        if (!is_decided && skip_blanks(p.line, p.end) < p.end) {
            p.is_dump = is_dump_line(p.line, p.end);
            is_decided = true;
        }
        ok = p.is_dump ? parse_dump(&p, error) : parse_plain(&p, error);
    }
    finish_packet(&p);
    if (ok && p.repeat)
        ok = fail(&p, p.line, error, "nothing says how often the line is repeated");
    if (ok && !p.packets->len)
        ok = fail(&p, p.line, error, "no bytes found");
    if (!ok) {
        g_ptr_array_unref(p.packets);
        return NULL;
    }
    return p.packets;
}
