/* Breakpoints: from what users write to conditions (step/watch.h). */
#include <inttypes.h>
#include <string.h>

#include "models/ether/neigh.h"
#include "models/tcp/tcp.h"
#include "sim/base/suggest.h"
#include "sim/base/units.h"
#include "sim/trace/probe_table.h"
#include "step/session_priv.h"

char *stepbreaks_text(const StepSession *s, const char *until)
{
    GString *out = g_string_new(NULL);

    if (until)
        g_string_append_printf(out, "0 u %s\n", until);
    for (unsigned i = 0; i < s->breaks->len; i++) {
        const StepBreak *b = &g_array_index(s->breaks, StepBreak, i);

        g_string_append_printf(out, "%u %c %s\n", b->id, b->kind, b->expr);
    }
    return g_string_free(out, FALSE);
}

StepBreak *stepbreaks_find(StepSession *s, unsigned id)
{
    for (unsigned i = 0; i < s->breaks->len; i++)
        if (g_array_index(s->breaks, StepBreak, i).id == id)
            return &g_array_index(s->breaks, StepBreak, i);
    return NULL;
}

static void clear(StepBreak *b)
{
    g_free(b->expr);
    g_free(b->wish);
}

void stepbreaks_remove(StepSession *s, unsigned id)
{
    for (unsigned i = 0; i < s->breaks->len; i++)
        if (g_array_index(s->breaks, StepBreak, i).id == id) {
            clear(&g_array_index(s->breaks, StepBreak, i));
            g_array_remove_index(s->breaks, i);
            return;
        }
}

void stepbreaks_clear(StepSession *s)
{
    for (unsigned i = 0; i < s->breaks->len; i++)
        clear(&g_array_index(s->breaks, StepBreak, i));
    g_array_set_size(s->breaks, 0);
}

bool stepbreaks_check(StepSession *s, char kind, const char *expr, char **error)
{
    g_autofree char *query = g_strdup_printf("check 0 %c %s", kind, expr);
    bool fine;
    char *text = steptimeline_ask(s->timeline, query, &fine);

    if (fine)
        g_free(text);
    else
        *error = text;
    return fine;
}

/* ---- short forms ---- */

/* The names that the states of connections and neighbours have, in any spelling: SYN_SENT, syn-sent. */
static char *state_name(const char *word, char **error)
{
    const char *known[TCP_NEW_SYN_RECV + NEIGH_STATES];
    g_autofree char *name = g_ascii_strup(word, -1);
    const char *closest;
    size_t n = 0;

    for (unsigned i = TCP_ESTABLISHED; i < TCP_NEW_SYN_RECV; i++)
        known[n++] = tcp_state_name((TcpState)i);
    for (unsigned i = 0; i < NEIGH_STATES; i++)
        known[n++] = neigh_state_name((NeighState)i);
    for (size_t i = 0; i < n; i++) {
        g_autofree char *a = g_strdelimit(g_strdup(known[i]), "_", '-');
        g_autofree char *b = g_strdelimit(g_strdup(name), "_", '-');

        if (!strcmp(a, b) || (!strcmp(b, "ESTAB") && !strcmp(a, "ESTABLISHED")))
            return g_strdup(known[i]);
    }
    closest = suggest_closest(name, known, n);
    stepsession_wrong(error, "no connection and no neighbour has a state \"%s\"%s%s%s", word,
                      closest ? "; did you mean " : "", closest ? closest : "", closest ? "?" : "");
    return NULL;
}

/* " and node == "client"" for "… on client"; NULL and *error: other words. */
static char *place_of(const StepLine *l, unsigned i, char **error)
{
    if (i == l->n)
        return g_strdup("");
    if (i + 2 == l->n && !strcmp(l->word[i], "on"))
        return g_strdup_printf(" and node == \"%s\"", l->word[i + 1]);
    stepsession_wrong(error, "expected 'on HOST' or nothing at \"%s\"", l->rest[i]);
    return NULL;
}

static char *of_state(const StepLine *l, char **error)
{
    g_autofree char *name = NULL, *place = NULL;

    if (l->n < 3) {
        stepsession_wrong(error, "which state? break state ESTABLISHED on server");
        return NULL;
    }
    name = state_name(l->word[2], error);
    place = name ? place_of(l, 3, error) : NULL;
    if (!place)
        return NULL;
    return g_strdup_printf("(probe == \"tcp.state\" or probe == \"neigh.state\") and new == \"%s\"%s", name,
                           place);
}

static char *of_counter(const StepLine *l, char *kind, char **error)
{
    if (l->n != 4 && l->n != 6) {
        stepsession_wrong(error, "which counter? break counter server TcpExtListenOverflows [>= 3]");
        return NULL;
    }
    if (l->n == 4) {
        *kind = 'w';
        return g_strdup_printf("counter(\"%s\", \"%s\")", l->word[2], l->word[3]);
    }
    return g_strdup_printf("counter(\"%s\", \"%s\") %s %s", l->word[2], l->word[3], l->word[4], l->word[5]);
}

static char *of_time(const StepLine *l, char **error)
{
    char *why = NULL;
    SimTime time;

    if (l->n == 3 && units_parse_time(l->word[2], &time, &why) && time >= 0)
        return g_strdup_printf("now >= %" PRId64 ".%09" PRId64, time / SIM_SEC, time % SIM_SEC);
    g_free(why);
    stepsession_wrong(error, "expected a time: break time 2s");
    return NULL;
}

/* What stands behind "break", as Lua; NULL: *error. */
static char *translate(const StepLine *l, char *kind, char **error)
{
    const char *first = l->n > 1 ? l->word[1] : "";

    *kind = 'c';
    if (!*first)
        stepsession_wrong(error, "break where? 'help break' and 'help expressions' tell");
    else if (!strcmp(first, "state"))
        return of_state(l, error);
    else if (!strcmp(first, "counter"))
        return of_counter(l, kind, error);
    else if (!strcmp(first, "time") && l->n == 3 && g_ascii_isdigit(*l->word[2]))
        return of_time(l, error);
    else if (probe_by_name(first) && (l->n == 2 || !strcmp(l->word[2], "on"))) {
        g_autofree char *place = place_of(l, 2, error);

        return place ? g_strdup_printf("probe == \"%s\"%s", first, place) : NULL;
    } else {
        return g_strdup(l->rest[1]);
    }
    return NULL;
}

/* ---- commands ---- */

static StepResult add(StepSession *s, char kind, char *expr, const char *wish, bool is_temp, char **error)
{
    StepBreak b = {s->next_break, kind, expr, NULL, is_temp, 0};

    if (!stepbreaks_check(s, kind, expr, error)) {
        g_free(expr);
        return STEP_WRONG;
    }
    g_strchomp(expr);
    b.wish = g_strchomp(g_strdup(wish));
    s->next_break++;
    g_array_append_val(s->breaks, b);
    stepsession_say(s, "%s %u: %s\n", kind == 'w' ? "Watch" : "Breakpoint", b.id, b.wish);
    return STEP_FINE;
}

StepResult stepcmd_break(StepSession *s, const StepLine *l, char **error)
{
    char kind;
    char *expr;

    if (l->n == 1 && strcmp(l->word[0], "tbreak") != 0)
        return stepcmd_breaks(s, l, error);
    expr = translate(l, &kind, error);
    return expr ? add(s, kind, expr, l->rest[1], !strcmp(l->word[0], "tbreak"), error) : STEP_WRONG;
}

StepResult stepcmd_watch(StepSession *s, const StepLine *l, char **error)
{
    if (l->n < 2)
        return stepsession_wrong(error, "watch what? watch counter(\"server\", \"TcpInSegs\")");
    return add(s, 'w', g_strdup(l->rest[1]), l->rest[1], false, error);
}

StepResult stepcmd_breaks(StepSession *s, const StepLine *l, char **error)
{
    if (!s->breaks->len)
        stepsession_say(s, "There are no breakpoints.\n");
    for (unsigned i = 0; i < s->breaks->len; i++) {
        const StepBreak *b = &g_array_index(s->breaks, StepBreak, i);

        stepsession_say(s, "%3u  %-6s %s%s (hit %" PRIu64 " time%s)\n", b->id,
                        b->kind == 'w' ? "watch" : "break", b->wish, b->is_temp ? ", once" : "", b->hits,
                        b->hits == 1 ? "" : "s");
    }
    return STEP_FINE;
}

StepResult stepcmd_delete(StepSession *s, const StepLine *l, char **error)
{
    char *end = NULL;
    guint64 id = l->n > 1 ? g_ascii_strtoull(l->word[1], &end, 10) : 0;

    if (l->n == 1) {
        stepbreaks_clear(s);
        return STEP_FINE;
    }
    if (*end || id > G_MAXUINT || !stepbreaks_find(s, (unsigned)id))
        return stepsession_wrong(error, "there is no breakpoint \"%s\"; 'breaks' lists them", l->word[1]);
    stepbreaks_remove(s, (unsigned)id);
    return STEP_FINE;
}
