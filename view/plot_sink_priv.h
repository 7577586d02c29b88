/* What the files of the plot's sink share. */
#pragma once

#include "view/plot_sink.h"

#define PLOT_PROTO_TCP 6
#define PLOT_PROTO_UDP 17
#define PLOT_BINS_WIDTH SIM_MS

typedef struct PlotEndKey {
    uint32_t node_id;
    uint16_t local_port, remote_port;
    uint8_t proto;
    uint8_t remote[16];
} PlotEndKey;

typedef struct PlotSinkNote {
    SimTime t;
    const char *text;
} PlotSinkNote;

struct PlotSink {
    PlotSinkConfig config;
    ProbeSink sink;
    Probes *probes; /* NULL: detached */
    Partition *part;
    SimTime until;
    GPtrArray *ends;     /* PlotEnd, in order of appearance */
    GPtrArray *nameless; /* PlotEnd whose ports are not known yet */
    GPtrArray *queues;   /* PlotQueue, likewise */
    GHashTable *by_key;  /* PlotEndKey -> the newest PlotEnd; look-up only */
    GHashTable *by_conn; /* node and conn -> PlotEnd; look-up only */
    GArray *queue_of;    /* ProbePoint.id -> PlotQueue * */
    GArray *is_host;     /* Node.id -> char: 0 not asked yet, 1 no, 2 yes */
    GArray *descs;       /* PlotDesc: the descriptions seen */
    GArray *notes;       /* PlotSinkNote */
    GArray *levels;      /* PlotLevel */
    GPtrArray *strings;  /* copies of the wish's */
};

static inline bool plotsink_wants(const PlotSink *s, uint32_t what)
{
    return (s->config.wish.what & what) != 0;
}

static inline bool plotsink_is_time(const PlotSink *s, SimTime t)
{
    return t >= s->config.wish.from && t <= s->config.wish.to;
}

PlotEnd *plotsink_find_end(PlotSink *s, const PlotEndKey *key, const char *node);
/* Another connection on the same ports. */
PlotEnd *plotsink_new_end(PlotSink *s, const PlotEndKey *key, const char *node);
bool plotsink_is_host(PlotSink *s, const Node *node);
void plotsink_on_frame(PlotSink *s, const ProbeRecord *r);
/* Before the picture begins: the newest value is kept, for that is what holds when it begins. False: it is
 * time. */
bool plotsink_carries(const PlotSink *k, PlotSeries *s, SimTime t, double y);
/* `at`: which fields of the record are read, in the order of record_kinds. */
void plotsink_on_cwnd(const PlotSink *k, PlotEnd *e, const ProbeRecord *r, const unsigned *at);
void plotsink_on_rtt(const PlotSink *k, PlotEnd *e, const ProbeRecord *r, const unsigned *at);
void plotsink_on_send(const PlotSink *k, PlotEnd *e, const ProbeRecord *r, const unsigned *at);
