/* ICMP for IPv4: errors with their rules and rate limits, queries and their answers (RFC 792, 1122 3.2.2,
 * 1812 4.3; Linux net/ipv4/icmp.c). */
#pragma once

#include "models/ip/ip4.h"
#include "models/wire/icmp.h"

typedef struct Icmp4 Icmp4;

/* clang-format off */
#define ICMP4_MIB(X)                                                                                        \
    X(IcmpInMsgs) X(IcmpInErrors) X(IcmpInCsumErrors) X(IcmpInDestUnreachs) X(IcmpInTimeExcds)              \
    X(IcmpInParmProbs) X(IcmpInSrcQuenchs) X(IcmpInRedirects) X(IcmpInEchos) X(IcmpInEchoReps)              \
    X(IcmpInTimestamps) X(IcmpInTimestampReps) X(IcmpInAddrMasks) X(IcmpInAddrMaskReps) X(IcmpOutMsgs)      \
    X(IcmpOutErrors) X(IcmpOutDestUnreachs) X(IcmpOutTimeExcds) X(IcmpOutParmProbs) X(IcmpOutSrcQuenchs)    \
    X(IcmpOutRedirects) X(IcmpOutEchos) X(IcmpOutEchoReps) X(IcmpOutTimestamps) X(IcmpOutTimestampReps)     \
    X(IcmpOutAddrMasks) X(IcmpOutAddrMaskReps) X(IcmpOutRateLimitGlobal) X(IcmpOutRateLimitHost)   \
    X(IcmpMsgInType0) X(IcmpMsgInType3) X(IcmpMsgInType4) X(IcmpMsgInType5) X(IcmpMsgInType8)               \
    X(IcmpMsgInType11) X(IcmpMsgInType12) X(IcmpMsgInType13) X(IcmpMsgInType14) X(IcmpMsgInType17)          \
    X(IcmpMsgInType18) X(IcmpMsgOutType0) X(IcmpMsgOutType3) X(IcmpMsgOutType4) X(IcmpMsgOutType5)          \
    X(IcmpMsgOutType8) X(IcmpMsgOutType11) X(IcmpMsgOutType12) X(IcmpMsgOutType13)                          \
    X(IcmpMsgOutType14) X(IcmpMsgOutType17) X(IcmpMsgOutType18)
/* clang-format on */

enum {
#define X(name) MIB_##name,
    ICMP4_MIB(X)
#undef X
        ICMP4_MIB_COUNT
};

Icmp4 *icmp4_new(Ip4 *ip);  /* registers itself as protocol 1 */
void icmp4_free(Icmp4 *ic); /* before its Ip4; listeners are forgotten */
uint64_t icmp4_mib(const Icmp4 *ic, unsigned i);
const char *icmp4_mib_name(unsigned i);

/* Answers `pkt` (head or l3 at its IP header; stays the caller's) with an error, if the rules allow it: never
 * about an ICMP error, a fragment other than the first, a broadcast or multicast (link or network layer), a
 * source that is no single host; and within the rate limits. `info` is the MTU (3/4), the gateway (5) or the
 * pointer (12). */
void icmp4_send_error(Ip4 *ip, Packet *pkt, uint8_t type, uint8_t code, uint32_t info);

/* An error about a packet of which no socket knows (Linux counts it where the transport looks). */
void icmp4_count_unclaimed(Ip4 *ip);

/* Answers address mask requests (RFC 950) from its interfaces' prefixes; off, as Linux always is (RFC
 * 1122 3.2.2.9). */
void icmp4_set_mask_agent(Icmp4 *ic, bool on);

/* Queries of our own (ping): answers go to the registered listener by id. Returns 0 or a negative errno. */
typedef void (*Icmp4EchoFn)(void *user, Packet *reply,
                            const Ip4Rx *rx); /* head at the ICMP header; takes the packet */
typedef void (*Icmp4EchoErrorFn)(void *user, const Ip4Error *e);
/* id 0: a free one is chosen. Returns the id, or 0 when it is taken. */
uint16_t icmp4_echo_open(Ip4 *ip, uint16_t id, Icmp4EchoFn fn, Icmp4EchoErrorFn error, void *user);
void icmp4_echo_close(Ip4 *ip, uint16_t id);
/* Sends a query made by the caller, head at its ICMP header; fills in the checksum. Takes it; errors as
 * ip4_output. */
int icmp4_send_query(Ip4 *ip, Packet *pkt, const Ip4Tx *tx);
