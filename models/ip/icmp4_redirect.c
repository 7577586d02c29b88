/* Redirects that arrive (RFC 1122 3.2.2.2; Linux icmp_redirect). Whether to follow one is the routing code's
 * decision. */
#include "models/ip/icmp4_priv.h"

void icmp4_receive_redirect(Icmp4 *ic, Packet *pkt, const Ip4Rx *rx)
{
    const uint8_t *h = packet_cdata(pkt);
    uint32_t gateway = wire_get32(h + 4), len;
    uint8_t quote[ICMP4_QUOTE_MAX];
    bool is_known_code = icmp_code(h) <= ICMP_REDIRECT_TOS_HOST;

    icmp4_count(ic, MIB_IcmpInRedirects);
    if (!icmp4_quote(pkt, quote, &len)) {
        icmp4_count(ic, MIB_IcmpInErrors);
        icmp4_drop(ic, pkt, rx, DROP_L4_HEADER);
        return;
    }
    packet_unref(pkt);
    /* A redirect for a network is taken as one for the host: nobody knows the network's mask. */
    if (is_known_code)
        ip4_redirect(ic->ip, rx->in, rx->src, ipv4_dst(quote), gateway);
}
