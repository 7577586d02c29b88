/* Frames for programs: one JSON object a line and frame. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/dissect.h"
#include "sim/trace/eventlog_json.h"
#include "sim/trace/pcapng.h"

typedef struct Writer {
    const DissectFrame *frame;
    const DissectStyle *style;
    GString *out;
    GString *wrong; /* the malformed member, which comes behind the layers */
    bool malformed;
} Writer;

static void put_string(GString *out, const char *key, const char *value)
{
    eventlog_json_key(out, key);
    eventlog_json_string(out, value, strlen(value));
}

static void put_number(GString *out, const char *key, uint64_t value)
{
    eventlog_json_key(out, key);
    g_string_append_printf(out, "%" PRIu64, value);
}

static void put_bool(GString *out, const char *key, bool value)
{
    eventlog_json_key(out, key);
    g_string_append(out, value ? "true" : "false");
}

static void begin_object(GString *out)
{
    char last = out->str[out->len - 1];

    if (last != '[' && last != ':')
        g_string_append_c(out, ',');
    g_string_append_c(out, '{');
}

static void begin_layer(void *user, const WireLayer *layer, size_t off, size_t len, int depth)
{
    GString *out = ((Writer *)user)->out;

    begin_object(out);
    put_string(out, "name", layer->name);
    put_string(out, "title", layer->title);
    put_number(out, "offset", off);
    put_number(out, "length", len);
    put_number(out, "depth", (unsigned)depth);
    eventlog_json_key(out, "fields");
    g_string_append_c(out, '[');
}

static void put_value(GString *out, const WireField *f)
{
    switch (f->kind) {
    case WIRE_UINT:
    case WIRE_HEX:
    case WIRE_FLAGS:
        put_number(out, "value", f->value);
        break;
    case WIRE_BOOL:
        put_bool(out, "value", f->value != 0);
        break;
    case WIRE_MAC:
    case WIRE_IP4:
    case WIRE_IP6:
        break; /* the text says it */
    case WIRE_BYTES:
    case WIRE_TEXT:
        eventlog_json_key(out, "hex");
        g_string_append_c(out, '"');
        for (uint64_t i = 0; f->bytes && i < f->value; i++)
            g_string_append_printf(out, "%02x", f->bytes[i]);
        g_string_append_c(out, '"');
        break;
    }
}

static void field(void *user, const WireLayer *layer, const WireField *f)
{
    Writer *w = user;
    GString *out = w->out;

    begin_object(out);
    put_string(out, "name", f->name);
    put_string(out, "label", f->label);
    if (f->bit_len) {
        put_number(out, "bit_offset", f->bit_off);
        put_number(out, "bit_length", f->bit_len);
    }
    put_value(out, f);
    put_string(out, "text", f->text);
    if (w->style->notes && f->note && *f->note)
        put_string(out, "note", f->note);
    g_string_append_c(out, '}');
}

static void end_layer(void *user, const WireLayer *layer)
{
    g_string_append(((Writer *)user)->out, "]}");
}

static void malformed(void *user, const WireLayer *layer, size_t off, WireError err, const char *why)
{
    Writer *w = user;
    bool cut = dissect_is_cut(w->frame, err);

    w->malformed = !cut;
    g_string_assign(w->wrong, "{");
    put_string(w->wrong, "layer", layer->name);
    put_number(w->wrong, "offset", off);
    put_string(w->wrong, "error", wire_error_str(err));
    put_string(w->wrong, "why", cut ? "not captured" : why);
    g_string_append_c(w->wrong, '}');
}

static void put_head(GString *out, const DissectFrame *f)
{
    char summary[512];

    put_number(out, "frame", f->number);
    if (f->has_time) {
        eventlog_json_key(out, "time");
        eventlog_json_time(out, f->time);
    }
    if (f->iface_name)
        put_string(out, "interface", f->iface_name);
    if (dissect_direction(f))
        put_string(out, "direction", dissect_direction(f));
    put_number(out, "linktype", (unsigned)f->linktype & 0xffff);
    put_number(out, "len", f->len);
    put_number(out, "captured", f->caplen);
    if (f->has_packetid)
        put_number(out, "packetid", f->packetid);
    if (f->flags & PCAPNG_FLAG_CRC_ERROR)
        put_bool(out, "fcs_error", true);
    if (f->n_comments) {
        eventlog_json_key(out, "comments");
        g_string_append_c(out, '[');
        for (size_t i = 0; i < f->n_comments; i++) {
            if (i)
                g_string_append_c(out, ',');
            eventlog_json_string(out, f->comments[i], strlen(f->comments[i]));
        }
        g_string_append_c(out, ']');
    }
    put_string(out, "summary",
               dissect_summary(summary, sizeof(summary), (WireLinkType)f->linktype, f->bytes, f->caplen));
}

static void put_bytes(GString *out, const DissectFrame *f)
{
    eventlog_json_key(out, "bytes");
    g_string_append_c(out, '"');
    for (uint32_t i = 0; i < f->caplen; i++)
        g_string_append_printf(out, "%02x", f->bytes[i]);
    g_string_append_c(out, '"');
}

bool dissect_json_frame(const DissectFrame *f, const DissectStyle *style)
{
    Writer w = {.frame = f, .style = style, .out = g_string_new("{"), .wrong = g_string_new(NULL)};
    const WireSink quiet = {.user = &w, .no_text = true, .malformed = malformed};
    const WireSink full = {.user = &w,
                           .begin_layer = begin_layer,
                           .field = field,
                           .end_layer = end_layer,
                           .malformed = malformed};

    put_head(w.out, f);
    if (!style->summary) {
        eventlog_json_key(w.out, "layers");
        g_string_append_c(w.out, '[');
    }
    wire_dissect((WireLinkType)f->linktype, f->bytes, f->caplen, style->summary ? &quiet : &full);
    if (!style->summary)
        g_string_append_c(w.out, ']');
    if (w.wrong->len) {
        eventlog_json_key(w.out, w.malformed ? "malformed" : "cut");
        g_string_append_len(w.out, w.wrong->str, (gssize)w.wrong->len);
    }
    if (style->dump)
        put_bytes(w.out, f);
    g_string_append_c(w.out, '}');
    printf("%s\n", w.out->str);
    g_string_free(w.out, TRUE);
    g_string_free(w.wrong, TRUE);
    return !w.malformed;
}
