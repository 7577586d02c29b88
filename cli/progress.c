#include "cli/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#define REDRAW_US 200000

void progress_init(Progress *p, ProgressWish wish, SimTime until)
{
    *p = (Progress){.until = until, .started_us = g_get_monotonic_time()};
    p->drawn_us = p->started_us;
    p->is_on = wish == PROGRESS_ALWAYS || (wish == PROGRESS_IF_TERMINAL && isatty(STDERR_FILENO));
}

double progress_seconds(const Progress *p)
{
    return (double)(g_get_monotonic_time() - p->started_us) / 1e6;
}

char *progress_format_rate(double rate, char *buf, size_t len)
{
    if (rate >= 1e6)
        g_snprintf(buf, (gulong)len, "%.1f M events/s", rate / 1e6);
    else if (rate >= 1e3)
        g_snprintf(buf, (gulong)len, "%.1f k events/s", rate / 1e3);
    else
        g_snprintf(buf, (gulong)len, "%.0f events/s", rate);
    return buf;
}

static void draw(Progress *p, const Sim *sim, gint64 now_us)
{
    SimTime now = sim_now(sim);
    uint64_t events = sim_events(sim);
    double rate = (double)(events - p->events_drawn) * 1e6 / (double)(now_us - p->drawn_us);
    char text[64];

    fprintf(stderr, "\r\033[K%.3f s simulated", (double)now / 1e9);
    if (p->until != SIM_NEVER && p->until > 0) {
        double share = (double)now / (double)p->until;

        fprintf(stderr, " of %.3f s (%.0f %%)", (double)p->until / 1e9, 100 * share);
        if (share > 0)
            fprintf(stderr, ", about %.0f s left",
                    (double)(now_us - p->started_us) / 1e6 * (1 - share) / share);
    }
    fprintf(stderr, ", %s", progress_format_rate(rate, text, sizeof(text)));
    fflush(stderr);
    p->is_drawn = true;
    p->drawn_us = now_us;
    p->events_drawn = events;
}

void progress_poll(Progress *p, const Sim *sim)
{
    gint64 now_us;

    if (!p->is_on)
        return;
    now_us = g_get_monotonic_time();
    if (now_us - p->drawn_us >= REDRAW_US)
        draw(p, sim, now_us);
}

void progress_clear(Progress *p)
{
    if (p->is_drawn)
        fprintf(stderr, "\r\033[K");
    p->is_drawn = false;
}
