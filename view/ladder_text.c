/* A ladder as text. An arrow is a step: it leaves in the row of its sending, goes down somewhere on its way
 * and arrives in the row of its arrival, so that its slant can be seen on a grid of characters.
 *
 * Words are written first and never over each other (that would be the layout's mistake); lines go around
 * them as well as they can and behind them where they must. */
#include <string.h>

#include "view/ladder_priv.h"
#include "view/textwidth.h"

enum { UP = 1, DOWN = 2, LEFT = 4, RIGHT = 8, LANE = 16 };

typedef struct Cell {
    gunichar c;    /* of a text; 0: none */
    bool is_taken; /* by words, or by the second half of a wide character */
    uint8_t lines;
    uint8_t tone, role; /* role + 1; 0: a line */
} Cell;

typedef struct Page {
    const Ladder *l;
    const LadderLayout *g;
    const LadderTextConfig *config;
    int32_t width, height;
    Cell *cells;
} Page;

static Cell *cell(const Page *p, int32_t row, int32_t column)
{
    hs_assert(row >= 0 && row < p->height && column >= 0 && column < p->width);
    return &p->cells[(size_t)row * (size_t)p->width + (size_t)column];
}

/* ---- words ---- */

static void write_box(Page *p, const LadderBox *b)
{
    int32_t column = (int32_t)b->x, first = column;

    for (const char *t = b->text; *t; t = g_utf8_next_char(t)) {
        gunichar c = g_utf8_get_char(t);
        Cell *at;

        if (g_unichar_iszerowidth(c))
            continue;
        for (int i = 0; i < (g_unichar_iswide(c) ? 2 : 1); i++) {
            at = cell(p, b->row, column++);
            hs_assert(!at->c && !(at->is_taken && at->role));
            *at = (Cell){
                .c = i ? 0 : c, .is_taken = true, .tone = (uint8_t)b->tone, .role = (uint8_t)(b->role + 1)};
        }
    }
    /* A blank at either side. */
    if (first > 0)
        cell(p, b->row, first - 1)->is_taken = true;
    if (column < p->width)
        cell(p, b->row, column)->is_taken = true;
}

/* ---- lines ---- */

static void mark(Page *p, int32_t row, int32_t column, uint8_t lines, uint8_t tone)
{
    Cell *at = cell(p, row, column);

    if (at->is_taken)
        return;
    at->lines |= lines;
    if (tone)
        at->tone = tone;
}

static void write_lanes(Page *p)
{
    for (guint i = 0; i < p->g->x->len; i++)
        for (int32_t row = p->g->lane_from; row < p->g->lane_to; row++) {
            Cell *at = cell(p, row, (int32_t)g_array_index(p->g->x, double, i));

            if (!at->c && !(at->is_taken && at->role)) {
                at->is_taken = false;
                at->lines = LANE | UP | DOWN;
            }
        }
    for (guint i = 0; i < p->g->blanks->len; i++)
        for (guint k = 0; k < p->g->x->len; k++)
            cell(p, g_array_index(p->g->blanks, int32_t, i), (int32_t)g_array_index(p->g->x, double, k))
                ->lines = 0;
    for (guint i = 0; i < p->g->gaps->len; i++)
        for (guint k = 0; k < p->g->x->len; k++) {
            Cell *at =
                cell(p, g_array_index(p->g->gaps, int32_t, i), (int32_t)g_array_index(p->g->x, double, k));

            if (at->lines)
                *at = (Cell){.c = 0x22ee, .is_taken = true}; /* ⋮ */
        }
}

static int step_cost(const Page *p, int32_t row_from, int32_t row_to, int32_t column, int32_t wish)
{
    int cost = column > wish ? column - wish : wish - column;

    for (int32_t row = row_from; row <= row_to; row++) {
        const Cell *at = cell(p, row, column);

        if (at->is_taken)
            cost += row == row_from || row == row_to ? 1000 : 60;
        else if (at->lines & LANE)
            cost += 200;
        else if (at->lines & (UP | DOWN))
            cost += 40;
        else if (at->lines)
            cost += 3;
    }
    return cost;
}

/* The column in which the arrow goes down. */
static int32_t choose_step(const Page *p, const LadderLine *line, int32_t from, int32_t to, int32_t row_to)
{
    int32_t dir = to > from ? 1 : -1, near = (int32_t)line->label_end, far = to - 2 * dir, wish, best;
    const LadderArrow *a = ladder_arrow(p->l, line->arrow);
    int least = INT_MAX;

    near = near == from ? from + 2 * dir : dir > 0 ? near + 2 : near - 3;
    if (a->is_lost || a->is_open)
        far = to;
    if ((far - near) * dir < 0)
        near = far;
    wish = dir > 0 ? HS_MAX(near, from + (to - from) * 2 / 3) : HS_MIN(near, from + (to - from) * 2 / 3);
    best = near;
    for (int32_t column = near;; column += dir) {
        int cost = step_cost(p, line->row_from, row_to, column, wish);

        if (cost < least) {
            least = cost;
            best = column;
        }
        if (column == far)
            break;
    }
    return best;
}

static void draw_across(Page *p, int32_t row, int32_t from, int32_t to, uint8_t tone)
{
    int32_t dir = to > from ? 1 : -1;

    for (int32_t column = from; column != to; column += dir) {
        mark(p, row, column, dir > 0 ? RIGHT : LEFT, cell(p, row, column)->lines & LANE ? 0 : tone);
        mark(p, row, column + dir, dir > 0 ? LEFT : RIGHT,
             cell(p, row, column + dir)->lines & LANE ? 0 : tone);
    }
}

static void put_sign(Page *p, int32_t row, int32_t column, gunichar c, uint8_t tone)
{
    Cell *at = cell(p, row, column);

    if (!at->c && !(at->is_taken && at->role))
        *at = (Cell){.c = c, .is_taken = true, .tone = tone, .role = LADDER_LABEL + 1};
}

static void draw_line(Page *p, const LadderLine *line)
{
    const LadderArrow *a = ladder_arrow(p->l, line->arrow);
    int32_t from = (int32_t)line->x_from, to = (int32_t)line->x_to, dir = to > from ? 1 : -1;
    int32_t row_to = line->row_to, step;
    uint8_t tone = (uint8_t)a->tone;
    bool arrives = !a->is_lost && !a->is_open;

    if (line->is_cut)
        row_to = HS_MAX(line->row_from, row_to - 1);
    if (row_to == line->row_from) {
        draw_across(p, line->row_from, from, arrives ? to - dir : to, tone);
    } else {
        step = choose_step(p, line, from, to, row_to);
        draw_across(p, line->row_from, from, step, tone);
        for (int32_t row = line->row_from; row < row_to; row++) {
            mark(p, row, step, DOWN, tone);
            mark(p, row + 1, step, UP, tone);
        }
        if (!line->is_cut && step != to)
            draw_across(p, row_to, step, arrives ? to - dir : to, tone);
    }
    if (line->is_cut)
        return;
    if (arrives)
        put_sign(p, row_to, to - dir, dir > 0 ? 0x25b6 : 0x25c0, tone); /* ▶ ◀ */
    else
        put_sign(p, row_to, to, a->is_lost ? 0x2717 : 0x2026, a->is_lost ? LADDER_LOST : tone); /* ✗ … */
}

static void draw_lines(Page *p, bool that_arrive)
{
    for (guint i = 0; i < p->g->lines->len; i++) {
        const LadderLine *line = LADDER_AT(p->g->lines, LadderLine, i);
        const LadderArrow *a = ladder_arrow(p->l, line->arrow);

        if ((!a->is_lost && !a->is_open) == that_arrive)
            draw_line(p, line);
    }
}

/* ---- characters ---- */

static gunichar line_char(uint8_t lines)
{
    /* By UP, DOWN, LEFT, RIGHT. */
    static const uint16_t shapes[16] = {' ',    0x2502, 0x2502, 0x2502, 0x2500, 0x256f, 0x256e, 0x2524,
                                        0x2500, 0x2570, 0x256d, 0x251c, 0x2500, 0x2534, 0x252c, 0x253c};

    return shapes[lines & 15];
}

static char ascii_line(uint8_t lines)
{
    bool is_upright = lines & (UP | DOWN), is_flat = lines & (LEFT | RIGHT);

    return is_upright && is_flat ? '+' : is_upright ? '|' : is_flat ? '-' : ' ';
}

static char ascii_char(gunichar c)
{
    static const struct {
        gunichar c;
        char ascii;
    } known[] = {{0x25b6, '>'}, {0x25c0, '<'}, {0x2717, 'x'}, {0x2026, '.'}, {0x22ee, ':'}, {0xb5, 'u'},
                 {0x2192, '>'}, {0x2013, '-'}, {0x2014, '-'}, {0xd7, 'x'},   {0x2019, '\''}};

    if (c < 128)
        return (char)c;
    for (unsigned i = 0; i < HS_ARRAY_LEN(known); i++)
        if (known[i].c == c)
            return known[i].ascii;
    return '?';
}

static const char *color_of(const Cell *c)
{
    static const char *const tones[LADDER_N_TONES] = {
        [LADDER_SYN] = "34", [LADDER_FIN] = "35",  [LADDER_RST] = "31", [LADDER_AGAIN] = "33",
        [LADDER_UDP] = "32", [LADDER_ICMP] = "36", [LADDER_ARP] = "36", [LADDER_LOST] = "1;31"};

    if (c->lines & LANE || (!c->c && !c->lines))
        return "";
    switch (c->role - 1) {
    case LADDER_TITLE:
    case LADDER_NAME:
    case LADDER_STATE:
        return "1";
    case LADDER_TIME:
    case LADDER_GAP:
    case LADDER_FOLD:
        return "2";
    case LADDER_NOTE:
        return "3";
    default:
        return tones[c->tone] ? tones[c->tone] : "";
    }
}

static void put_cell(const Page *p, const Cell *c, bool was_wide, GString *out)
{
    if (was_wide && !c->c && c->is_taken && c->role) {
        if (p->config->ascii)
            g_string_append_c(out, '?');
        return;
    }
    if (p->config->ascii)
        g_string_append_c(out, c->c ? ascii_char(c->c) : ascii_line(c->lines));
    else
        g_string_append_unichar(out, c->c ? c->c : line_char(c->lines));
}

static bool is_blank(const Cell *c)
{
    return c->c == ' ' || (!c->c && !c->lines && !(c->is_taken && c->role));
}

static void put_row(const Page *p, int32_t row, GString *out)
{
    const char *color = "";
    int32_t end = p->width;
    bool was_wide = false;

    while (end > 0 && is_blank(cell(p, row, end - 1)))
        end--;
    for (int32_t column = 0; column < end; column++) {
        const Cell *c = cell(p, row, column);
        const char *wanted = p->config->color ? color_of(c) : "";

        if (strcmp(color, wanted)) {
            g_string_append_printf(out, *wanted ? "\033[0;%sm" : "\033[0m", wanted);
            color = wanted;
        }
        put_cell(p, c, was_wide, out);
        was_wide = c->c && g_unichar_iswide(c->c);
    }
    if (*color)
        g_string_append(out, "\033[0m");
    g_string_append_c(out, '\n');
}

/* ---- all of it ---- */

static double columns(const char *text, LadderRole role)
{
    (void)role;
    return textwidth_columns(text);
}

char *ladder_text(const Ladder *l, const LadderTextConfig *config)
{
    const LadderMedium medium = {
        .width = columns, .total = config->width, .unit = 1, .slant = 1, .is_inline = true};
    LadderLayout *g = ladder_layout(l, &medium);
    Page p = {.l = l, .g = g, .config = config, .width = (int32_t)config->width, .height = g->n_rows};
    GString *out = g_string_new(NULL);

    p.cells = g_new0(Cell, (size_t)p.width * (size_t)HS_MAX(p.height, 1));
    for (guint i = 0; i < g->boxes->len; i++)
        write_box(&p, LADDER_AT(g->boxes, LadderBox, i));
    write_lanes(&p);
    draw_lines(&p, false); /* these have less choice */
    draw_lines(&p, true);
    for (int32_t row = 0; row < p.height; row++)
        put_row(&p, row, out);
    g_free(p.cells);
    ladder_layout_free(g);
    return g_string_free(out, FALSE);
}
