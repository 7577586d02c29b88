/* The tables of tcp_table.c (four-tuples, listeners) and tcp_ports.c (ports), for those two only. */
#pragma once

#include "models/tcp/tcp_life.h"
#include "models/tcp/tcp_sockopt.h"

typedef struct TcpSlot {
    TcpConn *conn;
    TcpReq *req;
    TcpTw *tw;
} TcpSlot;

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
    uint64_t n_removed; /* TcpTable.n_removed at that time */
} TcpPortsFull;

typedef struct TcpPerturb { /* a slot of Linux's table_perturb: how far the search for ports has come */
    uint32_t slot;
    uint32_t n;
    TcpPortsFull *full; /* NULL: not known to be */
} TcpPerturb;

typedef struct TcpTable {
    TcpSlot *slots;
    uint32_t mask, n;
    TcpBind **ports;
    uint32_t port_mask, n_binds;
    TcpPerturb *perturb; /* of the slots that are in use, in order of first use */
    uint32_t n_perturb;
    uint64_t n_removed; /* counts whatever may have made a port or a four-tuple free */
} TcpTable;

static inline uint32_t tcp_table_bound_dev(const TcpConn *c)
{
    return c->opts ? c->opts->bound_ifindex : 0;
}

/* tcp_table.c */
bool tcp_table_is_free(TcpConn *c, uint16_t port, TcpTw **reused);

/* tcp_ports.c */
void tcp_ports_init(TcpTable *tab);
void tcp_ports_clear(TcpTable *tab);
TcpBind *tcp_ports_find(const TcpTable *tab, uint16_t port);
TcpBind *tcp_ports_make(TcpTable *tab, uint16_t port);
void tcp_ports_drop_if_empty(TcpTable *tab, TcpBind *b);
