/* A small simulation with points and packets, for the tests of sinks: what a network would emit, emitted by
 * hand. */
#pragma once

#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "sim/engine/sim.h"
#include "sim/packet/packet.h"
#include "sim/trace/probe.h"

typedef struct World {
    Sim *sim;
    Probes *probes;
    PacketPool *pool;
    Node client, server;
    ProbePoint eth0, eth1; /* of the client, of the server */
    char *dir;
} World;

static const ProbeDesc world_queue = {"queue.length",
                                      "A queue's length.",
                                      PROBE_QUEUE,
                                      2,
                                      {{"packets", PROBE_U64}, {"length_bytes", PROBE_U64}}};
static const ProbeDesc world_everything = {"test.everything",
                                           "One field of each kind.",
                                           PROBE_APP,
                                           8,
                                           {{"count", PROBE_U64},
                                            {"balance", PROBE_I64},
                                            {"ok", PROBE_BOOL},
                                            {"due", PROBE_TIME},
                                            {"ip", PROBE_IP4},
                                            {"mac", PROBE_MAC},
                                            {"text", PROBE_STR},
                                            {"share", PROBE_FLOAT}}};

static inline void world_init(World *w)
{
    static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};

    w->sim = sim_new(1);
    w->probes = probes_new(sim_partition(w->sim, 0));
    w->pool = packetpool_new();
    node_init(&w->client, w->sim, "client");
    node_init(&w->server, w->sim, "server");
    w->eth0 = (ProbePoint){.node = &w->client, .name = "eth0", .linktype = 1};
    memcpy(w->eth0.mac, mac, 6);
    w->eth1 = (ProbePoint){.node = &w->server, .name = "eth1", .linktype = 1};
    probes_add_point(w->probes, &w->eth0);
    probes_add_point(w->probes, &w->eth1);
    w->dir = g_dir_make_tmp("hopscope-test-XXXXXX", NULL);
    g_assert_nonnull(w->dir);
}

static inline void world_clear(World *w)
{
    GDir *dir = g_dir_open(w->dir, 0, NULL);
    const char *name;

    while ((name = g_dir_read_name(dir))) {
        char *path = g_build_filename(w->dir, name, NULL);

        g_unlink(path);
        g_free(path);
    }
    g_dir_close(dir);
    g_rmdir(w->dir);
    g_free(w->dir);
    node_clear(&w->client);
    node_clear(&w->server);
    probes_free(w->probes);
    packetpool_free(w->pool);
    sim_free(w->sim);
}

static inline void world_at(World *w, SimTime now)
{
    sim_partition(w->sim, 0)->now = now;
}

/* An Ethernet broadcast of EtherType 0x88b5 (local experiments) with n bytes of synthetic payload from offset
 * off. */
static inline Packet *world_frame(World *w, uint64_t id, uint64_t off, uint32_t n)
{
    static const uint8_t header[14] = {255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 1, 0x88, 0xb5};
    Packet *p = packet_new(w->pool, w->client.id, id, PKT_HEADROOM);

    memcpy(packet_put(p, sizeof(header)), header, sizeof(header));
    packet_add_synthetic(p, off, n);
    return p;
}

static inline char *world_read(World *w, const char *name, gsize *len)
{
    char *path = g_build_filename(w->dir, name, NULL), *text = NULL;

    g_assert_true(g_file_get_contents(path, &text, len, NULL));
    g_free(path);
    return text;
}

static inline char *world_path(World *w, const char *name)
{
    return g_build_filename(w->dir, name, NULL);
}
