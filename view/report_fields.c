#include "view/report_fields.h"

#include <inttypes.h>
#include <string.h>

#include "models/wire/dissect.h"
#include "models/wire/ipv4.h"
#include "models/wire/mac.h"

#define LINKTYPE_PPP 9 /* what capture files call it; the dissector's number is another */

struct ReportFields {
    ReportStrings *strings;
    GHashTable *def_of, *shape_of, *values_of; /* key as bytes -> index + 1; look-up only */
    GPtrArray *defs;                           /* WireField's constants, as FieldDef */
    GPtrArray *shapes, *values;                /* GBytes: int32_t of the layers and fields */
    /* of the packet at hand */
    GByteArray *shape, *value;
    GArray *numbers; /* Number: large ones that other texts may repeat */
    GPtrArray *late; /* texts whose place in value is kept by late_at: told when all numbers are known */
    GArray *late_at;
    ReportPacketFields *out;
};

typedef struct Number {
    unsigned field;
    uint64_t value;
} Number;

typedef struct FieldDef {
    char *name, *label, *note;
    WireKind kind;
} FieldDef;

/* In a shape: a layer is LAYER, id, off, len, depth; a field its definition, bit_off, bit_len. */
#define LAYER (-1)
#define MAX_BYTES 62 /* in a text: as many as fit, with " …" */
#define MIN_REPEATED 1000

static void free_def(gpointer p)
{
    FieldDef *d = p;

    g_free(d->name);
    g_free(d->label);
    g_free(d->note);
    g_free(d);
}

ReportFields *report_fields_new(ReportStrings *strings)
{
    ReportFields *f = g_new0(ReportFields, 1);

    f->strings = strings;
    f->def_of = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    f->shape_of = g_hash_table_new(g_bytes_hash, g_bytes_equal);
    f->values_of = g_hash_table_new(g_bytes_hash, g_bytes_equal);
    f->defs = g_ptr_array_new_with_free_func(free_def);
    f->shapes = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    f->values = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    f->shape = g_byte_array_new();
    f->value = g_byte_array_new();
    f->numbers = g_array_new(FALSE, FALSE, sizeof(Number));
    f->late = g_ptr_array_new_with_free_func(g_free);
    f->late_at = g_array_new(FALSE, FALSE, sizeof(guint));
    return f;
}

void report_fields_free(ReportFields *f)
{
    if (!f)
        return;
    g_hash_table_destroy(f->def_of);
    g_hash_table_destroy(f->shape_of);
    g_hash_table_destroy(f->values_of);
    g_ptr_array_free(f->defs, TRUE);
    g_ptr_array_free(f->shapes, TRUE);
    g_ptr_array_free(f->values, TRUE);
    g_byte_array_free(f->shape, TRUE);
    g_byte_array_free(f->value, TRUE);
    g_array_free(f->numbers, TRUE);
    g_ptr_array_free(f->late, TRUE);
    g_array_free(f->late_at, TRUE);
    g_free(f);
}

static void put(GByteArray *a, int64_t value)
{
    int32_t v = (int32_t)value;

    g_byte_array_append(a, (const guint8 *)&v, sizeof(v));
}

static int64_t intern(GHashTable *of, GPtrArray *list, const GByteArray *key)
{
    GBytes *bytes = g_bytes_new(key->data, key->len);
    gpointer known = g_hash_table_lookup(of, bytes);

    if (known) {
        g_bytes_unref(bytes);
    } else {
        g_ptr_array_add(list, bytes);
        known = GUINT_TO_POINTER(list->len);
        g_hash_table_insert(of, bytes, known);
    }
    return (int64_t)GPOINTER_TO_UINT(known) - 1;
}

/* Definitions are compared as texts: some describers build theirs on the stack. */
static int64_t def_of(ReportFields *f, const WireField *field)
{
    char key[512];
    gpointer known;
    FieldDef *d;

    g_snprintf(key, sizeof(key), "%s\n%s\n%s\n%d", field->name, field->label, field->note ? field->note : "",
               (int)field->kind);
    known = g_hash_table_lookup(f->def_of, key);
    if (!known) {
        d = g_new(FieldDef, 1);
        *d = (FieldDef){g_strdup(field->name), g_strdup(field->label), g_strdup(field->note), field->kind};
        g_ptr_array_add(f->defs, d);
        known = GUINT_TO_POINTER(f->defs->len);
        g_hash_table_insert(f->def_of, g_strdup(key), known);
    }
    return (int64_t)GPOINTER_TO_UINT(known) - 1;
}

/* ---- what the page renders by itself: view/report/bytes.js, plain() ---- */

static uint64_t read_bits(const WireField *field)
{
    uint32_t first = field->bit_off % 8;
    uint64_t v = 0;

    for (uint32_t i = first; i < first + field->bit_len; i++)
        v = v << 1 | (field->bytes[i / 8] >> (7 - i % 8) & 1);
    return v;
}

/* Whether the text is what the page makes of the bytes: all of them, or so many as the dissector's room
 * allows (WIRE_TEXT_LEN). Text is never told in other words. */
static bool is_plain_bytes(const WireField *field)
{
    static const char digit[] = "0123456789abcdef";
    size_t n = field->bit_len / 8;
    const char *text = field->text;

    if (field->kind == WIRE_TEXT)
        return true;
    for (size_t i = 0; i < HS_MIN(n, MAX_BYTES); i++) {
        if (i && *text++ != ' ')
            return false;
        if (*text++ != digit[field->bytes[i] >> 4] || *text++ != digit[field->bytes[i] & 15])
            return false;
    }
    return !strcmp(text, n > MAX_BYTES ? " …" : "");
}

/* How many characters of the text the page knows; -1: the text does not begin with what it would write. */
static int plain_len(const WireField *field)
{
    char buf[64];
    uint64_t v;

    if (field->bit_len == 0)
        return -1;
    if (field->kind == WIRE_BYTES || field->kind == WIRE_TEXT)
        return is_plain_bytes(field) ? (int)strlen(field->text) : -1;
    if (field->kind == WIRE_IP6 || field->bit_len > 64)
        return -1;
    v = read_bits(field);
    switch (field->kind) {
    case WIRE_UINT:
        g_snprintf(buf, sizeof(buf), "%" PRIu64, v);
        break;
    case WIRE_HEX:
    case WIRE_FLAGS:
        g_snprintf(buf, sizeof(buf), "0x%0*" PRIx64, (int)(field->bit_len + 3) / 4, v);
        break;
    case WIRE_BOOL:
        g_strlcpy(buf, v ? "yes" : "no", sizeof(buf));
        break;
    case WIRE_MAC:
        mac_format(mac_from_u64(v), buf);
        break;
    case WIRE_IP4:
        ipv4_addr_format((uint32_t)v, buf);
        break;
    default:
        return -1;
    }
    return g_str_has_prefix(field->text, buf) && !g_ascii_isalnum(field->text[strlen(buf)]) ? (int)strlen(buf)
                                                                                            : -1;
}

/* ---- the sink ---- */

static void on_layer(void *user, const WireLayer *layer, size_t off, size_t len, int depth)
{
    ReportFields *f = user;

    put(f->shape, LAYER);
    put(f->shape, layer->id);
    put(f->shape, (int64_t)off);
    put(f->shape, (int64_t)len);
    put(f->shape, depth);
    if (layer->id != WIRE_LAYER_DATA && layer->id != WIRE_LAYER_PADDING)
        f->out->header_len = HS_MAX(f->out->header_len, (uint32_t)(off + len));
}

static void on_field(void *user, const WireLayer *layer, const WireField *field)
{
    ReportFields *f = user;
    int plain = plain_len(field);
    guint nth = f->value->len / (guint)sizeof(int32_t);

    (void)layer;
    if (plain >= 0 && field->kind == WIRE_UINT && field->value >= MIN_REPEATED)
        g_array_append_val(f->numbers, ((Number){nth, field->value}));
    put(f->shape, def_of(f, field));
    put(f->shape, field->bit_off);
    put(f->shape, field->bit_len);
    if (plain >= 0 && field->text[plain] == '\0')
        put(f->value, 0);
    else if (plain >= 0)
        put(f->value, 2 * report_strings_add(f->strings, field->text + plain) + 1);
    else if (field->kind != WIRE_BYTES)
        put(f->value, 2 * report_strings_add(f->strings, field->text) + 2);
    else {
        g_ptr_array_add(f->late, g_strdup(field->text));
        g_array_append_val(f->late_at, nth);
        put(f->value, 0);
    }
}

/* A summary such as "TS val 1227582262 ecr 0" would be another string in each packet. Numbers of other fields
 * are told as {#field} in it. */
static int64_t add_late(ReportFields *f, const char *text)
{
    GString *out = g_string_new(NULL);
    int64_t index;

    for (const char *p = text; *p;) {
        char *end = (char *)p + 1;
        guint64 number = g_ascii_isdigit(*p) ? g_ascii_strtoull(p, &end, 10) : 0;
        const Number *same = NULL;

        for (guint i = 0; i < f->numbers->len && number >= MIN_REPEATED && !same; i++)
            if (g_array_index(f->numbers, Number, i).value == number)
                same = &g_array_index(f->numbers, Number, i);
        if (same)
            g_string_append_printf(out, "{#%u}", same->field);
        else
            g_string_append_len(out, p, end - p);
        p = end;
    }
    index = report_strings_add(f->strings, out->str);
    g_string_free(out, TRUE);
    return index;
}

static void on_malformed(void *user, const WireLayer *layer, size_t off, WireError err, const char *why)
{
    ReportFields *f = user;

    (void)layer;
    (void)err;
    f->out->malformed = report_strings_add(f->strings, why ? why : wire_error_str(err));
    f->out->malformed_at = (uint32_t)off;
}

void report_fields_add(ReportFields *f, const StoryPacket *p, ReportPacketFields *out)
{
    WireSink sink = {.user = f, .begin_layer = on_layer, .field = on_field, .malformed = on_malformed};
    WireLinkType linktype = p->linktype == LINKTYPE_PPP ? WIRE_LINK_PPP : (WireLinkType)p->linktype;
    guint len;

    *out = (ReportPacketFields){.malformed = -1};
    f->out = out;
    g_byte_array_set_size(f->shape, 0);
    g_byte_array_set_size(f->value, 0);
    g_array_set_size(f->numbers, 0);
    g_ptr_array_set_size(f->late, 0);
    g_array_set_size(f->late_at, 0);
    wire_dissect(linktype, p->bytes, p->kept, &sink);
    for (guint i = 0; i < f->late->len; i++)
        ((int32_t *)(void *)f->value->data)[g_array_index(f->late_at, guint, i)] =
            (int32_t)(2 * add_late(f, f->late->pdata[i]) + 2);
    len = f->value->len / (guint)sizeof(int32_t);
    while (len && ((const int32_t *)(const void *)f->value->data)[len - 1] == 0)
        len--;
    g_byte_array_set_size(f->value, len * (guint)sizeof(int32_t));
    out->shape = intern(f->shape_of, f->shapes, f->shape);
    out->values = intern(f->values_of, f->values, f->value);
}

/* ---- writing ---- */

static void write_numbers(ReportJson *j, GBytes *bytes)
{
    gsize size;
    const int32_t *v = g_bytes_get_data(bytes, &size);

    report_json_begin(j, '[');
    for (gsize i = 0; i < size / sizeof(*v); i++)
        report_json_int(j, v[i]);
    report_json_end(j, ']');
}

/* [["Ethernet", "eth", off, len, depth, [definition, bit_off, bit_len, …]], …] */
static void write_shape(ReportJson *j, GBytes *bytes)
{
    gsize size;
    const int32_t *v = g_bytes_get_data(bytes, &size);
    gsize n = size / sizeof(*v), i = 0;

    report_json_begin(j, '[');
    while (i < n) {
        const WireLayer *layer = wire_layer((WireLayerId)v[i + 1]);

        report_json_begin(j, '[');
        report_json_str(j, layer->title);
        report_json_str(j, layer->name);
        for (gsize k = 2; k < 5; k++)
            report_json_int(j, v[i + k]);
        report_json_begin(j, '[');
        for (i += 5; i < n && v[i] != LAYER; i++)
            report_json_int(j, v[i]);
        report_json_end(j, ']');
        report_json_end(j, ']');
    }
    report_json_end(j, ']');
}

void report_fields_write(const ReportFields *f, ReportJson *j)
{
    static const char *const kinds[] = {"uint", "hex", "bool", "mac", "ip4", "ip6", "bytes", "text", "flags"};

    report_json_key(j, "defs");
    report_json_begin(j, '[');
    for (guint i = 0; i < f->defs->len; i++) {
        const FieldDef *d = f->defs->pdata[i];

        report_json_begin(j, '[');
        report_json_str(j, d->name);
        report_json_str(j, d->label);
        report_json_str(j, d->note);
        report_json_str(j, kinds[d->kind]);
        report_json_end(j, ']');
    }
    report_json_end(j, ']');
    report_json_key(j, "shapes");
    report_json_begin(j, '[');
    for (guint i = 0; i < f->shapes->len; i++)
        write_shape(j, f->shapes->pdata[i]);
    report_json_end(j, ']');
    report_json_key(j, "values");
    report_json_begin(j, '[');
    for (guint i = 0; i < f->values->len; i++)
        write_numbers(j, f->values->pdata[i]);
    report_json_end(j, ']');
}
