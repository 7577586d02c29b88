/* For the tests of switches: one whose PORTS ports have a peer each. The test defines PORTS. */
#pragma once

#include "ether_peer.h"
#include "models/ether/switch.h"

typedef struct Lab {
    World w;
    Switch *sw;
    Peer *peer[PORTS];
    Link *link[PORTS];
} Lab;

static inline void lab_init(Lab *lab)
{
    memset(lab, 0, sizeof *lab);
    world_init(&lab->w, 1);
    lab->sw = switch_new(lab->w.sim, "sw", mac_from_u64(0x02aa00000000), lab->w.probes);
    for (unsigned i = 0; i < PORTS; i++) {
        char *name = g_strdup_printf("h%u", i);

        lab->peer[i] = peer_new(&lab->w, name, 0x020000000001 + i);
        lab->link[i] = world_link(&lab->w, &lab->peer[i]->port, switch_add_port(lab->sw));
        g_free(name);
    }
}

static inline void lab_clear(Lab *lab)
{
    world_unlink(&lab->w);
    switch_free(lab->sw);
    world_clear(&lab->w);
}
