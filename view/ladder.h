/* Ladders: sequence diagrams of a run. Nodes are vertical lines, frames are arrows between them that leave
 * and arrive at their true times, from top to bottom.
 *
 * Three steps. ladder_new picks what is to be seen out of a story: lanes, arrows with their words, states,
 * timers, notes. ladder_layout gives everything a place, in units of the medium that LadderMedium describes:
 * geometry as data, the same code for a terminal and for SVG. ladder_text and ladder_svg draw it.
 *
 * The time axis is made of rows: every event has a row of its own, so that words never lie on each other,
 * and its true time beside it. Long gaps get a mark that says how long, long exchanges fold.
 *
 * A Ladder refers to its Story, which outlives it. */
#pragma once

#include "view/story.h"

typedef struct Ladder Ladder;

#define LADDER_ROWS_DEFAULT 600

typedef struct LadderConfig {
    bool has_own_title;         /* title stands, whatever hs.title says */
    const char *title;          /* what the picture is called if the scenario has no hs.title; NULL: none */
    const char *const *between; /* names of nodes, NULL at the end, in this order; NULL: who talks */
    const char *flow;           /* "2", "client:40000>server:80", "80"; NULL: all, and frames of no flow */
    SimTime from, to;           /* frames sent within; SIM_NEVER: to the end */
    uint32_t max_rows;          /* 0: LADDER_ROWS_DEFAULT */
    bool hops;                  /* routers, switches and hubs on the way have lanes too */
    bool timers;                /* TCP's timers, armed and fired */
    bool absolute;              /* sequence numbers as on the wire */
    bool options;               /* TCP options of every segment, not only SYN's and SACK */
    bool unfold, no_notes, no_states; /* unfold: long exchanges in full */
    bool is_running;                  /* the story is not at its end: what is under way may still arrive */
    const char *lang;                 /* of title and notes, where the scenario has it: "zh"; NULL: English */
} LadderConfig;

/* What an arrow or a word is about; renderers choose colours by it. */
typedef enum LadderTone {
    LADDER_PLAIN,
    LADDER_SYN,
    LADDER_DATA,
    LADDER_ACK,
    LADDER_FIN,
    LADDER_RST,
    LADDER_AGAIN, /* a retransmission */
    LADDER_UDP,
    LADDER_ICMP,
    LADDER_ARP,
    LADDER_OTHER,
    LADDER_LOST,
    LADDER_N_TONES
} LadderTone;

const char *ladder_tone_name(LadderTone t); /* "syn": class names in SVG */

typedef struct LadderLane {
    int32_t node; /* of the story */
    const char *name, *kind;
} LadderLane;

typedef struct LadderArrow {
    int32_t packet, flow; /* of the story; flow may be STORY_NONE */
    int32_t from, to;     /* lanes; of a lost frame, to is where it was heading */
    int32_t lead;         /* a broadcast: the arrow whose beginning and words this one shares; -1: its own */
    int32_t tx, end;      /* records of the story; end may be STORY_NONE */
    SimTime sent, ended;
    uint32_t payload;
    LadderTone tone;
    bool is_lost, is_open; /* is_open: still on its way when the run ended */
    bool is_marked;        /* worth seeing: never folded away */
    bool is_folded;        /* not drawn; the next one neither, but others may share its beginning */
    bool is_hidden;
    double reach;      /* how far it came, 0 to 1 */
    const char *label; /* "SYN seq 0 win 64240\nmss 1460, sackOK"; "" of one that follows a lead */
    const char *loss;  /* "lost", "queue full at r"; "" */
} LadderArrow;

/* NULL and *error (g_free): a name that is no node, a flow that is none. */
Ladder *ladder_new(const Story *s, const LadderConfig *config, char **error);
void ladder_free(Ladder *l);
const char *ladder_title(const Ladder *l);
int32_t ladder_lane_count(const Ladder *l);
const LadderLane *ladder_lane(const Ladder *l, int32_t i);
int32_t ladder_arrow_count(const Ladder *l);
const LadderArrow *ladder_arrow(const Ladder *l, int32_t i);
/* "1  client:40000 > server:80  TCP  3 + 2 packets": one line for each flow of the story. */
char *ladder_list_flows(const Story *s);

/* ---- geometry ---- */

typedef enum LadderRole {
    LADDER_TITLE,
    LADDER_LEGEND,
    LADDER_NAME,
    LADDER_TIME,
    LADDER_LABEL,
    LADDER_LOSS,
    LADDER_STATE,
    LADDER_TIMER,
    LADDER_NOTE,
    LADDER_GAP,
    LADDER_FOLD,
    LADDER_NOTICE,
} LadderRole;

typedef struct LadderMedium {
    double (*width)(const char *text, LadderRole role);
    double total;   /* the picture's width; 0: what it needs */
    double unit;    /* of distances: a column, or about a character */
    unsigned slant; /* rows that an arrow falls at least */
    bool is_inline; /* words stand in the arrow's line, not above it */
} LadderMedium;

/* One line of words: in row `row`, from x to x + width. No two of them touch. */
typedef struct LadderBox {
    const char *text;
    LadderRole role;
    LadderTone tone;
    int32_t row;
    double x, width;
    int32_t lane;  /* of LADDER_NAME and states beside their lane; -1 */
    int32_t arrow; /* of LADDER_LABEL and LADDER_LOSS; -1 */
} LadderBox;

typedef struct LadderLine {
    int32_t arrow;
    int32_t row_from, row_to; /* of the beginning and the end */
    double x_from, x_to;      /* of the lanes, or where it was lost */
    double label_end;         /* the words beside its beginning reach so far; x_from: there are none */
    bool is_cut;              /* the picture ends before it does */
} LadderLine;

typedef struct LadderLayout {
    GArray *boxes;                      /* LadderBox, by rows */
    GArray *lines;                      /* LadderLine */
    GArray *x;                          /* double: of the lanes */
    GArray *gaps;                       /* int32_t: rows where the axis is broken */
    GArray *blanks;                     /* int32_t: rows where the lanes are interrupted by a note */
    int32_t n_rows, lane_from, lane_to; /* rows where the lanes begin and end */
    double width;
    GStringChunk *strings;
} LadderLayout;

/* Fails on nothing: what does not fit is left out with a notice. */
LadderLayout *ladder_layout(const Ladder *l, const LadderMedium *medium);
void ladder_layout_free(LadderLayout *g);

/* ---- drawing ---- */

typedef struct LadderTextConfig {
    unsigned width; /* columns, at least 40 */
    bool ascii, color;
} LadderTextConfig;

char *ladder_text(const Ladder *l, const LadderTextConfig *config);
char *ladder_svg(const Ladder *l);
