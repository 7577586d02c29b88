/* A ladder's life, and the order in which it is put together. */
#include "view/ladder.h"

#include <stdarg.h>
#include <string.h>

#include "view/ladder_priv.h"

const char *ladder_keep(Ladder *l, const char *text)
{
    return g_string_chunk_insert(l->strings, text ? text : "");
}

const char *ladder_keep_printf(Ladder *l, const char *format, ...)
{
    va_list args;
    char *text;
    const char *kept;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    kept = ladder_keep(l, text);
    g_free(text);
    return kept;
}

char *ladder_duration(SimTime t, char buf[32])
{
    static const struct {
        SimTime ns;
        const char *name;
    } units[] = {{SIM_SEC, "s"}, {SIM_MS, "ms"}, {SIM_US, "µs"}};
    char number[24];

    for (unsigned i = 0; i < HS_ARRAY_LEN(units); i++)
        if (t >= units[i].ns) {
            double value = (double)t / (double)units[i].ns;
            char *end;

            g_ascii_formatd(number, sizeof(number),
                            value >= 100  ? "%.1f"
                            : value >= 10 ? "%.2f"
                                          : "%.3f",
                            value);
            end = number + strlen(number);
            while (end[-1] == '0')
                *--end = 0;
            if (end[-1] == '.')
                *--end = 0;
            g_snprintf(buf, 32, "%s %s", number, units[i].name);
            return buf;
        }
    g_snprintf(buf, 32, "%" G_GINT64_FORMAT " ns", t);
    return buf;
}

const char *ladder_tone_name(LadderTone t)
{
    static const char *const names[LADDER_N_TONES] = {"plain", "syn", "data", "ack", "fin",   "rst",
                                                      "again", "udp", "icmp", "arp", "other", "lost"};

    hs_assert(t < LADDER_N_TONES);
    return names[t];
}

static int compare_events(gconstpointer a, gconstpointer b)
{
    const LadderEvent *x = a, *y = b;

    if (x->order != y->order)
        return x->order < y->order ? -1 : 1;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    return (x->arrow > y->arrow) - (x->arrow < y->arrow);
}

Ladder *ladder_new(const Story *s, const LadderConfig *config, char **error)
{
    Ladder *l = g_new0(Ladder, 1);

    l->story = s;
    l->config = *config;
    if (!l->config.max_rows)
        l->config.max_rows = LADDER_ROWS_DEFAULT;
    l->strings = g_string_chunk_new(4096);
    l->lanes = g_array_new(FALSE, FALSE, sizeof(LadderLane));
    l->lane_of = g_array_new(FALSE, FALSE, sizeof(int32_t));
    l->hops = g_array_new(FALSE, TRUE, sizeof(uint16_t));
    l->owner_of = g_hash_table_new(g_str_hash, g_str_equal);
    l->arrows = g_array_new(FALSE, TRUE, sizeof(LadderArrow));
    l->events = g_array_new(FALSE, TRUE, sizeof(LadderEvent));
    l->is_shown = g_array_new(FALSE, TRUE, sizeof(bool));
    l->legend = g_array_new(FALSE, FALSE, sizeof(int32_t));
    l->title = ladder_keep(l, config->title);
    if (!ladder_choose_flows(l, error) || !ladder_choose_lanes(l, error)) {
        ladder_free(l);
        return NULL;
    }
    ladder_add_arrows(l);
    ladder_add_words(l);
    g_array_sort(l->events, compare_events);
    ladder_fold(l);
    /* What the caller lent for the call only. */
    l->config.between = NULL;
    l->config.flow = l->config.title = NULL;
    return l;
}

void ladder_free(Ladder *l)
{
    if (!l)
        return;
    g_string_chunk_free(l->strings);
    g_array_free(l->lanes, TRUE);
    g_array_free(l->lane_of, TRUE);
    g_array_free(l->hops, TRUE);
    g_hash_table_destroy(l->owner_of);
    g_array_free(l->arrows, TRUE);
    g_array_free(l->events, TRUE);
    g_array_free(l->is_shown, TRUE);
    g_array_free(l->legend, TRUE);
    g_free(l);
}

const char *ladder_title(const Ladder *l)
{
    return l->title;
}

int32_t ladder_lane_count(const Ladder *l)
{
    return (int32_t)l->lanes->len;
}

const LadderLane *ladder_lane(const Ladder *l, int32_t i)
{
    hs_assert(i >= 0 && (guint)i < l->lanes->len);
    return LADDER_AT(l->lanes, LadderLane, i);
}

int32_t ladder_arrow_count(const Ladder *l)
{
    return (int32_t)l->arrows->len;
}

const LadderArrow *ladder_arrow(const Ladder *l, int32_t i)
{
    hs_assert(i >= 0 && (guint)i < l->arrows->len);
    return LADDER_AT(l->arrows, LadderArrow, i);
}
