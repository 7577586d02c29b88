/* A network as a user builds it: hosts, routers, switches, links, names, addresses and routes. Everything
 * that a scenario, a benchmark or a test puts together goes through here.
 *
 * Order of calls: net_new; hosts, switches, links, addresses; net_prepare (assigns what was left to us:
 * subnets, addresses, routes; may be called again after changes, also during a run); run (sim_run on
 * net_sim); net_free.
 *
 * What is left to us. A *segment* is what one broadcast reaches: a link, or everything joined by switches and
 * hubs. Segments get 10.0.0.0/24, 10.0.1.0/24, … in order of creation, larger ones what they need; in each,
 * routers get .1, .2, …, then hosts follow in order of plugging. Hosts with one router in reach get a default
 * route; where there is more than one router, routes are the shortest paths by number of routers, ties to the
 * router made first. */
#pragma once

#include "models/cc/cc.h"
#include "models/ether/nic.h"
#include "models/ether/switch.h"
#include "models/ip/icmp4.h"
#include "models/ip/ip4.h"
#include "models/ip/ip6.h"
#include "models/link/link.h"
#include "models/link/segment.h"
#include "models/tcp/tcp.h"
#include "models/udp/udp.h"
#include "sim/engine/sim.h"

typedef struct Net Net;
typedef struct Host Host;       /* a host or a router: a Host that forwards */
typedef struct NetLink NetLink; /* a cable and what it joins */
typedef struct NetEnd NetEnd;

/* Node.kind */
enum { NET_HOST = 1, NET_ROUTER, NET_SWITCH, NET_HUB };
/* "host", "router", "switch", "hub"; "" for the scenario's own node. */
const char *net_kind_name(const Node *n);

Net *net_new(uint64_t seed);
void net_free(Net *net);
Sim *net_sim(const Net *net);
PacketPool *net_packets(const Net *net);
Probes *net_probes(const Net *net);
/* A congestion controller that all hosts may choose by its name, besides those built in. It must outlive the
 * network. */
void net_add_controller(Net *net, const CcOps *ops);
const CcSet *net_controllers(const Net *net);

/* Names are unique over the network: NULL and *error otherwise, and for a name that is not letters, digits,
 * '-', '_' and '.'. */
Host *net_host(Net *net, const char *name, char **error);
Host *net_router(Net *net, const char *name, char **error);
Switch *net_switch(Net *net, const char *name, char **error);
/* A shared half-duplex segment (CSMA/CD); config NULL: 10 Mbit/s. */
Node *net_hub(Net *net, const char *name, const SegmentConfig *config, char **error);

Host *host_of_node(Node *n); /* NULL: not a host */
Switch *switch_of_node(Node *n);
Segment *net_segment_of(const Net *net, const Node *n);   /* NULL: not a hub */
Host *net_host_by_name(const Net *net, const char *name); /* NULL: no such host */
unsigned net_host_count(const Net *net);
Host *net_host_at(const Net *net, unsigned i); /* in order of creation */

/* ---- cables ---- */

typedef struct NetEndConfig {
    Node *node;      /* host, router, switch or hub */
    const char *dev; /* the interface's name; NULL: the next of eth0, eth1, … (p1, p2, … on a switch) */
    bool has_mac, has_addr, no_addr;
    MacAddr mac;     /* else 02:00:…: counted up, locally administered */
    Ipv4Prefix addr; /* else assigned; several: ip4_addr_add afterwards */
} NetEndConfig;

typedef enum NetLinkKind { NET_LINK_ETHERNET, NET_LINK_PPP } NetLinkKind;

typedef struct NetLinkConfig {
    NetLinkKind kind;
    NetEndConfig end[2];
    LinkDirConfig dir[2]; /* 0: from end 0 to end 1; linkdirconfig_init */
    bool has_subnet;
    Ipv4Prefix subnet; /* for the ends without an address; of the whole segment */
} NetLinkConfig;

void netlinkconfig_init(NetLinkConfig *c);
/* NULL and *error: a link to itself, a name taken, an address outside the subnet or used twice, … The configs
 * of the directions (queues, impairments) are taken over in any case. */
NetLink *net_link(Net *net, NetLinkConfig *c, char **error);
/* Pulls the cable; its interfaces stay, without carrier. net_replug joins end `end` to another node's new or
 * given interface. */
void net_unplug(NetLink *l);
bool net_replug(NetLink *l, unsigned end, const NetEndConfig *to, char **error);

unsigned net_link_count(const Net *net);
NetLink *net_link_at(const Net *net, unsigned i);
/* The first link between the two nodes, or NULL. */
NetLink *net_link_between(const Net *net, const Node *a, const Node *b);
Link *netlink_link(const NetLink *l); /* NULL on a hub's port, and while unplugged */
LinkDir *netlink_dir(const NetLink *l,
                     unsigned from); /* the direction that leaves end `from`; NULL likewise */
Node *netlink_node(const NetLink *l, unsigned end);
NetDev *netlink_dev(const NetLink *l, unsigned end);             /* NULL at a switch or hub */
LinkPort *netlink_port(const NetLink *l, unsigned end);          /* NULL: a hub has no ports */
const ProbePoint *netlink_point(const NetLink *l, unsigned end); /* of that port; NULL likewise */
const char *netlink_name(const NetLink *l); /* "client-r", with "#2" for a second one between the same two */
void netlink_set_up(NetLink *l, bool up);

/* ---- addresses, names, routes ---- */

/* Assigns subnets, addresses and routes to what has none. Routes that it made earlier are replaced; yours
 * stay. */
bool net_prepare(Net *net, char **error);
void net_set_auto_routes(Net *net, bool on); /* on by default */
void net_set_auto_addresses(Net *net, bool on);

/* "10.0.0.1", "server", "server:eth1", "localhost"; asked by host (NULL: nobody in particular). */
bool net_resolve(const Net *net, const Host *host, const char *name, uint32_t *addr);
/* Name of the host that owns the address, or NULL. */
const char *net_name_of(const Net *net, uint32_t addr);

/* ---- hosts ---- */

Node *host_node(const Host *h);
Net *host_net(const Host *h);
bool host_is_router(const Host *h);
Ip4 *host_ip4(Host *h);
Icmp4 *host_icmp4(Host *h); /* made when first needed, as is the next */
Udp *host_udp(Host *h);
Tcp *host_tcp(Host *h);
bool host_has_tcp(const Host *h);    /* asking makes nothing */
TcpSysctl *host_tcp_sysctl(Host *h); /* to be changed; kept while the host has no power */
const TcpSysctl *host_tcp_sysctl_get(const Host *h);
/* The host's IPv6, made when first asked for; a host that nobody asks has none. Before host_tcp, which takes
 * what is there. */
Ip6 *host_ip6(Host *h);
bool host_has_ip6(const Host *h);
uint32_t host_addr(Host *h); /* the primary address of the first interface that has one; 0: none */
NetDev *host_dev(Host *h, const char *name); /* NULL: no such interface; "lo" included */
/* A VLAN's interface on top of a network card, "eth0.10": it has the card's carrier, address and MTU, and
 * lives as long. NULL and *error: dev is no card, or has that VLAN. Not known to net_prepare, which sees
 * cables: it needs an address, and hosts behind it a route. */
NetDev *host_add_vlan(Host *h, NetDev *dev, unsigned vid, char **error);
unsigned host_dev_count(const Host *h);
NetDev *host_dev_at(const Host *h, unsigned i);

/* A counter by its netstat name ("IpInReceives", "UdpNoPorts"); false: no such counter. */
bool host_counter(Host *h, const char *name, uint64_t *value);
/* All counters in netstat's order. */
void host_foreach_counter(Host *h, void (*fn)(const char *name, uint64_t value, void *user), void *user);
/* A sysctl by its Linux name ("net.ipv4.ip_forward", "net.ipv4.neigh.default.base_reachable_time_ms",
 * "net.ipv4.neigh.eth0.…"). false and *error: unknown (with the closest known name) or out of range. */
bool host_sysctl_set(Host *h, const char *name, const char *value, char **error);
bool host_sysctl_get(Host *h, const char *name, char **value, char **error);
void host_foreach_sysctl(void (*fn)(const char *name, const char *help, void *user), void *user);

/* Power. Down: interfaces lose carrier for their peers, everything in memory is gone (sockets, caches, learnt
 * routes); configured addresses and routes come back with the host. */
void host_set_power(Host *h, bool on);
bool host_is_on(const Host *h);
/* Called when the host goes down, so that processes can be ended. */
void host_on_power(Host *h, void (*fn)(void *user, bool on), void *user);

/* ---- what it costs (--stats) ---- */

typedef struct NetSizes {
    uint64_t hosts, host_bytes; /* host with its stack */
    uint64_t links, link_bytes; /* both directions, with the interfaces at their ends */
    uint64_t switches, switch_bytes;
    uint64_t routes, route_bytes;
    uint64_t neighbours, neighbour_bytes;
    uint64_t tcp_conns, tcp_bytes; /* sockets of all states; with the tables and buffers of TCP */
} NetSizes;
void net_sizes(const Net *net, NetSizes *out);
