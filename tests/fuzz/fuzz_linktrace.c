/* Hostile trace files: either what the header promises about a trace, or an error with a message. */
#include "models/link/linktrace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    GError *error = NULL;
    LinkTrace *t = linktrace_parse_schedule((const char *)data, n, "fuzz", &error);

    hs_assert(!t == !!error);
    for (size_t i = 0; t && i < t->n_steps; i++) {
        hs_assert(t->steps[i].time >= 0);
        hs_assert(i == 0 || t->steps[i].time > t->steps[i - 1].time);
        hs_assert(!t->steps[i].sets_rate || t->steps[i].rate_bps > 0);
        hs_assert(t->steps[i].delay >= 0);
        hs_assert(t->steps[i].loss >= 0 && t->steps[i].loss <= 1);
    }
    hs_assert(!error || g_utf8_validate(error->message, -1, NULL));
    g_clear_error(&error);
    linktrace_free(t);

    t = linktrace_parse_opportunities((const char *)data, n, "fuzz", &error);
    hs_assert(!t == !!error);
    for (uint64_t i = 1; t && i < 3 * t->n_opportunities; i++)
        hs_assert(linktrace_opportunity_time(t, i) >= linktrace_opportunity_time(t, i - 1));
    if (t)
        hs_assert(linktrace_opportunity_time(t, UINT64_MAX) >= 0);
    g_clear_error(&error);
    linktrace_free(t);
    return 0;
}
