/* Runs a parsed script against a stack (section 15 of the language). */
#pragma once

#include "packetdrill/pd_config.h"
#include "packetdrill/pd_parse.h"
#include "packetdrill/pd_stack.h"

typedef enum PdOutcome {
    PD_PASSED,
    PD_FAILED, /* the stack did something else than the script says */
    PD_WRONG,  /* the script asks for what cannot be done: an unknown command, a bad argument */
} PdOutcome;

/* Who looks on. Every member may be NULL. */
typedef struct PdObserver {
    void *user;
    /* One line of text without line end: packets in script notation, calls and their results (--verbose),
     * warnings of non-fatal mismatches, output of print(). */
    void (*line)(void *user, const char *text);
    /* Each datagram as it passes the device. */
    void (*packet)(void *user, PdDirection dir, int64_t at_ns, const uint8_t *bytes, size_t len);
} PdObserver;

/* error: "FILE:LINE: error handling packet: …" and what explains it, several lines without a last line end
 * (g_malloc'ed); NULL when it passed. stack_user goes to ops->open. */
PdOutcome pd_run(const PdScript *script, const PdConfig *config, const PdStackOps *ops, void *stack_user,
                 const PdObserver *observer, char **error);
