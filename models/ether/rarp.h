/* RARP: a device that knows only its MAC address asks for its IP address (RFC 903). Historic, replaced by
 * BOOTP and DHCP; it never leaves the link, so a server behind a router is never reached.
 *
 * Both halves get their frames by rarp_*_input, from whoever hands out EtherType 0x8035 (ip4_if_set_tap). */
#pragma once

#include "models/ether/netdev.h"
#include "models/wire/arp.h"
#include "sim/engine/timer.h"

/* The client. RFC 903 leaves retries open; as BOOTP's (RFC 951 section 7.2): the wait doubles, up to a
 * minute, but without the random part, for a lesson's sake. */
#define RARP_RETRY_FIRST (2 * SIM_SEC)
#define RARP_RETRY_MAX (60 * SIM_SEC)

/* addr 0: no answer after the last try. */
typedef void (*RarpClientFn)(void *user, uint32_t addr, uint32_t server);

typedef struct RarpClient {
    NetDev *dev;
    Timer timer;
    SimTime wait;
    uint32_t tries, max_tries; /* max_tries 0: for ever */
    RarpClientFn done;
    void *user;
} RarpClient;

void rarpclient_init(RarpClient *c, NetDev *dev, RarpClientFn done, void *user);
void rarpclient_start(RarpClient *c, unsigned max_tries);
void rarpclient_clear(RarpClient *c);
void rarpclient_input(RarpClient *c, Packet *pkt); /* takes it */

/* The server: a table of who is who. */
typedef struct RarpServer {
    NetDev *dev;
    uint32_t addr; /* its own */
    struct RarpEntry *entry;
    unsigned n_entries;
    uint64_t requests, answers;
} RarpServer;

void rarpserver_init(RarpServer *s, NetDev *dev, uint32_t addr);
void rarpserver_clear(RarpServer *s);
void rarpserver_set(RarpServer *s, MacAddr mac, uint32_t addr); /* adds or replaces */
void rarpserver_input(RarpServer *s, Packet *pkt);              /* takes it */
