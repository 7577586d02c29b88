/* ARP: which MAC address has this IPv4 address? (RFC 826; Linux net/ipv4/arp.c; conflicts: RFC 5227.)
 * One Arp per device, made by the IPv4 instance above; what it learns is in its NeighTable. */
#pragma once

#include "models/ether/neigh.h"
#include "models/wire/arp.h"

typedef struct Arp Arp;
typedef struct ArpClaim ArpClaim;
typedef struct ArpConflicts ArpConflicts;

typedef enum ArpTarget {                    /* whose address is asked for */
                         ARP_TARGET_NONE,   /* unknown, or the question is impossible (a martian source) */
                         ARP_TARGET_LOCAL,  /* ours */
                         ARP_TARGET_ROUTED, /* we would forward to it by another device */
} ArpTarget;

typedef struct ArpOwner {
    ArpTarget (*classify)(Arp *arp, uint32_t target, uint32_t sender);
    /* The sender address of a request (arp_announce 0): that of the waiting packet if it is ours, else one of
     * the device's. 0: none. */
    uint32_t (*source)(Arp *arp, uint32_t target, const Packet *waiting);
    void (*unreachable)(Arp *arp, Packet *pkt); /* takes it */
    /* Somebody else at mac uses our address. May be NULL. */
    void (*conflict)(Arp *arp, uint32_t addr, MacAddr mac);
} ArpOwner;

struct Arp {
    NeighTable table; /* first */
    const ArpOwner *owner;
    void *user;
    ArpConflicts *rfc5227; /* NULL: no address was claimed, and none contested */
    bool arp_accept;       /* a gratuitous ARP makes an entry, it does not only update one */
    bool arp_notify;       /* announce our addresses when the device comes up or changes its address */
    bool arp_ignore;       /* Linux's mode 8: answer nothing (a host that hides) */
    bool proxy_arp;        /* answer for what we would forward elsewhere */
    bool conflict_defend;  /* announce when somebody else uses our address (at most every 10 s) */
};
_Static_assert(sizeof(Arp) <= 64, "Arp has grown: what few interfaces need belongs elsewhere");

extern const ProbeDesc arp_probe_conflict; /* "arp.conflict": ip, mac of the other */

void arp_init(Arp *arp, NetDev *dev, const ArpOwner *owner, void *user);
void arp_clear(Arp *arp);
uint32_t arp_conflicts(const Arp *arp); /* seen so far */

/* A frame with EtherType ARP, head at the ARP header. Takes it. */
void arp_input(Arp *arp, Packet *pkt);

/* Broadcasts a gratuitous request for our address: whoever has an entry updates it. */
void arp_announce(Arp *arp, uint32_t addr);

/* A static entry (ip neigh add … nud permanent). */
void arp_set_permanent(Arp *arp, uint32_t addr, MacAddr mac);

/* RFC 5227: before an address is used, ask three times whether somebody has it; then announce it twice.
 * done(…, true) after the last probe went unanswered, done(…, false) and who it was when it is taken. */
typedef void (*ArpClaimFn)(void *user, uint32_t addr, bool is_free, MacAddr other);
void arp_claim(Arp *arp, uint32_t addr, ArpClaimFn done, void *user);
