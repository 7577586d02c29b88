#include "view/plot_term.h"

#include <string.h>

#include "sim/base/exactmath.h"
#include "view/textwidth.h"

#define AXIS 8 /* columns left of the plot, the line included */
#define ROWS_ALONE 18
#define ROWS_MANY 10
#define LETTERS "abcdefghijklmnopqrstuvwxyz"
#define LETTER_EVERY 16 /* columns between letters on a curve */
#define LETTERS_ALL 6   /* a curve in no more columns has one in each, to be seen at all */

/* One panel's area. Each cell has its dots, or a character that stands in their place, and whose it is. */
typedef struct Cell {
    uint8_t dots;
    char letter;
    char mark;         /* in place of dots, in ASCII */
    const char *glyph; /* NULL: none */
    uint32_t rgb;
    bool is_coloured;
} Cell;

typedef struct Canvas {
    unsigned columns, rows;
    Cell *cell;
    const PlotFigure *f;
    const PlotPanel *p;
    double min, max; /* of the panel's axis: numbers stand in the middle of rows */
    char mark;       /* of the curve that is drawn */
    bool is_ascii;
    unsigned *row_of; /* where the curve is, for letters: row of each column, rows: nowhere */
} Canvas;

static Cell *cell_at(const Canvas *v, int column, int row)
{
    if (column < 0 || row < 0 || column >= (int)v->columns || row >= (int)v->rows)
        return NULL;
    return &v->cell[(unsigned)row * v->columns + (unsigned)column];
}

/* ---- dots ---- */

static void set_dot(Canvas *v, int x, int y, const PlotCurve *c)
{
    static const uint8_t bit[4][2] = {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
    Cell *cell = x < 0 || y < 0 ? NULL : cell_at(v, x / 2, y / 4);

    if (!cell || (c->is_dashed && x / 3 % 2))
        return;
    cell->dots |= bit[y % 4][x % 2];
    cell->mark = v->mark;
    cell->rgb = c->rgb;
    cell->is_coloured = true;
    v->row_of[x / 2] = (unsigned)y / 4;
}

/* Far outside, so that a line to there leaves in the right direction, and numbers stay small. */
static int to_dot(double share, int n)
{
    double at = share * (n - 1);

    return at < -4.0 * n ? -4 * n : at > 5.0 * n ? 5 * n : (int)(at + (at < 0 ? -0.5 : 0.5));
}

/* Where on an axis from min to max a value is: 0 to 1. What is 0 stands at the lower end of powers of ten. */
static double share_of(double value, double min, double max, bool is_log)
{
    if (is_log)
        return value > min ? exactmath_log(value / min) / exactmath_log(max / min) : 0;
    return (value - min) / (max - min);
}

static int dot_x(const Canvas *v, double x)
{
    return to_dot(share_of(x, v->f->min, v->f->max, v->f->is_log), (int)v->columns * 2);
}

static int dot_y(const Canvas *v, double y)
{
    return (int)v->rows * 4 - 1 - to_dot(share_of(y, v->min, v->max, v->p->is_log), (int)v->rows * 4);
}

static void draw_line(Canvas *v, int x0, int y0, int x1, int y1, const PlotCurve *c)
{
    int dx = x1 > x0 ? x1 - x0 : x0 - x1, dy = y1 > y0 ? y1 - y0 : y0 - y1;
    int steps = dx > dy ? dx : dy;

    for (int i = 0; i <= steps; i++)
        set_dot(v, steps ? x0 + (x1 - x0) * i / steps : x0, steps ? y0 + (y1 - y0) * i / steps : y0, c);
}

static void put_glyph(Canvas *v, int x, int y, const char *glyph, uint32_t rgb)
{
    Cell *cell = x < 0 || y < 0 ? NULL : cell_at(v, x / 2, y / 4);

    if (!cell)
        return;
    cell->glyph = glyph;
    cell->rgb = rgb;
    cell->is_coloured = true;
}

/* A dot here and there, so that lines are seen on it. */
static void shade(Canvas *v, int x, int from, int to, const PlotCurve *c)
{
    v->mark = c->style == PLOT_FILL ? '.' : ':';
    for (int y = HS_MIN(from, to); y <= HS_MAX(from, to) && x % 2 == 0; y++)
        if (y % 4 == (x % 4 ? 3 : 1))
            set_dot(v, x, y, c);
}

static void draw_point(Canvas *v, const PlotCurve *c, const PlotXY *at, const PlotXY *last)
{
    int x = dot_x(v, at->x), y = dot_y(v, at->y);

    switch (c->style) {
    case PLOT_LINE:
        draw_line(v, last ? dot_x(v, last->x) : x, last ? dot_y(v, last->y) : y, x, y, c);
        break;
    case PLOT_STEPS:
        if (last) {
            draw_line(v, dot_x(v, last->x), dot_y(v, last->y), x, dot_y(v, last->y), c);
            draw_line(v, x, dot_y(v, last->y), x, y, c);
        } else {
            set_dot(v, x, y, c);
        }
        break;
    case PLOT_DOTS:
        set_dot(v, x, y, c);
        break;
    case PLOT_BARS:
        if (c->is_faint)
            shade(v, x / 2 * 2, y, dot_y(v, at->y2), c);
        else
            draw_line(v, x, y, x, dot_y(v, at->y2), c);
        break;
    case PLOT_FILL:
        shade(v, x, y, dot_y(v, at->y2), c);
        break;
    case PLOT_CROSSES:
        put_glyph(v, x, y, "×", c->rgb);
        break;
    case PLOT_TICKS:
        put_glyph(v, x, (int)v->rows * 4 - 1, "×", c->rgb);
        break;
    case PLOT_SPANS:
        break;
    }
}

/* ---- letters, bands ---- */

static bool has_letter(const PlotCurve *c)
{
    return *c->label && c->style != PLOT_SPANS && c->style != PLOT_CROSSES && c->style != PLOT_TICKS;
}

/* Curves that need one: where only one has a name there is nothing to tell apart. */
static unsigned count_letters(const PlotPanel *p)
{
    unsigned n = 0;

    for (unsigned i = 0; i < p->curves->len; i++)
        n += has_letter(p->curves->pdata[i]) && ((PlotCurve *)p->curves->pdata[i])->points->len;
    return n;
}

static void put_letters(Canvas *v, char letter, unsigned nth, const PlotCurve *c)
{
    unsigned seen_in = 0, every;

    for (unsigned x = 0; x < v->columns; x++)
        seen_in += v->row_of[x] < v->rows;
    every = seen_in <= LETTERS_ALL ? 1 : LETTER_EVERY;
    for (unsigned x = every == 1 ? 0 : 3 + nth * 5 % LETTER_EVERY; x < v->columns; x += every) {
        Cell *cell = v->row_of[x] < v->rows ? cell_at(v, (int)x, (int)v->row_of[x]) : NULL;

        if (cell && !cell->letter && !cell->glyph) {
            cell->letter = letter;
            cell->rgb = c->rgb;
        }
    }
}

static const char *band_glyph(const PlotCurve *c)
{
    static const char *const glyphs[] = {"s", "c", "r", "l"};
    static const char *const names[] = {"slow start", "CWR", "recovery", "loss"};

    for (unsigned i = 0; i < HS_ARRAY_LEN(names); i++)
        if (!strcmp(names[i], c->label))
            return glyphs[i];
    return "#";
}

static bool has_bands(const PlotPanel *p)
{
    for (unsigned i = 0; i < p->curves->len; i++)
        if (((PlotCurve *)p->curves->pdata[i])->style == PLOT_SPANS)
            return true;
    return false;
}

/* ---- text ---- */

static void append_coloured(GString *out, const char *text, uint32_t rgb, bool is_coloured)
{
    if (is_coloured)
        g_string_append_printf(out, "\033[38;2;%u;%u;%um%s\033[0m", rgb >> 16, rgb >> 8 & 255, rgb & 255,
                               text);
    else
        g_string_append(out, text);
}

/* Dark colours would not be seen on a dark terminal. */
static uint32_t seen(uint32_t rgb)
{
    return rgb == PLOT_BLACK ? PLOT_GREY : rgb == PLOT_WINE ? 0xc0568a : rgb == PLOT_INDIGO ? 0x8a7fd6 : rgb;
}

static void append_cell(GString *out, const Cell *c, bool is_ascii, bool is_coloured)
{
    char text[5] = {0};

    if (c->glyph) {
        append_coloured(out, c->glyph, seen(c->rgb), is_coloured);
    } else if (c->letter || (c->dots && is_ascii)) {
        text[0] = c->letter ? c->letter : c->mark;
        append_coloured(out, text, seen(c->rgb), is_coloured);
    } else if (c->dots) {
        text[g_unichar_to_utf8(0x2800 + c->dots, text)] = 0;
        append_coloured(out, text, seen(c->rgb), is_coloured);
    } else {
        g_string_append_c(out, ' ');
    }
}

static void trim_line(GString *out)
{
    while (out->len && out->str[out->len - 1] == ' ')
        g_string_truncate(out, out->len - 1);
    g_string_append_c(out, '\n');
}

static void append_legend(GString *out, const PlotPanel *p, unsigned width, bool is_coloured)
{
    unsigned letters = count_letters(p), nth = 0, column = AXIS;

    g_string_append_printf(out, "%*s", AXIS, "");
    for (unsigned i = 0; i < p->curves->len; i++) {
        const PlotCurve *c = p->curves->pdata[i];
        char mark[8] = "";
        unsigned len;

        if (!*c->label || c->points->len == 0)
            continue;
        if (c->style == PLOT_CROSSES || c->style == PLOT_TICKS)
            g_strlcpy(mark, "×", sizeof(mark));
        else if (c->style == PLOT_SPANS)
            g_strlcpy(mark, band_glyph(c), sizeof(mark));
        else if (letters > 1 && nth < 26)
            mark[0] = LETTERS[nth++];
        len = (unsigned)(textwidth_columns(c->label) + (*mark ? 2 : 0));
        if (column > AXIS && column + len > width) {
            trim_line(out);
            g_string_append_printf(out, "%*s", AXIS, "");
            column = AXIS;
        }
        if (*mark) {
            append_coloured(out, mark, seen(c->rgb), is_coloured);
            g_string_append_c(out, ' ');
        }
        g_string_append_printf(out, "%s%s", c->label, c->is_dashed ? " (dashed)" : "");
        len += c->is_dashed ? 9 : 0;
        g_string_append(out, "   ");
        column += len + 3;
    }
    trim_line(out);
}

static unsigned decimals_of(double step)
{
    unsigned n = 0;

    while (n < 6 && step < 0.9999) {
        step *= 10;
        n++;
    }
    return n;
}

/* 1, 2 or 5 times a power of ten. */
static bool number_of_log_row(const Canvas *v, unsigned row, double *number)
{
    for (double y = v->min; y <= v->max * 1.001; y = plot_log_next(y))
        if ((unsigned)dot_y(v, y) / 4 == row) {
            *number = y;
            return true;
        }
    return false;
}

/* The axis' number in that row, if a round one is there; else blanks. */
static void append_y_axis(GString *out, const Canvas *v, unsigned row)
{
    double step = plot_round_step(v->max - v->min, HS_MAX(v->rows / 3, 2u)), number;
    double high = v->max - (v->max - v->min) * (row - 0.5) / (v->rows - 1);
    double low = v->max - (v->max - v->min) * (row + 0.5) / (v->rows - 1);
    int64_t n = (int64_t)(high / step) - (high < 0);
    char text[24] = "";

    if (!v->p->is_log && (double)n * step > low)
        g_snprintf(text, sizeof(text), "%.*f", (int)decimals_of(step), (double)n * step);
    else if (v->p->is_log && number_of_log_row(v, row, &number))
        g_snprintf(text, sizeof(text), "%g", number);
    g_string_append_printf(out, "%*s %s", AXIS - 2, text, *text ? "┤" : "│");
}

static void append_x_axis(GString *out, const Canvas *v)
{
    double step = plot_round_step(v->f->max - v->f->min, v->columns / 10), at_x = v->f->min;
    int64_t n = (int64_t)(v->f->min / step);
    unsigned columns = AXIS + v->columns, end = 0;
    GString *numbers = g_string_new(NULL);
    char *line = g_malloc(v->columns);

    memset(line, '-', v->columns);
    for (; at_x <= v->f->max + step * 1e-9; n++) {
        char text[24];
        unsigned at, len;
        int x;

        at_x = v->f->is_log ? at_x : (double)n * step;
        x = dot_x(v, at_x) / 2;
        if (v->f->is_log)
            g_snprintf(text, sizeof(text), "%g", at_x);
        else
            g_snprintf(text, sizeof(text), "%.*f", (int)decimals_of(step), at_x);
        if (v->f->is_log)
            at_x = plot_log_next(at_x);
        else
            at_x += step;
        if (x < 0 || (!v->f->is_log && (double)n * step < v->f->min) || x >= (int)v->columns)
            continue;
        len = (unsigned)strlen(text);
        line[x] = '+';
        at = AXIS + (unsigned)x;
        at = at > len / 2 ? at - len / 2 : 0;
        at = HS_MIN(at, columns - len);
        if (at < end)
            continue;
        g_string_append_printf(numbers, "%*s%s", (int)(at - (unsigned)numbers->len), "", text);
        end = at + len + 1;
    }
    g_string_append_printf(out, "%*s└", AXIS - 1, "");
    for (unsigned x = 0; x < v->columns; x++)
        g_string_append(out, line[x] == '+' ? "┬" : "─");
    g_string_append_printf(out, "\n%s\n", numbers->str);
    g_string_append_printf(out, "%*s%s\n", (int)(AXIS + (v->columns - g_utf8_strlen(v->f->axis, -1)) / 2), "",
                           v->f->axis);
    g_string_free(numbers, TRUE);
    g_free(line);
}

/* A line below the panel that says in which state the sender was. */
static void append_bands(GString *out, const Canvas *v, bool is_coloured)
{
    if (!has_bands(v->p))
        return;
    g_string_append_printf(out, "%*s│", AXIS - 1, "state ");
    for (unsigned x = 0; x < v->columns; x++) {
        const PlotCurve *found = NULL;
        double from = v->f->min + (v->f->max - v->f->min) * x / v->columns;
        double to = v->f->min + (v->f->max - v->f->min) * (x + 1) / v->columns;

        for (unsigned i = 0; i < v->p->curves->len; i++) { /* later ones are worse, and short */
            const PlotCurve *c = v->p->curves->pdata[i];

            for (unsigned k = 0; k < c->points->len && c->style == PLOT_SPANS; k++)
                if (g_array_index(c->points, PlotXY, k).x < to &&
                    g_array_index(c->points, PlotXY, k).y2 > from)
                    found = c;
        }
        append_coloured(out, found ? band_glyph(found) : "·", found ? found->rgb : PLOT_GREY,
                        is_coloured && found);
    }
    g_string_append_c(out, '\n');
}

static void draw_notes(Canvas *v)
{
    for (unsigned i = 0; i < v->f->notes->len; i++)
        for (unsigned row = 0; row < v->rows; row++) {
            Cell *cell = cell_at(v, dot_x(v, g_array_index(v->f->notes, PlotFigureNote, i).x) / 2, (int)row);

            if (cell && !cell->glyph && !cell->letter && !cell->dots) {
                cell->glyph = "┊";
                cell->rgb = PLOT_GREY;
            }
        }
}

static void draw_levels(Canvas *v)
{
    for (unsigned i = 0; i < v->p->levels->len; i++)
        for (unsigned column = 0; column < v->columns; column++) {
            int y = dot_y(v, g_array_index(v->p->levels, PlotFigureNote, i).x);
            Cell *cell = y < 0 ? NULL : cell_at(v, (int)column, y / 4);

            if (cell && !cell->glyph && !cell->letter && !cell->dots) {
                cell->glyph = "┄";
                cell->rgb = PLOT_GREY;
            }
        }
}

static void draw_panel(Canvas *v)
{
    unsigned letters = count_letters(v->p), nth = 0;

    for (unsigned i = 0; i < v->p->curves->len; i++) {
        const PlotCurve *c = v->p->curves->pdata[i];

        for (unsigned x = 0; x < v->columns; x++)
            v->row_of[x] = v->rows;
        if (c->is_faint && c->style == PLOT_LINE)
            continue; /* a crowd would hide its own median */
        v->mark = has_letter(c) && letters > 1 && nth < 26 ? LETTERS[nth] : '*';
        for (unsigned k = 0; k < c->points->len; k++)
            draw_point(v, c, &g_array_index(c->points, PlotXY, k),
                       k ? &g_array_index(c->points, PlotXY, k - 1) : NULL);
        if (has_letter(c) && c->points->len && letters > 1 && nth < 26) {
            put_letters(v, LETTERS[nth], nth, c);
            nth++;
        }
    }
    draw_notes(v);
    draw_levels(v);
}

/* Rows and an axis so that its numbers are equally many rows apart. */
static void choose_rows(Canvas *v)
{
    double step = plot_round_step(v->max - v->min, HS_MAX(v->rows / 3, 2u));
    unsigned n, each;

    if (v->p->is_log)
        return;
    v->min = v->min < 0 ? -plot_round_up(-v->min, step) : (double)(int64_t)(v->min / step) * step;
    v->max = plot_round_up(v->max * (1 - 1e-9), step);
    n = (unsigned)((v->max - v->min) / step + 0.5);
    each = HS_MAX((v->rows - 1 + n / 2) / n, 1u);
    v->rows = n * each + 1;
}

static void append_panel(GString *out, const PlotFigure *f, const PlotPanel *p, const PlotTermConfig *config,
                         bool is_last)
{
    Canvas v = {.columns = HS_MAX(config->width, (unsigned)PLOT_TERM_MIN) - AXIS,
                .rows = config->height        ? HS_MAX(config->height, 4u)
                        : f->panels->len == 1 ? ROWS_ALONE
                                              : ROWS_MANY,
                .f = f,
                .p = p,
                .min = p->min,
                .max = p->max,
                .is_ascii = config->is_ascii};

    if (!config->height)
        choose_rows(&v);
    v.cell = g_new0(Cell, v.columns * v.rows);
    v.row_of = g_new0(unsigned, v.columns);
    draw_panel(&v);
    g_string_append_printf(out, "%s%s%s\n", p->heading ? p->heading : "", p->heading ? ": " : "", p->axis);
    if (plotpanel_legend_count(p) || count_letters(p) > 1)
        append_legend(out, p, v.columns + AXIS, config->is_coloured);
    for (unsigned row = 0; row < v.rows; row++) {
        append_y_axis(out, &v, row);
        for (unsigned x = 0; x < v.columns; x++)
            append_cell(out, cell_at(&v, (int)x, (int)row), config->is_ascii, config->is_coloured);
        trim_line(out);
    }
    append_bands(out, &v, config->is_coloured);
    if (is_last)
        append_x_axis(out, &v);
    else
        g_string_append_c(out, '\n');
    g_free(v.cell);
    g_free(v.row_of);
}

/* What else than ASCII a picture has, and what stands for it; names of the scenario's become '?'. */
static char *to_ascii(const char *text)
{
    static const struct {
        gunichar from;
        const char *to;
    } signs[] = {
        {0x2524, "+"}, {0x2502, "|"}, {0x2514, "+"}, {0x2500, "-"}, {0x252c, "+"}, {0x250a, ":"},
        {0x2504, "-"}, {0xd7, "x"},   {0xb7, "."},   {0x2192, ">"}, {0xb5, "u"},   {0x2026, "..."},
    };
    GString *out = g_string_new(NULL);

    for (; *text; text = g_utf8_next_char(text)) {
        gunichar c = g_utf8_get_char(text);
        const char *to = "?";

        for (size_t i = 0; i < HS_ARRAY_LEN(signs); i++)
            if (signs[i].from == c)
                to = signs[i].to;
        if (c < 0x80)
            g_string_append_c(out, (char)c);
        else
            g_string_append(out, to);
    }
    return g_string_free(out, FALSE);
}

char *plotterm_render(const PlotFigure *f, const PlotTermConfig *config)
{
    GString *out = g_string_new(NULL);
    char *ascii;

    g_string_append_printf(out, "%s\n", f->title);
    if (f->subtitle)
        g_string_append_printf(out, "%s\n", f->subtitle);
    for (unsigned i = 0; i < f->panels->len; i++) {
        const PlotPanel *p = f->panels->pdata[i];

        append_panel(out, f, p, config, i + 1 == f->panels->len);
        for (unsigned k = 0; k < p->levels->len; k++)
            g_string_append_printf(out, "%*s┄ %.4g: %s\n", AXIS, "",
                                   g_array_index(p->levels, PlotFigureNote, k).x,
                                   g_array_index(p->levels, PlotFigureNote, k).text);
    }
    for (unsigned i = 0; i < f->notes->len; i++)
        g_string_append_printf(out, "%*s┊ %.4g: %s\n", AXIS, "", g_array_index(f->notes, PlotFigureNote, i).x,
                               g_array_index(f->notes, PlotFigureNote, i).text);
    if (config->is_ascii) {
        ascii = to_ascii(out->str);
        g_string_assign(out, ascii);
        g_free(ascii);
    }
    return g_string_free(out, FALSE);
}
