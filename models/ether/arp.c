/* Frames are built exactly as on the wire: 28 bytes, padded by the card. The order of the checks in arp_input
 * is that of arp_process. Not implemented: proxy_delay (answers for others go out at once), arp_filter,
 * arp_ignore modes other than 0 and 8, arp_announce modes above 0. Linux's kernel has no conflict detection;
 * RFC 5227's is what its user-space daemons do. */
#include "models/ether/arp.h"

#include <glib.h>

#include "models/wire/eth.h"
#include "models/wire/ipv4_addr.h"
#include "sim/base/rng.h"

/* RFC 5227 1.1 */
#define PROBE_WAIT SIM_SEC
#define PROBE_NUM 3
#define PROBE_MIN SIM_SEC
#define PROBE_MAX (2 * SIM_SEC)
#define ANNOUNCE_WAIT (2 * SIM_SEC)
#define ANNOUNCE_NUM 2
#define ANNOUNCE_INTERVAL (2 * SIM_SEC)
#define DEFEND_INTERVAL (10 * SIM_SEC)

struct ArpClaim {
    ArpClaim *next;
    Arp *arp;
    uint32_t addr;
    uint8_t probes, announcements;
    ArpClaimFn done;
    void *user;
    Timer timer;
};

struct ArpConflicts {
    ArpClaim *claims; /* addresses being probed or defended */
    SimTime last_defence;
    uint32_t seen;
};

const ProbeDesc arp_probe_conflict = {
    "arp.conflict",
    "Another device uses one of this host's addresses.",
    PROBE_NEIGH,
    2,
    {{"ip", PROBE_IP4}, {"mac", PROBE_MAC}},
};

static void send(Arp *arp, uint16_t op, const MacAddr *to, uint32_t spa, MacAddr tha, uint32_t tpa)
{
    NetDev *dev = arp->table.dev;
    const MacAddr all = MAC_BROADCAST;
    const ArpMsg m = {.op = op, .sha = dev->mac, .spa = spa, .tha = tha, .tpa = tpa};
    Packet *pkt = packet_new(dev->node->part->packets, dev->node->id, dev->node->birth_next++, PKT_HEADROOM);

    pkt->l3 = pkt->l4 = pkt->head;
    arp_encode(packet_put(pkt, ARP_LEN), &m);
    dev->ops->xmit(dev, pkt, to ? to : &all, ETH_TYPE_ARP);
}

static void solicit(NeighTable *t, const Neigh *n, const MacAddr *dst, const Packet *waiting)
{
    Arp *arp = HS_CONTAINER_OF(t, Arp, table);
    uint32_t src = arp->owner->source(arp, n->key.ip4, waiting);

    send(arp, ARP_OP_REQUEST, dst, src, MAC_ZERO, n->key.ip4);
}

static void unreachable(NeighTable *t, Packet *pkt)
{
    Arp *arp = HS_CONTAINER_OF(t, Arp, table);

    arp->owner->unreachable(arp, pkt);
}

static const NeighOps neigh_ops = {
    .key_len = 4, .ethertype = ETH_TYPE_IPV4, .solicit = solicit, .unreachable = unreachable};

void arp_init(Arp *arp, NetDev *dev, const ArpOwner *owner, void *user)
{
    *arp = (Arp){.owner = owner, .user = user};
    neightable_init(&arp->table, dev, &neigh_ops);
}

static ArpConflicts *conflicts_of(Arp *arp)
{
    if (!arp->rfc5227) {
        arp->rfc5227 = g_new0(ArpConflicts, 1);
        arp->rfc5227->last_defence = -DEFEND_INTERVAL;
    }
    return arp->rfc5227;
}

uint32_t arp_conflicts(const Arp *arp)
{
    return arp->rfc5227 ? arp->rfc5227->seen : 0;
}

static void claim_free(Arp *arp, ArpClaim *c)
{
    ArpClaim **at = &arp->rfc5227->claims;

    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    timer_clear(&c->timer);
    g_free(c);
}

void arp_clear(Arp *arp)
{
    while (arp->rfc5227 && arp->rfc5227->claims)
        claim_free(arp, arp->rfc5227->claims);
    g_clear_pointer(&arp->rfc5227, g_free);
    neightable_clear(&arp->table);
}

void arp_announce(Arp *arp, uint32_t addr)
{
    send(arp, ARP_OP_REQUEST, NULL, addr, MAC_ZERO, addr);
}

void arp_set_permanent(Arp *arp, uint32_t addr, MacAddr mac)
{
    Neigh *n = neigh_get(&arp->table, &addr);

    if (n)
        neigh_update(n, &mac, NEIGH_PERMANENT, NEIGH_UPDATE_OVERRIDE | NEIGH_UPDATE_ADMIN);
}

/* ---- conflicts (RFC 5227) ---- */

static void claim_step(Timer *timer)
{
    ArpClaim *c = HS_CONTAINER_OF(timer, ArpClaim, timer);
    Arp *arp = c->arp;

    if (c->probes < PROBE_NUM) { /* 2.1.1 */
        struct Rng *rng = node_rng(timer->node, "arp-probe");

        c->probes++;
        timer_arm_after(timer, c->probes < PROBE_NUM ? rng_range(rng, PROBE_MIN, PROBE_MAX) : ANNOUNCE_WAIT);
        send(arp, ARP_OP_REQUEST, NULL, 0, MAC_ZERO, c->addr);
        return;
    }
    c->announcements++; /* 2.3 */
    if (c->announcements == 1 && c->done)
        c->done(c->user, c->addr, true, MAC_ZERO);
    arp_announce(arp, c->addr);
    if (c->announcements == ANNOUNCE_NUM)
        claim_free(arp, c);
    else
        timer_arm_after(timer, ANNOUNCE_INTERVAL);
}

void arp_claim(Arp *arp, uint32_t addr, ArpClaimFn done, void *user)
{
    Node *node = arp->table.dev->node;
    ArpClaim *c = g_new0(ArpClaim, 1);

    *c = (ArpClaim){.next = conflicts_of(arp)->claims, .arp = arp, .addr = addr, .done = done, .user = user};
    timer_init(&c->timer, node, claim_step);
    arp->rfc5227->claims = c;
    timer_arm_after(&c->timer, rng_range(node_rng(node, "arp-probe"), 0, PROBE_WAIT));
}

static void emit_conflict(Arp *arp, uint32_t addr, MacAddr mac)
{
    const NetDev *dev = arp->table.dev;

    conflicts_of(arp)->seen++;
    if (probe_wanted(dev->node, PROBE_NEIGH))
        probe_emit(dev->node, &arp_probe_conflict, dev->point, NULL,
                   (ProbeValue[]){{.u = addr}, {.u = mac_to_u64(mac)}});
    if (arp->owner->conflict)
        arp->owner->conflict(arp, addr, mac);
}

static void check_conflict(Arp *arp, const ArpMsg *m)
{
    SimTime now = node_now(arp->table.dev->node);

    for (ArpClaim *c = arp->rfc5227 ? arp->rfc5227->claims : NULL, *next; c; c = next) {
        next = c->next;
        /* 2.1.1: somebody has it, or somebody else is probing for it too. */
        if (c->announcements == 0 && (m->spa == c->addr || (m->spa == 0 && m->tpa == c->addr))) {
            ArpClaimFn done = c->done;
            void *user = c->user;
            uint32_t addr = c->addr;

            claim_free(arp, c);
            emit_conflict(arp, addr, m->sha);
            if (done)
                done(user, addr, false, m->sha);
            return;
        }
    }
    if (m->spa == 0 || arp->owner->classify(arp, m->spa, 0) != ARP_TARGET_LOCAL)
        return;
    emit_conflict(arp, m->spa, m->sha);
    if (arp->conflict_defend && now >= conflicts_of(arp)->last_defence + DEFEND_INTERVAL) { /* 2.4 (b) */
        arp->rfc5227->last_defence = now;
        arp_announce(arp, m->spa);
    }
}

/* ---- input ---- */

static bool is_gratuitous(const ArpMsg *m)
{
    /* arp_is_garp: a gratuitous reply names its own hardware address as target too. */
    return m->spa == m->tpa && m->spa != 0 && (m->op == ARP_OP_REQUEST || mac_equal(m->sha, m->tha));
}

static void process(Arp *arp, const ArpMsg *m, bool to_us)
{
    NeighTable *t = &arp->table;
    bool garp, override;
    Neigh *n;

    if (ipv4_addr_is_multicast(m->tpa) || ipv4_addr_is_loopback(m->tpa))
        return;
    if (!mac_equal(m->sha, t->dev->mac))
        check_conflict(arp, m);
    if (m->op == ARP_OP_REQUEST && !arp->arp_ignore) {
        ArpTarget target = arp->owner->classify(arp, m->tpa, m->spa);

        if (m->spa == 0) { /* duplicate address detection: answer, learn nothing */
            if (target == ARP_TARGET_LOCAL)
                send(arp, ARP_OP_REPLY, &m->sha, m->tpa, m->sha, m->spa);
            return;
        }
        if (target == ARP_TARGET_LOCAL || (target == ARP_TARGET_ROUTED && arp->proxy_arp)) {
            if (neigh_on_request(t, &m->spa, &m->sha))
                send(arp, ARP_OP_REPLY, &m->sha, m->tpa, m->sha, m->spa);
            return;
        }
    }
    /* RFC 826's merge flag: update whom we know already. */
    n = m->spa ? neigh_lookup(t, &m->spa) : NULL;
    garp = is_gratuitous(m);
    if (!n && arp->arp_accept && (garp || m->op == ARP_OP_REPLY))
        n = neigh_get(t, &m->spa);
    if (!n)
        return;
    /* With several answers at once (proxies) the first one counts, for locktime. */
    override = garp || node_now(t->dev->node) > n->updated + t->params->locktime;
    /* Broadcast replies and requests do not assert that the way to the neighbour works. */
    neigh_update(n, &m->sha, m->op == ARP_OP_REPLY && to_us ? NEIGH_REACHABLE : NEIGH_STALE,
                 override ? NEIGH_UPDATE_OVERRIDE : 0);
}

void arp_input(Arp *arp, Packet *pkt)
{
    NetDev *dev = arp->table.dev;
    uint8_t bytes[ARP_LEN];
    ArpMsg m;

    /* Not for us: another's frame seen in promiscuous mode, a device that needs no ARP. */
    if ((pkt->flags & (PKT_OTHERHOST | PKT_LOOPBACK)) || (dev->flags & NETDEV_NOARP)) {
        probe_drop(dev->node, dev->point, pkt, DROP_NOT_FOR_ME);
        return;
    }
    if (packet_copy_raw(pkt, 0, bytes, ARP_LEN) < ARP_LEN || arp_decode(&m, bytes, ARP_LEN) < 0 ||
        (m.op != ARP_OP_REQUEST && m.op != ARP_OP_REPLY)) {
        probe_drop(dev->node, dev->point, pkt, DROP_MALFORMED);
        return;
    }
    bool to_us = !(pkt->flags & (PKT_BROADCAST | PKT_MULTICAST));
    packet_unref(pkt);
    process(arp, &m, to_us);
}
