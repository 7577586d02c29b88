/* What the files that lay out a ladder share. */
#pragma once

#include "view/ladder_priv.h"

typedef struct Place {
    const Ladder *l;
    const LadderMedium *m;
    LadderLayout *g;
    int32_t last_lane;
    int32_t row;           /* the next free one in the middle */
    int32_t margin_row[2]; /* of the margins */
    double margin_width[2], time_width;
    unsigned decimals; /* of times */
    SimTime long_gap;
    /* The present instant. */
    bool has_instant, is_time_shown;
    SimTime time;
    int32_t time_row, main_row; /* main_row: of its last event in the middle; -1: none yet */
    int32_t *line_of;           /* arrow -> index of lines; -1 */
} Place;

/* Lines of at most `limit` (units of the medium); a newline in the text begins one. */
GPtrArray *ladder_wrap(const LadderMedium *m, const char *text, double limit, LadderRole role);
double ladder_widest(const LadderMedium *m, const GPtrArray *lines, LadderRole role);

/* ladder_time.c: as few decimals as tell all instants apart, and as say them exactly if milliseconds do. */
void ladder_choose_time(Place *p);
void ladder_time_text(const Place *p, SimTime t, char buf[40]);

static inline double ladder_clamp(double x, double low, double high)
{
    return x > high ? HS_MAX(low, high) : x < low ? low : x;
}

static inline double ladder_lane_x(const Place *p, int32_t lane)
{
    return g_array_index(p->g->x, double, lane);
}

/* ladder_place.c: a line of words; what stands around the events, and how wide that makes everything. */
LadderBox *ladder_add_box(Place *p, LadderRole role, int32_t row, double x, const char *text);
void ladder_place_paragraph(Place *p, LadderRole role, double x, const char *text);
/* Of the outermost lanes these events stand in the margin; `made` is to be freed. */
bool ladder_is_beside(LadderEventKind kind);
LadderRole ladder_role_beside(const LadderEvent *e);
const char *ladder_words_beside(const LadderEvent *e, char **made);
void ladder_measure_margins(Place *p);
void ladder_place_lanes(Place *p);
void ladder_place_names(Place *p);
void ladder_place_legend(Place *p);
/* What is not shown; `left`: the first event that has no place. */
void ladder_place_notices(Place *p, guint left);
