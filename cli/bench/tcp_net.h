/* What the TCP workloads share: links, a sink, hosts whose buffers may be large. */
#pragma once

#include "cli/bench/bench.h"
#include "models/app/tcp_sink.h"
#include "models/app/tcp_source.h"

#define BENCH_TCP_PORT 5001
#define BENCH_WRITE_BYTES 1448 /* what applications write at a time */

/* `packets` 0: the default queue. */
NetLink *bench_link(Net *net, Node *a, Node *b, uint64_t rate_bps, SimTime delay, uint32_t packets);
bool bench_prepare(BenchNet *b);
/* Buffers as large as the workload says may be asked for. */
void bench_raise_limits(Host *h);
TcpSink *bench_sink(Host *h, uint32_t rcvbuf);
InetEndpoint bench_at(Host *server);
