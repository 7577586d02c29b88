/* Readers of link traces; models/link/linktrace.h describes the formats. Both go through the text line by
 * line and stop at the first error. */
#include "models/link/linktrace.h"

#include <inttypes.h>
#include <string.h>

#include "sim/base/units.h"

#define COLUMNS_MAX 4
/* Longer words are no numbers, whatever they are; messages show their beginning. */
#define WORD_MAX_BYTES 64

typedef struct Lines {
    const char *name;
    const char *rest;
    const char *end;
    unsigned number;
    unsigned n_words;
    char words[COLUMNS_MAX][WORD_MAX_BYTES];
} Lines;

G_DEFINE_QUARK(hs_linktrace_error, linktrace_error)

/* What is in the file may be no UTF-8, a message must be. */
static bool fail(const Lines *l, GError **error, const char *fmt, ...) HS_PRINTF(3, 4);
static bool fail(const Lines *l, GError **error, const char *fmt, ...)
{
    va_list ap;
    char *what, *valid;

    va_start(ap, fmt);
    what = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    valid = g_utf8_make_valid(what, -1);
    g_set_error(error, LINKTRACE_ERROR, LINKTRACE_ERROR_SYNTAX, "%s:%u: %s", l->name, l->number, valid);
    g_free(valid);
    g_free(what);
    return false;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* The next line that has words, without its comment. *ended if there is none; false on error. */
static bool next_line(Lines *l, unsigned columns, const char *expected, bool *ended, GError **error)
{
    *ended = false;
    while (l->rest < l->end) {
        const char *s = l->rest;
        const char *nl = memchr(s, '\n', (size_t)(l->end - s));
        const char *end = nl ? nl : l->end;
        const char *hash = memchr(s, '#', (size_t)(end - s));

        l->rest = nl ? nl + 1 : l->end;
        l->number++;
        l->n_words = 0;
        if (hash)
            end = hash;
        for (;;) {
            const char *word;
            size_t n;

            while (s < end && is_blank(*s))
                s++;
            if (s == end)
                break;
            word = s;
            while (s < end && !is_blank(*s))
                s++;
            n = (size_t)(s - word);
            if (l->n_words == columns)
                return fail(l, error, "\"%.*s\" is one column too many, expected %s",
                            (int)HS_MIN(n, (size_t)WORD_MAX_BYTES), word, expected);
            if (n >= WORD_MAX_BYTES || memchr(word, '\0', n))
                return fail(l, error, "\"%.*s\" is not a number, expected %s", WORD_MAX_BYTES - 1, word,
                            expected);
            memcpy(l->words[l->n_words], word, n);
            l->words[l->n_words++][n] = '\0';
        }
        if (l->n_words)
            return true;
    }
    *ended = true;
    return true;
}

/* --- schedules --- */

#define SCHEDULE_COLUMNS "\"time rate delay loss\""

/* Whether column i says something, "-" being the word for nothing. */
static bool has_value(const Lines *l, unsigned i)
{
    return i < l->n_words && strcmp(l->words[i], "-") != 0;
}

static bool fail_units(const Lines *l, char *message, GError **error)
{
    fail(l, error, "%s", message);
    g_free(message);
    return false;
}

static bool parse_step(const Lines *l, LinkTraceStep *step, GError **error)
{
    char *message = NULL;

    if (!units_parse_time(l->words[0], &step->time, &message))
        return fail_units(l, message, error);
    if (step->time < 0)
        return fail(l, error, "time \"%s\" is before the trace's begin, expected 0 or more", l->words[0]);
    if (l->n_words < 2)
        return fail(l, error, "only one column, expected " SCHEDULE_COLUMNS);
    if (has_value(l, 1)) {
        if (!units_parse_rate(l->words[1], &step->rate_bps, &message))
            return fail_units(l, message, error);
        /* To the link 0 would mean infinitely fast, which is not what anybody means here. */
        if (step->rate_bps == 0)
            return fail(l, error, "rate \"%s\", expected more than 0 (an interrupted link has loss 1)",
                        l->words[1]);
        step->sets_rate = true;
    }
    if (has_value(l, 2)) {
        if (!units_parse_time(l->words[2], &step->delay, &message))
            return fail_units(l, message, error);
        if (step->delay < 0)
            return fail(l, error, "delay \"%s\", expected 0 or more", l->words[2]);
        step->sets_delay = true;
    }
    if (has_value(l, 3)) {
        if (!units_parse_ratio(l->words[3], &step->loss, &message))
            return fail_units(l, message, error);
        step->sets_loss = true;
    }
    return true;
}

LinkTrace *linktrace_parse_schedule(const char *text, size_t n, const char *name, GError **error)
{
    Lines l = {.name = name, .rest = text, .end = text + n};
    GArray *steps = g_array_new(FALSE, FALSE, sizeof(LinkTraceStep));
    LinkTrace *trace;
    bool ended, ok;

    for (;;) {
        LinkTraceStep step = {0};

        ok = next_line(&l, COLUMNS_MAX, SCHEDULE_COLUMNS, &ended, error);
        if (!ok || ended)
            break;
        ok = parse_step(&l, &step, error);
        if (ok && steps->len) {
            SimTime before = g_array_index(steps, LinkTraceStep, steps->len - 1).time;
            char at[UNITS_STR_LEN];

            if (step.time <= before)
                ok = fail(&l, error, "time \"%s\", expected one after %s, that of the line before",
                          l.words[0], units_format_time(before, at));
        }
        if (!ok)
            break;
        g_array_append_val(steps, step);
    }
    if (ok && !steps->len)
        ok = fail(&l, error, "the trace is empty, expected lines of " SCHEDULE_COLUMNS);
    if (!ok) {
        g_array_unref(steps);
        return NULL;
    }
    trace = g_new0(LinkTrace, 1);
    trace->kind = LINKTRACE_SCHEDULE;
    trace->n_steps = steps->len;
    trace->steps = (LinkTraceStep *)(void *)g_array_free(steps, FALSE);
    return trace;
}

/* --- delivery opportunities --- */

#define OPPORTUNITY "a whole number of milliseconds"

static bool parse_ms(const Lines *l, uint32_t *ms, GError **error)
{
    uint64_t v = 0;

    for (const char *s = l->words[0]; *s; s++) {
        if (!g_ascii_isdigit(*s))
            return fail(l, error, "\"%s\" is not a number, expected " OPPORTUNITY, l->words[0]);
        v = v * 10 + (uint64_t)g_ascii_digit_value(*s);
        if (v > UINT32_MAX)
            return fail(l, error, "\"%s\" is too large, expected at most %" PRIu32 " ms", l->words[0],
                        UINT32_MAX);
    }
    *ms = (uint32_t)v;
    return true;
}

LinkTrace *linktrace_parse_opportunities(const char *text, size_t n, const char *name, GError **error)
{
    Lines l = {.name = name, .rest = text, .end = text + n};
    GArray *times = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    LinkTrace *trace;
    uint32_t ms, before = 0;
    bool ended, ok;

    for (;;) {
        ok = next_line(&l, 1, OPPORTUNITY, &ended, error);
        if (!ok || ended)
            break;
        ok = parse_ms(&l, &ms, error);
        if (ok && ms < before)
            ok = fail(&l, error, "%" PRIu32 " ms, expected %" PRIu32 " or more, as in the line before", ms,
                      before);
        if (!ok)
            break;
        g_array_append_val(times, ms);
        before = ms;
    }
    if (ok && !times->len)
        ok = fail(&l, error, "the trace is empty, expected lines of " OPPORTUNITY);
    /* The last number is the period: 0 would be a link of infinite rate that never lets time pass. */
    if (ok && before == 0)
        ok = fail(&l, error, "the last number is 0, expected more: after it the trace repeats");
    if (!ok) {
        g_array_unref(times);
        return NULL;
    }
    trace = g_new0(LinkTrace, 1);
    trace->kind = LINKTRACE_OPPORTUNITIES;
    trace->n_opportunities = times->len;
    trace->opportunities_ms = (uint32_t *)(void *)g_array_free(times, FALSE);
    return trace;
}

SimTime linktrace_opportunity_time(const LinkTrace *trace, uint64_t i)
{
    uint64_t period_ms, rounds, ms;

    hs_assert(trace->kind == LINKTRACE_OPPORTUNITIES);
    period_ms = trace->opportunities_ms[trace->n_opportunities - 1];
    rounds = i / trace->n_opportunities;
    ms = trace->opportunities_ms[i % trace->n_opportunities];
    /* One round to spare keeps the sum below the end of time as well. */
    if (rounds >= (uint64_t)(SIM_NEVER / SIM_MS) / period_ms - 1)
        return SIM_NEVER;
    return (SimTime)(rounds * period_ms + ms) * SIM_MS;
}

void linktrace_free(LinkTrace *trace)
{
    if (!trace)
        return;
    g_free(trace->steps);
    g_free(trace->opportunities_ms);
    g_free(trace);
}
