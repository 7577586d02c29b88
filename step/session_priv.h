/* What the files session*.c and why*.c share. */
#pragma once

#include <glib.h>

#include "sim/base/base.h"
#include "step/session.h"

typedef struct StepBreak {
    unsigned id;
    char kind;  /* of step/watch.h */
    char *expr; /* Lua */
    char *wish; /* as it was written */
    bool is_temp;
    uint64_t hits;
} StepBreak;

struct StepSession {
    StepTimelineConfig config;
    StepTimeline *timeline;
    GArray *breaks;      /* StepBreak */
    unsigned next_break; /* the next number */
    GPtrArray *displays; /* expressions; char * */
    char *repeat;        /* what an empty line means; NULL: nothing */
};

#define STEP_WORDS_MAX 64

/* A command line: its words, and where in the line each of them begins. */
typedef struct StepLine {
    const char *text;
    char *copy;
    char *word[STEP_WORDS_MAX + 1];
    const char *rest[STEP_WORDS_MAX + 1]; /* the line from that word on; "" behind the last one */
    unsigned n;
} StepLine;

typedef StepResult (*StepCommandFn)(StepSession *s, const StepLine *l, char **error);

typedef struct StepCommand {
    const char *names; /* "next n"; the first one is shown */
    const char *usage;
    const char *help;
    StepCommandFn fn;
    bool repeats;
} StepCommand;
extern const StepCommand step_commands[]; /* a NULL name ends it */

void stepline_parse(StepLine *l, const char *text);    /* copy is for g_free */
const StepCommand *stepsession_find(const char *word); /* NULL: there is no such command */
void stepsession_say(StepSession *s, const char *format, ...) HS_PRINTF(2, 3);
StepResult stepsession_wrong(char **error, const char *format, ...) HS_PRINTF(2, 3);
/* Tells where we stand and why. */
void stepsession_tell(StepSession *s);

/* session_breaks.c. The conditions of all breakpoints, and of `until` (NULL: none), for a plan. */
char *stepbreaks_text(const StepSession *s, const char *until);
StepBreak *stepbreaks_find(StepSession *s, unsigned id);
void stepbreaks_remove(StepSession *s, unsigned id);
void stepbreaks_clear(StepSession *s);
/* Is the expression fine? Otherwise *error. */
bool stepbreaks_check(StepSession *s, char kind, const char *expr, char **error);
StepResult stepcmd_break(StepSession *s, const StepLine *l, char **error);
StepResult stepcmd_watch(StepSession *s, const StepLine *l, char **error);
StepResult stepcmd_breaks(StepSession *s, const StepLine *l, char **error);
StepResult stepcmd_delete(StepSession *s, const StepLine *l, char **error);

/* session_move.c */
StepResult stepcmd_next(StepSession *s, const StepLine *l, char **error);
StepResult stepcmd_back(StepSession *s, const StepLine *l, char **error);
StepResult stepcmd_until(StepSession *s, const StepLine *l, char **error);
StepResult stepcmd_continue(StepSession *s, const StepLine *l, char **error);
StepResult stepcmd_reverse(StepSession *s, const StepLine *l, char **error);
StepResult stepcmd_goto(StepSession *s, const StepLine *l, char **error);

/* session_look.c */
StepResult stepcmd_inspect(StepSession *s, const StepLine *l, char **error);
StepResult stepcmd_packet(StepSession *s, const StepLine *l, char **error);
StepResult stepcmd_on(StepSession *s, const StepLine *l, char **error);
StepResult stepcmd_bare(StepSession *s, const StepLine *l, char **error);
StepResult stepcmd_nodes(StepSession *s, const StepLine *l, char **error);
StepResult stepcmd_where(StepSession *s, const StepLine *l, char **error);
StepResult stepcmd_print(StepSession *s, const StepLine *l, char **error);
StepResult stepcmd_display(StepSession *s, const StepLine *l, char **error);
StepResult stepcmd_undisplay(StepSession *s, const StepLine *l, char **error);
StepResult stepcmd_list(StepSession *s, const StepLine *l, char **error);
StepResult stepcmd_ladder(StepSession *s, const StepLine *l, char **error);
StepResult stepcmd_digest(StepSession *s, const StepLine *l, char **error);
void stepsession_show_displays(StepSession *s);
/* The number of the node of that name; false: *error. */
bool stepsession_node(StepSession *s, const char *name, uint32_t *node, char **error);

/* why.c, why_cwnd.c, session_help.c */
StepResult stepcmd_why(StepSession *s, const StepLine *l, char **error);
StepResult stepwhy_cwnd(StepSession *s, const StepLine *l, char **error);
StepResult stepwhy_state(StepSession *s, const StepLine *l, char **error);
/* What happened there, and so many causes of it. */
StepResult stepwhy_chain(StepSession *s, StepPos pos, bool is_main, uint64_t steps, char **error);
StepResult stepcmd_help(StepSession *s, const StepLine *l, char **error);
