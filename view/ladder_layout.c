/* Geometry: which row everything is in, and where its words are.
 *
 * The middle, from the first lane to the last, is one column of rows: each sending, arrival, fold or gap
 * takes the next ones and nothing else is in them, so words there cannot meet. Beside it are the column of
 * times and the margins for what the outermost lanes say of themselves, each filled downwards. What happens
 * in one instant stands together: the time is written once. */
#include <string.h>

#include "view/ladder_place.h"

#define GAP_FACTOR 5   /* a gap is long if so many of the longest flights fit in it */
#define NAMES_AGAIN 45 /* rows after which the names stand below, too */
#define INLINE_MIN 14  /* columns for words within an arrow's line */
#define INLINE_LINES 3

/* ---- events ---- */

static void place_time(Place *p, int32_t row)
{
    char text[40];

    if (p->is_time_shown)
        return;
    ladder_time_text(p, p->time, text);
    ladder_add_box(p, LADDER_TIME, row, p->time_width - p->m->width(text, LADDER_TIME), text);
    p->is_time_shown = true;
    p->time_row = row;
}

static void place_gap(Place *p, SimTime gap)
{
    char text[32];
    double middle = (ladder_lane_x(p, 0) + ladder_lane_x(p, p->last_lane)) / 2;

    ladder_duration(gap, text);
    ladder_add_box(p, LADDER_GAP, p->row, middle - (double)(int)(p->m->width(text, LADDER_GAP) / 2), text);
    g_array_append_val(p->g->gaps, p->row);
    p->row++;
}

/* What the outermost lanes will say in this instant must not be pushed down by what they said before. */
static void make_room_beside(Place *p, guint i)
{
    for (SimTime time = p->time;
         i < p->l->events->len && LADDER_AT(p->l->events, LadderEvent, i)->time == time; i++) {
        const LadderEvent *e = LADDER_AT(p->l->events, LadderEvent, i);

        if (ladder_is_beside(e->kind) && (e->lane == 0 || e->lane == p->last_lane))
            p->row = HS_MAX(p->row, p->margin_row[e->lane != 0]);
    }
}

static void begin_instant(Place *p, guint i)
{
    SimTime time = LADDER_AT(p->l->events, LadderEvent, i)->time;

    if (p->has_instant && time == p->time)
        return;
    if (p->has_instant)
        p->row = HS_MAX(p->row, p->time_row + 1); /* only the margins had something to say */
    /* A fold says how long it took. */
    if (p->has_instant && time - p->time >= p->long_gap &&
        LADDER_AT(p->l->events, LadderEvent, i)->kind != LADDER_EV_FOLD)
        place_gap(p, time - p->time);
    p->has_instant = true;
    p->time = time;
    p->is_time_shown = false;
    p->main_row = -1;
    make_room_beside(p, i);
}

static void place_beside(Place *p, const LadderEvent *e)
{
    bool is_outer = e->lane == 0 || e->lane == p->last_lane;
    unsigned side = e->lane != 0;
    double limit = is_outer ? p->margin_width[side]
                            : ladder_lane_x(p, p->last_lane) - ladder_lane_x(p, 0) - 4 * p->m->unit;
    char *made;
    GPtrArray *lines =
        ladder_wrap(p->m, ladder_words_beside(e, &made), HS_MAX(limit, p->m->unit), ladder_role_beside(e));
    int32_t row = is_outer ? HS_MAX(p->margin_row[side], p->main_row >= 0 ? p->main_row : p->row) : p->row;

    if (p->main_row < 0)
        p->row = row;
    place_time(p, row);
    for (guint i = 0; i < lines->len; i++) {
        double width = p->m->width(lines->pdata[i], ladder_role_beside(e)), x = ladder_lane_x(p, e->lane);
        LadderBox *box;

        x = !is_outer ? ladder_clamp(x - (double)(int)(width / 2), ladder_lane_x(p, 0) + p->m->unit,
                                     ladder_lane_x(p, p->last_lane) - width - p->m->unit)
            : side    ? x + 2 * p->m->unit
                      : x - p->m->unit - width;
        box = ladder_add_box(p, ladder_role_beside(e), row++, x, lines->pdata[i]);
        box->lane = e->lane;
        box->tone = e->tone;
    }
    if (is_outer) {
        p->margin_row[side] = row;
    } else {
        p->row = row;
        p->main_row = row - 1;
    }
    g_ptr_array_free(lines, TRUE);
    g_free(made);
}

/* Whoever comes next is below everything. */
static void clear_all(Place *p)
{
    p->row = HS_MAX(p->row, HS_MAX(p->margin_row[0], p->margin_row[1]));
}

static void place_note(Place *p, const LadderEvent *e)
{
    double x = p->time_width + 2 * p->m->unit;
    GPtrArray *lines = ladder_wrap(p->m, e->text, p->g->width - x - p->m->unit, LADDER_NOTE);

    clear_all(p);
    for (guint i = 0; i < lines->len; i++) {
        g_array_append_val(p->g->blanks, p->row);
        ladder_add_box(p, LADDER_NOTE, p->row++, x, lines->pdata[i]);
    }
    p->margin_row[0] = p->margin_row[1] = p->row;
    p->main_row = p->row; /* what else belongs to this instant is below */
    g_ptr_array_free(lines, TRUE);
}

static void place_words(Place *p, const LadderEvent *e, LadderLine *line)
{
    const LadderMedium *m = p->m;
    const LadderArrow *a = LADDER_AT(p->l->arrows, LadderArrow, e->arrow);
    double u = m->unit, from = ladder_lane_x(p, a->from), to = ladder_lane_x(p, a->to),
           low = ladder_lane_x(p, 0), high = ladder_lane_x(p, p->last_lane),
           span = to > from ? to - from : from - to, limit, width;
    double pad = m->is_inline ? 3 * u : u;
    bool is_inline = m->is_inline && span - 10 * u >= INLINE_MIN * u;
    GPtrArray *lines =
        ladder_wrap(m, a->label, is_inline ? span - 10 * u : HS_MAX(u, span - 2 * pad), LADDER_LABEL);
    int32_t row = p->row;

    if (is_inline && lines->len > INLINE_LINES)
        is_inline = false;
    if (!is_inline) {
        limit = HS_MAX(span - 2 * pad, HS_MIN(high - low - 2 * pad, 36 * u));
        g_ptr_array_free(lines, TRUE);
        lines = ladder_wrap(m, a->label, HS_MAX(limit, u), LADDER_LABEL);
    }
    width = ladder_widest(m, lines, LADDER_LABEL);
    for (guint i = 0; i < lines->len; i++) {
        double w = m->width(lines->pdata[i], LADDER_LABEL);
        double x = to > from ? from + pad : from - pad - w + (m->is_inline ? u : 0);
        LadderBox *box =
            ladder_add_box(p, LADDER_LABEL, p->row++,
                           ladder_clamp(x, low + u, high - u - w + (m->is_inline ? u : 0)), lines->pdata[i]);

        box->tone = e->tone;
        box->arrow = e->arrow;
    }
    if (m->is_inline && !is_inline)
        p->row++; /* the line itself */
    line->row_from = is_inline ? row : p->row - 1;
    if (is_inline)
        line->label_end = to > from ? from + pad + width : from - pad - width + u;
    g_ptr_array_free(lines, TRUE);
}

/* A cross on another node's line would seem to be lost there. */
static double beside_lanes(const Place *p, double x, double from)
{
    for (int32_t i = 1; i < p->last_lane; i++) {
        double lane = ladder_lane_x(p, i), room = 3 * p->m->unit;

        if (x > lane - room && x < lane + room)
            return from < lane ? lane - room : lane + room;
    }
    return x;
}

static void begin_line(Place *p, int32_t arrow, int32_t row_from, double label_end)
{
    const LadderArrow *a = LADDER_AT(p->l->arrows, LadderArrow, arrow);
    LadderLine line = {
        .arrow = arrow, .row_from = row_from, .row_to = -1, .x_from = ladder_lane_x(p, a->from)};

    line.x_to = line.x_from + a->reach * (ladder_lane_x(p, a->to) - line.x_from);
    if (a->reach < 1)
        line.x_to = beside_lanes(p, line.x_to, line.x_from);
    line.label_end = label_end;
    p->line_of[arrow] = (int32_t)p->g->lines->len;
    g_array_append_val(p->g->lines, line);
}

static void place_send(Place *p, const LadderEvent *e)
{
    const LadderArrow *a = LADDER_AT(p->l->arrows, LadderArrow, e->arrow);
    LadderLine line = {.label_end = ladder_lane_x(p, a->from)};

    place_words(p, e, &line);
    place_time(p, line.row_from);
    p->main_row = line.row_from;
    begin_line(p, e->arrow, line.row_from, line.label_end);
}

/* Beside the cross where there is room, else where there is more of it. */
static void place_loss(Place *p, const LadderEvent *e, const LadderLine *line)
{
    const LadderArrow *a = LADDER_AT(p->l->arrows, LadderArrow, e->arrow);
    double u = p->m->unit, x = line->x_to, low = ladder_lane_x(p, 0) + u,
           high = ladder_lane_x(p, p->last_lane) - u;
    double width = p->m->width(a->loss, LADDER_LOSS), to = ladder_lane_x(p, a->to);
    bool is_right = to > line->x_from;
    GPtrArray *lines;

    if (is_right ? x + 2 * u + width > high : x - 2 * u - width < low)
        is_right = high - x > x - low;
    lines = ladder_wrap(p->m, a->loss, HS_MAX(u, is_right ? high - x - 2 * u : x - low - 2 * u), LADDER_LOSS);
    for (guint i = 0; i < lines->len; i++) {
        double w = p->m->width(lines->pdata[i], LADDER_LOSS);
        LadderBox *box =
            ladder_add_box(p, LADDER_LOSS, p->row++, is_right ? x + 2 * u : x - u - w, lines->pdata[i]);

        box->tone = LADDER_LOST;
        box->arrow = e->arrow;
    }
    g_ptr_array_free(lines, TRUE);
}

static void place_end(Place *p, const LadderEvent *e)
{
    const LadderArrow *a = LADDER_AT(p->l->arrows, LadderArrow, e->arrow);
    int32_t of = p->line_of[e->arrow], row;
    LadderLine *line;

    if (of < 0) { /* it shares another one's beginning */
        const LadderLine *lead;

        if (a->lead < 0 || p->line_of[a->lead] < 0)
            return;
        lead = LADDER_AT(p->g->lines, LadderLine, p->line_of[a->lead]);
        begin_line(p, e->arrow, lead->row_from, lead->label_end);
        of = p->line_of[e->arrow];
    }
    line = LADDER_AT(p->g->lines, LadderLine, of);
    row = HS_MAX(p->row, line->row_from + (int32_t)p->m->slant);
    if (p->m->is_inline && (a->is_lost || a->is_open)) { /* the words come first, then the cross */
        double to = ladder_lane_x(p, a->to);

        line->x_to = (double)(int)(line->x_to + 0.5);
        if (to > line->x_from)
            line->x_to = ladder_clamp(line->x_to, line->label_end + 3, to - 2);
        else
            line->x_to = ladder_clamp(line->x_to, to + 2, line->label_end - 4);
    }
    line->row_to = row;
    p->row = row;
    place_time(p, row);
    if (*a->loss)
        place_loss(p, e, line);
    p->row = HS_MAX(p->row, row + 1);
    p->main_row = row;
}

static void place_fold(Place *p, const LadderEvent *e)
{
    double middle = (ladder_lane_x(p, 0) + ladder_lane_x(p, p->last_lane)) / 2;
    char *text = g_strdup_printf("… %s …", e->text);
    double low = ladder_lane_x(p, 0) + p->m->unit, high = ladder_lane_x(p, p->last_lane) - p->m->unit;
    GPtrArray *lines = ladder_wrap(p->m, text, HS_MAX(p->m->unit, high - low), LADDER_FOLD);

    place_time(p, p->row);
    p->main_row = p->row;
    for (guint i = 0; i < lines->len; i++)
        ladder_add_box(
            p, LADDER_FOLD, p->row++,
            ladder_clamp(middle - (double)(int)(p->m->width(lines->pdata[i], LADDER_FOLD) / 2), low, high),
            lines->pdata[i]);
    g_ptr_array_free(lines, TRUE);
    g_free(text);
}

static void place_event(Place *p, guint i)
{
    const LadderEvent *e = LADDER_AT(p->l->events, LadderEvent, i);

    begin_instant(p, i);
    switch (e->kind) {
    case LADDER_EV_NOTE:
        place_note(p, e);
        break;
    case LADDER_EV_STATE:
    case LADDER_EV_TIMER:
    case LADDER_EV_DROP:
        place_beside(p, e);
        break;
    case LADDER_EV_SEND:
        place_send(p, e);
        break;
    case LADDER_EV_END:
        if (!LADDER_AT(p->l->arrows, LadderArrow, e->arrow)->is_hidden)
            place_end(p, e);
        break;
    case LADDER_EV_FOLD:
        place_fold(p, e);
        break;
    }
}

/* ---- all of it ---- */

static guint place_intro(Place *p)
{
    guint i = 0;

    if (*p->l->title)
        ladder_place_paragraph(p, LADDER_TITLE, 0, p->l->title);
    /* What was said before anything happened stands above. */
    for (; i < p->l->events->len && LADDER_AT(p->l->events, LadderEvent, i)->kind == LADDER_EV_NOTE; i++)
        ladder_place_paragraph(p, LADDER_NOTE, 0, LADDER_AT(p->l->events, LadderEvent, i)->text);
    ladder_place_legend(p);
    if (p->row)
        p->row++;
    return i;
}

static void find_long_gap(Place *p)
{
    SimTime longest = 0;

    for (guint i = 0; i < p->l->arrows->len; i++) {
        const LadderArrow *a = LADDER_AT(p->l->arrows, LadderArrow, i);

        if (!a->is_folded && !a->is_open)
            longest = HS_MAX(longest, a->ended - a->sent);
    }
    p->long_gap = longest ? longest * GAP_FACTOR : SIM_MS;
}

static void place_body(Place *p, guint i)
{
    int32_t first;

    ladder_place_names(p);
    p->margin_row[0] = p->margin_row[1] = first = p->g->lane_from = p->row;
    for (; i < p->l->events->len && p->row - first < (int32_t)p->l->config.max_rows; i++)
        place_event(p, i);
    if (p->has_instant)
        p->row = HS_MAX(p->row, p->time_row + 1);
    clear_all(p);
    p->g->lane_to = p->row++;
    for (guint k = 0; k < p->g->lines->len; k++) {
        LadderLine *line = LADDER_AT(p->g->lines, LadderLine, k);

        if (line->row_to < 0) {
            line->row_to = p->g->lane_to;
            line->is_cut = true;
        }
    }
    if (p->row - first > NAMES_AGAIN)
        ladder_place_names(p);
    ladder_place_notices(p, i);
}

static int compare_boxes(gconstpointer a, gconstpointer b)
{
    const LadderBox *x = a, *y = b;

    if (x->row != y->row)
        return x->row < y->row ? -1 : 1;
    return (x->x > y->x) - (x->x < y->x);
}

LadderLayout *ladder_layout(const Ladder *l, const LadderMedium *medium)
{
    LadderLayout *g = g_new0(LadderLayout, 1);
    Place p = {.l = l, .m = medium, .g = g, .main_row = -1, .last_lane = (int32_t)l->lanes->len - 1};
    guint i;

    g->boxes = g_array_new(FALSE, TRUE, sizeof(LadderBox));
    g->lines = g_array_new(FALSE, TRUE, sizeof(LadderLine));
    g->x = g_array_new(FALSE, FALSE, sizeof(double));
    g->gaps = g_array_new(FALSE, FALSE, sizeof(int32_t));
    g->blanks = g_array_new(FALSE, FALSE, sizeof(int32_t));
    g->strings = g_string_chunk_new(4096);
    p.line_of = g_new(int32_t, l->arrows->len + 1);
    for (guint k = 0; k < l->arrows->len; k++)
        p.line_of[k] = -1;
    ladder_choose_time(&p);
    ladder_measure_margins(&p);
    find_long_gap(&p);
    ladder_place_lanes(&p);
    i = place_intro(&p);
    if (l->lanes->len >= 2)
        place_body(&p, i);
    else
        ladder_place_notices(&p, l->events->len);
    g->n_rows = HS_MAX(g->n_rows, p.row);
    g_array_sort(g->boxes, compare_boxes);
    g_free(p.line_of);
    return g;
}

void ladder_layout_free(LadderLayout *g)
{
    if (!g)
        return;
    g_array_free(g->boxes, TRUE);
    g_array_free(g->lines, TRUE);
    g_array_free(g->x, TRUE);
    g_array_free(g->gaps, TRUE);
    g_array_free(g->blanks, TRUE);
    g_string_chunk_free(g->strings);
    g_free(g);
}
