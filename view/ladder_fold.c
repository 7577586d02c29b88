/* Long exchanges become one line: "120 segments, 173,760 bytes, 2.1 s". Two ways.
 *
 * Of many frames that only carry data or acknowledge some, the first and the last are shown. What a reader
 * must see stays: losses, retransmissions, the first duplicate ACKs, what opens and closes a connection; and
 * a note or a state in between ends the exchange.
 *
 * Whatever repeats itself, but for its numbers, is shown twice and then once more at the end: a flood, one
 * ping after another. */
#include <string.h>

#include "view/ladder_priv.h"

#define RUN_MIN 14   /* shorter ones are shown */
#define KEEP 4       /* of a folded one, at either end */
#define PERIOD_MAX 8 /* sendings of what repeats itself */
#define REPEATS_MIN 4

static bool is_plain_send(const Ladder *l, const LadderEvent *e)
{
    return e->kind == LADDER_EV_SEND && !LADDER_AT(l->arrows, LadderArrow, e->arrow)->is_marked;
}

/* With thousands separated, as people write numbers. */
static char *grouped(uint64_t n, char buf[32])
{
    char digits[24];
    size_t len, out = 0;

    g_snprintf(digits, sizeof(digits), "%" G_GUINT64_FORMAT, n);
    len = strlen(digits);
    for (size_t i = 0; i < len; i++) {
        if (i && (len - i) % 3 == 0)
            buf[out++] = ',';
        buf[out++] = digits[i];
    }
    buf[out] = 0;
    return buf;
}

static bool is_segment(LadderTone t)
{
    return t >= LADDER_SYN && t <= LADDER_AGAIN;
}

static const char *describe(Ladder *l, const GArray *run, guint first, guint last)
{
    uint64_t bytes = 0;
    unsigned n = last - first + 1;
    bool is_tcp = true;
    char number[32], amount[32], span[32];
    SimTime begin = 0, end = 0;

    for (guint i = first; i <= last; i++) {
        const LadderEvent *e = LADDER_AT(l->events, LadderEvent, g_array_index(run, guint, i));
        const LadderArrow *a = LADDER_AT(l->arrows, LadderArrow, e->arrow);

        bytes += a->payload;
        is_tcp &= is_segment(a->tone);
        if (i == first)
            begin = e->time;
        end = e->time;
    }
    ladder_duration(end - begin, span);
    if (!bytes)
        return ladder_keep_printf(l, "%s %s, %s", grouped(n, number), is_tcp ? "segments" : "frames", span);
    return ladder_keep_printf(l, "%s %s, %s bytes, %s", grouped(n, number), is_tcp ? "segments" : "frames",
                              grouped(bytes, amount), span);
}

/* From the first to the last of a run's sendings; in place of the last one's stands the fold. */
static void fold(Ladder *l, const GArray *run, guint first, guint last, const char *text)
{
    LadderEvent *e = NULL;

    for (guint i = first; i <= last; i++) {
        e = LADDER_AT(l->events, LadderEvent, g_array_index(run, guint, i));
        LADDER_AT(l->arrows, LadderArrow, e->arrow)->is_folded = true;
    }
    e->kind = LADDER_EV_FOLD;
    e->arrow = STORY_NONE;
    e->text = text;
}

/* run: indices of events. */
static void fold_run(Ladder *l, const GArray *run)
{
    if (run->len >= RUN_MIN)
        fold(l, run, KEEP, run->len - KEEP - 1, describe(l, run, KEEP, run->len - KEEP - 1));
}

/* ---- what repeats itself ---- */

/* Alike but for the digits. */
static bool is_alike(const Ladder *l, const GArray *run, guint i, guint k)
{
    const LadderEvent *x = LADDER_AT(l->events, LadderEvent, g_array_index(run, guint, i));
    const LadderEvent *y = LADDER_AT(l->events, LadderEvent, g_array_index(run, guint, k));
    const LadderArrow *a = LADDER_AT(l->arrows, LadderArrow, x->arrow);
    const LadderArrow *b = LADDER_AT(l->arrows, LadderArrow, y->arrow);
    const char *p = a->label, *q = b->label;

    if (a->from != b->from || a->to != b->to || a->tone != b->tone || a->is_lost != b->is_lost ||
        strcmp(a->loss, b->loss))
        return false;
    for (;;) {
        while (g_ascii_isxdigit(*p))
            p++;
        while (g_ascii_isxdigit(*q))
            q++;
        if (*p != *q)
            return false;
        if (!*p)
            return true;
        p++;
        q++;
    }
}

static guint repeats(const Ladder *l, const GArray *run, guint first, guint period)
{
    guint i = first + period;

    while (i < run->len && is_alike(l, run, i - period, i))
        i++;
    return (i - first) / period;
}

static void fold_repeats(Ladder *l, const GArray *run)
{
    for (guint i = 0; i + RUN_MIN <= run->len;) {
        guint best = 0, period = 1;

        for (guint p = 1; p <= PERIOD_MAX; p++) {
            guint n = repeats(l, run, i, p);

            if (n >= REPEATS_MIN && n * p > best) {
                best = n * p;
                period = p;
            }
        }
        if (best >= RUN_MIN && best / period > 3) {
            guint first = i + 2 * period, last = i + best - period - 1;

            fold(l, run, first, last,
                 ladder_keep_printf(l, "the same %u times more: %s", (last + 1 - first) / period,
                                    describe(l, run, first, last)));
            i += best;
        } else {
            i++;
        }
    }
}

/* ---- all of it ---- */

/* Calls `run` with every stretch of sendings that no note or state interrupts. */
static void for_each_run(Ladder *l, bool plain, void (*fn)(Ladder *l, const GArray *run))
{
    GArray *run = g_array_new(FALSE, FALSE, sizeof(guint));

    for (guint i = 0; i < l->events->len; i++) {
        const LadderEvent *e = LADDER_AT(l->events, LadderEvent, i);

        if (plain ? is_plain_send(l, e) : e->kind == LADDER_EV_SEND) {
            g_array_append_val(run, i);
        } else if (e->kind != LADDER_EV_END && e->kind != LADDER_EV_TIMER &&
                   (plain || e->kind != LADDER_EV_DROP)) {
            fn(l, run);
            g_array_set_size(run, 0);
        }
    }
    fn(l, run);
    g_array_free(run, TRUE);
}

/* With whoever shares their beginning. */
static void forget_folded(Ladder *l)
{
    guint kept = 0;

    for (guint i = 0; i < l->arrows->len; i++) {
        LadderArrow *a = LADDER_AT(l->arrows, LadderArrow, i);

        if (a->lead != STORY_NONE && LADDER_AT(l->arrows, LadderArrow, a->lead)->is_folded)
            a->is_folded = true;
    }
    for (guint i = 0; i < l->events->len; i++) {
        LadderEvent e = g_array_index(l->events, LadderEvent, i);

        if (e.arrow == STORY_NONE || !LADDER_AT(l->arrows, LadderArrow, e.arrow)->is_folded)
            g_array_index(l->events, LadderEvent, kept++) = e;
    }
    g_array_set_size(l->events, kept);
}

void ladder_fold(Ladder *l)
{
    if (l->config.unfold)
        return;
    for_each_run(l, true, fold_run);
    forget_folded(l);
    for_each_run(l, false, fold_repeats);
    forget_folded(l);
}
