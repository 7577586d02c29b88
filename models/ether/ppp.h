/* A serial line with PPP in HDLC-like framing (RFC 1661, RFC 1662) as a network device: a header of four
 * bytes, no addresses, no address resolution, one neighbour. The line is a Link between two of them
 * (ppp_line_config).
 *
 * LCP and IPCP are not spoken: both ends are configured by hand. Byte stuffing depends on the bytes and is
 * left out: a frame costs its length, the check sequence and one flag. */
#pragma once

#include "models/ether/netdev.h"
#include "models/link/link.h"

#define PPP_MTU 1500    /* RFC 1661 6.1: the default MRU */
#define PPP_LINKTYPE 50 /* LINKTYPE_PPP_HDLC */
#define PPP_OVERHEAD 3  /* FCS-16 and the flag between two frames */

typedef struct Ppp {
    NetDev dev; /* first */
    LinkPort port;
    NetDevStats stats;
    Probes *probes;
} Ppp;

void ppp_init(Ppp *p, Node *node, const char *name,
              Probes *probes); /* probes may be NULL; the name is copied */
void ppp_clear(Ppp *p);        /* not while plugged in */
Ppp *ppp_new(Node *node, const char *name, Probes *probes);
void ppp_free(Ppp *p); /* NULL allowed */

/* One direction of an asynchronous line of so many baud with 8 data bits, no parity, 1 stop bit: a byte takes
 * ten bit times, so 115200 baud carry 11520 byte/s. */
void ppp_line_config(LinkDirConfig *c, uint32_t baud);
