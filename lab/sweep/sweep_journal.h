/* DIR/journal.jsonl: what a sweep is, in the first line, and what each run came to, one line as soon as it
 * has ended, in whatever order runs end. It is only ever appended to. A killed sweep leaves at worst one torn
 * line at the end, which counts for nothing; the next one goes on from there. */
#pragma once

#include <glib.h>

#include "lab/sweep/sweep_row.h"
#include "lab/sweep/sweep_spec.h"

#define SWEEP_JOURNAL_NAME "journal.jsonl"

typedef struct SweepJournal SweepJournal;

/* Goes on with the journal of the same sweep, or begins one; with `restart` always the latter. rows: a place
 * for each run of the spec, NULL; those that the journal knows are put there. Nobody else can open it for
 * writing until it is closed. */
SweepJournal *sweep_journal_open(const char *dir, const SweepSpec *spec, bool restart, SweepRow **rows,
                                 GError **error);
bool sweep_journal_add(SweepJournal *j, const SweepRow *row, GError **error) HS_MUST_USE;
void sweep_journal_close(SweepJournal *j); /* NULL is allowed */

/* Without writing. *rows: for each run of the spec, some of them NULL; for sweep_journal_free_rows. */
SweepSpec *sweep_journal_read(const char *dir, SweepRow ***rows, GError **error);
void sweep_journal_free_rows(SweepRow **rows, unsigned n);
