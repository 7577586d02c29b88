/* Probes with a chosen TTL, as traceroute and mtr send them: a UDP datagram to an unlikely port, or an echo
 * request. Each carries a token (in the port or the sequence number), by which whatever comes back is told
 * apart. */
#pragma once

#include "models/ip/icmp4.h"
#include "models/udp/udp.h"

typedef struct HopProber HopProber;

#define HOP_PROBE_PORT 33434
#define HOP_PROBE_TOKENS 32000 /* tokens are below this: ports up to 65433 */

typedef enum HopAnswer {
    HOP_ROUTER,      /* time exceeded: a router on the way */
    HOP_TARGET,      /* port unreachable or echo reply: the destination itself */
    HOP_UNREACHABLE, /* another "destination unreachable": the way ends here */
} HopAnswer;

typedef struct HopReply {
    uint32_t token;
    uint32_t from;
    HopAnswer answer;
    uint8_t icmp_code; /* of HOP_UNREACHABLE */
    uint16_t mtu;      /* with code 4 */
} HopReply;

typedef void (*HopReplyFn)(void *user, const HopReply *r);

/* udp NULL: by echo requests. */
HopProber *hop_prober_new(Ip4 *ip, Udp *udp, uint32_t dst, HopReplyFn fn, void *user);
void hop_prober_free(HopProber *hp);
/* total_len: of the IP packet. 0 or a negative errno. */
int hop_prober_send(HopProber *hp, uint32_t token, uint8_t ttl, uint32_t total_len);
