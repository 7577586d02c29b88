#include "models/ether/nic_vlan.h"

#include <glib.h>

#include "models/ether/tso.h"
#include "models/wire/eth.h"
#include "models/wire/vlan.h"

typedef struct Burst {
    NicVlan *v;
    MacAddr dst;
    uint16_t ethertype;
} Burst;

static void xmit_frame(void *user, Packet *pkt)
{
    const Burst *b = user;
    NicVlan *v = b->v;
    uint8_t *p = packet_push(pkt, ETH_HDR_LEN + VLAN_TAG_LEN);

    eth_put(p, b->dst, v->dev.mac, ETH_TYPE_VLAN);
    vlan_encode(p + ETH_HDR_LEN, &(VlanTag){.pcp = v->pcp, .vid = v->vid, .type = b->ethertype});
    v->stats.tx_packets++;
    v->stats.tx_bytes += packet_len(pkt);
    nic_transmit(v->nic, pkt);
}

static void xmit(NetDev *dev, Packet *pkt, const MacAddr *dst, uint16_t ethertype)
{
    NicVlan *v = (NicVlan *)dev;
    Burst b = {v, *dst, ethertype};

    if (tso_frame_len(pkt) > dev->mtu || !(dev->flags & NETDEV_UP)) {
        netdev_count(dev)->tx_dropped++;
        probe_drop(dev->node, dev->point, pkt, dev->flags & NETDEV_UP ? DROP_MTU : DROP_DEVICE_DOWN);
        return;
    }
    if (pkt->gso_size)
        tso_split(dev->node, pkt, xmit_frame, &b);
    else
        xmit_frame(&b, packet_own(pkt));
}

Packet *nic_vlan_receive(Nic *nic, Packet *pkt, NetDev **dev, uint16_t *type)
{
    const uint8_t *tag;
    uint16_t vid;

    hs_assert(packet_pullup(pkt, ETH_HDR_LEN + VLAN_TAG_LEN)); /* 60 bytes at least were checked */
    tag = packet_cdata(pkt) + ETH_HDR_LEN;
    vid = vlan_vid(tag);
    *type = vlan_type(tag);
    if (vid != 0) {
        NicVlan *v = nic_vlan_find(nic, vid);

        if (!v || !(v->dev.flags & NETDEV_UP)) {
            netdev_count(&nic->dev)->rx_dropped++;
            probe_drop(nic->dev.node, &nic->port.point, pkt, v ? DROP_DEVICE_DOWN : DROP_VLAN);
            return NULL;
        }
        *dev = &v->dev;
        v->stats.rx_packets++;
        v->stats.rx_bytes += packet_len(pkt) - ETH_HDR_LEN;
        if (pkt->flags & PKT_MULTICAST)
            netdev_count(*dev)->rx_multicast++;
    }
    packet_pull(pkt, ETH_HDR_LEN + VLAN_TAG_LEN);
    pkt->l3 = pkt->head;
    return pkt;
}

NicVlan *nic_vlan_find(const Nic *nic, uint16_t vid)
{
    for (NicVlan *v = nic_vlans(nic); v; v = v->next)
        if (v->vid == vid)
            return v;
    return NULL;
}

void nic_vlan_follow(Nic *nic)
{
    for (NicVlan *v = nic_vlans(nic); v; v = v->next) {
        bool carrier = netdev_is_running(&nic->dev);

        v->dev.flags = (uint16_t)((v->dev.flags & ~NETDEV_CARRIER) | (carrier ? NETDEV_CARRIER : 0));
        v->dev.mac = nic->dev.mac;
        v->dev.mtu = nic->dev.mtu;
        if (v->dev.changed)
            v->dev.changed(&v->dev);
    }
}

static void set_up(NetDev *dev, bool up)
{
    dev->flags = (uint16_t)(up ? dev->flags | NETDEV_UP : dev->flags & ~NETDEV_UP);
    if (dev->changed)
        dev->changed(dev);
}

static void set_promisc(NetDev *dev, bool on)
{
    dev->flags = (uint16_t)(on ? dev->flags | NETDEV_PROMISC : dev->flags & ~NETDEV_PROMISC);
    nic_update_promisc(((NicVlan *)dev)->nic);
}

static void join(NetDev *dev, MacAddr group, bool on)
{
    Nic *nic = ((NicVlan *)dev)->nic;

    nic->dev.ops->join(&nic->dev, group, on);
}

static const NetDevOps vlan_ops = {.xmit = xmit, .set_up = set_up, .set_promisc = set_promisc, .join = join};

NicVlan *nic_vlan_new(Nic *nic, uint16_t vid, const char *name)
{
    NicVlan *v, **at = &nic_extra(nic)->vlans;

    if (vid == 0 || vid > VLAN_VID_MAX || nic_vlan_find(nic, vid))
        return NULL;
    v = g_new0(NicVlan, 1);
    v->nic = nic;
    v->vid = vid;
    v->dev.ops = &vlan_ops;
    v->dev.stats = &v->stats;
    v->dev.node = nic->dev.node;
    v->dev.name = name ? g_strdup(name) : g_strdup_printf("%s.%u", nic->dev.name, vid);
    v->dev.point = &nic->port.point;
    v->dev.flags = NETDEV_UP | NETDEV_BROADCAST | (nic->dev.flags & NETDEV_TSO);
    while (*at)
        at = &(*at)->next;
    *at = v;
    nic_vlan_follow(nic);
    return v;
}

void nic_vlan_clear(Nic *nic)
{
    while (nic_vlans(nic)) {
        NicVlan *v = nic_vlans(nic);

        nic->live->extra->vlans = v->next;
        netdev_clear_stats(&v->dev);
        g_free((char *)v->dev.name);
        g_free(v);
    }
}
