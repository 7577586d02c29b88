/* The debugger as its user knows it: commands in, text out. Knows no terminal; cli/step.c reads lines and
 * prints. */
#pragma once

#include "step/timeline.h"

typedef struct StepSession StepSession;

typedef enum StepResult {
    STEP_FINE,
    STEP_WRONG, /* *error says what, for g_free */
    STEP_QUIT,
} StepResult;

/* The timeline's config says how to run and where text goes. Runs to the first event and shows what the
 * scenario said until then. NULL: *error. */
StepSession *stepsession_new(const StepTimelineConfig *config, char **error);
void stepsession_free(StepSession *s);
/* One line. "" repeats the last command that can be repeated. */
StepResult stepsession_do(StepSession *s, const char *line, char **error);
/* What was told where we stand. */
const char *stepsession_said(const StepSession *s);
/* "0.021001152 #57" */
char *stepsession_prompt(const StepSession *s, char buf[64]);
/* The run came to its end before any event, and this is its exit status; -1: it did not. */
int stepsession_failed(const StepSession *s);
/* For completion: what the line's last word may become. For g_strfreev. */
char **stepsession_complete(StepSession *s, const char *line);
/* The terminal has another width now. */
void stepsession_set_columns(StepSession *s, unsigned columns);
