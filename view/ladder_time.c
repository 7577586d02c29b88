/* The column of times. */
#include <string.h>

#include "view/ladder_place.h"

static SimTime tick_of(unsigned decimals)
{
    return decimals == 3 ? SIM_MS : decimals == 6 ? SIM_US : SIM_NS;
}

static bool is_enough(const Ladder *l, unsigned decimals)
{
    SimTime tick = tick_of(decimals), last = -1;

    for (guint i = 0; i < l->events->len; i++) {
        SimTime t = LADDER_AT(l->events, LadderEvent, i)->time;

        if (decimals == 3 ? t % tick != 0 : (t != last && t / tick == last / tick && last >= 0))
            return false;
        last = t;
    }
    return true;
}

void ladder_choose_time(Place *p)
{
    char text[40];

    p->decimals = is_enough(p->l, 3) ? 3 : is_enough(p->l, 6) ? 6 : 9;
    for (guint i = 0; i < p->l->events->len; i++) {
        ladder_time_text(p, LADDER_AT(p->l->events, LadderEvent, i)->time, text);
        p->time_width = HS_MAX(p->time_width, p->m->width(text, LADDER_TIME));
    }
}

void ladder_time_text(const Place *p, SimTime t, char buf[40])
{
    char whole[SIMTIME_STR_LEN];

    simtime_str(t, whole);
    whole[strlen(whole) - (9 - p->decimals)] = 0;
    g_snprintf(buf, 40, "%s s", whole);
}
