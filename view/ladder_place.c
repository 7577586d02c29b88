/* What stands around a ladder's events: lanes and their names, title, legend, notices; and how wide the
 * margins are. */
#include "view/ladder_place.h"

#define MARGIN_MAX 16 /* units */
#define LEGEND_MAX 8

LadderBox *ladder_add_box(Place *p, LadderRole role, int32_t row, double x, const char *text)
{
    LadderBox box = {.text = g_string_chunk_insert(p->g->strings, text),
                     .role = role,
                     .row = row,
                     .x = x,
                     .width = p->m->width(text, role),
                     .lane = -1,
                     .arrow = -1};

    g_array_append_val(p->g->boxes, box);
    p->g->n_rows = HS_MAX(p->g->n_rows, row + 1);
    return LADDER_AT(p->g->boxes, LadderBox, p->g->boxes->len - 1);
}

bool ladder_is_beside(LadderEventKind kind)
{
    return kind == LADDER_EV_STATE || kind == LADDER_EV_TIMER || kind == LADDER_EV_DROP;
}

LadderRole ladder_role_beside(const LadderEvent *e)
{
    return e->kind == LADDER_EV_STATE   ? LADDER_STATE
           : e->kind == LADDER_EV_TIMER ? LADDER_TIMER
                                        : LADDER_LOSS;
}

const char *ladder_words_beside(const LadderEvent *e, char **made)
{
    *made = e->kind == LADDER_EV_DROP ? g_strdup_printf("✗ %s", e->text) : NULL;
    return *made ? *made : e->text;
}

void ladder_measure_margins(Place *p)
{
    double limit = MARGIN_MAX * p->m->unit;

    for (guint i = 0; i < p->l->events->len; i++) {
        const LadderEvent *e = LADDER_AT(p->l->events, LadderEvent, i);
        GPtrArray *lines;
        char *made;

        if (!ladder_is_beside(e->kind) || (e->lane != 0 && e->lane != p->last_lane))
            continue;
        lines = ladder_wrap(p->m, ladder_words_beside(e, &made), limit, ladder_role_beside(e));
        p->margin_width[e->lane != 0] =
            HS_MAX(p->margin_width[e->lane != 0], ladder_widest(p->m, lines, ladder_role_beside(e)));
        g_ptr_array_free(lines, TRUE);
        g_free(made);
    }
}

static double words_needed(const Place *p)
{
    double most = 0;

    for (guint i = 0; i < p->l->events->len; i++) {
        const LadderEvent *e = LADDER_AT(p->l->events, LadderEvent, i);
        GPtrArray *lines;

        if (e->kind != LADDER_EV_SEND)
            continue;
        lines = ladder_wrap(p->m, e->text, 62 * p->m->unit, LADDER_LABEL);
        most = HS_MAX(most, ladder_widest(p->m, lines, LADDER_LABEL));
        g_ptr_array_free(lines, TRUE);
    }
    return most;
}

void ladder_place_lanes(Place *p)
{
    const LadderMedium *m = p->m;
    guint n = p->l->lanes->len;
    double u = m->unit, left, right, step;

    left = p->time_width + 2 * u + p->margin_width[0] + u;
    right = p->margin_width[1] + 2 * u;
    if (m->total > 0) {
        p->g->width = m->total;
        step = n > 1 ? (m->total - 1 - right - left) / (n - 1) : 0;
    } else {
        step = n == 2 ? ladder_clamp(words_needed(p) + 6 * u, 44 * u, 70 * u)
                      : ladder_clamp(160 * u / n, 26 * u, 48 * u);
        p->g->width = left + (n ? n - 1 : 0) * step + right;
        p->g->width = HS_MAX(p->g->width, 70 * u);
    }
    for (guint i = 0; i < n; i++) {
        double x = left + i * step;

        if (m->is_inline)
            x = (double)(int)(x + 0.5);
        g_array_append_val(p->g->x, x);
    }
}

void ladder_place_paragraph(Place *p, LadderRole role, double x, const char *text)
{
    GPtrArray *lines = ladder_wrap(p->m, text, p->g->width - x - p->m->unit, role);

    for (guint i = 0; i < lines->len; i++)
        ladder_add_box(p, role, p->row++, x, lines->pdata[i]);
    g_ptr_array_free(lines, TRUE);
}

void ladder_place_names(Place *p)
{
    guint n = p->l->lanes->len, levels = 1;
    double *end = g_new0(double, n + 1);

    for (guint i = 0; i <= n; i++)
        end[i] = p->time_width;
    for (guint i = 0; i < n; i++) {
        const char *name = LADDER_AT(p->l->lanes, LadderLane, i)->name;
        double width = p->m->width(name, LADDER_NAME), x = ladder_lane_x(p, (int32_t)i) - width / 2;
        guint level = 0;

        if (p->m->is_inline)
            x = (double)(int)(x + 0.5);
        x = ladder_clamp(x, p->time_width + p->m->unit, p->g->width - width);
        while (level < n && end[level] + p->m->unit > x)
            level++;
        ladder_add_box(p, LADDER_NAME, p->row + (int32_t)level, x, name)->lane = (int32_t)i;
        end[level] = x + width;
        levels = HS_MAX(levels, level + 1);
    }
    p->row += (int32_t)levels;
    g_free(end);
}

void ladder_place_legend(Place *p)
{
    const GArray *legend = p->l->legend;

    if (legend->len < 2)
        return;
    for (guint i = 0; i < legend->len && i < LEGEND_MAX; i++) {
        int32_t flow = g_array_index(legend, int32_t, i);
        char *name = ladder_flow_name(p->l->story, flow);
        char *line = g_strdup_printf("#%d %s", flow + 1, name);

        ladder_place_paragraph(p, LADDER_LEGEND, 0, line);
        g_free(line);
        g_free(name);
    }
    if (legend->len > LEGEND_MAX) {
        char *line = g_strdup_printf("… and %u more flow%s", legend->len - LEGEND_MAX,
                                     legend->len - LEGEND_MAX == 1 ? "" : "s");

        ladder_place_paragraph(p, LADDER_LEGEND, 0, line);
        g_free(line);
    }
}

void ladder_place_notices(Place *p, guint left)
{
    GString *t = g_string_new(NULL);
    unsigned more = 0;

    for (guint i = left; i < p->l->events->len; i++)
        more += LADDER_AT(p->l->events, LadderEvent, i)->kind == LADDER_EV_SEND;
    if (p->l->lanes->len < 2)
        g_string_append(t, "No frames between two nodes to be seen. ");
    else if (!p->l->events->len)
        g_string_append(t, "Nothing was sent in this time. ");
    if (left < p->l->events->len)
        g_string_append_printf(t, "Cut after %u row%s: %u more frame%s (--max-rows, --from, --to, --flow). ",
                               p->l->config.max_rows, p->l->config.max_rows == 1 ? "" : "s", more,
                               more == 1 ? "" : "s");
    if (p->l->n_lanes_left_out)
        g_string_append_printf(t, "%u more node%s no lane (--between chooses). ", p->l->n_lanes_left_out,
                               p->l->n_lanes_left_out == 1 ? " has" : "s have");
    if (p->l->n_hidden)
        g_string_append_printf(t, "%u frame%s of nodes without a lane %s not shown (--hops). ",
                               p->l->n_hidden, p->l->n_hidden == 1 ? "" : "s",
                               p->l->n_hidden == 1 ? "is" : "are");
    if (story_is_cut(p->l->story))
        g_string_append(t, "The run was longer than what was recorded. ");
    g_strchomp(t->str);
    if (*t->str)
        ladder_place_paragraph(p, LADDER_NOTICE, 0, t->str);
    g_string_free(t, TRUE);
}
