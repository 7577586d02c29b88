/* A sink of TCP traffic: listens, accepts everything, throws away what it reads, closes when the other side
 * has. */
#pragma once

#include "models/tcp/tcp.h"
#include "sim/engine/timer.h"

typedef struct TcpSink TcpSink;

typedef struct TcpSinkOptions {
    InetEndpoint at; /* address any and a port */
    int backlog;     /* 0: 4096 */
    uint32_t rcvbuf; /* SO_RCVBUF; 0: the default, with autotuning */
    bool check;      /* compare with the synthetic stream from offset 0 on, as tcp_source writes it */
} TcpSinkOptions;

typedef struct TcpSinkResult {
    uint64_t connections, closed; /* accepted so far; of them, over */
    uint64_t bytes, wrong_bytes;  /* wrong: of a checking sink */
    SimTime first, last;          /* when bytes were read; valid if there were any */
} TcpSinkResult;

/* NULL and *err (negative errno): the port is taken. */
TcpSink *tcp_sink_new(Tcp *tcp, Node *node, const TcpSinkOptions *o, int *err);
void tcp_sink_free(TcpSink *s); /* closes everything */
void tcp_sink_result(const TcpSink *s, TcpSinkResult *out);
