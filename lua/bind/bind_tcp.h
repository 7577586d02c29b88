/* What the files of TCP sockets share: bind_tcp.c (making one, connecting, closing), bind_tcp_op.c (running a
 * system call), bind_tcp_io.c (reading, writing), bind_tcp_opt.c (options, TCP_INFO, addresses),
 * bind_tcp_events.c (callbacks, epoll). */
#pragma once

#include "lua/bind/bind.h"
#include "models/node/socket.h"

typedef struct ScnTcp ScnTcp;
typedef struct TcpOp TcpOp;

/* A descriptor as a scenario holds it. It belongs to a process's table (or the host's, when it was made by
 * the main part or in a callback) and is closed with it. Open, it is ours and lent to Lua; afterwards Lua
 * frees it. */
struct ScnTcp {
    ScnHost *host;
    Fds *fds;       /* NULL: closed */
    uint64_t table; /* its fds_id: a forked process may hold a copy that is still open */
    int fd;
    bool is_epoll;
    bool is_given;             /* closed, and Lua frees it */
    unsigned busy;             /* calls that need it */
    TcpOp *ops;                /* that sleep */
    struct TcpEvent *event[3]; /* callbacks: accept, connect, data */
};

/* A system call on behalf of Lua. */
struct TcpOp {
    SockCall call;
    ScnTcp *sk;
    TcpOp *next, **link;
    Fds *fds;               /* the table it runs in */
    Proc *proc;             /* waits; NULL: a callback's own */
    struct TcpEvent *event; /* of a callback */
    bool is_cut;            /* the descriptor's table went away meanwhile */
    int (*push)(lua_State *L, TcpOp *op);
    SockAddr addr;
    void *bytes;    /* a copy of what is written; freed with the op */
    GArray *slices; /* PktSlice: what was read */
    struct epoll_event events[32];
};

ScnTcp *bind_tcp_check(lua_State *L, int idx);
ScnTcp *bind_tcp_adopt(ScnHost *h, Fds *fds, int fd); /* a descriptor becomes an object of Lua's */
void bind_tcp_push(lua_State *L, ScnTcp *sk);
/* The table in which the running process has this descriptor: its own copy, if it was forked from the owner.
 * NULL: closed. */
Fds *bind_tcp_fds(lua_State *L, const ScnTcp *sk);
TcpOp *bind_tcp_op(ScnTcp *sk, SockOp kind, int (*push)(lua_State *L, TcpOp *op));
void bind_tcp_op_free(TcpOp *op);
/* Runs the call, waiting if it sleeps and the caller can; frees op. timeout < 0: for ever. */
int bind_tcp_run(lua_State *L, TcpOp *op, SimTime timeout);
/* For calls that cannot sleep. */
int64_t bind_tcp_now(lua_State *L, ScnTcp *sk, SockCall *call);
void bind_tcp_collect(void *user, const PktSlice *slice); /* SockCall.take; user: the TcpOp */
void bind_tcp_push_slices(
    lua_State *L, const TcpOp *op); /* a string, or a payload when all is synthetic and in one piece */
void bind_tcp_close(ScnTcp *sk, Fds *fds);
void bind_tcp_give_if_done(ScnTcp *sk);
void bind_tcp_events_clear(ScnTcp *sk);
/* The descriptor table for what this caller makes. */
Fds *bind_tcp_table(lua_State *L, ScnHost *h);
/* (port), (address, port), "address:port" at idx. */
SockAddr bind_tcp_check_endpoint(lua_State *L, int idx, const ScnHost *h, bool is_address_needed);
InetEndpoint bind_tcp_check_address(lua_State *L, int idx, const ScnHost *h); /* port 0 */
void bind_tcp_push_info(lua_State *L, TcpConn *c);                            /* the table of tcp:info */
void bind_tcp_push_addr(lua_State *L, const SockAddr *a);                     /* pushes address, port */

/* Methods that live in files of their own. */
int bind_tcp_read(lua_State *L);
int bind_tcp_recv(lua_State *L);
int bind_tcp_write(lua_State *L);
int bind_tcp_send(lua_State *L);
int bind_tcp_sendto(lua_State *L);
int bind_tcp_setopt(lua_State *L);
int bind_tcp_getopt(lua_State *L);
int bind_tcp_info(lua_State *L);
int bind_tcp_local(lua_State *L);
int bind_tcp_remote(lua_State *L);
int bind_tcp_state(lua_State *L);
int bind_tcp_on_accept(lua_State *L);
int bind_tcp_on_connect(lua_State *L);
int bind_tcp_on_data(lua_State *L);
/* One option by its Linux name; idx: the value. 0 or -errno; raises for unknown names and wrong types. */
int bind_tcp_set_named(lua_State *L, ScnTcp *sk, const char *name, int idx);
