#include "step/record.h"

#include <inttypes.h>
#include <string.h>

#include "models/wire/dissect.h"
#include "models/wire/ipv4_addr.h"
#include "models/wire/mac.h"
#include "models/wire/tcp.h"
#include "sim/trace/sink_frame.h"

#define PLACE_WIDTH 14

bool steprecord_is(const ProbeRecord *r, StepUnit unit)
{
    switch (unit) {
    case STEP_UNIT_NONE:
        return false;
    case STEP_UNIT_RECORD:
        return true;
    case STEP_UNIT_PACKET:
        return r->desc == &probe_frame_tx || r->desc == &probe_frame_rx || r->desc == &probe_frame_drop;
    case STEP_UNIT_DROP:
        return r->desc == &probe_frame_drop;
    case STEP_UNIT_STATE:
        return g_str_has_suffix(r->desc->name, ".state") || g_str_has_prefix(r->desc->name, "stp.") ||
               !strcmp(r->desc->name, "tcp.recovery");
    }
    return false;
}

const ProbeValue *steprecord_value(const ProbeRecord *r, const char *field)
{
    for (unsigned i = 0; i < r->desc->n_fields; i++)
        if (!strcmp(r->desc->field[i].name, field))
            return &r->value[i];
    return NULL;
}

void steprecord_summary(GString *out, const ProbeRecord *r)
{
    SinkFrame frame;
    const Packet *pkt = sinkframe_of(&frame, r);
    uint32_t len = packet_len(pkt);
    uint8_t *bytes = g_malloc(len);
    char line[512];

    packet_copy(pkt, 0, bytes, len);
    if (wire_link_type_is_known(frame.linktype))
        g_string_append(out, dissect_summary(line, sizeof(line), (WireLinkType)frame.linktype, bytes, len));
    else
        g_string_append_printf(out, "%" PRIu32 " byte%s to be sent, no header yet", len, len == 1 ? "" : "s");
    g_free(bytes);
}

static void append_value(GString *out, ProbeKind kind, ProbeValue v)
{
    char text[64];

    switch (kind) {
    case PROBE_U64:
        g_string_append_printf(out, "%" PRIu64, v.u);
        break;
    case PROBE_I64:
        g_string_append_printf(out, "%" PRId64, v.i);
        break;
    case PROBE_BOOL:
        g_string_append(out, v.u ? "yes" : "no");
        break;
    case PROBE_TIME:
        if (v.i == SIM_NEVER)
            g_string_append(out, "never");
        else
            g_string_append_printf(out, "%s s", simtime_str(v.i, text));
        break;
    case PROBE_IP4:
        g_string_append(out, ipv4_addr_format((uint32_t)v.u, text));
        break;
    case PROBE_MAC:
        g_string_append(out, mac_format(mac_from_u64(v.u), text));
        break;
    case PROBE_STR:
        g_string_append(out, v.s);
        break;
    case PROBE_FLOAT:
        g_string_append_printf(out, "%s", g_ascii_dtostr(text, sizeof(text), v.f));
        break;
    }
}

static void append_place(GString *out, const ProbeRecord *r)
{
    gsize from = out->len;

    if (!*r->node->name) {
        g_string_append(out, "scenario");
    } else {
        g_string_append(out, r->node->name);
        if (r->point)
            g_string_append_printf(out, ":%s", r->point->name);
    }
    while (out->len - from < PLACE_WIDTH)
        g_string_append_c(out, ' ');
    g_string_append_c(out, ' ');
}

static bool is_sequence_number(const char *field)
{
    return !strcmp(field, "seq") || !strcmp(field, "snd_una") || !strcmp(field, "high_seq");
}

/* old and new read as a change, the other fields as name=value. */
static void append_fields(GString *out, const ProbeRecord *r, const StepSeqs *seqs)
{
    const ProbeDesc *d = r->desc;
    const ProbeValue *old = steprecord_value(r, "old"), *new = steprecord_value(r, "new");
    char flags[TCP_FLAGS_STR_LEN];
    uint32_t isn;
    bool is_change = old && new && !strcmp(d->name + strcspn(d->name, "."), ".state");

    if (is_change)
        g_string_append_printf(out, " %s -> %s", old->s, new->s);
    for (unsigned i = 0; i < d->n_fields; i++) {
        if (is_change && (&r->value[i] == old || &r->value[i] == new))
            continue;
        g_string_append_printf(out, " %s=", d->field[i].name);
        if (d->cls == PROBE_TCP && !strcmp(d->field[i].name, "flags"))
            g_string_append(out, tcp_flags_format((uint16_t)r->value[i].u, flags));
        else if (seqs && is_sequence_number(d->field[i].name) && stepseqs_conn(seqs, r, &isn))
            g_string_append_printf(out, "%" PRIu32, (uint32_t)r->value[i].u - isn);
        else
            append_value(out, d->field[i].kind, r->value[i]);
    }
}

void steprecord_text(GString *out, const ProbeRecord *r, const StepSeqs *seqs)
{
    gsize from;

    append_place(out, r);
    if (r->desc->cls == PROBE_LOG) {
        const ProbeValue *text = steprecord_value(r, "text");

        g_string_append_printf(out, "says: %s", text ? text->s : "");
        return;
    }
    if (r->desc == &probe_frame_tx) {
        g_string_append(out, "sends     ");
    } else if (r->desc == &probe_frame_rx) {
        g_string_append(out, "receives  ");
    } else if (r->desc == &probe_frame_drop) {
        g_string_append_printf(out, "drops (%s) ", r->value[0].s);
    } else {
        g_string_append(out, r->desc->name);
        append_fields(out, r, seqs);
        return;
    }
    if (!r->pkt)
        return;
    from = out->len;
    steprecord_summary(out, r);
    if (seqs)
        stepseqs_rewrite(seqs, r, out, from);
}

void steprecord_line(GString *out, const ProbeRecord *r, const StepSeqs *seqs)
{
    char at[SIMTIME_STR_LEN];

    g_string_append_printf(out, "%s  ", simtime_str(r->time, at));
    steprecord_text(out, r, seqs);
}
