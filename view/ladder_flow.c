/* Which conversations a ladder shows, and how they are called. */
#include <stdlib.h>
#include <string.h>

#include "models/wire/ipv4.h"
#include "view/ladder_priv.h"

/* Who sent nothing in this flow may have in another one; texts are interned. */
static const char *side_name(const Story *s, const StoryFlow *f, unsigned side)
{
    for (int32_t i = 0; f->node[side] == STORY_NONE && i < story_flow_count(s); i++) {
        const StoryFlow *other = story_flow(s, i);

        for (unsigned k = 0; k < 2; k++)
            if (other->addr[k] == f->addr[side] && other->node[k] != STORY_NONE)
                return story_node(s, other->node[k])->name;
    }
    return f->node[side] == STORY_NONE ? f->addr[side] : story_node(s, f->node[side])->name;
}

char *ladder_flow_name(const Story *s, int32_t flow)
{
    const StoryFlow *f = story_flow(s, flow);

    return g_strdup_printf("%s:%u > %s:%u", side_name(s, f, 0), f->port[0], side_name(s, f, 1), f->port[1]);
}

char *ladder_list_flows(const Story *s)
{
    GString *text = g_string_new(NULL);

    for (int32_t i = 0; i < story_flow_count(s); i++) {
        const StoryFlow *f = story_flow(s, i);
        char *name = ladder_flow_name(s, i), begin[SIMTIME_STR_LEN];

        g_string_append_printf(
            text, "%-3d %-4s %-40s from %s s, %" G_GUINT64_FORMAT " + %" G_GUINT64_FORMAT " packets\n", i + 1,
            f->proto == IP_PROTO_TCP ? "TCP" : "UDP", name, simtime_str(f->begin, begin), f->packets[0],
            f->packets[1]);
        g_free(name);
    }
    return g_string_free(text, FALSE);
}

/* "client:40000", ":80", "10.0.0.2": what is left out matches everything. */
static bool side_matches(const Story *s, const StoryFlow *f, unsigned side, const char *pattern)
{
    const char *colon = strrchr(pattern, ':');
    size_t len = colon ? (size_t)(colon - pattern) : strlen(pattern);
    const char *name = side_name(s, f, side);

    if (colon && (colon[1] && strcmp(colon + 1, "*")) && strtoul(colon + 1, NULL, 10) != f->port[side])
        return false;
    return !len || (len == 1 && *pattern == '*') || (strlen(name) == len && !memcmp(name, pattern, len)) ||
           (strlen(f->addr[side]) == len && !memcmp(f->addr[side], pattern, len));
}

static bool matches(const Story *s, const StoryFlow *f, const char *pattern)
{
    const char *arrow = strchr(pattern, '>');
    char *a, *b;
    bool yes;

    if (!arrow)
        return side_matches(s, f, 0, pattern) || side_matches(s, f, 1, pattern);
    a = g_strstrip(g_strndup(pattern, (gsize)(arrow - pattern)));
    b = g_strstrip(g_strdup(arrow + 1));
    yes = side_matches(s, f, 0, a) && side_matches(s, f, 1, b);
    g_free(a);
    g_free(b);
    return yes;
}

bool ladder_choose_flows(Ladder *l, char **error)
{
    const char *wish = l->config.flow;
    int32_t n = story_flow_count(l->story);
    bool is_number = wish && *wish && strspn(wish, "0123456789") == strlen(wish);
    unsigned long number = is_number ? strtoul(wish, NULL, 10) : 0;
    unsigned found = 0;

    g_array_set_size(l->is_shown, (guint)n);
    for (int32_t i = 0; i < n; i++) {
        const StoryFlow *f = story_flow(l->story, i);
        bool yes = true;

        if (is_number) /* a flow's number, or else a port's */
            yes = number <= (unsigned long)n ? number == (unsigned long)i + 1
                                             : number == f->port[0] || number == f->port[1];
        else if (wish)
            yes = matches(l->story, f, wish);
        *LADDER_AT(l->is_shown, bool, i) = yes;
        found += yes;
    }
    if (found || !wish)
        return true;
    *error = g_strdup_printf("no flow is \"%s\": expected a number (this run has %d flow%s), a port, or "
                             "SOURCE:PORT>DESTINATION:PORT; --list-flows shows them",
                             wish, n, n == 1 ? "" : "s");
    return false;
}

bool ladder_shows_flow(const Ladder *l, int32_t flow)
{
    if (flow == STORY_NONE)
        return !l->config.flow;
    return *LADDER_AT(l->is_shown, bool, flow);
}

bool ladder_shows_packet(const Ladder *l, const StoryPacket *p)
{
    return ladder_shows_flow(l, p->flow != STORY_NONE ? p->flow : p->about);
}
