/* What the files of the ladder share. */
#pragma once

#include "view/ladder.h"
#include "view/story_segment.h"

typedef enum LadderEventKind {
    LADDER_EV_NOTE,
    LADDER_EV_STATE, /* beside a lane; so the next two */
    LADDER_EV_TIMER,
    LADDER_EV_DROP, /* inside a node that the frame had reached */
    LADDER_EV_SEND,
    LADDER_EV_END,
    LADDER_EV_FOLD,
} LadderEventKind;

typedef struct LadderEvent {
    SimTime time;
    int32_t order; /* the record's index: the run's order */
    LadderEventKind kind;
    int32_t arrow, lane; /* -1: none */
    LadderTone tone;
    const char *text;
} LadderEvent;

struct Ladder {
    const Story *story;
    LadderConfig config;
    GStringChunk *strings;
    GArray *lanes;        /* LadderLane */
    GArray *lane_of;      /* node -> lane or -1 */
    GArray *hops;         /* node * n + node -> hops between them on the way that frames take; 0: unknown */
    GHashTable *owner_of; /* IP address as text -> node + 1 */
    GArray *arrows;       /* LadderArrow */
    GArray *events;       /* LadderEvent, sorted */
    GArray *is_shown;     /* bool for each flow */
    GArray *legend;       /* int32_t: flows that are seen */
    const char *title;
    uint32_t n_hidden; /* frames between nodes that have no lane */
    uint32_t n_lanes_left_out;
};

#define LADDER_AT(array, type, i) (&g_array_index((array), type, (i)))

const char *ladder_keep(Ladder *l, const char *text);
const char *ladder_keep_printf(Ladder *l, const char *format, ...) HS_PRINTF(2, 3);

/* ladder_lanes.c */
bool ladder_choose_lanes(Ladder *l, char **error);
int32_t ladder_lane_of(const Ladder *l, int32_t node);
unsigned ladder_distance(const Ladder *l, int32_t from, int32_t to);
/* ladder_flow.c */
bool ladder_choose_flows(Ladder *l, char **error);
bool ladder_shows_flow(const Ladder *l, int32_t flow);
bool ladder_shows_packet(const Ladder *l, const StoryPacket *p); /* of its flow, or an error about it */
char *ladder_flow_name(const Story *s, int32_t flow);            /* "client:40000 > server:80" */
/* ladder_arrows.c */
void ladder_add_arrows(Ladder *l);
/* ladder_words.c */
void ladder_add_words(Ladder *l);
/* ladder_fold.c */
void ladder_fold(Ladder *l);

/* A duration as people say it: "1.5 s", "20 ms", "3.25 µs". */
char *ladder_duration(SimTime t, char buf[32]);
