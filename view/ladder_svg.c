/* A ladder as SVG: one file without anything outside it, in light or dark colours as the reader's system is.
 *
 * The colours are those of Okabe and Ito, which people with the usual kinds of colour blindness can tell
 * apart, made darker or lighter where text needs contrast; the words say the same, so that nothing is told by
 * colour alone. */
#include <string.h>

#include "view/ladder_priv.h"
#include "view/textwidth.h"

#define ROW 20
#define EDGE 14 /* around everything */
#define FONT "'DejaVu Sans', Verdana, 'Noto Sans', sans-serif"

typedef struct Face {
    const char *name;
    double size;
    bool is_bold;
} Face;

static const Face faces[] = {
    [LADDER_TITLE] = {"title", 15, true},  [LADDER_LEGEND] = {"legend", 11, false},
    [LADDER_NAME] = {"name", 13, true},    [LADDER_TIME] = {"time", 10, false},
    [LADDER_LABEL] = {"label", 11, false}, [LADDER_LOSS] = {"loss", 11, false},
    [LADDER_STATE] = {"state", 11, true},  [LADDER_TIMER] = {"timer", 10, false},
    [LADDER_NOTE] = {"note", 11, false},   [LADDER_GAP] = {"gap", 10, false},
    [LADDER_FOLD] = {"fold", 11, false},   [LADDER_NOTICE] = {"notice", 10, false},
};

typedef struct Colors {
    const char *paper, *ink, *pale, *faint, *panel;
    const char *tone[LADDER_N_TONES];
} Colors;

static const Colors light = {"#ffffff",
                             "#1a1a1a",
                             "#666666",
                             "#b8b8b8",
                             "#f3f3f0",
                             {"#1a1a1a", "#00639c", "#1a1a1a", "#666666", "#a3386f", "#b84300", "#8f6000",
                              "#00734f", "#1d6f9e", "#5b6c00", "#5a5a5a", "#b84300"}};
static const Colors dark = {"#16181c",
                            "#ececec",
                            "#a0a0a0",
                            "#555a62",
                            "#23262c",
                            {"#ececec", "#6bbcf0", "#ececec", "#a0a0a0", "#e29ac0", "#ff8a4c", "#f0b840",
                             "#4ccba0", "#8cc8ee", "#c3cf60", "#b0b0b0", "#ff8a4c"}};

static double width_of(const char *text, LadderRole role)
{
    return textwidth_sans(text, faces[role].is_bold) * faces[role].size / 1000;
}

/* Tenths, whatever the locale. */
static const char *number(double x, char buf[24])
{
    int64_t tenths = (int64_t)(x * 10 + (x < 0 ? -0.5 : 0.5));
    uint64_t size = (uint64_t)(tenths < 0 ? -tenths : tenths);

    g_snprintf(buf, 24, size % 10 ? "%s%" G_GUINT64_FORMAT ".%u" : "%s%" G_GUINT64_FORMAT,
               tenths < 0 ? "-" : "", size / 10, (unsigned)(size % 10));
    return buf;
}

static void put_colors(GString *out, const Colors *c, const char *indent)
{
    g_string_append_printf(
        out,
        "%s.paper{fill:%s}text{fill:%s;stroke:%s}.time,.gap,.legend,.notice,.timer{fill:%s}\n"
        "%s.lane{stroke:%s}.panel{fill:%s}.note{stroke:none}.ground{opacity:.85}\n",
        indent, c->paper, c->ink, c->paper, c->pale, indent, c->faint, c->panel);
    for (unsigned t = 1; t < LADDER_N_TONES; t++)
        g_string_append_printf(out, "%stext.%s,.head.%s{fill:%s}.line.%s{stroke:%s}\n", indent,
                               ladder_tone_name(t), ladder_tone_name(t), c->tone[t], ladder_tone_name(t),
                               c->tone[t]);
}

static void put_style(GString *out)
{
    char size[24];

    g_string_append(
        out, "<style>\n"
             "text{font-family:" FONT ";stroke-width:3px;stroke-linejoin:round;paint-order:stroke}\n"
             ".line{fill:none;stroke-width:1.4px}.again{stroke-dasharray:7 3}.line.ack{stroke-width:1px}\n"
             "text.again{stroke-dasharray:none}.cross{stroke-width:2px;stroke-dasharray:none}\n"
             ".lane{stroke-width:1.5px}.broken{stroke-dasharray:2 4}.head{stroke:none}\n");
    for (unsigned i = 0; i < HS_ARRAY_LEN(faces); i++)
        g_string_append_printf(out, ".%s{font-size:%spx%s}\n", faces[i].name, number(faces[i].size, size),
                               faces[i].is_bold ? ";font-weight:bold" : "");
    put_colors(out, &light, "");
    g_string_append(out, "@media (prefers-color-scheme:dark){\n");
    put_colors(out, &dark, " ");
    g_string_append(out, "}\n</style>\n");
}

static double top_of(int32_t row)
{
    return EDGE + row * ROW;
}

static bool has_row(const GArray *rows, int32_t row)
{
    for (guint i = 0; i < rows->len; i++)
        if (g_array_index(rows, int32_t, i) == row)
            return true;
    return false;
}

static void put_segment(GString *out, double x, int32_t from, int32_t to, bool is_broken)
{
    char a[24], b[24], c[24];

    if (to > from)
        g_string_append_printf(out, "<line class=\"lane%s\" x1=\"%s\" y1=\"%s\" x2=\"%s\" y2=\"%s\"/>\n",
                               is_broken ? " broken" : "", number(x, a), number(top_of(from) + 2, b), a,
                               number(top_of(to) + 2, c));
}

/* Interrupted by notes, dotted where time is left out. */
static void put_lanes(GString *out, const LadderLayout *g)
{
    int32_t begin = g->lane_from;

    for (int32_t row = g->lane_from; row <= g->lane_to; row++) {
        bool is_gap = has_row(g->gaps, row);

        if (row < g->lane_to && !is_gap && !has_row(g->blanks, row))
            continue;
        for (guint i = 0; i < g->x->len; i++) {
            put_segment(out, EDGE + g_array_index(g->x, double, i), begin, row, false);
            if (is_gap)
                put_segment(out, EDGE + g_array_index(g->x, double, i), row, row + 1, true);
        }
        begin = row + 1;
    }
}

static void put_panels(GString *out, const LadderLayout *g, double width)
{
    char x[24], y[24], w[24], h[24];
    int32_t begin;

    for (guint i = 0; i < g->blanks->len; i++) {
        begin = g_array_index(g->blanks, int32_t, i);
        while (i + 1 < g->blanks->len &&
               g_array_index(g->blanks, int32_t, i + 1) == g_array_index(g->blanks, int32_t, i) + 1)
            i++;
        g_string_append_printf(
            out, "<rect class=\"panel\" x=\"%s\" y=\"%s\" width=\"%s\" height=\"%s\" rx=\"4\"/>\n",
            number(EDGE, x), number(top_of(begin) + 1, y), number(width, w),
            number(top_of(g_array_index(g->blanks, int32_t, i) + 1) - top_of(begin) - 1, h));
    }
}

static void put_head(GString *out, double x0, double y0, double x1, double y1, const char *tone)
{
    double dx = x1 - x0, dy = y1 - y0, length = __builtin_sqrt(dx * dx + dy * dy);
    char p[6][24];

    if (length < 1)
        return;
    dx /= length;
    dy /= length;
    g_string_append_printf(out, "<path class=\"head %s\" d=\"M%s %sL%s %sL%s %sZ\"/>\n", tone,
                           number(x1, p[0]), number(y1, p[1]), number(x1 - 9 * dx - 3.6 * dy, p[2]),
                           number(y1 - 9 * dy + 3.6 * dx, p[3]), number(x1 - 9 * dx + 3.6 * dy, p[4]),
                           number(y1 - 9 * dy - 3.6 * dx, p[5]));
}

static void put_cross(GString *out, double x, double y)
{
    char p[4][24];

    g_string_append_printf(out, "<path class=\"line cross lost\" d=\"M%s %sl8 8M%s %sl8 -8\"/>\n",
                           number(x - 4, p[0]), number(y - 4, p[1]), number(x - 4, p[2]),
                           number(y + 4, p[3]));
}

static void put_line(GString *out, const Ladder *l, const LadderLine *line)
{
    const LadderArrow *a = ladder_arrow(l, line->arrow);
    const char *tone = ladder_tone_name(a->tone);
    double x0 = EDGE + line->x_from, x1 = EDGE + line->x_to, y0 = top_of(line->row_from + 1) - 1;
    double y1 = top_of(line->row_to) + ROW / 2.0;
    char p[4][24];

    if (line->is_cut) { /* towards its end, as far as the picture goes */
        x1 = x0 + (x1 - x0) / 2;
        y1 = top_of(line->row_to);
    }
    g_string_append_printf(out, "<path class=\"line %s\" d=\"M%s %sL%s %s\"/>\n", tone, number(x0, p[0]),
                           number(y0, p[1]), number(x1, p[2]), number(y1, p[3]));
    if (line->is_cut)
        return;
    if (a->is_lost)
        put_cross(out, x1, y1);
    else if (!a->is_open)
        put_head(out, x0, y0, x1, y1, tone);
}

/* Does the line run through the words? Lines fall from left or right. */
static bool is_crossed(const LadderLayout *g, const LadderBox *b)
{
    double low = top_of(b->row) + 3, high = top_of(b->row) + 17;

    for (guint i = 0; i < g->lines->len; i++) {
        const LadderLine *line = LADDER_AT(g->lines, LadderLine, i);
        double y0 = top_of(line->row_from + 1) - 1, y1 = top_of(line->row_to) + ROW / 2.0, a, c;

        if (y0 > high || y1 < low || y1 <= y0)
            continue;
        a = line->x_from + (line->x_to - line->x_from) * (HS_MAX(low, y0) - y0) / (y1 - y0);
        c = line->x_from + (line->x_to - line->x_from) * (HS_MIN(high, y1) - y0) / (y1 - y0);
        if (HS_MAX(a, c) >= b->x - 2 && HS_MIN(a, c) <= b->x + b->width + 2)
            return true;
    }
    return false;
}

static bool is_on_lane(const LadderLayout *g, const LadderBox *b)
{
    for (guint i = 0; i < g->x->len; i++) {
        double x = g_array_index(g->x, double, i);

        if (x > b->x - 2 && x < b->x + b->width + 2)
            return true;
    }
    return false;
}

/* What runs behind words is interrupted, so that they can be read. */
static void put_ground(GString *out, const LadderLayout *g, const LadderBox *b)
{
    char x[24], y[24], w[24];

    if (b->row < g->lane_from || b->row >= g->lane_to || b->role == LADDER_NOTE ||
        (!is_crossed(g, b) && !is_on_lane(g, b)))
        return;
    g_string_append_printf(
        out, "<rect class=\"paper ground\" x=\"%s\" y=\"%s\" width=\"%s\" height=\"15\"/>\n",
        number(EDGE + b->x - 2, x), number(top_of(b->row) + 3, y), number(b->width + 4, w));
}

static void put_box(GString *out, const LadderBox *b)
{
    char x[24], y[24], *text = g_markup_escape_text(b->text, -1);

    g_string_append_printf(out, "<text class=\"%s%s%s\" x=\"%s\" y=\"%s\">%s</text>\n", faces[b->role].name,
                           b->tone ? " " : "", b->tone ? ladder_tone_name(b->tone) : "",
                           number(EDGE + b->x, x), number(top_of(b->row) + 14, y), text);
    g_free(text);
}

char *ladder_svg(const Ladder *l)
{
    const LadderMedium medium = {.width = width_of, .unit = 7, .slant = 2};
    LadderLayout *g = ladder_layout(l, &medium);
    GString *out = g_string_new(NULL);
    char w[24], h[24], *title = g_markup_escape_text(*l->title ? l->title : "Sequence diagram", -1);

    number(g->width + 2 * EDGE, w);
    number(top_of(g->n_rows) + EDGE, h);
    g_string_append_printf(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%s\" height=\"%s\" viewBox=\"0 0 %s %s\" "
        "role=\"img\">\n<title>%s</title>\n",
        w, h, w, h, title);
    put_style(out);
    g_string_append(out, "<rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n");
    put_lanes(out, g);
    for (guint i = 0; i < g->lines->len; i++)
        put_line(out, l, LADDER_AT(g->lines, LadderLine, i));
    put_panels(out, g, g->width); /* arrows go on behind what the scenario says */
    for (guint i = 0; i < g->boxes->len; i++)
        put_ground(out, g, LADDER_AT(g->boxes, LadderBox, i));
    for (guint i = 0; i < g->boxes->len; i++)
        put_box(out, LADDER_AT(g->boxes, LadderBox, i));
    g_string_append(out, "</svg>\n");
    g_free(title);
    ladder_layout_free(g);
    return g_string_free(out, FALSE);
}
