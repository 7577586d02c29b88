/* The stages of a packet's path through a host. */
#include "models/ip/ip4_priv.h"

#define FIELDS                                                                                               \
    8,                                                                                                       \
    {                                                                                                        \
        {"src", PROBE_IP4}, {"dst", PROBE_IP4}, {"proto", PROBE_U64}, {"ttl", PROBE_U64}, {"id", PROBE_U64}, \
            {"length_bytes", PROBE_U64}, {"offset_bytes", PROBE_U64}, {"more_fragments", PROBE_BOOL},        \
    }

const ProbeDesc ip4_probe_rcv = {"ip.rcv", "A packet has passed IP's checks.", PROBE_IP, FIELDS};
const ProbeDesc ip4_probe_local_deliver = {"ip.local_deliver", "A datagram is for this host.", PROBE_IP,
                                           FIELDS};
const ProbeDesc ip4_probe_forward = {"ip.forward", "A router passes a packet on; its TTL is lowered.",
                                     PROBE_IP, FIELDS};
const ProbeDesc ip4_probe_output = {"ip.output", "A datagram of this host has its header and its route.",
                                    PROBE_IP, FIELDS};
const ProbeDesc ip4_probe_fragment = {"ip.fragment", "A fragment was cut from a datagram.", PROBE_IP, FIELDS};
const ProbeDesc ip4_probe_reassembled = {"ip.reassembled", "A datagram's fragments are complete.", PROBE_IP,
                                         FIELDS};

void ip4_probe_emit(const Ip4If *ifp, const ProbeDesc *desc, const Packet *pkt)
{
    const uint8_t *h = packet_cdata(pkt);

    probe_emit(ifp->ip->node, desc, ifp->dev->point, pkt,
               (ProbeValue[]){{.u = ipv4_src(h)},
                              {.u = ipv4_dst(h)},
                              {.u = ipv4_proto(h)},
                              {.u = ipv4_ttl(h)},
                              {.u = ipv4_id(h)},
                              {.u = ipv4_total_len(h)},
                              {.u = ipv4_frag_offset(h)},
                              {.u = (ipv4_frag(h) & IPV4_FLAG_MF) != 0}});
}
