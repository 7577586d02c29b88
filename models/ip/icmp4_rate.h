/* How often a host sends ICMP errors: a bucket for all of them together and a bucket for each destination
 * (Linux icmp_global_allow, inet_peer_xrlim_allow). Redirects have a rule of their own (ip4_forward.c).
 *
 * One difference: Linux (since 5.10) takes 0, 1 or 2 credits at random from the common bucket, one on
 * average, so that nobody can count a victim's errors from outside (the "SAD DNS" attack); here it is always
 * 1, which lets a lesson say "50 and no more". */
#pragma once

#include "models/ip/ip4.h"

typedef struct Icmp4Peer Icmp4Peer;

/* All zero: nothing was ever sent. */
typedef struct Icmp4Rate {
    Icmp4Peer *peers; /* open addressing, by destination */
    uint32_t n_peers, cap;
    uint32_t credit;
    bool has_stamp;
    SimTime stamp; /* when credit was last topped up */
} Icmp4Rate;

void icmp4_rate_clear(Icmp4Rate *r);
/* Is this kind of message limited at all? (icmp_ratemask; never 3/4, on which path MTU discovery lives.) */
bool icmp4_rate_applies(const Ip4Sysctl *sys, uint8_t type, uint8_t code);
/* The common bucket: icmp_msgs_per_sec, up to icmp_msgs_burst. Allowing does not take anything yet. */
bool icmp4_rate_global_allow(Icmp4Rate *r, const Ip4Sysctl *sys, SimTime now);
void icmp4_rate_global_consume(Icmp4Rate *r);
/* The destination's bucket: one message each icmp_ratelimit_ms, six saved up at most. */
bool icmp4_rate_host_allow(Icmp4Rate *r, const Ip4Sysctl *sys, uint32_t dst, SimTime now);
