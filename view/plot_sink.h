/* Collects from a run what a plot needs, and no more: bounded memory however long the run is.
 *
 * The endpoints that send are told apart by node, ports and remote address; a new connection on the same
 * ports is another one. What TCP itself knows comes from its probes. Throughput, goodput and sequence numbers
 * come from the frames that a sender's and a receiver's cards see:
 *
 *   throughput  bits of frames that arrive at the receiver's card, from the Ethernet header on, without FCS;
 * of frames that carry payload goodput     payload that the receiver has acknowledged in order (TCP), or that
 * arrived (UDP) sojourn     the time that a frame waited, taking the queue for first in, first out */
#pragma once

#include <glib.h>

#include "sim/trace/probe.h"
#include "view/plot.h"
#include "view/plot_series.h"

/* What a sender's series are of. */
typedef enum PlotEndSeries {
    PLOT_END_CWND, /* segments; so are the next two */
    PLOT_END_SSTHRESH,
    PLOT_END_INFLIGHT,
    PLOT_END_STATE, /* PlotState */
    PLOT_END_RTT,   /* seconds: the samples; so are the next two */
    PLOT_END_SRTT,
    PLOT_END_RTO,
    PLOT_END_RWND,  /* bytes */
    PLOT_END_SENT,  /* ranges of relative sequence numbers, sent for the first time; so the next ones */
    PLOT_END_AGAIN, /* sent again */
    PLOT_END_SACK,  /* reported by the receiver */
    PLOT_END_DSACK, /* of these what had arrived before (RFC 2883) */
    PLOT_END_PROBE, /* a segment without data below what was sent: keepalive, window probe */
    PLOT_END_ACK,   /* the receiver's acknowledgment, and its window's right edge */
    PLOT_END_EDGE,
    PLOT_END_LOST, /* y: relative sequence number of a lost frame, y2: how many */
    PLOT_END_MARK, /* frames that arrived with Congestion Experienced; y2: how many */
    PLOT_END_SERIES
} PlotEndSeries;

typedef enum PlotState {
    PLOT_STATE_AVOIDANCE,
    PLOT_STATE_SLOW_START,
    PLOT_STATE_CWR,
    PLOT_STATE_RECOVERY,
    PLOT_STATE_LOSS,
    PLOT_STATES
} PlotState;

typedef struct PlotEnd {
    uint8_t proto; /* 6 or 17 */
    uint32_t node_id;
    char *node; /* its name */
    uint16_t local_port, remote_port;
    uint8_t remote[16];   /* IPv4: mapped */
    char *remote_name;    /* of the node, or the address; after plotsink_seal */
    uint64_t conn;        /* field "conn" of TCP's records; 0: not known */
    uint64_t payload;     /* bytes that it sent, repetitions included */
    struct PlotEnd *peer; /* NULL: not known */
    /* sequence numbers */
    bool has_isn;
    uint32_t isn;
    uint8_t wscale;
    bool has_wscale;
    int64_t high;  /* one past the highest relative number that was sent */
    int64_t acked; /* likewise acknowledged */
    PlotSeries s[PLOT_END_SERIES];
    PlotBins received, useful; /* bytes: throughput, goodput */
    uint64_t lost, marked;
} PlotEnd;

typedef struct PlotQueue {
    uint32_t point;
    char *node, *device;
    uint64_t packets, max_packets;
    PlotSeries length, sojourn; /* packets; seconds */
    GQueue waiting;             /* times of arrival */
} PlotQueue;

typedef struct PlotSink PlotSink;

typedef struct PlotSinkConfig {
    PlotWish wish; /* strings are copied */
    /* What the bus does not know; each may be NULL. "host", "router" …; the name of the node that has the
     * address (as text), NULL: none. */
    const char *(*kind_of)(void *user, const Node *node);
    const char *(*name_of)(void *user, const char *addr);
    void *user;
} PlotSinkConfig;

PlotSink *plotsink_new(const PlotSinkConfig *config);
void plotsink_attach(PlotSink *s, Probes *probes);
/* Detaches, and looks up names while there is a network. */
void plotsink_seal(PlotSink *s);
void plotsink_free(PlotSink *s); /* detaches if need be; NULL is allowed */
const PlotWish *plotsink_wish(const PlotSink *s);

/* Something that the picture is to say about a time. */
void plotsink_add_note(PlotSink *s, SimTime t, const char *text);
unsigned plotsink_note_count(const PlotSink *s);
const char *plotsink_note(const PlotSink *s, unsigned i, SimTime *t);

/* A line at a value: of the panel that shows `what`, in segments, bytes, seconds, bit/s or packets. */
typedef struct PlotLevel {
    PlotWhat what;
    double value;
    const char *text;
} PlotLevel;

void plotsink_add_level(PlotSink *s, PlotWhat what, double value, const char *text);
unsigned plotsink_level_count(const PlotSink *s);
const PlotLevel *plotsink_level(const PlotSink *s, unsigned i);

unsigned plotsink_end_count(const PlotSink *s);
const PlotEnd *plotsink_end(const PlotSink *s, unsigned i);
unsigned plotsink_queue_count(const PlotSink *s);
const PlotQueue *plotsink_queue(const PlotSink *s, unsigned i);
SimTime plotsink_until(const PlotSink *s); /* when the run ended */
/* "client:40000", "server:80" */
char *plotend_name(const PlotEnd *e, bool is_remote, bool with_port);
