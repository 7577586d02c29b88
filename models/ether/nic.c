/* The Ethernet card (IEEE 802.3 clause 3; Linux eth_header, eth_type_trans, dev_queue_xmit,
 * __netif_receive_skb_core).
 *
 * Down: xmit → nic_transmit → port_send.
 * Up:   on_receive (what the hardware does: FCS, length, address filter) → [nic_ring] →
 *       nic_deliver (what the kernel does: taps, VLANs, EtherType) → dev.input.
 *
 * A flooded frame is one packet in many hands. The filter only reads, so a card that does not want it gives
 * its reference back; a card that does takes a copy of the headers (packet_own), about as cheap as a function
 * call.
 *
 * Where we differ: a frame whose type is a length (802.3 with LLC) has no handler here but taps: bridges read
 * their BPDUs themselves. */
#include "models/ether/nic.h"

#include <glib.h>
#include <string.h>

#include "models/ether/nic_ring.h"
#include "models/ether/nic_vlan.h"
#include "models/ether/tso.h"
#include "models/wire/eth.h"
#include "models/wire/vlan.h"
#include "sim/engine/sim.h"

#define TAGS_MAX (2 * VLAN_TAG_LEN) /* 802.1Q tags do not count against the MTU */

const ProbeDesc probe_nic_state = {"nic.state",
                                   "A network card was set up or down, or its cable was plugged or pulled.",
                                   PROBE_LINK,
                                   2,
                                   {{"up", PROBE_BOOL}, {"carrier", PROBE_BOOL}}};
const ProbeDesc probe_nic_mac = {
    "nic.mac", "A network card has a new address.", PROBE_LINK, 1, {{"mac", PROBE_MAC}}};

/* ---- out ---- */

static void tap_frame(Nic *nic, const Packet *pkt, bool outgoing)
{
    uint16_t type = eth_type(packet_cdata(pkt));

    for (NicTap *t = nic->live->extra->taps, *next; t; t = next) {
        next = t->next; /* a tap may take itself off */
        if (!t->ethertype || t->ethertype == type)
            t->frame(t, nic, pkt, outgoing);
    }
}

static void pad(const Nic *nic, Packet *pkt, uint32_t n)
{
    uint32_t patterned = 0;

    if (HS_UNLIKELY(nic->live->extra && nic->live->extra->pad_pattern)) {
        const NicExtra *x = nic->live->extra;

        patterned = HS_MIN(n, x->pad_pattern_len);
        packet_fill_csum(pkt); /* a lazy checksum runs to the end of the payload */
        packet_add_bytes(pkt, x->pad_pattern, patterned);
    }
    pkt->pad += (uint8_t)(n - patterned);
}

static void drop_out(Nic *nic, Packet *pkt, ProbeDrop reason)
{
    nic_live(nic);
    netdev_count(&nic->dev)->tx_dropped++;
    if (reason == DROP_NO_CARRIER)
        netdev_count(&nic->dev)->tx_carrier_errors++;
    else if (reason == DROP_MTU)
        nic_extra(nic)->stats.tx_too_long++;
    probe_drop(nic->dev.node, &nic->port.point, pkt, reason);
}

void nic_transmit(Nic *nic, Packet *pkt)
{
    uint32_t len = packet_len(pkt);
    NicLive *live = nic_live(nic);

    if (HS_UNLIKELY(!netdev_is_running(&nic->dev))) {
        drop_out(nic, pkt, nic->dev.flags & NETDEV_UP ? DROP_NO_CARRIER : DROP_DEVICE_DOWN);
        return;
    }
    if (len < ETH_MIN_FRAME) {
        pad(nic, pkt, ETH_MIN_FRAME - len);
        len = ETH_MIN_FRAME;
    }
    if (HS_UNLIKELY(live->extra && live->extra->taps))
        tap_frame(nic, pkt, true);
    live->dev.tx_packets++;
    live->dev.tx_bytes += len;
    port_send(&nic->port, pkt);
}

typedef struct Burst {
    NetDev *dev;
    MacAddr dst;
    uint16_t ethertype;
} Burst;

static void xmit_frame(void *user, Packet *pkt)
{
    const Burst *b = user;

    eth_put(packet_push(pkt, ETH_HDR_LEN), b->dst, b->dev->mac, b->ethertype);
    nic_transmit(nic_of_dev(b->dev), pkt);
}

static void xmit(NetDev *dev, Packet *pkt, const MacAddr *dst, uint16_t ethertype)
{
    Nic *nic = nic_of_dev(dev);

    if (HS_UNLIKELY(tso_frame_len(pkt) > dev->mtu)) {
        drop_out(nic, pkt, DROP_MTU);
        return;
    }
    if (pkt->gso_size) {
        tso_split(dev->node, pkt, xmit_frame, &(Burst){dev, *dst, ethertype});
        return;
    }
    pkt = packet_own(pkt);
    eth_put(packet_push(pkt, ETH_HDR_LEN), *dst, dev->mac, ethertype);
    nic_transmit(nic, pkt);
}

void nic_send_raw(Nic *nic, Packet *pkt)
{
    pkt = packet_own(pkt);
    if (!packet_pullup(pkt, ETH_HDR_LEN)) {
        drop_out(nic, pkt, DROP_MALFORMED);
        return;
    }
    if (packet_len(pkt) > nic->dev.mtu + ETH_HDR_LEN + TAGS_MAX) {
        drop_out(nic, pkt, DROP_MTU);
        return;
    }
    nic_transmit(nic, pkt);
}

/* ---- in ---- */

/* The six address bytes as one number whose byte order does not matter: it is only compared. p has 8 readable
 * bytes. */
static uint64_t address_word(const uint8_t *p)
{
    static const uint8_t mask[8] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0};
    uint64_t w, m;

    memcpy(&w, p, 8);
    memcpy(&m, mask, 8);
    return w & m;
}

bool nic_has_group(const Nic *nic, MacAddr group)
{
    const NicExtra *x = nic_has_extra(nic);

    for (unsigned i = 0; x && i < x->n_groups; i++)
        if (mac_equal(x->groups[i].mac, group))
            return true;
    return false;
}

static void drop_in(Nic *nic, Packet *pkt, ProbeDrop reason)
{
    NetDevErrors *s;

    nic_live(nic);
    s = netdev_count(&nic->dev);

    switch (reason) {
    case DROP_FCS:
        s->rx_crc_errors++;
        break;
    case DROP_MALFORMED:
        s->rx_frame_errors++;
        nic_extra(nic)->stats.rx_runts++;
        break;
    case DROP_MTU:
        s->rx_frame_errors++;
        nic_extra(nic)->stats.rx_oversize++;
        break;
    case DROP_NOT_FOR_ME:
        s->rx_not_for_me++;
        break;
    case DROP_ETHERTYPE:
    case DROP_VLAN:
        nic_extra(nic)->stats.rx_no_handler++;
        s->rx_dropped++;
        break;
    default:
        s->rx_dropped++;
        break;
    }
    probe_drop(nic->dev.node, &nic->port.point, pkt, reason);
}

/* What the hardware refuses before it looks at addresses. */
static ProbeDrop check_frame(const Nic *nic, const Packet *pkt, uint32_t len)
{
    if (!(nic->dev.flags & NETDEV_UP))
        return DROP_DEVICE_DOWN;
    if (!packet_fcs_ok(pkt))
        return DROP_FCS;
    if (len < ETH_MIN_FRAME)
        return DROP_MALFORMED;
    if (len > nic->dev.mtu + ETH_HDR_LEN + TAGS_MAX)
        return DROP_MTU;
    return DROP_NONE;
}

static void on_receive(LinkPort *port, Packet *pkt)
{
    Nic *nic = HS_CONTAINER_OF(port, Nic, port);
    uint32_t len = packet_len(pkt);
    const uint8_t *p;
    uint8_t type = 0;

    if (HS_UNLIKELY(!(nic->dev.flags & NETDEV_UP) || pkt->flags & PKT_HAS_FCS || len < ETH_MIN_FRAME ||
                    len > nic->dev.mtu + ETH_HDR_LEN)) {
        ProbeDrop reason = check_frame(nic, pkt, len);

        if (reason != DROP_NONE) {
            drop_in(nic, pkt, reason);
            return;
        }
    }
    if (HS_UNLIKELY(packet_header_len(pkt) < ETH_HDR_LEN)) {
        pkt = packet_own(pkt);
        hs_assert(packet_pullup(pkt, ETH_HDR_LEN));
    }
    p = packet_cdata(pkt);
    if (HS_UNLIKELY(address_word(p) != address_word(nic->port.point.mac))) {
        MacAddr dst = eth_dst(p);

        if (mac_is_broadcast(dst)) {
            type = PKT_BROADCAST;
            nic_live(nic)->rx_broadcast++;
        } else if (mac_is_multicast(dst) && nic_has_group(nic, dst)) {
            type = PKT_MULTICAST;
            netdev_count(&nic->dev)->rx_multicast++; /* its group is among the extras */
        } else if (nic->dev.flags & NETDEV_PROMISC) {
            type = mac_is_multicast(dst) ? PKT_MULTICAST | PKT_OTHERHOST : PKT_OTHERHOST;
        } else {
            drop_in(nic, pkt, DROP_NOT_FOR_ME);
            return;
        }
    }
    pkt = packet_own(pkt);
    pkt->flags = type; /* what earlier nodes noted does not concern us; the FCS has done its work */
    if (HS_UNLIKELY(nic_live(nic)->extra && nic->live->extra->ring))
        nic_ring_receive(nic->live->extra->ring, pkt);
    else
        nic_deliver(nic, pkt);
}

void nic_deliver(Nic *nic, Packet *pkt)
{
    NetDev *dev = &nic->dev;
    NicLive *live = nic->live; /* on_receive has been here */
    uint16_t type = eth_type(packet_cdata(pkt));

    live->dev.rx_packets++;
    live->dev.rx_bytes += packet_len(pkt);
    if (HS_UNLIKELY(live->extra && live->extra->taps))
        tap_frame(nic, pkt, false);
    if (HS_UNLIKELY(type == ETH_TYPE_VLAN)) {
        pkt = nic_vlan_receive(nic, pkt, &dev, &type);
        if (!pkt)
            return;
    } else {
        packet_pull(pkt, ETH_HDR_LEN);
        pkt->l3 = pkt->head;
    }
    if (HS_UNLIKELY(!dev->input || type < ETH_MIN_TYPE)) {
        drop_in(nic, pkt, DROP_ETHERTYPE);
        return;
    }
    dev->input(dev, pkt, type);
}

/* ---- settings ---- */

static void note_state(Nic *nic)
{
    NetDev *dev = &nic->dev;

    if (probe_wanted(dev->node, PROBE_LINK))
        probe_emit(dev->node, &probe_nic_state, &nic->port.point, NULL,
                   (ProbeValue[]){{.u = !!(dev->flags & NETDEV_UP)}, {.u = nic->port.carrier}});
    nic_vlan_follow(nic);
    if (dev->changed)
        dev->changed(dev);
}

static void set_flag(Nic *nic, uint16_t flag, bool on)
{
    uint16_t flags = (uint16_t)(on ? nic->dev.flags | flag : nic->dev.flags & ~flag);

    if (flags == nic->dev.flags)
        return;
    nic->dev.flags = flags;
    note_state(nic);
}

static void on_carrier(LinkPort *port, bool up)
{
    set_flag(HS_CONTAINER_OF(port, Nic, port), NETDEV_CARRIER, up);
}

static void set_up(NetDev *dev, bool up)
{
    const Nic *nic = nic_of_dev(dev);

    if (!up && nic_get_ring(nic))
        nic_ring_flush(nic_get_ring(nic));
    set_flag(nic_of_dev(dev), NETDEV_UP, up);
}

void nic_update_promisc(Nic *nic)
{
    bool on = nic_has_extra(nic) && nic->live->extra->promisc;

    for (const NicVlan *v = nic_vlans(nic); v && !on; v = v->next)
        on = v->dev.flags & NETDEV_PROMISC;
    set_flag(nic, NETDEV_PROMISC, on);
}

static void set_promisc(NetDev *dev, bool on)
{
    Nic *nic = nic_of_dev(dev);

    nic_extra(nic)->promisc = on;
    nic_update_promisc(nic);
}

NicExtra *nic_extra(Nic *nic)
{
    NicLive *live = nic_live(nic);

    if (!live->extra)
        live->extra = g_new0(NicExtra, 1);
    return live->extra;
}

static void join(NetDev *dev, MacAddr group, bool on)
{
    NicExtra *x = nic_extra(nic_of_dev(dev));
    unsigned i = 0;

    while (i < x->n_groups && !mac_equal(x->groups[i].mac, group))
        i++;
    if (on) {
        if (i == x->n_groups) {
            x->groups = g_renew(NicGroup, x->groups, ++x->n_groups);
            x->groups[i] = (NicGroup){group, 0};
        }
        x->groups[i].joins++;
    } else if (i < x->n_groups && --x->groups[i].joins == 0) {
        x->groups[i] = x->groups[--x->n_groups];
    }
}

void nic_set_mac(Nic *nic, MacAddr mac)
{
    nic->dev.mac = mac;
    mac_put(nic->port.point.mac, mac);
    if (probe_wanted(nic->dev.node, PROBE_LINK))
        probe_emit(nic->dev.node, &probe_nic_mac, &nic->port.point, NULL,
                   (ProbeValue[]){{.u = mac_to_u64(mac)}});
    nic_vlan_follow(nic);
    if (nic->dev.changed)
        nic->dev.changed(&nic->dev);
}

bool nic_set_mtu(Nic *nic, uint32_t mtu)
{
    if (mtu < NIC_MTU_MIN || mtu > NIC_MTU_MAX)
        return false;
    nic->dev.mtu = mtu;
    nic_vlan_follow(nic);
    if (nic->dev.changed)
        nic->dev.changed(&nic->dev);
    return true;
}

void nic_set_pad_pattern(Nic *nic, const uint8_t *bytes, unsigned len)
{
    NicExtra *x = nic_extra(nic);

    g_free(x->pad_pattern);
    len = bytes ? HS_MIN(len, (unsigned)ETH_MIN_PAYLOAD) : 0;
    x->pad_pattern = len ? g_memdup2(bytes, len) : NULL;
    x->pad_pattern_len = len;
}

void nic_add_tap(Nic *nic, NicTap *tap)
{
    NicTap **at = &nic_extra(nic)->taps;

    while (*at)
        at = &(*at)->next;
    tap->next = NULL;
    *at = tap;
}

void nic_remove_tap(Nic *nic, NicTap *tap)
{
    for (NicTap **at = &nic_extra(nic)->taps; *at; at = &(*at)->next) {
        if (*at == tap) {
            *at = tap->next;
            return;
        }
    }
}

/* ---- life ---- */

static uint64_t queue_drops(const NetDev *dev)
{
    LinkTxInfo info;

    port_describe(&HS_CONTAINER_OF(dev, Nic, dev)->port, &info);
    return info.queue_drops;
}

static const NetDevOps nic_ops = {
    .xmit = xmit, .set_up = set_up, .set_promisc = set_promisc, .join = join, .queue_drops = queue_drops};
static const LinkPortOps nic_port_ops = {.receive = on_receive, .carrier = on_carrier};

void nic_init(Nic *nic, Node *node, const char *name, MacAddr mac, Probes *probes)
{
    const char *own_name = sim_intern(node_sim(node), name);

    *nic = (Nic){.dev = {.ops = &nic_ops,
                         .node = node,
                         .name = own_name,
                         .point = &nic->port.point,
                         .mtu = ETH_MTU,
                         .flags = NETDEV_UP | NETDEV_BROADCAST | NETDEV_TSO,
                         .mac = mac},
                 .port = {.point = {.node = node, .name = own_name, .linktype = 1}, .ops = &nic_port_ops}};
    mac_put(nic->port.point.mac, mac);
    if (probes)
        probes_add_point(probes, &nic->port.point);
}

static Pool *live_pool(const Nic *nic)
{
    return poolset_get_aligned(&nic->dev.node->part->pools, "nic", sizeof(NicLive), 32);
}

NicLive *nic_live_new(Nic *nic)
{
    nic->live = pool_alloc(live_pool(nic));
    memset(nic->live, 0, sizeof *nic->live);
    nic->dev.stats = &nic->live->dev;
    return nic->live;
}

NicStats nic_stats(const Nic *nic)
{
    NicStats s = {0};

    if (nic_has_extra(nic))
        s = nic->live->extra->stats;
    s.rx_broadcast = nic->live ? nic->live->rx_broadcast : 0;
    return s;
}

size_t nic_bytes(const Nic *nic)
{
    return sizeof *nic + (nic->live ? sizeof *nic->live : 0) +
           (nic->dev.stats && nic->dev.stats->errors ? sizeof *nic->dev.stats->errors : 0) +
           (nic_has_extra(nic) ? sizeof *nic->live->extra : 0);
}

static void live_free(Nic *nic)
{
    NicExtra *x = nic->live ? nic->live->extra : NULL;

    if (x) {
        nic_ring_free(x->ring);
        g_free(x->groups);
        g_free(x->pad_pattern);
        g_free(x);
    }
    netdev_clear_stats(&nic->dev);
    pool_free(live_pool(nic), nic->live);
}

void nic_clear(Nic *nic)
{
    Probes *probes = nic->dev.node->part->probes;

    hs_assert(!nic->port.tx);
    nic_vlan_clear(nic);
    if (probes && probes_point(probes, nic->port.point.id) == &nic->port.point)
        probes_remove_point(probes, &nic->port.point);
    live_free(nic);
}

Nic *nic_new(Node *node, const char *name, MacAddr mac, Probes *probes)
{
    Nic *nic = cells_take(&node->part->cells, sizeof *nic);

    nic_init(nic, node, name, mac, probes);
    return nic;
}

void nic_free(Nic *nic)
{
    if (!nic)
        return;
    nic_clear(nic);
    cells_give(&nic->dev.node->part->cells, nic, sizeof *nic);
}
