/* A scenario as a test: where it is, and what it says about its own test in the comment lines before its
 * first line of code:
 *
 *     -- expect-exit: 2                another exit status than 0
 *     -- run-args: --set waits=10000   arguments for its run
 *
 * Other comments are nobody's business here. */
#pragma once

#include <glib.h>

#include "sim/base/base.h"

typedef struct TestCase {
    char *path;      /* as it is shown */
    int exit_status; /* expected */
    GPtrArray *args; /* char *: of run-args */
    char *wrong;     /* a comment that cannot be read, or a file; NULL: all is well */
} TestCase;

void test_case_free(gpointer test_case);

/* Scenarios (*.lua) of an operand in the order of their names: the file itself, or all that are in the folder
 * and below it, but for folders called lib and hidden ones. Appends TestCase; false and *error. */
bool test_case_find(const char *operand, GPtrArray *cases, GError **error) HS_MUST_USE;

/* A pattern of * and ? for the whole path, or a part of it. */
bool test_case_matches(const TestCase *t, const char *pattern);
