#include "sim/base/suggest.h"

#include <string.h>
#include <glib.h>

#include "sim/base/base.h"

#define MAX_LEN 63 /* longer words get no suggestion */
#define EDIT 100   /* one inserted, lost, wrong or swapped letter */
#define CASE 1     /* one wrong capital; 63 of them stay below one edit */

/* One to three letters: one edit; then another for each three letters, up to three. */
static unsigned limit(size_t len)
{
    return EDIT * (unsigned)(len <= 3 ? 1 : len <= 6 ? 2 : 3) + EDIT - 1;
}

static unsigned letter_cost(char a, char b)
{
    if (a == b)
        return 0;
    return g_ascii_tolower(a) == g_ascii_tolower(b) ? CASE : EDIT;
}

/* Optimal string alignment: no stretch is edited twice. Three rows of the usual table. */
static unsigned distance(const char *a, size_t na, const char *b, size_t nb)
{
    unsigned rows[3][MAX_LEN + 1];
    unsigned *before = rows[0], *prev = rows[1], *cur = rows[2];

    for (size_t j = 0; j <= nb; j++)
        prev[j] = (unsigned)j * EDIT;
    for (size_t i = 1; i <= na; i++) {
        cur[0] = (unsigned)i * EDIT;
        for (size_t j = 1; j <= nb; j++) {
            unsigned best = prev[j - 1] + letter_cost(a[i - 1], b[j - 1]);
            best = HS_MIN(best, prev[j] + EDIT);
            best = HS_MIN(best, cur[j - 1] + EDIT);
            if (i > 1 && j > 1 && a[i - 1] != a[i - 2]) {
                unsigned swap = letter_cost(a[i - 1], b[j - 2]) + letter_cost(a[i - 2], b[j - 1]);
                if (swap < EDIT)
                    best = HS_MIN(best, before[j - 2] + EDIT + swap);
            }
            cur[j] = best;
        }
        unsigned *oldest = before;
        before = prev;
        prev = cur;
        cur = oldest;
    }
    return prev[nb];
}

const char *suggest_closest(const char *word, const char *const *known, size_t n)
{
    size_t len = strlen(word);
    const char *best = NULL;
    unsigned best_distance = limit(len) + 1;

    if (len == 0 || len > MAX_LEN)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        size_t known_len = strlen(known[i]);
        if (known_len == 0 || known_len > MAX_LEN)
            continue;
        unsigned d = distance(word, len, known[i], known_len);
        /* A word of which hardly a letter is left is no likeness: fewer edits than letters of the shorter
         * one. */
        if (d < best_distance && d < EDIT * HS_MIN(len, known_len)) {
            best = known[i];
            best_distance = d;
        }
    }
    return best;
}
