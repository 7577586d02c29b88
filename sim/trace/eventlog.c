/* Records as lines of JSON. */
#include "sim/trace/eventlog.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "sim/base/suggest.h"
#include "sim/engine/sim.h"
#include "sim/packet/checksum.h"
#include "sim/trace/eventlog_json.h"
#include "sim/trace/sink_frame.h"

#define SUMMARY_LEN 240

const char *const eventlog_class_names[PROBE_CLASSES] = {
    [PROBE_FRAME_TX] = "tx", [PROBE_FRAME_RX] = "rx",   [PROBE_FRAME_DROP] = "drop",
    [PROBE_QUEUE] = "queue", [PROBE_LINK] = "link",     [PROBE_SWITCH] = "switch",
    [PROBE_NEIGH] = "neigh", [PROBE_ROUTE] = "route",   [PROBE_IP] = "ip",
    [PROBE_UDP] = "udp",     [PROBE_SOCKET] = "socket", [PROBE_TCP] = "tcp",
    [PROBE_APP] = "app",     [PROBE_LOG] = "log",       [PROBE_TRANSLATION] = "translation",
};

static void append_string(GString *out, const char *text)
{
    eventlog_json_string(out, text, strlen(text));
}

static void append_float(GString *text, double f)
{
    char buf[G_ASCII_DTOSTR_BUF_SIZE];

    g_string_append(text, g_ascii_dtostr(buf, sizeof(buf), f));
}

void eventlog_append_value(GString *text, ProbeKind kind, ProbeValue v)
{
    switch (kind) {
    case PROBE_U64:
        g_string_append_printf(text, "%" PRIu64, v.u);
        break;
    case PROBE_I64:
        g_string_append_printf(text, "%" PRId64, v.i);
        break;
    case PROBE_BOOL:
        g_string_append(text, v.u ? "true" : "false");
        break;
    case PROBE_TIME:
        if (v.i == SIM_NEVER)
            g_string_append(text, "never");
        else
            eventlog_json_time(text, v.i);
        break;
    case PROBE_IP4:
        g_string_append_printf(text, "%u.%u.%u.%u", (unsigned)(v.u >> 24 & 255), (unsigned)(v.u >> 16 & 255),
                               (unsigned)(v.u >> 8 & 255), (unsigned)(v.u & 255));
        break;
    case PROBE_MAC:
        for (int shift = 40; shift >= 0; shift -= 8)
            g_string_append_printf(text, "%02x%s", (unsigned)(v.u >> shift & 255), shift ? ":" : "");
        break;
    case PROBE_STR:
        g_string_append(text, v.s ? v.s : "");
        break;
    case PROBE_FLOAT:
        append_float(text, v.f);
        break;
    }
}

/* Numbers, truth and time stand as they are; what JSON has no number for (never, infinity) is null. */
static void append_json_value(GString *line, ProbeKind kind, ProbeValue v)
{
    switch (kind) {
    case PROBE_TIME:
        if (v.i == SIM_NEVER)
            g_string_append(line, "null");
        else
            eventlog_json_time(line, v.i);
        break;
    case PROBE_FLOAT:
        if (isfinite(v.f))
            append_float(line, v.f);
        else
            g_string_append(line, "null");
        break;
    case PROBE_STR:
        if (v.s)
            append_string(line, v.s);
        else
            g_string_append(line, "null");
        break;
    case PROBE_IP4:
    case PROBE_MAC:
        g_string_append_c(line, '"');
        eventlog_append_value(line, kind, v);
        g_string_append_c(line, '"');
        break;
    case PROBE_U64:
    case PROBE_I64:
    case PROBE_BOOL:
        eventlog_append_value(line, kind, v);
        break;
    }
}

static void append_frame(GString *line, const EventlogFormat *f, const ProbeRecord *r)
{
    uint8_t bytes[PKT_MAX_LEN + PKT_BUF];
    const Packet *p = r->pkt;
    SinkFrame frame;
    uint32_t len = packet_copy(sinkframe_of(&frame, r), 0, bytes, sizeof(bytes));
    const Node *born = f->sim ? sim_node(f->sim, p->birth_node) : NULL;
    char summary[SUMMARY_LEN] = "";

    eventlog_json_key(line, "frame");
    g_string_append_printf(line, "{\"len\":%" PRIu32, len);
    eventlog_json_key(line, "birth");
    if (born)
        g_string_append_printf(line, "\"%s/%" PRIu64 "\"", born->name, p->birth_id);
    else
        g_string_append_printf(line, "\"#%" PRIu32 "/%" PRIu64 "\"", p->birth_node, p->birth_id);
    g_string_append_printf(line, ",\"fcs\":\"%08" PRIx32 "\"",
                           GUINT32_SWAP_LE_BE(checksum_crc32(0, bytes, len)));
    if (f->summary && frame.linktype != SINKFRAME_BYTES) {
        f->summary(f->user, frame.linktype, bytes, len, summary, sizeof(summary));
        eventlog_json_key(line, "summary");
        append_string(line, summary);
    }
    g_string_append_c(line, '}');
}

void eventlog_append_record(GString *line, const EventlogFormat *f, const ProbeRecord *r)
{
    g_string_append(line, "{\"time\":");
    eventlog_json_time(line, r->time);
    eventlog_json_key(line, "node");
    append_string(line, r->node->name);
    if (r->point) {
        eventlog_json_key(line, "point");
        append_string(line, r->point->name);
    }
    eventlog_json_key(line, "event");
    append_string(line, r->desc->name);
    for (unsigned i = 0; i < r->desc->n_fields; i++) {
        eventlog_json_key(line, r->desc->field[i].name);
        append_json_value(line, r->desc->field[i].kind, r->value[i]);
    }
    if (r->pkt)
        append_frame(line, f, r);
    g_string_append_c(line, '}');
}

void eventlog_append_event(GString *line, const EventlogFormat *f, SimTime time, uint64_t key)
{
    const Node *node = f->sim ? sim_node(f->sim, event_key_node(key)) : NULL;

    g_string_append(line, "{\"time\":");
    eventlog_json_time(line, time);
    eventlog_json_key(line, "node");
    if (node)
        append_string(line, node->name);
    else
        g_string_append_printf(line, "\"#%" PRIu32 "\"", event_key_node(key));
    g_string_append_printf(line, ",\"event\":\"engine.event\",\"seq\":%" PRIu64 "}",
                           key & ((UINT64_C(1) << EVENT_SEQ_BITS) - 1));
}

static bool class_bits(const char *word, uint64_t *bits)
{
    const uint64_t all = PROBE_BIT(PROBE_CLASSES) - 1;

    for (int cls = 0; cls < PROBE_CLASSES; cls++) {
        if (!strcmp(word, eventlog_class_names[cls])) {
            *bits = PROBE_BIT(cls);
            return true;
        }
    }
    if (!strcmp(word, "frames"))
        *bits = PROBE_BIT(PROBE_FRAME_TX) | PROBE_BIT(PROBE_FRAME_RX) | PROBE_BIT(PROBE_FRAME_DROP);
    else if (!strcmp(word, "state"))
        *bits = PROBE_STATE_MASK;
    else if (!strcmp(word, "all"))
        *bits = all;
    else if (!strcmp(word, "engine"))
        *bits = EVENTLOG_ENGINE_EVENTS;
    else
        return false;
    return true;
}

static char *unknown_class(const char *word)
{
    const char *known[PROBE_CLASSES + 4] = {"frames", "state", "engine", "all"};
    const char *closest;
    GString *s = g_string_new(NULL);

    for (int cls = 0; cls < PROBE_CLASSES; cls++)
        known[4 + cls] = eventlog_class_names[cls];
    closest = suggest_closest(word, known, HS_ARRAY_LEN(known));
    g_string_printf(s, "\"%s\" is not a class of events", word);
    if (closest)
        g_string_append_printf(s, "; did you mean \"%s\"?", closest);
    else
        g_string_append(s, "; expected frames, state, engine, all");
    for (int cls = 0; !closest && cls < PROBE_CLASSES; cls++)
        g_string_append_printf(s, ", %s", eventlog_class_names[cls]);
    return g_string_free(s, FALSE);
}

bool eventlog_parse_classes(const char *list, uint64_t *mask, char **error)
{
    char **words = g_strsplit(list, ",", -1);
    uint64_t sum = 0, bits;
    bool ok = true;

    for (char **w = words; ok && *w; w++) {
        ok = class_bits(g_strstrip(*w), &bits);
        if (ok)
            sum |= bits;
        else if (error)
            *error = unknown_class(*w);
    }
    if (ok && !words[0]) {
        ok = false;
        if (error)
            *error = unknown_class("");
    }
    g_strfreev(words);
    if (ok)
        *mask = sum;
    return ok;
}

bool eventlog_matches(const char *pattern, const char *node, const char *point)
{
    char *name;
    bool ok;

    if (!strchr(pattern, ':'))
        return g_pattern_match_simple(pattern, node);
    name = g_strdup_printf("%s:%s", node, point ? point : "");
    ok = g_pattern_match_simple(pattern, name);
    g_free(name);
    return ok;
}
