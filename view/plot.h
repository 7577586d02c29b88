/* Plots: what can be asked for, and the way from a run to a picture.
 *
 * Order of calls: plot_parse_what; for every run a PlotSink (plot_sink.h), attached before the scenario's
 * first line, sealed while its network still exists; plot_build makes a PlotFigure (plot_figure.h) of one run
 * or of several; plotgnuplot_write (plot_gnuplot.h) writes it as data and a script for gnuplot,
 * plotterm_render (plot_term.h) as text for a terminal. */
#pragma once

#include <glib.h>

#include "sim/base/base.h"
#include "sim/base/simtime.h"
#include "view/plot_figure.h"

/* In the order in which panels stand below each other. */
typedef enum PlotWhat {
    PLOT_CWND,
    PLOT_SSTHRESH,
    PLOT_INFLIGHT,
    PLOT_SEQUENCE,
    PLOT_RWND, /* the window that the peer offers */
    PLOT_RTT,
    PLOT_RTO,
    PLOT_QUEUE,
    PLOT_SOJOURN,
    PLOT_THROUGHPUT,
    PLOT_GOODPUT,
    PLOT_FAIRNESS,
    PLOT_LOSS,
    PLOT_MARK,
    PLOT_WHATS
} PlotWhat;

#define PLOT_BIT(what) (UINT32_C(1) << (what))

typedef struct PlotWhatInfo {
    const char *name;  /* "cwnd" */
    const char *title; /* "Congestion window" */
    const char *help;  /* one line, lower case */
} PlotWhatInfo;

extern const PlotWhatInfo plot_whats[PLOT_WHATS];

/* "cwnd,ssthresh,rtt" into bits. False: *error is a sentence for g_free that names the closest word. */
bool plot_parse_what(const char *list, uint32_t *what, char **error) HS_MUST_USE;
/* "cwnd, ssthresh, …" for messages, to be freed. */
char *plot_what_names(const char *separator);

/* Exactly one thing, and one whose values have a distribution. */
bool plot_has_distribution(uint32_t what);

typedef struct PlotWish {
    uint32_t what;     /* PLOT_BIT(…) */
    SimTime from, to;  /* SIM_NEVER: to the end */
    SimTime interval;  /* of throughput, goodput, fairness; 0: chosen */
    const char *host;  /* senders and queues: patterns, NULL: all. '*' and '?' */
    const char *flow;  /* "client>server:80", either part with or without a port, patterns; NULL: all */
    bool cdf;          /* the distribution of the values, not their course; of one thing */
    bool separate;     /* a panel for each flow or queue */
    bool log;          /* a logarithmic axis of values */
    bool no_states;    /* no bands for slow start, recovery and loss */
    const char *title; /* NULL: made from the scenario and what */
    PlotLook look;
} PlotWish;
