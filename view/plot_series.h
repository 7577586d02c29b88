/* Samples over time that do not grow with the run: what a picture can show of them, and no more.
 *
 * Points are kept as they come. When there are too many, time is cut into intervals of a power of two
 * nanoseconds, and of each interval only what the eye would see is kept; later ones are thinned again with
 * what is there. Nothing depends on how the points were thinned before, except how fine the result is: an
 * interval's first, smallest, largest and last value survive any merging. */
#pragma once

#include <glib.h>

#include "sim/base/base.h"
#include "sim/base/simtime.h"

typedef struct PlotPoint {
    SimTime t;
    double y, y2; /* y2: of a range; else unused */
} PlotPoint;

typedef enum PlotThin {
    PLOT_THIN_VALUE, /* first, smallest, largest and last of an interval */
    PLOT_THIN_RANGE, /* y .. y2 of one interval that touch become one */
    PLOT_THIN_EVENT, /* of an interval the first one; y2 counts how many it stands for */
    PLOT_THIN_EVERY, /* every other one, then every fourth …: for distributions */
} PlotThin;

typedef struct PlotSeries {
    GArray *points; /* PlotPoint, in order of time; NULL: none yet */
    PlotThin thin;
    unsigned limit; /* thinned when there are more */
    SimTime width;  /* of the intervals; 0: never thinned */
    uint64_t seen;  /* points that were added */
    uint64_t step;  /* PLOT_THIN_EVERY: one of so many is kept */
} PlotSeries;

#define PLOT_SERIES_LIMIT 16384

void plotseries_init(PlotSeries *s, PlotThin thin);
void plotseries_clear(PlotSeries *s);
void plotseries_add(PlotSeries *s, SimTime t, double y, double y2);
unsigned plotseries_count(const PlotSeries *s);
const PlotPoint *plotseries_point(const PlotSeries *s, unsigned i);
const PlotPoint *plotseries_last(const PlotSeries *s); /* NULL: empty */

/* A thinned copy, at most one interval of `width` after another: GArray of PlotPoint. width 0: as it is. */
GArray *plotseries_thinned(const PlotSeries *s, SimTime width);

/* Sums of an amount in intervals of equal length, for rates. */
typedef struct PlotBins {
    GArray *sums;  /* double; NULL: none yet */
    SimTime width; /* a whole number of nanoseconds; becomes ten times as long when there are too many */
    bool is_fixed; /* the width was asked for: later amounts than fit are left out */
    SimTime first, last; /* times of the first and the last amount */
    bool is_any;
} PlotBins;

#define PLOT_BINS_LIMIT 65536

void plotbins_init(PlotBins *b, SimTime width, bool is_fixed);
void plotbins_clear(PlotBins *b);
void plotbins_add(PlotBins *b, SimTime t, double amount);
/* The sum from t to t + length; both are taken to be multiples of the width. */
double plotbins_sum(const PlotBins *b, SimTime t, SimTime length);
