/* Echo requests of our own (Linux net/ipv6/ping.c): who waits for the answers to which identifier. */
#include "models/ip/ip6_priv.h"

/* Where the listener with that id is, or the first behind it. */
static guint listener_index(const Ip6 *ip, uint16_t id)
{
    guint i = 0;

    while (ip->listeners && i < ip->listeners->len && g_array_index(ip->listeners, Ip6Listener, i).id < id)
        i++;
    return i;
}

const Ip6Listener *ip6_echo_listener(const Ip6 *ip, uint16_t id)
{
    guint i = listener_index(ip, id);
    const Ip6Listener *l;

    if (!ip->listeners || i >= ip->listeners->len)
        return NULL;
    l = &g_array_index(ip->listeners, Ip6Listener, i);
    return l->id == id ? l : NULL;
}

uint16_t ip6_echo_open(Ip6 *ip, uint16_t id, Ip6EchoFn fn, Ip6EchoErrorFn error, void *user)
{
    Ip6Listener l = {id, fn, error, user};

    for (unsigned tries = 0; id == 0 && (l.id == 0 || ip6_echo_listener(ip, l.id)); tries++) {
        if (tries > UINT16_MAX)
            return 0;
        l.id = ++ip->echo_id_next;
    }
    if (id && ip6_echo_listener(ip, id))
        return 0;
    if (!ip->listeners)
        ip->listeners = g_array_new(FALSE, FALSE, sizeof(Ip6Listener));
    g_array_insert_val(ip->listeners, listener_index(ip, l.id), l);
    return l.id;
}

void ip6_echo_close(Ip6 *ip, uint16_t id)
{
    if (ip6_echo_listener(ip, id))
        g_array_remove_index(ip->listeners, listener_index(ip, id));
}

int ip6_send_query(Ip6 *ip, Packet *pkt, const Ip6Tx *tx)
{
    Ip6Flow f;
    int err = ip6_route_get(ip, &tx->dst, &tx->src, tx->oif, &f);

    if (err) {
        packet_unref(pkt);
        return err;
    }
    pkt->l4 = pkt->head;
    ip6_l4_csum(pkt, &f.src, &tx->dst, IP_PROTO_ICMPV6, ICMP6_CHECKSUM_OFF);
    ip6_count(ip, MIB_Icmp6OutMsgs);
    if (icmp6_type(packet_cdata(pkt)) == ICMP6_ECHO)
        ip6_count(ip, MIB_Icmp6OutEchos);
    return ip6_output(ip, pkt, tx);
}
