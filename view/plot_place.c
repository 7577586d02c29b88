#include "view/plot_place.h"

#include <limits.h>

#include "sim/base/exactmath.h"

#define SAMPLES 24 /* places along a word where curves are looked at */

/* Of the panel's height, from below. */
static double height_of(const PlotPanel *p, double y)
{
    if (p->is_log)
        return y > p->min ? exactmath_log(y / p->min) / exactmath_log(p->max / p->min) : 0;
    return (y - p->min) / (p->max - p->min);
}

/* The last point at or before x; -1: none. */
static int last_before(const PlotCurve *c, double x)
{
    unsigned low = 0, high = c->points->len;

    while (low < high) {
        unsigned mid = (low + high) / 2;

        if (g_array_index(c->points, PlotXY, mid).x <= x)
            low = mid + 1;
        else
            high = mid;
    }
    return (int)low - 1;
}

static const PlotXY *point(const PlotCurve *c, int i)
{
    return &g_array_index(c->points, PlotXY, (unsigned)i);
}

/* The curve's height at x, which is not before its first and not after its last point. */
static double height_at(const PlotPanel *p, const PlotCurve *c, int before, double x)
{
    const PlotXY *at = point(c, before), *next;

    if (c->style != PLOT_LINE || before + 1 >= (int)c->points->len)
        return height_of(p, at->y);
    next = point(c, before + 1);
    return height_of(p, at->y + (next->y - at->y) * (x - at->x) / HS_MAX(next->x - at->x, 1e-12));
}

/* Does the curve pass through a strip, from x to x2, between two heights? */
static bool is_crossed(const PlotPanel *p, const PlotCurve *c, double x, double x2, double low, double high)
{
    bool is_line = c->style == PLOT_LINE || c->style == PLOT_STEPS;
    int first = last_before(c, x), last = last_before(c, x2);
    double from = 2, to = -1;

    if (c->style == PLOT_SPANS || c->style == PLOT_TICKS || c->style == PLOT_FILL || last < 0)
        return false;
    for (int i = first + 1; i <= last; i++) {
        double y = height_of(p, point(c, i)->y),
               y2 = c->style == PLOT_BARS ? height_of(p, point(c, i)->y2) : y;

        if (HS_MAX(y, y2) >= low && HS_MIN(y, y2) <= high)
            return true;
        from = HS_MIN(from, y);
        to = HS_MAX(to, y);
    }
    if (!is_line || (first == last && last + 1 == (int)c->points->len)) /* it is over */
        return false;
    if (first >= 0) {
        double y = height_at(p, c, first, x);

        from = HS_MIN(from, y);
        to = HS_MAX(to, y);
    }
    if (last + 1 < (int)c->points->len) {
        double y = height_at(p, c, last, x2);

        from = HS_MIN(from, y);
        to = HS_MAX(to, y);
    }
    return to >= low && from <= high;
}

static unsigned count_crossed(const PlotFigure *f, const PlotPanel *p, double left, double width, double low,
                              double height)
{
    unsigned n = 0;

    for (unsigned i = 0; i < SAMPLES; i++) {
        double x = f->min + (f->max - f->min) * (left + width * i / SAMPLES);
        double x2 = f->min + (f->max - f->min) * (left + width * (i + 1) / SAMPLES);

        for (unsigned k = 0; k < p->curves->len; k++)
            n += is_crossed(p, p->curves->pdata[k], x, x2, low, low + height);
        for (unsigned k = 0; k < f->notes->len; k++)
            n += g_array_index(f->notes, PlotFigureNote, k).x >= x &&
                 g_array_index(f->notes, PlotFigureNote, k).x < x2;
    }
    return n;
}

PlotPlace plotplace_level(const PlotFigure *f, const PlotPanel *p, double y, double width, double height)
{
    static const PlotPlace places[] = {{0.99, true, 'r'},  {0.01, true, 'l'},  {0.5, true, 'c'},
                                       {0.99, false, 'r'}, {0.01, false, 'l'}, {0.5, false, 'c'}};
    double at = height_of(p, y);
    unsigned best = 0, least = UINT_MAX;

    for (unsigned i = 0; i < HS_ARRAY_LEN(places) && least; i++) {
        double left = places[i].at - (places[i].align == 'r'   ? width
                                      : places[i].align == 'c' ? width / 2
                                                               : 0);
        double low = places[i].is_above ? at + height * 0.15 : at - height * 1.15;
        bool is_inside = low >= 0 && low + height <= 1.05;
        unsigned n = count_crossed(f, p, left, width, low, height) + (is_inside ? 0 : 1000);

        if (n < least) {
            least = n;
            best = i;
        }
    }
    return places[best];
}
