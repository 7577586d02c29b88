/* What raw sockets see of IP (Linux raw_local_deliver, raw6_local_deliver, raw_icmp_error): every packet that
 * is for this host, before its protocol gets it, and every ICMP error about a packet of theirs. A tap is for
 * one protocol over both families; what it does not want of it is its own affair. */
#pragma once

#include "models/ip/ip6.h"

typedef struct RawTap RawTap;
struct RawTap {
    RawTap *next; /* private */
    int proto;
    /* Packets stay the caller's. head stands at the transport header, l3 at the IP header. true: it was
     * somebody's, so that the protocol need not be known. */
    bool (*input4)(void *user, const Packet *pkt, const Ip4Rx *rx);
    bool (*input6)(void *user, const Packet *pkt, const Ip6Rx *rx);
    void (*error4)(void *user, const Ip4Error *e);
    void (*error6)(void *user, const Ip6Error *e);
    void *user;
};

/* The tap stays the caller's, in place until it is removed. ip6 NULL: IPv4 only. */
void ip4_raw_add(Ip4 *ip, RawTap *tap);
void ip4_raw_remove(Ip4 *ip, RawTap *tap);
void ip6_raw_add(Ip6 *ip, RawTap *tap);
void ip6_raw_remove(Ip6 *ip, RawTap *tap);
