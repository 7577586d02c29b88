/* A source of bulk TCP traffic: connects, writes the synthetic stream as fast as the send buffer takes it,
 * and closes when all is written. */
#pragma once

#include "models/tcp/tcp.h"
#include "sim/engine/timer.h"

typedef struct TcpSource TcpSource;

typedef struct TcpSourceOptions {
    InetEndpoint to;
    SimTime start;        /* after now */
    uint64_t bytes;       /* 0: without end */
    uint32_t write_bytes; /* of each write; 0: 65536 */
    uint32_t sndbuf,
        rcvbuf; /* SO_SNDBUF, SO_RCVBUF as an application gives them; 0: the defaults, with autotuning */
    const char *congestion; /* NULL: the host's */
    bool keep_open;         /* do not close at the end */
} TcpSourceOptions;

typedef struct TcpSourceResult {
    uint64_t written;         /* into the send buffer */
    SimTime connected, ended; /* -1: not yet. Ended: the socket was closed */
    int err;                  /* positive errno that ended it; 0: none */
} TcpSourceResult;

/* Called once, when it has written everything and closed, or failed. It may free the source. */
typedef void (*TcpSourceDoneFn)(void *user, const TcpSourceResult *r);

/* NULL: no such congestion control. */
TcpSource *tcp_source_new(Tcp *tcp, Node *node, const TcpSourceOptions *o, TcpSourceDoneFn done, void *user);
void tcp_source_stop(TcpSource *s); /* closes now */
void tcp_source_free(TcpSource *s);
void tcp_source_result(const TcpSource *s, TcpSourceResult *out);
TcpConn *tcp_source_conn(const TcpSource *s); /* NULL: not begun, or over */
