/* The packet at the place where the run stands, header by header: each field with its place, its value, what
 * it is for (models/wire), and why it has this value (step/reasons.h). */
#include <glib.h>
#include <inttypes.h>

#include "sim/trace/sink_frame.h"
#include "step/inspect.h"
#include "step/reasons.h"
#include "step/record.h"

#define LABEL_WIDTH 34

typedef struct View {
    GString *out;
    int depth;
    size_t off;
    Reasons why;
} View;

static void begin_layer(void *user, const WireLayer *layer, size_t off, size_t len, int depth)
{
    View *v = user;

    v->depth = depth;
    v->off = off;
    g_string_append_printf(v->out, "%s%s (%zu byte%s)\n", depth ? "quoted: " : "", layer->title, len,
                           len == 1 ? "" : "s");
}

static void append_padded(GString *out, const char *text, int width)
{
    int n = (int)g_utf8_strlen(text, -1);

    g_string_append_printf(out, "%s%*s", text, HS_MAX(width - n, 1), "");
}

static void field(void *user, const WireLayer *layer, const WireField *f)
{
    View *v = user;
    GString *why = g_string_new(NULL);

    if (!v->depth)
        reasons_append(&v->why, layer, f, why);
    if (f->bit_len)
        g_string_append_printf(v->out, "  %4zu  ", v->off + f->bit_off / 8);
    else
        g_string_append(v->out, "        ");
    append_padded(v->out, f->label, LABEL_WIDTH);
    g_string_append_printf(v->out, "%s\n", f->text);
    if (f->note && *f->note)
        g_string_append_printf(v->out, "          %s\n", f->note);
    if (why->len)
        g_string_append_printf(v->out, "          Here: %s.\n", why->str);
    g_string_free(why, TRUE);
}

static void malformed(void *user, const WireLayer *layer, size_t off, WireError err, const char *why)
{
    View *v = user;

    g_string_append_printf(v->out, "malformed: %s at byte %zu: %s (%s)\n", layer->title, off, why,
                           wire_error_str(err));
}

bool stepinspect_packet(const StepInspect *w, GString *out)
{
    View v = {.out = out};
    const WireSink sink = {.user = &v, .begin_layer = begin_layer, .field = field, .malformed = malformed};
    SinkFrame frame;
    const Packet *pkt;
    const Node *born;
    uint8_t *bytes;

    if (!w->record || !w->record->pkt) {
        g_string_append(out, "there is no packet here");
        return false;
    }
    steprecord_line(out, w->record, w->seqs);
    pkt = sinkframe_of(&frame, w->record);
    born = sim_node(net_sim(w->net), pkt->birth_node);
    g_string_append_printf(out, "\n%" PRIu32 " bytes; packet %" PRIu64 " of %s\n", packet_len(pkt),
                           pkt->birth_id, born ? born->name : "?");
    bytes = g_malloc(packet_len(pkt));
    packet_copy(pkt, 0, bytes, packet_len(pkt));
    reasons_init(&v.why, w, (WireLinkType)frame.linktype, bytes, packet_len(pkt));
    if (wire_link_type_is_known(frame.linktype))
        wire_dissect((WireLinkType)frame.linktype, bytes, packet_len(pkt), &sink);
    g_free(bytes);
    return true;
}
