/* The matcher behind string.find, match, gmatch and gsub. Errors are raised in L. */
#pragma once

#include <lua.h>
#include <stddef.h>

#define SANDBOX_CAPTURES_MAX 32

typedef struct SandboxMatch {
    lua_State *L;
    const char *src, *src_end;
    const char *pat_end;
    unsigned steps, depth;
    int n_captures;
    struct {
        const char *start;
        ptrdiff_t len; /* or a special value */
    } capture[SANDBOX_CAPTURES_MAX];
} SandboxMatch;

void sandbox_match_init(SandboxMatch *m, lua_State *L, const char *src, size_t src_len, const char *pat,
                        size_t pat_len);
/* Matches at s with the pattern from p on; the match's end, or NULL. */
const char *sandbox_match_at(SandboxMatch *m, const char *s, const char *p);
void sandbox_match_done(SandboxMatch *m); /* charges for the steps */
/* Pushes capture i of a match from s to e; without captures, number 0 is the whole match. */
void sandbox_match_push(SandboxMatch *m, int i, const char *s, const char *e);
/* All captures; if there are none, the whole match, unless s is NULL. How many. */
int sandbox_match_push_all(SandboxMatch *m, const char *s, const char *e);
