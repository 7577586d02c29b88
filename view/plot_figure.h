/* A picture before it is drawn: panels that stand below each other and share the horizontal axis, curves in
 * them, all in the units that the axes show. Whoever draws (gnuplot's script, the terminal) decides nothing
 * but how. */
#pragma once

#include <glib.h>

#include "sim/base/base.h"

typedef enum PlotStyle {
    PLOT_LINE,
    PLOT_STEPS,
    PLOT_DOTS,
    PLOT_BARS,    /* from y to y2 */
    PLOT_CROSSES, /* losses */
    PLOT_TICKS,   /* marks at the lower edge: only x counts */
    PLOT_FILL,    /* between y and y2 */
    PLOT_SPANS,   /* from x to y2, the panel's whole height */
} PlotStyle;

typedef struct PlotXY {
    double x, y, y2;
} PlotXY;

typedef struct PlotCurve {
    char *label; /* "" : not in the legend */
    PlotStyle style;
    uint32_t rgb;
    double alpha; /* 0: clear, 1: solid */
    double width;
    bool is_dashed;
    bool is_faint;    /* covers an area that other curves cross */
    bool is_unlisted; /* a legend above says what it is */
    GArray *points;   /* PlotXY */
} PlotCurve;

/* A line at one place of an axis, with a word about it. */
typedef struct PlotFigureNote {
    double x;
    char *text;
} PlotFigureNote;

typedef struct PlotPanel {
    char *axis;       /* "Congestion window (segments)" */
    char *axis_short; /* "cwnd" for narrow places */
    double min, max;  /* of the axis; plotfigure_settle sets them where max <= min */
    char *heading;    /* whose panel it is, where each has its own; NULL: none */
    unsigned group;   /* panels of one group have the same axis; 0: none */
    bool is_from_zero;
    bool is_log;
    GPtrArray *curves; /* in order of drawing */
    GArray *levels;    /* PlotFigureNote: at a value of the axis */
} PlotPanel;

/* How it is drawn, where the user has a say. */
typedef struct PlotLook {
    unsigned width, height; /* pixels; 0: chosen */
    const char *font;       /* family; NULL: sans serif */
    bool is_paper;          /* for a column of a paper: small, no title */
    bool no_legend;
} PlotLook;

typedef struct PlotFigure {
    char *title, *subtitle;
    char *axis; /* "Time (s)" */
    double min, max;
    bool may_extend; /* max may become the next round number, if that is near */
    bool is_log;     /* the horizontal axis */
    char *missing;   /* what was wished for and is not there: "rtt, rwnd"; NULL: nothing */
    PlotLook look;
    char *font; /* look's */
    GPtrArray *panels;
    GArray *notes; /* PlotFigureNote */
} PlotFigure;

/* Okabe and Ito's colours, which people with any kind of colour blindness can tell apart, and two of Paul
 * Tol's. */
enum {
    PLOT_BLACK = 0x000000,
    PLOT_ORANGE = 0xe69f00,
    PLOT_SKY = 0x56b4e9,
    PLOT_GREEN = 0x009e73,
    PLOT_YELLOW = 0xf0e442,
    PLOT_BLUE = 0x0072b2,
    PLOT_RED = 0xd55e00,
    PLOT_PURPLE = 0xcc79a7,
    PLOT_GREY = 0x888888,
    PLOT_WINE = 0x882255,
    PLOT_INDIGO = 0x332288,
};
uint32_t plot_colour(unsigned i); /* of the i-th flow or run */

PlotFigure *plotfigure_new(void);
void plotfigure_free(PlotFigure *f); /* NULL is allowed */
void plotfigure_add_note(PlotFigure *f, double x, const char *text);
void plotfigure_set_look(PlotFigure *f, const PlotLook *look);
PlotPanel *plotfigure_add_panel(PlotFigure *f, const char *axis, const char *axis_short);
PlotCurve *plotpanel_add_curve(PlotPanel *p, const char *label, PlotStyle style, uint32_t rgb);
void plotcurve_add(PlotCurve *c, double x, double y, double y2);
void plotpanel_add_level(PlotPanel *p, double y, const char *text);
/* Panels without a point are taken out, and listed as missing. */
void plotfigure_drop_empty(PlotFigure *f);
/* Chooses axes that hold every point and end at round numbers, and what legends list. */
void plotfigure_settle(PlotFigure *f);
/* How many curves the panel's legend has. */
unsigned plotpanel_legend_count(const PlotPanel *p);
double plot_round_up(double v, double step); /* the multiple of step at or above v */
/* 1, 2 or 5 times a power of ten: the distance of about n marks on an axis of that length. */
double plot_round_step(double length, unsigned n);
/* Of 1, 2, 5, 10, 20, 50 … the one after v, which is one of them. */
double plot_log_next(double v);
