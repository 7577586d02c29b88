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

typedef struct TcpTable {
    TcpSlot *slots;
    uint32_t mask, n;
    TcpBind **ports;
    uint32_t port_mask, n_binds;
    /* The search for a local port found no even one free toward this destination; nothing has been freed
     * since. */
    struct {
        InetAddr local, remote;
        uint16_t remote_port;
        uint32_t low, remaining, frees;
    } evens_taken;
    uint32_t frees;    /* four-tuples and ports that were given back */
    uint32_t *perturb; /* table_perturb: how far the search for ports has come, by destination */
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
