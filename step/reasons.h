/* Why the fields of a packet have the values that they have: from the packet as a whole, and from the state
 * of its sender, as far as it is still what it was. What a field is for stands beside its layout
 * (models/wire). */
#pragma once

#include "models/tcp/tcp_conn.h"
#include "models/wire/dissect.h"
#include "step/inspect.h"

typedef struct Reasons {
    const StepInspect *w;
    const ProbeRecord *r;
    Host *sender, *receiver; /* by the addresses of the IP header; NULL: nobody here */
    const TcpConn *conn;     /* the sender's; NULL: none, or a request only */
    InetAddr src, dst;
    bool has_ends, has_tcp, is_ip6;
    uint8_t proto;
    uint16_t sport, dport, flags;
    uint32_t seq, ack, ip_len, ip_hdr_len, l4_hdr_len, data_len;
    uint32_t isn, peer_isn; /* where the numbers began, if that is known */
    bool has_isn, has_peer_isn, df;
    unsigned n_sack, depth;
} Reasons;

/* Looks through the packet once. */
void reasons_init(Reasons *why, const StepInspect *w, WireLinkType link, const uint8_t *bytes, size_t len);
/* Appends the reason, without a full stop; nothing if there is none to tell. */
void reasons_append(Reasons *why, const WireLayer *layer, const WireField *f, GString *out);

/* reasons_ip.c, reasons_tcp.c */
void reasons_ip(const Reasons *why, const WireField *f, GString *out);
void reasons_ip6(const Reasons *why, const WireField *f, GString *out);
void reasons_tcp(Reasons *why, const WireField *f, GString *out);
