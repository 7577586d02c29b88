/* Long exchanges of which every frame is like the one before become one line: "120 segments, 173,760 bytes,
 * 2.1 s". What a reader must see stays: losses, retransmissions, the first duplicate ACKs, what opens and
 * closes a connection; and a note or a state in between ends the exchange. */
#include <string.h>

#include "view/ladder_priv.h"

#define RUN_MIN 14 /* shorter ones are shown */
#define KEEP 4     /* of a folded one, at either end */

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
        is_tcp &= a->tone == LADDER_DATA || a->tone == LADDER_ACK;
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

/* run: indices of events. Their arrows go, with whoever shares their beginning; in place of the last one's
 * sending stands the fold. */
static void fold_run(Ladder *l, const GArray *run)
{
    LadderEvent *e = NULL;
    const char *text;

    if (run->len < RUN_MIN)
        return;
    text = describe(l, run, KEEP, run->len - KEEP - 1);
    for (guint i = KEEP; i < run->len - KEEP; i++) {
        e = LADDER_AT(l->events, LadderEvent, g_array_index(run, guint, i));
        LADDER_AT(l->arrows, LadderArrow, e->arrow)->is_folded = true;
    }
    e->kind = LADDER_EV_FOLD;
    e->arrow = STORY_NONE;
    e->text = text;
}

void ladder_fold(Ladder *l)
{
    GArray *run = g_array_new(FALSE, FALSE, sizeof(guint));
    guint kept = 0;

    for (guint i = 0; i < l->events->len && !l->config.unfold; i++) {
        const LadderEvent *e = LADDER_AT(l->events, LadderEvent, i);

        if (is_plain_send(l, e)) {
            g_array_append_val(run, i);
        } else if (e->kind != LADDER_EV_END && e->kind != LADDER_EV_TIMER) {
            fold_run(l, run);
            g_array_set_size(run, 0);
        }
    }
    fold_run(l, run);
    g_array_free(run, TRUE);
    for (guint i = 0; i < l->arrows->len; i++) {
        LadderArrow *a = LADDER_AT(l->arrows, LadderArrow, i);

        if (a->lead != STORY_NONE && LADDER_AT(l->arrows, LadderArrow, a->lead)->is_folded &&
            !l->config.unfold)
            a->is_folded = true;
    }
    for (guint i = 0; i < l->events->len; i++) {
        LadderEvent e = g_array_index(l->events, LadderEvent, i);

        if (e.arrow == STORY_NONE || !LADDER_AT(l->arrows, LadderArrow, e.arrow)->is_folded)
            g_array_index(l->events, LadderEvent, kept++) = e;
    }
    g_array_set_size(l->events, kept);
}
