/* A chart: points with error bars in a few series, drawn by gnuplot. Three files of one stem: STEM.tsv has
 * the numbers, STEM.gp draws them, and whoever runs gnuplot gets STEM.svg (or .png, .pdf) from it. Anybody
 * can restyle the picture by changing the script.
 *
 * Colours are those of other pictures (plot_figure.h); every series has a mark of its own besides. */
#pragma once

#include <glib.h>

#include "sim/base/base.h"

/* Intervals: low == high where there is none. */
typedef struct ChartPoint {
    double x, x_low, x_high;
    double y, y_low, y_high;
} ChartPoint;

typedef struct ChartSeries {
    char *label;
    unsigned group;    /* series of one group have one colour */
    bool is_reference; /* a law to compare with: a dashed line without marks */
    GArray *points;    /* ChartPoint, in the order of the line */
} ChartSeries;

typedef struct ChartAxis {
    char *label; /* without the unit */
    char *unit;  /* "bit/s"; "": none */
    bool is_log;
    GPtrArray *categories; /* x only: 0, 1, 2 … are these texts; NULL: numbers */
} ChartAxis;

typedef struct Chart {
    char *title, *subtitle;
    char *reference; /* what the dashed lines are, for the legend; NULL */
    ChartAxis x, y;
    bool is_scatter;   /* no lines between points */
    GPtrArray *series; /* ChartSeries */
} Chart;

Chart *chart_new(void);
void chart_free(Chart *c); /* NULL is allowed */
ChartSeries *chart_add_series(Chart *c, const char *label, unsigned group, bool is_reference);

/* The picture's name ends in one of these: svg, png, pdf. NULL: no. */
const char *chart_format(const char *path);
/* Writes the numbers and the script beside the picture's path. *script: the script's path, for g_free. */
bool chart_write(const Chart *c, const char *path, char **script, GError **error) HS_MUST_USE;

/* The factor and SI prefix that make max readable: 4.8e6 bit/s are 4.8 Mbit/s. 1 and "" for units that have
 * no prefixes. */
double chart_scale(const char *unit, double max, const char **prefix);
