/* For the wire tests: bytes from hexadecimal text, and a sink that keeps what it is told. */
#pragma once

#include <glib.h>
#include <string.h>

#include "models/wire/dissect.h"
#include "models/wire/wire.h"

/* Bytes of "45 00 …", blanks ignored; returns their number. */
static inline size_t hex_bytes(uint8_t *out, size_t size, const char *hex)
{
    size_t n = 0;

    while (*hex) {
        if (*hex == ' ' || *hex == '\n') {
            hex++;
            continue;
        }
        g_assert_cmpuint(n, <, size);
        g_assert_true(g_ascii_isxdigit(hex[0]) && g_ascii_isxdigit(hex[1]));
        out[n++] = (uint8_t)(g_ascii_xdigit_value(hex[0]) << 4 | g_ascii_xdigit_value(hex[1]));
        hex += 2;
    }
    return n;
}

typedef struct Told {
    char *key; /* "ip.ttl"; quoted packets "1:ip.ttl" */
    char *text;
    uint64_t value;
    WireKind kind;
    size_t off, len; /* in bits from the start of the frame */
} Told;

typedef struct Collector {
    GArray *fields;  /* of Told */
    GString *layers; /* "eth ip udp" */
    int open;        /* layers begun and not ended */
    int depth;
    size_t layer_off, layer_len;
    int n_malformed;
    char malformed[200]; /* "udp@38: bad length: …" */
} Collector;

static inline void collector_begin(void *user, const WireLayer *layer, size_t off, size_t len, int depth)
{
    Collector *c = user;

    g_assert_cmpint(c->open, ==, 0);
    c->open++;
    c->depth = depth;
    c->layer_off = off;
    c->layer_len = len;
    g_string_append_printf(c->layers, "%s%s%s", c->layers->len ? " " : "", depth ? "1:" : "", layer->name);
}

static inline void collector_field(void *user, const WireLayer *layer, const WireField *f)
{
    Collector *c = user;
    Told t = {.key = g_strdup_printf("%s%s.%s", c->depth ? "1:" : "", layer->name, f->name),
              .text = g_strdup(f->text),
              .value = f->value,
              .kind = f->kind,
              .off = c->layer_off * 8 + f->bit_off,
              .len = f->bit_len};

    g_assert_cmpint(c->open, ==, 1);
    g_assert_cmpuint((size_t)f->bit_off + f->bit_len, <=, c->layer_len * 8);
    g_assert_true((f->bytes == NULL) == (f->bit_len == 0));
    g_assert_true(f->note && f->label && f->note[strlen(f->note) - 1] == '.');
    for (const char *s = f->name; *s; s++)
        g_assert_true(g_ascii_islower(*s) || *s == '_' || (s > f->name && g_ascii_isdigit(*s)));
    g_assert_true(g_utf8_validate(f->text, -1, NULL));
    g_array_append_val(c->fields, t);
}

static inline void collector_end(void *user, const WireLayer *layer)
{
    Collector *c = user;

    c->open--;
    g_assert_cmpint(c->open, ==, 0);
}

static inline void collector_malformed(void *user, const WireLayer *layer, size_t off, WireError err,
                                       const char *why)
{
    Collector *c = user;

    c->n_malformed++;
    g_snprintf(c->malformed, sizeof c->malformed, "%s@%zu: %s: %s", layer->name, off, wire_error_str(err),
               why);
}

static inline void collector_clear_told(void *p)
{
    Told *t = p;

    g_free(t->key);
    g_free(t->text);
}

static inline void collector_init(Collector *c)
{
    *c = (Collector){.fields = g_array_new(FALSE, FALSE, sizeof(Told)), .layers = g_string_new(NULL)};
    g_array_set_clear_func(c->fields, collector_clear_told);
}

static inline void collector_clear(Collector *c)
{
    g_array_free(c->fields, TRUE);
    g_string_free(c->layers, TRUE);
}

static inline bool collector_dissect(Collector *c, WireLinkType linktype, const uint8_t *p, size_t len)
{
    WireSink sink = {.user = c,
                     .begin_layer = collector_begin,
                     .field = collector_field,
                     .end_layer = collector_end,
                     .malformed = collector_malformed};
    bool ok;

    collector_init(c);
    ok = wire_dissect(linktype, p, len, &sink);
    g_assert_cmpint(c->open, ==, 0);
    g_assert_cmpint(c->n_malformed, ==, ok ? 0 : 1);
    return ok;
}

static inline const Told *collector_find(const Collector *c, const char *key)
{
    for (guint i = 0; i < c->fields->len; i++) {
        const Told *t = &g_array_index(c->fields, Told, i);

        if (strcmp(t->key, key) == 0)
            return t;
    }
    return NULL;
}

static inline const char *collector_text(const Collector *c, const char *key)
{
    const Told *t = collector_find(c, key);

    return t ? t->text : "(no such field)";
}

static inline uint64_t collector_value(const Collector *c, const char *key)
{
    const Told *t = collector_find(c, key);

    if (!t)
        g_error("no field %s", key);
    return t->value;
}

/* behaviours.md, appendix A.1 to A.3. */
#define GOLDEN_ARP_REQUEST                                                                                   \
    "ff ff ff ff ff ff 00 05 5d 61 58 a8 08 06 00 01 08 00 06 04 00 01 00 05 5d 61 58 a8 c0 a8 00 37 "       \
    "00 00 00 00 00 00 c0 a8 00 02 00 77 31 d2 50 10 fd 78 41 d3 00 00 00 00 00 00 00 00"
#define GOLDEN_ARP_REPLY                                                                                     \
    "00 05 5d 61 58 a8 00 05 5d a1 b8 40 08 06 00 01 08 00 06 04 00 02 00 05 5d a1 b8 40 c0 a8 00 02 "       \
    "00 05 5d 61 58 a8 c0 a8 00 37 00 77 31 d2 50 10 fd 78 41 d3 00 00 00 00 00 00 00 00"
#define GOLDEN_TFTP                                                                                          \
    "00 05 5d 67 d0 b1 00 05 5d 61 58 a8 08 00 45 00 00 53 93 25 00 00 80 11 25 ec c0 a8 00 37 c0 a8 "       \
    "00 01 05 d4 00 45 00 3f ac 40 00 01 63 3a 5c 71 77 65 72 71 2e 71 77 65 00 6e 65 74 61 73 63 69 "       \
    "69 00 62 6c 6b 73 69 7a 65 00 35 31 32 00 74 69 6d 65 6f 75 74 00 31 30 00 74 73 69 7a 65 00 30 00"
