#include "sim/trace/probe.h"

#include <glib.h>

struct Probes {
    Partition *part;
    ProbeSink *first;
    ProbeSink all; /* in whose name frames go to several sinks, or to one that has records only */
    GPtrArray *points;
};

const ProbeDesc probe_frame_tx = {
    "frame.tx", "A frame's first bit goes on the wire.", PROBE_FRAME_TX, 0, {{0}}};
const ProbeDesc probe_frame_rx = {"frame.rx", "A frame's last bit has arrived.", PROBE_FRAME_RX, 0, {{0}}};
const ProbeDesc probe_frame_drop = {
    "frame.drop", "A frame or packet ends here.", PROBE_FRAME_DROP, 1, {{"reason", PROBE_STR}}};

static const char *const drop_names[DROP_END] = {
    [DROP_NONE] = "none",
    [DROP_QUEUE_FULL] = "queue full",
    [DROP_LINK_DOWN] = "link down",
    [DROP_LOSS] = "random loss",
    [DROP_LOSS_BURST] = "burst loss",
    [DROP_LOSS_LIST] = "loss by list",
    [DROP_RULE] = "packet rule",
    [DROP_AQM] = "queue management",
    [DROP_COLLISION] = "excessive collisions",
    [DROP_MTU] = "larger than the MTU",
    [DROP_FCS] = "bad frame check sequence",
    [DROP_NOT_FOR_ME] = "not for this card",
    [DROP_RING_FULL] = "receive ring full",
    [DROP_BACKLOG_FULL] = "input backlog full",
    [DROP_ETHERTYPE] = "unknown EtherType",
    [DROP_MALFORMED] = "malformed frame",
    [DROP_DEVICE_DOWN] = "device down",
    [DROP_NO_CARRIER] = "no carrier",
    [DROP_SAME_PORT] = "destination is on the arrival port",
    [DROP_VLAN] = "not a member of the VLAN",
    [DROP_STP] = "port blocked by spanning tree",
    [DROP_NEIGH_QUEUE_FULL] = "neighbour queue full",
    [DROP_NEIGH_FAILED] = "neighbour not found",
    [DROP_IP_HEADER] = "bad IP header",
    [DROP_IP_CHECKSUM] = "bad IP checksum",
    [DROP_TTL] = "TTL exceeded",
    [DROP_NO_ROUTE] = "no route",
    [DROP_NOT_FORWARDING] = "not for this host",
    [DROP_MARTIAN] = "impossible address",
    [DROP_DF] = "too big and DF set",
    [DROP_REASSEMBLY_TIMEOUT] = "reassembly timeout",
    [DROP_REASSEMBLY_OVERLAP] = "overlapping fragment",
    [DROP_REASSEMBLY_MEMORY] = "reassembly memory",
    [DROP_DIRECTED_BROADCAST] = "directed broadcast",
    [DROP_PROTOCOL] = "unknown protocol",
    [DROP_FILTER] = "filtered",
    [DROP_L4_CHECKSUM] = "bad transport checksum",
    [DROP_L4_HEADER] = "bad transport header",
    [DROP_NO_SOCKET] = "no socket",
    [DROP_SOCKET_BUFFER] = "socket buffer full",
    [DROP_HOST_DOWN] = "host down",
};

const char *probe_drop_name(ProbeDrop d)
{
    hs_assert((unsigned)d < DROP_END && drop_names[d]);
    return drop_names[d];
}

static void emit_frame_to_all(ProbeSink *all, ProbeClass cls, const ProbePoint *point, const Packet *pkt)
{
    const Probes *p = point->node->part->probes;
    const ProbeRecord r = {
        probe_frame_desc(cls), node_now(point->node), point->node, point, pkt, NULL, false};

    for (ProbeSink *s = p->first; s; s = s->next) {
        if (!(s->mask >> cls & 1))
            continue;
        if (s->frame)
            s->frame(s, cls, point, pkt);
        else
            s->record(s, &r);
    }
}

Probes *probes_new(Partition *part)
{
    Probes *p = g_new0(Probes, 1);

    p->part = part;
    p->points = g_ptr_array_new();
    p->all.frame = emit_frame_to_all;
    part->probes = p;
    part->frame_sink = &p->all;
    return p;
}

Partition *probes_partition(const Probes *p)
{
    return p->part;
}

void probes_free(Probes *p)
{
    if (!p)
        return;
    p->part->probes = NULL;
    p->part->probe_mask = 0;
    p->part->frame_sink = NULL;
    g_ptr_array_free(p->points, TRUE);
    g_free(p);
}

#define HEARD_MASK (PROBE_BIT(PROBE_FRAME_TX) | PROBE_BIT(PROBE_FRAME_RX))
_Static_assert(HEARD_MASK <= UINT8_MAX, "the bits of ProbePoint.heard");

static void update_heard(const Probes *p, ProbePoint *point)
{
    point->heard = 0;
    for (const ProbeSink *s = p->first; s; s = s->next)
        if (!(point->ignored_by & s->bit))
            point->heard |= (uint8_t)(s->mask & HEARD_MASK);
}

static void update_mask(Probes *p)
{
    p->part->probe_mask = 0;
    for (ProbeSink *s = p->first; s; s = s->next)
        p->part->probe_mask |= s->mask;
    p->part->frame_sink = p->first && !p->first->next && p->first->frame ? p->first : &p->all;
    for (unsigned i = 0; i < p->points->len; i++)
        if (p->points->pdata[i])
            update_heard(p, p->points->pdata[i]);
}

/* Gives a new sink a bit of its own; nobody knows yet what it wants. When a sink goes, no point is touched:
 * who stays has said what it does not need. */
static void start_asking(Probes *p, ProbeSink *sink)
{
    unsigned taken = 0;

    for (const ProbeSink *s = p->first; s; s = s->next)
        taken |= s == sink ? 0 : s->bit;
    sink->bit = (uint8_t)(~taken & (taken + 1));
    for (unsigned i = 0; i < p->points->len; i++) {
        ProbePoint *point = p->points->pdata[i];

        if (point)
            point->ignored_by = 0;
    }
}

void probes_ignore_point(Probes *p, const ProbeSink *sink, const ProbePoint *point)
{
    ProbePoint *mine = p->points->pdata[point->id];

    hs_assert(mine == point);
    mine->ignored_by |= sink->bit;
    update_heard(p, mine);
}

void probes_attach(Probes *p, ProbeSink *sink)
{
    ProbeSink **at = &p->first;

    while (*at)
        at = &(*at)->next;
    *at = sink;
    sink->next = NULL;
    start_asking(p, sink);
    update_mask(p);
}

void probes_detach(Probes *p, ProbeSink *sink)
{
    for (ProbeSink **at = &p->first; *at; at = &(*at)->next) {
        if (*at == sink) {
            *at = sink->next;
            break;
        }
    }
    update_mask(p);
}

void probes_add_point(Probes *p, ProbePoint *point)
{
    point->id = p->points->len;
    g_ptr_array_add(p->points, point);
    update_heard(p, point);
}

void probes_remove_point(Probes *p, ProbePoint *point)
{
    p->points->pdata[point->id] = NULL;
}

unsigned probes_point_count(const Probes *p)
{
    return p->points->len;
}

const ProbePoint *probes_point(const Probes *p, unsigned id)
{
    return id < p->points->len ? p->points->pdata[id] : NULL;
}

static void emit(const Partition *part, const ProbeRecord *r)
{
    for (ProbeSink *s = part->probes->first; s; s = s->next)
        if (s->mask >> r->desc->cls & 1)
            s->record(s, r);
}

void probe_emit(const Node *n, const ProbeDesc *desc, const ProbePoint *point, const Packet *pkt,
                const ProbeValue *value)
{
    emit(n->part, &(ProbeRecord){desc, n->part->now, n, point, pkt, value, false});
}

void probe_tx_copy(const ProbePoint *point, const Packet *pkt)
{
    if (point->heard & PROBE_BIT(PROBE_FRAME_TX))
        emit(point->node->part, &(ProbeRecord){.desc = &probe_frame_tx,
                                               .time = node_now(point->node),
                                               .node = point->node,
                                               .point = point,
                                               .pkt = pkt,
                                               .is_copy = true});
}

void probe_drop(const Node *node, const ProbePoint *point, Packet *pkt, ProbeDrop reason)
{
    if (probe_wanted(node, PROBE_FRAME_DROP))
        probe_emit(node, &probe_frame_drop, point, pkt, (ProbeValue[]){{.s = probe_drop_name(reason)}});
    packet_unref(pkt);
}
