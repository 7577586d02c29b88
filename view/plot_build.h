/* From what the sinks of one run or of several have collected to a figure. */
#pragma once

#include "view/plot_figure.h"
#include "view/plot_sink.h"

typedef struct PlotRun {
    const PlotSink *sink; /* sealed; all with the same wish */
    const char *label;    /* tells runs apart; "" if there is one only */
} PlotRun;

/* NULL: there is nothing to draw; *error says why, for g_free. scenario: what the title names, "reno.lua". */
PlotFigure *plot_build(const PlotRun *runs, unsigned n_runs, const char *scenario, char **error) HS_MUST_USE;
/* "cwnd-ssthresh", for file names. */
char *plot_what_stem(uint32_t what);
