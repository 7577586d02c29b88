/* Golden digests: what scenarios' runs came to when somebody last looked at them, in a file golden.tsv in
 * their folder: name of the scenario, and the three grades of its digest (sim/trace/sink_digest.h). */
#pragma once

#include <glib.h>

#include "sim/trace/sink_digest.h"

#define TEST_GOLDEN_NAME "golden.tsv"

typedef struct TestGolden TestGolden;

/* Files are read when first asked for. */
TestGolden *test_golden_new(void);
void test_golden_free(TestGolden *g);

/* The digest of the scenario, or NULL: it has none, or *error: the file is broken. */
const SinkDigestValue *test_golden_find(TestGolden *g, const char *scenario, GError **error);
/* "frames, state and events", "state and events (frames are the same)", "events (…)": which grades differ;
 * NULL: none. */
const char *test_golden_difference(const SinkDigestValue *a, const SinkDigestValue *b);

/* Wants the digest for the scenario; nothing is written yet. */
void test_golden_set(TestGolden *g, const char *scenario, const SinkDigestValue *digest);
/* Appends what test_golden_write would change; returns how many rows. */
unsigned test_golden_show(TestGolden *g, GString *out);
bool test_golden_write(TestGolden *g, GError **error) HS_MUST_USE;
