/* A network as a user builds it: hosts, routers, switches, links, names, addresses and routes. Everything that a scenario, a
 * benchmark or a test puts together goes through here.
 *
 * Order of calls: net_new; hosts, links, addresses; net_prepare (assigns what was left to us: subnets, addresses, routes; may be
 * called again after changes); run (sim_run on net_sim); net_free. */
#pragma once

#include "models/ip/icmp4.h"
#include "models/ip/ip4.h"
#include "models/link/link.h"
#include "models/udp/udp.h"
#include "sim/engine/sim.h"

typedef struct Net Net;
typedef struct Host Host; /* a host or a router: a Host that forwards */
typedef struct Switch Switch; /* models/ether/switch.h */
typedef struct NetLink NetLink;

enum { NET_HOST = 1, NET_ROUTER, NET_SWITCH, NET_HUB }; /* Node.kind */

Net *net_new(uint64_t seed);
void net_free(Net *net);
Sim *net_sim(const Net *net);
PacketPool *net_packets(const Net *net);
Probes *net_probes(const Net *net);

/* Names are unique over the network: NULL and *error otherwise (also for a name that is not letters, digits, '-', '_', '.'). */
Host *net_host(Net *net, const char *name, char **error);
Host *net_router(Net *net, const char *name, char **error);
Host *net_host_by_name(const Net *net, const char *name);

Node *host_node(const Host *h);
Ip4 *host_ip4(Host *h);
Udp *host_udp(Host *h);   /* made when first asked for */
Net *host_net(const Host *h);
/* The counter by its netstat name ("IpInReceives", "UdpNoPorts"); false: no such counter. */
bool host_counter(Host *h, const char *name, uint64_t *value);
