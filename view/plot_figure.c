#include "view/plot_figure.h"

#include <string.h>

/* Any two of them differ by 18 units of CIELAB and more, to eyes that lack one kind of cones too. Green and
 * purple are not among them: as thin lines both are grey then. */
static const uint32_t colours[] = {PLOT_BLUE, PLOT_RED,  PLOT_SKY,    PLOT_ORANGE,
                                   PLOT_WINE, PLOT_GREY, PLOT_INDIGO, PLOT_BLACK};

uint32_t plot_colour(unsigned i)
{
    return colours[i % HS_ARRAY_LEN(colours)];
}

static void free_curve(gpointer ptr)
{
    PlotCurve *c = ptr;

    g_free(c->label);
    g_array_free(c->points, TRUE);
    g_free(c);
}

static void free_notes(GArray *notes)
{
    for (unsigned i = 0; i < notes->len; i++)
        g_free(g_array_index(notes, PlotFigureNote, i).text);
    g_array_free(notes, TRUE);
}

static void free_panel(gpointer ptr)
{
    PlotPanel *p = ptr;

    g_free(p->heading);
    free_notes(p->levels);
    g_free(p->axis);
    g_free(p->axis_short);
    g_ptr_array_free(p->curves, TRUE);
    g_free(p);
}

PlotFigure *plotfigure_new(void)
{
    PlotFigure *f = g_new0(PlotFigure, 1);

    f->panels = g_ptr_array_new_with_free_func(free_panel);
    f->notes = g_array_new(FALSE, FALSE, sizeof(PlotFigureNote));
    return f;
}

void plotfigure_free(PlotFigure *f)
{
    if (!f)
        return;
    g_free(f->title);
    g_free(f->subtitle);
    g_free(f->axis);
    g_ptr_array_free(f->panels, TRUE);
    g_free(f->missing);
    g_free(f->font);
    free_notes(f->notes);
    g_free(f);
}

void plotfigure_add_note(PlotFigure *f, double x, const char *text)
{
    PlotFigureNote note = {x, g_strdup(text)};

    g_array_append_val(f->notes, note);
}

void plotpanel_add_level(PlotPanel *p, double y, const char *text)
{
    PlotFigureNote note = {y, g_strdup(text)};

    g_array_append_val(p->levels, note);
}

void plotfigure_set_look(PlotFigure *f, const PlotLook *look)
{
    g_free(f->font);
    f->look = *look;
    f->font = g_strdup(look->font);
    f->look.font = f->font;
}

PlotPanel *plotfigure_add_panel(PlotFigure *f, const char *axis, const char *axis_short)
{
    PlotPanel *p = g_new0(PlotPanel, 1);

    p->axis = g_strdup(axis);
    p->axis_short = g_strdup(axis_short);
    p->is_from_zero = true;
    p->curves = g_ptr_array_new_with_free_func(free_curve);
    p->levels = g_array_new(FALSE, FALSE, sizeof(PlotFigureNote));
    g_ptr_array_add(f->panels, p);
    return p;
}

PlotCurve *plotpanel_add_curve(PlotPanel *p, const char *label, PlotStyle style, uint32_t rgb)
{
    PlotCurve *c = g_new0(PlotCurve, 1);

    c->label = g_strdup(label);
    c->style = style;
    c->rgb = rgb;
    c->alpha = 1;
    c->width = 1.5;
    c->points = g_array_new(FALSE, FALSE, sizeof(PlotXY));
    g_ptr_array_add(p->curves, c);
    return c;
}

void plotcurve_add(PlotCurve *c, double x, double y, double y2)
{
    PlotXY p = {x, y, y2};

    g_array_append_val(c->points, p);
}

unsigned plotpanel_legend_count(const PlotPanel *p)
{
    unsigned n = 0;

    for (unsigned i = 0; i < p->curves->len; i++) {
        const PlotCurve *c = p->curves->pdata[i];

        n += *c->label && c->points->len && !c->is_unlisted;
    }
    return n;
}

void plotfigure_drop_empty(PlotFigure *f)
{
    GString *missing = g_string_new(NULL);

    for (unsigned i = 0; i < f->panels->len;) {
        PlotPanel *p = f->panels->pdata[i];
        unsigned points = 0;

        for (unsigned k = 0; k < p->curves->len; k++)
            points += ((PlotCurve *)p->curves->pdata[k])->points->len;
        if (points) {
            i++;
            continue;
        }
        if (!strstr(missing->str, p->axis_short))
            g_string_append_printf(missing, "%s%s", missing->len ? ", " : "", p->axis_short);
        g_ptr_array_remove_index(f->panels, i);
    }
    f->missing = g_string_free(missing, missing->len == 0);
}

/* ---- legends ---- */

static bool is_same_entry(const PlotCurve *a, const PlotCurve *b)
{
    return a->rgb == b->rgb && a->is_dashed == b->is_dashed &&
           (a->style == PLOT_SPANS) == (b->style == PLOT_SPANS) && !strcmp(a->label, b->label);
}

static bool is_listed_above(const PlotFigure *f, unsigned panel, const PlotCurve *c)
{
    for (unsigned i = 0; i < panel; i++) {
        const PlotPanel *p = f->panels->pdata[i];

        for (unsigned k = 0; k < p->curves->len; k++) {
            const PlotCurve *other = p->curves->pdata[k];

            if (other->points->len && is_same_entry(other, c))
                return true;
        }
    }
    return false;
}

/* What several panels show in the same colour by the same name is said once. */
static void settle_legends(PlotFigure *f)
{
    for (unsigned i = 0; i < f->panels->len; i++) {
        const PlotPanel *p = f->panels->pdata[i];

        for (unsigned k = 0; k < p->curves->len; k++) {
            PlotCurve *c = p->curves->pdata[k];

            c->is_unlisted = f->look.no_legend || is_listed_above(f, i, c);
        }
    }
}

/* ---- axes ---- */

double plot_round_step(double length, unsigned n)
{
    double raw = length / HS_MAX(n, 1u), step = 1;

    if (!(raw > 0))
        return 1;
    while (step * 10 <= raw)
        step *= 10;
    while (step > raw)
        step /= 10;
    if (step * 5 <= raw)
        return step * 5;
    return step * 2 <= raw ? step * 2 : step;
}

double plot_round_up(double v, double step)
{
    double n = (double)(int64_t)(v / step);

    while (n * step < v)
        n++;
    return n * step;
}

static void extend(const PlotCurve *c, double *min, double *max, bool *is_any)
{
    for (unsigned i = 0; i < c->points->len; i++) {
        const PlotXY *p = &g_array_index(c->points, PlotXY, i);
        double low = p->y, high = p->y;

        if (c->style == PLOT_BARS || c->style == PLOT_FILL) {
            low = HS_MIN(p->y, p->y2);
            high = HS_MAX(p->y, p->y2);
        }
        *min = *is_any ? HS_MIN(*min, low) : low;
        *max = *is_any ? HS_MAX(*max, high) : high;
        *is_any = true;
    }
}

double plot_log_next(double v)
{
    double ten = 1, digit;

    while (ten > v * 1.000001)
        ten /= 10;
    while (ten * 10 <= v * 1.000001)
        ten *= 10;
    digit = v / ten;
    return digit < 1.5 ? ten * 2 : digit < 3.5 ? ten * 5 : ten * 10;
}

/* 1, 2 and 5 times powers of ten around what is above 0. */
static void settle_log(double low, double high, double *min, double *max)
{
    *min = 1;
    while (*min > low)
        *min /= 10;
    while (*min * 10 <= low)
        *min *= 10;
    while (plot_log_next(*min) <= low)
        *min = plot_log_next(*min);
    *max = plot_log_next(*min);
    while (*max < high)
        *max = plot_log_next(*max);
}

static double least_above_zero(const PlotPanel *p)
{
    double least = 0;

    for (unsigned i = 0; i < p->curves->len; i++) {
        const PlotCurve *c = p->curves->pdata[i];

        for (unsigned k = 0; k < c->points->len && c->style != PLOT_TICKS && c->style != PLOT_SPANS; k++) {
            double y = g_array_index(c->points, PlotXY, k).y;

            if (y > 0 && (least == 0 || y < least))
                least = y;
        }
    }
    return least;
}

static void settle_panel(PlotPanel *p)
{
    double min = 0, max = 0, step;
    bool is_any = false;

    if (p->max > p->min)
        return;
    for (unsigned i = 0; i < p->curves->len; i++) {
        const PlotCurve *c = p->curves->pdata[i];

        if (c->style != PLOT_TICKS && c->style != PLOT_SPANS)
            extend(c, &min, &max, &is_any);
    }
    for (unsigned i = 0; i < p->levels->len; i++)
        max = HS_MAX(max, g_array_index(p->levels, PlotFigureNote, i).x);
    p->is_log = p->is_log && max > 0;
    if (p->is_log) {
        settle_log(least_above_zero(p), max, &p->min, &p->max);
        return;
    }
    if (p->is_from_zero && min > 0)
        min = 0;
    if (max <= min)
        max = min + 1;
    step = plot_round_step((max - min) * 1.04, 8);
    p->max = plot_round_up(max + (max - min) * 0.04, step);
    p->min = min == 0 ? 0 : -plot_round_up(-min + (max - min) * 0.04, step);
    if (min > 0)
        p->min = HS_MAX(0, plot_round_up(min, step) - step);
}

static void share_axes(PlotFigure *f)
{
    for (unsigned i = 0; i < f->panels->len; i++) {
        PlotPanel *p = f->panels->pdata[i];

        for (unsigned k = 0; k < f->panels->len && p->group; k++) {
            PlotPanel *other = f->panels->pdata[k];

            if (other->group != p->group)
                continue;
            p->min = other->min = HS_MIN(p->min, other->min);
            p->max = other->max = HS_MAX(p->max, other->max);
        }
    }
}

void plotfigure_settle(PlotFigure *f)
{
    for (unsigned i = 0; i < f->panels->len; i++)
        settle_panel(f->panels->pdata[i]);
    share_axes(f);
    settle_legends(f);
    if (f->max <= f->min)
        f->max = f->min + 1;
    if (f->is_log)
        settle_log(f->min, f->max, &f->min, &f->max);
    else if (f->may_extend) {
        double round = plot_round_up(f->max, plot_round_step(f->max - f->min, 10));

        if (round - f->max < (f->max - f->min) * 0.06)
            f->max = round;
    }
}
