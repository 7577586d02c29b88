/* A whole frame explained: all layers field by field (wire_dissect), or one line (dissect_summary). */
#pragma once

#include "models/wire/wire.h"

/* The numbers are those of capture files (LINKTYPE_…). */
typedef enum WireLinkType {
    WIRE_LINK_ETHERNET = 1,
    WIRE_LINK_PPP = 50,  /* LINKTYPE_PPP_HDLC */
    WIRE_LINK_RAW = 101, /* an IP packet, version by its first nibble */
    WIRE_LINK_IPV4 = 228,
    WIRE_LINK_IPV6 = 229,
    WIRE_LINK_ETHERNET_FCS = 0x10001, /* ours: Ethernet whose last four bytes are the FCS */
} WireLinkType;

bool wire_link_type_is_known(int linktype);

/* Tells sink the layers of the frame, outermost first. Behind an ICMP error's layer come the layers of the
 * packet that it quotes, with depth 1. At most one malformed() is reported; it ends the dissection, and the
 * bytes from there on are told as "data" where they are not covered by a layer. True when nothing was
 * malformed. */
bool wire_dissect(WireLinkType linktype, const uint8_t *p, size_t len, const WireSink *sink);

/* One line in tcpdump's manner, cut to fit, no line end: "10.0.0.1.1024 > 10.0.0.2.69: UDP, length 63",
 * "who-has 10.0.0.2 tell 10.0.0.1". TCP numbers are absolute. Returns buf. */
char *dissect_summary(char *buf, size_t buf_len, WireLinkType linktype, const uint8_t *p, size_t len);
