/* Two nodes with a port each, frames of a given length, and a record of what arrives where and when. */
#pragma once

#include <glib.h>
#include <string.h>

#include "models/link/link_dir.h"
#include "models/wire/eth.h"

typedef struct Got {
    SimTime time;
    uint64_t id; /* the frame's birth id */
    uint32_t len;
    bool fcs_ok;
} Got;

typedef struct TestPort {
    LinkPort port;
    GArray *got;
    unsigned ups, downs;
} TestPort;

typedef struct Bed {
    Sim *sim;
    PacketPool *pool;
    Probes *probes;
    Node node[3];
    TestPort port[3]; /* the third for plugs that move */
    Link *link;
    LinkDir *dir; /* a → b */
    LinkDirConfig config[2];
    uint64_t next_id;
} Bed;

static inline void bed_receive(LinkPort *port, Packet *pkt)
{
    TestPort *t = (TestPort *)port;
    Got g = {node_now(port->point.node), pkt->birth_id, packet_len(pkt), packet_fcs_ok(pkt)};

    g_array_append_val(t->got, g);
    packet_unref(pkt);
}

static inline void bed_carrier(LinkPort *port, bool up)
{
    TestPort *t = (TestPort *)port;

    *(up ? &t->ups : &t->downs) += 1;
}

static const LinkPortOps bed_port_ops = {bed_receive, bed_carrier};

static inline void bed_init(Bed *b, uint64_t seed)
{
    static const char *const names[] = {"a", "b", "c"};

    *b = (Bed){.sim = sim_new(seed), .pool = packetpool_new(), .next_id = 1};
    b->probes = probes_new(sim_partition(b->sim, 0));
    for (int i = 0; i < 3; i++) {
        node_init(&b->node[i], b->sim, names[i]);
        b->port[i] = (TestPort){
            .port = {.point = {.node = &b->node[i], .name = "eth0", .linktype = 1}, .ops = &bed_port_ops},
            .got = g_array_new(FALSE, FALSE, sizeof(Got))};
        probes_add_point(b->probes, &b->port[i].port.point);
    }
    linkdirconfig_init(&b->config[0]);
    linkdirconfig_init(&b->config[1]);
}

static inline void bed_plug(Bed *b)
{
    b->link = link_new(&b->port[0].port, &b->port[1].port, b->config);
    b->dir = link_dir(b->link, 0);
}

static inline void bed_start(Bed *b, uint64_t rate_bps, SimTime delay)
{
    bed_init(b, 1);
    for (int i = 0; i < 2; i++) {
        b->config[i].rate_bps = rate_bps;
        b->config[i].delay = delay;
    }
    bed_plug(b);
}

static inline SimStop bed_run(Bed *b, SimTime until)
{
    return sim_run(b->sim, &(SimLimits){.until = until});
}

static inline uint64_t bed_live(const Bed *b)
{
    PacketPoolInfo info;

    packetpool_get_info(b->pool, &info);
    return info.live;
}

/* Every packet must have found its end once the link is gone. */
static inline void bed_end(Bed *b)
{
    link_free(b->link);
    g_assert_cmpuint(bed_live(b), ==, 0);
    for (int i = 0; i < 3; i++) {
        g_array_free(b->port[i].got, TRUE);
        node_clear(&b->node[i]);
    }
    probes_free(b->probes);
    sim_free(b->sim);
    packetpool_free(b->pool);
}

static inline Packet *bed_packet(Bed *b, uint32_t len)
{
    Packet *p = packet_new(b->pool, 0, b->next_id++, 16);

    g_assert_cmpuint(len, >=, ETH_HDR_LEN);
    memset(packet_put(p, ETH_HDR_LEN), 0, ETH_HDR_LEN);
    eth_set_type(packet_data(p), 0x88b5); /* IEEE 802: local experiments */
    packet_add_synthetic(p, 0, len - ETH_HDR_LEN);
    return p;
}

static inline void bed_send(Bed *b, uint32_t len)
{
    port_send(&b->port[0].port, bed_packet(b, len));
}

static inline const Got *bed_got(const Bed *b, unsigned port, unsigned i)
{
    g_assert_cmpuint(i, <, b->port[port].got->len);
    return &g_array_index(b->port[port].got, Got, i);
}

/* The i-th frame to arrive at b is that one, then. */
#define bed_expect(b, i, want_id, want_time)                                                                 \
    do {                                                                                                     \
        g_assert_cmpuint(bed_got(b, 1, i)->id, ==, want_id);                                                 \
        g_assert_cmpint(bed_got(b, 1, i)->time, ==, want_time);                                              \
    } while (0)

static inline void bed_impair(Bed *b, const ImpairOps *ops, const ImpairValue *values)
{
    char *error = NULL;
    Impair *im = impair_new(ops, values, &error);

    g_assert_null(error);
    g_assert_nonnull(im);
    linkdir_add_impair(b->dir, im);
}

/* A probe sink that follows every frame by its birth id. */
typedef struct Fate {
    uint32_t given, tx, rx, drop, copies; /* of tx */
    const char *reason;                   /* of the last drop */
} Fate;

typedef struct FateSink {
    ProbeSink sink;
    GArray *fate; /* by birth id */
} FateSink;

static inline Fate *fate_of(FateSink *s, uint64_t id)
{
    if (id >= s->fate->len)
        g_array_set_size(s->fate, (guint)id + 1);
    return &g_array_index(s->fate, Fate, id);
}

static inline void fate_record(ProbeSink *sink, const ProbeRecord *r)
{
    Fate *f = fate_of((FateSink *)sink, r->pkt->birth_id);

    f->tx += r->desc->cls == PROBE_FRAME_TX;
    f->rx += r->desc->cls == PROBE_FRAME_RX;
    f->copies += r->is_copy;
    if (r->desc->cls == PROBE_FRAME_DROP) {
        f->drop++;
        f->reason = r->value[0].s;
    }
}

static inline void fate_attach(FateSink *s, Bed *b)
{
    s->sink = (ProbeSink){.mask = PROBE_BIT(PROBE_FRAME_TX) | PROBE_BIT(PROBE_FRAME_RX) |
                                  PROBE_BIT(PROBE_FRAME_DROP),
                          .record = fate_record};
    s->fate = g_array_new(FALSE, TRUE, sizeof(Fate));
    probes_attach(b->probes, &s->sink);
}
