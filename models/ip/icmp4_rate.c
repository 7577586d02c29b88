#include "models/ip/icmp4_rate.h"

#include <glib.h>

#include "models/wire/icmp.h"
#include "sim/base/hash64.h"

#define BURST_FACTOR 6              /* XRLIM_BURST_FACTOR */
#define GLOBAL_GRAIN (SIM_SEC / 50) /* no topping up more often: HZ / 50 */
#define PEERS_MIN 16
#define PEERS_MAX                                                                                            \
    65536 /* about inet_peer_threshold; beyond it, new destinations are not limited one by one */

struct Icmp4Peer {
    uint32_t addr; /* 0: free (no message goes to 0.0.0.0) */
    SimTime tokens, last;
};

void icmp4_rate_clear(Icmp4Rate *r)
{
    g_free(r->peers);
    *r = (Icmp4Rate){0};
}

bool icmp4_rate_applies(const Ip4Sysctl *sys, uint8_t type, uint8_t code)
{
    if (type > ICMP_ADDRMASK_REPLY)
        return false;
    if (type == ICMP_DEST_UNREACH && code == ICMP_UNREACH_NEEDFRAG)
        return false;
    return sys->icmp_ratemask >> type & 1;
}

bool icmp4_rate_global_allow(Icmp4Rate *r, const Ip4Sysctl *sys, SimTime now)
{
    SimTime delta;
    uint64_t more;

    if (r->credit)
        return true;
    /* A host that has been silent long enough has its full burst. */
    delta = r->has_stamp ? HS_MIN(now - r->stamp, SIM_SEC) : SIM_SEC;
    if (delta < GLOBAL_GRAIN)
        return false;
    more = (uint64_t)sys->icmp_msgs_per_sec * (uint64_t)(delta / SIM_US) / (uint64_t)(SIM_SEC / SIM_US);
    if (!more)
        return false;
    r->stamp = now;
    r->has_stamp = true;
    r->credit = (uint32_t)HS_MIN(more, (uint64_t)sys->icmp_msgs_burst);
    return r->credit != 0;
}

void icmp4_rate_global_consume(Icmp4Rate *r)
{
    if (r->credit)
        r->credit--;
}

static uint32_t peer_slot(const Icmp4Rate *r, uint32_t addr)
{
    uint32_t i = (uint32_t)hash64_fold(addr ^ HASH64_K1, HASH64_K2) & (r->cap - 1);

    while (r->peers[i].addr && r->peers[i].addr != addr)
        i = (i + 1) & (r->cap - 1);
    return i;
}

/* Knows no more than a new one would: all tokens are back. */
static bool peer_is_stale(const Icmp4Peer *p, SimTime full, SimTime now)
{
    return p->tokens + (now - p->last) >= full;
}

static void peers_resize(Icmp4Rate *r, SimTime full, SimTime now)
{
    Icmp4Peer *old = r->peers;
    uint32_t old_cap = r->cap, keep = 0;

    for (uint32_t i = 0; i < old_cap; i++)
        keep += old[i].addr && !peer_is_stale(&old[i], full, now);
    r->cap = PEERS_MIN;
    while (r->cap < 3 * keep)
        r->cap *= 2;
    r->peers = g_new0(Icmp4Peer, r->cap);
    r->n_peers = keep;
    for (uint32_t i = 0; i < old_cap; i++)
        if (old[i].addr && !peer_is_stale(&old[i], full, now))
            r->peers[peer_slot(r, old[i].addr)] = old[i];
    g_free(old);
}

static Icmp4Peer *peer_get(Icmp4Rate *r, uint32_t addr, SimTime full, SimTime now)
{
    uint32_t i;

    if (r->cap) {
        i = peer_slot(r, addr);
        if (r->peers[i].addr)
            return &r->peers[i];
    }
    if (r->n_peers >= PEERS_MAX)
        return NULL;
    if (2 * (r->n_peers + 1) > r->cap)
        peers_resize(r, full, now);
    i = peer_slot(r, addr);
    r->peers[i] = (Icmp4Peer){addr, full, now};
    r->n_peers++;
    return &r->peers[i];
}

bool icmp4_rate_host_allow(Icmp4Rate *r, const Ip4Sysctl *sys, uint32_t dst, SimTime now)
{
    SimTime each = (SimTime)sys->icmp_ratelimit_ms * SIM_MS, full = BURST_FACTOR * each;
    Icmp4Peer *p;

    if (!each)
        return true;
    p = peer_get(r, dst, full, now);
    if (!p)
        return true;
    p->tokens = HS_MIN(p->tokens + (now - p->last), full);
    p->last = now;
    if (p->tokens < each)
        return false;
    p->tokens -= each;
    return true;
}
