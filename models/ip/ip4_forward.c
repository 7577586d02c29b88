/* A router's work on a packet for somebody else: ip_forward and ip_forward_finish (Linux
 * net/ipv4/ip_forward.c; RFC 1812 5.2.1.2, 5.3.1). */
#include <glib.h>

#include "models/ip/ip4_priv.h"

/* ip_rt_send_redirect: a sender that does not listen is told at growing intervals, nine times at most. */
#define REDIRECT_NUMBER 9
#define REDIRECT_LOAD (20 * SIM_MS)                               /* HZ/50 */
#define REDIRECT_SILENCE (REDIRECT_LOAD << (REDIRECT_NUMBER + 1)) /* after which all is forgotten */

static void send_redirect(Ip4 *ip, Packet *pkt, uint32_t gateway)
{
    uint32_t src = ipv4_src(packet_cdata(pkt)), i = (src * 0x9e3779b1u) >> 29;
    SimTime now = node_now(ip->node);
    Ip4RedirectPeer *peer;

    if (!ip4_rare(ip)->redirect)
        ip->live->rare->redirect = g_new0(Ip4RedirectPeer, REDIRECT_PEERS);
    peer = &ip->live->rare->redirect[i];
    if (peer->addr != src || now > peer->last + REDIRECT_SILENCE) {
        peer->addr = src;
        peer->count = 0;
    }
    if (peer->count >= REDIRECT_NUMBER) {
        peer->last = now;
        return;
    }
    if (peer->count == 0 || now > peer->last + (REDIRECT_LOAD << peer->count)) {
        peer->last = now;
        peer->count++;
        icmp4_send_error(ip, pkt, ICMP_REDIRECT, ICMP_REDIRECT_HOST, gateway);
    }
}

static inline void count_transmit(Ip4Live *live, uint32_t len)
{
    ip4_add(live, MIB_IpOutTransmits, 1);
    ip4_add(live, MIB_IpExtOutOctets, len);
}

/* The historic profile: a router whose queue is full asks the source of what it threw away to slow down (RFC
 * 792, RFC 1016; forbidden by RFC 6633). */
static void transmit_or_quench(Ip4 *ip, Packet *pkt, const Ip4Dst *d)
{
    const NetDev *dev = d->out ? ip4_if_dev(d->out) : NULL;
    uint64_t before;

    if (!dev || !dev->ops->queue_drops) {
        ip4_transmit(ip, pkt, d);
        return;
    }
    before = dev->ops->queue_drops(dev);
    packet_ref(pkt);
    ip4_transmit(ip, pkt, d);
    if (dev->ops->queue_drops(dev) > before)
        icmp4_send_error(ip, pkt, ICMP_SOURCE_QUENCH, 0, 0);
    packet_unref(pkt);
}

void ip4_forward(Ip4 *ip, Ip4If *ifp, Packet *pkt, const Ip4Dst *d)
{
    uint8_t *h = packet_data(pkt);
    Ip4Live *live = ip->live;
    uint32_t len = packet_len(pkt);

    if (HS_UNLIKELY(pkt->flags &
                    (PKT_BROADCAST |
                     PKT_MULTICAST))) { /* RFC 1812 5.3.4: a frame for everybody is nobody's to route */
        ip4_drop(ifp, pkt, DROP_NOT_FORWARDING);
        return;
    }
    if (HS_UNLIKELY(ipv4_ttl(h) <= 1)) {
        ip4_add(live, MIB_IpInHdrErrors, 1);
        icmp4_send_error(ip, pkt, ICMP_TIME_EXCEEDED, ICMP_EXCEEDED_TTL, 0);
        ip4_drop(ifp, pkt, DROP_TTL);
        return;
    }
    if (HS_UNLIKELY(ip->sysctl->drop_private) &&
        (ipv4_addr_is_private(ipv4_src(h)) || ipv4_addr_is_private(ipv4_dst(h)))) {
        ip4_drop(ifp, pkt, DROP_FILTER);
        return;
    }
    if (HS_UNLIKELY(len > d->mtu) && (ipv4_frag(h) & IPV4_FLAG_DF)) {
        ip4_add(live, MIB_IpFragFails, 1);
        icmp4_send_error(ip, pkt, ICMP_DEST_UNREACH, ICMP_UNREACH_NEEDFRAG, d->mtu);
        ip4_drop(ifp, pkt, DROP_DF);
        return;
    }
    if (HS_UNLIKELY(d->redirect)) {
        Ip4Dst copy = *d; /* the error goes through the cache too */

        copy.neigh = d->neigh ? neigh_ref(d->neigh) : NULL;
        send_redirect(ip, pkt, d->next_hop);
        ipv4_dec_ttl(h);
        pkt->flags = PKT_FORWARDED;
        ip4_add(live, MIB_IpForwDatagrams, 1);
        if (h[0] != 0x45)
            ip4_options_forward(ip, pkt, copy.out);
        ip4_probe(ifp, &ip4_probe_forward, pkt);
        ip4_transmit(ip, pkt, &copy);
        neigh_unref(copy.neigh);
        return;
    }
    ipv4_dec_ttl(h);
    pkt->flags = PKT_FORWARDED;
    ip4_add(live, MIB_IpForwDatagrams, 1);
    if (HS_UNLIKELY(h[0] != 0x45))
        ip4_options_forward(ip, pkt, d->out);
    ip4_probe(ifp, &ip4_probe_forward, pkt);
    if (HS_UNLIKELY(ip->sysctl->source_quench)) {
        transmit_or_quench(ip, pkt, d);
    } else if (HS_LIKELY(len <= d->mtu && d->neigh && d->type == IP4_ROUTE_UNICAST)) {
        count_transmit(live, len);
        neigh_output(d->neigh, pkt);
    } else {
        ip4_transmit(ip, pkt, d);
    }
}
