/* What the files that build figures share. */
#pragma once

#include "view/plot_build.h"

#define PLOT_CROWD 8     /* more flows than that are shown as a crowd: no legend, median and range */
#define PLOT_DRAWN 200   /* of more flows some are drawn, the same distance apart; all count for the median */
#define PLOT_COLUMNS 480 /* places next to each other that a picture can show */

/* A line of the picture: a flow of a run, or a queue. */
typedef struct PlotItem {
    const PlotEnd *end;
    const PlotQueue *queue;
    unsigned run;
    char *label;
    uint32_t rgb;
} PlotItem;

typedef struct PlotBuild {
    const PlotRun *runs;
    unsigned n_runs;
    const PlotWish *wish;
    const char *scenario;
    GArray *flows, *queues; /* PlotItem: of the panels that are made now */
    const GArray *all_flows, *all_queues;
    unsigned first_panel; /* of those of these flows */
    bool is_separate;     /* each has panels of its own */
    SimTime from, to;     /* of the axis */
    double unit;          /* nanoseconds of one unit of the axis */
    SimTime thin;         /* width of a column */
    PlotFigure *figure;
    char *error;
} PlotBuild;

/* One of so many of a crowd has a line of its own. */
static inline unsigned plotbuild_every(unsigned n)
{
    return (n + PLOT_DRAWN - 1) / PLOT_DRAWN;
}

static inline bool plotbuild_wants(const PlotBuild *b, PlotWhat what)
{
    return (b->wish->what & PLOT_BIT(what)) != 0;
}

static inline const PlotItem *plotbuild_item(const GArray *items, unsigned i)
{
    return &g_array_index(items, PlotItem, i);
}

/* The series of an item that a panel shows. */
typedef const PlotSeries *(*PlotSeriesOf)(const PlotItem *item, unsigned which);

/* A panel that is being filled. */
typedef struct PlotPart {
    PlotBuild *b;
    PlotPanel *p;
    const GArray *items;
    double factor; /* values are divided by it */
    bool has_main; /* a curve that carries the flows' names is there */
    bool is_alone; /* one item */
} PlotPart;

PlotPart plotpart_new(PlotBuild *b, const GArray *items, const char *name, const char *unit,
                      const char *brief);
/* What a curve of one flow or of several is called. The second thing that a panel shows is dashed where
 * colours are the flows'. */
PlotCurve *plotpart_add_curve(PlotPart *p, const PlotItem *item, unsigned i, const char *name,
                              PlotStyle style, uint32_t rgb);

/* A grid of values, one row for each flow; NAN where it is not there. */
typedef struct PlotGrid {
    unsigned rows, columns;
    double *value;
} PlotGrid;

/* Every row faintly, their median and their middle 80 %. */
void plotpart_add_crowd(const PlotPart *p, const PlotGrid *g, double x, double step);

void plotpanels_add(PlotBuild *b); /* over time */
void plotpart_add_levels(const PlotPart *p, PlotWhat what);
void plotrates_add(PlotBuild *b);
void plotrates_add_fairness(PlotBuild *b);
void plotcdf_add(PlotBuild *b);
double plotbuild_x(const PlotBuild *b, SimTime t);
const PlotSeries *plotitem_series(const PlotItem *item, PlotWhat what);
SimTime plotbuild_interval(const PlotBuild *b); /* of rates */
bool plotbuild_check_interval(PlotBuild *b);    /* false: b->error */
/* The unit that fits the largest value: its factor, and "ms". */
typedef struct PlotUnit {
    double factor; /* values are divided by it */
    const char *name;
} PlotUnit;
PlotUnit plotunit_time(double seconds);
PlotUnit plotunit_rate(double bps);
PlotUnit plotunit_bytes(double bytes);
