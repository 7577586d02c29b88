/* A source of UDP datagrams at a fixed gap (constant bit rate), or in bursts (on/off). The payload is
 * synthetic: datagram n carries the stream from n × size on, so that a sink can tell what is missing
 * (udp_sink.h). */
#pragma once

#include "models/udp/udp.h"
#include "sim/engine/timer.h"

typedef struct UdpSource UdpSource;

typedef struct UdpSourceOptions {
    UdpAddr to;
    uint16_t port;    /* our own; 0: an ephemeral one */
    uint32_t size;    /* of the payload */
    SimTime gap;      /* from one datagram to the next; > 0 */
    uint64_t count;   /* 0: without end */
    SimTime start;    /* after now */
    SimTime on, off;  /* bursts: as long as on, then silent as long as off; on 0: always */
    bool exponential; /* on and off are means of exponential distributions (stream "udp-source") */
    uint8_t tos;
} UdpSourceOptions;

typedef struct UdpSourceResult {
    uint64_t sent, failed; /* failed: send gave an error */
    int err;               /* the last of them */
    SimTime gap;           /* as it is now: a source quench doubles it (historic profile, RFC 1016) */
    uint32_t quenched;
} UdpSourceResult;

typedef void (*UdpSourceDoneFn)(void *user, const UdpSourceResult *r);

/* NULL: the port is taken. */
UdpSource *udp_source_new(Udp *udp, Ip4 *ip, const UdpSourceOptions *o, UdpSourceDoneFn done, void *user);
void udp_source_stop(UdpSource *s);
void udp_source_free(UdpSource *s);
void udp_source_result(const UdpSource *s, UdpSourceResult *out);
