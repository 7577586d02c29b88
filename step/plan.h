/* What the two processes of a stepping session tell each other: how far to go (StepPlan), where it stopped
 * (StepStop), and what was found on the way (StepMatch). They are the same program, so structs go over the
 * pipe as they are. */
#pragma once

#include "sim/base/simtime.h"
#include "step/position.h"

typedef enum StepUnit {
    STEP_UNIT_NONE,
    STEP_UNIT_RECORD,
    STEP_UNIT_PACKET, /* frame.tx, frame.rx, frame.drop */
    STEP_UNIT_STATE,  /* something changed its state: *.state, spanning tree, loss recovery */
    STEP_UNIT_DROP,   /* frame.drop */
} StepUnit;

typedef enum StepShow {
    STEP_SHOW_NOTHING,
    STEP_SHOW_LOG,  /* what the scenario says */
    STEP_SHOW_UNIT, /* that, and the records that the plan counts */
    STEP_SHOW_ONLY, /* the records that the plan counts */
    STEP_SHOW_ALL,  /* every record, up to STEP_SHOW_MAX of them */
} StepShow;

#define STEP_SHOW_MAX 200

/* What a search looks for (StepPlan.scan). */
typedef enum StepScan {
    STEP_SCAN_NO,      /* go, and stop where the plan says */
    STEP_SCAN_MATCHES, /* the last `count` places where unit or breakpoints would stop */
    STEP_SCAN_KEY,     /* the event in which the node gave out its event number `number` */
    STEP_SCAN_BIRTH,   /* … made its packet of that number */
    STEP_SCAN_SENT, /* the last frame.tx of the packet {node, number} that another node than not_node sent */
    STEP_SCAN_ARRIVED, /* the last frame.rx of that packet at not_node, by which it was forwarded */
    STEP_SCAN_CWND, /* the last tcp.cwnd of connection `number` of that node with another window than `other`,
                       or another ssthresh than `other_ssthresh` */
    STEP_SCAN_STATE, /* the last tcp.state of connection `number` (0: any) of that node (UINT32_MAX: any) */
} StepScan;

typedef struct StepPlan {
    StepPos limit;  /* stop there at the latest */
    bool inclusive; /* what would stop at the limit itself counts; of searches */
    SimTime time;   /* stop before the first event at this time or later; SIM_NEVER */
    StepUnit unit;  /* stop behind the count-th of these */
    uint64_t count;
    bool use_breaks; /* the text behind holds conditions: stop where one of them holds */
    StepShow show;
    StepPos show_from; /* nothing before is shown */
    StepScan scan;
    bool tell_event;     /* the stop's text describes the event that was executed */
    unsigned ladder;     /* columns of a ladder, which is the stop's text; 0: none */
    SimTime ladder_from; /* it shows what happened since */
    bool is_at_node;     /* only records of `node` count and are shown */
    uint32_t node, not_node;
    uint64_t number, other, other_ssthresh;
} StepPlan;

typedef enum StepWhy {
    STEP_WHY_LIMIT, /* the position or time that was asked for */
    STEP_WHY_UNIT,
    STEP_WHY_BREAK, /* a condition: break_id */
    STEP_WHY_ASKED, /* ^C */
    STEP_WHY_ENDED, /* the run is over */
    STEP_WHY_ERROR, /* a condition cannot be evaluated: the text says why */
} StepWhy;

typedef struct StepStop {
    StepWhy why;
    StepPos pos;
    SimTime time;
    uint32_t break_id; /* 0: the condition of until */
    bool is_main;      /* the scenario's main part is at work, no event */
    bool is_ended;     /* nothing comes after this place */
    int32_t status;    /* then: of the run, as the command's exit status */
    bool has_before;   /* of searches for a key or birth: it was before this interval */
    uint32_t n_matches;
} StepStop;

typedef struct StepMatch {
    StepPos pos;
    SimTime time;
    uint32_t break_id;
    uint32_t node;
    bool is_main; /* by the scenario's main part, behind this event */
    uint64_t number;
} StepMatch;

/* The event that was executed, behind a StepStop when asked for (tell_event); lines of text follow. */
typedef struct StepEvent {
    uint64_t key; /* of the engine: who planned it, and its number there */
    SimTime time;
    bool has_records;
    uint32_t node;   /* where its first record happened */
    bool is_arrival; /* it begins with a frame.rx … */
    bool is_sending; /* … or with, or has, a frame.tx */
    uint32_t birth_node;
    uint64_t birth;   /* of that packet */
    uint32_t at_node; /* that sent or received it */
    bool is_timer;    /* a tcp.timer fired */
    uint64_t n_records;
} StepEvent;

/* Types of messages. */
enum {
    STEP_MSG_PLAN = 'P',    /* StepPlan, text: follow it */
    STEP_MSG_QUERY = 'Q',   /* text: answer it (step/inspect.h) */
    STEP_MSG_ASK = 'S',     /* stop soon */
    STEP_MSG_WAKE = 'W',    /* to a checkpoint, with a socket: become a process that can go on */
    STEP_MSG_MARK = 'C',    /* StepMatch, with a socket: a checkpoint was made */
    STEP_MSG_TEXT = 'T',    /* to be shown */
    STEP_MSG_ANSWER = 'A',  /* a byte (1 fine, 0 wrong) and text */
    STEP_MSG_STOPPED = 'X', /* StepStop, StepMatch …, text */
};
