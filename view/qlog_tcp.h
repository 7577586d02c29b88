/* TCP's events as qlog (sim/trace/qlog has the file format): what each end of each connection sent, received,
 * lost and thought of the network, for qvis and other readers of qlog.
 *
 * A file for each host and role: HOST-client for the connections that it opened, HOST-server for those that
 * it was asked for. Within it each connection is a group ("client 1 to 10.0.1.2:5001"). Packets are those on
 * the wire: segments as the network card sent them. packet_number is the number that the packet has at its
 * birth, the same at both ends, in captures and in event logs. docs/traces.md has the list of events.
 *
 * Order of calls: qlog_tcp_new before the scenario's first line; the run; qlog_tcp_close or _discard. */
#pragma once

#include <glib.h>

#include "sim/trace/probe.h"
#include "view/qlog_flow.h"

typedef struct QlogTcp QlogTcp;

#define QLOG_TCP_SCHEMA "urn:hopscope:qlog:events:tcp"

typedef struct QlogTcpConfig {
    /* The file for a host and a role ("client", "server"): a path for g_free, or NULL: none is wanted. */
    char *(*path)(void *user, const Node *node, const char *role);
    /* Is that an address ("10.0.0.2") of the node? Tells whom an arriving packet is for. */
    bool (*owns)(void *user, const Node *node, const char *address);
    void *user;
    const char *title;       /* of all files; the scenario */
    const char *description; /* likewise; NULL: none */
    const char *trace_title; /* short; NULL: none */
    uint16_t port;           /* only connections with it at either end; 0: all */
    QlogLevel level;
    OutHold *hold; /* for the files (sim/trace/outfile.h); NULL: none */
} QlogTcpConfig;

/* Strings must outlive it. Files are opened when there is something to write: errors are told by close. */
QlogTcp *qlog_tcp_new(Probes *probes, const QlogTcpConfig *config);
/* Nothing more comes: what waited is written. */
void qlog_tcp_finish(QlogTcp *q);
unsigned qlog_tcp_file_count(const QlogTcp *q);
/* Its path and how many events it holds. */
const char *qlog_tcp_file(const QlogTcp *q, unsigned i, uint64_t *events);
bool qlog_tcp_has_failed(const QlogTcp *q);
/* Both detach and free q. */
bool qlog_tcp_close(QlogTcp *q, GError **error);
void qlog_tcp_discard(QlogTcp *q); /* NULL is allowed */
