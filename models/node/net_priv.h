/* What the files of this folder know of a Net. */
#pragma once

#include <glib.h>

#include "models/ether/neigh.h"
#include "models/node/net.h"

/* What names of nodes and interfaces are made of. */
#define NET_NAME_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."

struct NetEnd {
    Node *node;
    NetDev *dev;    /* NULL at a switch or hub */
    LinkPort *port; /* of the device, or of the switch */
};

struct NetLink {
    Net *net;
    Link *link; /* NULL at a hub */
    NetEnd end[2];
    Ipv4Prefix subnet; /* of its segment: given, or found by net_prepare */
    bool has_subnet, subnet_given;
    bool is_pulled; /* net_unplug */
    bool is_down;   /* netlink_set_up; a host without power takes the carrier away as well */
    NetLinkKind kind;
    char *name; /* NULL until asked for */
};

typedef struct AutoRoute { /* a route that net_prepare made */
    Host *host;
    Ip4RouteSpec spec;
} AutoRoute;

struct Net {
    Sim *sim;
    PacketPool *packets;
    Probes *probes;
    GPtrArray *hosts, *switches, *hubs, *links;
    GArray *auto_routes;
    GHashTable *given; /* the addresses given in net_link: for look-ups only */
    uint64_t next_mac;
    uint8_t *subnet_used; /* a bit for each /24 of 10.0.0.0/8, made when first needed */
    CcSet controllers;    /* not owned: whoever made them does */
    bool auto_routes_on, auto_addresses_on;
    bool is_prepared; /* net_prepare has assigned addresses */
};

typedef struct PowerHook {
    void (*fn)(void *user, bool on);
    void *user;
} PowerHook;

typedef struct HostExtra {
    GArray *power_hooks;        /* NULL: none */
    NeighParams *neigh_default; /* net.ipv4.neigh.default, for interfaces to come; NULL: as Linux */
    Ip6 *ip6;                   /* NULL: the host does not speak it */
    struct Arp *arp_default;    /* net.ipv4.conf.all: its settings only; NULL: as Linux */
    TcpSysctl *tcp_sysctl;      /* set before there was a Tcp, or outliving it; NULL: as Linux */
    struct SockHost *sock;      /* socket.c; NULL: no process has used a socket */
} HostExtra;

struct Host {
    Node node; /* first */
    Net *net;
    Ip4 *ip;
    Icmp4 *icmp;
    Udp *udp;
    Tcp *tcp;
    HostExtra *extra;      /* NULL: nothing of it was needed yet */
    uint16_t n_eth, n_ppp; /* interfaces so far, for their names */
    bool off;
};

/* A segment of net_prepare: what one broadcast reaches. */
typedef struct NetSegment {
    Ipv4Prefix subnet;
    bool has_subnet;
    const NetLink *given, *conflict; /* the first link that gave the subnet; one that gave another */
    NetEnd **ends;                   /* those with a device, in order of plugging */
    unsigned n_ends;
} NetSegment;

/* Segments in order of their first link; *of_link gives each link's. */
GPtrArray *netassign_segments(const Net *net, unsigned **of_link);
void netassign_free_segments(GPtrArray *segments, unsigned *of_link);
bool netassign_addresses(Net *net, GPtrArray *segments, char **error);
/* Marks automatic subnets that overlap the prefix as taken. */
void netassign_mark_used(Net *net, Ipv4Prefix p);
bool netroutes_make(Net *net, GPtrArray *segments, char **error);
void netroutes_drop(Net *net);

static inline Cells *net_cells(const Net *net)
{
    return &sim_partition(net->sim, 0)->cells;
}
MacAddr netlink_next_mac(Net *net);
/* Lets the carrier follow the two ends' power and netlink_set_up. */
void netlink_update_carrier(NetLink *l);
Ip4If *netend_if(const NetEnd *e);
void host_clear(Host *h);
void host_free_dev(NetDev *dev);
HostExtra *host_extra(Host *h); /* made when first needed */
/* Somebody asks for a protocol that the host has not needed so far. */
void host_make_proto(Ip4 *ip, uint8_t proto);
void sockhost_free(struct SockHost *s); /* accepts NULL */
/* host_sysctl_tcp.c: TCP's part of the sysctls. known is false: not one of its names. */
bool host_sysctl_tcp_set(Host *h, const char *name, const char *value, bool *known, char **error);
bool host_sysctl_tcp_get(Host *h, const char *name, char **value);
void host_sysctl_tcp_foreach(void (*fn)(const char *name, const char *help, void *user), void *user);
/* Gives a new interface the sysctls that were set for all. */
void host_init_if(Host *h, Ip4If *ifp);
static inline NeighParams *host_neigh_default(const Host *h)
{
    return h->extra ? h->extra->neigh_default : NULL;
}
