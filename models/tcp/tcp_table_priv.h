/* The tables of tcp_table.c (four-tuples, listeners) and tcp_ports.c (ports), for those two only. */
#pragma once

#include "models/tcp/tcp_life.h"
#include "models/tcp/tcp_sockopt.h"

struct TcpBind {
    TcpBind *next;
    TcpConn *owners;
    TcpConn *listeners; /* by hash_next, newest first */
    TcpTw *tws;
    uint16_t port;
    bool is_auto; /* made by connect(): other automatic users may share it, bind(0) does not (fastreuse -1) */
};

/* "No even port is left towards this destination": true until something is removed. Without it, each of many
 * connections to one place would look at all of them again. */
typedef struct TcpPortsFull {
    InetAddr local, remote;
    uint16_t remote_port;
    uint32_t low, high; /* the range that was searched */
    uint64_t n_freed;   /* TcpPorts.n_freed at that time */
} TcpPortsFull;

typedef struct TcpPerturb {
    uint32_t slot;
    uint32_t n;
    TcpPortsFull *full; /* NULL: not known to be */
} TcpPerturb;

/* Of a host that connects to many places, or that has run out of ports. */
typedef struct TcpPorts {
    uint64_t n_freed; /* counts whatever may have made a port or a four-tuple free */
    uint32_t n;
    TcpPerturb *perturb; /* of the slots that are in use, in order of first use */
} TcpPorts;

static inline void tcp_ports_freed(TcpTable *tab)
{
    if (tab->search)
        tab->search->n_freed++;
}

static inline uint32_t tcp_table_bound_dev(const TcpConn *c)
{
    return c->opts ? c->opts->bound_ifindex : 0;
}

/* tcp_table.c */
bool tcp_table_is_free(TcpConn *c, uint16_t port, TcpTw **reused);

/* tcp_ports.c */
void tcp_ports_clear(Tcp *t);
size_t tcp_ports_search_bytes(const TcpTable *tab);
TcpBind *tcp_ports_find(const TcpTable *tab, uint16_t port);
TcpBind *tcp_ports_make(Tcp *t, uint16_t port);
void tcp_ports_drop_if_empty(Tcp *t, TcpBind *b);
