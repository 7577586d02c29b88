#include "cli/sweep_progress.h"

#include <stdio.h>
#include <unistd.h>

#define REDRAW_US 200000
#define LINE_US (10 * G_USEC_PER_SEC) /* a line at least so often, and for every tenth of the sweep */

void sweep_progress_begin(SweepProgress *p, bool is_on, unsigned all, unsigned before)
{
    gint64 now_us = g_get_monotonic_time();

    *p = (SweepProgress){.is_on = is_on,
                         .is_terminal = isatty(STDERR_FILENO),
                         .all = all,
                         .before = before,
                         .tenths = (unsigned)(UINT64_C(10) * before / HS_MAX(all, 1)),
                         .started_us = now_us,
                         .drawn_us = now_us};
}

char *sweep_progress_time(double seconds, char *buf, size_t len)
{
    if (seconds < 99.5)
        g_snprintf(buf, (gulong)len, "%.0f s", seconds);
    else if (seconds < 99.5 * 60)
        g_snprintf(buf, (gulong)len, "%.0f min", seconds / 60);
    else
        g_snprintf(buf, (gulong)len, "%.1f h", seconds / 3600);
    return buf;
}

static void draw(SweepProgress *p, gint64 now_us)
{
    unsigned done = p->before + p->done;
    double seconds = (double)(now_us - p->started_us) / 1e6;
    char text[32];

    fprintf(stderr, "%s%u of %u runs (%u %%), %s", p->is_terminal ? "\r\033[K" : "", done, p->all,
            (unsigned)(UINT64_C(100) * done / p->all), sweep_progress_time(seconds, text, sizeof(text)));
    if (p->done && done < p->all)
        fprintf(stderr, ", about %s left",
                sweep_progress_time(seconds * (p->all - done) / p->done, text, sizeof(text)));
    if (p->bad)
        fprintf(stderr, ", %u not ok", p->bad);
    if (!p->is_terminal)
        fprintf(stderr, "\n");
    fflush(stderr);
    p->is_drawn = p->is_terminal;
    p->drawn_us = now_us;
}

void sweep_progress_poll(SweepProgress *p)
{
    gint64 now_us;
    unsigned tenths;

    if (!p->is_on)
        return;
    now_us = g_get_monotonic_time();
    tenths = (unsigned)(UINT64_C(10) * (p->before + p->done) / p->all);
    if (p->is_terminal ? now_us - p->drawn_us >= REDRAW_US
                       : tenths > p->tenths || now_us - p->drawn_us >= LINE_US)
        draw(p, now_us);
    p->tenths = tenths;
}

void sweep_progress_end(SweepProgress *p)
{
    if (p->is_drawn)
        fprintf(stderr, "\r\033[K");
    p->is_drawn = false;
}
