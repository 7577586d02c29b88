/* For the tests of cards, switches and segments: a world with a clock, and peers that note what arrives at
 * their plug. */
#pragma once

#include <glib.h>
#include <string.h>

#include "models/link/link.h"
#include "models/wire/eth.h"
#include "sim/engine/sim.h"
#include "sim/trace/probe.h"

typedef struct World {
    Sim *sim;
    PacketPool *pool;
    Probes *probes;
    ProbeSink sink;
    unsigned drops[DROP_END]; /* frames dropped anywhere, by reason */
    GPtrArray *links, *peers;
} World;

typedef struct Arrival {
    SimTime at;
    Packet *pkt;
} Arrival;

typedef struct Peer {
    Node node;
    LinkPort port;
    MacAddr mac;
    World *world;
    GArray *got; /* Arrival */
    bool echo;   /* forgets what arrives: for floods */
} Peer;

static void world_record(ProbeSink *sink, const ProbeRecord *r)
{
    World *w = HS_CONTAINER_OF(sink, World, sink);

    for (unsigned i = 0; i < DROP_END; i++)
        if (strcmp(r->value[0].s, probe_drop_name((ProbeDrop)i)) == 0)
            w->drops[i]++;
}

static inline void world_init(World *w, uint64_t seed)
{
    memset(w, 0, sizeof *w);
    w->sim = sim_new(seed);
    w->pool = packetpool_new();
    sim_partition(w->sim, 0)->packets = w->pool;
    w->probes = probes_new(sim_partition(w->sim, 0));
    w->sink = (ProbeSink){.mask = PROBE_BIT(PROBE_FRAME_DROP), .record = world_record};
    probes_attach(w->probes, &w->sink);
    w->links = g_ptr_array_new();
    w->peers = g_ptr_array_new();
}

static inline void world_run(World *w, SimTime until)
{
    SimStop stop = sim_run(w->sim, &(SimLimits){.until = until});

    g_assert_true(stop == SIM_STOP_TIME || stop == SIM_STOP_IDLE);
}

static inline Link *world_link_full(World *w, LinkPort *a, LinkPort *b, uint64_t rate_bps, SimTime delay)
{
    LinkDirConfig c[2];
    Link *l;

    linkdirconfig_init(&c[0]);
    c[0].rate_bps = rate_bps;
    c[0].delay = delay;
    c[1] = c[0];
    l = link_new(a, b, c);
    g_ptr_array_add(w->links, l);
    return l;
}

static inline Link *world_link(World *w, LinkPort *a, LinkPort *b)
{
    return world_link_full(w, a, b, 1000000000, 1 * SIM_US);
}

static void peer_receive(LinkPort *port, Packet *pkt)
{
    Peer *p = HS_CONTAINER_OF(port, Peer, port);
    Arrival a = {node_now(&p->node), pkt};

    if (p->echo)
        packet_unref(pkt);
    else
        g_array_append_val(p->got, a);
}

static inline Peer *peer_new(World *w, const char *name, uint64_t mac)
{
    static const LinkPortOps ops = {.receive = peer_receive};
    Peer *p = g_new0(Peer, 1);

    node_init(&p->node, w->sim, name);
    p->world = w;
    p->mac = mac_from_u64(mac);
    p->port = (LinkPort){.point = {.node = &p->node, .name = "eth0", .linktype = 1}, .ops = &ops};
    probes_add_point(w->probes, &p->port.point);
    p->got = g_array_new(FALSE, FALSE, sizeof(Arrival));
    g_ptr_array_add(w->peers, p);
    return p;
}

static inline void peer_forget(Peer *p)
{
    for (unsigned i = 0; i < p->got->len; i++)
        packet_unref(g_array_index(p->got, Arrival, i).pkt);
    g_array_set_size(p->got, 0);
}

/* An Ethernet frame of len bytes, synthetic payload. */
static inline Packet *peer_frame(Peer *p, MacAddr dst, MacAddr src, uint16_t type, uint32_t len)
{
    Packet *pkt = packet_new(p->world->pool, p->node.id, p->node.birth_next++, PKT_HEADROOM);

    eth_put(packet_put(pkt, ETH_HDR_LEN), dst, src, type);
    packet_add_synthetic(pkt, 0, len - ETH_HDR_LEN);
    return pkt;
}

static inline void peer_send(Peer *p, MacAddr dst, uint32_t len)
{
    port_send(&p->port,
              peer_frame(p, dst, p->mac, 0x88b5, len)); /* IEEE 802 local experimental EtherType 1 */
}

static inline const Arrival *peer_got(const Peer *p, unsigned i)
{
    g_assert_cmpuint(i, <, p->got->len);
    return &g_array_index(p->got, Arrival, i);
}

/* Frees links, peers and the world; cards and switches are to be cleared between world_unlink and this. */
static inline void world_unlink(World *w)
{
    for (unsigned i = 0; i < w->links->len; i++)
        link_free(w->links->pdata[i]);
    g_ptr_array_set_size(w->links, 0);
}

static inline void world_clear(World *w)
{
    PacketPoolInfo info;

    world_unlink(w);
    probes_detach(w->probes, &w->sink); /* while its points live */
    for (unsigned i = 0; i < w->peers->len; i++) {
        Peer *p = w->peers->pdata[i];

        peer_forget(p);
        g_array_free(p->got, TRUE);
        node_clear(&p->node);
        g_free(p);
    }
    packetpool_get_info(w->pool, &info);
    g_assert_cmpuint(info.live, ==, 0); /* whoever took a packet gave it back */
    probes_free(w->probes);
    packetpool_free(w->pool);
    sim_free(w->sim);
    g_ptr_array_free(w->links, TRUE);
    g_ptr_array_free(w->peers, TRUE);
}
